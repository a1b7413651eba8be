// SPDX-License-Identifier: Apache-2.0
// Accounts call each other: two browsers, and an account that is registered in two browsers at once.
import { world, scenario, check, ALICE, BOB } from './lib/scenario.mjs';

const peers = world({ browsers: [ALICE, BOB] });
const ALICE_HZ = 700;
const BOB_HZ = 930;

scenario('a browser calls a browser: tones are heard both ways, the callee hangs up', async () => {
  const { alice, bob } = peers;
  await alice.call('sip:bob@example.com');
  const caller = await bob.rings();
  check([ALICE.name, ...ALICE.numbers].includes(caller.user), `caller is shown as ${caller.user}`);
  await bob.answer();
  await Promise.all([alice.sees('confirmed'), bob.sees('confirmed')]);
  await Promise.all([alice.hears(BOB_HZ), bob.hears(ALICE_HZ)]);
  await bob.hangUp();
  await alice.ends();
});

scenario('all bindings of an account ring, one answers, the other stops ringing', async ({ defer }) => {
  const { alice, bob, chromium, gateway, trunk } = peers;
  const second = await chromium.phone(gateway, BOB, { hz: 1800 });
  defer(() => second.close());
  trunk.call(BOB.numbers[0]);
  await Promise.all([bob.rings(), second.rings()]);
  await second.answer();
  await trunk.answered();
  const lost = await bob.sees('failed');
  check(lost.originator === 'remote', `the loser ended by ${lost.originator}: ${lost.cause}`);
  trunk.rtp.sendTone({ hz: 1000 });
  await Promise.all([trunk.rtp.hears(1800), second.hears(1000)]);
  await trunk.sip.bye();
  await second.ends();
  check((await alice.log()).every((e) => e.what !== 'ringing'), 'alice was called');
});
