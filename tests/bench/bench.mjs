#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// bench.mjs: measures gateways on loopback and prints a table and one line of JSON. See README.md beside it.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { startPeer } from './lib/peer.mjs';
import { freePort, stopAll } from './lib/proc.mjs';
import { table } from './lib/report.mjs';
import { calibrate, register, relay, setup, signalling } from './lib/scenarios.mjs';
import { plainConfig, presence, refresh, refreshConfig, trunkDuties } from './lib/duties.mjs';
import { startSipway } from './lib/sipway.mjs';

const full = {
  sizes: [100, 200, 400],
  relay: { seconds: 8, ramp: 80 },
  setup: { rate: 60, seconds: 6, users: 240 },
  register: { rate: 1000, users: 4000 },
  signalling: { rate: 400, seconds: 8 },
  duties: { rate: 300, seconds: 5, rounds: 3 },
  refresh: { users: 10000, trunks: 100, rate: 700, expires: 60, seconds: 40 },
  presence: { watchers: 1000, connections: 10, changes: 5 },
  calibrate: { calls: 200, seconds: 3 },
};
const quick = {
  sizes: [200],
  relay: { seconds: 3, ramp: 100 },
  setup: { rate: 60, seconds: 2, users: 120 },
  register: { rate: 1000, users: 1500 },
  signalling: { rate: 400, seconds: 3 },
  duties: { rate: 300, seconds: 2, rounds: 1 },
  refresh: { users: 1000, trunks: 20, rate: 500, expires: 16, seconds: 9 },
  presence: { watchers: 200, connections: 4, changes: 2 },
  calibrate: { calls: 200, seconds: 1 },
};

const { values: args, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    gateway: { type: 'string', default: 'both' },
    programs: { type: 'string', default: '.' },
    sipway: { type: 'string', default: 'sipway' },
    workers: { type: 'string', default: '0' },
    gather: { type: 'string', default: '1ms' },
    sizes: { type: 'string' },
    seconds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const usage = `usage: bench.mjs [relay|setup|signalling|register|memory|trunk-duties|refresh|presence|calibrate ...] [--gateway peer|sipway|both] [--programs DIR]
  [--sipway PROGRAM] [--workers N] [--gather 1ms] [--sizes 100,200] [--seconds S] [--quick] [--keep]`;

function plan() {
  const chosen = structuredClone(args.quick ? quick : full);
  if (args.sizes) chosen.sizes = args.sizes.split(',').map(Number);
  if (args.seconds) for (const part of ['relay', 'setup', 'signalling', 'calibrate']) chosen[part].seconds = Number(args.seconds);
  return chosen;
}

// memory is read in the runs of relay and register
const wanted = (name) => positionals.length === 0 || positionals.includes(name)
  || (positionals.includes('memory') && (name === 'relay' || name === 'register'));

function scenarios(sizes, chosen) {
  return [
    ...sizes.map((calls) => ['relay', calls, (env, gateway) => relay(env, gateway, { calls, ...chosen.relay })]),
    ['setup', chosen.setup.users, (env, gateway) => setup(env, gateway, chosen.setup)],
    ['signalling', 0, (env, gateway) => signalling(env, gateway, chosen.signalling)],
    ['register', chosen.register.users, (env, gateway) => register(env, gateway, chosen.register)],
    ['trunk-duties', 0, (env, gateway) => trunkDuties(env, gateway, chosen.duties, startMore), { isOurs: true, sip: plainConfig }],
    ['refresh', chosen.refresh.users, (env, gateway) => refresh(env, gateway, chosen.refresh), { isOurs: true, ...refreshConfig(chosen.refresh) }],
    ['presence', chosen.presence.connections + 1, (env, gateway) => presence(env, gateway, chosen.presence),
      { isOurs: true, watchers: ', watchers: ["*"]', more: `presence: {max_per_watcher: ${chosen.presence.watchers}}\n` }],
  ].filter(([name]) => wanted(name));
}

async function environment() {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sipway-bench-'));
  const ports = { trunkIp: '127.0.0.2', trunk: await freePort('127.0.0.2') };
  const peers = { trunk: `127.0.0.2:${ports.trunk}`, sippIp: '127.0.0.3', sippUas: `127.0.0.4:${await freePort('127.0.0.4')}` };
  // below the kernel's ephemeral range, so that no client of the machine sits in it
  const rtpBase = 10000 + 2 * Math.floor(Math.random() * 5000);
  return { dir, ports, peers, rtpBase, programs: path.resolve(args.programs) };
}

function startGateway(name, env, users, more) {
  if (name === 'peer') return startPeer(path.join(env.dir, 'peer'), env.peers, env.rtpBase);
  return startSipway(path.join(env.dir, 'sipway'), env.peers, env.rtpBase,
    { program: path.resolve(args.sipway), users, workers: args.workers, gather: args.gather, ...more });
}

/** A second Sipway beside the first, of the same kind but for `more` of its configuration. */
function startMore(env, peers, more) {
  return startSipway(path.join(env.dir, 'more'), peers, env.rtpBase + 8100,
    { program: path.resolve(args.sipway), users: 0, workers: args.workers, gather: args.gather, ...more });
}

/** One scenario against one gateway, started fresh; a failure is told and leaves the figures out. */
async function measure(env, gatewayName, [name, users, run, { isOurs = false, ...more } = {}]) {
  let gateway;
  if (isOurs && gatewayName === 'peer') return {}; // no such duties there
  process.stderr.write(`${name}${name === 'relay' ? ` ${users}` : ''}, ${gatewayName} ...\n`);
  try {
    gateway = await startGateway(gatewayName, env, users, more);
    return await run(env, gateway);
  } catch (error) {
    process.stderr.write(`  ${error.message}\n`);
    process.exitCode = 1;
    return {};
  } finally {
    await gateway?.stop();
  }
}

async function main() {
  const chosen = plan();
  const env = await environment();
  const gateways = args.gateway === 'both' ? ['peer', 'sipway'] : [args.gateway];
  const results = { peer: {}, sipway: {}, machine: {} };
  const started = Date.now();
  if (wanted('calibrate')) Object.assign(results.machine, await calibrate(env, chosen.calibrate));
  for (const scenario of scenarios(chosen.sizes, chosen)) {
    for (const gateway of gateways) Object.assign(results[gateway], await measure(env, gateway, scenario));
  }
  const machine = { cores: os.cpus().length, model: os.cpus()[0]?.model, kernel: os.release(), loadavg: os.loadavg() };
  console.log(table(results, chosen.sizes));
  console.log(JSON.stringify({ date: new Date().toISOString(), seconds: (Date.now() - started) / 1000, system: machine, ...results }));
  if (args.keep || process.exitCode) process.stderr.write(`logs are kept in ${env.dir}\n`);
  else fs.rmSync(env.dir, { recursive: true, force: true });
}

if (args.help) {
  console.log(usage);
} else {
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => stopAll().then(() => process.exit(130)));
  main().catch(async (error) => {
    process.stderr.write(`${error.stack}\n`);
    await stopAll();
    process.exitCode = 1;
  });
}
