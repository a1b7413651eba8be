// SPDX-License-Identifier: Apache-2.0
// SRTP for the scripted RTP endpoint: AES_CM_128_HMAC_SHA1_80 after RFC 3711, one direction each, and its SDP line (RFC 4568).
// Written from the RFC on node's own AES and HMAC, so that it shares no code with the gateway.
import { createCipheriv, createHmac, randomBytes } from 'node:crypto';

export const SUITE = 'AES_CM_128_HMAC_SHA1_80';
const TAG = 10;

/** A fresh master key and salt. */
export const newKey = () => randomBytes(30);
export const cryptoLine = (key, { tag = 1, suite = SUITE, more = '' } = {}) => `a=crypto:${tag} ${suite} inline:${key.toString('base64')}${more}`;

/** The crypto lines of a description. @returns {{tag, suite, key}[]} */
export const cryptoLines = (sdp) => [...sdp.matchAll(/^a=crypto:(\d+) (\S+) inline:([^\s|;]+)/gm)]
  .map(([, tag, suite, text]) => ({ tag: Number(tag), suite, key: Buffer.from(text, 'base64') }));

function counterMode(key, iv, bytes) {
  const cipher = createCipheriv('aes-128-ctr', key, iv);
  return Buffer.concat([cipher.update(bytes), cipher.final()]);
}

/** RFC 3711 4.3: the label stands 7 bytes from the end of the 14-byte salt. */
function derive(master, label, size) {
  const iv = Buffer.concat([master.subarray(16, 30), Buffer.alloc(2)]);
  iv[7] ^= label;
  return counterMode(master.subarray(0, 16), iv, Buffer.alloc(size));
}

function headerSize(packet) {
  const size = 12 + 4 * (packet[0] & 15);
  return packet[0] & 16 ? size + 4 + 4 * packet.readUInt16BE(size + 2) : size;
}

/** One direction. @param {Buffer} master 16 bytes of key, 14 of salt */
export function srtpContext(master) {
  const [key, authKey, salt] = [derive(master, 0, 16), derive(master, 1, 20), derive(master, 2, 14)];
  let roc = 0;
  let last;
  const follow = (seq) => {
    if (last !== undefined && seq < last && last - seq > 0x8000) roc++;
    last = seq;
  };
  const crypt = (packet) => {
    const iv = Buffer.concat([salt, Buffer.alloc(2)]);
    const size = headerSize(packet);
    for (let i = 0; i < 4; i++) iv[4 + i] ^= packet[8 + i];
    iv.writeUInt32BE((iv.readUInt32BE(8) ^ roc) >>> 0, 8);
    iv.writeUInt16BE(iv.readUInt16BE(12) ^ packet.readUInt16BE(2), 12);
    return Buffer.concat([packet.subarray(0, size), counterMode(key, iv, packet.subarray(size))]);
  };
  const sign = (packet) => {
    const rollover = Buffer.alloc(4);
    rollover.writeUInt32BE(roc);
    return createHmac('sha1', authKey).update(packet).update(rollover).digest().subarray(0, TAG);
  };
  return {
    protect(packet) {
      follow(packet.readUInt16BE(2));
      const out = crypt(packet);
      return Buffer.concat([out, sign(out)]);
    },
    /** @returns {Buffer|null} null: not authentic */
    unprotect(bytes) {
      if (bytes.length < 12 + TAG) return null;
      const packet = bytes.subarray(0, -TAG);
      follow(packet.readUInt16BE(2));
      return sign(packet).equals(bytes.subarray(-TAG)) ? crypt(packet) : null;
    },
  };
}
