// SPDX-License-Identifier: Apache-2.0
// `registrar` of a trunk: users of a PBX log in through the gateway with the PBX's passwords. A scripted PBX shows the
// exact messages; a real one is in pbx-kamailio.test.mjs.
import { world, scenario, check, ALICE } from './lib/scenario.mjs';
import { acceptLogin, challenge, loggedIn, logOut, pbxPhone, ERIN, FRED, PBX } from './lib/pbx.mjs';
import { checkCredentials, parseDigest } from './lib/digest.mjs';

const peers = world({ accounts: [ALICE], trunk: { registrar: PBX, username: 'acme', password: 'trunk-secret' }, gateway: { config: { sip: { max_bindings: 3 } } } });

scenario('REGISTER is carried: the digest byte for byte, the Contact ours and this device\'s alone', async ({ defer }) => {
  const { gateway, trunk } = peers;
  const phone = await pbxPhone(gateway, ERIN, { register: false });
  defer(() => logOut(trunk.sip, phone));
  const answer = phone.register();
  const { first, second, contact } = await acceptLogin(trunk.sip, ERIN, { expires: 120 });
  check(first.uri === `sip:${PBX}` && second.uri === first.uri, `Request-URI ${first.uri}`);
  check(first.header('from').startsWith(`<sip:erin@${PBX}>`) && first.header('to') === `<sip:erin@${PBX}>`, `${first.header('from')} ${first.header('to')}`);
  check(first.header('expires') === '300', `Expires ${first.header('expires')}`);
  const sent = phone.sip.sent.findLast((m) => m.method === 'REGISTER');
  check(second.header('authorization') === sent.header('authorization'), 'Authorization was changed');
  check(!first.header('authorization'), 'credentials of the trunk were sent');
  check(/^sip:w\d+\.[0-9a-f]{16}@127\.0\.0\.1:\d+$/.test(contact) && first.contactUri === contact, `Contact ${contact}, first ${first.contactUri}`);
  check(first.callId === second.callId && second.cseq.number === first.cseq.number + 1, 'Call-ID and CSeq are not those of one device');
  check(!first.raw.includes(phone.sip.contact.slice(1, -1)) && !first.raw.includes(phone.sip.address), 'the device shows through');
  const ok = await answer;
  check(ok.header('contact') === `${phone.sip.contact};expires=120`, `Contact of the 200: ${ok.header('contact')}`);
  check((await gateway.admin.metric('sipway_pbx_users')) === 1, 'it is not counted');
});

scenario('a wrong password is refused by the PBX, and its answer passed on; nobody is logged in', async ({ defer }) => {
  const { gateway, trunk } = peers;
  const phone = await pbxPhone(gateway, ERIN, { register: false });
  defer(() => phone.close());
  const answer = phone.sip.register({ username: 'erin', password: 'guess', domain: PBX });
  await trunk.sip.expect('REGISTER');
  trunk.sip.reply(401, { headers: [['WWW-Authenticate', challenge('n1', ', opaque="keep me"')], ['Server', 'secret-pbx 1.0']] });
  const second = await trunk.sip.expect('REGISTER');
  check(!checkCredentials(second.header('authorization'), { method: 'REGISTER', password: ERIN.password }), 'the password was right');
  check(parseDigest(second.header('authorization')).opaque === 'keep me', 'opaque is lost');
  trunk.sip.reply(403, { reason: 'Not For You' });
  const refused = await answer;
  check(refused.first === 'SIP/2.0 403 Not For You', `the browser saw ${refused.first}`);
  check((await gateway.admin.metric('sipway_pbx_users')) === 0, 'somebody is logged in');
  phone.sip.newRequest('INVITE', `sip:fred@${PBX}`, { from: `<sip:erin@${PBX}>`, body: 'v=0' });
  check((await phone.sip.expect((m) => m.status >= 200)).status === 403, 'it can call');
});

scenario('a call of a user: as he wrote it, challenged by the PBX, proved by him, with Service-Route', async ({ defer }) => {
  const { gateway, trunk } = peers;
  const route = `<sip:edge@${trunk.sip.address};lr>`;
  const phone = await loggedIn(gateway, trunk.sip, ERIN, { headers: [['Service-Route', route]] });
  defer(() => logOut(trunk.sip, phone));
  const calling = phone.call('fred', { headers: [['X-Inside', 'yes']] });
  const first = await trunk.rings();
  check(first.uri === `sip:fred@${PBX}`, `Request-URI ${first.uri}`);
  check(first.header('from').startsWith(`<sip:erin@${PBX}>;tag=`), `From ${first.header('from')}`);
  check(first.header('to') === `<sip:fred@${PBX}>`, `To ${first.header('to')}`);
  check(first.header('route') === route, `Route ${first.header('route')}`);
  check(first.contactUri === phone.pbx.contact, `Contact ${first.contactUri}`);
  check(!first.header('x-inside') && !/UDP\/TLS/.test(first.body) && /RTP\/AVP/.test(first.body), 'not written anew');
  trunk.sip.reply(407, { headers: [['Proxy-Authenticate', challenge('n7')]] });
  await trunk.sip.expect('ACK');
  await calling;
  const second = await trunk.rings();
  check(checkCredentials(second.header('proxy-authorization') ?? '', { method: 'INVITE', password: ERIN.password }), `${second.header('proxy-authorization')}`);
  check(second.callId !== first.callId, 'a new call keeps its Call-ID');
  await trunk.answer({ headers: [['Record-Route', route]] });
  await phone.answered();
  await phone.sip.bye();
  const bye = await trunk.hungUp();
  check(bye.header('route') === route, `Route of the BYE: ${bye.header('route')}`);
});

scenario('a call of the PBX to the Contact it was given rings that browser alone', async ({ defer }) => {
  const { gateway, trunk } = peers;
  const one = await loggedIn(gateway, trunk.sip, ERIN);
  defer(() => logOut(trunk.sip, one));
  const other = await loggedIn(gateway, trunk.sip, ERIN);
  defer(() => logOut(trunk.sip, other));
  check(one.pbx.contact !== other.pbx.contact, 'two devices have the same Contact');
  const invite = trunk.sip.newRequest('INVITE', other.pbx.contact, { from: `"Fred" <sip:fred@${PBX}>`, body: trunk.sdp({ codecs: ['PCMU', 'PCMA'], events: 101 }) });
  const ringing = await other.rings();
  check(ringing.uri === other.sip.contact.slice(1, -1), `Request-URI ${ringing.uri}`);
  check(/^"Fred" +<sip:fred@pbx\.example\.com>/.test(ringing.header('from')), `From ${ringing.header('from')}`);
  check(ringing.header('to') === `<sip:erin@${PBX}>`, `To ${ringing.header('to')}`);
  check(ringing.callId !== invite.callId, 'Call-ID of the PBX goes to the device');
  await other.answer({ formats: [0] });
  await trunk.answered();
  await one.sip.expectNone('INVITE', 200);
  await trunk.sip.bye().catch(() => {});
  await other.hungUp();
});

scenario('a caller who gives up: the CANCEL finds the call, whichever side rings', async ({ defer }) => {
  const { gateway, trunk } = peers;
  const phone = await loggedIn(gateway, trunk.sip, ERIN);
  defer(() => logOut(trunk.sip, phone));
  await phone.call('fred');
  await trunk.rings();
  trunk.sip.reply(180);
  await phone.sip.expect(180);
  phone.sip.cancel();
  const cancel = await trunk.sip.expect('CANCEL');
  trunk.sip.reply(200, { request: cancel });
  trunk.sip.reply(487, { request: trunk.sip.invite });
  check((await phone.sip.expect((m) => m.status >= 300 && m.cseq.method === 'INVITE')).status === 487, 'not 487');
  trunk.sip.newRequest('INVITE', phone.pbx.contact, { from: `<sip:fred@${PBX}>`, body: trunk.sdp({ codecs: ['PCMU'] }) });
  const ringing = await phone.rings();
  phone.sip.reply(180);
  await trunk.sip.expect(180);
  trunk.sip.cancel();
  const over = await phone.sip.expect('CANCEL');
  phone.sip.reply(200, { request: over });
  phone.sip.reply(487, { request: ringing });
  check((await trunk.sip.expect((m) => m.status >= 300 && m.cseq.method === 'INVITE')).status === 487, 'not 487');
});

const isAnswerTo = (request) => (m) => m.status >= 200 && m.callId === request.callId;

scenario('MESSAGE both ways: challenged by the PBX, whole, and the reply finds its way', async ({ defer }) => {
  const { gateway, trunk } = peers;
  const phone = await loggedIn(gateway, trunk.sip, ERIN);
  defer(() => logOut(trunk.sip, phone));
  const request = phone.sip.newRequest('MESSAGE', `sip:fred@${PBX}`, { from: `"Erin" <sip:erin@${PBX}>`, body: 'Grüße 👋', type: 'text/plain;charset=UTF-8', headers: [['Subject', 'hello'], ['X-Inside', 'yes']] });
  const first = await trunk.sip.expect('MESSAGE');
  check(first.uri === `sip:fred@${PBX}` && first.body === 'Grüße 👋' && first.header('subject') === 'hello', first.raw);
  check(!first.contactUri && !first.header('x-inside'), 'not written anew');
  trunk.sip.reply(401, { request: first, headers: [['WWW-Authenticate', challenge('m1')]] });
  const asked = await phone.sip.expect(isAnswerTo(request));
  check(asked.status === 401 && parseDigest(asked.header('www-authenticate')).nonce === 'm1', `asked ${asked.raw}`);
  phone.sip.retryWithCredentials(request, asked, { username: 'erin', password: ERIN.password });
  const second = await trunk.sip.expect('MESSAGE');
  check(checkCredentials(second.header('authorization'), { method: 'MESSAGE', password: ERIN.password }), 'credentials are not right');
  trunk.sip.reply(202, { request: second });
  check((await phone.sip.expect(isAnswerTo(request))).status === 202, 'the answer was changed');
  const back = trunk.sip.newRequest('MESSAGE', phone.pbx.contact, { from: `"Fred" <sip:fred@${PBX}>`, body: 'zurück 🎈', type: 'text/plain' });
  const got = await phone.sip.expect('MESSAGE');
  check(got.body === 'zurück 🎈' && got.header('from').includes(`<sip:fred@${PBX}>`) && got.header('to') === `<sip:erin@${PBX}>`, got.raw);
  phone.sip.reply(200, { request: got });
  check((await trunk.sip.expect(isAnswerTo(back))).status === 200, 'the PBX has no answer');
});

scenario('PUBLISH is carried, with its tag', async ({ defer }) => {
  const { gateway, trunk } = peers;
  const phone = await loggedIn(gateway, trunk.sip, ERIN);
  defer(() => logOut(trunk.sip, phone));
  const request = phone.sip.newRequest('PUBLISH', `sip:erin@${PBX}`, { from: `<sip:erin@${PBX}>`, body: '<presence/>', type: 'application/pidf+xml', headers: [['Event', 'presence'], ['Expires', '600'], ['SIP-If-Match', 'e1']] });
  const came = await trunk.sip.expect('PUBLISH');
  check(came.header('event') === 'presence' && came.header('sip-if-match') === 'e1' && came.header('expires') === '600', came.raw);
  trunk.sip.reply(200, { request: came, headers: [['SIP-ETag', 'e2'], ['Expires', '300']] });
  const answer = await phone.sip.expect(isAnswerTo(request));
  check(answer.header('sip-etag') === 'e2' && answer.header('expires') === '300', answer.raw);
});

scenario('SUBSCRIBE message-summary: NOTIFYs reach the device, also one that is faster than the answer; refresh and end', async ({ defer }) => {
  const { gateway, trunk } = peers;
  const phone = await loggedIn(gateway, trunk.sip, ERIN);
  defer(() => logOut(trunk.sip, phone));
  const request = phone.sip.newRequest('SUBSCRIBE', `sip:erin@${PBX}`, { from: `<sip:erin@${PBX}>`, headers: [['Event', 'message-summary'], ['Expires', '600'], ['Accept', 'application/simple-message-summary']] });
  const came = await trunk.sip.expect('SUBSCRIBE');
  check(came.uri === `sip:erin@${PBX}` && came.header('event') === 'message-summary' && came.contactUri === phone.pbx.contact, came.raw);
  const dialog = { callId: came.callId, local: `${came.header('to')};tag=mwi1`, remote: came.header('from'), target: came.contactUri, routes: [], cseq: 0 };
  const notify = (state, body) => trunk.sip.inDialog('NOTIFY', { dialog, headers: [['Event', 'message-summary'], ['Subscription-State', state], ['Contact', trunk.sip.contact]], body, type: 'application/simple-message-summary' });
  const early = notify('active;expires=600', 'Messages-Waiting: yes\r\nVoice-Message: 2/8 (0/2)\r\n');
  const first = await phone.sip.expect('NOTIFY');
  check(first.body.includes('Voice-Message: 2/8') && first.header('subscription-state') === 'active;expires=600', first.raw);
  check(first.callId === request.callId, 'it is in no dialog of the device');
  phone.sip.reply(200, { request: first });
  check((await trunk.sip.expect(isAnswerTo(early))).status === 200, 'the early NOTIFY was refused');
  trunk.sip.reply(200, { request: came, tag: 'mwi1', headers: [['Expires', '500'], ['Contact', trunk.sip.contact]] });
  const ok = await phone.sip.expect((m) => m.status === 200 && m.cseq.method === 'SUBSCRIBE');
  check(ok.header('expires') === '500' && ok.contactUri, ok.raw);
  check((await gateway.admin.metric('sipway_pbx_subscriptions')) === 1, 'it is not counted');
  const own = { callId: request.callId, local: request.header('from'), remote: ok.header('to'), target: ok.contactUri, routes: [], cseq: 1 };
  phone.sip.inDialog('SUBSCRIBE', { dialog: own, headers: [['Event', 'message-summary'], ['Expires', '0'], ['Contact', phone.sip.contact]] });
  const last = await trunk.sip.expect('SUBSCRIBE');
  check(last.toTag === 'mwi1' && last.callId === came.callId && last.header('expires') === '0', last.raw);
  trunk.sip.reply(200, { request: last, headers: [['Expires', '0'], ['Contact', trunk.sip.contact]] });
  await phone.sip.expect((m) => m.status === 200 && m.cseq.method === 'SUBSCRIBE');
  notify('terminated;reason=timeout', 'Messages-Waiting: no\r\n');
  const end = await phone.sip.expect('NOTIFY');
  check(end.header('subscription-state').startsWith('terminated'), end.raw);
  phone.sip.reply(200, { request: end });
  await trunk.sip.expect((m) => m.status === 200 && m.cseq.method === 'NOTIFY');
  check((await gateway.admin.metric('sipway_pbx_subscriptions')) === 0, 'it is not over');
  const late = notify('active', '');
  check((await trunk.sip.expect(isAnswerTo(late))).status === 481, 'a dialog that is over lives on');
});
