// SPDX-License-Identifier: Apache-2.0
// inspect.js: window.sipway, by which tests and curious people look inside. It only reads; secrets are not in it.
//
//   sipway.state     {line, account, calls: [{id, direction, number, name, state, held, isMuted, hasCamera,
//                    answeredAt, end}], current: id|null, figures}: a fresh copy at each read
//   sipway.events    the last 500: {at (ms since page load), type, ...}. Types: 'line' {state}, 'call' {id, direction,
//                    number}, 'state' {id, state}, 'progress' {id, status, hasMedia}, 'ice' {id, state},
//                    'reoffer' {id, isAccepted, status?}, 'held-by-them' / 'resumed-by-them' {id}, 'dtmf' {id, keys},
//                    'end' {id, title, status, said}, 'notice' {text}
//   sipway.on(fn)    fn(event) for each new event; returns a function that stops it
//   sipway.hear()    {db, hz}: loudness and strongest frequency of the far end at this moment
//   sipway.media()   {connection, local, remote}: RTCPeerConnection and MediaStreams of the shown call, or null

import { Emitter } from './emitter.js';

const MAX_EVENTS = 500;

/** @param look {state(), hear(), media()}   @return note(type, fields): writes an event down */
export function openInspector(look) {
  const events = [];
  const emitter = new Emitter();
  window.sipway = Object.freeze({
    get state() {
      return structuredClone(look.state());
    },
    events,
    on: (listener) => emitter.on('event', listener),
    hear: look.hear,
    media: look.media,
  });
  return (type, fields = {}) => {
    const event = { at: Math.round(performance.now()), type, ...fields };
    events.push(event);
    if (events.length > MAX_EVENTS) events.shift();
    emitter.emit('event', event);
  };
}

export function callState(call) {
  const { id, direction, number, name, state, held, isMuted, isBusy, hasCamera, offersVideo, answeredAt, endedAt, end, tones } = call;
  return { id, direction, number, name, state, held: { ...held }, isMuted, isBusy, hasCamera, offersVideo, answeredAt, endedAt, end: end && { ...end }, tones };
}
