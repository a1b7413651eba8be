// SPDX-License-Identifier: Apache-2.0
// 3xx of a trunk: refused, followed or passed as its `redirect` says; what must not be followed, as somebody pays for it.
import { world, scenario, check, ALICE, BOB, CALLER } from './lib/scenario.mjs';
import { startGateway } from './lib/gateway.mjs';
import { scriptedPhone } from './lib/phone.mjs';
import { wsPhone } from './lib/ws-phone.mjs';

world({ trunk: false });
const ours = { needs: 'b2bua' };
const contacts = (...list) => list.map((one) => ['Contact', one]);
const refusal = (m) => m.status >= 300 && m.cseq.method === 'INVITE';

/** A gateway with one trunk of this policy; alice (and bob) registered. `other`: a second server of the trunk's accept list. */
async function begin(defer, redirect, { config, routes, alice: more, trunk: row } = {}) {
  const [trunk, other] = [await scriptedPhone({ name: 'trunk' }), await scriptedPhone({ name: 'other' })];
  const gateway = await startGateway({
    accounts: [{ ...ALICE, ...more }, BOB], config, routes,
    trunks: [{ name: 'carrier', host: trunk.sip.host, port: trunk.sip.port, ...(redirect && { redirect }), ...row }],
  });
  const [alice, bob] = [await wsPhone(gateway, ALICE), await wsPhone(gateway, BOB)];
  defer(async () => { [trunk, other, alice, bob].forEach((one) => one.close()); await gateway.stop(); });
  trunk.sip.peer = other.sip.peer = gateway.sip;
  const redirected = async (status, ...list) => {
    await alice.call(CALLER);
    const invite = await trunk.rings();
    trunk.sip.reply(status, { headers: contacts(...list) });
    return invite;
  };
  const talked = async (phone) => {
    const invite = await phone.rings();
    await phone.answer();
    await alice.sip.expect(200);
    alice.sip.ack();
    await phone.sip.bye();
    await alice.sip.expect('BYE');
    alice.sip.reply(200);
    return invite;
  };
  return { gateway, trunk, other, alice, bob, redirected, talked };
}

scenario('off, which is the default: a redirection is a refusal', async ({ defer }) => {
  const { redirected, alice, other } = await begin(defer);
  await redirected(302, `<sip:+12025550177@${other.sip.address}>`);
  check((await alice.sip.expect(refusal)).status === 502, 'the refusal');
  await other.sip.expectNone('INVITE', 200);
}, ours);

scenario('follow: by q, over another server of the accept list, with its own number', async ({ defer }) => {
  const { redirected, talked, trunk, other } = await begin(defer, 'follow');
  await redirected(302, `<sip:+12025550171@${trunk.sip.address}>;q=0.2`, `<sip:+12025550172@${other.sip.address}>;q=0.8, <sip:x@203.0.113.7>;q=1`);
  const invite = await talked(other);
  check(invite.uri === `sip:+12025550172@${other.sip.address}`, `Request-URI ${invite.uri}`);
}, ours);

scenario('follow: one that refuses is followed by the next, a further 3xx adds to the list, five are called at most', async ({ defer }) => {
  const { redirected, trunk, alice } = await begin(defer, 'follow');
  const to = (...digits) => digits.map((digit) => `<sip:+1202555018${digit}@${trunk.sip.address}>`);
  await redirected(300, ...to(1, 2, 3));
  const called = [];
  for (const answer of [486, 302, 404, 404, 404]) {
    const invite = await trunk.rings();
    called.push(invite.uri.match(/(\d)@/)[1]);
    trunk.sip.reply(answer, { headers: answer === 302 ? contacts(...to(4, 5, 6, 7, 8)) : [] });
  }
  check(called.join('') === '12345', `called ${called}`);
  check((await alice.sip.expect(refusal)).status === 486, 'the best refusal');
  await trunk.sip.expectNone('INVITE', 200);
}, ours);

scenario('follow: loops end, whether to the same number, in a circle, or through our own routes', async ({ defer }) => {
  const { redirected, trunk, alice, gateway } = await begin(defer, 'follow');
  await redirected(302, `<sip:${CALLER}@${trunk.sip.address}>`);
  check((await alice.sip.expect(refusal)).status === 502, 'to itself');
  alice.sip.reset();
  await redirected(302, `<sip:1@${trunk.sip.address}>`);
  await trunk.rings();
  trunk.sip.reply(302, { headers: contacts(`<sip:${CALLER}@${trunk.sip.address}>, <sip:1@${trunk.sip.address}>`) });
  check((await alice.sip.expect(refusal)).status === 502, 'in a circle');
  alice.sip.reset();
  await redirected(302, `<sip:${CALLER}@${gateway.domain}>`);
  await trunk.rings();
  trunk.sip.reply(302, { headers: contacts(`<sip:${CALLER}@${gateway.domain}>`) });
  check((await alice.sip.expect(refusal)).status === 502, 'by the routes');
  await trunk.sip.expectNone('INVITE', 200);
}, ours);

scenario('follow: to strangers, to what costs extra, and to what is no SIP URI nobody is sent', async ({ defer }) => {
  const { redirected, alice, trunk } = await begin(defer, 'follow');
  await redirected(302, '<sip:1@203.0.113.7>', '<sip:1@evil.example.net>', `<sip:+19005550100@${trunk.sip.address}>`, '<tel:+1202555>', '<mailto:a@b>',
    `<sip:@${trunk.sip.address}>`, '<sip:%00@127.0.0.1>', '*');
  check((await alice.sip.expect(refusal)).status === 502, 'the refusal');
  await trunk.sip.expectNone('INVITE', 200);
}, ours);

scenario('follow: at the trunk, too, only what the caller could have dialled: by his routes, his `allowed`, one call in its place', async ({ defer }) => {
  const { redirected, alice, trunk, gateway } = await begin(defer, 'follow', {
    alice: { allowed: ['+12', '+44'] }, trunk: { max_calls: 1 },
    routes: [{ from: 'accounts', to: '^\\+1.*$', trunks: ['carrier'] }, { from: 'accounts', to: '^(\\+49.*|bob)$', account: 'bob' }],
  });
  const to = (number) => `<sip:${number}@${trunk.sip.address}>`;
  await redirected(302, to('+442000000001'), to('+493000000001'), to('+13025550100'), to('+1202555%0A0'), to('+12025550177'));
  const invite = await trunk.rings();
  check(invite.uri.includes('+12025550177'), invite.uri);
  trunk.sip.reply(486);
  check((await alice.sip.expect(refusal)).status === 486, 'the refusal');
  await trunk.sip.expectNone('INVITE', 200);
  alice.sip.reset();
  await redirected(486); // its only place is free again
  check((await alice.sip.expect(refusal)).status === 486, 'the place');
  check((await gateway.admin.metric('sipway_calls')) === 0, 'sipway_calls');
}, ours);

scenario('follow: a number at our domain goes where the caller may call, here to another account', async ({ defer }) => {
  const { redirected, gateway, bob, alice } = await begin(defer, 'follow');
  await redirected(302, `<sip:bob@${gateway.domain}>`);
  await bob.rings();
  bob.sip.reply(486);
  check((await alice.sip.expect(refusal)).status === 486, 'bob is busy');
}, ours);

scenario('pass: the caller is told the numbers at our domain, and no address of the trunk', async ({ defer }) => {
  const { redirected, gateway, alice } = await begin(defer, 'pass');
  await redirected(302, '<sip:+12025550177@10.1.2.3;x=y>;q=0.5', '<sip:+12025550178@10.1.2.4>');
  const told = await alice.sip.expect(refusal);
  check(told.status === 302, told.first);
  check(told.all('contact').join() === `<sip:+12025550178@${gateway.domain}>;q=1.000,<sip:+12025550177@${gateway.domain}>;q=0.500`, `${told.all('contact')}`);
  check(!/10\.1\.2/.test(told.raw), told.raw);
}, ours);
