// SPDX-License-Identifier: Apache-2.0
// A WebSocket client that may break every rule of RFC 6455: handshake and frames are written by hand.
import { randomBytes } from 'node:crypto';
import { tcpFrom, webPeer } from './hostile.mjs';
import { until } from './wait.mjs';

export function handshake({ protocol = 'sip', origin, headers = [], path = '/' } = {}) {
  return [
    `GET ${path} HTTP/1.1`, 'Host: 127.0.0.1', 'Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`, ...(protocol ? [`Sec-WebSocket-Protocol: ${protocol}`] : []),
    ...(origin ? [`Origin: ${origin}`] : []), ...headers, '', '',
  ].join('\r\n');
}

/** One frame. @param {object} o  length: what is claimed instead of the truth; masked: false breaks 5.1 */
export function frame(payload, { opcode = 1, fin = true, masked = true, length, rsv = 0 } = {}) {
  const bytes = Buffer.from(payload);
  const claimed = length ?? bytes.length;
  const first = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  const bit = masked ? 0x80 : 0;
  let head;
  if (claimed < 126) head = Buffer.from([first, bit | claimed]);
  else if (claimed < 65536) head = Buffer.from([first, bit | 126, claimed >> 8, claimed & 255]);
  else {
    head = Buffer.alloc(10);
    head.set([first, bit | 127]);
    head.writeBigUInt64BE(BigInt(claimed), 2);
  }
  if (!masked) return Buffer.concat([head, bytes]);
  const mask = randomBytes(4);
  return Buffer.concat([head, mask, Buffer.from(bytes.map((byte, i) => byte ^ mask[i % 4]))]);
}

/** Connect and shake hands. @returns tcpFrom's connection with {status, send(payload, options), frames()} */
export async function rawWs(gateway, { localAddress, defer, ...options } = {}) {
  const one = await tcpFrom(webPeer(gateway), { ...(localAddress && { localAddress }), defer });
  one.socket.write(handshake(options));
  await until('an answer to the handshake', () => one.text.includes('\r\n\r\n') || one.closedAfter !== undefined);
  one.status = Number(one.text.match(/^HTTP\/1\.1 (\d+)/)?.[1] ?? 0);
  const headEnd = one.bytes.indexOf('\r\n\r\n') + 4;
  one.send = (payload, frameOptions) => one.socket.write(frame(payload, frameOptions));
  one.frames = () => readFrames(one.bytes.subarray(headEnd));
  /** close code that was told, 0 when the connection only ended */
  one.closeCode = async (within = 3000) => {
    await until('the end of the WebSocket', () => one.closedAfter !== undefined || one.frames().some((f) => f.opcode === 8), { within });
    const close = one.frames().find((f) => f.opcode === 8);
    return close?.payload.length >= 2 ? close.payload.readUInt16BE(0) : 0;
  };
  return one;
}

function readFrames(bytes) {
  const frames = [];
  for (let at = 0; at + 2 <= bytes.length;) {
    const opcode = bytes[at] & 15;
    let size = bytes[at + 1] & 127;
    let start = at + 2;
    if (size === 126) [size, start] = [bytes.readUInt16BE(at + 2), at + 4];
    else if (size === 127) [size, start] = [Number(bytes.readBigUInt64BE(at + 2)), at + 10];
    frames.push({ opcode, payload: bytes.subarray(start, start + size) });
    at = start + size;
  }
  return frames;
}
