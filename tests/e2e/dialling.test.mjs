// SPDX-License-Identifier: Apache-2.0
// Limits of destination: a stolen password must not make a telephone bill.
import { world, scenario, check, ALICE, BOB } from './lib/scenario.mjs';

const peers = world({
  scripted: [ALICE, BOB],
  accounts: [{ ...ALICE, allowed: ['+1', '+49'], max_duration: '2s' }, { ...BOB, calls_per_day: 4 }],
  trunks: (it) => [{ name: 'rewriter', host: '127.0.0.1', port: it.trunk.sip.port, accept: [], numbers_out: ['^77(.*)$ => +1900\\1'] }],
  gateway: {
    routes: [
      { name: 'hotline', from: 'accounts', to: '^900(.*)$', trunks: ['carrier'], number: '+1900\\1', premium: true },
      { from: 'accounts', to: '^77(.*)$', trunks: ['rewriter'] },
      { from: 'accounts', to: '^(.+)$', trunks: ['carrier'] },
    ],
  },
});
const ours = { needs: 'b2bua' };

async function refused(phone, number, why) {
  await phone.call(number);
  const answer = await phone.sip.expect(403);
  check(answer.header('warning')?.includes(why), `Warning: ${answer.header('warning')}`);
}

async function reaches(phone, number) {
  await phone.call(number);
  const invite = await peers.trunk.rings();
  peers.trunk.sip.reply(486);
  await phone.sip.expect(486);
  return invite;
}

scenario('numbers that cost extra are off, however they are written, but for a route that says `premium`', async () => {
  for (const number of ['+19005550100', '0019005550100', '+882123456']) await refused(peers.alice, number, 'cost extra');
  const invite = await reaches(peers.alice, '9005550100');
  check(invite.uri.startsWith('sip:+19005550100@'), invite.uri);
  check((await peers.gateway.admin.metric('sipway_dial_refused_total')) === 3, 'sipway_dial_refused_total');
}, ours);

scenario("numbers that a trunk's numbers_out make expensive are off, too: calls and messages", async () => {
  await refused(peers.bob, '775550100', 'costs extra');
  await peers.trunk.sip.expectNone('INVITE', 300);
  peers.bob.sip.newRequest('MESSAGE', 'sip:775550101@example.com', { from: `<${peers.bob.aor}>`, body: 'hello', type: 'text/plain' });
  await peers.bob.sip.expect(403);
}, ours);

scenario('an account keeps to its prefixes', async () => {
  await refused(peers.alice, '+33123456789', 'may only dial');
  await reaches(peers.alice, '+493012345678');
}, ours);

scenario('an account has so many calls a day', async () => {
  await reaches(peers.bob, '+33123456789');
  await reaches(peers.bob, '+33123456789');
  await refused(peers.bob, '+33123456789', 'calls_per_day');
}, ours);

scenario('an account has its longest duration', async () => {
  const { alice, trunk } = peers;
  await alice.call('+12025550177');
  await trunk.rings();
  await trunk.answer();
  await alice.answered();
  const bye = await trunk.sip.expect('BYE');
  trunk.sip.reply(200);
  check(/longest duration/.test(bye.header('reason') ?? ''), `Reason: ${bye.header('reason')}`);
}, ours);
