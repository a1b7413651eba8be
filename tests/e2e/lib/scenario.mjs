// SPDX-License-Identifier: Apache-2.0
// A test with its world: gateway, scripted trunk, browsers. `world()` starts them once per file; `scenario()` is a test that
// prints the peers' logs when it fails, ends what it left behind, and is cut off by a deadline.
import test, { before, after } from 'node:test';
import { startGateway } from './gateway.mjs';
import { startChromium } from './chromium.mjs';
import { wsPhone } from './ws-phone.mjs';
import { scriptedPhone } from './phone.mjs';
import { patience } from './wait.mjs';
import { logTails, forgetLogs, keepLogs, runFolder } from './proc.mjs';

export const ALICE = { name: 'alice', password: 'wonderland', numbers: ['+12025550123'], display: 'Alice' };
export const BOB = { name: 'bob', password: 'builder', numbers: ['+12025550124'], display: 'Bob' };
export const CALLER = '+12025550199';

let current;

/** What every scenario of a file shares. @param {object} options
 *    accounts   default [ALICE, BOB]        browsers  accounts that are registered in Chromium, e.g. [ALICE]
 *    scripted   accounts that are registered by a scripted WebSocket client (no media)
 *    trunk      false: no scripted trunk; else options of the trunk row (and `transport: 'tcp'`)
 *    trunks     further trunk rows          gateway   further options of startGateway
 *    before     async function(world): what the file needs before the gateway starts
 *  @returns the world: {gateway, trunk, chromium, <account name>: BrowserPhone} once the tests run */
export function world({ accounts = [ALICE, BOB], browsers = [], scripted = [], trunk = {}, trunks = [], gateway = {}, before: prepare, after: tidy } = {}) {
  const it = { cleanups: [] };
  before(() => reported('start of the peers', async () => {
    if (prepare) await prepare(it);
    const rows = trunk ? [await scriptedTrunk(it, trunk)] : [];
    const more = typeof gateway === 'function' ? gateway(it) : gateway;
    it.gateway = await startGateway({ accounts, trunks: [...rows, ...(typeof trunks === 'function' ? trunks(it) : trunks)], ...more });
    if (it.trunk) it.trunk.sip.peer = it.gateway.sip;
    if (browsers.length) await openBrowsers(it, browsers);
    for (const account of scripted) it[account.name] = await wsPhone(it.gateway, account);
    it.scripted = scripted.map((account) => it[account.name]);
  }), { timeout: 60000 * patience });
  after(async () => {
    if (tidy) await tidy(it);
    await it.chromium?.close();
    it.scripted?.forEach((phone) => phone.close());
    await reported('end of the gateway', async () => it.gateway?.stop());
    it.trunk?.close();
  }, { timeout: 30000 * patience });
  current = it;
  return it;
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

/** A test of this file's world. `needs`: what the gateway must be able to do (see can() of the gateway), else it is skipped
 *  with a reason: only Debian's kamailio, which stands in for ours, lacks anything. */
export function scenario(name, run, { timeout = 40000, needs } = {}) {
  test(name, { timeout: timeout * patience }, async (t) => {
    if (needs && current?.gateway && !current.gateway.can(needs) && !process.env.E2E_FORCE) return t.skip(`${current.gateway.name} has no '${needs}'`);
    const cleanups = [];
    forgetLogs();
    try {
      await reported(name, () => run({ t, defer: (fn) => cleanups.push(fn) }));
    } finally {
      for (const cleanup of cleanups.reverse()) await cleanup();
      await settle();
    }
  });
}

/** End calls that a failed scenario left behind, so that the next one starts clean. */
async function settle() {
  if (!current) return;
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
