// SPDX-License-Identifier: Apache-2.0
// qualityview.js: the figures of quality.js as words on the page.

import { byId, setText } from './dom.js';

const NONE = '–';

/** Figures -> what each field says. Pure. */
export function figureWords(figures) {
  const ms = (value) => (value === null || value === undefined ? NONE : `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`);
  const percent = (value) => (value === null || value === undefined ? NONE : `${(value * 100).toFixed(1)} %`);
  const rate = (value) => (value === null || value === undefined ? NONE : `${Math.round(value)}`);
  const { video } = figures;
  return {
    mos: figures.mos === null ? NONE : `${figures.mos.toFixed(1)} of 4.5, ${figures.word.toLowerCase()}`,
    codec: figures.codec ?? NONE,
    rtt: ms(figures.rttMs),
    jitter: ms(figures.jitterMs),
    loss: percent(figures.loss),
    'their-loss': percent(figures.theirLoss),
    rate: figures.inKbps === null ? NONE : `${rate(figures.inKbps)} / ${rate(figures.outKbps)} kbit/s`,
    buffer: ms(figures.bufferMs),
    video: video ? `${[video.codec, `${video.width}×${video.height}`, video.fps && `${Math.round(video.fps)} fps`].filter(Boolean).join(', ')}` : NONE,
    route: figures.route ?? NONE,
    srtp: figures.srtp?.replaceAll('_', ' ') ?? NONE,
  };
}

export function showFigures(figures) {
  for (const [field, words] of Object.entries(figureWords(figures))) setText(byId(`q-${field}`), words);
  const badge = byId('quality-word');
  setText(badge, figures.word ?? 'Measuring');
  badge.dataset.key = figures.key ?? '';
}

export function clearFigures() {
  showFigures({ mos: null, word: null, key: null, codec: null, rttMs: null, jitterMs: null, loss: null, theirLoss: null, inKbps: null, outKbps: null, bufferMs: null, video: null, route: null, srtp: null });
}
