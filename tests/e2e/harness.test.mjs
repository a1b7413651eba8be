// SPDX-License-Identifier: Apache-2.0
// The harness itself: a wrong ear or a wrong digest would make every other test worthless.
import test from 'node:test';
import assert from 'node:assert/strict';
import path from 'node:path';
import { sine, dominant, isTone, isPair, digitPair, gaps, writeWav, readWav } from './lib/tone.mjs';
import { encode, decode } from './lib/g711.mjs';
import { writeRtp, parseRtp, writeEvent, parseEvent, isRtcp } from './lib/rtp-packet.mjs';
import { digestResponse, parseDigest, authorize, checkCredentials } from './lib/digest.mjs';
import { parseSip, splitList, param } from './lib/sip-message.mjs';
import { fillTemplate } from './lib/template.mjs';
import { rtpEndpoint } from './lib/rtp.mjs';
import { sipAgent } from './lib/sip-agent.mjs';
import { toYaml } from './lib/yaml.mjs';
import { freePorts } from './lib/ports.mjs';
import { folder } from './lib/proc.mjs';
import { until } from './lib/wait.mjs';

const sum = (one, other) => one.map((sample, i) => sample + other[i]);

test('a tone is found by its frequency, also after G.711', () => {
  for (const hz of [425, 700, 1000, 1333, 3000]) {
    assert.ok(Math.abs(dominant(sine(hz), 8000).hz - hz) < 3, `${hz}`);
    for (const law of ['PCMU', 'PCMA']) assert.ok(isTone(decode(law, encode(law, sine(hz))), hz, 8000), `${law} ${hz}`);
  }
});

test('silence, noise, another tone and a mixture are not the tone', () => {
  const noise = Float32Array.from({ length: 8000 }, () => Math.random() * 0.8 - 0.4);
  const mixed = sum(sine(700), sine(1000));
  for (const pcm of [new Float32Array(8000), noise, sine(740), mixed]) assert.ok(!isTone(pcm, 700, 8000));
});

test('G.711 agrees with the tables of the recommendation at its corners', () => {
  assert.deepEqual([...encode('PCMU', [0, 1, -1])], [0xff, 0x80, 0x00]);
  assert.deepEqual([...encode('PCMA', [0, 1, -1])], [0xd5, 0xaa, 0x2a]);
  for (const law of ['PCMU', 'PCMA']) {
    const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i)).filter((byte) => byte !== 0x7f); // 0x7f is mu-law's second zero
    assert.deepEqual([...encode(law, decode(law, Buffer.from(all)))], [...all], law);
  }
});

test('digits are pairs of tones, and a single tone is none', () => {
  const [low, high] = digitPair('5');
  assert.deepEqual([low, high], [770, 1336]);
  const five = sum(sine(low, { level: 0.2 }), sine(high, { level: 0.2 }));
  assert.ok(isPair(five, [low, high], 8000));
  assert.ok(!isPair(sine(low), [low, high], 8000));
  assert.ok(!isPair(five, digitPair('9'), 8000));
});

test('gaps are found where they are', () => {
  const pcm = sine(440);
  pcm.fill(0, 2000, 2800);
  const [gap, ...more] = gaps(pcm, 8000);
  assert.equal(more.length, 0);
  assert.ok(Math.abs(gap.start_ms - 250) <= 10 && Math.abs(gap.length_ms - 100) <= 20, JSON.stringify(gap));
});

test('WAV files come back as they were written', () => {
  const file = path.join(folder('wav'), 'tone.wav');
  writeWav(file, sine(500, { rate: 16000, seconds: 0.5 }), 16000);
  const { pcm, rate } = readWav(file);
  assert.equal(rate, 16000);
  assert.ok(isTone(pcm, 500, rate));
});

test('RTP and telephone-event: what is written is read', () => {
  const fields = { pt: 101, seq: 65535, ts: 4000000000, ssrc: 0xdeadbeef, marker: true };
  const packet = parseRtp(writeRtp({ ...fields, payload: writeEvent('#', { isEnd: true, duration: 800 }) }));
  assert.deepEqual({ ...packet, payload: undefined }, { ...fields, payload: undefined });
  assert.deepEqual(parseEvent(packet.payload), { digit: '#', isEnd: true, volume: 10, duration: 800 });
  assert.equal(parseRtp(Buffer.from([0x80, 0])), null);
  assert.ok(isRtcp(Buffer.from([0x80, 200, 0, 1, 0, 0, 0, 0])));
});

test('digest: the example of RFC 7616 section 3.9.1, both algorithms', () => {
  const example = {
    username: 'Mufasa', realm: 'http-auth@example.org', password: 'Circle of Life', method: 'GET', uri: '/dir/index.html',
    nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v', nc: '00000001', qop: 'auth',
    cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
  };
  assert.equal(digestResponse(example), '8ca523f5e9506fed4657c9700eebdbec');
  assert.equal(digestResponse({ ...example, algorithm: 'SHA-256' }), '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1');
});

test('credentials for a challenge are proved with the right password only', () => {
  const challenge = 'Digest realm="a, b", nonce="n,1", opaque="o", algorithm=SHA-256, qop="auth,auth-int"';
  assert.equal(parseDigest(challenge).nonce, 'n,1');
  const value = authorize(challenge, { username: 'u', password: 'p', method: 'INVITE', uri: 'sip:x' });
  assert.ok(checkCredentials(value, { method: 'INVITE', password: 'p' }));
  assert.ok(!checkCredentials(value, { method: 'INVITE', password: 'q' }));
});

test('SIP text: folded, compact, quoted', () => {
  const m = parseSip('INVITE sip:x SIP/2.0\r\nv: SIP/2.0/UDP a;branch=z9hG4bK1,\r\n SIP/2.0/UDP b;branch=z9hG4bK2\r\n'
    + 'f: "a, <b>" <sip:a@b;tag=no>;tag=yes\r\nCSeq: 7 INVITE\r\n\r\nbody');
  assert.equal(m.all('Via').length, 2);
  assert.equal(m.branch, 'z9hG4bK1');
  assert.equal(m.fromTag, 'yes');
  assert.equal(m.cseq.number, 7);
  assert.equal(m.body, 'body');
  assert.deepEqual(splitList('"a,b" <sip:c,d>, e'), ['"a,b" <sip:c,d>', 'e']);
  assert.equal(param('<sip:a>;x="1"', 'x'), '1');
});

test('templates fill names and bytes, and correct the length', () => {
  const bytes = fillTemplate('A {{x}}\nContent-Length: 99\n\ncaf{{hex c3 a9}}', { x: 'é' });
  assert.equal(bytes.toString(), 'A é\r\nContent-Length: 5\r\n\r\ncafé');
  assert.match(fillTemplate('A\nl: !7\n\n', {}).toString(), /^l: 7/m);
  assert.throws(() => fillTemplate('{{nobody}}', {}), /nobody/);
});

test('YAML: sections, rows, quoted text', () => {
  assert.equal(toYaml({ a: { b: 1, c: [] }, d: [{ e: '^x\\+$', f: ['g'] }] }), 'a:\n  b: 1\n  c: []\nd:\n  - {e: "^x\\\\+$", f: ["g"]}\n');
});

test('ports of a block are consecutive, aligned, and not given out twice', async () => {
  const [one, two] = [await freePorts(4, 2), await freePorts(4, 2)];
  assert.equal(one[0] % 2, 0);
  assert.deepEqual(one.map((port) => port - one[0]), [0, 1, 2, 3]);
  assert.ok(!one.some((port) => two.includes(port)));
});

test('an RTP endpoint hears another one, and its digits once each', async (t) => {
  const [a, b] = [await rtpEndpoint(), await rtpEndpoint()];
  t.after(() => [a, b].forEach((one) => one.close()));
  a.sendTo(b.host, b.port);
  b.setEvents({ 101: 8000 });
  a.sendTone({ hz: 600, codec: 'PCMA' });
  await b.hears(600);
  await assert.rejects(b.hears(900, { within: 200 }), /heard/);
  await a.sendDigit('4', { ms: 60 });
  await a.sendDigit('4', { ms: 60 });
  await b.hearsDigits('44');
  await b.hears(600);
  assert.deepEqual(b.faults(), []);
});

test('two agents make a call; repeated requests are answered again, and what was expected is said when it does not come', async (t) => {
  const callee = await sipAgent({ name: 'callee' });
  const caller = await sipAgent({ name: 'caller', peer: { host: callee.host, port: callee.port } });
  t.after(() => [caller, callee].forEach((one) => one.close()));
  const invite = caller.newRequest('INVITE', `sip:callee@${callee.address}`);
  await callee.expect('INVITE');
  callee.reply(180);
  callee.reply(200);
  await caller.expect(180);
  await caller.expect(200);
  caller.sendRaw(invite.raw);
  await until('the 200 once more', () => caller.repeats === 1);
  caller.ack();
  await callee.expect('ACK');
  const bye = caller.bye();
  await callee.expect('BYE');
  callee.reply(200);
  assert.equal((await bye).status, 200);
  assert.equal(callee.repeats, 1);
  await assert.rejects(caller.expect(486, { within: 50 }), /no 486 within 50 ms/);
});
