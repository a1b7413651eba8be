// SPDX-License-Identifier: Apache-2.0
// load.mjs: runs bench_load and samples the gateway at each of its marks.
import readline from 'node:readline';
import { sample, start, stop } from './proc.mjs';

/** Run one mode. Gives { marks: {name: fields}, samples: {name: sample} }. Bounded by limitS. */
export async function runLoad(programs, gateway, mode, options, limitS) {
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = start(`${programs}/bench_load`, [mode, ...args], null);
  const late = setTimeout(() => stop(child), limitS * 1000);
  const marks = {};
  const samples = {};
  const lines = readline.createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    const fields = JSON.parse(line);
    samples[fields.mark] = sample(gateway);
    marks[fields.mark] = fields;
  });
  const drained = new Promise((resolve) => lines.on('close', resolve));
  const status = await child.ended;
  await drained;
  clearTimeout(late);
  if (status !== 0) throw new Error(`bench_load ${mode} on ${gateway.name}: ended with ${status} after mark "${Object.keys(marks).pop()}"`);
  return { marks, samples };
}

/** What changed between two samples. */
export function between(from, to) {
  return {
    seconds: (to.atMs - from.atMs) / 1000,
    cpuUs: to.cpuUs - from.cpuUs,
    pssKb: to.pssKb - from.pssKb,
    threads: to.threads - from.threads,
    fds: to.fds - from.fds,
    parts: Object.fromEntries(Object.keys(to.parts).map((part) => [part, to.parts[part] - (from.parts[part] ?? 0)])),
  };
}
