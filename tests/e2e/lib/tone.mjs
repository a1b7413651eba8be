// SPDX-License-Identifier: Apache-2.0
// What is heard: levels, frequencies and gaps in mono PCM (Float32Array or number[], -1..1), and WAV files.
import fs from 'node:fs';

/** A sine. @returns {Float32Array} */
export function sine(hz, { rate = 8000, seconds = 1, level = 0.4, from = 0 } = {}) {
  const step = (2 * Math.PI * hz) / rate;
  return Float32Array.from({ length: Math.round(rate * seconds) }, (_, i) => level * Math.sin(step * (from + i)));
}

/** Root mean square, 0..1. */
export function level(pcm) {
  let sum = 0;
  for (const sample of pcm) sum += sample * sample;
  return pcm.length ? Math.sqrt(sum / pcm.length) : 0;
}

/** Power share (0..1, 1 = nothing else is heard) of one frequency, by Goertzel's filter over a Hann window. */
export function share(pcm, hz, rate) {
  const coefficient = 2 * Math.cos((2 * Math.PI * hz) / rate);
  let before = 0;
  let last = 0;
  let energy = 0;
  for (let i = 0; i < pcm.length; i++) {
    const hann = 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / (pcm.length - 1));
    const windowed = pcm[i] * hann;
    energy += windowed * windowed;
    [before, last] = [last, windowed + coefficient * last - before];
  }
  const power = last * last + before * before - coefficient * last * before;
  // A pure sine under a Hann window has 2/3 of its power in the centre bin.
  return energy ? Math.min(1, (power * 2) / (energy * pcm.length) / (2 / 3)) : 0;
}

/** Strongest frequency of the piece, refined between bins. @returns {{hz: number, share: number, level: number}} */
export function dominant(pcm, rate, { low = 150, high = 3800 } = {}) {
  const size = 2 ** Math.floor(Math.log2(Math.max(2, pcm.length)));
  const powers = spectrum(pcm.slice(pcm.length - size));
  const bin = rate / size;
  let best = Math.ceil(low / bin);
  for (let i = best; i <= Math.min(high / bin, powers.length - 2); i++) if (powers[i] > powers[best]) best = i;
  const [left, middle, right] = [-1, 0, 1].map((d) => Math.log(powers[best + d] + 1e-20));
  const curve = left - 2 * middle + right;
  const hz = (best + (curve ? (0.5 * (left - right)) / curve : 0)) * bin;
  return { hz, share: share(pcm, hz, rate), level: level(pcm) };
}

/** Power of each bin up to half the rate, Hann window, radix-2 FFT. The length must be a power of two. */
function spectrum(pcm) {
  const n = pcm.length;
  const re = Float64Array.from(pcm, (s, i) => s * (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / (n - 1))));
  const im = new Float64Array(n);
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) [re[i], re[j]] = [re[j], re[i]];
  }
  for (let half = 1; half < n; half *= 2) butterflies(re, im, half);
  return Float64Array.from({ length: n / 2 }, (_, i) => re[i] * re[i] + im[i] * im[i]);
}

function butterflies(re, im, half) {
  for (let k = 0; k < half; k++) {
    const c = Math.cos((Math.PI * k) / half);
    const s = -Math.sin((Math.PI * k) / half);
    for (let i = k; i < re.length; i += 2 * half) {
      const j = i + half;
      const x = re[j] * c - im[j] * s;
      const y = re[j] * s + im[j] * c;
      [re[j], im[j]] = [re[i] - x, im[i] - y];
      re[i] += x;
      im[i] += y;
    }
  }
}

/** Is this tone the one thing that is heard? */
export function isTone(pcm, hz, rate, { tolerance = 12, minShare = 0.6, minLevel = 0.02 } = {}) {
  const heard = dominant(pcm, rate);
  return Math.abs(heard.hz - hz) <= tolerance && heard.share >= minShare && heard.level >= minLevel;
}

/** Are both frequencies of a pair (a DTMF digit) heard, and strong? */
export function isPair(pcm, [first, second], rate, { minShare = 0.15, minLevel = 0.01 } = {}) {
  return level(pcm) >= minLevel && share(pcm, first, rate) >= minShare && share(pcm, second, rate) >= minShare;
}

/** Stretches of at least `min_ms` in which nothing is heard. @returns {{start_ms: number, length_ms: number}[]} */
export function gaps(pcm, rate, { min_ms = 30, quiet = 0.005 } = {}) {
  const frame = Math.round(rate / 100);
  const found = [];
  let start = -1;
  for (let i = 0; i + frame <= pcm.length + frame; i += frame) {
    const isQuiet = i + frame <= pcm.length && level(pcm.slice(i, i + frame)) < quiet;
    if (isQuiet && start < 0) start = i;
    if (!isQuiet && start >= 0) {
      const length_ms = ((i - start) * 1000) / rate;
      if (length_ms >= min_ms) found.push({ start_ms: (start * 1000) / rate, length_ms });
      start = -1;
    }
  }
  return found;
}

/** Find a stretch that is this tone, anywhere in a longer recording. */
export function containsTone(pcm, hz, rate, { seconds = 0.4, ...limits } = {}) {
  const size = Math.round(rate * seconds);
  for (let i = 0; i + size <= pcm.length; i += size >> 1) if (isTone(pcm.slice(i, i + size), hz, rate, limits)) return true;
  return false;
}

/** Frequencies of each digit (ITU-T Q.23). */
export function digitPair(digit) {
  const at = '123A456B789C*0#D'.indexOf(digit);
  return [[697, 770, 852, 941][at >> 2], [1209, 1336, 1477, 1633][at & 3]];
}

/** Write mono 16-bit PCM. */
export function writeWav(file, pcm, rate) {
  const data = Buffer.alloc(44 + pcm.length * 2);
  data.write('RIFF', 0);
  data.writeUInt32LE(36 + pcm.length * 2, 4);
  data.write('WAVEfmt ', 8);
  data.writeUInt32LE(16, 16);
  data.writeUInt16LE(1, 20);
  data.writeUInt16LE(1, 22);
  data.writeUInt32LE(rate, 24);
  data.writeUInt32LE(rate * 2, 28);
  data.writeUInt16LE(2, 32);
  data.writeUInt16LE(16, 34);
  data.write('data', 36);
  data.writeUInt32LE(pcm.length * 2, 40);
  pcm.forEach((s, i) => data.writeInt16LE(Math.round(Math.max(-1, Math.min(1, s)) * 32767), 44 + i * 2));
  fs.writeFileSync(file, data);
}

/** Read 16-bit PCM; the first channel. Copes with a file that is still being written (sizes in the header are ignored). */
export function readWav(file) {
  const data = fs.readFileSync(file);
  if (data.length < 44 || data.toString('latin1', 0, 4) !== 'RIFF') return { rate: 8000, pcm: new Float32Array(0) };
  let at = 12;
  let rate = 8000;
  let channels = 1;
  while (at + 8 <= data.length && data.toString('latin1', at, at + 4) !== 'data') {
    if (data.toString('latin1', at, at + 4) === 'fmt ') {
      channels = data.readUInt16LE(at + 10);
      rate = data.readUInt32LE(at + 12);
    }
    at += 8 + data.readUInt32LE(at + 4);
  }
  const count = Math.max(0, Math.floor((data.length - at - 8) / (2 * channels)));
  const pcm = Float32Array.from({ length: count }, (_, i) => data.readInt16LE(at + 8 + i * 2 * channels) / 32768);
  return { rate, pcm };
}
