// SPDX-License-Identifier: Apache-2.0
// `registrar` of a trunk: refresh, expiry and loss of a login; limits; strangers; a PBX that does not answer.
import { world, scenario, check, ALICE } from './lib/scenario.mjs';
import { acceptLogin, challenge, loggedIn, logOut, pbxPhone, ERIN, FRED, PBX } from './lib/pbx.mjs';
import { browserSdp } from './lib/ws-phone.mjs';
import { sipAgent } from './lib/sip-agent.mjs';
import { patience, until } from './lib/wait.mjs';

const peers = world({
  accounts: [ALICE],
  trunk: { registrar: PBX, max_users: 4, max_calls: 1, codecs: ['PCMA'] },
  gateway: { config: { sip: { max_bindings: 3, t1: '100ms' } } },
});

const users = () => peers.gateway.admin.metric('sipway_pbx_users');
const isFinal = (request) => (m) => m.status >= 200 && m.callId === request.callId;
const invite = (contact, from = `"Fred" <sip:fred@${PBX}>`) => peers.trunk.sip.newRequest('INVITE', contact, { from, body: peers.trunk.sdp({ codecs: ['PCMA'], events: 101 }) });
/** REGISTER as it is, without waiting. */
const sendRegister = (sip, user, { contact = sip.contact, expires = 300, headers = [], ...more } = {}) => sip.newRequest('REGISTER', `sip:${PBX}`, {
  from: `<sip:${user.name}@${PBX}>`, to: `<sip:${user.name}@${PBX}>`, contact, headers: [['Expires', expires], ...headers], ...more });

scenario('a refresh is one row with the login: same Contact, same Call-ID, next CSeq; 423 is passed with its Min-Expires', async ({ defer }) => {
  const { gateway, trunk } = peers;
  const phone = await loggedIn(gateway, trunk.sip, ERIN);
  defer(() => logOut(trunk.sip, phone));
  const own = phone.sip.sent.findLast((m) => m.method === 'REGISTER');
  const again = sendRegister(phone.sip, ERIN, { expires: 30, callId: own.callId, cseq: own.cseq.number + 1 });
  const brief = await trunk.sip.expect('REGISTER');
  check(brief.contactUri === phone.pbx.contact && brief.callId === phone.pbx.second.callId && brief.cseq.number === phone.pbx.second.cseq.number + 1, brief.raw);
  trunk.sip.reply(423, { request: brief, reason: 'Interval Too Brief', headers: [['Min-Expires', '90']] });
  const refused = await phone.sip.expect(isFinal(again));
  check(refused.status === 423 && refused.header('min-expires') === '90', refused.raw);
  check((await users()) === 1, 'a refused refresh has logged the user out');
});

scenario('what the PBX grants is over after that time, and calls to the Contact are refused then', async ({ defer }) => {
  const { gateway, trunk } = peers;
  const phone = await loggedIn(gateway, trunk.sip, ERIN, { expires: 1 });
  defer(() => phone.close());
  check(phone.answer200.header('contact').endsWith(';expires=1'), phone.answer200.raw);
  await until('nobody logged in', async () => (await users()) === 0);
  const call = invite(phone.pbx.contact);
  check((await trunk.sip.expect(isFinal(call))).status === 404, 'not 404');
  phone.sip.newRequest('INVITE', `sip:fred@${PBX}`, { from: `<sip:erin@${PBX}>`, body: browserSdp() });
  check((await phone.sip.expect((m) => m.status >= 300)).status === 403, 'who is logged out can call');
});

scenario('logged out by the user: Expires: 0 is carried, and the PBX\'s yes ends it', async ({ defer }) => {
  const { gateway, trunk } = peers;
  const phone = await loggedIn(gateway, trunk.sip, ERIN);
  defer(() => phone.close());
  const bye = sendRegister(phone.sip, ERIN, { expires: 0 });
  const came = await trunk.sip.expect('REGISTER');
  check(came.header('expires') === '0' && came.contactUri === phone.pbx.contact, came.raw);
  check((await users()) === 1, 'the PBX was not asked');
  trunk.sip.reply(200, { request: came });
  check((await phone.sip.expect(isFinal(bye))).status === 200, 'not 200');
  check((await users()) === 0, 'still logged in');
});

scenario('a lost connection: the PBX says no to the log-out; calls are 480 until the device is back under its name', async ({ defer }) => {
  const { gateway, trunk } = peers;
  const phone = await loggedIn(gateway, trunk.sip, ERIN);
  const contact = phone.sip.contact;
  phone.close();
  const bye = await trunk.sip.expect('REGISTER');
  check(bye.header('expires') === '0' && bye.contactUri === phone.pbx.contact && bye.header('authorization') === phone.pbx.second.header('authorization'), bye.raw);
  trunk.sip.reply(401, { request: bye, headers: [['WWW-Authenticate', challenge()]] });
  const call = invite(phone.pbx.contact);
  check((await trunk.sip.expect(isFinal(call))).status === 480, 'the stale binding was rung');
  const back = await pbxPhone(gateway, ERIN, { register: false });
  defer(() => logOut(trunk.sip, back));
  const answer = back.register({ contact });
  const login = await acceptLogin(trunk.sip, ERIN);
  await answer;
  check(login.contact === phone.pbx.contact, 'the device has another name now');
  invite(login.contact);
  await back.rings();
  back.sip.reply(486);
  await trunk.sip.expect((m) => m.status === 486);
});

scenario('the connection is lost in a call and comes back: the same dialogs go on', async ({ defer }) => {
  const { gateway, trunk } = peers;
  const phone = await loggedIn(gateway, trunk.sip, ERIN);
  const contact = phone.sip.contact;
  invite(phone.pbx.contact);
  await phone.rings();
  await phone.answer({ formats: [8] });
  await trunk.answered();
  phone.close();
  const bye = await trunk.sip.expect('REGISTER');
  trunk.sip.reply(200, { request: bye });
  const back = await pbxPhone(gateway, ERIN, { register: false });
  defer(() => logOut(trunk.sip, back));
  const answer = back.register({ contact });
  await acceptLogin(trunk.sip, ERIN);
  await answer;
  const ended = trunk.sip.bye();
  await back.hungUp();
  await ended;
});

scenario('Path of a proxy in front is kept: in the 200, and as Route to the device', async ({ defer }) => {
  const { gateway, trunk } = peers;
  const path = '<sip:edge.example.net;lr>';
  const phone = await loggedIn(gateway, trunk.sip, ERIN, { registration: { headers: [['Path', path]] } });
  defer(() => logOut(trunk.sip, phone));
  check(phone.answer200.header('path') === path, phone.answer200.raw);
  check(!phone.pbx.second.header('path'), 'the PBX sees what is in front of us');
  invite(phone.pbx.contact);
  const ringing = await phone.rings();
  check(ringing.header('route') === path, `Route ${ringing.header('route')}`);
  phone.sip.reply(486);
  await trunk.sip.expect((m) => m.status === 486);
});

scenario('too many devices of a user, too many users of a trunk: 503, and the PBX is not asked', async ({ defer }) => {
  const { gateway, trunk } = peers;
  for (let i = 0; i < 3; i++) {
    const one = await loggedIn(gateway, trunk.sip, ERIN);
    defer(() => logOut(trunk.sip, one));
  }
  const fourth = await pbxPhone(gateway, ERIN, { register: false });
  defer(() => fourth.close());
  check((await fourth.sip.expect(isFinal(sendRegister(fourth.sip, ERIN)))).status === 503, 'a fourth device is let in');
  const fred = await loggedIn(gateway, trunk.sip, FRED);
  defer(() => logOut(trunk.sip, fred));
  const fifth = await pbxPhone(gateway, FRED, { register: false });
  defer(() => fifth.close());
  check((await fifth.sip.expect(isFinal(sendRegister(fifth.sip, FRED)))).status === 503, 'a fifth user is let in');
  await trunk.sip.expectNone('REGISTER', 100);
  check((await users()) === 4, `${await users()} users`);
});

scenario('max_calls and codecs of the trunk hold for its users', async ({ defer }) => {
  const { gateway, trunk } = peers;
  const phone = await loggedIn(gateway, trunk.sip, ERIN);
  defer(() => logOut(trunk.sip, phone));
  phone.sip.newRequest('INVITE', `sip:fred@${PBX}`, { from: `<sip:erin@${PBX}>`, body: browserSdp() });
  const came = await trunk.rings();
  check(trunk.offer.ptOf('PCMA') === 8 && trunk.offer.ptOf('PCMU') === undefined, came.body);
  const second = phone.sip.newRequest('INVITE', `sip:fred@${PBX}`, { from: `<sip:erin@${PBX}>`, body: browserSdp() });
  check((await phone.sip.expect(isFinal(second))).status === 503, 'a second call passes');
  trunk.sip.reply(486, { request: came });
  check((await phone.sip.expect((m) => m.status >= 300)).status === 486, 'not 486');
});

scenario('strangers and other users can neither call through it nor take a binding', async ({ defer }) => {
  const { gateway, trunk } = peers;
  const phone = await loggedIn(gateway, trunk.sip, ERIN);
  defer(() => logOut(trunk.sip, phone));
  const fred = await loggedIn(gateway, trunk.sip, FRED);
  defer(() => logOut(trunk.sip, fred));
  const stranger = await sipAgent({ name: 'stranger', user: 'erin', peer: gateway.sip, host: '127.0.0.9' });
  defer(() => stranger.close());
  for (const sip of [stranger, fred.sip]) {
    for (const [method, uri] of [['INVITE', `sip:fred@${PBX}`], ['MESSAGE', `sip:fred@${PBX}`], ['SUBSCRIBE', `sip:erin@${PBX}`]]) {
      const request = sip.newRequest(method, uri, { from: `<sip:erin@${PBX}>`, body: 'x', type: 'text/plain' });
      check((await sip.expect(isFinal(request))).status === 403, `${method} in erin's name is let in`);
    }
    const toDevice = sip.newRequest('INVITE', phone.pbx.contact, { from: `<sip:fred@example.org>`, body: trunk.sdp({}) });
    check((await sip.expect(isFinal(toDevice))).status >= 400, 'a stranger rings the device');
  }
  const thief = sendRegister(stranger, ERIN, { contact: phone.sip.contact });
  const asked = await trunk.sip.expect('REGISTER');
  trunk.sip.reply(403, { request: asked });
  check((await stranger.expect(isFinal(thief))).status === 403, 'not 403');
  const third = sendRegister(fred.sip, ERIN, { from: `<sip:fred@${PBX}>` });
  check((await fred.sip.expect(isFinal(third))).status === 403, 'a user may register another');
  await trunk.sip.expectNone((m) => m.isRequest, 100);
  invite(phone.pbx.contact);
  await phone.rings();
  phone.sip.reply(486);
  await trunk.sip.expect((m) => m.status === 486);
});

scenario('a phone over UDP logs in, is asked after by OPTIONS, rings; a huge challenge gets nothing back to it', async ({ defer }) => {
  const { gateway, trunk } = peers;
  const phone = await sipAgent({ name: 'erin', user: 'desk', peer: gateway.sip, domain: PBX, host: '127.0.0.2' });
  defer(() => phone.close());
  const flood = sendRegister(phone, ERIN);
  const first = await trunk.sip.expect('REGISTER');
  trunk.sip.reply(401, { request: first, headers: [['WWW-Authenticate', challenge('n', `, opaque="${'x'.repeat(2000)}"`)]] });
  const small = await phone.expect(isFinal(flood));
  check(small.raw.length < 2 * flood.raw.length, `${small.raw.length} bytes for ${flood.raw.length}`);
  const answer = phone.register({ username: 'erin', password: ERIN.password, domain: PBX, expires: 60 });
  const login = await acceptLogin(trunk.sip, ERIN, { expires: 2 });
  check((await answer).status === 200, 'not registered');
  const ping = trunk.sip.newRequest('OPTIONS', login.contact);
  check((await trunk.sip.expect(isFinal(ping))).status === 200, 'OPTIONS is not answered');
  invite(login.contact);
  await phone.expect('INVITE');
  phone.reply(486);
  await trunk.sip.expect((m) => m.status === 486);
  phone.newRequest('INVITE', `sip:fred@${PBX}`, { from: `<sip:erin@${PBX}>`, body: trunk.sdp({ codecs: ['PCMA'] }) });
  await trunk.rings();
  trunk.sip.reply(603);
  check((await phone.expect((m) => m.status >= 300)).status === 603, 'not 603');
  await until('nobody logged in', async () => (await users()) === 0);
});

scenario('guessed passwords: refusals take longer and longer; the user himself is not locked out elsewhere', async ({ defer }) => {
  const { gateway, trunk } = peers;
  const slowed = () => gateway.admin.metric('sipway_auth_slowed_total');
  const phone = await pbxPhone(gateway, FRED, { register: false });
  defer(() => phone.close());
  const before = await slowed();
  for (let i = 0; (await slowed()) === before; i++) {
    check(i < 12, 'twelve wrong passwords and none is slowed');
    sendRegister(phone.sip, FRED, { headers: [['Authorization', `Digest username="fred", realm="${PBX}", nonce="n${i}", uri="sip:${PBX}", response="0123456789abcdef0123456789abcdef"`]] });
    const came = await trunk.sip.expect('REGISTER');
    trunk.sip.reply(401, { request: came, headers: [['WWW-Authenticate', challenge()]] });
    let isHeld = false;
    await until('a refusal, or one that waits', async () => phone.sip.inbox.some((m) => m.status >= 300) || (isHeld = (await slowed()) > before));
    if (isHeld) {
      const another = sendRegister(phone.sip, FRED, { headers: [['Authorization', `Digest username="fred", realm="${PBX}", nonce="m", uri="sip:${PBX}", response="0123456789abcdef0123456789abcdef"`]] });
      check((await phone.sip.expect(isFinal(another))).status === 503, 'a second guess passes while the first one waits');
    }
    const answer = await phone.sip.expect((m) => m.status >= 300, { within: 5000 });
    check(answer.status === 401, answer.first);
  }
  const home = await sipAgent({ name: 'fred at home', user: 'fred', peer: gateway.sip, domain: PBX, host: '127.0.0.3' });
  defer(() => home.close());
  const answer = home.register({ password: FRED.password, domain: PBX, expires: 60 });
  await acceptLogin(trunk.sip, FRED, { expires: 1 });
  check((await answer).status === 200, 'the user pays for who guesses');
  await until('nobody logged in', async () => (await users()) === 0);
});

scenario('a PBX that says nothing: 504 for what waits for it, long before the sender gives up', async ({ defer }) => {
  const { gateway, trunk } = peers;
  const phone = await loggedIn(gateway, trunk.sip, ERIN, { expires: 30 });
  defer(() => phone.close());
  const requests = [
    sendRegister(phone.sip, ERIN),
    phone.sip.newRequest('MESSAGE', `sip:fred@${PBX}`, { from: `<sip:erin@${PBX}>`, body: 'x', type: 'text/plain' }),
    phone.sip.newRequest('SUBSCRIBE', `sip:erin@${PBX}`, { from: `<sip:erin@${PBX}>`, headers: [['Event', 'message-summary']] }),
    phone.sip.newRequest('INVITE', `sip:fred@${PBX}`, { from: `<sip:erin@${PBX}>`, body: browserSdp() }),
  ];
  const began = performance.now();
  for (const request of requests) {
    const answer = await phone.sip.expect(isFinal(request));
    check(answer.status === 504, `${request.method}: ${answer.first}`);
    const waited = performance.now() - began;
    check(request.method === 'INVITE' || waited < 4000 * patience, `${request.method} was answered after ${waited} ms: timer F of the sender is 6400`);
  }
  check((await users()) === 1, 'the login is lost although the PBX has not taken it back');
  check((await gateway.admin.metric('sipway_pbx_requests')) === 0 && (await gateway.admin.metric('sipway_pbx_subscriptions')) === 0, 'something is left');
});
