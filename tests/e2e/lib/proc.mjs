// SPDX-License-Identifier: Apache-2.0
// Programs under test and their peers: started with a log file, awaited by a line of output, stopped by process id.
// Every program is the leader of its own process group and dies with us, whatever way we end.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { until, inTime } from './wait.mjs';

export const runFolder = fs.mkdtempSync(path.join(os.tmpdir(), 'sipway-e2e-'));
const running = new Set();
const started = [];

// The Debian package that brings each peer program, for the sentence that says what is missing.
const PACKAGES = {
  kamailio: 'kamailio',
  rtpengine: 'rtpengine-daemon',
  baresip: 'baresip-core',
  sipp: 'sip-tester',
  chromium: 'chromium',
};

/** @returns {string} full path; throws one sentence naming the Debian package when the program is not there */
export function program(name) {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/bin'];
  const found = folders.map((folder) => path.join(folder, name)).find((file) => fs.existsSync(file));
  if (found) return found;
  throw new Error(`the program '${name}' is missing: install the Debian package '${PACKAGES[name] ?? name}'`);
}

/** A fresh folder below this run's temporary folder. */
export function folder(name) {
  return fs.mkdtempSync(path.join(runFolder, `${name}-`));
}

/** Start a program. @returns {Program} */
export function start(name, command, args, options = {}) {
  const one = new Program(name, command, args, options);
  running.add(one);
  started.push(one);
  return one;
}

class Program {
  constructor(name, command, args, { env = {}, cwd = runFolder } = {}) {
    this.name = name;
    this.logFile = path.join(runFolder, `${String(started.length).padStart(2, '0')}-${name}.log`);
    this.output = '';
    this.news = ''; // output since the last report
    // setpriv makes the kernel end the program when this process dies, even by SIGKILL
    this.child = spawn('setpriv', ['--pdeathsig', 'TERM', command, ...args], {
      cwd,
      env: { ...process.env, ...env },
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.log = fs.createWriteStream(this.logFile);
    this.log.write(`$ ${command} ${args.join(' ')}\n`);
    this.child.stdout.on('data', (data) => this.#record(data));
    this.child.stderr.on('data', (data) => this.#record(data));
    this.child.stdin.on('error', () => {});
    this.exited = new Promise((done) => {
      this.child.once('error', (error) => this.#ended(done, { code: -1, signal: error.message }));
      this.child.once('exit', (code, signal) => this.#ended(done, { code, signal }));
    });
  }

  get pid() {
    return this.child.pid;
  }

  get isRunning() {
    return !this.result;
  }

  #record(data) {
    this.output = (this.output + data).slice(-400000);
    this.news = (this.news + data).slice(-40000);
    this.log.write(data);
  }

  #ended(done, result) {
    this.result = result;
    running.delete(this);
    this.log.write(`\n[ended: code ${result.code} signal ${result.signal}]\n`);
    done(result);
  }

  write(text) {
    this.child.stdin.write(text);
  }

  /** Wait until the output matches; fails at once when the program ends before. @returns the match */
  async waitOutput(pattern, { within = 10000, from = 0 } = {}) {
    return until(
      () => `${pattern} in the output of ${this.name} (${this.isRunning ? 'running' : 'ended'}; log below)`,
      () => {
        const match = this.output.slice(from).match(pattern);
        if (!match && !this.isRunning) {
          throw new Error(`${this.name} ended (code ${this.result.code}) before it printed ${pattern}`);
        }
        return match;
      },
      { within },
    );
  }

  /** Wait until a condition holds while the program runs. */
  async waitFor(what, condition, { within = 10000 } = {}) {
    return until(
      what,
      async () => {
        if (!this.isRunning) throw new Error(`${this.name} ended (code ${this.result.code}) before: ${what}`);
        return condition();
      },
      { within },
    );
  }

  /** End the program: SIGTERM to it, then SIGKILL to its group if it is not gone in time. */
  async stop({ within = 5000, signal = 'SIGTERM' } = {}) {
    if (this.isRunning) {
      send(this.pid, signal);
      await inTime(`end of ${this.name}`, this.exited, within).catch(() => {
        this.wasKilled = true;
      });
    }
    send(-this.pid, 'SIGKILL');
    await this.exited;
    return this.result;
  }
}

function send(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch {
    /* already gone */
  }
}

/** The last lines that every program wrote since the last call, for the report of a failed test. */
export function logTails(lines = 40) {
  return started.filter((one) => one.news.trim())
    .map((one) => {
      const text = one.news.trimEnd().split('\n').slice(-lines).join('\n');
      one.news = '';
      return `--- ${one.name} (${one.logFile})\n${text}`;
    })
    .join('\n');
}

/** A new test begins: what was written before is not its fault. */
export function forgetLogs() {
  for (const one of started) one.news = '';
}

/** End every program that still runs (a failed test may have left some). */
export async function stopAll() {
  await Promise.all([...running].map((one) => one.stop({ within: 2000 })));
}

let mustKeepLogs = Boolean(process.env.E2E_KEEP_LOGS);
/** Called for a failed test: the folder with the logs stays. */
export function keepLogs() {
  mustKeepLogs = true;
}

process.on('exit', () => {
  for (const one of running) send(-one.pid, 'SIGKILL');
  if (!mustKeepLogs) fs.rmSync(runFolder, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));
