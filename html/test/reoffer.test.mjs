// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { mock, test } from 'node:test';
import { reoffer } from '../reoffer.js';

/** A JsSIP session that answers its re-INVITEs with these status codes in turn; 200 is an answer. */
function sessionAnswering(...statuses) {
  const session = Object.assign(new EventEmitter(), {
    sent: 0, rollbacks: 0, ended: false, direction: 'incoming',
    isEnded: () => session.ended, isEstablished: () => true, isReadyToReOffer: () => true,
    connection: {
      signalingState: 'have-local-offer',
      setLocalDescription: async ({ type }) => { session.rollbacks += type === 'rollback' ? 1 : 0; },
    },
    _sendReinvite({ eventHandlers }) {
      const status = statuses[session.sent];
      session.sent += 1;
      queueMicrotask(() => {
        if (status === 200) eventHandlers.succeeded();
        else if (status === 'ended') session.emit('ended');
        else eventHandlers.failed({ status_code: status });
      });
    },
  });
  return session;
}

test('an accepted offer is sent once', async () => {
  const session = sessionAnswering(200);
  await reoffer(session);
  assert.deepEqual([session.sent, session.rollbacks, session.listenerCount('ended')], [1, 0, 0]);
});

test('a refused offer is rolled back and the call is not ended', async () => {
  const session = sessionAnswering(488);
  await assert.rejects(reoffer(session), { status: 488 });
  assert.deepEqual([session.sent, session.rollbacks, session.ended], [1, 1, false]);
});

test('glare is tried again after a pause', async () => {
  mock.method(Math, 'random', () => 0);
  const session = sessionAnswering(491, 491, 200);
  await reoffer(session);
  assert.deepEqual([session.sent, session.rollbacks], [3, 2]);
  mock.restoreAll();
});

test('a call that ends meanwhile does not leave the button hanging', async () => {
  await assert.rejects(reoffer(sessionAnswering('ended')), { isEnded: true });
});
