// SPDX-License-Identifier: Apache-2.0
// Strangers, guessers and limits: who is not an account or a trunk gets one answer and no state.
import { world, scenario, check, ALICE, BOB, CALLER } from './lib/scenario.mjs';
import { startGateway } from './lib/gateway.mjs';
import { sipAgent } from './lib/sip-agent.mjs';
import { scriptedPhone } from './lib/phone.mjs';
import { wsPhone } from './lib/ws-phone.mjs';
import { until } from './lib/wait.mjs';

const peers = world({ browsers: [ALICE] });
const STRANGER = '127.0.0.2'; // an address that no trunk accepts from
const ours = { needs: 'b2bua' };

async function talking() {
  const { alice, trunk } = peers;
  await alice.call(`sip:${CALLER}@example.com`);
  await trunk.rings();
  await trunk.answer();
  await alice.sees('confirmed');
  trunk.rtp.sendTone({ hz: 1000 });
  await Promise.all([trunk.rtp.hears(700), alice.hears(1000)]);
}

async function hangUp() {
  await peers.alice.hangUp();
  await peers.trunk.hungUp();
}

scenario('a caller that is neither account nor trunk gets one 403 that is not repeated, and no call', async ({ defer }) => {
  const { gateway } = peers;
  const stranger = await scriptedPhone({ name: 'stranger', peer: gateway.sip, host: STRANGER });
  defer(() => stranger.close());
  stranger.sip.newRequest('INVITE', `sip:${ALICE.numbers[0]}@${gateway.sip.host}:${gateway.sip.port}`, { body: stranger.sdp() });
  const refusal = await stranger.sip.expect((m) => m.status >= 300);
  check(refusal.status === 403, `answered ${refusal.first}`);
  await until('the time of a repeat', () => performance.now() - refusal.at > 1200, { within: 2000 });
  check(stranger.sip.received.filter((m) => m.status >= 300).length === 1, `${stranger.sip.received.length} messages for one INVITE`);
  check(!/"id"/.test((await gateway.admin.text('/calls')).body), 'a stranger left a call');
  check(!stranger.rtp.packets.length, 'a stranger got media');
}, ours);

scenario('the answer to a stranger is not larger than twice the question', async ({ defer }) => {
  const { gateway } = peers;
  const stranger = await sipAgent({ name: 'stranger', peer: gateway.sip, host: STRANGER });
  defer(() => stranger.close());
  stranger.auto = {};
  for (const method of ['INVITE', 'REGISTER', 'OPTIONS', 'MESSAGE', 'SUBSCRIBE', 'BYE']) {
    const asked = stranger.newRequest(method, `sip:${gateway.sip.host}:${gateway.sip.port}`);
    const answer = await stranger.expect((m) => m.status >= 200 && m.callId === asked.callId, { within: 1500 }).catch(() => null);
    check(!answer || answer.raw.length <= 2 * asked.raw.length, `${method}: ${answer?.raw.length} bytes for ${asked.raw.length}`);
  }
}, ours);

scenario('a preloaded Route, maddr or a foreign domain is not followed', async ({ defer }) => {
  const { gateway, trunk } = peers;
  const victim = await sipAgent({ name: 'victim' });
  defer(() => victim.close());
  const phone = await wsPhone(gateway, BOB);
  defer(() => phone.close());
  await phone.call(`sip:x@${victim.address}`);
  await phone.call(`sip:x@example.com;maddr=${victim.host}`, { headers: [['Route', `<sip:${victim.address};lr>`]] });
  await victim.expectNone('INVITE', 800);
  // by its user part a route may still send it to the trunk, and only there
  for (const request of trunk.sip.inbox.splice(0)) trunk.sip.reply(486, { request });
}, ours);

scenario('a wrong password is 403 after the challenge, and the owner still registers', async ({ defer }) => {
  const { gateway } = peers;
  for (let n = 0; n < 4; n++) {
    const guesser = await wsPhone(gateway, { name: BOB.name, password: `guess${n}` }, { register: false });
    const answer = await guesser.sip.register({ username: BOB.name, password: `guess${n}` });
    check([401, 403].includes(answer.status), `guess ${n} was answered ${answer.first}`);
    guesser.close();
  }
  const owner = await wsPhone(gateway, BOB);
  defer(() => owner.close());
}, ours);

scenario('however many wrong passwords came from an address, the right one gets in at once; wrong ones wait', async ({ defer }) => {
  const gateway = await startGateway({ accounts: [ALICE, BOB] });
  defer(() => gateway.stop());
  const times = [];
  for (let n = 0; n < 8; n++) {
    const guesser = await wsPhone(gateway, { name: BOB.name, password: `guess${n}` }, { register: false });
    const began = performance.now();
    const answer = await guesser.sip.register({ username: BOB.name, password: `guess${n}` });
    times.push(performance.now() - began);
    check(answer.status === 403, `guess ${n} was answered ${answer.first}`);
    guesser.close();
  }
  check(times[4] < 400 && times[7] > 1500, `answered after ${times.map(Math.round)} ms`);
  for (const account of [BOB, ALICE]) {
    const began = performance.now();
    const owner = await wsPhone(gateway, account);
    check(performance.now() - began < 400, `${account.name} waited ${performance.now() - began} ms`);
    owner.close();
  }
  const colleague = await wsPhone(gateway, { name: ALICE.name, password: 'mistyped' }, { register: false });
  defer(() => colleague.close());
  const began = performance.now();
  await colleague.sip.register({ username: ALICE.name, password: 'mistyped' });
  check(performance.now() - began < 400, 'a colleague who mistypes was slowed');
}, ours);

scenario('a changed password is asked for on a connection that is open', async ({ defer }) => {
  const gateway = await startGateway({ accounts: [{ ...ALICE, password: 'before-it' }, BOB] });
  defer(() => gateway.stop());
  const alice = await wsPhone(gateway, { ...ALICE, password: 'before-it' });
  const bob = await wsPhone(gateway, BOB);
  defer(() => [alice, bob].forEach((phone) => phone.close()));
  const from = gateway.program.output.length;
  gateway.reload((text) => text.replace('before-it', 'after-it'));
  await gateway.program.waitOutput(/reload: done/, { from });
  await until('a question for the password', async () => {
    const options = alice.sip.newRequest('MESSAGE', `sip:${gateway.domain}`, { from: `<${alice.aor}>` });
    return (await alice.sip.expect((m) => m.status && m.callId === options.callId)).status === 401;
  });
  check((await alice.sip.register({ username: ALICE.name, password: 'before-it' })).status === 403, 'the old password is still good');
  check((await alice.sip.register({ username: ALICE.name, password: 'after-it' })).status === 200, 'the new password is not good');
  const still = bob.sip.newRequest('MESSAGE', `sip:${gateway.domain}`, { from: `<${bob.aor}>` });
  check((await bob.sip.expect((m) => m.status && m.callId === still.callId)).status !== 401, 'an account that did not change was asked');
}, ours);

scenario('unknown and known users are told the same', async ({ defer }) => {
  const { gateway } = peers;
  const shapes = [];
  for (const name of [BOB.name, 'nobody']) {
    const one = await sipAgent({ transport: 'ws', url: gateway.wsUrl, name, domain: gateway.domain });
    defer(() => one.close());
    const answer = await one.register({ username: name, password: 'wrong' });
    const statuses = one.received.map((m) => m.status).join(' ');
    shapes.push(`${statuses} ${answer.reason}`);
  }
  check(shapes[0] === shapes[1], `known: ${shapes[0]}, unknown: ${shapes[1]}`);
}, ours);

scenario('a call of the account itself must not carry another identity', async ({ defer }) => {
  const { gateway, trunk } = peers;
  const bob = await wsPhone(gateway, BOB);
  defer(() => bob.close());
  await bob.call(CALLER, { headers: [['P-Asserted-Identity', '<sip:+12025550666@example.com>'], ['Remote-Party-ID', '<sip:+12025550666@example.com>']] });
  const invite = await trunk.rings();
  check(!invite.raw.includes('+12025550666'), `a forged identity reached the trunk:\n${invite.raw}`);
  check(invite.header('from').includes(BOB.numbers[0]), `From at the trunk: ${invite.header('from')}`);
  trunk.sip.reply(486);
  await bob.sip.expect(486);
}, ours);

scenario('malformed messages get 400 or silence and disturb no call', async ({ defer }) => {
  const { alice, gateway, trunk } = peers;
  await talking();
  const rude = await sipAgent({ name: 'rude', peer: gateway.sip });
  defer(() => rude.close());
  for (const bytes of ['\r\n', '\0\0\0\0', 'INVITE', 'INVITE sip:x SIP/2.0\r\n\r\n', 'SIP/2.0 200 OK\r\n\r\n', 'SIP/2.0 999999 \r\nVia: x\r\n\r\n',
    `INVITE sip:${'a'.repeat(60000)} SIP/2.0\r\n\r\n`, `OPTIONS sip:x SIP/2.0\r\n${'Via: SIP/2.0/UDP a\r\n'.repeat(2000)}\r\n`, Buffer.alloc(1400, 0xff),
    `OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP ${rude.address};branch=z9hG4bKx\r\nFrom: "\\\r\nTo: <\r\nCall-ID: \r\nCSeq: 99999999999999 OPTIONS\r\nContent-Length: -5\r\n\r\n`]) {
    rude.sendRaw(bytes);
  }
  await Promise.all([trunk.rtp.hears(700), alice.hears(1000)]);
  check(!rude.received.some((m) => m.status && m.status < 400), `answered ${rude.received.map((m) => m.first)}`);
  await hangUp();
}, ours);

scenario('a trunk at its limit of calls: the next one is refused with 503 or 486, the first goes on', async ({ defer }) => {
  const trunk = await scriptedPhone({ name: 'small trunk' });
  const gateway = await startGateway({ accounts: [ALICE], trunks: [{ name: 'carrier', host: '127.0.0.1', port: trunk.sip.port, max_calls: 1 }] });
  trunk.sip.peer = gateway.sip;
  const phone = await wsPhone(gateway, ALICE);
  defer(async () => {
    phone.close();
    trunk.close();
    await gateway.stop();
  });
  await phone.call(CALLER);
  await trunk.rings();
  trunk.sip.reply(180);
  const second = await wsPhone(gateway, ALICE);
  defer(() => second.close());
  await second.call(CALLER);
  const refusal = await second.sip.expect((m) => m.status >= 300 && m.cseq.method === 'INVITE');
  check([486, 503].includes(refusal.status), `answered ${refusal.first}`);
  await trunk.sip.expectNone('INVITE', 200);
  trunk.sip.reply(486);
  await phone.sip.expect(486);
}, ours);

scenario('the limit of the whole gateway counts the calls of all workers: one is taken, the next one is 503', async ({ defer }) => {
  const trunk = await scriptedPhone({ name: 'trunk' });
  const gateway = await startGateway({
    accounts: [ALICE], trunks: [{ name: 'carrier', host: '127.0.0.1', port: trunk.sip.port }], config: { sip: { max_calls: 1 } },
  });
  trunk.sip.peer = gateway.sip;
  const phone = await wsPhone(gateway, ALICE);
  defer(async () => {
    phone.close();
    trunk.close();
    await gateway.stop();
  });
  await phone.call(CALLER);
  await trunk.rings();
  trunk.sip.reply(180);
  for (let n = 0; n < 4; n++) { // other Call-IDs, so other workers
    const next = await wsPhone(gateway, ALICE);
    defer(() => next.close());
    await next.call(CALLER);
    const refusal = await next.sip.expect((m) => m.status >= 300 && m.cseq.method === 'INVITE');
    check(refusal.status === 503, `answered ${refusal.first}`);
  }
  trunk.sip.reply(486);
  await phone.sip.expect(486);
}, ours);
