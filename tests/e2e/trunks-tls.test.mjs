// SPDX-License-Identifier: Apache-2.0
// Trunks over TLS: whose certificate is trusted, our own certificate for one that asks for it, versions, reloads.
import fs from 'node:fs';
import { scenario, check, ALICE, CALLER } from './lib/scenario.mjs';
import { startGateway } from './lib/gateway.mjs';
import { scriptedPhone } from './lib/phone.mjs';
import { wsPhone } from './lib/ws-phone.mjs';
import { makeCertificate } from './lib/certificate.mjs';
import { until } from './lib/wait.mjs';

const ours = { needs: 'admin' };

/** A trunk over TLS that shows `theirs`; `more` are options of its server, `keys` of its row. */
async function start(defer, { theirs, more, keys, rows, config, accounts = [ALICE] }) {
  const carrier = await scriptedPhone({ name: 'carrier', transport: 'tls-server', secure: { ...theirs.pem, ...more } });
  defer(() => carrier.close());
  const trunks = (rows ?? { carrier: keys });
  const gateway = await startGateway({
    accounts,
    trunks: Object.entries(trunks).map(([name, row]) => ({ name, host: carrier.sip.host, port: carrier.sip.port, transport: 'tls', ...row })),
    routes: Object.keys(trunks).map((name, i) => ({ from: 'accounts', to: i ? `^${i}$` : '^\\+', trunks: [name] })),
    config,
  });
  defer(() => gateway.stop());
  const alice = await wsPhone(gateway, ALICE);
  defer(() => alice.close());
  return { carrier, gateway, alice };
}

const rings = async ({ alice, carrier }, number = CALLER) => {
  await alice.call(number);
  await carrier.rings();
  const { socket } = carrier.sip.request.from;
  carrier.sip.reply(486);
  await alice.sip.expect(486);
  return socket;
};

const fails = async ({ alice, carrier }, number = CALLER) => {
  await alice.call(number);
  const refusal = await alice.sip.expect((m) => m.status >= 300, { within: 12000 });
  check(refusal.status === 503, `answered ${refusal.first}`);
  check(!carrier.sip.received.some((m) => m.method === 'INVITE'), 'the trunk got the call');
};

scenario('a trunk that asks for our certificate gets it, and none without', async ({ defer }) => {
  const [theirs, mine] = [makeCertificate(), makeCertificate({ name: 'gateway.example.com' })];
  const more = { requestCert: true, rejectUnauthorized: true, ca: [mine.pem.cert] };
  const world = await start(defer, { theirs, more, keys: { ca: theirs.certificate, certificate: mine.certificate, key: mine.key } });
  const socket = await rings(world);
  check(socket.authorized && socket.getPeerCertificate().subject.CN === 'gateway.example.com', 'our certificate');
  await fails(await start(defer, { theirs, more, keys: { ca: theirs.certificate } }));
}, ours);

scenario('only the authority of `ca` is trusted; verify: false trusts everybody, with a warning', async ({ defer }) => {
  const [theirs, other] = [makeCertificate(), makeCertificate()];
  await fails(await start(defer, { theirs, keys: {} }));
  await fails(await start(defer, { theirs, keys: { ca: other.certificate } }));
  await rings(await start(defer, { theirs, keys: { ca: theirs.certificate } }));
  const blind = await start(defer, { theirs, keys: { verify: false } });
  await rings(blind);
  check(/warn .*trunk "carrier": verify is false: ITS CERTIFICATE IS NOT CHECKED/.test(blind.gateway.program.output), 'no warning in the log');
}, ours);

scenario('a certificate for another name is refused', async ({ defer }) => {
  const theirs = makeCertificate({ name: 'elsewhere.example.com' });
  await fails(await start(defer, { theirs, keys: { ca: theirs.certificate } }));
}, ours);

scenario('two trunks at one address do not share a connection that was checked for one of them', async ({ defer }) => {
  const [theirs, other] = [makeCertificate(), makeCertificate()];
  const world = await start(defer, { theirs, rows: { blind: { verify: false }, strict: { ca: other.certificate }, right: { ca: theirs.certificate } } });
  const first = await rings(world);
  await world.alice.call('1');
  const refusal = await world.alice.sip.expect((m) => m.status >= 300, { within: 12000 });
  check(refusal.status === 503, `answered ${refusal.first}: over the other's connection`);
  const [blind, right] = [new Set([first]), new Set()]; // each worker has connections of its own
  for (let i = 0; i < 4; i++) {
    right.add(await rings(world, '2'));
    blind.add(await rings(world));
  }
  check([...blind].every((socket) => !right.has(socket)), 'a connection was shared');
  check(blind.size + right.size <= 2 * Number(process.env.SIPWAY_WORKERS ?? 1), `${blind.size} and ${right.size} connections`);
}, ours);

scenario('sip.tls_min 1.3 refuses a trunk with TLS 1.2', async ({ defer }) => {
  const theirs = makeCertificate();
  await rings(await start(defer, { theirs, more: { maxVersion: 'TLSv1.2' }, keys: { ca: theirs.certificate } }));
  await fails(await start(defer, { theirs, more: { maxVersion: 'TLSv1.2' }, keys: { ca: theirs.certificate }, config: { sip: { tls_min: '1.3' } } }));
  await rings(await start(defer, { theirs, more: { minVersion: 'TLSv1.3' }, keys: { ca: theirs.certificate }, config: { sip: { tls_min: '1.3' } } }));
}, ours);

scenario('a certificate that was renewed is shown after a reload', async ({ defer }) => {
  const [theirs, mine, renewed] = [makeCertificate(), makeCertificate({ name: 'old.example.com' }), makeCertificate({ name: 'new.example.com' })];
  const world = await start(defer, { theirs, more: { requestCert: true, rejectUnauthorized: false }, keys: { ca: theirs.certificate, certificate: mine.certificate, key: mine.key } });
  const first = await rings(world);
  check(first.getPeerCertificate().subject.CN === 'old.example.com', 'before');
  fs.copyFileSync(renewed.certificate, mine.certificate);
  fs.copyFileSync(renewed.key, mine.key);
  world.gateway.reload((text) => text);
  await world.gateway.program.waitOutput(/reload: done/);
  await until('the new certificate', async () => {
    [...world.carrier.sip.transport.sockets].forEach((socket) => socket.destroy());
    await until('connections closed', () => !world.carrier.sip.transport.sockets.size);
    return (await rings(world)).getPeerCertificate().subject.CN === 'new.example.com';
  }, { within: 20000 });
}, ours);
