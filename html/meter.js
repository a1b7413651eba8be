// SPDX-License-Identifier: Apache-2.0
// meter.js: how loud a stream is, for a bar on the screen. WebAudio AnalyserNode; draws by CSS variable only.

import { audioContext } from './audio.js';

const FLOOR_DB = -60;
const TOP_DB = -6;

/** RMS of samples in dBFS, -Infinity for silence. Pure. */
export function levelDb(samples) {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return samples.length ? 10 * Math.log10(sum / samples.length) : -Infinity;
}

/** dBFS to a share 0..1 of the bar. Pure. */
export function share(db) {
  return Math.min(1, Math.max(0, (db - FLOOR_DB) / (TOP_DB - FLOOR_DB)));
}

/** The strongest frequency of a spectrum in dB, refined between bins; 0 when nothing stands out. Pure. */
export function peakHz(spectrumDb, rateHz) {
  let top = 2;
  for (let bin = 3; bin < spectrumDb.length - 1; bin += 1) if (spectrumDb[bin] > spectrumDb[top]) top = bin;
  if (!(spectrumDb[top] > -75)) return 0;
  const [left, mid, right] = [spectrumDb[top - 1], spectrumDb[top], spectrumDb[top + 1]];
  const bend = left - 2 * mid + right;
  const shift = Number.isFinite(bend) && bend !== 0 ? 0.5 * (left - right) / bend : 0;
  return (top + shift) * rateHz / 2 / spectrumDb.length;
}

export class LevelMeter {
  #source = null;
  #analyser = null;
  #samples = null;
  #frame = 0;
  #shown = 0;
  db = -Infinity;

  /** @param bar the element whose --level (0..1) follows the stream; may be null */
  constructor(bar) {
    this.bar = bar;
  }

  start(stream) {
    this.stop();
    const context = audioContext();
    if (!context || !stream?.getAudioTracks().length) return;
    this.#analyser = new AnalyserNode(context, { fftSize: 2048, smoothingTimeConstant: 0.2 });
    this.#samples = new Float32Array(this.#analyser.fftSize);
    this.#source = context.createMediaStreamSource(stream);
    this.#source.connect(this.#analyser);
    this.#frame = requestAnimationFrame(() => this.#draw());
  }

  measure() {
    if (!this.#analyser) return -Infinity;
    this.#analyser.getFloatTimeDomainData(this.#samples);
    this.db = levelDb(this.#samples);
    return this.db;
  }

  /** {db, hz} of this moment, for tests that ask what is heard. */
  hear() {
    if (!this.#analyser) return { db: -Infinity, hz: 0 };
    const spectrum = new Float32Array(this.#analyser.frequencyBinCount);
    this.#analyser.getFloatFrequencyData(spectrum);
    const db = this.measure();
    return { db, hz: db > FLOOR_DB ? peakHz(spectrum, this.#analyser.context.sampleRate) : 0 };
  }

  #draw() {
    const now = share(this.measure());
    this.#shown = now > this.#shown ? now : Math.max(now, this.#shown - 0.03);   // falls slowly, like a needle
    this.bar?.style.setProperty('--level', this.#shown.toFixed(3));
    this.#frame = requestAnimationFrame(() => this.#draw());
  }

  stop() {
    cancelAnimationFrame(this.#frame);
    this.#source?.disconnect();
    this.#source = null;
    this.#analyser = null;
    this.db = -Infinity;
    this.#shown = 0;
    this.bar?.style.setProperty('--level', '0');
  }
}
