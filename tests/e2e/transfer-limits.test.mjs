// SPDX-License-Identifier: Apache-2.0
// A transfer is a call by the rights of the one who asks: it counts for his account, and leads nowhere he may not call,
// redirected or not. Who takes over a call of another worker is held to the limits, too.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { world, scenario, check, ALICE, BOB } from './lib/scenario.mjs';
import { startGateway } from './lib/gateway.mjs';
import { scriptedPhone } from './lib/phone.mjs';
import { wsPhone } from './lib/ws-phone.mjs';
import { until } from './lib/wait.mjs';

world({ trunk: false });
const ours = { needs: 'b2bua' };
const LIMIT = /limit of calls/;

/** A gateway with one trunk that may redirect; bob has one call at a time. The rest: more of the accounts and the
 *  configuration */
async function begin(defer, { bob: more = {}, alice = {}, config = {}, workers } = {}) {
  const trunk = await scriptedPhone({ name: 'trunk' });
  const gateway = await startGateway({
    workers, accounts: [{ ...ALICE, ...alice }, { ...BOB, max_calls: 1, ...more }], config: { ...config, sip: { t1: '100ms', ...config.sip } },
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

scenario('who connects a call of his own with one he was called in has that call still', async ({ defer }) => {
  const it = await begin(defer);
  const { trunk, bob } = it;
  trunk.call(BOB.numbers[0]);
  const first = await bob.rings();
  await bob.answer({ formats: [8] });
  await trunk.answered();
  await bob.call('+442000000001');
  await trunk.rings();
  await trunk.answer();
  await bob.sip.expect(200);
  bob.sip.ack();
  const replaces = encodeURIComponent(`${first.callId};to-tag=${first.ourTag};from-tag=${first.fromTag}`);
  bob.sip.inDialog('REFER', { headers: [['Refer-To', `<sip:bob@example.com?Replaces=${replaces}>`]], type: '' });
  await until('bob is told', () => told(bob.sip) === 200);
  bob.sip.reset();
  await bob.call('+442000000002');
  check((await bob.sip.expect((m) => m.status >= 300 && m.cseq.method === 'INVITE')).status === 503, 'a further call');
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

/** Replaces with a tag that none has given, as if of that worker. */
const madeUp = (worker) => ({ headers: [['Replaces', `a${worker};to-tag=w${worker}.xxxxxxxxxxxxxx;from-tag=b`]] });
const final = (m) => m.status >= 200 && m.cseq.method === 'INVITE';

scenario('to ask another worker for a place needs one in sip.max_calls; refused, it leaves no record', async ({ defer }) => {
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'sipway-limits-')), 'cdr.jsonl');
  const it = await begin(defer, { workers: 3, config: { cdr: { file }, sip: { max_calls: 1 } } });
  const ask = async (worker) => {
    it.bob.sip.reset();
    await it.bob.call('alice', madeUp(worker));
    const answer = await it.bob.sip.expect(final);
    return answer.status;
  };
  const round = async () => [...new Set([await ask(0), await ask(1), await ask(2), await ask(0), await ask(1), await ask(2)])].sort().join();
  check(await round() === '481', 'not all are told that there is no such call');
  check((await it.gateway.admin.metric('sipway_calls_failed_total')) === 0, 'sipway_calls_failed_total');
  it.trunk.call(BOB.numbers[0]);
  await it.bob.rings();
  await it.bob.answer({ formats: [8] });
  await it.trunk.answered();
  check((await round()).includes('503'), 'the limit holds for nobody who asks');
  await it.trunk.sip.bye();
  const records = () => (fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim().split('\n') : []);
  await until('the record', () => records().length > 0 && records()[0]);
  check(records().length === 1, `records: ${records()}`);
}, ours);

scenario("who takes over a call of another worker talks no longer than his account may", async ({ defer }) => {
  const it = await begin(defer, { workers: 3, alice: { pickup: ['bob'], max_duration: '1s' } });
  const alice = await wsPhone(it.gateway, ALICE);
  defer(() => alice.close());
  alice.sip.auto = { OPTIONS: 200 };
  for (let round = 0; round < 12; round++) {
    for (const phone of [it.trunk, it.bob, alice]) phone.sip.reset();
    it.trunk.call(BOB.numbers[0]);
    const invite = await it.bob.rings();
    await it.bob.answer({ formats: [8] });
    await it.trunk.answered();
    await alice.call('bob', { headers: [['Replaces', `${invite.callId};to-tag=${invite.ourTag};from-tag=${invite.fromTag}`]] });
    check((await alice.sip.expect(final)).status === 200, 'not taken over');
    alice.sip.ack();
    if ((await it.gateway.admin.metric('sipway_calls')) === 2) { // they are on two workers
      await alice.sip.expect('BYE', { within: 6000 });
      return alice.sip.reply(200);
    }
    await it.trunk.sip.bye();
    await alice.sip.expect('BYE');
    alice.sip.reply(200);
  }
  throw new Error('always on one worker');
}, ours);
