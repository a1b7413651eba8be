// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { displayNameOf, explain, explainSignIn, parseReasons, parseWarnings, unquote } from '../cause.js';

const out = (fields) => explain({ direction: 'out', originator: 'remote', wasAnswered: false, ...fields });
const incoming = (fields) => explain({ direction: 'in', originator: 'remote', wasAnswered: false, ...fields });

test('quoted strings lose their quotes and escapes', () => {
  assert.equal(unquote('"say \\"hi\\" \\\\ now"'), 'say "hi" \\ now');
  assert.equal(unquote(' plain '), 'plain');
});

test('Reason headers are read with commas and semicolons inside quotes', () => {
  assert.deepEqual(parseReasons(['SIP ;cause=486 ;text="Busy; really, yes", Q.850;cause=17']), [
    { protocol: 'SIP', cause: 486, text: 'Busy; really, yes' }, { protocol: 'Q.850', cause: 17, text: '' }]);
});

test('the display name of an identity is decoded, of the first one only', () => {
  assert.equal(displayNameOf('"Doe, Jane <js@example.org>; \\"JD\\" \\\\ x" <sip:+12025550199@192.0.2.10>, <tel:+12025550199>'), 'Doe, Jane <js@example.org>; "JD" \\ x');
  assert.equal(displayNameOf('Bob Stone <sip:bob@example.com>'), 'Bob Stone');
  for (const value of ['<sip:b@example.com>', 'sip:b@example.com', '"" <sip:b@example.com>', '"open <sip:b@c>', '', null]) assert.equal(displayNameOf(value), '', value);
});

test('damaged headers give what could be read and never throw', () => {
  for (const value of ['', ';;;', '"', 'SIP;cause=9999', 'SIP;text="open', '\\', null, undefined]) {
    assert.ok(Array.isArray(parseReasons([value])));
    assert.ok(Array.isArray(parseWarnings([value])));
  }
  assert.equal(parseReasons(['SIP;cause=abc'])[0].cause, null);
});

test('the text of a Warning is found', () => {
  assert.deepEqual(parseWarnings(['399 gw.example.com "no route for \\"99\\""']), ['no route for "99"']);
});

test('a refusal is named by its status and the gateway\'s sentence is handed on as text', () => {
  const end = out({ status: 503, phrase: 'Service Unavailable', warnings: ['399 gw "all 100 lines <b>in use</b>"'], cause: 'Unavailable' });
  assert.deepEqual([end.title, end.said, end.status, end.isFailure], ['No free line', 'all 100 lines <b>in use</b>', 503, true]);
});

test('an unknown status speaks by its class and its phrase', () => {
  const end = out({ status: 499, phrase: 'Quite Odd', cause: 'SIP Failure Code' });
  assert.equal(end.title, 'The call was refused');
  assert.equal(end.said, 'Quite Odd');
});

test('one\'s own hanging up is not a failure', () => {
  assert.equal(out({ originator: 'local', cause: 'Canceled' }).isFailure, false);
  assert.equal(out({ originator: 'local', cause: 'Terminated', wasAnswered: true }).isFailure, false);
  assert.equal(out({ originator: 'remote', cause: 'Terminated', wasAnswered: true }).detail, 'They hung up.');
});

test('a call that was cut says why', () => {
  const end = out({ cause: 'Terminated', wasAnswered: true, reasons: ['SIP;cause=408;text="no RTP for 30 s"'] });
  assert.deepEqual([end.title, end.said, end.isFailure], ['Call was cut', 'no RTP for 30 s', true]);
  assert.equal(out({ cause: 'Terminated', wasAnswered: true, reasons: ['Q.850;cause=16;text="Normal call clearing"'] }).isFailure, false);
});

test('a forked call that another phone took is not a missed one', () => {
  assert.equal(incoming({ cause: 'Canceled', reasons: ['SIP;cause=200;text="Call completed elsewhere"'] }).title, 'Answered on another phone');
  assert.equal(incoming({ cause: 'Canceled' }).title, 'Missed call');
  assert.equal(incoming({ cause: 'Rejected', originator: 'local' }).title, 'Declined');
});

test('trouble of our own is named without a status', () => {
  assert.equal(out({ cause: 'Connection Error', originator: 'system' }).title, 'Connection lost');
  assert.equal(out({ cause: 'RTP Timeout', originator: 'local', wasAnswered: true }).title, 'Sound path broke');
  assert.equal(out({ cause: 'Never Heard Of' }).title, 'The call failed');
});

test('control characters and endless texts of others are tamed', () => {
  const end = out({ status: 500, warnings: [`399 gw "a\u0007b${'x'.repeat(900)}"`] });
  assert.ok(end.said.startsWith('a b') && end.said.length <= 200);
});

test('a wrong password reads the same whatever the gateway calls it', () => {
  for (const status of [401, 403, 407]) assert.equal(explainSignIn({ status }).title, 'Name or password not accepted');
  assert.equal(explainSignIn({ cause: 'Authentication Error' }).title, 'Name or password not accepted');
  assert.equal(explainSignIn({ status: 503, warnings: ['399 gw "draining"'] }).said, 'draining');
});
