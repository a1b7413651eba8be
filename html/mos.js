// SPDX-License-Identifier: Apache-2.0
// mos.js: how a call would be judged by its listener, from delay and loss. Pure.
// The E-model of ITU-T G.107 with everything but delay and loss at its defaults (R0 = 93.2), mapped to MOS by
// its Annex B. Equipment figures of G.711 are those of G.113 Appendix I; those of Opus and G.722 are our
// estimate, since G.113 rates narrow-band listeners only. It knows nothing of browsers.

const R_BEST = 93.2;
const EQUIPMENT = {           // impairment without loss, robustness against random loss
  pcmu: { ie: 0, bpl: 25.1 },
  pcma: { ie: 0, bpl: 25.1 },
  g722: { ie: 0, bpl: 18 },
  opus: { ie: 0, bpl: 20 },
  g729: { ie: 11, bpl: 19 },
  ilbc: { ie: 11, bpl: 32 },
};
const FRAME_DELAY_MS = 25;    // one 20 ms frame and the look-ahead of the encoder

/** One way, mouth to ear: half the round trip, the jitter buffer, the codec. All in milliseconds. */
export function oneWayDelayMs({ rttMs = 0, bufferMs = 0 }) {
  return Math.max(0, rttMs) / 2 + Math.max(0, bufferMs) + FRAME_DELAY_MS;
}

/** The rating R, 0 to 93.2. `loss` is a ratio 0..1 of packets that were missing when they were due. */
export function rating({ codec = 'opus', rttMs = 0, bufferMs = 0, loss = 0 }) {
  const { ie, bpl } = EQUIPMENT[String(codec).toLowerCase()] ?? EQUIPMENT.opus;
  const delay = oneWayDelayMs({ rttMs, bufferMs });
  const lossPercent = Math.min(100, Math.max(0, loss * 100));
  const delayImpairment = 0.024 * delay + (delay > 177.3 ? 0.11 * (delay - 177.3) : 0);
  const lossImpairment = ie + (95 - ie) * (lossPercent / (lossPercent + bpl));
  return Math.min(R_BEST, Math.max(0, R_BEST - delayImpairment - lossImpairment));
}

/** MOS 1.0 to 4.4 of a rating. */
export function mosOf(r) {
  if (r <= 0) return 1;
  if (r >= 100) return 4.5;
  return Math.max(1, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6);
}

/** The word for a MOS, in the steps of G.107 Annex B, and a key for its colour. */
export function verdict(mos) {
  if (mos >= 4.3) return { key: 'excellent', word: 'Excellent' };
  if (mos >= 4.0) return { key: 'good', word: 'Good' };
  if (mos >= 3.6) return { key: 'fair', word: 'Fair' };
  if (mos >= 3.1) return { key: 'poor', word: 'Poor' };
  return { key: 'bad', word: 'Bad' };
}

export function estimate(figures) {
  const mos = mosOf(rating(figures));
  return { mos, ...verdict(mos) };
}
