// SPDX-License-Identifier: Apache-2.0
// A scripted RTP endpoint on loopback: plays a G.711 tone, echoes, sends digits, and keeps everything it receives, so
// that a test can ask what was heard, in which packets, and with which digits.
import dgram from 'node:dgram';
import { randomInt } from 'node:crypto';
import { g711, encode, decode } from './g711.mjs';
import { sine, isTone, dominant } from './tone.mjs';
import { writeRtp, parseRtp, isRtcp, rtcpTypes, writeEvent, parseEvent } from './rtp-packet.mjs';
import { srtpContext } from './srtp.mjs';
import { until } from './wait.mjs';
import { freePorts } from './ports.mjs';

const KEEP_PACKETS = 6000;

/** @param {{host?: string, port?: number}} where  default: an even free port of 127.0.0.1, RTCP on the next one */
export async function rtpEndpoint({ host = '127.0.0.1', port } = {}) {
  const endpoint = new RtpEndpoint(host);
  for (let attempt = 1; ; attempt++) {
    const [rtpPort, rtcpPort] = port ? [port, port + 1] : await freePorts(2, 2);
    try {
      endpoint.socket = await bound(rtpPort, host, (data, from) => endpoint.onRtp(data, from));
      endpoint.rtcpSocket = await bound(rtcpPort, host, (data, from) => endpoint.onRtcp(data, from));
      return endpoint;
    } catch (error) {
      endpoint.socket?.close();
      endpoint.socket = undefined;
      if (port || attempt === 5) throw error; // a program that makes no claims took it: try others
    }
  }
}

function bound(port, host, onData) {
  return new Promise((done, fail) => {
    const socket = dgram.createSocket('udp4').once('error', fail).on('message', onData);
    socket.bind(port, host, () => done(socket));
  });
}

class RtpEndpoint {
  packets = []; // {pt, marker, seq, ts, ssrc, payload, at (ms), from}, oldest first
  rtcp = []; // {types, bytes, from, at}
  strays = 0; // neither RTP nor RTCP
  forged = 0; // SRTP that was not authentic
  events = new Map(); // payload type of telephone-event -> clock rate
  isEchoing = false;
  ssrc = randomInt(1, 2 ** 32);
  seq = randomInt(0, 2 ** 16);
  ts = randomInt(0, 2 ** 32);

  constructor(host) {
    this.host = host;
  }

  get port() {
    return this.socket.address().port;
  }

  /** Where to send: what the peer's SDP says. */
  sendTo(host, port) {
    this.peer = { host, port };
  }

  onRtp(data, from) {
    if (isRtcp(data)) return this.onRtcp(data, from);
    const clear = this.srtp ? this.srtp.in.unprotect(data) : data;
    if (!clear) this.forged++;
    const packet = clear && parseRtp(clear);
    if (!packet) {
      this.strays++;
      return;
    }
    this.packets.push({ ...packet, at: performance.now(), from: `${from.address}:${from.port}` });
    if (this.packets.length > KEEP_PACKETS) this.packets.shift();
    if (this.isEchoing && this.peer) this.#sendPacket({ ...packet, pt: this.echoNumbers[packet.pt] ?? packet.pt, ssrc: this.ssrc });
  }

  onRtcp(data, from) {
    this.rtcp.push({ types: rtcpTypes(data), bytes: data, from: `${from.address}:${from.port}`, at: performance.now() });
  }

  #sendPacket(fields) {
    const packet = writeRtp(fields);
    this.sendRaw(this.srtp ? this.srtp.out.protect(packet) : packet);
  }

  /** SRTP from now on (lib/srtp.mjs); no keys: plain RTP. @param {{out, in}} [keys] master keys of both directions */
  secure(keys) {
    this.srtp = keys && { out: srtpContext(keys.out), in: srtpContext(keys.in) };
  }

  /** Any bytes to the peer (or elsewhere), from our RTP port. */
  sendRaw(bytes, { host, port } = this.peer) {
    this.socket.send(bytes, port, host);
  }

  /** Everything that comes in goes back, until stop(). `numbers`: {payload type that comes: payload type that goes} */
  echo(numbers = {}) {
    this.stop();
    this.echoNumbers = numbers;
    this.isEchoing = true;
  }

  /** Play a tone until stop(): one packet per ptime, kept on a fixed schedule. */
  sendTone({ codec = 'PCMU', hz = 440, ptime = 20, pt = g711[codec].pt, amplitude = 0.4 } = {}) {
    this.stop();
    const size = ptime * 8;
    let played = 0;
    let marker = true;
    const begin = performance.now();
    const tick = () => {
      while ((played / 8) <= performance.now() - begin) {
        const payload = encode(codec, sine(hz, { seconds: ptime / 1000, from: played, level: amplitude }));
        if (!this.isMuted && this.peer) this.#sendPacket({ ...this.#next(pt, size), marker, payload });
        marker = false;
        played += size;
      }
      this.timer = setTimeout(tick, begin + played / 8 - performance.now());
    };
    tick();
  }

  /** Play ready-made payloads, one per ptime, in a circle (Opus made elsewhere, for example). */
  sendPayloads(payloads, { pt, ptime = 20, rate = 48000 }) {
    this.stop();
    let count = 0;
    const begin = performance.now();
    const tick = () => {
      while (count * ptime <= performance.now() - begin) {
        this.#sendPacket({ ...this.#next(pt, (rate * ptime) / 1000), payload: payloads[count % payloads.length] });
        count++;
      }
      this.timer = setTimeout(tick, begin + count * ptime - performance.now());
    };
    tick();
  }

  #next(pt, size) {
    this.seq = (this.seq + 1) & 0xffff;
    this.ts = (this.ts + size) >>> 0;
    return { pt, seq: this.seq, ts: this.ts, ssrc: this.ssrc };
  }

  /** One digit as telephone-event: a packet per 20 ms, the end three times (RFC 4733 2.5.1). The tone is muted meanwhile. */
  async sendDigit(digit, { pt = 101, ms = 120, rate = 8000 } = {}) {
    const step = rate / 50;
    const ts = (this.ts + step) >>> 0;
    this.isMuted = true;
    for (let n = 1; n <= ms / 20; n++) {
      this.#sendEvent(pt, ts, n === 1, writeEvent(digit, { isEnd: false, duration: n * step }));
      await new Promise((done) => setTimeout(done, 20));
    }
    const end = writeEvent(digit, { isEnd: true, duration: Math.floor(ms / 20) * step });
    for (let n = 0; n < 3; n++) this.#sendEvent(pt, ts, false, end);
    this.ts = (ts + Math.floor(ms / 20) * step) >>> 0;
    this.isMuted = false;
  }

  #sendEvent(pt, ts, marker, payload) {
    this.seq = (this.seq + 1) & 0xffff;
    this.#sendPacket({ pt, seq: this.seq, ts, ssrc: this.ssrc, marker, payload });
  }

  /** Stop what is being sent. */
  stop() {
    clearTimeout(this.timer);
    this.isEchoing = false;
  }

  /** Stop, and forget what came. */
  reset() {
    this.stop();
    Object.assign(this, { packets: [], rtcp: [], strays: 0, forged: 0, events: new Map(), peer: undefined, srtp: undefined, isMuted: false });
  }

  close() {
    this.stop();
    this.socket.close();
    this.rtcpSocket.close();
  }

  /** Which payload types are telephone-event here: {101: 8000}. */
  setEvents(rates) {
    this.events = new Map(Object.entries(rates).map(([pt, rate]) => [Number(pt), rate]));
  }

  #audio() {
    return this.packets.filter((p) => !this.events.has(p.pt));
  }

  /** The last `ms` of G.711 audio that came in, decoded, in order of arrival. */
  pcm({ ms = 400 } = {}) {
    const pieces = [];
    let count = 0;
    for (const packet of this.#audio().reverse()) {
      if (count >= ms * 8) break;
      const law = packet.pt === g711.PCMA.pt ? 'PCMA' : 'PCMU';
      pieces.unshift(decode(law, packet.payload));
      count += packet.payload.length;
    }
    return Float32Array.from(pieces.flatMap((piece) => Array.from(piece)));
  }

  /** Wait until this tone, and nothing else, is heard in the last 400 ms. */
  async hears(hz, { within = 6000, ms = 400 } = {}) {
    const first = this.packets.length;
    const words = () => {
      const pcm = this.pcm({ ms });
      const heard = pcm.length > 512 ? JSON.stringify(dominant(pcm, 8000)) : 'nothing';
      return `tone of ${hz} Hz in RTP on port ${this.port} (heard ${heard}, ${this.packets.length} packets, ${first} before)`;
    };
    return until(words, () => {
      const pcm = this.pcm({ ms });
      return pcm.length >= ms * 8 * 0.9 && isTone(pcm, hz, 8000);
    }, { within });
  }

  /** Wait for `count` more packets. @returns {object[]} them */
  async receives(count, { within = 5000 } = {}) {
    const before = this.packets.length;
    await until(() => `${count} RTP packets on port ${this.port} (${this.packets.length - before} came)`,
      () => this.packets.length - before >= count, { within });
    return this.packets.slice(before, before + count);
  }

  /** Digits received as telephone-event, each counted once by its timestamp. @returns {{digit, pt, duration}[]} */
  digits() {
    const byStart = new Map();
    for (const packet of this.packets) {
      if (!this.events.has(packet.pt)) continue;
      const event = parseEvent(packet.payload);
      if (event) byStart.set(`${packet.ssrc}/${packet.ts}`, { ...event, pt: packet.pt });
    }
    return [...byStart.values()];
  }

  async hearsDigits(text, { within = 6000 } = {}) {
    const found = () => this.digits().map((d) => d.digit).join('');
    return until(() => `digits ${text} as telephone-event (found '${found()}')`, () => found() === text
      && this.digits().every((d) => d.isEnd), { within });
  }

  /** What is wrong with the audio packets: gaps or repeats in sequence, timestamps that do not fit, changes of SSRC. */
  faults({ step = 160 } = {}) {
    const wrong = [];
    const audio = this.packets;
    for (let i = 1; i < audio.length; i++) {
      const [before, now] = [audio[i - 1], audio[i]];
      if (now.ssrc !== before.ssrc) wrong.push(`ssrc ${before.ssrc} -> ${now.ssrc} at ${i}`);
      else if (((now.seq - before.seq) & 0xffff) !== 1) wrong.push(`seq ${before.seq} -> ${now.seq} at ${i}`);
      else if (now.pt === before.pt && !this.events.has(now.pt) && (now.ts - before.ts) >>> 0 !== step && !now.marker) {
        wrong.push(`timestamp ${before.ts} -> ${now.ts} at ${i}`);
      }
    }
    return wrong;
  }
}
