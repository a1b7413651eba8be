// SPDX-License-Identifier: Apache-2.0
// The world of the quick start: the gateway with its own pages and `demo:`, and the simulated carrier, set up as ./autogen.sh --run
// does; a Chromium that speaks a tone into its microphone. Started by the first scenario of a file that runs.
import { after } from 'node:test';
import { scenario } from './scenario.mjs';
import { startSipway } from './sipway.mjs';
import { startSimulatedCarrier } from './carrier.mjs';
import { startPageBrowser } from './web-phone.mjs';
import { pageFolder } from './page-folder.mjs';
import { freePort } from './ports.mjs';
import { inTime, patience } from './wait.mjs';

export const YOU = { name: 'you', password: 'quick-start', display: 'You', numbers: ['+12025550100'] };
/** The UDP ports on which browsers send their media, a worker each. */
export const mediaPorts = (gateway) => Array.from({ length: Math.max(Number(process.env.SIPWAY_WORKERS ?? 1), 1) }, (_, i) => gateway.ports.webrtc + i);

export const FRIEND = { name: 'friend', password: 'second-phone', display: 'Friend', numbers: ['+12025550101'] };
const LABELS = { 600: 'Echo', 601: 'Music', 602: 'Reads your digits back', 603: 'Busy', 604: 'Never answers', 605: 'Calls you back in 5 s',
  606: 'Early media, then music', 607: 'Declines', 608: 'Hangs up after 5 s', 609: 'Test tone' };
const ROUTES = [
  { from: 'trunk:carrier', to: '^\\+?12025550100$', account: 'you' },
  { from: 'trunk:carrier', to: '^\\+?12025550101$', account: 'friend' },
  { from: 'accounts', to: '^(you|friend)$', account: '\\1' },
  { from: 'accounts', to: '^([0-9]{3})$', trunks: ['carrier'] },
];

/** Gateway and carrier. @param {object} config merged over the gateway's configuration; tls: {certificate, key}  @returns {{gateway, carrier, stop()}} */
export async function startQuickStart(config = {}, { tls } = {}) {
  const port = await freePort();
  const gateway = await startSipway({
    tls,
    domain: 'localhost', accounts: [YOU, FRIEND], routes: ROUTES,
    trunks: [{ name: 'carrier', host: '127.0.0.1', port, codecs: undefined }],
    config: { web: { html: pageFolder() }, demo: { account: 'you', numbers: Object.entries(LABELS).map(([number, text]) => `${number}=${text}`) }, ...config },
  });
  const carrier = await startSimulatedCarrier({ port, gateway: gateway.sip });
  return {
    gateway,
    carrier,
    async stop() {
      await carrier.stop();
      await gateway.stop();
    },
  };
}

/** What the scenarios of a file share; its fields are there inside of them: gateway, carrier, browser. */
export function quickStart({ hz = 700, config } = {}) {
  const it = {};
  const begin = async () => {
    Object.assign(it, await startQuickStart(config));
    it.browser = await startPageBrowser({ hz });
  };
  it.ready = () => {
    it.started ??= inTime('start of the quick start', begin(), 60000);
    return it.started;
  };
  after(async () => {
    await it.browser?.close();
    await it.stop?.();
  }, { timeout: 30000 * patience });
  return it;
}

/** A scenario of the quick start. `run` gets {defer, open}: open(name, options) is a page that goes with the scenario. */
export function phoneScenario(it, name, run, options = {}) {
  scenario(name, async ({ defer }) => {
    await it.ready();
    const open = async (who = 'you', how = {}) => {
      const phone = await it.browser.open(who, how.url ?? it.gateway.webUrl, how);
      defer(() => phone.close());
      return phone;
    };
    await run({ defer, open });
  }, { timeout: 60000, needs: 'admin', ...options });
}
