// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digest } from '../quality.js';
import { figureWords } from '../qualityview.js';

function report({ at, received, lost, bytes, buffer = [0, 0], id = 'in' }) {
  return new Map([
    { id, type: 'inbound-rtp', kind: 'audio', timestamp: at, packetsReceived: received, packetsLost: lost, bytesReceived: bytes, jitter: 0.004, codecId: 'c', jitterBufferDelay: buffer[0], jitterBufferEmittedCount: buffer[1] },
    { id: 'out', type: 'outbound-rtp', kind: 'audio', timestamp: at, packetsSent: received, bytesSent: bytes * 2 },
    { id: 'ri', type: 'remote-inbound-rtp', kind: 'audio', roundTripTime: 0.05, jitter: 0.002, fractionLost: 0.01 },
    { id: 'c', type: 'codec', mimeType: 'audio/PCMA', clockRate: 8000 },
    { id: 't', type: 'transport', selectedCandidatePairId: 'p', srtpCipher: 'AEAD_AES_128_GCM' },
    { id: 'p', type: 'candidate-pair', localCandidateId: 'l', remoteCandidateId: 'r', currentRoundTripTime: 0.3 },
    { id: 'l', type: 'local-candidate', candidateType: 'host', protocol: 'udp' },
    { id: 'r', type: 'remote-candidate' },
  ].map((entry) => [entry.id, entry]));
}

const first = digest(report({ at: 1000, received: 50, lost: 0, bytes: 8000 }));

test('the first look has totals but no rates', () => {
  assert.deepEqual([first.codec, first.rttMs, first.jitterMs, first.route, first.srtp], ['PCMA 8 kHz', 50, 4, 'UDP, direct', 'AEAD_AES_128_GCM']);
  assert.deepEqual([first.inKbps, first.loss, first.mos], [null, null, null]);
});

test('rates, loss and buffer are those of the interval', () => {
  const second = digest(report({ at: 2000, received: 90, lost: 10, bytes: 16000, buffer: [480, 8000] }), first.raw);
  assert.equal(second.inKbps, 64);
  assert.equal(second.outKbps, 128);
  assert.equal(second.loss, 0.2);
  assert.equal(second.bufferMs, 60);
  assert.equal(second.key, 'bad');
});

test('without a packet in the interval there is no score', () => {
  const still = digest(report({ at: 2000, received: 50, lost: 0, bytes: 8000 }), first.raw);
  assert.equal(still.receivedNow, 0);
  assert.equal(still.mos, null);
});

test('counters of a new stream are not compared with those of the old one', () => {
  assert.equal(digest(report({ at: 2000, received: 3, lost: 0, bytes: 10 }), first.raw).inKbps, null);
});

test('a report with nothing in it is no error, and says so with dashes', () => {
  const words = figureWords(digest(new Map()));
  assert.deepEqual(new Set(Object.values(words)), new Set(['–']));
});

test('figures are said with their units', () => {
  const second = digest(report({ at: 2000, received: 100, lost: 0, bytes: 16000 }), first.raw);
  const words = figureWords(second);
  assert.equal(words.rtt, '50 ms');
  assert.equal(words.jitter, '4.0 ms');
  assert.equal(words.loss, '0.0 %');
  assert.equal(words.rate, '64 / 128 kbit/s');
  assert.match(words.mos, /^4\.\d of 4\.5, (excellent|good)$/);
});
