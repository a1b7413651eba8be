// SPDX-License-Identifier: Apache-2.0
// REFER from a browser: the gateway carries the transfer out itself, tells the browser what became of it, and the call
// goes on when nothing does. RFC 3515, RFC 5589.
import { world, scenario, check, ALICE, BOB, CALLER } from './lib/scenario.mjs';
import { scriptedPhone } from './lib/phone.mjs';

const CARL = { name: 'carl', password: 'secret-of-carl' };
const ALICE_HZ = 700;
const BOB_HZ = 930;
const TRUNK_HZ = 1000;
const OTHER_HZ = 1400;
const OTHER = '+12025550177';

const peers = world({
  accounts: [ALICE, BOB, CARL],
  browsers: [ALICE, BOB],
  trunks: (it) => [{ name: 'other', host: it.other.sip.host, port: it.other.sip.port }],
  gateway: {
    config: { sip: { ring_timeout: '4s' } },
    routes: [
      { name: 'bob', from: 'any', to: '^bob$', account: 'bob' },
      { name: 'carl', from: 'accounts', to: '^carl$', account: 'carl' },
      { name: 'alice', from: 'any', to: '^(alice|\\+12025550123)$', account: 'alice' },
      { name: 'other', from: 'any', to: '^\\+12025550177$', trunks: ['other'] },
      { name: 'carrier', from: 'accounts', to: '^(.+)$', trunks: ['carrier'] },
    ],
  },
  before: async (it) => { it.other = await scriptedPhone({ name: 'other', user: 'other' }); },
  after: (it) => it.other.close(),
});

/** Alice calls somebody on the trunk, and both are heard. */
async function aliceTalks() {
  const { alice, trunk, other, gateway } = peers;
  other.sip.reset();
  other.rtp.reset();
  other.sip.peer = gateway.sip;
  await alice.call(`sip:${CALLER}@example.com`);
  await trunk.rings();
  await trunk.answer();
  await alice.sees('confirmed');
  trunk.rtp.sendTone({ hz: TRUNK_HZ });
  await Promise.all([trunk.rtp.hears(ALICE_HZ), alice.hears(TRUNK_HZ)]);
}

/** The two go on talking as if nothing had been. */
async function stillTalk() {
  const { alice, trunk } = peers;
  await Promise.all([trunk.rtp.hears(ALICE_HZ), alice.hears(TRUNK_HZ)]);
  await alice.hangUp();
  await trunk.hungUp();
}

scenario('blind to another account: the two hear each other, the one who transferred is told and is out', async () => {
  const { alice, bob, trunk } = peers;
  await aliceTalks();
  await alice.refer('sip:bob@example.com');
  await alice.sees('refer requestSucceeded');
  await alice.sees('refer trying');
  const caller = await bob.rings();
  check(caller.user === CALLER, `the caller is shown as ${caller.user}`);
  await alice.sees('refer progress');
  await Promise.all([trunk.rtp.hears(ALICE_HZ), alice.hears(TRUNK_HZ)]);
  await bob.answer();
  await alice.sees('refer accepted');
  await bob.sees('confirmed');
  await Promise.all([trunk.rtp.hears(BOB_HZ), bob.hears(TRUNK_HZ)]);
  await alice.ends();
  await bob.hangUp();
  await trunk.hungUp();
});

scenario('blind to a number behind a trunk: two trunks are connected, the browser is out', async () => {
  const { alice, trunk, other } = peers;
  await aliceTalks();
  await alice.refer(`sip:${OTHER}@example.com`);
  const invite = await other.rings();
  check(invite.header('from').includes(ALICE.numbers[0]), `the carrier was told ${invite.header('from')}`);
  check(!invite.header('referred-by'), 'the carrier was told who referred');
  other.sip.reply(180);
  await alice.sees('refer progress');
  await other.answer();
  await alice.sees('refer accepted');
  other.rtp.sendTone({ hz: OTHER_HZ });
  await Promise.all([trunk.rtp.hears(OTHER_HZ), other.rtp.hears(TRUNK_HZ)]);
  await alice.ends();
  await other.sip.bye();
  await trunk.hungUp();
});

scenario('a refused target: the status is told, and the two still hear each other', async () => {
  const { alice, other } = peers;
  await aliceTalks();
  await alice.refer(`sip:${OTHER}@example.com`);
  await other.rings();
  other.sip.reply(486);
  const failed = await alice.sees('refer failed');
  check(failed.status === '486', `told ${failed.status}`);
  await stillTalk();
});

scenario('a target that nobody answers: told after the ring time-out, the two still hear each other', async () => {
  const { alice, other } = peers;
  await aliceTalks();
  await alice.refer(`sip:${OTHER}@example.com`);
  await other.rings();
  other.sip.reply(180);
  const failed = await alice.sees('refer failed');
  check(failed.status === '480', `told ${failed.status}`);
  await other.sip.expect('CANCEL');
  other.sip.reply(200);
  await stillTalk();
});

scenario('targets that cannot be called: told why, the two still hear each other', async () => {
  const { alice } = peers;
  await aliceTalks();
  await alice.refer('sip:carl@example.com'); // who is not registered
  check((await alice.sees('refer failed')).status === '480', 'not 480');
  await stillTalk();
});
