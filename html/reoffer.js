// SPDX-License-Identifier: Apache-2.0
// reoffer.js: a re-INVITE that may be refused without ending the call. RFC 3261 14.1.
// JsSIP's own hold() and renegotiate() hang up when the far side says 488 or 491; a person expects the call to go
// on as it was. This is the one room that touches a private part of JsSIP (its version is pinned in package.json).

const BUSY_RETRY_MS = 100;
const BUSY_TRIES = 60;
const GLARE_TRIES = 3;

/** Sends a new offer for an answered call.
 *  @param session JsSIP RTCSession   @param constraints e.g. {iceRestart: true}
 *  @return promise: resolved when the answer is applied; rejected, and the connection rolled back, when refused */
export async function reoffer(session, constraints = null) {
  for (let glare = 0; ; glare += 1) {
    await untilReady(session);
    const refusal = await offerOnce(session, constraints);
    if (!refusal) return;
    await rollBack(session.connection);
    if (refusal.status !== 491 || glare === GLARE_TRIES) throw Object.assign(new Error('refused'), refusal);
    await pause(glarePauseMs(session.direction));
  }
}

function offerOnce(session, constraints) {
  return new Promise((resolve) => {
    const stopped = () => resolve({ status: 0, isEnded: true });
    session.once('ended', stopped);
    session.once('failed', stopped);
    const done = (refusal) => {
      session.removeListener('ended', stopped);
      session.removeListener('failed', stopped);
      resolve(refusal);
    };
    session._sendReinvite({
      eventHandlers: {
        succeeded: () => done(null),
        failed: (response) => done({ status: response?.status_code ?? 0 }),
      },
      rtcOfferConstraints: constraints,
    });
  });
}

async function untilReady(session) {
  for (let tries = 0; tries < BUSY_TRIES; tries += 1) {
    if (session.isEnded()) throw Object.assign(new Error('ended'), { status: 0, isEnded: true });
    if (session.isEstablished() && session.isReadyToReOffer()) return;
    await pause(BUSY_RETRY_MS);
  }
  throw Object.assign(new Error('another change is still running'), { status: 491 });
}

async function rollBack(connection) {
  if (connection?.signalingState === 'have-local-offer') {
    await connection.setLocalDescription({ type: 'rollback' }).catch(() => {});
  }
}

/** The side that made the call waits longer, so that the two do not collide again. */
function glarePauseMs(direction) {
  return direction === 'outgoing' ? 2100 + Math.random() * 1900 : Math.random() * 2000;
}

function pause(ms) {
  return new Promise((resolve) => { setTimeout(resolve, ms); });
}
