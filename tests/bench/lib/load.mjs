// SPDX-License-Identifier: Apache-2.0
// load.mjs: runs bench_load and samples the gateway at each of its marks.
import readline from 'node:readline';
import { pidsOf, size, start, stop } from './proc.mjs';

/** Run one mode. Gives { mark: {cpu_us, at_ms, ...what it printed, ...size()} }. Bounded by limitS. */
export async function runLoad(programs, gateway, mode, options, limitS) {
  const pids = pidsOf(gateway);
  const args = Object.entries({ ...options, pids: pids.join(',') }).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = start(`${programs}/bench_load`, [mode, ...args], null);
  const late = setTimeout(() => stop(child), limitS * 1000);
  const marks = {};
  const lines = readline.createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    const fields = JSON.parse(line);
    marks[fields.mark] = { ...fields, ...size(pids) };
  });
  const drained = new Promise((resolve) => lines.on('close', resolve));
  const status = await child.ended;
  await drained;
  clearTimeout(late);
  if (status !== 0) throw new Error(`bench_load ${mode} on ${gateway.name}: ended with ${status} after mark "${Object.keys(marks).pop()}"`);
  return marks;
}

/** What changed between two marks or samples. */
export function between(from, to) {
  return {
    seconds: (to.at_ms - from.at_ms) / 1000,
    cpuUs: to.cpu_us - from.cpu_us,
    pssKb: to.pssKb - from.pssKb,
    threads: to.threads - from.threads,
    fds: to.fds - from.fds,
  };
}
