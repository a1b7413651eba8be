// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clock, initials, parseTarget, prettyNumber, spokenDuration, stripSeparators, whenWas } from '../number.js';

const target = (typed) => parseTarget(typed, 'example.com');

test('marks for the eye are not dialled', () => {
  assert.equal(stripSeparators('+44 (0)20 7946-0018'), '+442079460018');
  assert.equal(stripSeparators('030 / 123.45'), '03012345');
  assert.equal(stripSeparators('jean-luc.p'), 'jean-luc.p');
  assert.equal(stripSeparators('(0)30 12'), '03012');
});

test('numbers and names belong to our own domain', () => {
  assert.deepEqual(target('600'), { user: '600', host: 'example.com' });
  assert.deepEqual(target(' alice '), { user: 'alice', host: 'example.com' });
  assert.deepEqual(target('tel:+1-202-555-0123'), { user: '+12025550123', host: 'example.com' });
});

test('a typed domain is kept, parameters of a URI are not', () => {
  assert.deepEqual(target('sip:bob@example.net;transport=tcp'), { user: 'bob', host: 'example.net' });
  assert.deepEqual(target('bob@[2001:db8::1]:5070'), { user: 'bob', host: '[2001:db8::1]:5070' });
});

test('service codes keep star and hash as they are; escaping is the writer\'s work', () => {
  assert.deepEqual(target('*21*+12025550177#'), { user: '*21*+12025550177#', host: 'example.com' });
  assert.deepEqual(target('#31#'), { user: '#31#', host: 'example.com' });
});

test('what nobody could mean is refused', () => {
  for (const typed of ['', '   ', 'two words', 'a@', '@b', 'a@b c', 'x'.repeat(129), 'a\nb', '<a>', 'a"b', 'a@exa mple.com', null, undefined]) {
    assert.equal(target(typed), null, JSON.stringify(typed));
  }
  assert.equal(parseTarget('600', ''), null);
});

test('numbers are grouped for reading, other things are left alone', () => {
  assert.equal(prettyNumber('+12025550123'), '+1 202 555 0123');
  assert.equal(prettyNumber('+442079460018'), '+44 207 946 0018');
  assert.equal(prettyNumber('600'), '600');
  assert.equal(prettyNumber('*21*#'), '*21*#');
  assert.equal(prettyNumber('<b>'), '<b>');
  assert.equal(prettyNumber(undefined), '');
});

test('initials take the first and last word, in any script', () => {
  assert.equal(initials('Doe, Jane'), 'DJ');
  assert.equal(initials('ada king lovelace'), 'AL');
  assert.equal(initials('Özil'), 'Ö');
  assert.equal(initials('李 小龙'), '李小');
  assert.equal(initials('+49 30 123'), '#');
  assert.equal(initials(''), '#');
});

test('timers count up to hours and never below zero', () => {
  assert.deepEqual([0, 7, 754, 3723, -3, NaN].map(clock), ['0:00', '0:07', '12:34', '1:02:03', '0:00', '0:00']);
  assert.deepEqual([8, 200, 3720].map(spokenDuration), ['8 s', '3 min 20 s', '1 h 2 min']);
});

test('today shows the time, another day its date', () => {
  const now = new Date(2026, 4, 6, 15, 0).getTime();
  assert.match(whenWas(new Date(2026, 4, 6, 9, 5).getTime(), now, 'en-GB'), /^09:05$/);
  assert.match(whenWas(new Date(2026, 4, 5, 9, 5).getTime(), now, 'en-GB'), /5 May/);
});
