// SPDX-License-Identifier: Apache-2.0
// A test with its world: gateway, scripted trunk, browsers. `world()` starts them once per file; `scenario()` is a test that
// prints the peers' logs when it fails, ends what it left behind, and is cut off by a deadline.
import path from 'node:path';
import test, { after } from 'node:test';
import { startGateway, gatewayCan, gatewayName } from './gateway.mjs';
import { startChromium } from './chromium.mjs';
import { wsPhone } from './ws-phone.mjs';
import { scriptedPhone } from './phone.mjs';
import { patience, inTime } from './wait.mjs';
import { logTails, forgetLogs, keepLogs, runFolder, stopAll } from './proc.mjs';

export const ALICE = { name: 'alice', password: 'wonderland', numbers: ['+12025550123'], display: 'Alice' };
export const BOB = { name: 'bob', password: 'builder', numbers: ['+12025550124'], display: 'Bob' };
export const CALLER = '+12025550199';

// the file in front of each name, since node reports where test() was called, which is here
const file = path.basename(process.argv[1] ?? '', '.test.mjs');
let current;

// Sockets and programs that a failed scenario left open must not keep the file from ending.
after(async () => {
  await stopAll();
  setTimeout(() => process.exit(), 2000).unref();
});

/** What every scenario of a file shares; started by the first scenario that runs. @param {object} options
 *    accounts   default [ALICE, BOB]        browsers  accounts that are registered in Chromium, e.g. [ALICE]
 *    scripted   accounts that are registered by a scripted WebSocket client (no media)
 *    trunk      false: no scripted trunk; else options of the trunk row (and `transport: 'tcp'`)
 *    trunks     further trunk rows, or a function that makes them      gateway   further options of startGateway
 *    before     async function(world): what the file needs before the gateway starts;  after: the reverse
 *  @returns the world: {gateway, trunk, chromium, <account name>: BrowserPhone} inside scenarios */
export function world(options = {}) {
  const it = { options };
  after(() => endWorld(it), { timeout: 30000 * patience });
  current = it;
  return it;
}

/** Start the world once; an error is the error of every scenario. */
function ready(it) {
  it.started ??= inTime('start of the peers', startWorld(it, it.options), 60000);
  return it.started;
}

async function startWorld(it, { accounts = [ALICE, BOB], browsers = [], scripted = [], trunk = {}, trunks = [], gateway = {}, before } = {}) {
  if (before) await before(it);
  const rows = trunk ? [await scriptedTrunk(it, trunk)] : [];
  rows.push(...(typeof trunks === 'function' ? trunks(it) : trunks));
  it.gateway = await startGateway({ accounts, trunks: rows, ...gateway });
  if (it.trunk) it.trunk.sip.peer = it.gateway.sip;
  if (browsers.length) await openBrowsers(it, browsers);
  for (const account of scripted) it[account.name] = await wsPhone(it.gateway, account);
  it.scripted = scripted.map((account) => it[account.name]);
}

async function endWorld(it) {
  if (!it.started) return;
  await it.started.catch(() => {});
  await it.options.after?.(it);
  await it.chromium?.close();
  it.scripted?.forEach((phone) => phone.close());
  await reported('end of the gateway', async () => it.gateway?.stop());
  it.trunk?.close();
}

async function scriptedTrunk(it, { transport = 'udp', secure, ...row }) {
  it.trunk = await scriptedPhone({ name: 'trunk', transport: transport === 'udp' ? 'udp' : `${transport}-server`, secure });
  return { name: 'carrier', host: it.trunk.sip.host, port: it.trunk.sip.port, ...(transport !== 'udp' && { transport }), ...row };
}

async function openBrowsers(it, accounts) {
  it.chromium = await startChromium();
  it.phones = await Promise.all(accounts.map((account, i) => it.chromium.phone(it.gateway, account, { hz: 700 + 230 * i })));
  accounts.forEach((account, i) => { it[account.name] = it.phones[i]; });
}

/** A test of this file's world. `needs`: what the gateway must be able to do, else it is skipped with a reason; only
 *  Debian's kamailio, which stands in for ours, lacks anything (see gateway.mjs). */
export function scenario(name, run, { timeout = 40000, needs } = {}) {
  test(`${file}: ${name}`, { timeout: (timeout + 60000) * patience }, async (t) => {
    if (needs && !gatewayCan(needs)) return t.skip(`${gatewayName} has no '${needs}'`);
    const cleanups = [];
    forgetLogs();
    try {
      return await reported(name, async () => {
        if (current) await ready(current);
        await inTime('end of the scenario', run({ t, defer: (fn) => cleanups.push(fn) }), timeout);
      });
    } finally {
      for (const cleanup of cleanups.reverse()) await cleanup();
      await settle();
    }
  });
}

/** End calls that a failed scenario left behind, so that the next one starts clean. */
async function settle() {
  if (!current?.gateway) return;
  for (const phone of [...(current.phones ?? []), ...(current.scripted ?? [])]) await phone.reset().catch(() => {});
  current.trunk?.rtp.reset();
  current.trunk?.sip.reset();
}

async function reported(what, run) {
  try {
    return await run();
  } catch (error) {
    keepLogs();
    error.message = `${error.message}\n(in: ${what}; logs: ${runFolder})\n${logTails()}`;
    throw error;
  }
}

/** An error unless the condition holds. */
export function check(condition, text) {
  if (!condition) throw new Error(text);
}
