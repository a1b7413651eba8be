// SPDX-License-Identifier: Apache-2.0
// A real PBX (Debian's kamailio with registrar and digest) whose users log in from JsSIP in a real browser; the gateway's
// configuration has no such account. Its other users are phones that are registered at the PBX itself.
import { world, scenario, check, ALICE } from './lib/scenario.mjs';
import { startChromium } from './lib/chromium.mjs';
import { startPbx } from './lib/kamailio-pbx.mjs';
import { scriptedPhone } from './lib/phone.mjs';
import { ERIN, FRED, PBX } from './lib/pbx.mjs';
import { until } from './lib/wait.mjs';

const peers = world({
  accounts: [ALICE],
  trunk: false,
  trunks: (it) => [{ name: 'pbx', host: it.pbx.host, port: it.pbx.port, registrar: PBX }],
  before: async (it) => {
    it.pbx = await startPbx({ domain: PBX, users: [ERIN, FRED] });
    it.phone = await scriptedPhone({ name: 'fred', user: 'fred', domain: PBX });
    it.phone.sip.peer = { host: it.pbx.host, port: it.pbx.port };
    it.chromium = await startChromium();
  },
  after: async (it) => {
    it.phone?.close();
    await it.pbx?.stop();
  },
});

/** A page in which this user is logged in. */
async function page(defer, user, options = {}) {
  const one = await peers.chromium.phone({ ...peers.gateway, domain: PBX }, user, { hz: 700, ...options });
  defer(() => one.close());
  return one;
}

async function fredIsThere(defer) {
  const { phone } = peers;
  defer(() => phone.rtp.reset());
  const answer = await phone.sip.register({ username: FRED.name, password: FRED.password, domain: PBX });
  check(answer.status === 200, `fred did not register: ${answer.first}`);
}

const hearEachOther = async (erin) => {
  peers.phone.rtp.sendTone({ hz: 1000 });
  await Promise.all([peers.phone.rtp.hears(700), erin.hears(1000)]);
};

scenario('a browser logs in with the PBX\'s password; closed, the PBX does not know it any more', async ({ defer }) => {
  const { pbx, gateway } = peers;
  const erin = await page(defer, ERIN);
  const [saved] = pbx.lines('saved');
  check(/^<sip:w\d+\.[0-9a-f]{16}@/.test(saved.what), `the PBX saved ${saved.what}`);
  await erin.close();
  await pbx.says('removed', 'REGISTER');
  await until('nobody logged in', async () => (await gateway.admin.metric('sipway_pbx_users')) === 0);
});

scenario('a wrong password is refused by the PBX; the browser learns it', async ({ defer }) => {
  const { pbx } = peers;
  const erin = await page(defer, { ...ERIN, password: 'guess' }, { register: false });
  await erin.sees('connected');
  await erin.ask('phone.ua.register()');
  const failed = await erin.sees('registrationFailed');
  check(failed.status === 401 || failed.status === 403, `the browser saw ${failed.status} ${failed.cause}`);
  check(pbx.lines('refused').length > 0, 'the PBX has not seen it');
});

scenario('a browser calls a phone of the PBX: proved there, by way of its Service-Route; both hear', async ({ defer }) => {
  const { pbx, phone } = peers;
  await fredIsThere(defer);
  const erin = await page(defer, ERIN);
  await erin.call(`sip:fred@${PBX}`);
  const invite = await phone.rings();
  check(invite.header('from').includes(`<sip:erin@${PBX}>`), `From ${invite.header('from')}`);
  await pbx.says('accepted', 'INVITE');
  check(/^<sip:orig@/.test(pbx.lines('routed')[0]?.what ?? ''), 'Service-Route is not followed');
  await phone.answer();
  await erin.sees('confirmed');
  await hearEachOther(erin);
  await erin.hangUp();
  await phone.hungUp();
});

scenario('a phone of the PBX calls the browser; both hear', async ({ defer }) => {
  const { phone } = peers;
  await fredIsThere(defer);
  const erin = await page(defer, ERIN);
  const invite = phone.call('erin', { codecs: ['PCMU'], host: PBX, from: `"Fred" <sip:fred@${PBX}>` });
  const asked = await phone.sip.expect((m) => m.status >= 400);
  check(asked.status === 407, `the PBX says ${asked.first}`);
  phone.sip.retryWithCredentials(invite, asked, { username: FRED.name, password: FRED.password });
  const caller = await erin.rings();
  check(caller.user === 'fred' && caller.display === 'Fred', `caller is shown as ${JSON.stringify(caller)}`);
  await erin.answer();
  await phone.answered();
  await erin.sees('confirmed');
  await hearEachOther(erin);
  await phone.sip.bye();
  await erin.ends();
});

scenario('two browsers of a user ring, one answers; a browser calls the other user\'s browser through the PBX', async ({ defer }) => {
  const first = await page(defer, ERIN);
  const second = await page(defer, ERIN);
  const fred = await page(defer, FRED, { hz: 930 });
  await fred.call(`sip:erin@${PBX}`);
  await Promise.all([first.rings(), second.rings()]);
  await second.answer();
  await Promise.all([fred.sees('confirmed'), second.sees('confirmed')]);
  await first.sees('failed');
  await Promise.all([fred.hears(700), second.hears(930)]);
  await fred.hangUp();
  await second.ends();
});

scenario('MESSAGE from browser to browser through the PBX', async ({ defer }) => {
  const erin = await page(defer, ERIN);
  const fred = await page(defer, FRED);
  await erin.ask(`void phone.ua.sendMessage('sip:fred@${PBX}', 'Grüße 👋', { eventHandlers: {
    succeeded: (e) => phone.note('sent', { status: e.response.status_code }), failed: (e) => phone.note('notSent', { cause: e.cause }) } })`);
  const got = await fred.sees('message', { where: (e) => e.originator === 'remote' });
  check(got.body === 'Grüße 👋', `arrived as ${got.body}`);
  check((await erin.sees('sent')).status === 200, 'the sender was not told');
});
