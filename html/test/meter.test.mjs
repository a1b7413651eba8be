// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { levelDb, peakHz, share } from '../meter.js';
import { dtmfPair } from '../ring.js';

const sine = (amplitude) => Float32Array.from({ length: 4800 }, (_, i) => amplitude * Math.sin(2 * Math.PI * i / 48));

test('a full-scale sine is -3 dBFS, silence is nothing', () => {
  assert.ok(Math.abs(levelDb(sine(1)) + 3.01) < 0.05);
  assert.equal(levelDb(new Float32Array(64)), -Infinity);
  assert.equal(levelDb([]), -Infinity);
});

test('the bar stays between empty and full', () => {
  assert.deepEqual([-Infinity, -60, -6, 0].map(share), [0, 0, 1, 1]);
  assert.ok(share(-33) > 0.45 && share(-33) < 0.55);
});

test('the strongest frequency is found between bins, and noise is none', () => {
  const spectrum = new Float32Array(1024).fill(-120);
  spectrum[42] = -20;
  spectrum[43] = -20;
  assert.ok(Math.abs(peakHz(spectrum, 48000) - 42.5 * 48000 / 2048) < 1);
  assert.equal(peakHz(new Float32Array(1024).fill(-100), 48000), 0);
});

test('keys have the frequencies of Q.23', () => {
  assert.deepEqual(dtmfPair('5'), [770, 1336]);
  assert.deepEqual(dtmfPair('#'), [941, 1477]);
  assert.equal(dtmfPair('+'), null);
  assert.equal(dtmfPair('12'), null);
});
