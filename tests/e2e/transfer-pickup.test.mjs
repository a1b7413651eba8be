// SPDX-License-Identifier: Apache-2.0
// INVITE with Replaces: a ringing call is picked up, a talk is taken over, by whom the configuration allows. RFC 3891.
import { world, scenario, check, ALICE, BOB, CALLER } from './lib/scenario.mjs';
import { wsPhone, browserSdp } from './lib/ws-phone.mjs';
import { subscribe } from './lib/subscription.mjs';

const CAROL = { name: 'carol', password: 'secret-of-carol', pickup: ['bob'] };
const DAVE = { name: 'dave', password: 'secret-of-dave' };
const ALICE_HZ = 700;
const TRUNK_HZ = 1000;

const peers = world({
  accounts: [{ ...ALICE, pickup: ['bob'] }, { ...BOB, watchers: ['*'] }, CAROL, DAVE],
  browsers: [ALICE],
  scripted: [BOB, CAROL, DAVE],
  gateway: {
    routes: [
      { name: 'bob', from: 'any', to: '^(bob|\\+12025550124)$', account: 'bob' },
      { name: 'carrier', from: 'accounts', to: '^(.+)$', trunks: ['carrier'] },
    ],
  },
});

/** The trunk calls bob, whose phone rings. @returns Replaces as bob's own phone would name that dialog */
async function bobRings() {
  const { trunk, bob, carol, dave } = peers;
  for (const phone of [trunk, bob, carol, dave]) phone.sip.reset();
  trunk.call(BOB.numbers[0], { from: `<sip:${CALLER}@carrier.example.com>` });
  const invite = await bob.rings();
  invite.ourTag = 'bobs';
  bob.sip.reply(180);
  await trunk.sip.expect(180);
  return `${invite.callId};to-tag=bobs;from-tag=${invite.fromTag}`;
}

async function bobTalks() {
  const replaces = await bobRings();
  await peers.bob.answer();
  await peers.trunk.answered();
  peers.trunk.rtp.sendTone({ hz: TRUNK_HZ });
  return replaces;
}

const replacing = (replaces, more = []) => ({ extraHeaders: [`Replaces: ${replaces}`, ...more] });

/** A scripted phone asks; @returns the final answer */
async function asks(phone, replaces, options = {}) {
  await phone.call('bob', { headers: replaces.map((text) => ['Replaces', text]), ...options });
  return phone.sip.expect((m) => m.status >= 200 && m.cseq.method === 'INVITE');
}


scenario('a ringing call is picked up from the browser: both are heard, the phone stops ringing', async () => {
  const { alice, bob, trunk } = peers;
  const replaces = await bobRings();
  await alice.call('sip:bob@example.com', replacing(replaces, ['Require: replaces']));
  await trunk.answered();
  const cancel = await bob.sip.expect('CANCEL');
  check(/cause=200/.test(cancel.header('reason')), cancel.header('reason'));
  bob.sip.reply(200);
  bob.sip.reply(487, { request: bob.sip.invite });
  await alice.sees('confirmed');
  trunk.rtp.sendTone({ hz: TRUNK_HZ });
  await Promise.all([trunk.rtp.hears(ALICE_HZ), alice.hears(TRUNK_HZ)]);
  await alice.hangUp();
  await trunk.hungUp();
});

scenario('by what a busy lamp was told a call can be picked up, too', async () => {
  const { alice, carol, trunk, bob } = peers;
  for (const phone of [trunk, bob, carol]) phone.sip.reset();
  const lamp = await subscribe(carol.sip, CAROL, 'bob', 'dialog');
  await lamp.next();
  trunk.call(BOB.numbers[0], { from: `<sip:${CALLER}@carrier.example.com>` });
  await bob.rings();
  bob.sip.reply(180);
  const { body } = await lamp.until(/early/);
  const [, callId, local, remote] = body.match(/call-id="([^"]+)" local-tag="([^"]+)" remote-tag="([^"]+)"/);
  await alice.call('sip:bob@example.com', replacing(`${callId};to-tag=${local};from-tag=${remote};early-only`));
  await trunk.answered();
  await alice.sees('confirmed');
  await bob.sip.expect('CANCEL');
  bob.sip.reply(200);
  bob.sip.reply(487, { request: bob.sip.invite });
  trunk.rtp.sendTone({ hz: TRUNK_HZ });
  await Promise.all([trunk.rtp.hears(ALICE_HZ), alice.hears(TRUNK_HZ)]);
  carol.sip.auto = { OPTIONS: 200, NOTIFY: 200 };
  await alice.hangUp();
  await trunk.hungUp();
  await lamp.refresh(0);
});

scenario('a talk is taken over: the phone is hung up, the one it talked to hears the browser', async () => {
  const { alice, bob, trunk } = peers;
  const replaces = await bobTalks();
  await alice.call('sip:bob@example.com', replacing(replaces));
  const bye = await bob.hungUp();
  check(/cause=200/.test(bye.header('reason')), bye.header('reason'));
  await alice.sees('confirmed');
  await Promise.all([trunk.rtp.hears(ALICE_HZ), alice.hears(TRUNK_HZ)]);
  await trunk.sip.bye();
  await alice.ends();
});

scenario('an account takes its own talk over to another device, without any key', async ({ defer }) => {
  const { dave, trunk, gateway } = peers;
  for (const phone of [trunk, dave]) phone.sip.reset();
  const invite = await dave.call(CALLER);
  await trunk.rings();
  await trunk.answer();
  const ok = await dave.answered();
  const second = await wsPhone(gateway, DAVE);
  defer(() => second.close());
  const answer = await asks(second, [`${invite.callId};to-tag=${ok.toTag};from-tag=${invite.fromTag}`]);
  check(answer.status === 200, answer.first);
  second.sip.ack();
  await dave.hungUp();
  await second.sip.bye();
  await trunk.hungUp();
});

scenario('who may not gets 403, and the phone goes on ringing', async () => {
  const { dave, bob, trunk } = peers;
  const replaces = await bobRings();
  const refused = await asks(dave, [replaces]);
  check(refused.status === 403 && /may not take/.test(refused.header('warning')), refused.raw);
  await bob.answer();
  await trunk.answered();
  await bob.sip.bye();
  await trunk.hungUp();
});

scenario('refusals: no such call 481, early-only of a talk 486, unreadable or twice 400, without an offer 488', async () => {
  const { carol, bob, trunk } = peers;
  const replaces = await bobTalks();
  const cases = [
    [481, ['nothing;to-tag=w0.a;from-tag=b']],
    [486, [`${replaces};early-only`]], [400, [replaces, replaces]], [400, ['abc']], [400, [`${replaces};to-tag=2`]],
  ];
  for (const [status, headers] of cases) {
    const refused = await asks(carol, headers);
    check(refused.status === status, `${headers}: ${refused.first}`);
  }
  check((await asks(carol, [replaces], { body: '' })).status === 488, 'without an offer');
  check((await asks(carol, [replaces], { body: browserSdp({ formats: [97], rtpmaps: { 97: 'nothing/8000' } }) })).status === 488, 'no codec');
  await bob.sip.bye();
  await trunk.hungUp();
});

scenario('a trunk may take over nothing', async () => {
  const { trunk, bob } = peers;
  const replaces = await bobTalks();
  const dialog = trunk.sip.dialog;
  trunk.call(BOB.numbers[0], { headers: [['Replaces', replaces]] });
  const refused = await trunk.sip.expect((m) => m.status >= 200 && m.cseq.method === 'INVITE');
  check(refused.status === 603, refused.first);
  trunk.sip.dialog = dialog;
  await trunk.sip.bye();
  await bob.hungUp();
});
