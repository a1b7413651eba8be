// SPDX-License-Identifier: Apache-2.0
// Users of a PBX and what they may cost others: guessed passwords, pages loaded again and again, places on the way.
import { world, scenario, check, ALICE, BOB } from './lib/scenario.mjs';
import { acceptLogin, challenge, loggedIn, logOut, pbxPhone, ERIN, FRED, PBX } from './lib/pbx.mjs';
import { browserSdp } from './lib/ws-phone.mjs';
import { sipAgent } from './lib/sip-agent.mjs';
import { until } from './lib/wait.mjs';

const peers = world({
  accounts: [ALICE, { ...BOB, pickup: ['*'] }],
  scripted: [BOB],
  trunk: { registrar: PBX, max_users: 4, codecs: ['PCMA'] },
  gateway: { config: { sip: { max_bindings: 3, t1: '100ms' } } },
});

const metric = (name) => peers.gateway.admin.metric(`sipway_${name}`);
const isFinal = (request) => (m) => m.status >= 200 && m.callId === request.callId && m.cseq.number === request.cseq.number;
const sendRegister = (sip, user, headers = []) => sip.newRequest('REGISTER', `sip:${PBX}`, {
  from: `<sip:${user.name}@${PBX}>`, to: `<sip:${user.name}@${PBX}>`, contact: sip.contact, headers: [['Expires', 60], ...headers] });
const credentials = (name, nonce, uri = `sip:${PBX}`) => ['Authorization',
  `Digest username="${name}", realm="${PBX}", nonce="${nonce}", uri="${uri}", response="0123456789abcdef0123456789abcdef"`];
const refuse = (request, nonce) => peers.trunk.sip.reply(401, { request, headers: [['WWW-Authenticate', challenge(nonce)]] });

scenario('over UDP the PBX sees no password but one for a nonce that had gone to that address', async ({ defer }) => {
  const { gateway, trunk } = peers;
  const phone = await sipAgent({ name: 'guesser', user: 'desk', peer: gateway.sip, domain: PBX, host: '127.0.0.2' });
  defer(() => phone.close());
  const elsewhere = await sipAgent({ name: 'elsewhere', user: 'desk', peer: gateway.sip, domain: PBX, host: '127.0.0.4' });
  defer(() => elsewhere.close());
  for (let i = 0; i < 3; i++) {
    const guess = sendRegister(i === 2 ? elsewhere : phone, FRED, [credentials('fred', i === 2 ? 'given-1' : `own-${i}`)]);
    const came = await trunk.sip.expect('REGISTER');
    check(!came.header('authorization'), `carried: ${came.header('authorization')}`);
    refuse(came, `given-${i}`);
    check((await (i === 2 ? elsewhere : phone).expect(isFinal(guess))).header('www-authenticate').includes(`given-${i}`), 'the challenge does not come back');
  }
  check((await metric('auth_failed_total')) === 0, 'what was not carried counts');
  let nonce = 'given-1';
  for (let i = 0; (await metric('auth_slowed_total')) === 0; i++) {
    check(i < 12, 'twelve wrong passwords over UDP and none is slowed');
    sendRegister(phone, FRED, [credentials('fred', nonce)]);
    const came = await trunk.sip.expect('REGISTER');
    check(came.header('authorization').includes(nonce), came.raw);
    refuse(came, nonce = `next-${i}`);
    let isHeld = false;
    await until('a refusal, or one that waits', async () => phone.inbox.some((m) => m.status === 401) || (isHeld = (await metric('auth_slowed_total')) > 0));
    if (!isHeld)
      await phone.expect((m) => m.status === 401);
  }
  check((await metric('auth_failed_total')) >= 5, 'not counted');
  const answer = elsewhere.register({ username: 'fred', password: FRED.password, domain: PBX, expires: 60 });
  await acceptLogin(trunk.sip, FRED, { expires: 1 });
  check((await answer).status === 200, 'the right password does not pass');
  await until('nobody logged in', async () => (await metric('pbx_users')) === 0);
});

scenario('a page loaded again and again: each time another Contact, and the PBX takes none back; the user stays in', async ({ defer }) => {
  const { gateway, trunk } = peers;
  let contact;
  for (let i = 0; i < 8; i++) {
    const phone = await loggedIn(gateway, trunk.sip, ERIN);
    phone.close();
    const bye = await trunk.sip.expect((m) => m.method === 'REGISTER' && m.header('expires') === '0');
    refuse(bye, 'too-late');
    contact = phone.pbx.contact;
  }
  const call = trunk.sip.newRequest('INVITE', contact, { from: `<sip:fred@${PBX}>`, body: trunk.sdp({ codecs: ['PCMA'] }) });
  check((await trunk.sip.expect(isFinal(call))).status === 480, 'the last one is not known any more');
  for (const user of [ERIN, FRED, ERIN, FRED]) {
    const phone = await loggedIn(gateway, trunk.sip, user);
    defer(() => logOut(trunk.sip, phone));
  }
  check((await metric('pbx_users')) === 4, `${await metric('pbx_users')} users`);
});

scenario('who is logged in gives nobody else\'s credentials to the PBX, in whatever request', async ({ defer }) => {
  const { gateway, trunk } = peers;
  const phone = await loggedIn(gateway, trunk.sip, FRED);
  defer(() => logOut(trunk.sip, phone));
  const send = (method, ...names) => phone.sip.newRequest(method, `sip:erin@${PBX}`, {
    from: `<sip:fred@${PBX}>`, body: method === 'INVITE' ? browserSdp() : 'x', type: method === 'INVITE' ? 'application/sdp' : 'text/plain',
    headers: [['Event', 'presence'], ...names.map((name) => credentials(name, 'n', `sip:erin@${PBX}`))] });
  for (const method of ['MESSAGE', 'PUBLISH', 'SUBSCRIBE', 'INVITE']) {
    for (const names of [['erin'], ['fred', 'erin'], [`erin@${PBX}`], ['fred@example.org']]) {
      const guess = send(method, ...names);
      check((await phone.sip.expect(isFinal(guess))).status === 403, `${method} with the password of ${names} is not refused`);
    }
    await trunk.sip.expectNone((m) => m.isRequest, 50);
    for (const name of ['fred', `fred@${PBX}`]) {
      const own = send(method, name);
      const came = await trunk.sip.expect(method);
      check(came.header('authorization').includes(`"${name}"`), came.raw);
      trunk.sip.reply(403, { request: came });
      check((await phone.sip.expect(isFinal(own))).status === 403, 'not the answer of the PBX');
    }
  }
  const two = sendRegister(phone.sip, FRED, [credentials('fred', 'n'), credentials('erin', 'n')]);
  check((await phone.sip.expect(isFinal(two))).status === 403, 'a log-in with two passwords passes');
});

scenario('a user whose name in the digest is another one calls with it', async ({ defer }) => {
  const { gateway, trunk } = peers;
  const phone = await pbxPhone(gateway, ERIN, { register: false });
  defer(() => phone.close());
  const login = sendRegister(phone.sip, ERIN, [credentials('a1b2c3', 'n')]);
  trunk.sip.reply(200, { request: await trunk.sip.expect('REGISTER'), headers: [['Expires', '1']] });
  check((await phone.sip.expect(isFinal(login))).status === 200, 'not logged in');
  const text = phone.sip.newRequest('MESSAGE', `sip:fred@${PBX}`, { from: `<sip:erin@${PBX}>`, body: 'x', type: 'text/plain', headers: [credentials('a1b2c3', 'n')] });
  trunk.sip.reply(202, { request: await trunk.sip.expect('MESSAGE') });
  check((await phone.sip.expect(isFinal(text))).status === 202, 'not passed');
  await until('nobody logged in', async () => (await metric('pbx_users')) === 0);
});

scenario('wrong passwords in a MESSAGE cost the same; whose refusal waits holds no place on the way', async ({ defer }) => {
  const { gateway, trunk } = peers;
  const phone = await loggedIn(gateway, trunk.sip, ERIN);
  defer(() => logOut(trunk.sip, phone));
  const before = await metric('auth_slowed_total');
  for (let i = 0; (await metric('auth_slowed_total')) === before; i++) {
    check(i < 12, 'twelve wrong passwords and none is slowed');
    const guess = phone.sip.newRequest('MESSAGE', `sip:fred@${PBX}`, { from: `<sip:erin@${PBX}>`, body: 'x', type: 'text/plain', headers: [credentials('erin', `n${i}`)] });
    refuse(await trunk.sip.expect('MESSAGE'), 'next');
    await until('a refusal, or one that waits', async () => phone.sip.inbox.some((m) => m.status === 401) || (await metric('auth_slowed_total')) > before);
    if ((await metric('auth_slowed_total')) > before)
      check((await metric('pbx_requests')) === 0, 'what waits counts as on its way');
    check((await phone.sip.expect(isFinal(guess))).status === 401, 'not 401');
  }
});

scenario('wrong passwords in INVITE and SUBSCRIBE count', async ({ defer }) => {
  const { gateway, trunk } = peers;
  const phone = await loggedIn(gateway, trunk.sip, FRED);
  defer(() => logOut(trunk.sip, phone));
  for (const method of ['INVITE', 'SUBSCRIBE']) {
    const before = await metric('auth_failed_total');
    const guess = phone.sip.newRequest(method, `sip:erin@${PBX}`, {
      from: `<sip:fred@${PBX}>`, headers: [['Event', 'presence'], credentials('fred', 'n', `sip:erin@${PBX}`)],
      body: method === 'INVITE' ? browserSdp() : '', type: method === 'INVITE' ? 'application/sdp' : '' });
    refuse(await trunk.sip.expect(method), 'next');
    check((await phone.sip.expect(isFinal(guess))).status === 401, 'not 401');
    check((await metric('auth_failed_total')) === before + 1, `a wrong password in ${method} does not count`);
  }
});

scenario('a silent PBX: one connection has eight places on the way, and leaves others of its address theirs', async ({ defer }) => {
  const { gateway, trunk } = peers;
  const greedy = await pbxPhone(gateway, ERIN, { register: false });
  defer(() => greedy.close());
  const other = await pbxPhone(gateway, FRED, { register: false });
  defer(() => other.close());
  const sent = [];
  for (let i = 0; i < 9; i++)
    sent.push(sendRegister(greedy.sip, ERIN));
  check((await greedy.sip.expect((m) => m.status >= 200)).status === 503, 'a ninth is carried');
  const login = sendRegister(other.sip, FRED);
  const waiting = [];
  for (let i = 0; i < 9; i++)
    waiting.push(await trunk.sip.expect('REGISTER'));
  await trunk.sip.expectNone('REGISTER', 50);
  for (const request of waiting)
    trunk.sip.reply(403, { request });
  check((await other.sip.expect(isFinal(login))).status === 403, 'the other one is kept out');
  for (let i = 0; i < 8; i++)
    check((await greedy.sip.expect((m) => m.status >= 200)).status === 403, 'not answered');
});

scenario('an account whose pickup is "*" takes no call of a PBX\'s user', async ({ defer }) => {
  const { gateway, trunk, bob } = peers;
  const phone = await loggedIn(gateway, trunk.sip, FRED);
  defer(() => logOut(trunk.sip, phone));
  const call = phone.sip.newRequest('INVITE', `sip:erin@${PBX}`, { from: `<sip:fred@${PBX}>`, body: browserSdp() });
  await trunk.rings();
  await trunk.answer({ codecs: ['PCMA'] });
  const answer = await phone.sip.expect(isFinal(call));
  check(answer.status === 200, answer.first);
  phone.sip.ack();
  await bob.call('fred', { headers: [['Replaces', `${call.callId};to-tag=${answer.toTag};from-tag=${call.fromTag}`]] });
  check((await bob.sip.expect((m) => m.status >= 200 && m.cseq.method === 'INVITE')).status === 403, 'the call is taken');
  const ended = trunk.sip.bye();
  await phone.hungUp();
  await ended;
});
