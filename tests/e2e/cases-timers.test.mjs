// SPDX-License-Identifier: Apache-2.0
// What happens when somebody says nothing, with T1 = 50 ms so that 64*T1 is 3.2 s: no ACK, no answer, no end of a CANCEL.
import { world, scenario, check, ALICE, CALLER } from './lib/scenario.mjs';
import { until } from './lib/wait.mjs';

const T1_MS = 50;
const peers = world({ scripted: [ALICE], gateway: { config: { sip: { t1: `${T1_MS}ms` } } } });
const ours = { needs: 'b2bua' };

/** Nothing is left of a call. */
async function nothingIsLeft() {
  const { gateway } = peers;
  await until('empty /calls', async () => {
    const { body } = await gateway.admin.text('/calls');
    return (JSON.parse(body).calls ?? JSON.parse(body)).length === 0;
  }, { within: 6000 });
}

scenario('the ACK never comes: the 200 is repeated, after 64*T1 both sides get BYE and are told why', async () => {
  const { alice, trunk } = peers;
  trunk.call(ALICE.numbers[0]);
  await alice.rings();
  await alice.answer();
  const ok = await trunk.sip.expect(200);
  const bye = await trunk.sip.expect('BYE', { within: 6000 });
  const waited = bye.at - ok.at;
  check(waited > 55 * T1_MS && waited < 90 * T1_MS, `BYE after ${Math.round(waited)} ms`);
  check(/ack/i.test(bye.header('reason') ?? ''), `Reason of the BYE: ${bye.header('reason')}`);
  trunk.sip.reply(200);
  check(trunk.sip.repeats >= 4, `the 200 came again ${trunk.sip.repeats} times`);
  await alice.hungUp();
  await nothingIsLeft();
}, ours);

scenario('the browser hangs up before the ACK: the BYE is held until the ACK is there', async () => {
  const { alice, trunk } = peers;
  trunk.call(ALICE.numbers[0]);
  await alice.rings();
  await alice.answer();
  await trunk.sip.expect(200);
  const bye = alice.sip.bye();
  await trunk.sip.expectNone('BYE', 500);
  trunk.sip.ack();
  await trunk.hungUp();
  check((await bye).status === 200, 'the BYE of the browser was refused');
  await nothingIsLeft();
}, ours);

scenario('a trunk that never answers: the INVITE is repeated, and the browser gets 408, 503 or 504 in time', async () => {
  const { alice, trunk } = peers;
  const began = performance.now();
  await alice.call(CALLER);
  await trunk.rings();
  const refusal = await alice.sip.expect((m) => m.status >= 300 && m.cseq.method === 'INVITE', { within: 8000 });
  const waited = performance.now() - began;
  check([408, 503, 504].includes(refusal.status), `answered ${refusal.first}`);
  check(waited > 55 * T1_MS && waited < 100 * T1_MS, `after ${Math.round(waited)} ms`);
  check(trunk.sip.repeats >= 5, `the INVITE came again ${trunk.sip.repeats} times`);
  check(refusal.header('reason') || refusal.header('warning'), 'no reason given');
  await nothingIsLeft();
}, ours);

scenario('a CANCEL before any provisional answer waits for one', async () => {
  const { alice, trunk } = peers;
  await alice.call(CALLER);
  const invite = await trunk.rings();
  await alice.sip.expect((m) => m.status === 100, { within: 500 }).catch(() => null);
  alice.sip.cancel();
  await trunk.sip.expectNone('CANCEL', 300);
  trunk.sip.reply(180, { request: invite });
  const cancel = await trunk.sip.expect('CANCEL');
  trunk.sip.reply(200, { request: cancel });
  trunk.sip.reply(487, { request: invite });
  await trunk.sip.expect('ACK');
  await alice.sip.expect(487);
}, ours);

scenario('a cancelled INVITE that is never finished is given up after 64*T1, and nothing is left', async () => {
  const { alice, trunk } = peers;
  await alice.call(CALLER);
  await trunk.rings();
  trunk.sip.reply(180);
  await alice.sip.expect(180);
  alice.sip.cancel();
  trunk.sip.reply(200, { request: await trunk.sip.expect('CANCEL') });
  await alice.sip.expect(487);
  await nothingIsLeft();
}, ours);

scenario('a BYE that nobody answers ends after its timer, and nothing is left', async () => {
  const { alice, trunk } = peers;
  await alice.call(CALLER);
  await trunk.rings();
  await trunk.answer({ ack: false });
  await alice.answered();
  await trunk.sip.expect('ACK');
  const bye = alice.sip.bye();
  await trunk.sip.expect('BYE');
  check((await bye).status === 200, 'the BYE of the browser was not answered');
  await nothingIsLeft();
}, ours);
