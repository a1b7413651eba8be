// SPDX-License-Identifier: Apache-2.0
// What a newcomer does: start the gateway and the simulated carrier by the README's command, open the page, click, listen.
// Takes the build that the gateway under test lies in; the start script itself is under test, too.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { start } from './lib/proc.mjs';
import { freePort } from './lib/ports.mjs';
import { startChromium } from './lib/chromium.mjs';

const top = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
const build = process.env.SIPWAY_BIN ? path.dirname(path.resolve(process.env.SIPWAY_BIN)) : '';
const patience = Number(process.env.E2E_PATIENCE ?? 1) * 15000;
const skip = !build ? 'needs SIPWAY_BIN' : !fs.existsSync(path.join(build, 'html', 'serve', 'index.html')) ? `no page in ${build}: make html-serve` : false;

let port;
let run;
let browser;
let page;

function runScript(arguments_) {
  return start('run.sh', 'bash', [path.join(top, 'build-aux', 'run.sh'), ...arguments_], { env: { SIPWAY_BUILD: build } });
}

/** Both processes of this run, by the folder that stands in their command lines. */
function children() {
  const rows = execFileSync('ps', ['-e', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n').map((row) => row.trim().split(/\s+/).map(Number));
  return rows.filter(([, parent]) => parent === run.pid).map(([pid]) => pid);
}

if (!skip) {
  before(async () => {
    port = await freePort();
    run = runScript(['--port', String(port)]);
    await run.waitFor('the address of the page', () => run.output.includes(`http://localhost:${port}/`) && run.output.includes('Ctrl-C'), { within: patience });
    browser = await startChromium();
    page = await browser.context.newPage();
    await page.addInitScript(() => localStorage.setItem('sipway.prefs', '{"isVoiceCleaned":false}'));
    await page.goto(`http://localhost:${port}/`);
    await page.waitForFunction(() => window.sipway?.state.line === 'ready', null, { timeout: patience });
  });

  after(async () => {
    await browser?.close();
    if (run?.isRunning) await run.stop();
  });
}

const talking = () => page.waitForFunction(() => window.sipway.state.calls[0]?.state === 'talking', null, { timeout: patience });
const quiet = () => page.waitForFunction(() => !window.sipway.state.calls.some((call) => call.state !== 'ended'), null, { timeout: patience });
const hears = (hz) => page.waitForFunction((wanted) => Math.abs(window.sipway.hear().hz - wanted) < 15, hz, { timeout: patience });

async function call(number) {
  await page.fill('#number', number);
  await page.click('#call');
}

test('quick start: a click on Call, and the tone of the carrier is heard', { skip }, async () => {
  await call('609');
  await talking();
  await hears(1000);
  await page.click('#hangup');
  await quiet();
});

test('quick start: what the browser says comes back from the echo', { skip }, async () => {
  await page.click('[data-number="600"]');
  await talking();
  await page.waitForFunction(() => window.sipway.hear().db > -50, null, { timeout: patience });
  await page.click('#hangup');
  await quiet();
});

test('quick start: the carrier calls back, the page rings and is answered', { skip }, async () => {
  await call('605');
  await talking();
  await page.waitForSelector('#answer', { state: 'visible', timeout: patience + 10000 });
  await page.click('#answer');
  await talking();
  await page.waitForFunction(() => window.sipway.hear().db > -50, null, { timeout: patience });
  await page.click('#hangup');
  await quiet();
});

test('quick start: a second start on the same port says so in one sentence', { skip }, async () => {
  const second = runScript(['--port', String(port)]);
  const { code } = await second.exited;
  assert.equal(code, 1);
  assert.match(second.output.trim(), /^autogen\.sh: port \d+ is taken: [^\n]+$/);
});

test('quick start: Ctrl-C ends the gateway and the carrier', { skip }, async () => {
  const before_ = children();
  assert.equal(before_.length, 2);
  process.kill(run.pid, 'SIGINT');
  const { code } = await run.exited;
  assert.equal(code, 0);
  for (const pid of before_) assert.throws(() => process.kill(pid, 0), /ESRCH/);
});
