// SPDX-License-Identifier: Apache-2.0
// ITU-T G.711 in both laws, sample by sample, by the segment rule of the recommendation.

const BIAS = 33; // of mu-law, on the 14-bit scale

function encodeUlaw(sample) {
  const sign = sample < 0 ? 0x80 : 0;
  const size = Math.min(8158, Math.round(Math.abs(sample) * 8158)) + BIAS;
  const segment = Math.max(0, Math.min(7, 31 - Math.clz32(size) - 5));
  return ~(sign | (segment << 4) | ((size >> (segment + 1)) & 15)) & 0xff;
}

function decodeUlaw(byte) {
  const code = ~byte & 0xff;
  const segment = (code >> 4) & 7;
  const size = (((code & 15) * 2 + BIAS) << segment) - BIAS;
  return ((code & 0x80 ? -1 : 1) * size) / 8158;
}

function encodeAlaw(sample) {
  const size = Math.min(4095, Math.floor(Math.abs(sample) * 4096));
  const segment = Math.max(0, 31 - Math.clz32(size | 1) - 4);
  const step = segment ? (size >> segment) & 15 : (size >> 1) & 15;
  return ((sample < 0 ? 0 : 0x80) | (segment << 4) | step) ^ 0x55;
}

function decodeAlaw(byte) {
  const code = byte ^ 0x55;
  const segment = (code >> 4) & 7;
  const step = (code & 15) * 2 + 1;
  const size = segment ? (step + 32) << (segment - 1) : step;
  return ((code & 0x80 ? 1 : -1) * size) / 4096;
}

const table = (decode) => Float32Array.from({ length: 256 }, (_, byte) => decode(byte));

export const g711 = {
  PCMU: { pt: 0, encode: encodeUlaw, table: table(decodeUlaw) },
  PCMA: { pt: 8, encode: encodeAlaw, table: table(decodeAlaw) },
};

/** @param {Float32Array} pcm 8 kHz, -1..1  @returns {Buffer} one byte per sample */
export const encode = (name, pcm) => Buffer.from(Array.from(pcm, g711[name].encode));

/** @returns {Float32Array} 8 kHz, -1..1 */
export const decode = (name, bytes) => Float32Array.from(bytes, (byte) => g711[name].table[byte]);
