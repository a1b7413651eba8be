// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { completeAccount, readSetup, socketUrl } from '../account.js';

const page = { protocol: 'https:', host: 'phone.example.com:8443' };
const setup = readSetup({ domain: 'example.com' });

test('the socket is that of the page unless a server is named', () => {
  assert.equal(socketUrl('', page), 'wss://phone.example.com:8443/');
  assert.equal(socketUrl('', { protocol: 'http:', host: 'localhost:8080' }), 'ws://localhost:8080/');
  assert.equal(socketUrl('gw.example.net', page), 'wss://gw.example.net/');
  assert.equal(socketUrl('ws://10.0.0.5:8080', page), 'ws://10.0.0.5:8080/');
  assert.equal(socketUrl('ws://', page), null);
});

test('a name may carry its domain', () => {
  const complete = (typed) => completeAccount(typed, setup, page);
  assert.equal(complete({ name: 'alice', password: 'x' }).domain, 'example.com');
  assert.deepEqual([complete({ name: 'sip:bob@example.net' }).name, complete({ name: 'sip:bob@example.net' }).domain], ['bob', 'example.net']);
  assert.equal(complete({ name: 'bob', server: 'wss://gw.example.org' }).domain, 'gw.example.org');
  assert.equal(complete({ name: 'bob', server: 'wss://gw.example.org', domain: 'example.org' }).domain, 'example.org');
});

test('what cannot work is said at once', () => {
  assert.match(completeAccount({ name: ' ' }, setup, page).error, /name/);
  assert.match(completeAccount({ name: 'a', server: 'wss://' }, setup, page).error, /server/);
  assert.match(completeAccount({ name: 'a', domain: 'b c' }, setup, page).error, /domain/);
});

test('only well-formed parts of phone.json are taken', () => {
  for (const odd of [null, 7, 'x', [], { domain: 3, account: 'alice', numbers: 'none', iceServers: {} }]) {
    assert.deepEqual(readSetup(odd), { domain: '', iceServers: [], account: null, numbers: [] });
  }
  assert.deepEqual(readSetup({ numbers: [{ number: '600', label: 'Echo' }, { number: '601' }, {}, null] }).numbers,
    [{ number: '600', label: 'Echo' }, { number: '601', label: '601' }]);
});
