// SPDX-License-Identifier: Apache-2.0
// audio.js: the page's one AudioContext. Browsers let it run only after the person touched the page.

let context = null;
let speaker = '';
let silence = null;

/** The shared context, asked to run; null where WebAudio is missing. */
export function audioContext() {
  const Context = window.AudioContext ?? window.webkitAudioContext;
  if (!Context) return null;
  if (!context) {
    context = new Context({ latencyHint: 'interactive' });
    sendTonesTo(speaker);
  }
  if (context.state === 'suspended') context.resume().catch(() => {});
  return context;
}

/** Makes the context run at the first touch or key, so that a later call can ring. */
export function wakeOnGesture() {
  const wake = () => audioContext();
  for (const type of ['pointerdown', 'keydown']) window.addEventListener(type, wake, { once: true, capture: true });
}

/** Tones go where the voice goes, where the browser can do that; remembered until there is a context. */
export function sendTonesTo(deviceId) {
  speaker = deviceId || '';
  if (context && (context.sinkId ?? '') !== speaker) context.setSinkId?.(speaker).catch(() => {});
}

/** A track that sends silence: for those who have no microphone, and for a call on hold. It needs a running source:
 *  without one Chromium sends no packets at all, so that nobody can learn our address, RTP timestamps stand still, and
 *  after a short hold the far side's jitter buffer grows by the length of the gap. */
export function silentTrack() {
  const running = audioContext();
  if (!running) return null;
  if (!silence) {
    const source = new ConstantSourceNode(running, { offset: 0 });
    const destination = running.createMediaStreamDestination();
    source.connect(destination);
    source.start();
    [silence] = destination.stream.getAudioTracks();
  }
  return silence.clone();
}
