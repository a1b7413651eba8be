// SPDX-License-Identifier: Apache-2.0
// scenarios.mjs: what is measured. Each scenario runs against one gateway and gives { figure: number } for the report.
import fs from 'node:fs';
import path from 'node:path';
import { between, runLoad } from './load.mjs';
import { freePort, sample, start, stop } from './proc.mjs';

const here = path.dirname(new URL(import.meta.url).pathname);

const toward = (gateway, ports) => ({
  'ws-port': gateway.wsPort, path: gateway.path, 'sip-port': gateway.sipPort, 'trunk-ip': ports.trunkIp, 'trunk-port': ports.trunk,
});

/** N calls that talk: CPU per relayed packet, delay, loss, size of a call. */
export async function relay(env, gateway, { calls, seconds, ramp }) {
  const marks = await runLoad(env.programs, gateway, 'relay',
    { ...toward(gateway, env.ports), calls, seconds, rate: ramp }, 60 + seconds);
  const end = marks.end;
  const cost = between(marks.start, marks.end);
  const grown = between(marks.registered, marks.start);
  const up = end.calls || NaN;
  const owed = end.calls * 100 * seconds;
  if (end.sent < 0.97 * owed) {
    process.stderr.write(`  the machine is too busy: the generator sent ${end.sent} of ${owed} packets\n`);
  }
  return {
    [`relay${calls}.us_per_packet`]: cost.cpuUs / end.packets,
    [`relay${calls}.cores`]: cost.cpuUs / 1e6 / cost.seconds,
    [`relay${calls}.delay_p50_ms`]: Math.max(end.to_browser_us.p50, end.to_trunk_us.p50) / 1000,
    [`relay${calls}.delay_p99_ms`]: Math.max(end.to_browser_us.p99, end.to_trunk_us.p99) / 1000,
    [`relay${calls}.lost_ppm`]: (end.lost / (end.packets + end.lost)) * 1e6,
    [`relay${calls}.calls_failed`]: end.failed,
    [`relay${calls}.kb_per_call`]: grown.pssKb / up,
    [`relay${calls}.fds_per_call`]: grown.fds / up,
    [`relay${calls}.threads`]: marks.start.threads,
  };
}

/** Calls that come up and end: CPU per set-up, time to first media. */
export async function setup(env, gateway, { rate, seconds, users }) {
  const marks = await runLoad(env.programs, gateway, 'setup',
    { ...toward(gateway, env.ports), rate, seconds, users }, 40 + seconds);
  const end = marks.end;
  return {
    'setup.ms_per_call': between(marks.start, marks.end).cpuUs / 1000 / end.ok,
    'setup.answer_p50_ms': end.answer_ms.p50,
    'setup.first_media_p50_ms': end.first_media_ms.p50,
    'setup.first_media_p99_ms': end.first_media_ms.p99,
    'setup.calls_failed': end.failed + end.skipped,
  };
}

/** Accounts that connect, register and stay; then register again. */
export async function register(env, gateway, { rate, users }) {
  const marks = await runLoad(env.programs, gateway, 'register', { ...toward(gateway, env.ports), rate, users }, 90);
  const first = between(marks.empty, marks.registered);
  const count = marks.registered.accounts;
  return {
    'register.ms_per_new': first.cpuUs / 1000 / count,
    'register.ms_per_refresh': between(marks.refresh, marks.refreshed).cpuUs / 1000 / marks.refreshed.accounts,
    'register.per_second': count / marks.registered.seconds,
    'register.answer_p50_ms': marks.registered.answer_ms.p50,
    'register.answer_p99_ms': marks.registered.answer_ms.p99,
    'register.failed': marks.registered.failed + marks.refreshed.failed,
    'register.kb_per_account': between(marks.empty, marks.refresh).pssKb / count,
    'register.threads': marks.refresh.threads,
  };
}

// one row of SIPp's statistics file as { name: value }
function lastRow(file) {
  const lines = fs.readFileSync(file, 'utf8').trim().split('\n').map((line) => line.split(';'));
  return Object.fromEntries(lines[0].map((name, i) => [name, lines.at(-1)[i]]));
}

/** INVITE 180 200 ACK BYE between two SIPp over UDP: signalling alone. */
export async function signalling(env, gateway, { rate, seconds }) {
  const calls = rate * seconds;
  const [uasIp, uasPort] = env.peers.sippUas.split(':');
  const common = ['-nostdin', '-mi', '127.0.0.5', '-max_socket', '100'];
  const uas = start('sipp', ['-sf', path.join(here, '../sipp/uas.xml'), '-i', uasIp, '-p', uasPort, ...common], `${env.dir}/uas.log`);
  const stats = `${env.dir}/uac-${gateway.name}.csv`;
  fs.rmSync(stats, { force: true });
  await new Promise((resolve) => setTimeout(resolve, 300));
  const from = sample(gateway);
  const uac = start('sipp', [`127.0.0.1:${gateway.sipPort}`, '-sf', path.join(here, '../sipp/uac.xml'), '-s', '15550100',
    '-i', env.peers.sippIp, '-p', String(await freePort(env.peers.sippIp)), '-r', String(rate), '-m', String(calls),
    '-timeout', `${seconds + 20}`, '-trace_stat', '-stf', stats, '-fd', '1',
    '-trace_err', '-error_file', `${env.dir}/uac-errors.log`, ...common], `${env.dir}/uac.log`);
  await uac.ended;
  const to = sample(gateway);
  await stop(uas);
  const row = lastRow(stats);
  const done = Number(row['SuccessfulCall(C)']);
  return {
    'signalling.ms_per_call': between(from, to).cpuUs / 1000 / done,
    'signalling.per_second': done / between(from, to).seconds,
    'signalling.calls_failed': calls - done,
    'signalling.retransmissions': Number(row['Retransmissions(C)']),
  };
}

// a range of ports may hold one that somebody else has: then the next range
async function startNullRelay(env, calls, way) {
  for (let base = env.rtpBase; base < env.rtpBase + 5000; base += 2 * calls) {
    const child = start(`${env.programs}/bench_null_relay`, [String(base), String(calls), way], `${env.dir}/null.log`);
    await new Promise((resolve) => setTimeout(resolve, 300));
    if (child.exitCode === null) return { name: `null relay (${way})`, children: [child], base };
  }
  throw new Error(`no free range of ports for the null relay; see ${env.dir}/null.log`);
}

/** The machine's own price: a relay that does nothing, woken by each packet and in rounds of 1 ms. */
export async function calibrate(env, { calls, seconds }) {
  const figures = {};
  for (const way of ['wake', 'round']) {
    const gateway = await startNullRelay(env, calls, way);
    try {
      const marks = await runLoad(env.programs, gateway, 'raw',
        { calls, seconds, 'relay-port': gateway.base, 'trunk-ip': env.ports.trunkIp, 'trunk-port': env.ports.trunk }, 20 + seconds);
      figures[`null.${way}_us_per_packet`] = between(marks.start, marks.end).cpuUs / marks.end.packets;
      figures[`null.${way}_delay_p50_ms`] = marks.end.to_browser_us.p50 / 1000;
      figures[`null.${way}_delay_p99_ms`] = marks.end.to_browser_us.p99 / 1000;
    } finally {
      await stop(gateway.children[0]);
    }
  }
  return figures;
}
