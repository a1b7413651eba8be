// SPDX-License-Identifier: Apache-2.0
// Which trunk gets a call, and what numbers and sounds pass: priority and weight, failover, number rules, early media.
import { scenario, check, ALICE, CALLER } from './lib/scenario.mjs';
import { startGateway } from './lib/gateway.mjs';
import { scriptedPhone } from './lib/phone.mjs';
import { wsPhone } from './lib/ws-phone.mjs';

const ours = { needs: 'admin' };

/** A gateway with scripted trunks; rows: {name: keys of the trunk}. @returns {gateway, alice, <trunk name>: phone} */
async function start(defer, rows, routes, config) {
  const world = {};
  const trunks = [];
  for (const [name, more] of Object.entries(rows)) {
    const phone = await scriptedPhone({ name });
    defer(() => phone.close());
    world[name] = phone;
    trunks.push({ name, host: phone.sip.host, port: phone.sip.port, ...more });
  }
  world.gateway = await startGateway({ accounts: [ALICE], trunks, routes, config });
  defer(() => world.gateway.stop());
  for (const name of Object.keys(rows)) world[name].sip.peer = world.gateway.sip;
  world.alice = await wsPhone(world.gateway, ALICE);
  defer(() => world.alice.close());
  return world;
}

const out = (trunks) => [{ from: 'accounts', to: '^(.+)$', trunks }];

scenario('calls are shared by weight, and the backup waits', async ({ defer }) => {
  const { alice, east, west, backup } = await start(defer, { east: {}, west: {}, backup: {} }, out(['backup/2', 'east/1/50', 'west/1/50']));
  const calls = 16;
  for (const phone of [east, west]) phone.sip.auto.INVITE = 486;
  for (let i = 0; i < calls; i++) {
    await alice.call(CALLER);
    await alice.sip.expect(486);
  }
  const [inEast, inWest] = [east, west].map((phone) => phone.sip.received.filter((m) => m.method === 'INVITE').length);
  check(inEast + inWest === calls && inEast && inWest, `shared ${inEast} to ${inWest}`); // all on one side: once in 32768 runs
  check(!backup.sip.received.length, 'the backup was called');
}, ours);

scenario('a refusal that `failover` lists moves the call on by priority; another one ends it', async ({ defer }) => {
  const { alice, one, two, three } = await start(defer, { one: { failover: [404, '500-503'] }, two: {}, three: {} }, out(['three/30', 'one/10', 'two/20']));
  await alice.call(CALLER);
  await one.rings();
  one.sip.reply(404);
  await two.rings();
  two.sip.reply(503);
  await three.rings();
  three.sip.reply(404);
  await alice.sip.expect(404);
  await alice.call(CALLER);
  await one.rings();
  one.sip.reply(504);
  await alice.sip.expect(504);
  await two.sip.expectNone('INVITE', 300);
}, ours);

scenario('after a 6xx and after an answer no other trunk is tried', async ({ defer }) => {
  const { alice, one, two } = await start(defer, { one: { failover: ['400-599'] }, two: {} }, out(['one', 'two']));
  await alice.call(CALLER);
  await one.rings();
  one.sip.reply(603);
  await alice.sip.expect(603);
  await alice.call(CALLER);
  await one.rings();
  await one.answer();
  await alice.answered();
  one.sip.inDialog('BYE');
  await alice.hungUp();
  await two.sip.expectNone('INVITE', 300);
}, ours);

scenario('numbers leave and arrive by the rules of their trunk', async ({ defer }) => {
  const { alice, one, two } = await start(defer, {
    one: {
      numbers_out: ['^\\+1(.*)$ => 001\\1', '^ => never'],
      callers_out: ['^\\+(.*)$ => 00\\1'],
      numbers_in: ['^001(.*)$ => +1\\1'],
      callers_in: ['^0([1-9].*)$ => +49\\1'],
      failover: [404],
    },
    two: {},
  }, [{ from: 'trunk:one', to: '^\\+12025550123$', account: 'alice' }, ...out(['one', 'two'])]);
  await alice.call(CALLER);
  const invite = await one.rings();
  check(invite.uri.startsWith('sip:0012025550199@') && invite.header('to').includes('sip:0012025550199@'), `${invite.first}, To ${invite.header('to')}`);
  check(invite.header('from').includes('sip:0012025550123@') && invite.header('p-asserted-identity').includes('sip:0012025550123@'), `From ${invite.header('from')}`);
  one.sip.reply(404);
  const other = await two.rings();
  check(other.uri.startsWith(`sip:${CALLER}@`) && other.header('from').includes(ALICE.numbers[0]), `the second trunk has no rules: ${other.first}`);
  two.sip.reply(486);
  await alice.sip.expect(486);
  one.call('0012025550123', { from: '<sip:030123@127.0.0.1>' });
  const inbound = await alice.rings();
  check(inbound.header('from').includes('sip:+4930123@'), `From ${inbound.header('from')}`);
  alice.sip.reply(486);
  await one.sip.expect(486);
  one.call('+12025550123', { from: '<sip:030123@127.0.0.1>' });
  await alice.rings();
  alice.sip.reply(486);
  await one.sip.expect(486);
}, ours);

scenario('a number that the rules leave nothing of is not dialled', async ({ defer }) => {
  const { alice, one } = await start(defer, { one: { numbers_out: ['^(x)?.*$ => \\1'] } }, out(['one']));
  await alice.call(CALLER);
  await alice.sip.expect(404);
  await one.sip.expectNone('INVITE', 200);
}, ours);

scenario('messages go by the same ranks, numbers and names as calls', async ({ defer }) => {
  const { alice, one, two } = await start(defer, {
    one: { numbers_out: ['^\\+1(.*)$ => 001\\1'], callers_out: ['^\\+(.*)$ => 00\\1'], identity: ['rpid'] },
    two: { numbers_in: ['^900$ => +12025550123'], callers_in: ['^0([1-9].*)$ => +49\\1'] },
  }, [{ from: 'trunk:two', to: '^\\+12025550123$', account: 'alice' }, ...out(['two/2', 'one/1'])]);
  alice.sip.newRequest('MESSAGE', `sip:${CALLER}@example.com`, { from: `<${alice.aor}>`, body: 'hello', type: 'text/plain' });
  const message = await one.sip.expect('MESSAGE');
  check(message.uri.startsWith('sip:0012025550199@') && message.header('from').includes('sip:0012025550123@')
    && message.header('remote-party-id').includes('sip:0012025550123@') && !message.header('p-asserted-identity'), message.raw);
  one.sip.reply(202);
  await alice.sip.expect(202);
  two.sip.newRequest('MESSAGE', `sip:900@${two.sip.peer.host}:${two.sip.peer.port}`, { from: '<sip:030123@127.0.0.1>', body: 'hello', type: 'text/plain' });
  const inbound = await alice.sip.expect('MESSAGE');
  check(inbound.header('from').includes('sip:+4930123@'), `From ${inbound.header('from')}`);
  alice.sip.reply(200);
  await two.sip.expect(200);
}, ours);

scenario('early media of a trunk is heard, or ignored where its key says so', async ({ defer }) => {
  const { alice, loud, quiet } = await start(defer, { loud: {}, quiet: { early_media: 'ignore' } },
    [{ from: 'accounts', to: '^1$', trunks: ['loud'] }, { from: 'accounts', to: '^2$', trunks: ['quiet'] }]);
  for (const [number, phone, status, has] of [['1', loud, 183, true], ['2', quiet, 180, false]]) {
    await alice.call(number);
    const invite = await phone.rings();
    phone.learn(invite.body);
    const body = phone.sdp();
    phone.sip.reply(183, { body });
    const early = await alice.sip.expect((m) => m.status > 100 && m.status < 200);
    check(early.status === status && Boolean(early.body) === has, `${number}: ${early.first}, ${early.body.length} bytes`);
    phone.sip.reply(200); // the description was in the 183
    await phone.sip.expect('ACK');
    const ok = await alice.answered();
    check(/^m=audio [1-9]/m.test(ok.body), `no audio in the answer:\n${ok.body}`);
    phone.sip.inDialog('BYE');
    await alice.hungUp();
  }
}, ours);
