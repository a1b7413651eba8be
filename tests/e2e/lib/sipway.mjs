// SPDX-License-Identifier: Apache-2.0
// The sipway binary (env SIPWAY_BIN) with a configuration on free loopback ports; SIPWAY_WORKERS says how many workers (1).
import fs from 'node:fs';
import path from 'node:path';
import http from 'node:http';
import { start, folder } from './proc.mjs';
import { freePort, freePorts } from './ports.mjs';
import { toYaml } from './yaml.mjs';

const leaks = new URL('../../lsan.supp', import.meta.url).pathname;

/** @param {object} options
 *    accounts  [{name, password, numbers?, display?}]
 *    trunks    [{name, host, port, transport?, codecs?, username?, password?, ...any key of a trunk}]
 *    routes    rows of `routes:`; default: accounts call accounts by name, everything else goes to the first trunk, and calls
 *              from a trunk go to the account with that number
 *    config    merged over the whole (one level deep: {media: {...}} replaces single keys of `media`)
 *    tls       {certificate, key} files: adds sips and https/wss listeners (gateway.tls, gateway.wssUrl)
 *    hosts     further addresses to listen on, for SIP and RTP
 *    env       environment of the process;  workers: number */
export async function startSipway({ accounts = [], trunks = [], routes, domain = 'example.com', config = {}, env = {},
  workers = Number(process.env.SIPWAY_WORKERS ?? 1), tls, hosts = [] } = {}) {
  const binary = process.env.SIPWAY_BIN;
  if (!binary || !fs.existsSync(binary)) throw new Error(`no sipway binary: set SIPWAY_BIN to the built file (it is '${binary ?? ''}')`);
  const ports = await choosePorts(workers);
  const runDir = folder('sipway');
  const text = toYaml(buildConfig({ ports, runDir, domain, workers, accounts, trunks, routes, config, tls, hosts }));
  const file = path.join(runDir, 'sipway.yaml');
  fs.writeFileSync(file, text);
  const one = start('sipway', path.resolve(binary), ['-c', file], {
    env: { ASAN_OPTIONS: 'abort_on_error=0:exitcode=99', LSAN_OPTIONS: `print_suppressions=0:suppressions=${leaks}`, ...env },
  });
  const admin = adminApi(ports.admin);
  await one.waitFor(`200 from /ready on the admin port (configuration: ${file})`, () => admin.isReady(), { within: 20000 });
  return {
    name: 'sipway',
    domain,
    wsUrl: `ws://127.0.0.1:${ports.web}/`,
    wssUrl: `wss://127.0.0.1:${ports.webTls}/`,
    webUrl: `http://127.0.0.1:${ports.web}/`,
    sip: { host: '127.0.0.1', port: ports.sip },
    tls: { host: '127.0.0.1', port: ports.tls },
    ports,
    runDir,
    file,
    program: one,
    programs: [one],
    admin,
    /** change the file and tell the gateway to read it again */
    reload(change) {
      fs.writeFileSync(file, change(fs.readFileSync(file, 'utf8')));
      process.kill(one.pid, 'SIGHUP');
    },
    pids: () => [one.pid],
    /** SIGTERM; a crash, a sanitizer's exit code or a drain that does not end is an error of the test */
    async stop({ within = 15000 } = {}) {
      const result = await one.stop({ within });
      if (one.wasKilled) throw new Error(`sipway did not end within ${within} ms after SIGTERM`);
      if (result.code !== 0) throw new Error(`sipway ended with code ${result.code} signal ${result.signal}`);
    },
  };
}

async function choosePorts(workers) {
  const webrtc = await freePorts(Math.max(workers, 1));
  const rtp = await freePorts(200, 2);
  const [web, webTls, admin, sip, tls] = [await freePort(), await freePort(), await freePort(), await freePort(), await freePort()];
  return { web, webTls, admin, sip, tls, webrtc: webrtc[0], rtp };
}

function buildConfig({ ports, runDir, domain, workers, accounts, trunks, routes, config, tls, hosts }) {
  const everywhere = ['127.0.0.1', ...hosts];
  const listen = everywhere.flatMap((host) => [`udp://${host}:${ports.sip}`, `tcp://${host}:${ports.sip}`]);
  const web = [`http://127.0.0.1:${ports.web}`];
  if (tls) listen.push(...everywhere.map((host) => `tls://${host}:${ports.tls}`));
  if (tls) web.push(`https://127.0.0.1:${ports.webTls}`);
  const files = tls && { certificate: tls.certificate, key: tls.key };
  const base = {
    domain,
    workers,
    state: path.join(runDir, 'state'),
    log: { level: process.env.SIPWAY_LOG ?? 'debug', format: 'text' },
    web: { listen: web, ...files },
    admin: { listen: `http://127.0.0.1:${ports.admin}` },
    sip: { listen, drain: '3s', ...files }, // what a failed scenario leaves behind must not keep the process
    media: {
      webrtc: `127.0.0.1:${ports.webrtc}`,
      rtp: { address: hosts.length ? '0.0.0.0' : '127.0.0.1', ports: `${ports.rtp[0]}-${ports.rtp.at(-1)}` },
    },
    accounts,
    trunks: trunks.map(trunkRow),
    routes: routes ?? defaultRoutes(accounts, trunks),
  };
  fs.mkdirSync(base.state, { recursive: true });
  for (const [key, value] of Object.entries(config)) {
    const isSection = value && typeof value === 'object' && !Array.isArray(value);
    base[key] = isSection ? { ...base[key], ...value } : value;
  }
  return base;
}

function trunkRow({ name, host, port, transport = 'udp', accept = [`${host}/32`], ...more }) {
  return { name, uri: `sip:${host}:${port};transport=${transport}`, accept, codecs: ['opus', 'G722', 'PCMA', 'PCMU'], options_every: 0, ...more };
}

function defaultRoutes(accounts, trunks) {
  const escape = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return [
    ...trunks.flatMap((trunk) => accounts.flatMap(({ name, numbers = [] }) => [name, ...numbers].map((number) => ({
      from: `trunk:${trunk.name}`, to: `^${escape(number)}$`, account: name })))),
    ...accounts.map(({ name }) => ({ from: 'accounts', to: `^${escape(name)}$`, account: name })),
    ...(trunks.length ? [{ from: 'accounts', to: '^(.+)$', trunks: [trunks[0].name] }] : []),
  ];
}

/** The admin address: text(path), json(path), isReady(), and metric(name) summed over labels. */
function adminApi(port) {
  const text = (url) => new Promise((done, fail) => {
    http.get({ host: '127.0.0.1', port, path: url, agent: false }, (response) => {
      let body = '';
      response.on('data', (data) => { body += data; }).on('end', () => done({ status: response.statusCode, body }));
    }).on('error', fail);
  });
  return {
    url: `http://127.0.0.1:${port}`,
    text,
    json: async (url) => JSON.parse((await text(url)).body),
    isReady: async () => (await text('/ready').catch(() => ({}))).status === 200,
    async metric(name) {
      const { body } = await text('/metrics');
      const rows = body.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
      return rows.length ? rows.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0) : undefined;
    },
  };
}
