// SPDX-License-Identifier: Apache-2.0
// A transfer is a call by the rights of the one who asks: it counts for his account, and leads nowhere he may not call,
// redirected or not.
import { world, scenario, check, ALICE, BOB } from './lib/scenario.mjs';
import { startGateway } from './lib/gateway.mjs';
import { scriptedPhone } from './lib/phone.mjs';
import { wsPhone } from './lib/ws-phone.mjs';
import { until } from './lib/wait.mjs';

world({ trunk: false });
const ours = { needs: 'b2bua' };
const LIMIT = /limit of calls/;

/** A gateway with one trunk that may redirect; bob has one call at a time. `bob`, `config`: more of the account and the configuration */
async function begin(defer, { bob: more = {}, config = {} } = {}) {
  const trunk = await scriptedPhone({ name: 'trunk' });
  const gateway = await startGateway({
    accounts: [ALICE, { ...BOB, max_calls: 1, ...more }], config: { ...config, sip: { t1: '100ms', ...config.sip } },
    trunks: [{ name: 'carrier', host: trunk.sip.host, port: trunk.sip.port, redirect: 'follow' }],
    routes: [
      { name: 'bob', from: 'any', to: '^(bob|\\+12025550124)$', account: 'bob' },
      { name: 'carrier', from: 'accounts', to: '^\\+(44|1202555).*$', trunks: ['carrier'] },
    ],
  });
  const bob = await wsPhone(gateway, BOB);
  defer(async () => { trunk.close(); bob.close(); await gateway.stop(); });
  trunk.sip.peer = gateway.sip;
  for (const phone of [trunk, bob]) phone.sip.auto = { OPTIONS: 200, NOTIFY: 200, BYE: 200 };
  return { trunk, bob, gateway };
}

/** The trunk calls bob, who answers and asks for a transfer. @returns the answer to his REFER */
async function refers({ trunk, bob }, number) {
  for (const phone of [trunk, bob]) phone.sip.reset();
  trunk.call(BOB.numbers[0]);
  await bob.rings();
  await bob.answer({ formats: [8] });
  await trunk.answered();
  bob.sip.inDialog('REFER', { headers: [['Refer-To', `<sip:${number}@example.com>`]], type: '' });
  return bob.sip.expect((m) => m.status && m.cseq.method === 'REFER');
}

/** What the last NOTIFY has told. */
const told = (sip) => Number(sip.received.filter((m) => m.method === 'NOTIFY').at(-1)?.body.match(/^SIP\/2\.0 (\d+)/)[1]);

scenario("who was called and sends his callers abroad gets no further than his account's max_calls", async ({ defer }) => {
  const it = await begin(defer);
  check((await refers(it, '+442000000001')).status === 202, 'the first one');
  await it.trunk.rings();
  await it.trunk.answer();
  await until('the first call is over', async () => (await it.gateway.admin.metric('sipway_calls')) === 1);
  const second = await refers(it, '+442000000002');
  check(second.status === 503 && LIMIT.test(second.header('warning')), `the second one: ${second.first} ${second.header('warning')}`);
  await it.trunk.sip.expectNone('INVITE', 300);
  await it.bob.call('+442000000003');
  check((await it.bob.sip.expect((m) => m.status >= 300 && m.cseq.method === 'INVITE')).status === 503, 'a call of his own');
}, ours);

scenario('a transfer that failed gives its place back', async ({ defer }) => {
  const it = await begin(defer);
  for (const number of ['+442000000001', '+442000000002', '+442000000003']) {
    check((await refers(it, number)).status === 202, `to ${number}`);
    await it.trunk.rings();
    it.trunk.sip.reply(486);
    await until('bob is told', () => told(it.bob.sip) === 486);
  }
}, ours);

scenario("the call to the target is one of the gateway's sip.max_calls", async ({ defer }) => {
  const it = await begin(defer, { config: { sip: { max_calls: 1 } } });
  const answer = await refers(it, '+442000000001');
  check(answer.status === 503 && LIMIT.test(answer.header('warning')), `${answer.first} ${answer.header('warning')}`);
  await it.trunk.sip.expectNone('INVITE', 300);
}, ours);

scenario('a redirection in a transfer is followed by the rights of who asked for it', async ({ defer }) => {
  const it = await begin(defer, { bob: { allowed: ['+1'] } });
  const to = (number) => [['Contact', `<sip:${number}@${it.trunk.sip.address}>`]];
  await refers(it, '+12025550177');
  await it.trunk.rings();
  it.trunk.sip.reply(302, { headers: to('+442000000001') });
  await until('bob is told', () => told(it.bob.sip) >= 300);
  await it.trunk.sip.expectNone('INVITE', 300);
  await refers(it, '+12025550177');
  await it.trunk.rings();
  it.trunk.sip.reply(302, { headers: to('+12025550178') });
  const invite = await it.trunk.rings();
  check(invite.uri.includes('+12025550178'), invite.uri);
  it.trunk.sip.reply(486);
}, ours);
