// SPDX-License-Identifier: Apache-2.0
// Messages for somebody who is not there: kept, delivered at the next registration, once and in order; across a restart.
import path from 'node:path';
import { world, scenario, check, ALICE, BOB } from './lib/scenario.mjs';
import { say, udpPhone } from './lib/messages.mjs';
import { startGateway } from './lib/gateway.mjs';
import { wsPhone } from './lib/ws-phone.mjs';
import { start } from './lib/proc.mjs';
import { until } from './lib/wait.mjs';

const DAVE = { name: 'dave', password: 'drawbridge' };
const EVE = { name: 'eve', password: 'evergreen' };
const accounts = [ALICE, BOB, DAVE, EVE];
// T1 of 100 ms: a silent device has 1.6 s before the sender hears 202, and 6.4 s in all
const config = { sip: { t1: '100ms' }, messages: { max_per_account: 3 } };
const peers = world({ accounts, scripted: [ALICE], gateway: { config } });

const answered = (sip, status = 200) => sip.expect('MESSAGE').then((request) => { sip.reply(status); return request; });
const waiting = (gateway) => gateway.admin.metric('sipway_messages_waiting');
const waits = (gateway, count) => until(() => `${count} messages wait`, async () => (await waiting(gateway)) === count);
const renew = (sip, who) => sip.register({ username: who.name, password: who.password });

scenario('three for an absent account: 202, then in order and whole at its registration, and never again', async ({ defer }) => {
  const { alice, gateway } = peers;
  const texts = ['eins 1️⃣ für später', 'zwei\r\n2️⃣', 'drei 🎈'];
  for (const text of texts) {
    const answer = await say(alice.sip, ALICE, 'dave', text, { type: 'text/plain;charset=UTF-8', headers: [['Subject', 'Grüße']] });
    check(answer.status === 202, `'${text}' got ${answer.first}`);
  }
  check((await waiting(gateway)) === 3, `${await waiting(gateway)} wait`);
  const dave = await udpPhone(gateway, DAVE, defer);
  for (const text of texts) {
    const request = await answered(dave);
    check(request.body === text, `'${request.body}' instead of '${text}'`);
    check(request.header('content-type') === 'text/plain;charset=UTF-8' && request.header('subject') === 'Grüße', request.raw);
    check(/<sip:alice@example\.com>/.test(request.header('from')) && /GMT$/.test(request.header('date')), request.raw);
  }
  await waits(gateway, 0);
  await renew(dave, DAVE);
  await dave.expectNone('MESSAGE', 500);
});

scenario('more than the account may have waiting: 480, and what waits stays', async ({ defer }) => {
  const { alice, gateway } = peers;
  for (let i = 0; i < 3; i++) check((await say(alice.sip, ALICE, 'dave', `${i}`)).status === 202, 'not kept');
  const more = await say(alice.sip, ALICE, 'dave', 'one too many');
  check(more.status === 480 && /too many/.test(more.header('warning')), more.raw);
  check((await say(alice.sip, ALICE, 'eve', 'another account')).status === 202, 'the limit of one account is felt by another');
  const dave = await udpPhone(gateway, DAVE, defer);
  for (let i = 0; i < 3; i++) check((await answered(dave)).body === `${i}`, 'wrong order');
  const eve = await udpPhone(gateway, EVE, defer);
  await answered(eve);
  await waits(gateway, 0);
});

scenario('what nobody took in this run stays for the next one: silence ends the run, a refusal does not', async ({ defer }) => {
  const { alice, gateway } = peers;
  for (const text of ['refused', 'taken', 'too']) await say(alice.sip, ALICE, 'dave', text);
  const dave = await udpPhone(gateway, DAVE, defer);
  check((await answered(dave, 486)).body === 'refused', 'wrong order');
  check((await answered(dave)).body === 'taken', 'a refusal ended the run');
  check((await dave.expect('MESSAGE')).body === 'too', 'wrong order'); // and no answer
  await until('end of that transaction', () => dave.repeats >= 4, { within: 9000 });
  await waits(gateway, 2);
  dave.reset();
  await until('delivery at a registration', async () => {
    await renew(dave, DAVE);
    return dave.inbox.some((m) => m.method === 'MESSAGE');
  }, { within: 15000, every: 1000 });
  check((await answered(dave)).body === 'refused', 'the refused one is not tried again');
  check((await answered(dave)).body === 'too', 'the silent one is not tried again');
  await waits(gateway, 0);
});

scenario('a device that is silent: 202 before the sender loses patience, tried again when it registers', async ({ defer }) => {
  const { alice, gateway } = peers;
  const dave = await udpPhone(gateway, DAVE, defer);
  const began = performance.now();
  const sent = say(alice.sip, ALICE, 'dave', 'are you there?');
  const first = await dave.expect('MESSAGE');
  check((await sent).status === 202, `got ${(await sent).first}`);
  check(performance.now() - began < 4000, 'the sender had to wait');
  await renew(dave, DAVE); // while the first try still runs: that must not make two of it
  const again = await dave.expect('MESSAGE', { within: 20000 });
  check(again.branch !== first.branch && again.callId === first.callId && again.body === first.body, again.raw);
  dave.reply(200, { request: again });
  await waits(gateway, 0);
  await renew(dave, DAVE);
  await dave.expectNone('MESSAGE', 500);
});

scenario('while devices are asked, a registration that fetches other messages does not fetch this one', async ({ defer }) => {
  const { alice, gateway } = peers;
  await say(alice.sip, ALICE, 'dave', 'refused');
  const dave = await udpPhone(gateway, DAVE, defer);
  await answered(dave, 486); // it stays, and is tried at each registration
  const sent = say(alice.sip, ALICE, 'dave', 'slow');
  const slow = await dave.expect('MESSAGE');
  check((await sent).status === 202, 'not kept');
  await renew(dave, DAVE);
  check((await answered(dave)).body === 'refused', 'not tried at the registration');
  await dave.expectNone('MESSAGE', 500);
  dave.reply(200, { request: slow });
  await waits(gateway, 0);
});

scenario('an answer that comes after the 202 counts: the message is not delivered twice', async ({ defer }) => {
  const { alice, gateway } = peers;
  const dave = await udpPhone(gateway, DAVE, defer);
  const sent = say(alice.sip, ALICE, 'dave', 'slow');
  const request = await dave.expect('MESSAGE');
  check((await sent).status === 202, 'not kept');
  check((await waiting(gateway)) === 1, 'it does not wait');
  dave.reply(200, { request });
  await waits(gateway, 0);
  await renew(dave, DAVE);
  await dave.expectNone('MESSAGE', 500);
});

scenario('a browser that has gone without a word: kept, and there when it is back', async ({ defer }) => {
  const { alice, gateway } = peers;
  const first = await wsPhone(gateway, EVE);
  first.close();
  await until('the binding to go', async () => (await gateway.admin.metric('sipway_bindings')) === 1);
  check((await say(alice.sip, ALICE, 'eve', 'welcome back')).status === 202, 'not kept');
  const second = await wsPhone(gateway, EVE);
  defer(() => second.close());
  check((await answered(second.sip)).body === 'welcome back', 'not delivered');
  await waits(gateway, 0);
});

scenario('Expires is kept: 0 is now or never, 1 s is not delivered after it', async ({ defer }) => {
  const { alice, gateway } = peers;
  const now = await say(alice.sip, ALICE, 'dave', 'now', { headers: [['Expires', '0']] });
  check(now.status === 480, `Expires: 0 got ${now.first}`);
  check((await say(alice.sip, ALICE, 'dave', 'short', { headers: [['Expires', '1']] })).status === 202, 'not kept');
  const over = Date.now() + 1100;
  check((await say(alice.sip, ALICE, 'dave', 'long')).status === 202, 'not kept');
  await until('a second to pass', () => Date.now() > over, { within: 5000 });
  const dave = await udpPhone(gateway, DAVE, defer);
  check((await answered(dave)).body === 'long', 'an expired message was delivered');
});

scenario('from a trunk, too', async ({ defer }) => {
  const { trunk, gateway } = peers;
  trunk.sip.newRequest('MESSAGE', `sip:dave@${gateway.sip.host}:${gateway.sip.port}`, { from: '<sip:+14155550177@carrier.example.com>', body: 'Paket', type: 'text/plain' });
  const answer = await trunk.sip.expect((m) => m.status >= 200 && m.cseq.method === 'MESSAGE');
  check(answer.status === 202, `got ${answer.first}`);
  const dave = await udpPhone(gateway, DAVE, defer);
  const request = await answered(dave);
  check(request.body === 'Paket' && /<sip:\+14155550177@example\.com>/.test(request.header('from')), request.raw);
});

scenario('across a restart of the gateway, also after a kill', async ({ defer }) => {
  const gateway = await startGateway({ accounts, config });
  let program = gateway.program;
  defer(() => program.stop());
  const again = async (signal) => {
    process.kill(program.pid, signal);
    await program.stop();
    program = start('sipway', path.resolve(process.env.SIPWAY_BIN), ['-c', gateway.file]);
    await program.waitFor('200 from /ready', () => gateway.admin.isReady(), { within: 20000 });
  };
  let alice = await wsPhone(gateway, ALICE);
  check((await say(alice.sip, ALICE, 'dave', 'before the kill ☠️')).status === 202, 'not kept');
  alice.close();
  await again('SIGKILL');
  alice = await wsPhone(gateway, ALICE);
  check((await say(alice.sip, ALICE, 'dave', 'before the stop')).status === 202, 'not kept');
  alice.close();
  await again('SIGTERM');
  await waits(gateway, 2);
  const dave = await udpPhone(gateway, DAVE, defer);
  check((await answered(dave)).body === 'before the kill ☠️', 'lost');
  check((await answered(dave)).body === 'before the stop', 'lost');
  await waits(gateway, 0);
  await again('SIGTERM');
  await renew(dave, DAVE);
  await dave.expectNone('MESSAGE', 500);
}, { needs: 'admin' });
