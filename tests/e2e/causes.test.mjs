// SPDX-License-Identifier: Apache-2.0
// Why a call failed: the operator reads it in GET /calls/ID, the call record and the log, whatever the two sides were told.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { world, scenario, check, ALICE, BOB, CALLER } from './lib/scenario.mjs';
import { browserSdp } from './lib/ws-phone.mjs';
import { until } from './lib/wait.mjs';

const records = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'sipway-causes-')), 'cdr.jsonl');

const peers = world({
  after: () => fs.rmSync(path.dirname(records), { recursive: true }),
  scripted: [ALICE],
  accounts: [ALICE, { ...BOB, routes: ['national'] }],
  trunk: { codecs: ['PCMA', 'PCMU'], username: 'acme', password: 'wrong' },
  trunks: (it) => [
    { name: 'nowhere', host: 'no-such-host.invalid', port: 5060, accept: [] },
    { name: 'closed', host: '127.0.0.1', port: 1, transport: 'tcp' },
    { name: 'silent', host: '127.0.0.9', port: 5999 },
    { name: 'opusonly', host: '127.0.0.1', port: it.trunk.sip.port, codecs: ['opus'], accept: [] },
  ],
  gateway: {
    routes: [
      { from: 'accounts', to: '^1(.*)$', trunks: ['nowhere'] },
      { from: 'accounts', to: '^2(.*)$', trunks: ['closed'] },
      { from: 'accounts', to: '^3(.*)$', trunks: ['silent'] },
      { from: 'accounts', to: '^4(.*)$', trunks: ['opusonly'] },
      { name: 'national', from: 'account:bob', to: '^9(.*)$', trunks: ['carrier'] },
      { from: 'accounts', to: '^\\+(.*)$', trunks: ['carrier'] },
      { from: 'trunk:carrier', to: '^\\+12025550123$', account: 'alice' },
    ],
    config: { sip: { t1: '50ms', ring_timeout: '5s' }, media: { timeout: '4s' }, cdr: { file: records } },
  },
});
const ours = { needs: 'b2bua' };

/** The last call that ended, whole. */
async function ended(count) {
  const { admin } = peers.gateway;
  const list = await until('an ended call', async () => {
    const calls = await admin.json('/calls/recent');
    return calls.length >= count && calls;
  });
  const newest = list.reduce((found, call) => (call.began > found.began ? call : found));
  return admin.json(`/calls/${newest.id}`);
}

let seen = 0;
/** The call that has just ended failed of this. */
async function failedOf(id, pattern) {
  const call = await ended(++seen);
  check(call.cause === id, `cause '${call.cause}' (${call.explanation}), wanted '${id}'`);
  check(pattern.test(call.explanation), `explanation: ${call.explanation}`);
  check(JSON.stringify(call.timeline).includes(`cause ${id}: `), 'the timeline does not end with the cause');
  return call;
}

async function refused(status, number = CALLER) {
  await peers.alice.call(number);
  await peers.trunk.rings();
  peers.trunk.sip.reply(status);
  return peers.alice.sip.expect((m) => m.status >= 300 && m.cseq.method === 'INVITE');
}

scenario('no route, and a name that does not resolve', async () => {
  const { alice } = peers;
  await alice.call('777');
  await alice.sip.expect(404);
  await failedOf('no-route', /no route leads to 777/);
  await alice.call('1555');
  await alice.sip.expect(503, { within: 15000 });
  await failedOf('dns', /trunk nowhere cannot be found: .*does not resolve/);
}, ours);

scenario('an account that is not registered', async () => {
  await peers.alice.call('sip:bob@example.com');
  await peers.alice.sip.expect(480);
  await failedOf('not-registered', /account bob is not registered/);
}, ours);

scenario('a connection that is refused, a trunk that is silent', async () => {
  const { alice } = peers;
  await alice.call('2555');
  await alice.sip.expect(503, { within: 15000 });
  await failedOf('no-connection', /trunk closed at TCP 127\.0\.0\.1:1 cannot be reached/);
  await alice.call('3555');
  await alice.sip.expect(504, { within: 15000 });
  await failedOf('no-response', /trunk silent at UDP 127\.0\.0\.9:5999 did not answer the INVITE at all/);
}, ours);

scenario('the trunk refuses: number, destination, codecs, overload, person', async () => {
  for (const [status, id, pattern] of [
    [404, 'unknown-number', /trunk carrier does not know the number \+12025550199 \(404 Not Found\)/],
    [403, 'forbidden', /trunk carrier forbids the call \(403 Forbidden\)/],
    [488, 'not-acceptable', /takes none of the codecs offered .*the caller offers opus, G722, PCMU, PCMA/],
    [503, 'overloaded', /trunk carrier is overloaded/],
    [500, 'peer-failed', /trunk carrier failed \(500/],
    [486, 'busy', /trunk carrier is busy/],
    [603, 'declined', /trunk carrier declined/],
    [480, 'unavailable', /nobody can be reached/],
  ]) {
    await refused(status);
    await failedOf(id, pattern);
  }
}, ours);

scenario('credentials that the trunk does not take', async () => {
  const { alice, trunk } = peers;
  const challenge = [['Proxy-Authenticate', 'Digest realm="carrier", nonce="abc", algorithm=MD5']];
  await alice.call(CALLER);
  for (let i = 0; i < 2; i++) {
    await trunk.rings();
    trunk.sip.reply(407, { headers: challenge });
  }
  await alice.sip.expect((m) => m.status >= 400 && m.cseq.method === 'INVITE');
  await failedOf('bad-credentials', /does not take our credentials \(username acme\)/);
}, ours);

scenario('no codec in common', async () => {
  await peers.alice.call('4555', { body: browserSdp({ formats: [0, 8] }) });
  await peers.alice.sip.expect(488);
  await failedOf('no-common-codec', /alice's browser offers PCMU, PCMA, trunk opusonly takes opus/i);
}, ours);

scenario('the caller gives up: before and after it rang', async () => {
  const { alice, trunk } = peers;
  for (const rings of [false, true]) {
    await alice.call(CALLER);
    const invite = await trunk.rings();
    if (rings) trunk.sip.reply(180);
    if (rings) await alice.sip.expect(180);
    if (!rings) trunk.sip.reply(100);
    alice.sip.cancel();
    const cancel = await trunk.sip.expect('CANCEL');
    trunk.sip.reply(200, { request: cancel });
    trunk.sip.reply(487, { request: invite });
    await alice.sip.expect(487);
    await failedOf('gave-up', rings ? /after \d+ s$/ : /trunk carrier had not/);
  }
}, ours);

scenario('nobody answers', async () => {
  const { alice, trunk } = peers;
  await alice.call(CALLER);
  const invite = await trunk.rings();
  trunk.sip.reply(180);
  const cancel = await trunk.sip.expect('CANCEL', { within: 15000 });
  trunk.sip.reply(200, { request: cancel });
  trunk.sip.reply(487, { request: invite });
  await alice.sip.expect(480);
  await failedOf('no-answer', /nobody answered within \d s/);
}, ours);

scenario('a browser whose ICE checks never come', async () => {
  const { alice, trunk } = peers;
  await alice.call(CALLER);
  await trunk.rings();
  await trunk.answer({ codec: 'PCMA' });
  await alice.answered();
  trunk.rtp.sendTone({ codec: 'PCMA' });
  const bye = await trunk.sip.expect('BYE', { within: 15000 });
  trunk.sip.reply(200, { request: bye });
  await failedOf('ice-never', /alice's browser never reached us with an ICE check: it was told UDP 127\.0\.0\.1:\d+/);
}, ours);

scenario('a trunk that never ACKs, and names a private address', async () => {
  const { alice, trunk } = peers;
  trunk.sip.newRequest('INVITE', `sip:+12025550123@${trunk.sip.peer.host}:${trunk.sip.peer.port}`, {
    body: trunk.sdp({ codecs: ['PCMU'] }), contact: '<sip:gw@192.168.77.1:5060>',
  });
  await alice.rings();
  await alice.answer({ ack: false });
  const bye = await alice.sip.expect('BYE', { within: 15000 });
  alice.sip.reply(200);
  check(!/sip:|127\.0\.0\.1/.test(bye.header('reason') ?? ''), `the browser is told an address of the other side: ${bye.header('reason')}`);
  await failedOf('no-ack', /trunk carrier never ACKed our 200; its Contact names the private address 192\.168\.77\.1/);
}, ours);

scenario('a good call has no cause; record and log tell the same as the page', async () => {
  const { gateway } = peers;
  const calls = await gateway.admin.json('/calls/recent');
  const failed = calls.find((call) => call.cause === 'busy');
  const whole = await gateway.admin.json(`/calls/${failed.id}`);
  const row = await until('the record', () => fs.existsSync(records)
    && fs.readFileSync(records, 'utf8').trim().split('\n').map(JSON.parse).find((one) => one.id === failed.id));
  check(row.cause_id === 'busy' && row.cause === whole.explanation, `record: ${JSON.stringify(row)}`);
  check(row.out_kind === 'trunk' && row.out_name === 'carrier' && Number(row.out_status) === 486, `record: ${JSON.stringify(row)}`);
  check(gateway.program.output.includes(`cause=busy): ${whole.explanation}`), 'the log does not say it');
}, ours);
