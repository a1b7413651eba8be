// SPDX-License-Identifier: Apache-2.0
// MESSAGE (RFC 3428) between accounts, and between accounts and a trunk: whole, untouched, once.
import { world, scenario, check, ALICE, BOB } from './lib/scenario.mjs';
import { say, udpPhone } from './lib/messages.mjs';
import { sipAgent } from './lib/sip-agent.mjs';
import { fillTemplate } from './lib/template.mjs';
import { wsPhone } from './lib/ws-phone.mjs';

const CAROL = { name: 'carol', password: 'lighthouse', numbers: ['+12025550125'], allowed: ['+1'] };
const DAVE = { name: 'dave', password: 'drawbridge' };
const peers = world({
  accounts: [ALICE, BOB, CAROL, DAVE],
  browsers: [ALICE, BOB],
  scripted: [CAROL],
  trunk: { username: 'acme', password: 'trunk-secret' },
  gateway: { config: { messages: { max_size: 5000 } } },
});

const send = (phone, to, text, options = {}) => phone.ask(`void phone.ua.sendMessage(${JSON.stringify(to)}, ${JSON.stringify(text)}, {
  ...${JSON.stringify(options)},
  eventHandlers: {
    succeeded: (e) => phone.note('sent', { status: e.response.status_code }),
    failed: (e) => phone.note('notSent', { status: e.response?.status_code, cause: e.cause }),
  } })`);

scenario('a browser writes to a browser: umlauts, emoji and line ends arrive as they were', async () => {
  const { alice, bob } = peers;
  const text = 'Grüße, 你好 👩‍👩‍👧 \u{1F468}\u{1F3FD} "quoted" <b>&amp;</b>\r\nsecond line\n\ttab';
  await send(alice, 'sip:bob@example.com', text);
  const got = await bob.sees('message', { where: (e) => e.originator === 'remote' });
  check(got.body === text, `arrived as ${JSON.stringify(got.body)}`);
  const sent = await alice.sees('sent');
  check(sent.status === 200, `the sender saw ${sent.status}`);
});

scenario('an answer to the name that is shown finds its way', async () => {
  const { alice, carol } = peers;
  await send(alice, 'sip:carol@example.com', 'by name');
  const request = await carol.sip.expect('MESSAGE');
  carol.sip.reply(200);
  check(/<sip:alice@example\.com>/.test(request.header('from')), `From is ${request.header('from')}`);
  check(request.header('contact') === undefined, 'a MESSAGE has no Contact (RFC 3428 8)');
  check(/GMT$/.test(request.header('date') ?? ''), `Date is ${request.header('date')}`);
  await alice.sees('sent');
  const answer = await say(carol.sip, CAROL, request.header('from').match(/<([^>]+)>/)[1], 'answered');
  check(answer.status === 200, `the answer got ${answer.first}`);
  const got = await alice.sees('message', { where: (e) => e.originator === 'remote' });
  check(got.body === 'answered', `arrived as ${got.body}`);
});

const CPIM = ['From: Carol <im:carol@example.com>', 'To: Dave <im:dave@example.com>', 'NS: imdn <urn:ietf:params:imdn>',
  'imdn.Message-ID: 34jk324j', 'imdn.Disposition-Notification: positive-delivery, display', '', 'Content-type: text/plain; charset=utf-8',
  '', 'ein Würfel 🎲 ', ''].join('\r\n');
const IMDN = ['From: Dave <im:dave@example.com>', 'NS: imdn <urn:ietf:params:imdn>', 'imdn.Message-ID: d834jied93rf', '',
  'Content-type: message/imdn+xml', 'Content-Disposition: notification', '',
  '<imdn xmlns="urn:ietf:params:xml:ns:imdn"><message-id>34jk324j</message-id>'
  + '<display-notification><status><displayed/></status></display-notification></imdn>', ''].join('\r\n');

scenario('IMDN and its wrapper pass byte for byte, with their types, both ways', async ({ defer }) => {
  const { carol, gateway } = peers;
  const dave = await udpPhone(gateway, DAVE, defer);
  const there = say(carol.sip, CAROL, 'dave', CPIM, { type: 'message/cpim' });
  const request = await dave.expect('MESSAGE');
  dave.reply(200);
  check((await there).status === 200, 'not delivered');
  check(request.body === CPIM, `the body became ${JSON.stringify(request.body)}`);
  check(request.header('content-type') === 'message/cpim', `Content-Type ${request.header('content-type')}`);
  const back = say(dave, DAVE, 'carol', IMDN, { type: 'message/cpim', headers: [['Content-Disposition', 'notification']] });
  const notice = await carol.sip.expect('MESSAGE');
  carol.sip.reply(200);
  check((await back).status === 200, 'the notification was not delivered');
  check(notice.body === IMDN, `the body became ${JSON.stringify(notice.body)}`);
  check(notice.header('content-disposition') === 'notification', `Content-Disposition ${notice.header('content-disposition')}`);
});

scenario('too large is 413 and goes nowhere; the largest that is allowed goes', async () => {
  const { carol, alice } = peers;
  const tooLarge = await say(carol.sip, CAROL, 'alice', 'x'.repeat(5001));
  check(tooLarge.status === 413, `5001 bytes got ${tooLarge.first}`);
  const bytes = await say(carol.sip, CAROL, 'alice', 'ü'.repeat(2501));
  check(bytes.status === 413, `5002 bytes of UTF-8 got ${bytes.first}`);
  const largest = await say(carol.sip, CAROL, 'alice', 'y'.repeat(5000));
  check(largest.status === 200, `5000 bytes got ${largest.first}`);
  const got = await alice.sees('message', { where: (e) => e.originator === 'remote' });
  check(got.body === 'y'.repeat(5000), `alice got ${got.body.length} bytes, '${got.body.slice(0, 10)}'`);
});

const RAW = 'MESSAGE sip:{{to}} SIP/2.0\nVia: {{via}}\nMax-Forwards: 70\nFrom: <sip:carol@example.com>;tag={{tag}}\n'
  + 'To: <sip:carol@example.com>\nCall-ID: raw-{{tag}}\nCSeq: 1 MESSAGE\n';

scenario('a body without a type is 400, a name that hides a line end 404; both are counted', async () => {
  const { sip } = peers.carol;
  const before = await peers.gateway.admin.metric('sipway_messages_refused_total');
  for (const [to, type, status] of [['alice@example.com', '', 400], ['al%0Dice@example.com', 'Content-Type: text/plain\n', 404]]) {
    sip.send(`${RAW}${type}Content-Length: 1\n\nx`, { via: sip.via(), to });
    const answer = await sip.expect((m) => m.status >= 200 && m.cseq.method === 'MESSAGE');
    check(answer.status === status, `${to} got ${answer.first} instead of ${status}`);
  }
  check((await peers.gateway.admin.metric('sipway_messages_refused_total')) === before + 2, 'refusals are not counted');
});

scenario('what the device says is what the sender hears', async () => {
  const { carol, alice } = peers;
  await send(alice, 'sip:carol@example.com', 'x', { contentType: 'application/x-odd' });
  await carol.sip.expect('MESSAGE');
  carol.sip.reply(415, { reason: 'Unsupported Media Type' });
  const failed = await alice.sees('notSent');
  check(failed.status === 415, `the sender saw ${failed.status}`);
});

scenario('every device of an account gets it, one 200 is enough', async ({ defer }) => {
  const { carol, gateway } = peers;
  const first = await udpPhone(gateway, DAVE, defer);
  const second = await wsPhone(gateway, DAVE);
  defer(() => second.close());
  const sent = say(carol.sip, CAROL, 'dave', 'to all');
  await Promise.all([first.expect('MESSAGE'), second.sip.expect('MESSAGE')]);
  first.reply(480);
  second.sip.reply(200);
  check((await sent).status === 200, 'the sender was not told of the device that took it');
});

scenario('a body that is no text reaches a web socket in a binary frame', async ({ defer }) => {
  const own = await wsPhone(peers.gateway, CAROL);
  defer(() => own.close());
  const frames = [];
  const body = Buffer.from([0xff, 0xfe, 0, 0x80]);
  own.sip.transport.socket.on('message', (data, isBinary) => frames.push({ data, isBinary }));
  own.sip.transport.socket.send(Buffer.concat([fillTemplate(`${RAW}Content-Type: application/octet-stream\nContent-Length: !4\n\n`,
    { via: own.sip.via(), to: 'carol@example.com', tag: 'bin' }), body]));
  await own.sip.expect('MESSAGE');
  own.sip.reply(200);
  await own.sip.expect((m) => m.status === 200 && m.cseq.method === 'MESSAGE');
  const frame = frames.find((one) => one.data.toString('latin1').startsWith('MESSAGE'));
  check(frame?.isBinary && frame.data.subarray(-4).equals(body), 'the body is not what was sent');
});

scenario('to a trunk: the number as dialled, the sender\'s number, the challenge answered, its 202 passed on', async () => {
  const { alice, trunk } = peers;
  await send(alice, 'sip:+14155550100@example.com', 'Hallo Träger 📡');
  const first = await trunk.sip.expect('MESSAGE');
  check(/^sip:\+14155550100@127\.0\.0\.1/.test(first.uri), `Request-URI ${first.uri}`);
  check(first.header('from').includes(`<sip:${ALICE.numbers[0]}@`), `From ${first.header('from')}`);
  check((first.header('p-asserted-identity') ?? '').includes(ALICE.numbers[0]), `P-Asserted-Identity ${first.header('p-asserted-identity')}`);
  check(!first.header('authorization'), 'credentials without a challenge');
  trunk.sip.reply(401, { headers: [['WWW-Authenticate', 'Digest realm="carrier", nonce="n1", algorithm=MD5, qop="auth"']] });
  const second = await trunk.sip.expect('MESSAGE');
  check(/username="acme"/.test(second.header('authorization') ?? ''), `Authorization ${second.header('authorization')}`);
  check(second.body === 'Hallo Träger 📡', `arrived as ${second.body}`);
  trunk.sip.reply(202);
  const sent = await alice.sees('sent');
  check(sent.status === 202, `the sender saw ${sent.status}`);
});

scenario('a trunk that refuses is heard; one that wants other credentials is 502, and its challenge stays here', async () => {
  const { carol, trunk } = peers;
  const refused = say(carol.sip, CAROL, '+14155550101', 'x');
  await trunk.sip.expect('MESSAGE');
  trunk.sip.reply(403);
  check((await refused).status === 403, `got ${(await refused).first}`);
  const again = say(carol.sip, CAROL, '+14155550102', 'x');
  for (let i = 0; i < 2; i++) {
    await trunk.sip.expect('MESSAGE');
    trunk.sip.reply(401, { headers: [['WWW-Authenticate', `Digest realm="carrier", nonce="n${i}", algorithm=MD5, qop="auth"`]] });
  }
  const answer = await again;
  check(answer.status === 502 && !answer.header('www-authenticate'), `got ${answer.raw}`);
});

scenario('destinations that an account may not dial get no messages from it either', async () => {
  const { carol, trunk } = peers;
  const refused = await say(carol.sip, CAROL, '+449098790000', 'x');
  check(refused.status === 403, `got ${refused.first}`);
  check(trunk.sip.received.every((m) => m.method !== 'MESSAGE'), 'the trunk got it');
});

scenario('from a trunk to an account, with the name the trunk asserts', async () => {
  const { trunk, alice, gateway } = peers;
  trunk.sip.newRequest('MESSAGE', `sip:${ALICE.numbers[0]}@${gateway.sip.host}:${gateway.sip.port}`, {
    from: '"Unknown" <sip:anonymous@carrier.example.com>', body: 'Ihr Paket 📦', type: 'text/plain;charset=utf-8',
    headers: [['P-Asserted-Identity', '"Post" <sip:+14155550177@carrier.example.com>']],
  });
  const got = await alice.sees('message', { where: (e) => e.originator === 'remote' });
  check(got.body === 'Ihr Paket 📦', `arrived as ${got.body}`);
  const answer = await trunk.sip.expect((m) => m.status >= 200 && m.cseq.method === 'MESSAGE');
  check(answer.status === 200, `the trunk got ${answer.first}`);
});

scenario('an account cannot write in another\'s name, a stranger not at all', async ({ defer }) => {
  const { carol, gateway, alice } = peers;
  const forged = await say(carol.sip, { name: 'bob', password: 'guess' }, 'alice', 'it is me');
  check(forged.status === 403, `a forged From got ${forged.first}`);
  const stranger = await sipAgent({ name: 'stranger', user: 'mallory', peer: gateway.sip, host: '127.0.0.9' });
  defer(() => stranger.close());
  const refused = await say(stranger, { name: 'mallory', password: 'x' }, 'alice', 'spam');
  check(refused.status === 403, `a stranger got ${refused.first}`);
  check((await alice.log()).every((e) => !['it is me', 'spam'].includes(e.body)), 'one of the two arrived');
});
