// SPDX-License-Identifier: Apache-2.0
// Detours between a browser and the gateway, which a test can spoil: a TCP one for the page and its WebSocket, a UDP one for media.
import net from 'node:net';
import dgram from 'node:dgram';

/** A TCP port whose connections are carried to `port`. cut() closes all of them and lets nobody in until mend(). */
export async function tcpDetour(port) {
  const open = new Set();
  let isCut = false;
  const server = net.createServer((near) => {
    if (isCut) return near.destroy();
    const far = net.connect(port, '127.0.0.1');
    for (const [from, to] of [[near, far], [far, near]]) {
      open.add(from);
      from.pipe(to);
      from.on('error', () => {});
      from.on('close', () => {
        open.delete(from);
        to.destroy();
      });
    }
    return near;
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return {
    port: server.address().port,
    url: `http://127.0.0.1:${server.address().port}/`,
    cut() {
      isCut = true;
      for (const socket of open) socket.destroy();
    },
    mend() {
      isCut = false;
    },
    close() {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}

/** UDP ports whose packets are carried to `ports` of the gateway and back, each source by a socket of its own, as a NAT does.
 *  loses(bytes) -> true drops a packet on its way to the browser; isBlocked drops all, both ways; `dropped` counts them. */
export async function udpDetour(ports) {
  const it = { loses: () => false, isBlocked: false, dropped: 0, pairs: [] };
  const sockets = [];
  const bound = async () => {
    const socket = dgram.createSocket('udp4').on('error', () => {});
    sockets.push(socket);
    await new Promise((done) => socket.bind(0, '127.0.0.1', done));
    return socket;
  };
  const carryBack = (front, source) => (bytes) => {
    if (!it.isBlocked && !it.loses(bytes)) return front.send(bytes, source.port, source.address);
    it.dropped++;
    return undefined;
  };
  for (const port of ports) {
    const front = await bound();
    const ways = new Map();
    front.on('message', async (bytes, source) => {
      const key = `${source.address}:${source.port}`;
      if (!ways.has(key)) ways.set(key, bound().then((back) => back.on('message', carryBack(front, source))));
      const back = await ways.get(key);
      if (it.isBlocked) it.dropped++;
      else if (!it.isClosed) back.send(bytes, port, '127.0.0.1');
    });
    it.pairs.push([port, front.address().port]);
  }
  it.close = () => {
    it.isClosed = true;
    for (const socket of sockets) socket.close();
  };
  return it;
}
