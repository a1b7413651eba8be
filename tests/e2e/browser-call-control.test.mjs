// SPDX-License-Identifier: Apache-2.0
// What people do in a call: hold and resume from either side, digits both ways, mute by silence, and a second call after it.
import { world, scenario, check, ALICE, CALLER } from './lib/scenario.mjs';
import { parseSdp } from './lib/sdp.mjs';

const peers = world({ browsers: [ALICE] });
const TRUNK_HZ = 1000;
const ALICE_HZ = 700;

async function talking({ codec = 'PCMU' } = {}) {
  const { alice, trunk } = peers;
  await alice.call(`sip:${CALLER}@example.com`);
  await trunk.rings();
  await trunk.answer({ codec });
  await alice.sees('confirmed');
  trunk.rtp.sendTone({ codec, hz: TRUNK_HZ });
  await Promise.all([trunk.rtp.hears(ALICE_HZ), alice.hears(TRUNK_HZ)]);
}

async function hangUp() {
  await peers.alice.hangUp();
  await peers.trunk.hungUp();
}

/** Answer a re-INVITE of the gateway, if it passes one on; the direction is mirrored. */
async function answerReinvite({ trunk }) {
  const invite = await trunk.sip.expect('INVITE');
  const mirrored = { sendonly: 'recvonly', inactive: 'inactive', recvonly: 'sendonly', sendrecv: 'sendrecv' };
  const offered = parseSdp(invite.body);
  trunk.learn(invite.body, { events: trunk.eventsPt });
  trunk.sip.reply(200, { body: trunk.sdp({ codecs: ['PCMU'], events: trunk.eventsPt, direction: mirrored[offered.direction] }) });
  await trunk.sip.expect('ACK');
  return offered.direction;
}

scenario('the browser holds and resumes: the trunk is told, and media follows', async () => {
  const { alice, trunk } = peers;
  await talking();
  await alice.hold();
  const held = await answerReinvite(peers);
  check(['sendonly', 'inactive'].includes(held), `hold was offered as ${held}`);
  await alice.sees('hold');
  await alice.unhold();
  const resumed = await answerReinvite(peers);
  check(resumed === 'sendrecv', `resume was offered as ${resumed}`);
  await alice.sees('unhold');
  await Promise.all([trunk.rtp.hears(ALICE_HZ), alice.hears(TRUNK_HZ)]);
  await hangUp();
});

scenario('the trunk holds and resumes: the browser goes silent, then hears and is heard again', async () => {
  const { alice, trunk } = peers;
  await talking();
  trunk.rtp.stop();
  trunk.sip.inDialog('INVITE', { body: trunk.sdp({ codecs: ['PCMU'], events: trunk.eventsPt, direction: 'sendonly' }) });
  const held = await trunk.answered();
  check(['recvonly', 'inactive'].includes(parseSdp(held.body).direction), `hold was answered ${parseSdp(held.body).direction}`);
  await alice.hearsNothing();
  trunk.sip.inDialog('INVITE', { body: trunk.sdp({ codecs: ['PCMU'], events: trunk.eventsPt }) });
  const resumed = await trunk.answered();
  check(parseSdp(resumed.body).direction === 'sendrecv', 'resume was not answered sendrecv');
  trunk.rtp.sendTone({ hz: TRUNK_HZ });
  await Promise.all([trunk.rtp.hears(ALICE_HZ), alice.hears(TRUNK_HZ)]);
  await hangUp();
});

scenario('digits of the browser arrive on the trunk as telephone-event, each once', async () => {
  const { alice, trunk } = peers;
  await talking();
  await alice.sendDigits('1#5', { duration: 100, interToneGap: 70 });
  await trunk.rtp.hearsDigits('1#5');
  const wrong = trunk.rtp.digits().filter((d) => d.duration < 640 || d.duration > 2400);
  check(!wrong.length, `durations at 8000 Hz: ${JSON.stringify(trunk.rtp.digits())}`);
  await trunk.rtp.hears(ALICE_HZ);
  await hangUp();
});

scenario('digits of the trunk are heard in the browser', async () => {
  const { alice, trunk } = peers;
  await talking();
  for (const digit of '59') {
    const heard = alice.hearsDigit(digit);
    await trunk.rtp.sendDigit(digit, { pt: trunk.eventsPt, ms: 400 });
    await heard;
    await alice.hears(TRUNK_HZ);
  }
  await hangUp();
});

scenario('a source that changes its SSRC, sequence and timestamps in a call stays heard', async () => {
  const { alice, trunk } = peers;
  await talking();
  trunk.rtp.stop();
  Object.assign(trunk.rtp, { ssrc: 0x1234567, seq: 65000, ts: 4000000000 });
  trunk.rtp.sendTone({ hz: 1400 });
  await alice.hears(1400);
  await hangUp();
});

for (const ptime of [10, 30, 60]) {
  scenario(`packets of ${ptime} ms from the trunk are heard without gaps`, async () => {
    const { alice, trunk } = peers;
    await talking();
    trunk.rtp.sendTone({ hz: 1200, ptime });
    await alice.hears(1200);
    await hangUp();
  });
}
