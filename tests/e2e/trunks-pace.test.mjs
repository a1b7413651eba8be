// SPDX-License-Identifier: Apache-2.0
// A trunk that takes so many new calls a second: those that come too fast wait for their turn.
import { scenario, check, ALICE, BOB } from './lib/scenario.mjs';
import { startGateway } from './lib/gateway.mjs';
import { scriptedPhone } from './lib/phone.mjs';
import { wsPhone } from './lib/ws-phone.mjs';
import { until } from './lib/wait.mjs';

const ours = { needs: 'admin' };

async function start(defer, keys, more = []) {
  const phones = [];
  for (const name of ['carrier', ...more]) phones.push(await scriptedPhone({ name }));
  phones.forEach((phone) => defer(() => phone.close()));
  const gateway = await startGateway({
    accounts: [ALICE, BOB],
    trunks: phones.map((phone, i) => ({ name: phone.sip.name, host: phone.sip.host, port: phone.sip.port, ...(i === 0 && keys) })),
    routes: [{ from: 'accounts', to: '^(.+)$', trunks: phones.map((phone) => phone.sip.name) }],
  });
  defer(() => gateway.stop());
  const [alice, bob] = [await wsPhone(gateway, ALICE), await wsPhone(gateway, BOB)];
  defer(() => [alice, bob].forEach((phone) => phone.close()));
  return { gateway, alice, bob, phones, carrier: phones[0] };
}

/** Times of arrival of INVITEs and their numbers. */
function watch(phone) {
  const seen = [];
  phone.sip.auto.INVITE = 486;
  const { onMessage } = phone.sip;
  phone.sip.onMessage = function (text, from) {
    const [, number] = text.match(/^INVITE sip:(\d+)@/) ?? [];
    if (number) seen.push({ number, at: performance.now() });
    return onMessage.call(this, text, from);
  };
  return seen;
}

scenario('calls over the rate wait for their turn, in order, and hear nothing but 100', async ({ defer }) => {
  const { gateway, alice, carrier } = await start(defer, { max_cps: 5 });
  const seen = watch(carrier);
  const numbers = ['1', '2', '3', '4', '5', '6'];
  const invites = [];
  for (const number of numbers) invites.push(await alice.call(number));
  for (const { callId } of invites) {
    const answer = await alice.sip.expect((m) => m.status > 100, { call: callId });
    check(answer.status === 486, `heard ${answer.first}`);
  }
  const sorted = seen.map(({ number }) => number);
  check(numbers.every((number) => sorted.filter((one) => one === number).length === 1), `the trunk saw ${sorted}`);
  const after = seen.map(({ at }) => at - seen[0].at);
  check(after.every((ms, i) => ms > 200 * i - 150), `milliseconds after the first: ${after.map(Math.round)}`); // the machine may be busy
  check(await gateway.admin.metric('sipway_calls_paced_total') >= 4, 'sipway_calls_paced_total');
  check(await gateway.admin.metric('sipway_calls_paced_waiting') === 0, 'sipway_calls_paced_waiting');
}, ours);

scenario('a call without a turn in time goes to the next trunk, else it is refused', async ({ defer }) => {
  const { alice, carrier, phones, gateway } = await start(defer, { max_cps: 1, cps_wait: 0 }, ['backup']);
  const [first, second] = [watch(carrier), watch(phones[1])];
  for (let i = 0; i < 3; i++) {
    await alice.call('1');
    await alice.sip.expect(486);
  }
  check(first.length === 1 && second.length === 2, `${first.length} and ${second.length} calls`);
  check(await gateway.admin.metric('sipway_calls_paced_total') === 0, 'nobody should have waited');
  const alone = await start(defer, { max_cps: 1, cps_wait: '500ms' });
  watch(alone.carrier);
  await alone.alice.call('1');
  await alone.alice.sip.expect(486);
  await alone.alice.call('2');
  const refusal = await alone.alice.sip.expect((m) => m.status >= 300);
  check(refusal.status === 503 && /new calls a second/.test(refusal.raw), refusal.raw);
  check(await alone.gateway.admin.metric('sipway_calls_pace_refused_total') === 1, 'sipway_calls_pace_refused_total');
}, ours);

scenario('who hangs up while waiting leaves the line, and those behind move up', async ({ defer }) => {
  const { gateway, alice, bob, carrier } = await start(defer, { max_cps: 1, max_calls: 2, cps_wait: '10s' });
  const seen = watch(carrier);
  await alice.call('1');
  await alice.sip.expect(486);
  const waiting = await alice.call('2');
  await until('a call that waits', async () => (await gateway.admin.metric('sipway_calls_paced_waiting')) === 1);
  await bob.call('3');
  await until('two calls that wait', async () => (await gateway.admin.metric('sipway_calls_paced_waiting')) === 2);
  alice.sip.cancel();
  await alice.sip.expect(487, { call: waiting.callId });
  await bob.sip.expect(486);
  check(seen.map(({ number }) => number).join() === '1,3', `the trunk saw ${seen.map(({ number }) => number)}`);
  const gap = seen[1].at - seen[0].at;
  check(Number(process.env.SIPWAY_WORKERS ?? 1) > 1 || (gap > 800 && gap < 1700), `the second came ${gap} ms later`); // the line is each worker's own
  await alice.call('4');
  await alice.sip.expect(486); // its channel is free again
}, ours);
