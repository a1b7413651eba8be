// SPDX-License-Identifier: Apache-2.0
// RTP (RFC 3550 5.1) and telephone-event (RFC 4733 2.3) between bytes and objects. No sockets, no time.

const DIGITS = '0123456789*#ABCD';

/** @returns {Buffer} */
export function writeRtp({ pt, seq, ts, ssrc, marker = false, payload }) {
  const header = Buffer.alloc(12);
  header[0] = 0x80;
  header[1] = (marker ? 0x80 : 0) | pt;
  header.writeUInt16BE(seq & 0xffff, 2);
  header.writeUInt32BE(ts >>> 0, 4);
  header.writeUInt32BE(ssrc >>> 0, 8);
  return Buffer.concat([header, payload]);
}

/** @returns {object|null} null when these bytes are not RTP */
export function parseRtp(bytes) {
  if (bytes.length < 12 || bytes[0] >> 6 !== 2) return null;
  let at = 12 + (bytes[0] & 15) * 4;
  if (bytes[0] & 0x10) {
    if (bytes.length < at + 4) return null;
    at += 4 + bytes.readUInt16BE(at + 2) * 4;
  }
  const padding = bytes[0] & 0x20 ? bytes[bytes.length - 1] : 0;
  if (at + padding > bytes.length) return null;
  return {
    pt: bytes[1] & 0x7f,
    marker: bytes[1] >= 0x80,
    seq: bytes.readUInt16BE(2),
    ts: bytes.readUInt32BE(4),
    ssrc: bytes.readUInt32BE(8),
    payload: bytes.subarray(at, bytes.length - padding),
  };
}

/** RTCP has packet types 192..223 where RTP has marker and payload type (RFC 5761 section 4). */
export const isRtcp = (bytes) => bytes.length >= 8 && bytes[0] >> 6 === 2 && bytes[1] >= 192 && bytes[1] <= 223;

/** Packet types of a compound RTCP packet, in order: 200 SR, 201 RR, 202 SDES, 203 BYE, 205 RTPFB, 206 PSFB. */
export function rtcpTypes(bytes) {
  const types = [];
  for (let at = 0; at + 4 <= bytes.length; at += 4 + bytes.readUInt16BE(at + 2) * 4) types.push(bytes[at + 1]);
  return types;
}

/** @param {number} duration in units of the event's clock */
export function writeEvent(digit, { isEnd, volume = 10, duration }) {
  const event = Buffer.from([DIGITS.indexOf(digit), (isEnd ? 0x80 : 0) | volume, 0, 0]);
  event.writeUInt16BE(Math.min(duration, 0xffff), 2);
  return event;
}

export function parseEvent(payload) {
  if (payload.length < 4 || payload[0] >= DIGITS.length) return null;
  return {
    digit: DIGITS[payload[0]],
    isEnd: payload[1] >= 0x80,
    volume: payload[1] & 0x3f,
    duration: payload.readUInt16BE(2),
  };
}
