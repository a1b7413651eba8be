// SPDX-License-Identifier: Apache-2.0
// INFO in a call: pressed keys as the other side takes them (RFC 4733 or INFO, trunk key `dtmf`), other bodies as they are.
import { world, scenario, check, ALICE, BOB, CALLER } from './lib/scenario.mjs';
import { parseSdp } from './lib/sdp.mjs';
import { scriptedPhone } from './lib/phone.mjs';

const peers = world({
  browsers: [ALICE],
  scripted: [BOB],
  trunks: (it) => [{ name: 'keys', host: it.keys.sip.host, port: it.keys.sip.port, dtmf: 'info', accept: [] }],
  before: async (it) => { it.keys = await scriptedPhone({ name: 'keys' }); },
  after: (it) => it.keys.close(),
  gateway: { routes: [{ from: 'accounts', to: '^9', trunks: ['keys'] }, { from: 'accounts', trunks: ['carrier'] },
    { from: 'trunk:carrier', account: 'bob' }] },
});
const ours = { needs: 'b2bua' };
const ALICE_HZ = 700;
const TRUNK_HZ = 1800;

/** Alice calls one of the trunks. @returns what it was offered */
async function talking(trunk, number = CALLER) {
  const { alice } = peers;
  trunk.sip.reset();
  await alice.call(number);
  const invite = await trunk.rings();
  await trunk.answer();
  await alice.sees('confirmed');
  trunk.rtp.sendTone({ hz: TRUNK_HZ });
  await Promise.all([trunk.rtp.hears(ALICE_HZ), alice.hears(TRUNK_HZ)]);
  return parseSdp(invite.body);
}

async function hangUp(trunk) {
  await trunk.sip.bye();
  await peers.alice.ends();
}

/** An INFO of the trunk. @returns its answer */
function info(trunk, body, type = 'application/dtmf-relay') {
  trunk.sip.inDialog('INFO', { type, body });
  return trunk.sip.expect((m) => m.status >= 200 && m.cseq.method === 'INFO');
}

/** The next key that the trunk gets by INFO. */
async function key(trunk) {
  const message = await trunk.sip.expect('INFO');
  trunk.sip.reply(200);
  check(message.header('content-type') === 'application/dtmf-relay', `Content-Type ${message.header('content-type')}`);
  const [, signal, duration] = message.body.match(/^Signal=(.)\r\nDuration=(\d+)\r\n$/) ?? [];
  check(signal, `the body is ${JSON.stringify(message.body)}`);
  return { signal, duration: Number(duration) };
}

scenario('keys that the browser sends by INFO reach the trunk as telephone-event, one after the other, and sound goes on', async () => {
  const { alice, trunk } = peers;
  await talking(trunk);
  trunk.rtp.packets = [];
  await alice.sendDigits('1#9', { transportType: 'INFO', duration: 100, interToneGap: 70 });
  await trunk.rtp.hearsDigits('1#9');
  await trunk.rtp.hears(ALICE_HZ);
  const wrong = trunk.rtp.faults().filter((text) => /ssrc|seq/.test(text));
  check(wrong.length === 0, `packets: ${wrong}`);
  check(trunk.rtp.digits().every((d) => d.duration >= 640 && d.duration <= 1120), JSON.stringify(trunk.rtp.digits()));
  await trunk.sip.expectNone('INFO', 100);
  await hangUp(trunk);
}, ours);

scenario('keys that the trunk sends by INFO are heard by the browser; what is no key is answered and harmless', async () => {
  const { alice, trunk } = peers;
  await talking(trunk);
  for (const [body, type] of [['Signal=5\r\nDuration=300\r\n'], ['signal = *\nduration=300'], ['7', 'application/dtmf']]) {
    const digit = body.match(/[57*]/)[0];
    check((await info(trunk, body, type)).status === 200, 'answer');
    await alice.hearsDigit(digit);
    await alice.hears(TRUNK_HZ);
  }
  for (const body of ['Signal=', 'Signal=99\r\n', 'Duration=160', '\0\0\0', 'Signal=55555\r\nDuration=99999999999\r\n', 'x'.repeat(4000)]) {
    check((await info(trunk, body)).status === 200, `INFO ${JSON.stringify(body.slice(0, 20))}`);
  }
  check((await info(trunk, 'x'.repeat(5000), 'text/plain')).status === 413, 'a long one');
  for (let i = 0; i < 60; i++) await info(trunk, 'Signal=1\r\nDuration=8000\r\n'); // more than can wait
  await trunk.rtp.hears(ALICE_HZ);
  await hangUp(trunk);
}, ours);

scenario('dtmf: info: telephone-event is not offered; the browser\'s own become INFOs, as do its INFOs', async () => {
  const { alice, keys } = peers;
  const offer = await talking(keys, `9${CALLER}`);
  check(offer.ptOf('telephone-event') === undefined, `offered ${offer.codecs}`);
  await alice.sendDigits('1#', { duration: 200, interToneGap: 70 });
  for (const signal of ['1', '#']) {
    const got = await key(keys);
    check(got.signal === signal && got.duration >= 150 && got.duration <= 250, `${JSON.stringify(got)}, not ${signal}`);
  }
  await alice.sendDigits('2', { transportType: 'INFO', duration: 120 });
  check((await key(keys)).signal === '2', 'by INFO');
  await keys.sip.expectNone('INFO', 200);
  check((await info(keys, 'Signal=8\r\nDuration=300\r\n')).status === 200, 'answer');
  await alice.hearsDigit('8');
  await keys.rtp.hears(ALICE_HZ);
  await hangUp(keys);
}, ours);

scenario('other bodies pass with their type, both ways', async () => {
  const { alice, bob, trunk } = peers;
  await talking(trunk);
  await alice.ask("session.sendInfo('application/json', '{\"a\":1}')");
  const message = await trunk.sip.expect('INFO');
  trunk.sip.reply(200);
  check(message.header('content-type') === 'application/json' && message.body === '{"a":1}', message.raw);
  await hangUp(trunk);
  trunk.sip.reset();
  trunk.call(BOB.numbers[0]);
  await bob.rings();
  await bob.answer();
  await trunk.answered();
  check((await info(trunk, '<media_control/>', 'application/media_control+xml')).status === 200, 'answer');
  const passed = await bob.sip.expect('INFO');
  bob.sip.reply(200);
  check(passed.header('content-type') === 'application/media_control+xml' && passed.body === '<media_control/>', passed.raw);
  check((await info(trunk, 'x'.repeat(5000), 'text/plain')).status === 413, 'a long one');
  await bob.sip.expectNone('INFO', 100);
  await trunk.sip.bye();
  await bob.sip.expect('BYE');
  bob.sip.reply(200);
}, ours);
