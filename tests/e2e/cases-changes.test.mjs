// SPDX-License-Identifier: Apache-2.0
// Changes of a session that come to nothing, and a hang-up that meets the answer, message by message. T1 = 50 ms: 64*T1 is 3.2 s.
import { world, scenario, check, ALICE, CALLER } from './lib/scenario.mjs';
import { browserSdp } from './lib/ws-phone.mjs';
import { parseSdp } from './lib/sdp.mjs';
import { sipAgent } from './lib/sip-agent.mjs';

const T1_MS = 50;
const peers = world({ scripted: [ALICE], gateway: { config: { sip: { t1: `${T1_MS}ms` } } } });
const ours = { needs: 'b2bua' };
const isFinal = (m) => m.status >= 200 && m.cseq.method === 'INVITE';

async function talking() {
  const { alice, trunk } = peers;
  await alice.call(CALLER);
  await trunk.rings();
  await trunk.answer({ ack: false });
  await alice.answered();
  await trunk.sip.expect('ACK');
}

async function hangUp() {
  const { alice, trunk } = peers;
  const bye = alice.sip.bye();
  await trunk.hungUp();
  check((await bye).status === 200, 'the BYE was refused');
}

let version = 10;
const hold = () => peers.alice.sip.inDialog('INVITE', { body: browserSdp({ direction: 'sendonly', version: ++version }) });
const resume = () => peers.alice.sip.inDialog('INVITE', { body: browserSdp({ version: ++version }) });

/** The trunk is asked for a change and takes it. @returns its direction as offered */
async function trunkTakes() {
  const { trunk } = peers;
  const asked = await trunk.sip.expect('INVITE');
  const { direction } = parseSdp(asked.body);
  trunk.sip.reply(200, { request: asked, body: trunk.sdp({ direction: direction === 'sendonly' ? 'recvonly' : direction, events: trunk.eventsPt }) });
  await trunk.sip.expect('ACK');
  return direction;
}

/** A call whose browser wants to hold. @returns the question to the trunk, not yet answered */
async function askedToHold() {
  await talking();
  hold();
  return peers.trunk.sip.expect('INVITE');
}

async function nextHoldWorks() {
  hold();
  check(await trunkTakes() === 'sendonly', 'the next hold was not passed on');
  await peers.alice.answered();
  await hangUp();
}

scenario('a trunk that says 100 to a re-INVITE and nothing more: refused after 64*T1, the next change works', async () => {
  const { alice, trunk } = peers;
  const asked = await askedToHold();
  trunk.sip.reply(100, { request: asked });
  const refusal = await alice.sip.expect((m) => m.status >= 300, { within: 6000 });
  check(refusal.at - asked.at > 55 * T1_MS && refusal.at - asked.at < 90 * T1_MS, `after ${Math.round(refusal.at - asked.at)} ms`);
  check(![408, 481].includes(refusal.status), `${refusal.first} would end the call of the browser`);
  trunk.sip.reply(200, { request: await trunk.sip.expect('CANCEL') });
  trunk.sip.reply(487, { request: asked });
  await trunk.sip.expect('ACK');
  await nextHoldWorks();
}, ours);

scenario('a trunk that accepts such a change all the same is told what counts', async () => {
  const { alice, trunk } = peers;
  const asked = await askedToHold();
  trunk.sip.reply(100, { request: asked });
  await alice.sip.expect((m) => m.status >= 300, { within: 6000 });
  trunk.sip.reply(200, { request: await trunk.sip.expect('CANCEL') });
  trunk.sip.reply(200, { request: asked, body: trunk.sdp({ direction: 'recvonly', events: trunk.eventsPt }) });
  await trunk.sip.expect('ACK');
  check(await trunkTakes() === 'sendrecv', 'the trunk still believes in the hold');
  await hangUp();
}, ours);

scenario('the browser cancels its re-INVITE: 487, the trunk is asked no longer, and the next change works', async () => {
  const { alice, trunk } = peers;
  const asked = await askedToHold();
  trunk.sip.reply(100, { request: asked });
  alice.sip.cancel();
  check((await alice.sip.expect((m) => m.status >= 300)).status === 487, 'not 487');
  trunk.sip.reply(200, { request: await trunk.sip.expect('CANCEL') });
  trunk.sip.reply(487, { request: asked });
  await trunk.sip.expect('ACK');
  await trunk.sip.expectNone('INVITE', 300);
  await nextHoldWorks();
}, ours);

scenario('the trunk has accepted a re-INVITE that the browser cancels: it is told that nothing has changed', async () => {
  const { alice, trunk } = peers;
  const asked = await askedToHold();
  alice.sip.cancel();
  await alice.sip.expect(487);
  trunk.sip.reply(200, { request: asked, body: trunk.sdp({ direction: 'recvonly', events: trunk.eventsPt }) });
  await trunk.sip.expect('ACK');
  check(await trunkTakes() === 'sendrecv', 'the trunk still believes in the hold');
  await hangUp();
}, ours);

scenario('between a 200 with our offer and its ACK other changes get 491; what the ACK says goes on to the browser', async () => {
  const { alice, trunk } = peers;
  await talking();
  trunk.sip.inDialog('INVITE');
  const ok = await trunk.sip.expect(isFinal);
  check(ok.status === 200 && ok.body, `answered ${ok.first}`);
  hold();
  check((await alice.sip.expect((m) => m.status >= 300)).status === 491, 'the hold was not refused with 491');
  trunk.sip.last = ok;
  trunk.sip.ack({ body: trunk.sdp({ direction: 'sendonly', events: trunk.eventsPt }) });
  const told = await alice.sip.expect('INVITE');
  check(/^a=sendonly/m.test(told.body), `the browser was told\n${told.body}`);
  resume();
  check((await alice.sip.expect((m) => m.status >= 300)).status === 491, 'a change against ours was not refused with 491');
  alice.offer = told.body;
  alice.sip.request = told;
  await alice.answer({ direction: 'recvonly' });
  await trunk.sip.expectNone('INVITE', 300);
  await hangUp();
}, ours);

scenario('a browser that refuses what the ACK brought: the trunk is told what the browser has', async () => {
  const { alice, trunk } = peers;
  await talking();
  trunk.sip.inDialog('INVITE');
  const offer = parseSdp((await trunk.sip.expect(isFinal)).body);
  check(offer.codecs.includes('PCMA'), `offered ${offer.codecs}`);
  trunk.sip.ack({ body: trunk.sdp({ codecs: ['PCMA'], events: trunk.eventsPt }) });
  const told = await alice.sip.expect('INVITE');
  check(/^m=audio \d+ \S+ 8 /m.test(told.body), `the browser was told\n${told.body}`);
  alice.sip.reply(488, { request: told });
  const back = await trunk.sip.expect('INVITE');
  check(parseSdp(back.body).codecs.includes('PCMU'), `the trunk was told\n${back.body}`);
  trunk.sip.reply(200, { request: back, body: trunk.sdp({ codecs: ['PCMU'], events: trunk.eventsPt }) });
  await trunk.sip.expect('ACK');
  await alice.sip.expectNone('INVITE', 300);
  await hangUp();
}, ours);

scenario('hung up right after the answer: the ACK from another address of the trunk lets the BYE go at once', async ({ defer }) => {
  const { alice, trunk } = peers;
  const second = await sipAgent({ name: 'second address', user: 'trunk', peer: trunk.sip.peer });
  defer(() => second.close());
  trunk.call(ALICE.numbers[0]);
  await alice.rings();
  await alice.answer();
  const ok = await trunk.sip.expect(200);
  const bye = alice.sip.bye();
  await trunk.sip.expectNone('BYE', 300);
  second.dialog = trunk.sip.dialog;
  second.last = ok;
  second.ack();
  await trunk.hungUp({ within: 1000 });
  check((await bye).status === 200, 'the BYE of the browser was refused');
}, ours);

scenario('hung up right after the answer: the BYE from another address of the trunk is taken', async ({ defer }) => {
  const { alice, trunk } = peers;
  const second = await sipAgent({ name: 'second address', user: 'trunk', peer: trunk.sip.peer });
  defer(() => second.close());
  trunk.call(ALICE.numbers[0]);
  await alice.rings();
  await alice.answer();
  await trunk.sip.expect(200);
  const bye = alice.sip.bye();
  check((await bye).status === 200, 'the BYE of the browser was refused');
  second.dialog = trunk.sip.dialog;
  check((await second.bye()).status === 200, 'the BYE of the trunk was refused');
}, ours);
