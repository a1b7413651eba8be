// SPDX-License-Identifier: Apache-2.0
// `sipway probe` against trunks that are well, dead, that refuse, whose certificates are wrong: what it says, and its exit code.
// Test calls whose media goes wrong: probe-call.test.mjs.
import { scenario, check } from './lib/scenario.mjs';
import { startGateway } from './lib/gateway.mjs';
import { probeConfig, runProbe, trunkThat, failed, told, CALL as call } from './lib/probe.mjs';
import { startSimulatedCarrier } from './lib/carrier.mjs';
import { startCarrier } from './lib/kamailio-carrier.mjs';
import { scriptedPhone } from './lib/phone.mjs';
import { makeCertificate } from './lib/certificate.mjs';
import { dnsServer } from './lib/dns-server.mjs';
import { freePort } from './lib/ports.mjs';

const ours = { needs: 'admin' }; // our own binary alone has it
const ACME = { username: 'acme', password: 'trunk-secret' };
const json = ['--json'];
const near = (value, wanted, by) => Math.abs(value - wanted) <= by;

// ---- a trunk that is well

scenario('a healthy trunk: everything is ok, exit code 0', async ({ defer }) => {
  const port = await freePort();
  const carrier = await startSimulatedCarrier({ port, gateway: { host: '127.0.0.1', port: await freePort() }, args: ['--user', 'acme', '--password', 'trunk-secret'] });
  defer(() => carrier.stop());
  const run = await runProbe({ trunks: [{ name: 'carrier', host: '127.0.0.1', port, max_calls: 30, ...ACME }], args: call });
  check(run.code === 0 && failed(run).length === 0, `exit code ${run.code}:\n${told(run)}`);
  check(run.find('OPTIONS', /^answered 200 OK/).round_trip_ms < 200, 'round trip of OPTIONS');
  check(/PCMU/.test(run.find('codecs', /the answer takes/).text), 'codecs');
  run.find('DTMF', /agreed as telephone-event\/8000/);
  const media = run.find('media', /packets came/);
  check(media.received >= 195 && media.lost_percent === 0, `media: ${JSON.stringify(media)}`);
  check(run.find('media', /came back as an echo/).round_trip_ms < 100, 'round trip of the echo');
  run.find('media', /^jitter/);
  check(run.find('DSCP', /ours leave with/).sent_dscp === 46, 'DSCP');
  run.find('NAT', /the trunk sees us there/);
  const line = run.find('bandwidth', /^30 calls/);
  check(/PCMU 2\.4 Mbit\/s/.test(line.text), line.text);
  check((await carrier.ended('600')).packetsIn >= 195, 'the carrier saw the call');
}, ours);

scenario('the screen and --json say the same', async ({ defer }) => {
  const phone = await scriptedPhone({ name: 'trunk' });
  defer(() => phone.close());
  const dead = await freePort();
  const file = await probeConfig([{ name: 'one', host: '127.0.0.1', port: phone.sip.port, options_every: 0, codecs: ['PCMA'] },
    { name: 'two', host: '127.0.0.1', port: dead, transport: 'tcp' }]);
  phone.sip.auto.OPTIONS = 503;
  const [screen, other] = [await runProbe({ file }), await runProbe({ file, args: json })];
  check(screen.code === 1 && other.code === 1 && other.json.exit === 1, `exit codes ${screen.code}, ${other.code}`);
  check(other.json.trunks.map((trunk) => trunk.name).join() === 'one,two', 'both trunks are told of');
  const plain = (text) => text.replace(/[\d.]+ ms/g, 'N ms');
  for (const trunk of other.json.trunks) {
    check(screen.text.includes(`trunk "${trunk.name}" (${trunk.uri})`), `no ${trunk.name} in\n${screen.text}`);
    for (const { result, check: what, text, advice } of trunk.findings) {
      const words = `${result} ${what} ${text}${advice ? ` -> ${advice}` : ''}`;
      check(plain(screen.text).includes(plain(words)), `'${words}' is not in\n${screen.text}`);
    }
  }
  const { ok, warn, failed: no } = other.json;
  check(screen.text.includes(`NOT READY: ${ok} ok, ${warn} to look at, ${no} failed`), `sums in\n${screen.text}`);
}, ours);

scenario('one trunk by its name; a name, a file and an argument that do not exist: exit code 2', async () => {
  const dead = await freePort();
  const file = await probeConfig([{ name: 'one', host: '127.0.0.1', port: dead, transport: 'tcp' }, { name: 'two', host: '127.0.0.1', port: dead, transport: 'tcp' }]);
  const two = await runProbe({ file, args: ['--json', 'two'] });
  check(two.json.trunks.map((trunk) => trunk.name).join() === 'two', 'the named trunk alone');
  for (const args of [['three'], ['--no-such'], ['one', 'two']]) {
    const run = await runProbe({ file, args });
    check(run.code === 2 && run.output.length > 0, `${args}: exit code ${run.code}\n${run.output}`);
  }
  check((await runProbe({ file: `${file}.not` })).code === 2, 'no such file');
  check((await runProbe({ file, args: ['--help'] })).code === 0, '--help');
}, ours);

// ---- a trunk that is not there

scenario('a dead trunk over UDP: FAIL in words, exit code 1, in bounded time', async () => {
  const run = await runProbe({ trunks: [{ name: 'dead', host: '127.0.0.1', port: await freePort(), register: true, ...ACME }], args: call });
  check(run.code === 1 && run.ms < 17000, `exit code ${run.code} after ${run.ms} ms`);
  check(run.find('OPTIONS', /nothing answers/).result === 'FAIL', 'OPTIONS');
  check(run.find('registration', /does not answer/).result === 'FAIL', 'registration');
  check(run.find('call', /not answered/).result === 'FAIL', 'call');
}, ours);

scenario('a dead trunk over TCP: one FAIL, and the rest is not tried', async () => {
  const run = await runProbe({ trunks: [{ name: 'dead', host: '127.0.0.1', port: await freePort(), transport: 'tcp', register: true, ...ACME }], args: call });
  check(run.code === 1 && run.ms < 5000, `exit code ${run.code} after ${run.ms} ms`);
  check(run.find('OPTIONS', /no connection/).result === 'FAIL', 'OPTIONS');
  run.find('registration', /not tried/);
  run.find('call', /not tried/);
}, ours);

scenario('a name that does not exist', async () => {
  const run = await runProbe({ trunks: [{ name: 'dead', host: 'no-such-trunk.invalid', port: 5060 }], args: json });
  check(run.code === 1 && run.ms < 12000, `exit code ${run.code} after ${run.ms} ms`);
  check(run.find('DNS', /no-such-trunk\.invalid/).result === 'FAIL', 'DNS');
}, ours);

/** A name that leads to these ports of 127.0.0.1 by SRV, in this order. @returns what probeConfig() takes */
async function named({ defer, ports, ...row }) {
  const dns = await dnsServer({
    'carrier.test': {},
    '_sip._udp.carrier.test': { SRV: ports.map((port, i) => ({ priority: 10 + i, port, target: 'a.carrier.test' })) },
    'a.carrier.test': { A: ['127.0.0.1'] },
  });
  defer(() => dns.close());
  return { trunks: [{ name: 'carrier', uri: 'sip:carrier.test', ...row }], config: { dns: { servers: [dns.address] } } };
}

scenario('a name with two targets by SRV: both are told of, and whether there is something to fall back on', async ({ defer }) => {
  const [one, two] = [await scriptedPhone({ name: 'one' }), await scriptedPhone({ name: 'two' })];
  defer(() => [one, two].forEach((phone) => phone.close()));
  const options = await named({ defer, ports: [one.sip.port, two.sip.port] });
  const well = await runProbe({ ...options, args: json });
  check(well.code === 0 && failed(well).length === 0, `exit code ${well.code}:\n${told(well)}`);
  check(well.find('DNS', new RegExp(`carrier\\.test is 127\\.0\\.0\\.1:${one.sip.port} \\(UDP\\), then .*:${two.sip.port}`)).targets === 2, 'targets');
  well.find('targets', /^1 of 1 further targets answer/);
  delete two.sip.auto.OPTIONS;
  const half = await runProbe({ ...options, args: json });
  check(half.code === 0 && half.find('targets', new RegExp(`:${two.sip.port} .*does not answer`)).result === 'warn', told(half));
}, ours);

scenario('the first target is dead: the call is tried at the second one', async ({ defer }) => {
  const { phone, taken } = await trunkThat({ defer, media: (one) => one.rtp.echo() });
  const options = await named({ defer, ports: [await freePort(), phone.sip.port] });
  const [run] = await Promise.all([runProbe({ ...options, args: call }), taken]);
  check(run.code === 1 && run.find('OPTIONS', /nothing answers/).result === 'FAIL', told(run));
  run.find('targets', /the rest was looked at there/);
  run.find('media', /came back as an echo/);
}, ours);

scenario('a name that leads to what we have no listener for', async ({ defer }) => {
  const dns = await dnsServer({ 'carrier.test': { AAAA: ['::1'] } });
  defer(() => dns.close());
  const run = await runProbe({ trunks: [{ name: 'carrier', uri: 'sip:carrier.test:5060' }], config: { dns: { servers: [dns.address] } }, args: json });
  const found = run.find('DNS', /sip\.listen/);
  check(run.code === 1 && found.result === 'FAIL', JSON.stringify(found));
}, ours);

scenario('a DNS server that is silent: FAIL in bounded time', async ({ defer }) => {
  const dns = await dnsServer();
  dns.isSilent = true;
  defer(() => dns.close());
  const run = await runProbe({ trunks: [{ name: 'carrier', uri: 'sip:carrier.test' }], config: { dns: { servers: [dns.address] } }, args: call });
  check(run.code === 1 && run.ms < 17000 && run.find('DNS', /no DNS server answered/).result === 'FAIL', `after ${run.ms} ms:\n${told(run)}`);
}, ours);

scenario('a trunk that never answers OPTIONS but takes calls: no failure where it is not asked', async ({ defer }) => {
  const { phone, taken, row } = await trunkThat({ defer, options_every: 0, media: (one) => one.rtp.echo() });
  delete phone.sip.auto.OPTIONS;
  const [run] = await Promise.all([runProbe({ trunks: [row], args: call }), taken]);
  check(run.code === 0 && run.find('OPTIONS', /nothing answers/).result === 'warn', `exit code ${run.code}:\n${told(run)}`);
}, ours);

// ---- registration

scenario('a registering trunk: accepted, and taken back', async ({ defer }) => {
  const carrier = await startCarrier({ ...ACME, uas: { host: '127.0.0.1', port: 9 } });
  defer(() => carrier.stop());
  const row = { name: 'carrier', host: carrier.host, port: carrier.port, register: true, ...ACME };
  for (let i = 0; i < 2; i++) { // the first one has left nothing behind
    const run = await runProbe({ trunks: [row], args: json });
    check(run.code === 0 && failed(run).length === 0, `exit code ${run.code}:\n${told(run)}`);
    run.find('registration', /accepted as acme .* with our password/);
  }
}, ours);

scenario('a registration of the running gateway is seen and left alone', async ({ defer }) => {
  const carrier = await startCarrier({ ...ACME, uas: { host: '127.0.0.1', port: 9 } });
  defer(() => carrier.stop());
  const gateway = await startGateway({ trunks: [{ name: 'carrier', host: carrier.host, port: carrier.port, register: true, ...ACME }] });
  defer(() => gateway.stop());
  await carrier.accepts('REGISTER');
  const before = carrier.accepted().length;
  const run = await runProbe({ file: gateway.file, args: json });
  check(run.code === 0, `exit code ${run.code}:\n${told(run)}`);
  const found = run.find('registration', /this machine is registered there now/);
  check(found.result === 'ok' && found.bound === 1 && found.text.includes(`:${gateway.sip.port}`), JSON.stringify(found));
  check(carrier.accepted().length === before + 1, 'it was asked once, and nothing was registered');
}, ours);

scenario('a wrong password: FAIL with what to do', async ({ defer }) => {
  const carrier = await startCarrier({ ...ACME, uas: { host: '127.0.0.1', port: 9 } });
  defer(() => carrier.stop());
  const run = await runProbe({ trunks: [{ name: 'carrier', host: carrier.host, port: carrier.port, register: true, username: 'acme', password: 'wrong' }], args: call });
  check(run.code === 1, `exit code ${run.code}`);
  for (const what of ['registration', 'call']) {
    const found = run.find(what, /refused: 40[17]/);
    check(found.result === 'FAIL' && /password/.test(found.advice), JSON.stringify(found));
  }
  check(!run.output.includes('wrong'), 'the password is not shown');
}, ours);

scenario('403 to REGISTER and to INVITE', async ({ defer }) => {
  const phone = await scriptedPhone({ name: 'trunk' });
  defer(() => phone.close());
  Object.assign(phone.sip.auto, { REGISTER: 403, INVITE: 403, ACK: undefined });
  const run = await runProbe({ trunks: [{ name: 'carrier', host: phone.sip.host, port: phone.sip.port, register: true, ...ACME }], args: call });
  check(run.code === 1, `exit code ${run.code}`);
  for (const what of ['registration', 'call']) {
    const found = run.find(what, /refused: 403 Forbidden/);
    check(found.result === 'FAIL' && found.status === 403 && found.advice.length > 20, JSON.stringify(found));
  }
}, ours);

scenario('a registrar that never answers the REGISTER: what may have been registered is taken back', async ({ defer }) => {
  const phone = await scriptedPhone({ name: 'trunk' });
  defer(() => phone.close());
  const running = runProbe({ trunks: [{ name: 'carrier', host: phone.sip.host, port: phone.sip.port, register: true, ...ACME }], args: json });
  const asked = await phone.sip.expect('REGISTER');
  check(!asked.header('contact'), 'the first one only asks');
  phone.sip.reply(200);
  await phone.sip.expect((m) => m.method === 'REGISTER' && m.header('expires') === '60');
  await phone.sip.expect((m) => m.method === 'REGISTER' && m.header('expires') === '0' && Boolean(m.header('contact')));
  const run = await running;
  check(run.code === 1 && run.find('registration', /does not answer/).result === 'FAIL', told(run));
}, ours);

// ---- TLS

async function probeTls({ defer, certificate, trusts = true }) {
  const phone = await scriptedPhone({ name: 'trunk', transport: 'tls-server', secure: certificate.pem });
  defer(() => phone.close());
  return runProbe({ trunks: [{ name: 'carrier', host: '127.0.0.1', port: phone.sip.port, transport: 'tls' }], args: json,
    env: trusts ? { SSL_CERT_FILE: certificate.certificate } : {} });
}

scenario('a good certificate over TLS: version, days, name and authority are told', async ({ defer }) => {
  const run = await probeTls({ defer, certificate: makeCertificate({ days: 90 }) });
  check(run.code === 0 && failed(run).length === 0, `exit code ${run.code}:\n${told(run)}`);
  run.find('TLS', /^TLSv1\.[23]/);
  check(near(run.find('certificate', /valid for/).days_left, 89.5, 1), 'days');
  run.find('certificate', /names 127\.0\.0\.1/);
  run.find('certificate', /vouched for by/);
  run.find('OPTIONS', /^answered 200/);
}, ours);

for (const [what, options, trusts, pattern] of [
  ['has expired', { days: -1 }, true, /has expired 1 day/],
  ['is for another name', { name: 'other.example.net', days: 90 }, true, /is for other\.example\.net, not for 127\.0\.0\.1/],
  ['is vouched for by nobody', { days: 90 }, false, /not vouched for/],
]) {
  scenario(`a certificate that ${what}: that alone is FAIL of it`, async ({ defer }) => {
    const run = await probeTls({ defer, certificate: makeCertificate(options), trusts });
    check(run.code === 1 && run.find('certificate', pattern).result === 'FAIL', `exit code ${run.code}:\n${told(run)}`);
    check(failed(run).filter((one) => one.check === 'certificate').length === 1, told(run));
    run.find('OPTIONS', /not tried/);
  }, ours);
}

scenario('a certificate that ends soon is warned of', async ({ defer }) => {
  const run = await probeTls({ defer, certificate: makeCertificate({ days: 5 }) });
  check(run.code === 0 && run.find('certificate', /valid for [45] more/).result === 'warn', `exit code ${run.code}:\n${told(run)}`);
}, ours);

scenario('no TLS at the port of a TLS trunk', async ({ defer }) => {
  const phone = await scriptedPhone({ name: 'trunk', transport: 'tcp-server' });
  defer(() => phone.close());
  const run = await runProbe({ trunks: [{ name: 'carrier', host: '127.0.0.1', port: phone.sip.port, transport: 'tls' }], args: json });
  check(run.code === 1 && run.ms < 8000 && run.json.trunks[0].findings.some((one) => one.check === 'TLS' && one.result === 'FAIL'), told(run));
}, ours);

// ---- addresses

scenario('the trunk sees us elsewhere (NAT): what to advertise is said', async ({ defer }) => {
  const phone = await scriptedPhone({ name: 'trunk' });
  defer(() => phone.close());
  delete phone.sip.auto.OPTIONS;
  const running = runProbe({ trunks: [{ name: 'carrier', host: phone.sip.host, port: phone.sip.port }], args: json });
  for (let i = 0; i < 3; i++) {
    const asked = await phone.sip.expect('OPTIONS');
    const via = asked.all('via')[0].replace(';rport', ';rport=61000;received=203.0.113.77');
    phone.sip.send('SIP/2.0 200 OK\nVia: {{natted}}\nFrom: {{from}}\nTo: {{to}};tag=t\nCall-ID: {{call-id}}\nCSeq: {{cseq}}\nContact: <sip:trunk@10.20.30.40>\nContent-Length: 0\n\n', { natted: via });
  }
  const run = await running;
  const found = run.find('NAT', /the trunk sees us at 203\.0\.113\.77:61000/);
  check(run.code === 0 && found.result === 'warn' && /media\.advertise .*203\.0\.113\.77/.test(found.advice), JSON.stringify(found));
  check(run.find('NAT', /Contact names the private address 10\.20\.30\.40/).result === 'warn', told(run));
}, ours);
