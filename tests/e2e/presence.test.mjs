// SPDX-License-Identifier: Apache-2.0
// Who watches whom: presence (RFC 3856, PIDF), busy lamps (RFC 4235), publications (RFC 3903), and who may not.
import { world, scenario, check, ALICE, BOB, CALLER } from './lib/scenario.mjs';
import { udpPhone } from './lib/messages.mjs';
import { subscribe, publish, ask } from './lib/subscription.mjs';
import { wsPhone } from './lib/ws-phone.mjs';
import { until } from './lib/wait.mjs';

const alice = { ...ALICE, watchers: ['bob', 'carol'] };
const bob = { ...BOB, watchers: ['*'] };
const carol = { name: 'carol', password: 'lighthouse' };
const dave = { name: 'dave', password: 'drawbridge', watchers: ['bob'] };
const peers = world({
  accounts: [alice, bob, carol, dave],
  browsers: [alice],
  scripted: [bob, carol],
  gateway: { config: { presence: { min_expires: '2s', max_per_watcher: 6 } } },
});

const OPEN = /<basic>open<\/basic>/;
const CLOSED = /<basic>closed<\/basic>/;
const PHONE = /<rpid:on-the-phone\/>/;
const watches = (who, target, event, options) => subscribe(peers[who].sip, { bob, carol }[who], target, event, options);
const counted = (count) => until(() => `${count} subscriptions`, async () => (await peers.gateway.admin.metric('sipway_subscriptions')) === count);

scenario('presence follows the registration: closed, open, closed when taken back, closed when the connection goes', async ({ defer }) => {
  const watch = await watches('bob', 'dave', 'presence');
  check(watch.expires === 600 && watch.response.contactUri, watch.response.raw);
  const first = await watch.next();
  check(CLOSED.test(first.body) && first.header('content-type') === 'application/pidf+xml', first.raw);
  check(/entity="pres:dave@example.com"/.test(first.body), first.body);
  check(/^active;expires=(600|599)$/.test(first.header('subscription-state')), first.header('subscription-state'));
  const phone = await udpPhone(peers.gateway, dave, defer);
  check(OPEN.test((await watch.next()).body), 'not open after a REGISTER');
  await phone.register({ username: dave.name, password: dave.password });
  await watch.quiet(); // the same again is no news
  await phone.register({ username: dave.name, password: dave.password, expires: 0 });
  check(CLOSED.test((await watch.next()).body), 'not closed after the un-REGISTER');
  const browser = await wsPhone(peers.gateway, dave);
  check(OPEN.test((await watch.next()).body), 'not open with a browser');
  browser.close();
  check(CLOSED.test((await watch.next()).body), 'not closed after the connection has gone');
  check((await watch.refresh(0)).status === 200, 'not unsubscribed');
  const last = await watch.next();
  check(last.header('subscription-state') === 'terminated;reason=timeout' && CLOSED.test(last.body), last.raw);
  check((await watch.refresh()).status === 481, 'a subscription that has ended is refreshed');
  await counted(0);
});

scenario('a phone over UDP watches: asked for its password, told where its packets come from', async ({ defer }) => {
  const phone = await udpPhone(peers.gateway, bob, defer);
  const watch = await subscribe(phone, bob, 'dave', 'presence');
  check(phone.received.some((m) => m.status === 401 && m.cseq.method === 'SUBSCRIBE'), 'it was not asked for a password');
  check(CLOSED.test((await watch.next()).body), 'not closed');
  const browser = await wsPhone(peers.gateway, dave);
  defer(() => browser.close());
  check(OPEN.test((await watch.next()).body), 'not told');
  await watch.refresh(0);
  await watch.next();
});

scenario('a browser watches with JsSIP, and is refused by what it sees', async ({ defer }) => {
  const { alice: phone } = peers;
  const open = (target, event, type) => phone.ask(`void (() => {
    const sub = phone.ua.subscribe('sip:${target}@example.com', '${event}', '${type}', { expires: 600, contentType: 'text/plain' });
    phone.sub = sub;
    sub.on('notify', (isFinal, request, body) => phone.note('notify', { isFinal, body }));
    sub.on('terminated', (code, reason) => phone.note('sub ended', { code, reason }));
    sub.subscribe();
  })()`);
  await open('bob', 'presence', 'application/pidf+xml');
  check(OPEN.test((await phone.sees('notify')).body), 'bob is registered');
  const second = await udpPhone(peers.gateway, bob, defer);
  await publish(second, bob, document('pres:bob@example.com', 'da 🌞'), { expires: 2 });
  check(/da 🌞/.test((await phone.sees('notify')).body), 'not told what he publishes');
  await phone.sees('notify'); // which has run out
  await phone.ask('void phone.sub.terminate()');
  check((await phone.sees('notify')).isFinal, 'no last NOTIFY');
  await phone.sees('sub ended');
  await open('dave', 'presence', 'application/pidf+xml');
  check((await phone.sees('sub ended')).code === 2, 'not refused');
  await counted(0);
});

scenario('a registration that runs out is told without anybody asking', async ({ defer }) => {
  const watch = await watches('bob', 'dave', 'presence');
  await watch.next();
  const phone = await udpPhone(peers.gateway, dave, defer);
  check(OPEN.test((await watch.next()).body), 'not open');
  await phone.register({ username: dave.name, password: dave.password, expires: 60 }); // the shortest there is
  await watch.quiet();
  await watch.refresh(0);
  await watch.next();
});

scenario('in a call: on the phone, with a busy lamp; both go out at its end', async () => {
  const { alice: phone, trunk } = peers;
  const presence = await watches('carol', 'alice', 'presence');
  const lamp = await watches('bob', 'alice', 'dialog');
  check(OPEN.test((await presence.next()).body), 'alice is registered');
  const empty = await lamp.next();
  check(/version="0" state="full" entity="sip:alice@example.com"/.test(empty.body) && !/<dialog /.test(empty.body), empty.body);
  check(empty.header('content-type') === 'application/dialog-info+xml', empty.raw);
  trunk.call(ALICE.numbers[0], { from: `"Tim <&> Co" <sip:${CALLER}@carrier.example.com>` });
  await phone.rings();
  const ringing = await lamp.next();
  check(/version="1" state="partial"/.test(ringing.body), ringing.body);
  check(/<dialog id="[^"]+" call-id="[^"]+" local-tag="[^"]+" remote-tag="w\d[^"]+" direction="recipient"><state>early<\/state>/.test(ringing.body), ringing.body);
  check(ringing.body.includes('display="Tim &lt;&amp;&gt; Co"') && ringing.body.includes(`sip:${CALLER}@`), ringing.body);
  const id = ringing.body.match(/<dialog id="([^"]+)"/)[1];
  check(PHONE.test((await presence.next()).body), 'not on the phone');
  await phone.answer();
  await trunk.answered();
  const talking = await lamp.next();
  check(/version="2"/.test(talking.body) && /<state>confirmed<\/state>/.test(talking.body) && talking.body.includes(id), talking.body);
  const full = (await lamp.refresh(), await lamp.next());
  check(/version="3" state="full"/.test(full.body) && /confirmed/.test(full.body), full.body);
  await trunk.sip.bye();
  await phone.ends();
  const over = await lamp.next();
  check(/version="4" state="partial"/.test(over.body) && /<state>terminated<\/state>/.test(over.body) && over.body.includes(id), over.body);
  const free = await presence.next();
  check(OPEN.test(free.body) && !PHONE.test(free.body), free.body);
  await lamp.refresh(0);
  check(/version="5" state="full"/.test((await lamp.next()).body), 'the last document is not a full one');
  await presence.refresh(0);
  await presence.next();
});

scenario('a call that she makes, and one that nobody answers', async () => {
  const { alice: phone, trunk } = peers;
  const lamp = await watches('bob', 'alice', 'dialog');
  await lamp.next();
  await phone.call(`sip:${CALLER}@example.com`);
  await trunk.rings();
  const calling = await lamp.next();
  check(/direction="initiator"><state>early<\/state>/.test(calling.body) && calling.body.includes(CALLER), calling.body);
  trunk.sip.reply(486);
  await trunk.sip.expect('ACK');
  await phone.sees('failed');
  check(/<state>terminated<\/state>/.test((await lamp.next()).body), 'the lamp stays on');
  await lamp.refresh(0);
  await lamp.next();
});

scenario('a transfer: the lamp of who leaves goes out, that of who is asked in goes on, a refused one changes nothing', async () => {
  const { alice: phone, bob: other, trunk } = peers;
  const hers = await watches('bob', 'alice', 'dialog');
  const his = await watches('carol', 'bob', 'dialog');
  await Promise.all([hers.next(), his.next()]);
  trunk.call(ALICE.numbers[0]);
  await phone.rings();
  await phone.answer();
  await trunk.answered();
  await hers.until(/confirmed/);
  const transfer = () => phone.ask("void session.refer('sip:bob@example.com')");
  await transfer();
  await other.rings();
  await his.quiet(); // nothing rings yet
  other.sip.reply(180);
  await his.until(/<state>early/);
  other.sip.reply(486);
  await his.until(/<state>terminated/);
  await hers.quiet(); // she still talks
  await transfer();
  await other.rings();
  await other.answer();
  await his.until(/<state>confirmed/);
  await hers.until(/<state>terminated/);
  await trunk.sip.bye();
  await his.until(/<state>terminated/);
  for (const watch of [hers, his]) {
    await watch.refresh(0);
    check(!/<dialog /.test((await watch.next()).body), 'a lamp is still on');
  }
});

scenario('an anonymous caller is not told to those who watch', async () => {
  const { alice: phone, trunk } = peers;
  const lamp = await watches('bob', 'alice', 'dialog');
  await lamp.next();
  trunk.call(ALICE.numbers[0], { from: `<sip:${CALLER}@carrier.example.com>`, headers: [['Privacy', 'id']] });
  await phone.rings();
  const ringing = await lamp.next();
  check(/<state>early<\/state>/.test(ringing.body) && !ringing.body.includes(CALLER) && !/<remote>/.test(ringing.body), ringing.body);
  trunk.sip.cancel();
  await lamp.until(/terminated/);
  await lamp.refresh(0);
  await lamp.next();
});

scenario('only whom the configuration names: 403, 404, 489, 423, 406 and 503 say why', async () => {
  const { carol: other, bob: sub, trunk, gateway } = peers;
  const refused = await watches('carol', 'dave', 'presence', { status: 403 });
  check(/may not watch/.test(refused.header('warning')), refused.raw);
  await subscribe(other.sip, carol, 'carol', 'presence', { status: 403 }); // the default is nobody, not even oneself
  await watches('carol', 'nobody', 'presence', { status: 404 });
  const bad = await watches('bob', 'alice', 'conference', { status: 489 });
  check(/presence/.test(bad.header('allow-events')) && /dialog/.test(bad.header('allow-events')), bad.raw);
  const brief = await watches('bob', 'alice', 'presence', { expires: 1, status: 423 });
  check(brief.header('min-expires') === '2', brief.raw);
  await watches('bob', 'alice', 'presence', { headers: [['Accept', 'application/x-else']], status: 406 });
  const forged = await ask(other.sip, { name: 'bob', password: 'guess' }, 'SUBSCRIBE', 'alice', { headers: [['Event', 'presence']] });
  check(forged.response.status === 403, `a forged From got ${forged.response.first}`);
  trunk.sip.newRequest('SUBSCRIBE', `sip:alice@${gateway.sip.host}:${gateway.sip.port}`, { headers: [['Event', 'presence']] });
  check((await trunk.sip.expect((m) => m.status >= 200 && m.cseq.method === 'SUBSCRIBE')).status === 403, 'a trunk may watch');
  await counted(0);
  check(await gateway.admin.metric('sipway_subscriptions_refused_total') >= 7, 'refusals are not counted');
  check(sub, 'unused');
});

scenario('an account has so many subscriptions and not more', async () => {
  const all = [];
  for (let i = 0; i < 6; i++) all.push(await watches('bob', i % 2 ? 'alice' : 'dave', i % 3 ? 'dialog' : 'presence'));
  const more = await watches('bob', 'alice', 'presence', { status: 403 });
  check(/too many/.test(more.header('warning')), more.raw);
  await watches('carol', 'alice', 'presence').then(async (one) => { await one.next(); await one.refresh(0); await one.next(); });
  for (const one of all) {
    await one.next();
    await one.refresh(0);
    await one.next();
  }
  await counted(0);
});

scenario('time: it ends when it is not refreshed, goes on when it is, and a fetch is one NOTIFY', async () => {
  const watch = await watches('bob', 'dave', 'presence', { expires: 2 });
  await watch.next();
  await watch.refresh(2);
  await watch.next();
  const began = performance.now();
  const last = await watch.next();
  check(last.header('subscription-state') === 'terminated;reason=timeout', last.raw);
  check(performance.now() - began > 1500, 'the refresh did not count');
  const fetch = await watches('bob', 'dave', 'presence', { expires: 0 });
  check((await fetch.next()).header('subscription-state') === 'terminated;reason=timeout', 'a fetch stays');
  await fetch.quiet();
  await counted(0);
});

scenario('a subscriber that says 481, or nothing, is forgotten; changes meanwhile come in one NOTIFY', async ({ defer }) => {
  const watch = await watches('bob', 'dave', 'presence');
  await watch.next({ answer: 481 });
  await counted(0);
  const slow = await watches('bob', 'dave', 'presence');
  const first = await slow.next({ answer: 0 });
  const phone = await udpPhone(peers.gateway, dave, defer);
  await phone.register({ username: dave.name, password: dave.password, expires: 0 });
  await phone.register({ username: dave.name, password: dave.password });
  await slow.quiet(); // the one under way comes first
  peers.bob.sip.reply(200, { request: first });
  check(OPEN.test((await slow.next()).body), 'not what counts now');
  await slow.quiet();
  await slow.refresh(0);
  await slow.next();
});

const document = (entity, note, { extra = '', basic = 'open' } = {}) => `<?xml version="1.0" encoding="UTF-8"?>
<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="${entity}"><!-- ä --><tuple id="t1"><status><basic>${basic}</basic></status><note>${note}</note></tuple>${extra}</presence>`;

scenario('what is published is told as it is; changed, refreshed, removed by its entity tag', async ({ defer }) => {
  const phone = await udpPhone(peers.gateway, dave, defer);
  const watch = await watches('bob', 'dave', 'presence');
  check(OPEN.test((await watch.next()).body), 'not open');
  const lunch = document('pres:dave@example.com', 'zu Tisch 🍜 &amp; &lt;Kaffee&gt;');
  const first = await publish(phone, dave, lunch);
  check(first.status === 200 && first.header('sip-etag') && first.header('expires') === '600', first.raw);
  check((await watch.next()).body === lunch, 'not as it was published');
  const second = await publish(phone, dave, document('sip:dave@example.com', 'away', { basic: 'closed' }), { etag: first.header('sip-etag') });
  check(second.status === 200 && second.header('sip-etag') !== first.header('sip-etag'), second.raw);
  check(/away/.test((await watch.next()).body), 'the change is not told');
  check((await publish(phone, dave, '', { etag: first.header('sip-etag') })).status === 412, 'an old tag is taken');
  const third = await publish(phone, dave, '', { etag: second.header('sip-etag'), expires: 2 });
  check(third.status === 200 && third.header('expires') === '2', third.raw);
  await watch.quiet();
  check(OPEN.test((await watch.next()).body), 'a publication that ran out is still told');
  const fourth = await publish(phone, dave, lunch);
  await watch.next();
  check((await publish(phone, dave, '', { etag: fourth.header('sip-etag'), expires: 0 })).status === 200, 'not removed');
  check(!/Tisch/.test((await watch.next()).body), 'what was removed is still told');
  await watch.refresh(0);
  await watch.next();
  check((await peers.gateway.admin.metric('sipway_publications')) === 0, 'a publication is left');
});

scenario('what cannot be published: about others, not XML, not PIDF, too large, another event', async ({ defer }) => {
  const phone = await udpPhone(peers.gateway, dave, defer);
  const own = 'pres:dave@example.com';
  const bomb = `<!DOCTYPE x [<!ENTITY a "aaaa">]>${document(own, '&a;')}`;
  for (const [status, body, options] of [
    [403, document('pres:alice@example.com', 'x')], [403, document(own, 'x'), { about: 'alice' }],
    [400, 'hello'], [400, document(own, 'x').replace('</tuple>', '')], [400, bomb], [400, '<a entity="dave@x">b</a>'], [400, ''],
    [415, document(own, 'x'), { type: 'text/plain' }], [413, document(own, 'x'.repeat(17000))],
    [489, document(own, 'x'), { event: 'dialog' }], [423, document(own, 'x'), { expires: 1 }], [412, document(own, 'x'), { etag: 'none' }],
  ]) {
    const answer = await publish(phone, dave, body, options);
    check(answer.status === status, `${body.slice(0, 60)} ${JSON.stringify(options ?? {})} got ${answer.first} instead of ${status}`);
  }
  check((await peers.gateway.admin.metric('sipway_publications')) === 0, 'a publication is left');
});

scenario('on the phone is added to what is published', async ({ defer }) => {
  const phone = await udpPhone(peers.gateway, bob, defer);
  const watch = await subscribe(peers.carol.sip, carol, 'bob', 'presence');
  await watch.next();
  const busy = document('pres:bob@example.com', 'at the desk');
  const published = await publish(phone, bob, busy);
  check((await watch.next()).body === busy, 'not as it was published');
  peers.trunk.call(BOB.numbers[0]);
  await phone.expect('INVITE');
  phone.reply(180);
  const both = await watch.next();
  check(PHONE.test(both.body) && both.body.startsWith(busy.slice(0, -'</presence>'.length)) && both.body.endsWith('</presence>'), both.body);
  phone.reply(486);
  await phone.expect('ACK');
  peers.bob.sip.reply(486, { request: await peers.bob.sip.expect('INVITE') });
  check((await watch.next()).body === busy, 'still on the phone');
  await publish(phone, bob, '', { etag: published.header('sip-etag'), expires: 0 });
  await watch.next();
  await watch.refresh(0);
  await watch.next();
});

const SUMMARY = 'Messages-Waiting: yes\r\nMessage-Account: sip:+12025550123@carrier.example.com\r\nVoice-Message: 2/8 (0/2)\r\n';
const mailbox = (to, body, { type = 'application/simple-message-summary', event = 'message-summary' } = {}) => {
  const { trunk, gateway } = peers;
  const request = trunk.sip.newRequest('NOTIFY', `sip:${to}@${gateway.sip.host}:${gateway.sip.port}`, {
    from: '<sip:voicemail@carrier.example.com>', body, type, headers: [['Event', event], ['Subscription-State', 'active']],
  });
  return trunk.sip.expect((m) => m.status >= 200 && m.callId === request.callId);
};

scenario('a trunk tells of a mailbox: to the account that has subscribed to its own, and to no other', async () => {
  const watch = await watches('bob', 'bob', 'message-summary');
  const none = await watch.next();
  check(none.body === 'Messages-Waiting: no\r\n' && none.header('content-type') === 'application/simple-message-summary', none.raw);
  await watches('carol', 'bob', 'message-summary', { status: 403 }); // whom bob's watchers would let in
  check((await mailbox(BOB.numbers[0], SUMMARY)).status === 200, 'not taken');
  check((await watch.next()).body === SUMMARY, 'not as the trunk sent it');
  await watch.refresh(0);
  check((await watch.next()).body === SUMMARY, 'forgotten');
});

scenario('a mailbox of which nobody asked: every device is told, and a new one when it registers', async ({ defer }) => {
  const phone = await udpPhone(peers.gateway, dave, defer);
  check((await mailbox('dave', SUMMARY)).status === 200, 'not taken');
  const unasked = await phone.expect('NOTIFY');
  phone.reply(200);
  check(unasked.body === SUMMARY && unasked.header('event') === 'message-summary' && unasked.header('subscription-state'), unasked.raw);
  await phone.register({ username: dave.name, password: dave.password, expires: 0 });
  await phone.register({ username: dave.name, password: dave.password });
  check((await phone.expect('NOTIFY')).body === SUMMARY, 'not told at the registration');
  phone.reply(200);
});

scenario('of mailboxes only trunks tell, and only what can be read', async ({ defer }) => {
  check((await mailbox('dave', SUMMARY, { event: 'presence' })).status === 489, 'another event');
  check((await mailbox('dave', 'x'.repeat(5000))).status === 413, 'too large');
  check((await mailbox('dave', SUMMARY, { type: 'text/plain' })).status === 415, 'another type');
  check((await mailbox('nobody', SUMMARY)).status === 404, 'nobody');
  const phone = await udpPhone(peers.gateway, dave, defer);
  const { response } = await ask(phone, dave, 'NOTIFY', 'bob', { headers: [['Event', 'message-summary']], body: SUMMARY, type: 'application/simple-message-summary' });
  check(response.status === 403, `an account's NOTIFY got ${response.first}`);
});

scenario('a reload that takes the right away ends the subscription', async () => {
  const watch = await watches('carol', 'alice', 'presence');
  await watch.next();
  peers.gateway.reload((text) => text.replace('"carol"]', '"dave"]').replace('- carol\n', '- dave\n'));
  const last = await watch.next();
  check(last.header('subscription-state') === 'terminated;reason=rejected', last.raw);
  await watches('carol', 'alice', 'presence', { status: 403 });
  await counted(0);
}, { needs: 'admin' });

scenario('when the gateway stops, subscribers are told to come again', async () => {
  const watch = await watches('bob', 'dave', 'dialog');
  await watch.next();
  process.kill(peers.gateway.program.pid, 'SIGTERM');
  const last = await watch.next();
  check(/^terminated;reason=probation;retry-after=\d+$/.test(last.header('subscription-state')), last.raw);
}, { needs: 'admin' });
