// SPDX-License-Identifier: Apache-2.0
// Attacks on the media ports while a call is up: replayed, damaged, forged and stray packets are dropped and counted, none is forwarded.
import { world, scenario, check, ALICE } from './lib/scenario.mjs';
import { STRANGER, udpFrom, seeded, mutate, randomBytes, grown, settled, stillAlive, thirdRoundIsFlat } from './lib/hostile.mjs';
import { mediaRelay } from './lib/hostile-relay.mjs';
import { bothHear, hangUp, talking, undisturbed } from './lib/hostile-call.mjs';
import { writeRtp } from './lib/rtp-packet.mjs';
import { until } from './lib/wait.mjs';

const peers = world({ browsers: [ALICE], gateway: { config: { log: { level: 'info', format: 'text' } } } });
const ours = { needs: 'b2bua' };

/** A call whose browser media goes through a relay of ours; the browser is called, so that it sends the ClientHello. */
async function watchedCall() {
  const { alice, gateway, trunk } = peers;
  if (!peers.relay) {
    peers.relay = await mediaRelay(gateway);
    await peers.relay.captures(alice);
  }
  peers.relay.forget();
  trunk.call(ALICE.numbers[0]);
  await alice.rings();
  await alice.answer();
  await trunk.answered();
  trunk.rtp.sendTone({ hz: 1000 });
  await alice.sees('confirmed');
  await bothHear(peers);
  check(peers.relay.from.dtls && peers.relay.from.rtp, 'the media of the browser does not come through the relay');
  return peers.relay;
}

const webrtcPort = () => ({ host: '127.0.0.1', port: peers.relay?.way?.port ?? peers.gateway.ports.webrtc });

/** Where the trunk's media goes in the running call. */
const trunkPort = () => peers.trunk.rtp.peer;

/** Sequence numbers at the trunk that came twice or went back. */
function repeatsAtTrunk(from) {
  const packets = peers.trunk.rtp.packets.slice(from);
  return packets.length - new Set(packets.map((one) => one.seq)).size;
}

scenario('the browser\'s own SRTP sent again is not forwarded, and counted as a replay', async () => {
  const { gateway, trunk } = peers;
  const relay = await watchedCall();
  const from = trunk.rtp.packets.length;
  const { srtp_replayed_total: replays, result } = await grown(gateway, ['srtp_replayed_total'], () => undisturbed(peers, async () => {
    const packets = await relay.kept('rtp', 20);
    for (let round = 0; round < 5; round++) for (const packet of packets) await relay.inject(packet);
    return packets.length * 5;
  }));
  check(replays >= result * 0.9, `${replays} of ${result} were counted`);
  check(!repeatsAtTrunk(from), `${repeatsAtTrunk(from)} packets came to the trunk twice`);
  await hangUp(peers);
}, ours);

scenario('damaged and repeated SRTP, SRTCP, DTLS and STUN and plain RTP from the proved 5-tuple: dropped, counted, nothing forged is forwarded', async () => {
  const { gateway, trunk } = peers;
  const relay = await watchedCall();
  const from = trunk.rtp.packets.length;
  const { srtp_failed_total: failed } = await grown(gateway, ['srtp_failed_total'], () => undisturbed(peers, async () => {
    await thirdRoundIsFlat(gateway, async (round) => {
      const random = seeded(round);
      const models = [...await relay.kept('rtp', 20), ...(relay.from.rtcp ?? []), ...relay.from.dtls, ...relay.from.stun];
      for (let n = 0; n < 2500; n++) await relay.inject(mutate(models[random(models.length)], random));
      for (let n = 0; n < 50; n++) await relay.inject(writeRtp({ pt: 0, seq: n, ts: n * 160, ssrc: 7, payload: Buffer.alloc(160) }));
    });
  }));
  check(failed > 500, `${failed} were counted as failed`);
  const [report] = await relay.kept('rtcp', 1);
  const { srtp_replayed_total: replays } = await grown(gateway, ['srtp_replayed_total'], () => undisturbed(peers, async () => {
    for (let n = 0; n < 10; n++) await relay.inject(report);
  }));
  check(replays >= 9, `${replays} of 10 SRTCP replays were counted`);
  check(!repeatsAtTrunk(from), 'something came to the trunk twice');
  await hangUp(peers);
  await stillAlive(gateway);
}, { ...ours, timeout: 60000 });

scenario('ClientHello, SRTP and noise from a 5-tuple without an ICE check: no answer at all, counted, and the call goes on', async ({ defer }) => {
  const { gateway } = peers;
  const relay = await watchedCall();
  const stranger = await udpFrom(STRANGER, defer);
  const models = [...relay.from.dtls, ...await relay.kept('rtp', 10), ...(relay.from.rtcp ?? [])];
  check(relay.from.dtls.some((bytes) => bytes[0] === 22 && bytes[13] === 1), 'no ClientHello was seen');
  const random = seeded(4);
  const { dtls_unproved_total: unproved } = await grown(gateway, ['dtls_unproved_total'], () => undisturbed(peers, async () => {
    for (let n = 0; n < 1500; n++) {
      const model = models[n % models.length];
      await stranger.send(n % 2 ? model : mutate(model, random), webrtcPort());
      if (n % 5 === 0) await stranger.send(randomBytes(random, 1 + random(1400)), webrtcPort());
    }
  }));
  check(unproved >= 700, `${unproved} were counted`);
  check(!stranger.answers.length, `${stranger.answers.length} answers, the first ${stranger.answers[0]?.subarray(0, 20).toString('hex')}`);
  await hangUp(peers);
}, ours);

scenario('STUN with an unknown user, a wrong password or damage gets no answer; a right check at most its size', async ({ defer }) => {
  const { gateway } = peers;
  const relay = await watchedCall();
  const stranger = await udpFrom(STRANGER, defer);
  const random = seeded(5);
  const checks = await relay.kept('stun', 1);
  const unknown = Buffer.from(checks[0]);
  const user = userOf(unknown);
  unknown.fill(0x78, user.at, user.at + 4);
  const wrong = Buffer.from(checks[0]);
  wrong[8] ^= 1; // another transaction: the integrity is not right any more
  const bare = Buffer.concat([Buffer.from('000100002112a442', 'hex'), randomBytes(random, 12)]);
  const { stun_refused_total: refused } = await grown(gateway, ['stun_refused_total'], () => undisturbed(peers, async () => {
    for (const one of [unknown, wrong, bare]) for (let n = 0; n < 50; n++) await stranger.send(one, webrtcPort());
    for (let n = 0; n < 1500; n++) {
      const damaged = mutate(checks[0], random);
      if (!damaged.equals(checks[0])) await stranger.send(damaged, webrtcPort());
    }
  }));
  check(refused > 500, `${refused} were counted`);
  check(!stranger.answers.length, `${stranger.answers.length} answers`);
  for (const answer of relay.answers.stun) {
    const question = relay.from.stun.find((one) => one.subarray(8, 20).equals(answer.subarray(8, 20)));
    check(!question || answer.length <= question.length, `${answer.length} bytes for ${question?.length}`);
  }
  await hangUp(peers);
}, ours);

/** USERNAME (0x0006) of a STUN message. */
function userOf(message) {
  for (let at = 20; at + 4 <= message.length; at += 4 + ((message.readUInt16BE(at + 2) + 3) & ~3)) {
    if (message.readUInt16BE(at) === 6) return { at: at + 4, size: message.readUInt16BE(at + 2) };
  }
  throw new Error('a check without USERNAME');
}

scenario('RTP and RTCP of a stranger to the trunk\'s port is not forwarded, neither is that of another port of the trunk\'s host', async ({ defer }) => {
  const { alice, gateway, trunk } = peers;
  await talking(peers);
  const sources = [await udpFrom(STRANGER, defer), await udpFrom('127.0.0.1', defer)];
  // a connected socket does not even see a stranger's packets, so the refused ones are not always counted
  const { rtp_received_total: accepted, result } = await grown(gateway, ['rtp_received_total'], () => undisturbed(peers, async () => {
    let sent = 0;
    const last = trunk.rtp;
    for (let n = 0; n < 600; n++) {
      for (const source of sources) {
        // its SSRC, its next numbers, but silence
        await source.send(writeRtp({ pt: 0, seq: last.seq + 1, ts: last.ts + 160, ssrc: last.ssrc, payload: Buffer.alloc(160, 0xff) }), trunkPort());
        sent++;
      }
    }
    const bye = Buffer.from('81cb00010000000000000000', 'hex');
    await sources[0].send(bye, { ...trunkPort(), port: trunkPort().port + 1 });
    return sent;
  }));
  check(accepted < result, `${accepted} packets were accepted, ${result} came from strangers`);
  check(sources.every((one) => !one.answers.length), 'a stranger was sent something');
  await alice.hears(1000);
  await hangUp(peers);
}, ours);

scenario('damaged RTP and RTCP from the trunk itself by three seeds: the call is heard afterwards, memory stays', async () => {
  const { gateway, trunk } = peers;
  await talking(peers);
  const rtcp = Buffer.from('80c80006000000010000000000000000000000000000000000000000'
    + '81c9000700000001000000020000000000000000000000000000000000000000' + '81ca0003000000010103616161000000', 'hex');
  const feedback = Buffer.from('81ce0002000000010000000284ce000400000001000000000000000201000000', 'hex');
  await thirdRoundIsFlat(gateway, async (round) => {
    const random = seeded(10 + round);
    for (let n = 0; n < 1500; n++) {
      const packet = writeRtp({ pt: [0, 8, 101, 13][random(4)], seq: random(65536), ts: random(2 ** 31), ssrc: trunk.rtp.ssrc, payload: randomBytes(random, random(400)) });
      packet[0] ^= random(3) ? 0 : 1 << random(8);
      trunk.rtp.sendRaw(random(4) ? packet : mutate(packet, random));
      const report = mutate(random(2) ? rtcp : feedback, random);
      trunk.rtp.rtcpSocket.send(report, trunkPort().port + 1, trunkPort().host);
      trunk.rtp.sendRaw(report);
      if (n % 50 === 0) await until('turn', () => true);
    }
    await settled(gateway, 'sipway_rtcp_malformed_total');
  });
  await stillAlive(gateway);
  trunk.rtp.ssrc = 4711;
  trunk.rtp.sendTone({ hz: 1000 });
  await bothHear(peers);
  await hangUp(peers);
}, { ...ours, timeout: 60000 });

scenario('damaged DTLS during the handshake by two seeds: the call may fail, the gateway does not, and the next call is heard', async ({ defer }) => {
  const { alice, gateway, trunk } = peers;
  const relay = await watchedCall();
  defer(() => { relay.onToGateway = null; });
  await hangUp(peers);
  for (const seed of [21, 22]) {
    const random = seeded(seed);
    relay.onToGateway = (kind, bytes, way) => {
      if (kind === 'dtls') for (let n = 0; n < 20; n++) way.socket.send(mutate(bytes, random), way.port, '127.0.0.1');
    };
    trunk.call(ALICE.numbers[0]);
    await alice.rings();
    await alice.answer();
    await trunk.answered().catch(() => {}); // a damaged handshake may end it before
    trunk.sip.auto.BYE = 200; // who fails may hang up first
    await relay.kept('dtls', 2);
    await stillAlive(gateway);
    await alice.hangUp().catch(() => {});
    await until('the end of the call', async () => await gateway.admin.metric('sipway_calls') === 0);
    delete trunk.sip.auto.BYE;
    relay.onToGateway = null;
    await peers.alice.reset();
    trunk.sip.reset();
  }
  await watchedCall();
  await hangUp(peers);
}, ours);

scenario('noise to every RTP port of the range, in a call and without one: the process lives, descriptors and memory stay', async ({ defer }) => {
  const { gateway } = peers;
  await talking(peers);
  const stranger = await udpFrom(STRANGER, defer);
  await undisturbed(peers, () => thirdRoundIsFlat(gateway, async (round) => {
    const random = seeded(30 + round);
    for (const port of [...gateway.ports.rtp, gateway.ports.webrtc]) {
      for (let n = 0; n < 5; n++) await stranger.send(randomBytes(random, random(600)), { host: '127.0.0.1', port });
    }
  }));
  await hangUp(peers);
  check(!stranger.answers.length, 'noise was answered');
  peers.relay?.close();
}, ours);
