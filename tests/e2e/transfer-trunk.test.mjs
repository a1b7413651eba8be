// SPDX-License-Identifier: Apache-2.0
// REFER message by message: from a trunk that may and one that may not, from strangers, malformed, refused, crossing BYEs.
// RFC 3515, RFC 4488, RFC 5589; SECURITY: nobody's Refer-To is followed further than the routes lead.
import { world, scenario, check, ALICE, BOB, CALLER } from './lib/scenario.mjs';
import { scriptedPhone } from './lib/phone.mjs';
import { until } from './lib/wait.mjs';

const OTHER = '+12025550177';

const peers = world({
  scripted: [ALICE, BOB],
  trunk: { refer: true },
  trunks: (it) => [{ name: 'other', host: it.other.sip.host, port: it.other.sip.port }],
  gateway: {
    config: { sip: { ring_timeout: '5s', t1: '100ms' } },
    routes: [
      { name: 'bob', from: 'any', to: '^(bob|\\+12025550124)$', account: 'bob' },
      { name: 'alice', from: 'any', to: '^(alice|\\+12025550123)$', account: 'alice' },
      { name: 'other', from: 'accounts', to: '^\\+12025550177$', trunks: ['other'] },
      { name: 'carrier', from: 'accounts', to: '^\\+12025550199$', trunks: ['carrier'] },
    ],
  },
  before: async (it) => { it.other = await scriptedPhone({ name: 'other', user: 'other' }); },
  after: (it) => it.other.close(),
});

const referTo = (uri, more = []) => ({ headers: [['Refer-To', `<${uri}>`], ['Contact', '<sip:x@127.0.0.1>'], ...more] });
/** Statuses that the NOTIFYs of this peer have told, in order. */
const told = (sip) => sip.received.filter((m) => m.method === 'NOTIFY').map((m) => Number(m.body.match(/^SIP\/2\.0 (\d+)/)[1]));

async function begin() {
  const { other, trunk, alice, bob, gateway } = peers;
  for (const phone of [other, trunk, alice, bob]) phone.sip.auto = { OPTIONS: 200, NOTIFY: 200 };
  other.sip.reset();
  other.sip.peer = gateway.sip;
}

/** This trunk calls alice, who answers. */
async function callsAlice(from) {
  const { alice } = peers;
  await begin();
  from.call(ALICE.numbers[0]);
  await alice.rings();
  await alice.answer();
  await from.answered();
}

const answeredRefer = (sip) => sip.expect((m) => m.status && m.cseq.method === 'REFER');

scenario('a trunk that may: alice is connected with bob, the trunk is told 100, 180, 200 and hangs up itself', async () => {
  const { trunk, alice, bob } = peers;
  await callsAlice(trunk);
  trunk.sip.inDialog('REFER', referTo('sip:bob@example.com', [['Referred-By', '<sip:boss@pbx.example>']]));
  check((await answeredRefer(trunk.sip)).status === 202, 'not accepted');
  const invite = await bob.rings();
  check(invite.header('from').includes(ALICE.numbers[0]), `bob was told ${invite.header('from')}`);
  check(/^<sip:.*@example\.com>$/.test(invite.header('referred-by')), `Referred-By: ${invite.header('referred-by')}`);
  bob.sip.reply(180);
  await bob.answer();
  await until(() => `the last NOTIFY (told ${told(trunk.sip)})`, () => told(trunk.sip).at(-1) === 200);
  check(told(trunk.sip)[0] === 100 && told(trunk.sip).slice(1, -1).every((status) => status === 180), `told ${told(trunk.sip)}`);
  const last = trunk.sip.received.findLast((m) => m.method === 'NOTIFY');
  check(/^terminated/.test(last.header('subscription-state')) && /^refer;id=\d+$/.test(last.header('event')), 'the last one');
  check((await trunk.sip.bye()).status === 200, 'its BYE was not taken');
  await bob.sip.bye();
  await alice.hungUp();
});

scenario('a trunk that says nothing more is hung up after a while', async () => {
  const { trunk, alice, bob } = peers;
  await callsAlice(trunk);
  trunk.sip.inDialog('REFER', referTo('sip:bob@example.com'));
  await bob.rings();
  await bob.answer();
  await trunk.hungUp();
  await alice.sip.bye();
  await bob.hungUp();
});

scenario('a trunk that may not: 603 with a sentence, and the call goes on', async () => {
  const { other, alice, gateway } = peers;
  await begin();
  await peers.alice.call(`sip:${OTHER}@example.com`);
  await other.rings();
  await other.answer();
  await alice.answered();
  other.sip.inDialog('REFER', referTo('sip:bob@example.com'));
  const refused = await answeredRefer(other.sip);
  check(refused.status === 603 && /key refer/.test(refused.header('warning')), refused.first);
  check((await gateway.admin.json('/calls')).some((call) => call.state === 'talking'), 'the call has gone');
  await other.sip.bye();
  await alice.hungUp();
});

scenario('the routes of the trunk count, not those of the one who is referred: 404, and the call goes on', async () => {
  const { trunk, alice, other } = peers;
  await callsAlice(trunk);
  trunk.sip.inDialog('REFER', referTo(`sip:${OTHER}@example.com`)); // accounts may call there
  await answeredRefer(trunk.sip);
  await until(() => `404 (told ${told(trunk.sip)})`, () => told(trunk.sip).at(-1) === 404);
  check(!other.sip.received.length, 'the other trunk was called');
  await trunk.sip.bye();
  await alice.hungUp();
});

scenario('REFERs that cannot be read are refused and the call goes on: 400, 416, 501', async () => {
  const { trunk, alice } = peers;
  await callsAlice(trunk);
  const bad = [
    [400, []], [400, [['Refer-To', 'x <<']]], [400, [['Refer-To', '<sip:bob@example.com>'], ['Refer-To', '<sip:x@example.com>']]],
    [416, [['Refer-To', '<mailto:bob@example.com>']]], [501, [['Refer-To', '<sip:bob@example.com;method=BYE>']]],
    [400, [['Refer-To', '<sip:bob@example.com?Replaces=abc>']]], [400, [['Refer-To', '<sip:bob@example.com?Replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D%00>']]],
    [400, [['Refer-To', `<sip:bob@example.com?Replaces=${'a'.repeat(400)}%3Bto-tag%3D1%3Bfrom-tag%3D2>`]]],
    [400, [['Refer-To', '<sip:%0d%0aX:y@example.com>']]], [400, [['Refer-To', '<sip:example.com>']]],
  ];
  for (const [status, headers] of bad) {
    trunk.sip.inDialog('REFER', { headers });
    const refused = await answeredRefer(trunk.sip);
    check(refused.status === status, `${JSON.stringify(headers)}: ${refused.first}`);
  }
  check(!told(trunk.sip).length, 'a refused REFER was followed by a NOTIFY');
  await trunk.sip.bye();
  await alice.hungUp();
});

scenario('a REFER outside of calls is refused, of strangers as of accounts', async () => {
  const { alice, trunk, other, gateway } = peers;
  await callsAlice(trunk);
  alice.sip.newRequest('REFER', 'sip:bob@example.com', { from: '<sip:alice@example.com>', ...referTo('sip:bob@example.com') });
  check((await answeredRefer(alice.sip)).status === 403, 'of an account');
  const stranger = await scriptedPhone({ name: 'stranger', user: 'trunk', host: '127.0.0.7' });
  stranger.sip.peer = gateway.sip;
  stranger.sip.inDialog('REFER', { dialog: { ...trunk.sip.dialog, cseq: 900 }, ...referTo('sip:bob@example.com') });
  check((await answeredRefer(stranger.sip)).status === 481, 'of a stranger who knows the dialog');
  stranger.sip.newRequest('REFER', 'sip:alice@example.com', referTo('sip:bob@example.com'));
  check((await answeredRefer(stranger.sip)).status === 403, 'of a stranger');
  stranger.close();
  check((await gateway.admin.json('/calls')).length === 1, 'a call came of it');
  check((await bye(trunk)).status === 200, 'the CSeq of the stranger counted');
  await alice.hungUp();
});

const bye = (phone) => phone.sip.bye();

scenario('one transfer at a time: 491 for the second one', async () => {
  const { trunk, alice, bob } = peers;
  await callsAlice(trunk);
  trunk.sip.inDialog('REFER', referTo('sip:bob@example.com'));
  await bob.rings();
  bob.sip.reply(180);
  await answeredRefer(trunk.sip);
  trunk.sip.inDialog('REFER', referTo('sip:bob@example.com'));
  check((await answeredRefer(trunk.sip)).status === 491, 'not 491');
  await alice.sip.bye(); // who was to be connected hangs up
  check((await bob.sip.expect('CANCEL')), 'bob still rings');
  bob.sip.reply(200);
  bob.sip.reply(487, { request: bob.sip.invite });
  await trunk.hungUp();
});

scenario('who transfers hangs up before the target answers: the other one waits and is connected', async () => {
  const { trunk, alice, bob, gateway } = peers;
  await callsAlice(trunk);
  trunk.sip.inDialog('REFER', referTo('sip:bob@example.com'));
  await bob.rings();
  bob.sip.reply(180);
  check((await bye(trunk)).status === 200, 'BYE');
  await until('one call', async () => (await gateway.admin.json('/calls')).filter((call) => call.state === 'ringing').length === 1);
  await bob.answer();
  await until('a talk', async () => (await gateway.admin.json('/calls')).some((call) => call.state === 'talking'));
  await bob.sip.bye();
  await alice.hungUp();
});

scenario('who transfers hangs up, and the target refuses: the one who waits is hung up, and told why', async () => {
  const { trunk, alice, bob } = peers;
  await callsAlice(trunk);
  trunk.sip.inDialog('REFER', referTo('sip:bob@example.com'));
  await bob.rings();
  await bye(trunk);
  bob.sip.reply(486);
  const end = await alice.hungUp();
  check(/cause=486/.test(end.header('reason')), end.header('reason'));
});

scenario('who waits alone hangs up: the target stops ringing', async () => {
  const { trunk, alice, bob } = peers;
  await callsAlice(trunk);
  trunk.sip.inDialog('REFER', referTo('sip:bob@example.com'));
  await bob.rings();
  bob.sip.reply(180);
  await bye(trunk);
  await alice.sip.bye();
  await bob.sip.expect('CANCEL');
  bob.sip.reply(200);
  bob.sip.reply(487, { request: bob.sip.invite });
});

scenario('BYEs cross: both sides hang up in the moment of the answer', async () => {
  const { trunk, alice, bob, gateway } = peers;
  await callsAlice(trunk);
  trunk.sip.inDialog('REFER', referTo('sip:bob@example.com'));
  await bob.rings();
  trunk.sip.inDialog('BYE');
  await bob.answer({ ack: false });
  alice.sip.inDialog('BYE');
  await bob.hungUp();
  for (const phone of [trunk, alice]) {
    const { status } = await phone.sip.expect((m) => m.status && m.cseq.method === 'BYE');
    check(status === 200 || status === 481, `BYE: ${status}`); // 481: ours was first (RFC 3261 15.1.2)
  }
  await until('no call', async () => (await gateway.admin.json('/calls')).length === 0);
});

scenario('Refer-Sub: false: 202 says so, and no NOTIFY comes', async () => {
  const { trunk, alice, bob } = peers;
  await callsAlice(trunk);
  trunk.sip.inDialog('REFER', referTo('sip:bob@example.com', [['Refer-Sub', 'false']]));
  const accepted = await answeredRefer(trunk.sip);
  check(accepted.status === 202 && accepted.header('refer-sub') === 'false', accepted.raw);
  await bob.rings();
  await bob.answer();
  await trunk.hungUp();
  check(!told(trunk.sip).length, 'a NOTIFY came');
  await bob.sip.bye();
  await alice.hungUp();
});

scenario('a trunk that does not take the NOTIFYs hears of it no more, and the transfer is done all the same', async () => {
  const { trunk, alice, bob } = peers;
  await callsAlice(trunk);
  trunk.sip.auto = { OPTIONS: 200, NOTIFY: 481 };
  trunk.sip.inDialog('REFER', referTo('sip:bob@example.com'));
  await bob.rings();
  bob.sip.reply(180);
  await bob.answer();
  await trunk.hungUp();
  check(told(trunk.sip).length === 1, `told ${told(trunk.sip)}`);
  await bob.sip.bye();
  await alice.hungUp();
});

scenario('records: both calls, what became of them, and no limit of the account is left taken', async () => {
  const { trunk, alice, bob, gateway } = peers;
  await callsAlice(trunk);
  trunk.sip.inDialog('REFER', referTo('sip:bob@example.com'));
  await bob.rings();
  await bob.answer();
  await until('they have talked for a millisecond', async () =>
    (await gateway.admin.json('/calls')).some((call) => call.dialled === 'bob' && call.talk_seconds > 0));
  await bye(trunk);
  await bob.sip.bye();
  await alice.hungUp();
  const recent = await until('the two calls', async () => {
    const isOver = !(await gateway.admin.json('/calls')).length;
    return isOver && gateway.admin.json('/calls/recent');
  });
  const [first, second] = recent.sort((a, b) => a.began - b.began).slice(-2); // one worker after the other
  check(/was transferred to another call/.test(first.why) && first.cause === '', JSON.stringify(first));
  check(second.caller === ALICE.numbers[0] && second.dialled === 'bob' && second.talk_seconds > 0, JSON.stringify(second));
  const { timeline } = await gateway.admin.json(`/calls/${first.id}`);
  check(JSON.stringify(timeline).includes(second.id), JSON.stringify(timeline));
});
