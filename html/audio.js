// SPDX-License-Identifier: Apache-2.0
// audio.js: the page's one AudioContext. Browsers let it run only after the person touched the page.

let context = null;

/** The shared context, asked to run; null where WebAudio is missing. */
export function audioContext() {
  const Context = window.AudioContext ?? window.webkitAudioContext;
  if (!Context) return null;
  context ??= new Context({ latencyHint: 'interactive' });
  if (context.state === 'suspended') context.resume().catch(() => {});
  return context;
}

/** Makes the context run at the first touch or key, so that a later call can ring. */
export function wakeOnGesture() {
  const wake = () => audioContext();
  for (const type of ['pointerdown', 'keydown']) window.addEventListener(type, wake, { once: true, capture: true });
}

/** Tones go where the voice goes, where the browser can do that. */
export function sendTonesTo(deviceId) {
  audioContext()?.setSinkId?.(deviceId || '').catch(() => {});
}

/** A track that is silent, for those who have no microphone but want to listen. */
export function silentTrack() {
  const running = audioContext();
  return running ? running.createMediaStreamDestination().stream.getAudioTracks()[0] : null;
}
