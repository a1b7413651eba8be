// SPDX-License-Identifier: Apache-2.0
// A real browser with a JsSIP phone in it: Debian's Chromium, headless, driven by playwright-core. One browser process serves
// a whole test file; each phone is a page of its own. What a phone hears comes out as PCM and is judged in node.
import http from 'node:http';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { program, folder, runFolder } from './proc.mjs';
import { bundle } from './bundle.mjs';
import { isTone, isPair, digitPair, dominant } from './tone.mjs';
import { until } from './wait.mjs';

const PAGE = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'page');
const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage', '--autoplay-policy=no-user-gesture-required',
  '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', '--allow-loopback-in-peer-connection',
  '--disable-features=WebRtcHideLocalIpsWithMdns', '--disable-background-timer-throttling', '--disable-renderer-backgrounding',
  '--disable-backgrounding-occluded-windows', '--ignore-certificate-errors',
];

/** Start Chromium and the server of its page. @returns {Promise<Browser>} */
export async function startChromium() {
  const { chromium } = await import('playwright-core').catch(() => {
    throw new Error("the node package 'playwright-core' is missing: run 'npm ci' in tests/e2e");
  });
  const executablePath = program('chromium');
  const server = await servePage();
  const context = await chromium.launchPersistentContext(folder('chromium'), {
    executablePath, headless: true, args: [...FLAGS, '--headless=new'], ignoreDefaultArgs: ['--headless', '--mute-audio'],
    env: { ...process.env, TMPDIR: runFolder },
  });
  return new Browser(context, server);
}

async function servePage() {
  const script = bundle('jssip', 'JsSIP');
  const types = { html: 'text/html', js: 'text/javascript' };
  const server = http.createServer((request, response) => {
    const name = request.url === '/' ? 'index.html' : path.basename(request.url.split('?')[0]);
    const file = path.join(PAGE, name);
    if (name !== 'jssip.js' && !fs.existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': `${types[name.split('.')[1]]}; charset=utf-8` });
    return response.end(name === 'jssip.js' ? script : fs.readFileSync(file));
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return server;
}

class Browser {
  constructor(context, server) {
    this.context = context;
    this.server = server;
    this.url = `http://127.0.0.1:${server.address().port}/`;
  }

  /** A page with a phone; not yet registered. */
  async page(name) {
    const page = await this.context.newPage();
    const log = fs.createWriteStream(path.join(runFolder, `page-${name}.log`), { flags: 'a' });
    page.on('console', (message) => log.write(`${message.text()}\n`));
    page.on('pageerror', (error) => log.write(`error: ${error}\n`));
    await page.goto(this.url);
    return new BrowserPhone(name, page);
  }

  /** A phone of one of the gateway's accounts, registered. @param account {name, password} */
  async phone(gateway, account, options = {}) {
    const phone = await this.page(account.name);
    await phone.run('start', {
      url: gateway.wsUrl, uri: `sip:${account.name}@${gateway.domain}`, password: account.password, ...options,
    });
    if (options.register !== false) await phone.sees('registered');
    return phone;
  }

  async close() {
    await this.context.close();
    this.server.close();
    this.server.closeAllConnections();
  }
}

class BrowserPhone {
  seen = 0;

  constructor(name, page) {
    Object.assign(this, { name, page });
  }

  /** Call a function of the page's `phone`. */
  run(name, ...values) {
    return this.page.evaluate(([fn, list]) => window.eval('phone')[fn](...list), [name, values]);
  }

  /** Evaluate an expression with `phone` and `session` in reach. */
  ask(expression) {
    return this.page.evaluate(`(() => { const session = phone.session; return ${expression}; })()`);
  }

  log() {
    return this.ask('phone.log');
  }

  /** Wait for an event of the phone that was not yet waited for. @returns the event */
  async sees(what, { within = 10000, where = () => true } = {}) {
    let log = [];
    const event = await until(
      () => `'${what}' at ${this.name} (saw: ${log.map((e) => e.what + (e.cause ? `(${e.status ?? ''} ${e.cause})` : '')).join(', ')})`,
      async () => {
        log = await this.log();
        return log.slice(this.seen).find((e) => e.what === what && where(e));
      },
      { within },
    );
    this.seen = log.indexOf(event) + 1;
    return event;
  }

  call(target, options) {
    return this.run('call', target, options);
  }

  /** An incoming call rings. @returns {{user, display}} the caller */
  async rings(options) {
    return (await this.sees('session', { where: (e) => e.originator === 'remote', ...options })).caller;
  }

  answer(options) {
    return this.run('answer', options);
  }

  speak(hz) {
    return this.run('microphone', hz);
  }

  hangUp(options = {}) {
    return this.ask(`session.terminate(${JSON.stringify(options)})`);
  }

  hold() {
    return this.ask('session.hold()');
  }

  unhold() {
    return this.ask('session.unhold()');
  }

  /** Transfer a call, see page/phone.js. */
  refer(target, options) {
    return this.run('refer', target, options);
  }

  sendDigits(text, options = {}) {
    return this.ask(`session.sendDTMF(${JSON.stringify(text)}, ${JSON.stringify({ transportType: 'RFC2833', ...options })})`);
  }

  /** Frequencies, levels: what came out of the loudspeaker in the last `ms`. @returns {{pcm: Float32Array, rate}} */
  async heard(ms = 400) {
    const bytes = Buffer.from(await this.run('heard', ms), 'base64');
    return { rate: 48000, pcm: Float32Array.from({ length: bytes.length / 2 }, (_, i) => bytes.readInt16LE(i * 2) / 32768) };
  }

  /** Wait until this tone, and nothing else, is heard. */
  hears(hz, { within = 8000 } = {}) {
    let last;
    return until(() => `tone of ${hz} Hz at ${this.name} (heard ${JSON.stringify(last)})`, async () => {
      const { pcm, rate } = await this.heard();
      if (pcm.length < rate * 0.3) return false;
      last = dominant(pcm, rate);
      return isTone(pcm, hz, rate);
    }, { within, every: 100 });
  }

  /** Wait until the two frequencies of a digit are heard. */
  hearsDigit(digit, { within = 5000 } = {}) {
    let last;
    return until(() => `digit ${digit} at ${this.name} (heard ${JSON.stringify(last)})`, async () => {
      const { pcm, rate } = await this.heard(80);
      if (pcm.length < rate * 0.06) return false;
      last = dominant(pcm, rate);
      return isPair(pcm, digitPair(digit), rate);
    }, { within, every: 30 });
  }

  /** Wait until nothing is heard for 300 ms. */
  hearsNothing({ within = 5000 } = {}) {
    let last;
    return until(() => `silence at ${this.name} (heard ${JSON.stringify(last)})`, async () => {
      const { pcm, rate } = await this.heard(300);
      last = pcm.length ? dominant(pcm, rate) : { level: 0 };
      return last.level < 0.005;
    }, { within, every: 100 });
  }

  /** The call ends at this side. @returns the event ('ended' or 'failed') */
  ends(options) {
    return this.sees('ended', options);
  }

  /** Hang up whatever is left, speak the first tone again, forget what was heard and seen. */
  async reset() {
    await this.run('reset');
    await until(`end of the calls of ${this.name}`, () => this.ask('!session || session.isEnded()'), { within: 3000 });
    await this.run('forget');
    this.seen = (await this.log()).length;
  }

  close() {
    return this.page.close();
  }
}
