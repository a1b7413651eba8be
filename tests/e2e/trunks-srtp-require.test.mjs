// SPDX-License-Identifier: Apache-2.0
// A trunk with `srtp: require`: secure, or no call at all; keys that change, lines that cannot be used.
import { world, scenario, check, ALICE, CALLER } from './lib/scenario.mjs';
import { newKey, cryptoLine, cryptoLines, srtpContext, SUITE } from './lib/srtp.mjs';
import { until } from './lib/wait.mjs';

const peers = world({ browsers: [ALICE], trunk: { srtp: 'require' } });
const ours = { needs: 'b2bua' };
const SAVP = 'RTP/SAVP';

async function bothHear() {
  peers.trunk.rtp.sendTone({ hz: 1000 });
  await Promise.all([peers.trunk.rtp.hears(700), peers.alice.hears(1000)]);
  check(peers.trunk.rtp.forged === 0, `${peers.trunk.rtp.forged} packets with a wrong tag`);
}

const rings = (fields) => peers.trunk.call(ALICE.numbers[0], { from: `<sip:${CALLER}@127.0.0.1>`, codecs: ['PCMU'], profile: SAVP, ...fields });

scenario('our offer is RTP/SAVP; keys of both sides; a forged packet is counted and not heard', async () => {
  const { alice, trunk, gateway } = peers;
  await alice.call(`sip:${CALLER}@example.com`);
  const invite = await trunk.rings();
  const [offered] = cryptoLines(invite.body);
  check(/^m=audio \d+ RTP\/SAVP /m.test(invite.body) && offered?.suite === SUITE, `offer:\n${invite.body}`);
  const key = newKey();
  trunk.rtp.secure({ out: key, in: offered.key });
  await trunk.answer({ profile: SAVP, lines: [cryptoLine(key, { tag: offered.tag })] });
  await alice.sees('confirmed');
  await bothHear();
  const before = await gateway.admin.metric('sipway_srtp_failed_total');
  trunk.rtp.sendRaw(Buffer.concat([Buffer.from([0x80, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9]), Buffer.alloc(170)]));
  await until('the forged packet counted', async () => (await gateway.admin.metric('sipway_srtp_failed_total')) > before);
  await bothHear();
  await alice.hangUp();
  await trunk.hungUp();
}, ours);

scenario('hold and resume of the browser: the same profile and key again, both hear', async () => {
  const { alice, trunk } = peers;
  await alice.call(`sip:${CALLER}@example.com`);
  const [offered] = cryptoLines((await trunk.rings()).body);
  const line = cryptoLine(newKey(), { tag: offered.tag });
  trunk.rtp.secure({ out: cryptoLines(line)[0].key, in: offered.key });
  await trunk.answer({ profile: SAVP, lines: [line] });
  await alice.sees('confirmed');
  await bothHear();
  for (const [step, direction] of [['hold', 'recvonly'], ['unhold', 'sendrecv']]) {
    await alice[step]();
    const { body } = await trunk.sip.expect('INVITE');
    check(/^m=audio \d+ RTP\/SAVP /m.test(body) && cryptoLines(body)[0]?.key.equals(offered.key), `offer of ${step}:\n${body}`);
    trunk.sip.reply(200, { body: trunk.sdp({ profile: SAVP, lines: [line], direction }) });
    await trunk.sip.expect('ACK');
    await alice.sees(step);
  }
  await trunk.rtp.receives(25);
  await bothHear();
  await alice.hangUp();
  await trunk.hungUp();
}, ours);

scenario('lines that cannot be used are passed over; a re-INVITE with another key: our own key stays, both hear', async () => {
  const { alice, trunk, gateway } = peers;
  const key = newKey();
  rings({ lines: [
    cryptoLine(newKey(), { tag: 1, suite: 'AES_CM_999_UNKNOWN' }),
    cryptoLine(newKey(), { tag: 2, more: '|2^48 UNENCRYPTED_SRTCP' }),
    cryptoLine(newKey(), { tag: 7, more: '|2^31|1:1' }),
    cryptoLine(key, { tag: 4, more: '|2^31' }),
    cryptoLine(newKey(), { tag: 5, suite: 'AES_CM_128_HMAC_SHA1_32' })] });
  await alice.rings();
  await alice.answer();
  const ok = await trunk.answered();
  const [one, ...others] = cryptoLines(ok.body);
  check(one?.tag === 4 && one.suite === SUITE && others.length === 0, `crypto of the answer:\n${ok.body}`);
  trunk.rtp.secure({ out: key, in: one.key });
  await bothHear();
  const second = newKey();
  trunk.sip.inDialog('INVITE', { body: trunk.sdp({ codecs: ['PCMU'], profile: SAVP, lines: [cryptoLine(second, { tag: 9 })] }) });
  const again = await trunk.answered();
  const [now] = cryptoLines(again.body);
  check(now?.tag === 9 && now.key.equals(one.key), `crypto of the second answer:\n${again.body}`);
  trunk.rtp.stop();
  trunk.rtp.srtp.out = srtpContext(second);
  const failed = await gateway.admin.metric('sipway_srtp_failed_total');
  await trunk.rtp.receives(25);
  await bothHear();
  check((await gateway.admin.metric('sipway_srtp_failed_total')) === failed, 'packets with the new key were refused');
  await alice.hangUp();
  await trunk.hungUp();
}, ours);

for (const [what, fields] of Object.entries({
  'a plain offer': { profile: 'RTP/AVP' },
  'only a key with an MKI': { lines: [cryptoLine(newKey(), { tag: 7, more: '|2^31|1:1' })] },
  'only a line with a session parameter': { lines: [cryptoLine(newKey(), { tag: 2, more: '|2^48 UNENCRYPTED_SRTCP' })] },
  'a key of 29 bytes': { lines: [cryptoLine(newKey().subarray(0, 29))] },
})) {
  scenario(`${what}: 488, told why, and nobody rings`, async () => {
    rings(fields);
    const refusal = await peers.trunk.sip.expect((m) => m.status >= 300);
    check(refusal.status === 488 && refusal.header('warning'), `answered ${refusal.first}, Warning ${refusal.header('warning')}`);
  }, ours);
}

scenario('a trunk that answers plain: no call', async () => {
  const { alice, trunk } = peers;
  await alice.call(`sip:${CALLER}@example.com`);
  await trunk.rings();
  trunk.sip.reply(200, { body: trunk.sdp({ profile: SAVP }) });
  await trunk.sip.expect('ACK');
  await trunk.hungUp();
  const failed = await alice.sees('failed');
  check(failed.status === 488, `the browser saw ${failed.status}`);
}, ours);
