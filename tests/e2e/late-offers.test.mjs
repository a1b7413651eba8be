// SPDX-License-Identifier: Apache-2.0
// INVITEs without an offer: ours goes into the 200, the answer comes with the ACK (RFC 3261 13.2.1, 14.2). Carriers and PBXs do it
// to resume, to transfer and to move media; what comes of it is heard by a real browser.
import { world, scenario, check, ALICE } from './lib/scenario.mjs';
import { parseSdp } from './lib/sdp.mjs';
import { rtpEndpoint } from './lib/rtp.mjs';
import { until } from './lib/wait.mjs';

const peers = world({ browsers: [ALICE] });
const ours = { needs: 'b2bua' };
const TRUNK_HZ = 1000;
const ALICE_HZ = 700;

async function bothHear(rtp = peers.trunk.rtp) {
  await peers.alice.run('forget');
  rtp.packets = [];
  await Promise.all([rtp.hears(ALICE_HZ), peers.alice.hears(TRUNK_HZ)]);
}

async function talking() {
  const { alice, trunk } = peers;
  trunk.call(ALICE.numbers[0], { codecs: ['PCMU', 'PCMA'] });
  await alice.rings();
  await alice.answer();
  await trunk.answered();
  trunk.rtp.sendTone({ hz: TRUNK_HZ });
  await Promise.all([trunk.rtp.hears(ALICE_HZ), alice.hears(TRUNK_HZ)]);
}

/** A re-INVITE without body. @returns the offer in the 200 */
async function askForOffer() {
  const { trunk } = peers;
  trunk.sip.inDialog('INVITE');
  const ok = await trunk.sip.expect((m) => m.status >= 200 && m.cseq.method === 'INVITE');
  check(ok.status === 200 && ok.header('content-type') === 'application/sdp', `answered ${ok.first}`);
  return trunk.learn(ok.body, { events: trunk.eventsPt });
}

/** The answer to it, in the ACK. */
function answerInAck(fields = {}) {
  const { trunk } = peers;
  return trunk.sip.ack({ body: trunk.sdp({ codecs: ['PCMU'], events: trunk.eventsPt, ...fields }) });
}

const version = (offer) => Number(offer.raw.match(/^o=\S+ \S+ (\d+)/m)[1]);

async function hangUp() {
  const { alice, trunk } = peers;
  await trunk.sip.bye();
  await alice.ends();
}

scenario('resume without an offer: the 200 offers all we can in both directions, the ACK is taken, the browser is told', async () => {
  const { alice, trunk } = peers;
  await talking();
  trunk.rtp.stop();
  trunk.sip.inDialog('INVITE', { body: trunk.sdp({ codecs: ['PCMU'], events: trunk.eventsPt, direction: 'sendonly' }) });
  const held = await trunk.answered();
  check(parseSdp(held.body).direction === 'recvonly', `the hold was answered ${parseSdp(held.body).direction}`);
  await alice.hearsNothing();
  const offer = await askForOffer();
  check(offer.direction === 'sendrecv', `offered as ${offer.direction}`);
  for (const codec of ['PCMU', 'PCMA', 'G722', 'opus']) check(offer.codecs.includes(codec), `${codec} is not in ${offer.codecs}`);
  check(offer.codecs[0] === 'PCMU', `what is used does not stand first: ${offer.codecs}`);
  check(version(offer) > version(parseSdp(held.body)), 'the version of the description has not gone up');
  answerInAck();
  trunk.rtp.sendTone({ hz: TRUNK_HZ });
  await bothHear();
  await hangUp();
}, ours);

scenario('the answer in the ACK names another port: media moves there, and the browser need not know', async ({ defer }) => {
  const { alice, trunk } = peers;
  await talking();
  const moved = await rtpEndpoint();
  defer(() => moved.close());
  const changes = (await alice.log()).filter((e) => e.what === 'reinvite').length;
  const offer = await askForOffer();
  answerInAck({ host: moved.host, port: moved.port });
  trunk.rtp.stop();
  moved.sendTo(offer.host, offer.port);
  moved.sendTone({ hz: TRUNK_HZ });
  await bothHear(moved);
  check((await alice.log()).filter((e) => e.what === 'reinvite').length === changes, 'the browser was asked for nothing');
  await hangUp();
}, ours);

scenario('the answer in the ACK holds, the next one resumes: the browser is told each time', async () => {
  const { alice, trunk } = peers;
  await talking();
  await askForOffer();
  answerInAck({ direction: 'sendonly' });
  trunk.rtp.stop();
  await alice.hearsNothing();
  await until('the trunk gets nothing', () => performance.now() - (trunk.rtp.packets.at(-1)?.at ?? 0) > 400);
  const offer = await askForOffer();
  check(offer.direction === 'sendrecv', `offered as ${offer.direction}`);
  answerInAck();
  trunk.rtp.sendTone({ hz: TRUNK_HZ });
  await bothHear();
  await hangUp();
}, ours);

scenario('the answer in the ACK takes another codec: the browser is moved to it', async () => {
  const { trunk } = peers;
  await talking();
  await askForOffer();
  answerInAck({ codecs: ['PCMA'] });
  trunk.rtp.sendTone({ codec: 'PCMA', hz: TRUNK_HZ });
  await bothHear();
  const numbers = new Set((await trunk.rtp.receives(20)).slice(-10).map((p) => p.pt));
  check(numbers.size === 1 && numbers.has(8), `the trunk gets ${[...numbers]}, not PCMA`);
  await hangUp();
}, ours);

scenario('an ACK without an answer ends the call, and both sides are told why', async () => {
  const { alice, trunk } = peers;
  await talking();
  await askForOffer();
  trunk.sip.ack();
  const bye = await trunk.hungUp();
  check(/ack/i.test(bye.header('reason') ?? ''), `Reason of the BYE: ${bye.header('reason')}`);
  await alice.ends();
}, ours);

scenario('a call without an offer: the account rings, the 200 has ours, with the ACK media runs', async () => {
  const { alice, trunk } = peers;
  trunk.sip.newRequest('INVITE', `sip:${ALICE.numbers[0]}@${trunk.sip.peer.host}:${trunk.sip.peer.port}`);
  await alice.rings();
  const ringing = await trunk.sip.expect(180);
  check(!ringing.body, `the 180 has a body:\n${ringing.body}`);
  await alice.answer();
  const ok = await trunk.sip.expect((m) => m.status >= 200);
  const offer = trunk.learn(ok.body, { events: null });
  check(ok.status === 200 && offer.direction === 'sendrecv' && offer.profile === 'RTP/AVP', `${ok.first}\n${ok.body}`);
  answerInAck({ codecs: ['PCMA'], events: offer.ptOf('telephone-event', 8000) });
  trunk.rtp.sendTone({ codec: 'PCMA', hz: TRUNK_HZ });
  await Promise.all([trunk.rtp.hears(ALICE_HZ), alice.hears(TRUNK_HZ)]);
  await hangUp();
}, ours);

scenario('a call without an offer, whose ACK has no answer: BYE with the reason to both', async () => {
  const { alice, trunk } = peers;
  trunk.sip.newRequest('INVITE', `sip:${ALICE.numbers[0]}@${trunk.sip.peer.host}:${trunk.sip.peer.port}`);
  await alice.rings();
  await alice.answer();
  await trunk.sip.expect(200);
  trunk.sip.ack();
  const bye = await trunk.hungUp();
  check(/ack/i.test(bye.header('reason') ?? ''), `Reason of the BYE: ${bye.header('reason')}`);
  await alice.ends();
}, ours);

scenario('a call without an offer that is cancelled or refused ends like any other', async () => {
  const { alice, trunk } = peers;
  const uri = `sip:${ALICE.numbers[0]}@${trunk.sip.peer.host}:${trunk.sip.peer.port}`;
  trunk.sip.newRequest('INVITE', uri);
  await alice.rings();
  await trunk.sip.expect(180);
  trunk.sip.cancel();
  await trunk.sip.expect((m) => m.status === 487 && m.cseq.method === 'INVITE');
  await alice.sees('failed');
  trunk.sip.reset();
  trunk.sip.newRequest('INVITE', uri);
  await alice.rings();
  await alice.hangUp({ status_code: 486 });
  await trunk.sip.expect(486);
}, ours);
