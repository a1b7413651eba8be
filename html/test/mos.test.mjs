// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { estimate, mosOf, oneWayDelayMs, rating, verdict } from '../mos.js';

test('a perfect G.711 call is rated 4.3 to 4.4 and called excellent', () => {
  const best = estimate({ codec: 'PCMA', rttMs: 10, bufferMs: 20, loss: 0 });
  assert.ok(best.mos > 4.3 && best.mos <= 4.41, `${best.mos}`);
  assert.equal(best.word, 'Excellent');
});

test('MOS follows G.107 Annex B at its known points', () => {
  assert.equal(mosOf(-5), 1);
  assert.equal(mosOf(120), 4.5);
  for (const [r, mos] of [[90, 4.34], [80, 4.03], [70, 3.6], [60, 3.1], [50, 2.58]]) {
    assert.ok(Math.abs(mosOf(r) - mos) < 0.01, `R ${r}: ${mosOf(r)}`);
  }
});

test('more loss and more delay never raise the score', () => {
  let before = 5;
  for (let loss = 0; loss <= 1; loss += 0.02) {
    const { mos } = estimate({ codec: 'opus', rttMs: 80, bufferMs: 40, loss });
    assert.ok(mos <= before);
    before = mos;
  }
  assert.ok(rating({ rttMs: 500 }) < rating({ rttMs: 100 }));
});

test('five per cent of loss make G.711 fair at best, a quarter makes it bad', () => {
  assert.notEqual(estimate({ codec: 'PCMU', loss: 0.05 }).key, 'excellent');
  assert.equal(estimate({ codec: 'PCMU', loss: 0.25 }).key, 'bad');
});

test('delay beyond 177 ms one way counts extra', () => {
  const slope = (from, to) => (rating({ rttMs: 2 * from }) - rating({ rttMs: 2 * to })) / (to - from);
  assert.ok(slope(200, 300) > 4 * slope(50, 100));
});

test('figures out of range do not leave the scale', () => {
  for (const loss of [-1, 2, 1]) {
    const { mos } = estimate({ codec: 'nothing known', rttMs: -5, loss });
    assert.ok(mos >= 1 && mos <= 4.5);
  }
  assert.equal(oneWayDelayMs({ rttMs: -10, bufferMs: -10 }), 25);
});

test('each verdict starts at its threshold', () => {
  const keys = [4.3, 4.29, 3.99, 3.59, 3.09].map((mos) => verdict(mos).key);
  assert.deepEqual(keys, ['excellent', 'good', 'fair', 'poor', 'bad']);
});
