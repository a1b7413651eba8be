// SPDX-License-Identifier: Apache-2.0
// Attended transfer: the browser talks to one, asks another, and connects the two (REFER with Replaces). RFC 5589 7.
import { world, scenario, check, ALICE, BOB, CALLER } from './lib/scenario.mjs';
import { scriptedPhone } from './lib/phone.mjs';
import { until } from './lib/wait.mjs';
import { parseSdp } from './lib/sdp.mjs';

const ALICE_HZ = 700;
const BOB_HZ = 930;
const TRUNK_HZ = 1000;
const OTHER_HZ = 1400;
const OTHER = '+12025550177';

const peers = world({
  browsers: [ALICE, BOB],
  trunks: (it) => [{ name: 'other', host: it.other.sip.host, port: it.other.sip.port }],
  gateway: {
    routes: [
      { name: 'bob', from: 'any', to: '^bob$', account: 'bob' },
      { name: 'alice', from: 'any', to: '^(alice|\\+12025550123)$', account: 'alice' },
      { name: 'other', from: 'any', to: '^\\+12025550177$', trunks: ['other'] },
      { name: 'carrier', from: 'accounts', to: '^(.+)$', trunks: ['carrier'] },
    ],
  },
  before: async (it) => { it.other = await scriptedPhone({ name: 'other', user: 'other' }); },
  after: (it) => it.other.close(),
});

async function answerReinvite(phone) {
  const invite = await phone.sip.expect('INVITE');
  const offered = parseSdp(invite.body);
  const mirrored = { sendonly: 'recvonly', inactive: 'inactive', recvonly: 'sendonly', sendrecv: 'sendrecv' };
  phone.learn(invite.body, { events: phone.eventsPt });
  phone.sip.reply(200, { body: phone.sdp({ codecs: ['PCMU'], events: phone.eventsPt, direction: mirrored[offered.direction] }) });
  await phone.sip.expect('ACK');
  return offered.direction;
}

/** Alice talks to the trunk and puts it on hold. */
async function holdsTrunk() {
  const { alice, trunk, other, gateway } = peers;
  other.sip.reset();
  other.rtp.reset();
  other.sip.peer = gateway.sip;
  await alice.call(`sip:${CALLER}@example.com`);
  await trunk.rings();
  await trunk.answer();
  await alice.sees('confirmed');
  trunk.rtp.sendTone({ hz: TRUNK_HZ });
  await Promise.all([trunk.rtp.hears(ALICE_HZ), alice.hears(TRUNK_HZ)]);
  await alice.hold();
  await answerReinvite(trunk);
  await alice.sees('hold');
}

scenario('held caller and asked account are connected: both hear each other, both calls of the browser end', async () => {
  const { alice, bob, trunk } = peers;
  await holdsTrunk();
  await alice.call('sip:bob@example.com');
  await bob.rings();
  await bob.answer();
  await alice.sees('confirmed');
  await Promise.all([bob.hears(ALICE_HZ), alice.hears(BOB_HZ)]);
  await alice.refer('sip:bob@example.com', { from: 0, replaces: 1 });
  await alice.sees('refer accepted');
  check(await answerReinvite(trunk) === 'sendrecv', 'the held side was not resumed');
  await Promise.all([trunk.rtp.hears(BOB_HZ), bob.hears(TRUNK_HZ)]);
  await until('end of both calls', async () => (await alice.log()).filter((e) => e.what === 'ended').length === 2);
  await bob.hangUp();
  await trunk.hungUp();
});

scenario('two numbers behind trunks are connected; the one who calls in hangs up', async () => {
  const { alice, trunk, other } = peers;
  await holdsTrunk();
  await alice.call(`sip:${OTHER}@example.com`);
  await other.rings();
  await other.answer();
  await alice.sees('confirmed');
  await alice.refer(`sip:${OTHER}@example.com`, { from: 0, replaces: 1 });
  await alice.sees('refer accepted');
  check(await answerReinvite(trunk) === 'sendrecv', 'the held side was not resumed');
  other.rtp.sendTone({ hz: OTHER_HZ });
  await Promise.all([trunk.rtp.hears(OTHER_HZ), other.rtp.hears(TRUNK_HZ)]);
  await trunk.sip.bye();
  await other.hungUp();
});

scenario('connected while the other one still rings: it answers the one who waits', async () => {
  const { alice, trunk, other } = peers;
  await holdsTrunk();
  await alice.call(`sip:${OTHER}@example.com`);
  await other.rings();
  other.sip.reply(180);
  await alice.sees('progress');
  // JsSIP has no name for a call that rings: what others send
  await alice.ask(`(() => { const to = phone.sessions[1];
    const early = Object.values(to._earlyDialogs)[0];
    const replaces = encodeURIComponent(to._request.call_id + ';to-tag=' + early.id.remote_tag + ';from-tag=' + to._from_tag);
    phone.sessions[0].refer('sip:x@example.com?Replaces=' + replaces, { eventHandlers: { accepted: () => phone.note('refer accepted') } }); })()`);
  await alice.sees('failed'); // its place is taken
  await other.answer();
  await alice.sees('refer accepted'); // on one worker already before the answer
  check(await answerReinvite(trunk) === 'sendrecv', 'the held side was not resumed');
  other.rtp.sendTone({ hz: OTHER_HZ });
  await Promise.all([trunk.rtp.hears(OTHER_HZ), other.rtp.hears(TRUNK_HZ)]);
  await other.sip.bye();
  await trunk.hungUp();
});

scenario('a Replaces that names no call, or that of others: refused, and both calls go on', async () => {
  const { alice, trunk, bob, gateway } = peers;
  await holdsTrunk();
  await bob.call(`sip:${OTHER}@example.com`);
  await peers.other.rings();
  await peers.other.answer();
  await bob.sees('confirmed');
  const theirs = await bob.ask("session._request.call_id + ';to-tag=' + session._to_tag + ';from-tag=' + session._from_tag");
  for (const [replaces, status] of [['nothing;to-tag=w0.a;from-tag=b', '481'], [theirs, '403']]) {
    await alice.ask(`phone.sessions[0].refer('sip:x@example.com?Replaces=' + encodeURIComponent(${JSON.stringify(replaces)}), {
      eventHandlers: { failed: (e) => phone.note('refer failed', { status: e.request.body.match(/ (\\d+)/)[1] }) } })`);
    const failed = await alice.sees('refer failed');
    check(failed.status === status, `${replaces}: ${failed.status}`);
  }
  check((await gateway.admin.json('/calls')).filter((call) => call.state === 'talking').length === 2, 'a call has gone');
  await alice.unhold();
  await answerReinvite(trunk);
  await Promise.all([trunk.rtp.hears(ALICE_HZ), alice.hears(TRUNK_HZ)]);
  await alice.hangUp();
  await trunk.hungUp();
  await bob.hangUp();
  await peers.other.hungUp();
});

// With several workers the two calls are mostly on different ones: often enough for both ways to be taken.
for (let round = 1; round <= 5; round++) {
  scenario(`connected calls hold and resume, and digits go through (${round})`, async () => {
    const { alice, bob, trunk } = peers;
    await holdsTrunk();
    await alice.call('sip:bob@example.com');
    await bob.rings();
    await bob.answer();
    await alice.sees('confirmed');
    await alice.refer('sip:bob@example.com', { from: 0, replaces: 1 });
    await alice.sees('refer accepted');
    await answerReinvite(trunk);
    await Promise.all([trunk.rtp.hears(BOB_HZ), bob.hears(TRUNK_HZ)]);
    await bob.hold();
    check(await answerReinvite(trunk) !== 'sendrecv', 'the hold did not come through');
    await bob.sees('hold');
    await bob.unhold();
    check(await answerReinvite(trunk) === 'sendrecv', 'the resumption did not come through');
    await Promise.all([trunk.rtp.hears(BOB_HZ), bob.hears(TRUNK_HZ)]);
    await bob.sendDigits('12', { duration: 100, interToneGap: 70 });
    await trunk.rtp.hearsDigits('12');
    await trunk.sip.bye();
    await bob.ends();
  });
}
