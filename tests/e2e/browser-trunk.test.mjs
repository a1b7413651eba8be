// SPDX-License-Identifier: Apache-2.0
// A browser calls the trunk and is called by it; a tone of each side is heard at the other.
import { world, scenario, check, ALICE, CALLER } from './lib/scenario.mjs';
import { opusOf } from './lib/opus.mjs';

const peers = world({ browsers: [ALICE] });
const TRUNK_HZ = 1000;
const ALICE_HZ = 700;

/** Both hear each other. */
async function bothHear({ alice, trunk }, codec) {
  trunk.rtp.sendTone({ codec, hz: TRUNK_HZ });
  await Promise.all([trunk.rtp.hears(ALICE_HZ), alice.hears(TRUNK_HZ)]);
}

for (const codec of ['PCMU', 'PCMA']) {
  scenario(`browser calls trunk, ${codec}: tones are heard both ways, the browser hangs up`, async () => {
    const { alice, trunk } = peers;
    await alice.call(`sip:${CALLER}@example.com`);
    const invite = await trunk.rings();
    check(trunk.offer.codecs.includes(codec), `no ${codec} in the offer: ${invite.body}`);
    check(trunk.offer.profile === 'RTP/AVP', `offer to the trunk is ${trunk.offer.profile}`);
    trunk.sip.reply(180);
    await alice.sees('progress');
    await trunk.answer({ codec });
    await alice.sees('confirmed');
    await bothHear(peers, codec);
    const pts = new Set((await trunk.rtp.receives(20)).map((p) => p.pt));
    check(pts.size === 1 && pts.has(trunk.pt), `payload types on the trunk: ${[...pts]}`);
    check(trunk.rtp.faults().length === 0, `faults in the RTP: ${trunk.rtp.faults().slice(0, 5)}`);
    await alice.hangUp();
    await trunk.hungUp();
    await alice.ends();
  });

  scenario(`trunk calls browser, ${codec}: it rings, tones are heard both ways, the trunk hangs up`, async () => {
    const { alice, trunk } = peers;
    trunk.call(ALICE.numbers[0], { codecs: [codec], from: `"Carol" <sip:${CALLER}@127.0.0.1>` });
    const caller = await alice.rings();
    check(caller.user === CALLER, `caller is shown as ${caller.user}`);
    await trunk.sip.expect(180);
    await alice.answer();
    await trunk.answered();
    await alice.sees('confirmed');
    await bothHear(peers, codec);
    const bye = await trunk.sip.bye();
    check(bye.status === 200, `BYE was answered ${bye.first}`);
    await alice.ends();
  });
}

scenario('browser calls trunk, Opus: tones are heard both ways, relayed', async () => {
  const { alice, trunk } = peers;
  await alice.call(`sip:${CALLER}@example.com`);
  await trunk.rings();
  await trunk.answer({ codec: 'opus' });
  await alice.sees('confirmed');
  const opus = opusOf(alice);
  trunk.rtp.sendPayloads(await opus.tone(TRUNK_HZ), { pt: trunk.pt });
  await Promise.all([opus.hears(trunk.rtp, ALICE_HZ, { pt: trunk.pt }), alice.hears(TRUNK_HZ)]);
  check(trunk.rtp.faults({ step: 960 }).length === 0, `faults in the RTP: ${trunk.rtp.faults({ step: 960 }).slice(0, 5)}`);
  await alice.hangUp();
  await trunk.hungUp();
});

scenario('trunk calls browser, Opus: tones are heard both ways, relayed', async () => {
  const { alice, trunk } = peers;
  trunk.call(ALICE.numbers[0], { codecs: ['opus'], pts: { opus: 107 }, events: null });
  await alice.rings();
  await alice.answer();
  await trunk.answered();
  await alice.sees('confirmed');
  const opus = opusOf(alice);
  trunk.rtp.sendPayloads(await opus.tone(TRUNK_HZ), { pt: trunk.peer.ptOf('opus') });
  await Promise.all([opus.hears(trunk.rtp, ALICE_HZ, { pt: 107 }), alice.hears(TRUNK_HZ)]);
  await trunk.sip.bye();
  await alice.ends();
});

scenario('the trunk hangs up a call of the browser', async () => {
  const { alice, trunk } = peers;
  await alice.call(`sip:${CALLER}@example.com`);
  await trunk.rings();
  await trunk.answer();
  await alice.sees('confirmed');
  await trunk.sip.bye();
  const end = await alice.ends();
  check(end.originator === 'remote', `ended by ${end.originator}`);
});

scenario('the browser hangs up a call of the trunk', async () => {
  const { alice, trunk } = peers;
  trunk.call(ALICE.numbers[0]);
  await alice.rings();
  await alice.answer();
  await trunk.answered();
  await alice.sees('confirmed');
  await alice.hangUp();
  await trunk.hungUp();
});

scenario('early media of the trunk is heard before the answer', async () => {
  const { alice, trunk } = peers;
  await alice.call(`sip:${CALLER}@example.com`);
  const invite = await trunk.rings();
  trunk.learn(invite.body, { events: trunk.offer.ptOf('telephone-event', 8000) ?? null });
  trunk.sip.reply(183, { body: trunk.sdp({ codecs: ['PCMU'], events: null }) });
  trunk.rtp.sendTone({ hz: 425 });
  await alice.sees('progress');
  await alice.hears(425);
  await trunk.answer();
  await alice.sees('confirmed');
  await bothHear(peers, 'PCMU');
  await alice.hangUp();
  await trunk.hungUp();
});
