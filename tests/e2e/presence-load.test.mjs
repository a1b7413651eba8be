// SPDX-License-Identifier: Apache-2.0
// A thousand watchers of one account: told within a second, and no turn of the loop is long.
import { world, scenario, check, ALICE, BOB, CALLER } from './lib/scenario.mjs';
import { udpPhone } from './lib/messages.mjs';
import { wsPhone } from './lib/ws-phone.mjs';
import { until, patience } from './lib/wait.mjs';

const WATCHERS = 1000;
const alice = { ...ALICE, watchers: ['bob'] };
const peers = world({ accounts: [alice, BOB], gateway: { config: { presence: { max_per_watcher: WATCHERS } } } });
const notified = (phones, pattern) => phones.reduce((sum, phone) => sum
  + phone.sip.received.filter((m) => m.method === 'NOTIFY' && pattern.test(m.body)).length, 0);

/** A tenth of the watchers on each connection. */
async function watchers(defer, event) {
  const phones = await Promise.all(Array.from({ length: 10 }, () => wsPhone(peers.gateway, BOB)));
  phones.forEach((phone) => {
    phone.sip.auto.NOTIFY = 200;
    defer(() => phone.close());
  });
  for (let i = 0; i < WATCHERS; i++) {
    phones[i % 10].sip.newRequest('SUBSCRIBE', 'sip:alice@example.com', {
      from: '<sip:bob@example.com>', headers: [['Event', event], ['Expires', '600']],
    });
  }
  await until(`${WATCHERS} subscriptions`, async () => (await peers.gateway.admin.metric('sipway_subscriptions')) === WATCHERS, { within: 20000 });
  await until('their first NOTIFYs', () => notified(phones, /./) >= WATCHERS, { within: 20000 });
  phones.forEach((phone) => phone.sip.reset());
  return phones;
}

/** How long until all have been told? */
async function timeOf(phones, pattern, change) {
  const stalls = await peers.gateway.admin.metric('sipway_worker_stalls_total');
  const began = performance.now();
  await change();
  await until(() => `${WATCHERS} NOTIFYs (${notified(phones, pattern)})`, () => notified(phones, pattern) >= WATCHERS, { within: 20000, every: 5 });
  const ms = performance.now() - began;
  check(ms < 1000 * patience, `${Math.round(ms)} ms for ${WATCHERS} watchers`);
  return { ms: Math.round(ms), stalls: (await peers.gateway.admin.metric('sipway_worker_stalls_total')) - stalls };
}

scenario('presence of one account to 1,000 watchers, and its end', async ({ t, defer }) => {
  const phones = await watchers(defer, 'presence');
  let phone;
  const open = await timeOf(phones, /<basic>open</, async () => { phone = await udpPhone(peers.gateway, alice, defer); });
  const closed = await timeOf(phones, /<basic>closed</, () => phone.register({ username: alice.name, password: alice.password, expires: 0 }));
  t.diagnostic(`open after ${open.ms} ms (${open.stalls} long turns), closed after ${closed.ms} ms (${closed.stalls})`);
  phones.forEach((one) => one.close());
  await until('the subscriptions to go', async () => (await peers.gateway.admin.metric('sipway_subscriptions')) === 0);
});

scenario('a busy lamp at 1,000 desks', async ({ t, defer }) => {
  const phones = await watchers(defer, 'dialog');
  const phone = await udpPhone(peers.gateway, alice, defer);
  const ringing = await timeOf(phones, /<state>early</, async () => {
    peers.trunk.call(ALICE.numbers[0], { from: `<sip:${CALLER}@carrier.example.com>` });
    await phone.expect('INVITE');
    phone.reply(180);
  });
  const over = await timeOf(phones, /<state>terminated</, async () => {
    phone.reply(486);
    await phone.expect('ACK');
  });
  t.diagnostic(`ringing after ${ringing.ms} ms (${ringing.stalls} long turns), over after ${over.ms} ms (${over.stalls})`);
});
