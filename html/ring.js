// SPDX-License-Identifier: Apache-2.0
// ring.js: the sounds of a phone, made by WebAudio: ringing, ringback, busy, call waiting, keys.
// Knows nothing of calls; whoever plays a sound stops it.

import { audioContext } from './audio.js';

const DTMF_ROWS = [697, 770, 852, 941];
const DTMF_COLUMNS = [1209, 1336, 1477, 1633];
const DTMF_KEYS = ['123A', '456B', '789C', '*0#D'];

// A sound: notes {at, long, hz: [..], loud, shape} in seconds, repeated `every` seconds, `times` times (0: for ever).
const SOUNDS = {
  ringing: {
    every: 3, times: 0,
    notes: [[0, 659.3], [0.16, 784], [0.32, 987.8], [0.48, 784], [0.95, 659.3], [1.11, 784], [1.27, 987.8], [1.43, 1174.7]]
      .map(([at, hz]) => ({ at, long: 0.5, hz: [hz, hz * 2.01], loud: 0.16, shape: 'bell' })),
  },
  ringback: { every: 5, times: 0, notes: [{ at: 0, long: 1, hz: [425], loud: 0.07, shape: 'flat' }] },
  busy: { every: 1, times: 3, notes: [{ at: 0, long: 0.5, hz: [425], loud: 0.07, shape: 'flat' }] },
  waiting: {
    every: 4, times: 0,
    notes: [{ at: 0, long: 0.12, hz: [440], loud: 0.06, shape: 'flat' }, { at: 0.25, long: 0.12, hz: [440], loud: 0.06, shape: 'flat' }],
  },
  ended: { every: 1, times: 1, notes: [{ at: 0, long: 0.14, hz: [480], loud: 0.06, shape: 'bell' }, { at: 0.16, long: 0.2, hz: [360], loud: 0.06, shape: 'bell' }] },
};

const ASLEEP_RETRY_MS = 200;

let playing = null;

/** The two frequencies of a key, or null. Pure. */
export function dtmfPair(key) {
  const row = DTMF_KEYS.findIndex((keys) => keys.includes(String(key).toUpperCase()));
  if (row < 0 || String(key).length !== 1) return null;
  return [DTMF_ROWS[row], DTMF_COLUMNS[DTMF_KEYS[row].indexOf(String(key).toUpperCase())]];
}

/** Plays one of SOUNDS in place of what plays now; null or 'none' is silence. */
export function playSound(name) {
  if ((playing?.name ?? null) === (name ?? null)) return;
  stopSound();
  const sound = SOUNDS[name];
  const context = sound && audioContext();
  if (!context) return;
  const output = new GainNode(context);
  output.connect(context.destination);
  playing = { name, output, timer: 0, left: sound.times || Infinity };
  repeat(playing, sound);
}

function repeat(self, sound) {
  const context = self.output.context;
  if (context.state !== 'running') {        // its clock stands still: notes would pile up and sound all at once
    self.timer = setTimeout(() => repeat(self, sound), ASLEEP_RETRY_MS);
    return;
  }
  for (const note of sound.notes) playNote(self.output, { ...note, at: context.currentTime + 0.03 + note.at });
  self.left -= 1;
  self.timer = setTimeout(() => {
    if (self.left > 0) repeat(self, sound);
    else if (playing === self) stopSound();
  }, sound.every * 1000);
  if (sound === SOUNDS.ringing) navigator.vibrate?.([300, 150, 300]);
}

export function stopSound() {
  if (!playing) return;
  clearTimeout(playing.timer);
  if (playing.name === 'ringing') navigator.vibrate?.(0);
  playing.output.disconnect();
  playing = null;
}

/** A short beep under the finger. It is not what the far side hears: that is RFC 4733. */
export function keyTone(key) {
  const pair = dtmfPair(key);
  const context = pair && audioContext();
  if (!context) return;
  playNote(context.destination, { at: context.currentTime, long: 0.12, hz: pair, loud: 0.05, shape: 'flat' });
}

function playNote(output, { at, long, hz, loud, shape }) {
  const context = output.context;
  const gain = new GainNode(context, { gain: 0 });
  gain.connect(output);
  gain.gain.setValueAtTime(0, at);
  gain.gain.linearRampToValueAtTime(loud, at + 0.012);
  if (shape === 'bell') gain.gain.exponentialRampToValueAtTime(0.0005, at + long);
  else {
    gain.gain.setValueAtTime(loud, at + long - 0.012);
    gain.gain.linearRampToValueAtTime(0, at + long);
  }
  for (const frequency of hz) {
    const tone = new OscillatorNode(context, { type: 'sine', frequency });
    tone.connect(gain);
    tone.start(at);
    tone.stop(at + long + 0.02);
    tone.onended = () => gain.disconnect();
  }
}
