// SPDX-License-Identifier: Apache-2.0
// proc.mjs: starts processes, stops them by pid, and reads what they cost out of /proc. Knows no SIP.
import { spawn } from 'node:child_process';
import dgram from 'node:dgram';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';

const started = new Set();

/** Start a program; its output goes to `log` (a file), or is piped when log is null. */
export function start(command, args, log) {
  const out = log ? fs.openSync(log, 'a') : 'pipe';
  const child = spawn(command, args, { stdio: ['ignore', out, log ? out : 'inherit'] });
  if (log) fs.closeSync(out);
  started.add(child);
  child.ended = new Promise((resolve) => {
    child.on('error', (error) => resolve(`${command}: ${error.message}`));
    child.on('exit', (code, signal) => resolve(code ?? signal));
  }).finally(() => started.delete(child));
  return child;
}

/** SIGTERM, and SIGKILL after two seconds, to the process we started and whatever it forked. */
export async function stop(child) {
  if (!child || child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const pids = tree(child.pid);
  child.kill('SIGTERM');
  const late = setTimeout(() => pids.forEach((pid) => kill(pid)), 2000);
  await child.ended;
  clearTimeout(late);
}

function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // gone already
  }
}

export async function stopAll() {
  await Promise.all([...started].map(stop));
}

const read = (path) => {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch {
    return ''; // the process or thread has just ended
  }
};

const list = (path) => {
  try {
    return fs.readdirSync(path);
  } catch {
    return [];
  }
};

/** The process and all its descendants. */
export function tree(pid) {
  const below = list(`/proc/${pid}/task`).flatMap((tid) =>
    read(`/proc/${pid}/task/${tid}/children`).trim().split(' ').filter(Boolean).map(Number));
  return [pid, ...below.flatMap(tree)];
}

/** CPU time of all threads of the processes so far, in us. Threads that have ended are not in it. */
export function cpuUs(pids) {
  return sum(pids, (pid) => list(`/proc/${pid}/task`).reduce(
    (total, tid) => total + Number(read(`/proc/${pid}/task/${tid}/schedstat`).split(' ')[0] || 0) / 1000, 0));
}

const sum = (pids, of) => pids.reduce((total, pid) => total + of(pid), 0);
const field = (text, name) => Number(text.match(new RegExp(`^${name}:\\s+(\\d+)`, 'm'))?.[1] ?? 0);

function ownKb(pid) {
  const text = read(`/proc/${pid}/smaps_rollup`);
  return field(text, 'Pss_Anon') + field(text, 'Pss_Shmem');
}

/** Memory in kB, threads and descriptors. pssKb is anonymous and shared memory, each page counted once: mapped files, whose
 *  share depends on who else runs on the machine, are left out. */
export function size(pids) {
  return {
    pssKb: sum(pids, ownKb),
    rssKb: sum(pids, (pid) => field(read(`/proc/${pid}/status`), 'VmRSS')),
    threads: sum(pids, (pid) => list(`/proc/${pid}/task`).length),
    fds: sum(pids, (pid) => list(`/proc/${pid}/fd`).length),
  };
}

/** All processes of a gateway. */
export function pidsOf(gateway) {
  return gateway.children.flatMap((child) => tree(child.pid));
}

/** CPU time and size of a gateway's processes now. */
export function sample(gateway) {
  const pids = pidsOf(gateway);
  return { at_ms: performance.now(), cpu_us: cpuUs(pids), ...size(pids) };
}

/** A port nobody listens on now, for UDP and TCP alike. */
export function freePort(ip = '127.0.0.1') {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.on('error', reject);
    server.listen(0, ip, () => {
      const { port } = server.address();
      const socket = dgram.createSocket('udp4');
      const done = (answer) => server.close(() => resolve(answer));
      socket.on('error', () => done(freePort(ip)));
      socket.bind(port, ip, () => socket.close(() => done(port)));
    });
  });
}

/** Wait until `probe` gives something true; says what was waited for when it never does. */
export async function until(what, probe, limitMs = 10000) {
  const end = performance.now() + limitMs;
  for (;;) {
    const answer = await probe();
    if (answer) return answer;
    if (performance.now() > end) throw new Error(`${what}: not within ${limitMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Does anything answer HTTP there? A connection alone says little: the kernel takes it before the program is ready. */
export function answersHttp(port, ip = '127.0.0.1') {
  return new Promise((resolve) => {
    const request = http.get({ port, host: ip, path: '/', agent: false, timeout: 1000 }, (response) => {
      response.resume();
      resolve(true);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });
}
