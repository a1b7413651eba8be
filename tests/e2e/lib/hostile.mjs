// SPDX-License-Identifier: Apache-2.0
// Tools of an attacker, all seeded and bounded: other source addresses, mutated bytes, and the vital signs of the process under attack.
import fs from 'node:fs';
import dgram from 'node:dgram';
import net from 'node:net';
import { sipAgent } from './sip-agent.mjs';
import { inTime, until } from './wait.mjs';

/** An address from which no trunk of the tests accepts. */
export const STRANGER = '127.0.0.3';

/** A SIP agent on a stranger's address that does nothing by itself. */
export async function strangerAt(gateway, { host = STRANGER, defer, ...more } = {}) {
  const agent = await sipAgent({ name: 'stranger', user: 'stranger', peer: gateway.sip, host, ...more });
  agent.auto = {};
  defer?.(() => agent.close());
  return agent;
}

/** Pseudo-random numbers: the same seed gives the same attack. @returns {(below: number) => number} */
export function seeded(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

export const randomBytes = (random, size) => Buffer.from(Array.from({ length: size }, () => random(256)));

/** One damaged copy: some bits flipped, cut short, a piece repeated or overwritten, or bytes of nothing at all. */
export function mutate(bytes, random) {
  const copy = Buffer.from(bytes);
  if (!copy.length) return copy;
  const at = random(copy.length);
  switch (random(6)) {
    case 0:
      return copy.subarray(0, at);
    case 1:
      return Buffer.concat([copy.subarray(0, at), copy.subarray(random(at + 1))]);
    case 2:
      return Buffer.concat([copy.subarray(0, at), randomBytes(random, 1 + random(12)), copy.subarray(at)]);
    case 3:
      return randomBytes(random, 1 + random(200));
    default:
      for (let n = 1 + random(8); n > 0; n--) copy[random(copy.length)] ^= 1 << random(8);
      return copy;
  }
}

/** A UDP socket that counts what comes back. */
export async function udpFrom(host = STRANGER, defer) {
  const socket = dgram.createSocket('udp4');
  const one = { socket, answers: [], send: (bytes, to) => new Promise((done) => socket.send(bytes, to.port, to.host, () => done())) };
  socket.on('message', (data) => one.answers.push(data)).on('error', () => {});
  await new Promise((done) => socket.bind(0, host, done));
  defer?.(() => socket.close());
  return one;
}

/** A TCP connection that remembers what came and when it was closed. @returns {socket, text, closedAfter} */
export async function tcpFrom(peer, { localAddress = STRANGER, defer } = {}) {
  const socket = net.connect({ port: peer.port, host: peer.host, localAddress });
  const one = { socket, text: '', bytes: Buffer.alloc(0), opened: performance.now(), closedAfter: undefined };
  socket.on('data', (data) => {
    one.bytes = Buffer.concat([one.bytes, data]);
    one.text = one.bytes.toString('latin1');
  });
  one.closed = new Promise((done) => socket.on('error', () => {}).on('close', () => {
    one.closedAfter = performance.now() - one.opened;
    done(one);
  }));
  defer?.(() => socket.destroy());
  await inTime(`connection to ${peer.host}:${peer.port}`, new Promise((done) => socket.once('connect', done).once('close', done)));
  return one;
}

export const webPeer = (gateway) => ({ host: '127.0.0.1', port: gateway.ports.web });

/** What the gateway is made of just now. @returns {{rss: bytes, fds: number, udp: number}} */
export function vitals(gateway) {
  const pid = gateway.program.pid;
  const rss = Number(fs.readFileSync(`/proc/${pid}/status`, 'latin1').match(/VmRSS:\s+(\d+)/)[1]) * 1024;
  return { rss, fds: fs.readdirSync(`/proc/${pid}/fd`).length };
}

/** The gateway has worked off what was sent to it: the loop answers, and this figure does not move any more. */
export async function settled(gateway, metric = 'sipway_sip_messages_received_total') {
  let before = -1;
  await until(`rest of ${metric}`, async () => {
    const now = await gateway.admin.metric(metric);
    const isStill = now === before;
    before = now;
    return isStill;
  }, { every: 120 });
}

/** The same load three times: the third round may not make the process larger, nor leave descriptors. */
export async function thirdRoundIsFlat(gateway, load, { growth = 1024 * 1024, fds = 2000 } = {}) {
  const before = vitals(gateway);
  const seen = [];
  for (let round = 1; round <= 3; round++) {
    await load(round);
    await settled(gateway);
    await until('descriptors as before', () => vitals(gateway).fds <= before.fds, { within: fds }).catch(() => {});
    seen.push(vitals(gateway));
  }
  if (isSanitized()) return;
  const more = seen[2].rss - seen[1].rss;
  if (more >= growth) throw new Error(`the third round took ${more} bytes more (rss ${seen.map((one) => one.rss)})`);
  if (seen[2].fds > before.fds) throw new Error(`descriptors: ${before.fds} before, ${seen[2].fds} after`);
}

/** A sanitizer keeps freed memory for a while, so its size says nothing. */
export const isSanitized = () => Boolean(process.env.E2E_PATIENCE && Number(process.env.E2E_PATIENCE) > 1);

/** Nothing may have crashed it: the process that was started still answers. */
export async function stillAlive(gateway) {
  if (!gateway.program.isRunning) throw new Error(`the gateway ended: code ${gateway.program.result.code} ${gateway.program.result.signal}`);
  await until('an answer of /health', async () => (await gateway.admin.text('/health').catch(() => ({}))).status === 200);
}

/** How much each of these counters grew while `run` ran. */
export async function grown(gateway, names, run) {
  const read = () => Promise.all(names.map((name) => gateway.admin.metric(`sipway_${name}`)));
  const before = await read();
  const result = await run();
  const after = await read();
  return { result, ...Object.fromEntries(names.map((name, i) => [name, after[i] - before[i]])) };
}
