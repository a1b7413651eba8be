// SPDX-License-Identifier: Apache-2.0
// SIP messages over UDP, TCP, TLS and WebSocket (RFC 7118): each gives {proto, host, port, send(bytes, to), close()} and
// hands every message to `onMessage(text, from)`. Knows nothing of what a message says beyond where it ends.
import dgram from 'node:dgram';
import net from 'node:net';
import tls from 'node:tls';
import { inTime } from './wait.mjs';

/** Sends from one bound port; `to` is {host, port}. */
export function udpTransport({ host = '127.0.0.1', port = 0, onMessage }) {
  return new Promise((done, fail) => {
    const socket = dgram.createSocket('udp4').once('error', fail);
    socket.on('message', (data, from) => onMessage(data.toString(), { host: from.address, port: from.port, bytes: data.length }));
    socket.bind(port, host, () => done({
      proto: 'UDP',
      host,
      port: socket.address().port,
      send: (bytes, to) => socket.send(bytes, to.port, to.host),
      close: () => socket.close(),
    }));
  });
}

/** One connection opened by us (TCP, or TLS when `secure`), from `localAddress` if given. */
export async function streamClient({ peer, secure = false, localAddress, onMessage, onClose = () => {} }) {
  const socket = secure
    ? tls.connect({ host: peer.host, port: peer.port, localAddress, rejectUnauthorized: false })
    : net.connect({ host: peer.host, port: peer.port, localAddress });
  await inTime(`connection to ${peer.host}:${peer.port}`, new Promise((done, fail) => {
    socket.once(secure ? 'secureConnect' : 'connect', done).once('error', fail);
  }));
  readMessages(socket, onMessage);
  socket.on('error', () => {}).on('close', onClose);
  return {
    proto: secure ? 'TLS' : 'TCP',
    host: socket.localAddress,
    port: socket.localPort,
    send: (bytes) => socket.write(bytes),
    close: () => socket.destroy(),
    socket,
  };
}

/** A listening peer: the gateway connects to us; answers go over the connection of the request (`to.socket`). */
export function streamServer({ host = '127.0.0.1', port = 0, secure, onMessage }) {
  const sockets = new Set();
  const onSocket = (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    readMessages(socket, (text) => onMessage(text, { host: socket.remoteAddress, port: socket.remotePort, socket }));
  };
  const server = secure ? tls.createServer(secure, onSocket) : net.createServer(onSocket);
  return new Promise((done, fail) => {
    server.once('error', fail).listen(port, host, () => done({
      proto: secure ? 'TLS' : 'TCP',
      host,
      port: server.address().port,
      send: (bytes, to) => (to?.socket ?? [...sockets].at(-1)).write(bytes),
      close: () => {
        sockets.forEach((socket) => socket.destroy());
        server.close();
      },
      sockets,
    }));
  });
}

/** RFC 3261 18.3: Content-Length alone ends a message on a stream. Bytes are kept as latin1 so that counting is exact. */
function readMessages(socket, onMessage) {
  let rest = '';
  socket.on('data', (data) => {
    rest += data.toString('latin1');
    for (;;) {
      rest = rest.replace(/^(\r\n)+/, '');
      const end = rest.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = Number(rest.slice(0, end).match(/\r\n(?:content-length|l)\s*:\s*(\d+)/i)?.[1] ?? 0);
      if (rest.length < end + 4 + length) return;
      onMessage(Buffer.from(rest.slice(0, end + 4 + length), 'latin1').toString());
      rest = rest.slice(end + 4 + length);
    }
  });
}

/** A browser's side of SIP over WebSocket. `origin` and further `options` as for the ws package. */
export async function wsClient({ url, onMessage, onClose = () => {}, protocol = 'sip', options = {} }) {
  const { WebSocket } = await import('ws');
  const socket = new WebSocket(url, protocol, { rejectUnauthorized: false, ...options });
  await inTime(`WebSocket to ${url}`, new Promise((done, fail) => {
    socket.once('open', done).once('error', fail);
  }));
  socket.on('message', (data) => onMessage(data.toString(), {}));
  socket.on('error', () => {}).on('close', (code) => onClose(code));
  return {
    proto: url.startsWith('wss') ? 'WSS' : 'WS',
    host: `${Math.random().toString(36).slice(2, 12)}.invalid`,
    port: undefined,
    send: (bytes) => socket.send(bytes.toString()),
    close: () => socket.terminate(),
    socket,
  };
}
