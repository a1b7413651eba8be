// SPDX-License-Identifier: Apache-2.0
// Opus for the scripted RTP endpoint, by the codec of a page of the browser under test.
import { isTone, dominant } from './tone.mjs';
import { until } from './wait.mjs';

/** @param {object} phone any BrowserPhone */
export const opusOf = (phone) => ({
  /** @returns {Promise<Buffer[]>} payloads of 20 ms; hz should be a multiple of 50, so that the circle closes */
  async tone(hz, count = 50) {
    const list = await phone.page.evaluate(([f, n]) => window.eval('opus').encode(f, n), [hz, count]);
    return list.map((text) => Buffer.from(text, 'base64'));
  },

  /** Wait until the last packets that came to an RTP endpoint are this tone. */
  hears(rtp, hz, { pt, within = 8000 } = {}) {
    let last;
    return until(() => `tone of ${hz} Hz in Opus on port ${rtp.port} (heard ${JSON.stringify(last)})`, async () => {
      const packets = rtp.packets.filter((p) => pt === undefined || p.pt === pt).slice(-25);
      if (packets.length < 25) return false;
      const text = await phone.page.evaluate((list) => window.eval('opus').decode(list), packets.map((p) => p.payload.toString('base64')));
      const bytes = Buffer.from(text, 'base64');
      const pcm = Float32Array.from({ length: bytes.length / 2 }, (_, i) => bytes.readInt16LE(i * 2) / 32768).slice(4800);
      last = dominant(pcm, 48000);
      return isTone(pcm, hz, 48000);
    }, { within, every: 100 });
  },
});
