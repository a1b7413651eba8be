// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recentOf, recentWords } from '../recent.js';

const base = { number: '600', name: '', startedAt: 1000, answeredAt: 0, endedAt: 9000, end: { title: 'Missed call', isFailure: false } };

test('a talk is told by its length, counted from the answer', () => {
  const row = recentOf({ ...base, direction: 'out', answeredAt: 4000 });
  assert.deepEqual([row.outcome, row.seconds, recentWords(row)], ['answered', 5, '5 s']);
});

test('calls that were never answered are told apart', () => {
  const incoming = (title) => recentOf({ ...base, direction: 'in', end: { title, isFailure: false } }).outcome;
  assert.deepEqual(['Missed call', 'Declined', 'Answered on another phone'].map(incoming), ['missed', 'declined', 'elsewhere']);
  const failed = recentOf({ ...base, direction: 'out', end: { title: 'Busy', isFailure: true } });
  assert.deepEqual([failed.outcome, recentWords(failed)], ['failed', 'Busy']);
  assert.equal(recentOf({ ...base, direction: 'out', end: { title: 'Cancelled', isFailure: false } }).outcome, 'cancelled');
});
