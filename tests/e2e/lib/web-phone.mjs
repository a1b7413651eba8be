// SPDX-License-Identifier: Apache-2.0
// The web phone (html/) as people use it: the page in Debian's Chromium, clicked and typed into. What it hears is taken from the
// stream that the page plays and judged in node; complaints of the browser about the page are kept in `complaints`.
import path from 'node:path';
import fs from 'node:fs';
import { program, folder, runFolder } from './proc.mjs';
import { sine, writeWav, isTone, isPair, digitPair, dominant } from './tone.mjs';
import { until, inTime } from './wait.mjs';

const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
  '--disable-sync', '--disable-dev-shm-usage', '--autoplay-policy=no-user-gesture-required', '--use-fake-ui-for-media-stream',
  '--use-fake-device-for-media-stream', '--allow-loopback-in-peer-connection', '--disable-features=WebRtcHideLocalIpsWithMdns',
  '--disable-background-timer-throttling', '--disable-renderer-backgrounding', '--disable-backgrounding-occluded-windows',
];

/** Chromium whose microphone hears a tone of `hz`, over and over, and whose camera shows Chromium's test picture. */
export async function startPageBrowser({ hz = 700 } = {}) {
  const { chromium } = await import('playwright-core').catch(() => {
    throw new Error("the node package 'playwright-core' is missing: run 'npm ci' in tests/e2e");
  });
  const wav = path.join(folder('microphone'), 'tone.wav');
  writeWav(wav, sine(hz, { rate: 48000, seconds: 10 }), 48000);
  const browser = await chromium.launch({
    executablePath: program('chromium'), headless: true, args: [...FLAGS, `--use-file-for-fake-audio-capture=${wav}`, '--headless=new'],
    ignoreDefaultArgs: ['--headless', '--mute-audio'], env: { ...process.env, TMPDIR: runFolder },
  });
  return {
    hz,
    /** A page in a fresh context, not yet signed in unless the gateway's phone.json signs it in.
     *  @param {object} options device: options of a browser context;  udp: a udpDetour that its media takes */
    async open(name, url, { device = {}, udp } = {}) {
      const context = await browser.newContext({ permissions: ['microphone', 'camera'], viewport: { width: 1200, height: 860 }, ...device });
      await context.addInitScript(prepare, udp?.pairs ?? []);
      const phone = new WebPhone(name, context, await context.newPage());
      await phone.visit(url);
      return phone;
    },
    close: () => inTime('end of Chromium', browser.close(), 10000),
  };
}

/** Runs in the page before its own scripts. Noise suppression would eat the tone; CSP violations are events, too. */
function prepare(pairs) {
  if (!localStorage.getItem('sipway.prefs')) localStorage.setItem('sipway.prefs', '{"isVoiceCleaned":false}');
  document.addEventListener('securitypolicyviolation', (event) => {
    console.error(`CSP: ${event.violatedDirective} forbids ${event.blockedURI}`);
  });
  const apply = RTCPeerConnection.prototype.setRemoteDescription;
  RTCPeerConnection.prototype.setRemoteDescription = function detoured(description, ...more) {
    let { sdp } = description ?? {};
    for (const [from, to] of sdp ? pairs : []) sdp = sdp.replaceAll(` 127.0.0.1 ${from} typ host`, ` 127.0.0.1 ${to} typ host`);
    return apply.call(this, sdp ? { type: description.type, sdp } : description, ...more);
  };
}

/** Runs in the page: the last `ms` of what the far end's stream carries, 16 bit, base64. */
function listen(ms) {
  const stream = window.sipway.media()?.remote;
  if (!stream) return '';
  window.testEar ??= { context: new AudioContext({ sampleRate: 48000 }) };
  const ear = window.testEar;
  if (ear.stream !== stream) {
    ear.source?.disconnect();
    ear.analyser = new AnalyserNode(ear.context, { fftSize: 32768 });
    ear.source = ear.context.createMediaStreamSource(stream);
    ear.source.connect(ear.analyser);
    ear.stream = stream;
  }
  const samples = new Float32Array(32768);
  ear.analyser.getFloatTimeDomainData(samples);
  const pcm = Int16Array.from(samples.slice(-48 * ms), (one) => Math.max(-1, Math.min(1, one)) * 32767);
  return btoa(Array.from(new Uint8Array(pcm.buffer), (byte) => String.fromCharCode(byte)).join(''));
}

class WebPhone {
  complaints = [];              // CSP violations, errors of scripts, warnings on the console
  questions = [];               // dialogs of the browser, such as "leave this page?"

  constructor(name, context, page) {
    Object.assign(this, { name, context, page });
    const log = fs.createWriteStream(path.join(runFolder, `web-phone-${name}.log`), { flags: 'a' });
    page.on('console', (message) => {
      log.write(`${message.type()}: ${message.text()}\n`);
      if (['error', 'warning'].includes(message.type())) this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.complaints.push(`error: ${error.message}`));
    page.on('dialog', (dialog) => {
      this.questions.push(dialog.type());
      return dialog.accept().catch(() => {});
    });
  }

  async visit(url) {
    const answer = await this.page.goto(url);
    this.headers = answer.headers();
    await this.sees('the script of the page', () => Boolean(window.sipway));
  }

  /** A fresh copy of window.sipway.state. */
  state() {
    return this.page.evaluate(() => window.sipway.state);
  }

  /** Wait until a function of the page (with one argument) gives something true. */
  sees(what, condition, argument, { within = 10000 } = {}) {
    let last = '';
    const look = async () => {
      const value = await this.page.evaluate(condition, argument);
      if (!value) last = await this.page.evaluate(() => JSON.stringify([window.sipway?.state, window.sipway?.events.slice(-8)])).catch(String);
      return value;
    };
    return until(() => `${what} at ${this.name} (${last})`, look, { within, every: 50 });
  }

  isReady(options) {
    return this.sees('line that is ready', () => window.sipway.state.line === 'ready', null, options);
  }

  /** The shown call reaches this state: dialling, trying, ringing, early, incoming, connecting, talking, ended. */
  reaches(state, options) {
    return this.sees(`call that is ${state}`, (wanted) => window.sipway.state.calls[0]?.state === wanted, state, options);
  }

  isIdle(options) {
    return this.sees('phone without a call', () => window.sipway.state.calls.length === 0, null, options);
  }

  /** Sign in by the form, as somebody else than the page's demo account. */
  async signInAs({ name, password }) {
    await this.isReady();
    await this.page.click('#open-settings');
    await this.page.click('#sign-out');
    await this.page.fill('#account-name', name);
    await this.page.fill('#account-password', password);
    await this.page.click('#sign-in');
    await this.sees(`${name} who is signed in`, (who) => window.sipway.state.line === 'ready' && window.sipway.state.account.startsWith(`${who}@`), name);
  }

  /** Type a number and press the button. */
  async call(number, button = '#call') {
    await this.page.fill('#number', number);
    await this.page.click(button);
  }

  /** Tap one of the numbers that the page offers. */
  tap(number) {
    return this.page.click(`.number-button[data-number="${number}"]`);
  }

  async talksTo(number) {
    await this.isReady();
    await this.tap(number);
    await this.reaches('talking');
  }

  text(id) {
    return this.page.textContent(`#${id}`);
  }

  async heard(ms = 400) {
    const bytes = Buffer.from(await this.page.evaluate(listen, ms), 'base64');
    return { rate: 48000, pcm: Float32Array.from({ length: bytes.length / 2 }, (_, i) => bytes.readInt16LE(i * 2) / 32768) };
  }

  /** Wait until `judge(pcm, rate)` says yes to what is heard. */
  async #hears(what, judge, ms, within) {
    let last;
    return until(() => `${what} at ${this.name} (heard ${JSON.stringify(last)})`, async () => {
      const { pcm, rate } = await this.heard(ms);
      if (!pcm.length) return false;
      last = dominant(pcm, rate);
      return judge(pcm, rate, last);
    }, { within, every: 40 });
  }

  /** This tone, and nothing else. */
  hears(hz, { within = 8000 } = {}) {
    return this.#hears(`tone of ${hz} Hz`, (pcm, rate) => isTone(pcm, hz, rate), 400, within);
  }

  hearsDigit(digit, { within = 8000 } = {}) {
    return this.#hears(`digit ${digit}`, (pcm, rate) => isPair(pcm, digitPair(digit), rate), 80, within);
  }

  hearsNothing({ within = 8000 } = {}) {
    return this.#hears('silence', (pcm, rate, { level }) => level < 0.005, 300, within);
  }

  /** Sound whose pitch changes: at least three different strong frequencies. */
  hearsMusic({ within = 12000 } = {}) {
    const pitches = new Set();
    return this.#hears('music', (pcm, rate, { level, hz }) => {
      if (level > 0.01) pitches.add(Math.round(hz / 20));
      return pitches.size >= 3;
    }, 200, within);
  }

  /** Figures of the shown call's video: {framesDecoded, framesEncoded, pliSent, pliReceived, keyFrames}. */
  video() {
    return this.page.evaluate(async () => {
      const found = { framesDecoded: 0, framesEncoded: 0, pliSent: 0, pliReceived: 0, keyFrames: 0 };
      const report = await window.sipway.media()?.connection?.getStats();
      for (const one of report?.values() ?? []) {
        if (one.kind !== 'video') continue;
        if (one.type === 'inbound-rtp') Object.assign(found, { framesDecoded: one.framesDecoded, pliSent: one.pliCount });
        if (one.type === 'outbound-rtp') Object.assign(found, { framesEncoded: one.framesEncoded, pliReceived: one.pliCount, keyFrames: one.keyFramesEncoded });
      }
      return found;
    });
  }

  async close() {
    await this.page.evaluate(() => document.querySelector('#hangup')?.click()).catch(() => {});
    await inTime(`end of the page of ${this.name}`, this.context.close(), 5000).catch(() => {});
  }
}
