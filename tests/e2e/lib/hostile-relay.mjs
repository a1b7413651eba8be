// SPDX-License-Identifier: Apache-2.0
// A man in the middle of a browser's media: the browser's UDP goes through here, so that its own SRTP, RTCP, STUN and DTLS packets
// can be kept, damaged and sent again from the 5-tuple that the gateway has proved. No ICE or SRTP of its own.
import dgram from 'node:dgram';
import { until } from './wait.mjs';

const HOST = '127.0.0.8';
const KEEP = 400;

const kindOf = (bytes) => {
  if (bytes[0] < 4) return 'stun';
  if (bytes[0] >= 20 && bytes[0] < 64) return 'dtls';
  if (bytes[0] >> 6 !== 2) return 'other';
  return bytes[1] >= 192 && bytes[1] <= 223 ? 'rtcp' : 'rtp';
};

/** @param gateway  its WebRTC ports are offered at our address, too  @param workers how many ports it has */
export async function mediaRelay(gateway, { workers = Number(process.env.SIPWAY_WORKERS ?? 1), defer } = {}) {
  const relay = new MediaRelay(gateway.ports.webrtc, workers);
  for (let i = 0; i < workers; i++) await relay.open(gateway.ports.webrtc + i);
  defer?.(() => relay.close());
  return relay;
}

class MediaRelay {
  doors = [];
  ways = new Map(); // browser's port and ours -> {socket towards the gateway, port, count of RTP packets}
  from = {}; // what the browser sent, by kind: Buffer[]
  answers = {}; // what the gateway sent
  onToGateway = null; // async (kind, bytes, way): may send more before the packet itself goes

  constructor(port, workers) {
    this.ports = Array.from({ length: workers }, (_, i) => port + i);
  }

  async open(port) {
    const door = dgram.createSocket('udp4');
    this.doors.push(door);
    door.on('error', () => {}).on('message', (bytes, from) => this.fromBrowser(door, port, bytes, from));
    await new Promise((done) => door.bind(port, HOST, done));
  }

  fromBrowser(door, port, bytes, from) {
    const key = `${from.port}>${port}`;
    let way = this.ways.get(key);
    if (!way) {
      way = { socket: dgram.createSocket('udp4'), port, count: 0 };
      way.socket.on('error', () => {}).on('message', (answer) => {
        note(this.answers, answer);
        door.send(answer, from.port, from.address);
      });
      this.ways.set(key, way);
    }
    way.count += note(this.from, bytes) === 'rtp' ? 1 : 0;
    this.onToGateway?.(kindOf(bytes), bytes, way);
    way.socket.send(bytes, port, '127.0.0.1');
  }

  /** Make a page offer its ICE checks to us instead of to the gateway. */
  async captures(phone) {
    await phone.page.evaluate((host) => {
      const one = window.eval('phone');
      one.ua.on('newRTCSession', ({ session }) => session.on('sdp', (e) => {
        if (e.originator === 'remote') e.sdp = e.sdp.replace(/(a=candidate:.*? )127\.0\.0\.1 /g, `$1${host} `);
      }));
    }, HOST);
  }

  /** The way on which media flows. */
  get way() {
    return [...this.ways.values()].sort((a, b) => b.count - a.count)[0];
  }

  forget() {
    for (const way of this.ways.values()) way.socket.close();
    this.ways.clear();
    Object.assign(this, { from: {}, answers: {} });
  }

  /** Send bytes from the 5-tuple that the gateway knows. */
  inject(bytes, way = this.way) {
    return new Promise((done) => way.socket.send(bytes, way.port, '127.0.0.1', () => done()));
  }

  async kept(kind, count = 1) {
    await until(`${count} ${kind} packets of the browser`, () => (this.from[kind]?.length ?? 0) >= count);
    return this.from[kind].slice(-count);
  }

  close() {
    this.forget();
    this.doors.forEach((door) => door.close());
  }
}

function note(kept, bytes) {
  const kind = kindOf(bytes);
  const list = (kept[kind] ??= []);
  list.push(Buffer.from(bytes));
  if (list.length > KEEP) list.shift();
  return kind;
}
