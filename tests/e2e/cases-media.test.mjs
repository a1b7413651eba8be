// SPDX-License-Identifier: Apache-2.0
// Cases seen in the field that have to be heard: re-negotiation with a real browser, swapped payload types, the clock of
// G.722, and media of strangers.
import { world, scenario, check, ALICE, CALLER } from './lib/scenario.mjs';
import { rtpEndpoint } from './lib/rtp.mjs';
import { until, pause } from './lib/wait.mjs';

const peers = world({ browsers: [ALICE] });
const ours = { needs: 'b2bua' };
const TRUNK_HZ = 1000;
const ALICE_HZ = 700;

async function bothHear() {
  await Promise.all([peers.trunk.rtp.hears(ALICE_HZ), peers.alice.hears(TRUNK_HZ)]);
}

async function talking(codec = 'PCMU') {
  const { alice, trunk } = peers;
  await alice.call(`sip:${CALLER}@example.com`);
  await trunk.rings();
  await trunk.answer({ codec });
  await alice.sees('confirmed');
  trunk.rtp.sendTone({ codec, hz: TRUNK_HZ });
  await bothHear();
}

async function hangUp() {
  await peers.alice.hangUp();
  await peers.trunk.hungUp();
}

/** The one DTLS transport of the page's connection. */
const transport = async () => (await peers.alice.run('stats')).find((one) => one.type === 'transport');

scenario('hold, resume, hold, resume: one DTLS association, and sound each time', async () => {
  const { alice, trunk } = peers;
  await talking();
  const before = await transport();
  const keepAnswering = setInterval(() => {
    const at = trunk.sip.inbox.findIndex((m) => m.method === 'INVITE' && m.toTag);
    if (at < 0) return;
    const [request] = trunk.sip.inbox.splice(at, 1);
    const mirrored = /a=sendonly/.test(request.body) ? 'recvonly' : /a=inactive/.test(request.body) ? 'inactive' : 'sendrecv';
    trunk.sip.reply(200, { request, body: trunk.sdp({ codecs: ['PCMU'], events: trunk.eventsPt, direction: mirrored }) });
  }, 20);
  try {
    for (let round = 0; round < 2; round++) {
      await alice.hold();
      await alice.sees('hold');
      await until('end of the re-INVITE', () => alice.ask('session.isReadyToReOffer()'));
      await alice.unhold();
      await alice.sees('unhold');
      await until('end of the re-INVITE', () => alice.ask('session.isReadyToReOffer()'));
      await bothHear();
    }
  } finally {
    clearInterval(keepAnswering);
  }
  const after = await transport();
  for (const key of ['dtlsRole', 'localCertificateId', 'remoteCertificateId', 'dtlsState']) {
    check(before[key] === after[key], `${key}: ${before[key]} -> ${after[key]}`);
  }
  await hangUp();
});

scenario('an ICE restart of the browser: sound goes on, the trunk is not told', async () => {
  const { alice, trunk } = peers;
  await talking();
  const before = trunk.sip.received.length;
  const ufrag = await alice.ask('phone.connection.remoteDescription.sdp.match(/ice-ufrag:(\\S+)/)[1]');
  await alice.ask('session.renegotiate({ rtcOfferConstraints: { iceRestart: true } })');
  await until('a new ufrag of the gateway', async () => (await alice.ask('phone.connection.remoteDescription.sdp.match(/ice-ufrag:(\\S+)/)[1]')) !== ufrag);
  await alice.run('forget');
  await bothHear();
  check(trunk.sip.received.length === before, `the trunk got ${trunk.sip.received.slice(before).map((m) => m.first)}`);
  await hangUp();
}, ours);

scenario('the trunk answers with swapped numbers: Opus and digits arrive under its numbers, and are taken under ours', async () => {
  const { alice, trunk } = peers;
  await alice.call(`sip:${CALLER}@example.com`);
  await trunk.rings();
  const [opus, events] = [trunk.offer.ptOf('opus'), trunk.offer.ptOf('telephone-event', 48000) ?? trunk.offer.ptOf('telephone-event')];
  const clock = Number(trunk.offer.rtpmap[events].split('/')[1]);
  trunk.learn(trunk.sip.request.body, { events: null });
  trunk.rtp.setEvents({ [opus]: clock });
  const body = trunk.sdp({ codecs: ['opus'], pts: { opus: events }, events: opus }).replace(`${opus} telephone-event/8000`, `${opus} telephone-event/${clock}`);
  trunk.sip.reply(200, { body });
  await trunk.sip.expect('ACK');
  await alice.sees('confirmed');
  trunk.rtp.echo({ [events]: opus });
  await alice.hears(ALICE_HZ);
  const numbers = new Set((await trunk.rtp.receives(20)).map((p) => p.pt));
  check(numbers.size === 1 && numbers.has(events), `Opus came under ${[...numbers]}, not ${events}`);
  await alice.sendDigits('7', { duration: 100 });
  await trunk.rtp.hearsDigits('7');
  await hangUp();
}, ours);

scenario('G.722: 160 bytes and 160 units of the clock for 20 ms, and 3 kHz pass', async () => {
  const { alice, trunk } = peers;
  await alice.call(`sip:${CALLER}@example.com`, { codecs: ['G722'] });
  await trunk.rings();
  await trunk.answer({ codec: 'G722' });
  await alice.sees('confirmed');
  trunk.rtp.echo();
  await alice.speak(3000);
  await alice.hears(3000);
  check(!trunk.rtp.faults({ step: 160 }).length, `faults: ${trunk.rtp.faults({ step: 160 }).slice(0, 4)}`);
  check((await trunk.rtp.receives(5)).every((p) => p.payload.length === 160), 'payloads are not of 160 bytes');
  await hangUp();
});

scenario('RTP of a stranger to the port of the trunk is not heard, and does not move the stream', async ({ defer }) => {
  const { alice, trunk } = peers;
  await talking();
  const stranger = await rtpEndpoint();
  defer(() => stranger.close());
  stranger.sendTo(trunk.peer.host, trunk.peer.port);
  stranger.sendTone({ hz: 2000 });
  await pause(500); // it has to have sent for a while; what follows is judged with it still sending
  await bothHear();
  check(stranger.packets.length === 0, `the stranger got ${stranger.packets.length} packets`);
  await hangUp();
}, ours);

scenario('garbage on the port of the trunk disturbs nothing', async () => {
  const { alice, trunk } = peers;
  await talking();
  for (const bytes of [Buffer.alloc(1), Buffer.alloc(11, 0x80), Buffer.from([0x8f, 0, 0, 1]), Buffer.alloc(1400, 0xff), Buffer.from([0x80, 200, 0xff, 0xff]),
    Buffer.from([0x90, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xbe, 0xde, 0xff, 0xff]), Buffer.from([0xa0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xff])]) {
    for (let n = 0; n < 20; n++) trunk.rtp.sendRaw(bytes);
  }
  await bothHear();
  await hangUp();
});

scenario('both sides get RTCP reports of the gateway itself', async () => {
  const { alice, trunk } = peers;
  await talking();
  await until('a sender report on the trunk side', () => trunk.rtp.rtcp.some((one) => one.types.includes(200) || one.types.includes(201)), { within: 12000 });
  await until('remote-inbound figures in the browser', async () => (await alice.run('stats')).some((one) => one.type === 'remote-inbound-rtp'), { within: 12000 });
  await hangUp();
}, ours);
