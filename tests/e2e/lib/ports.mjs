// SPDX-License-Identifier: Apache-2.0
// Free loopback ports. A port is free when both a UDP and a TCP socket can be bound to it, and it stays ours by a small
// claim file, because the program that will use it binds it only later and other runs may look for ports meanwhile.
import dgram from 'node:dgram';
import net from 'node:net';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

// Below the range from which the kernel gives out ephemeral ports, so that nobody gets ours by accident.
const LOWEST = 12000;
const HIGHEST = 32000;
const CLAIMS = path.join(os.tmpdir(), 'sipway-e2e-ports');
const mine = new Set();

/** @returns {Promise<number>} one port, free for UDP and TCP on 127.0.0.1 */
export async function freePort() {
  return (await freePorts(1))[0];
}

/** @returns {Promise<number[]>} `count` consecutive ports; the first one is a multiple of `align` */
export async function freePorts(count, align = 1) {
  for (let attempt = 0; attempt < 500; attempt++) {
    const span = HIGHEST - LOWEST - count;
    const first = Math.floor((LOWEST + Math.random() * span) / align) * align;
    const block = Array.from({ length: count }, (_, i) => first + i);
    if (await takeAll(block)) return block;
  }
  throw new Error(`no ${count} consecutive free ports between ${LOWEST} and ${HIGHEST}`);
}

async function takeAll(block) {
  const taken = [];
  for (const port of block) {
    if (!claim(port)) break;
    taken.push(port);
    if (!(await isFree(port))) break;
  }
  if (taken.length === block.length && (await isFree(block.at(-1)))) return true;
  taken.forEach(release);
  return false;
}

function claim(port) {
  fs.mkdirSync(CLAIMS, { recursive: true });
  const file = path.join(CLAIMS, String(port));
  try {
    fs.writeFileSync(file, String(process.pid), { flag: 'wx' });
  } catch {
    if (ownerLives(file)) return false;
    fs.writeFileSync(file, String(process.pid));
  }
  mine.add(port);
  return true;
}

function ownerLives(file) {
  try {
    process.kill(Number(fs.readFileSync(file, 'utf8')), 0);
    return true;
  } catch {
    return false;
  }
}

function release(port) {
  mine.delete(port);
  fs.rmSync(path.join(CLAIMS, String(port)), { force: true });
}

async function isFree(port) {
  return (await bindsTcp(port)) && bindsUdp(port);
}

function bindsTcp(port) {
  return new Promise((done) => {
    const server = net.createServer().once('error', () => done(false));
    server.listen(port, '127.0.0.1', () => server.close(() => done(true)));
  });
}

function bindsUdp(port) {
  return new Promise((done) => {
    const socket = dgram.createSocket('udp4').once('error', () => done(false));
    socket.bind(port, '127.0.0.1', () => socket.close(() => done(true)));
  });
}

process.on('exit', () => mine.forEach(release));
