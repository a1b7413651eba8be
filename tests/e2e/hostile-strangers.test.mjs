// SPDX-License-Identifier: Apache-2.0
// Floods and forged requests of strangers while a call is up: one refusal each, no state, and the call hears nothing of it.
import { world, scenario, check, ALICE, BOB, CALLER } from './lib/scenario.mjs';
import { STRANGER, strangerAt, grown, thirdRoundIsFlat, settled, stillAlive, vitals } from './lib/hostile.mjs';
import { flood } from './lib/hostile-flooder.mjs';
import { talking, hangUp, undisturbed, bothHear } from './lib/hostile-call.mjs';
import { wsPhone } from './lib/ws-phone.mjs';
import { token } from './lib/sip-agent.mjs';
import { writeSip } from './lib/sip-message.mjs';
import { until } from './lib/wait.mjs';

const peers = world({ browsers: [ALICE], gateway: { config: { log: { level: 'info', format: 'text' } } } });
const ours = { needs: 'b2bua' };

for (const method of ['INVITE', 'OPTIONS', 'REGISTER']) {
  scenario(`a flood of ${method}: a call loses at most 5 % of its packets, the refusals are counted, memory stays`, async () => {
    const { gateway } = peers;
    const attack = { ...gateway.sip, from: STRANGER, method, to: ALICE.numbers[0], perSecond: 5000, ms: 600 };
    await talking(peers);
    await undisturbed(peers, async () => {
      const { result, sip_refused_total: refused, sip_transactions: transactions, calls } = await grown(gateway,
        ['sip_refused_total', 'sip_transactions', 'calls'], async () => {
          let sent = 0;
          await thirdRoundIsFlat(gateway, async () => { sent += await flood(attack); });
          return sent;
        });
      check(refused > result * 0.5, `${refused} refusals counted for ${result} requests`);
      check(transactions <= 0 && calls === 0, `${transactions} transactions and ${calls} calls more`);
    });
    await hangUp(peers);
  }, { ...ours, timeout: 60000 });
}

scenario('every method of a stranger: one answer of at most twice its size, never again, and nothing reaches the trunk', async ({ defer }) => {
  const { gateway, trunk } = peers;
  const stranger = await strangerAt(gateway, { defer });
  const asked = ['INVITE', 'REGISTER', 'OPTIONS', 'MESSAGE', 'SUBSCRIBE', 'NOTIFY', 'REFER', 'PUBLISH', 'INFO', 'UPDATE', 'PRACK', 'BYE', 'CANCEL', 'ACK', 'WHATEVER']
    .map((method) => stranger.newRequest(method, `sip:${ALICE.numbers[0]}@${gateway.sip.host}:${gateway.sip.port}`, {
      headers: [['Refer-To', `<sip:x@${STRANGER}>`], ['Event', 'presence']], body: method === 'INVITE' ? trunk.sdp() : '',
    }));
  await settled(gateway);
  await until('the time of a repeat', () => performance.now() - stranger.received.at(-1).at > 1200, { within: 4000 });
  for (const request of asked) {
    const answers = stranger.received.filter((m) => m.callId === request.callId);
    check(answers.length <= 1, `${request.method}: ${answers.map((m) => m.first).join(' | ')}`);
    check(request.method !== 'ACK' || !answers.length, 'an ACK was answered');
    check(!answers.length || [400, 401, 403, 405, 481, 501].includes(answers[0].status), `${request.method}: ${answers[0]?.first}`);
    check(!answers.length || answers[0].raw.length <= 2 * request.raw.length, `${request.method}: ${answers[0]?.raw.length} bytes for ${request.raw.length}`);
  }
  await trunk.sip.expectNone((m) => m.isRequest, 50);
  check(await gateway.admin.metric('sipway_calls') === 0, 'a call is alive');
}, ours);

scenario('the smallest and the most generous request of a stranger are answered with at most twice their size', async ({ defer }) => {
  const { gateway } = peers;
  const stranger = await strangerAt(gateway, { defer });
  const sizes = [];
  const tries = [
    `OPTIONS sip:a SIP/2.0\r\nv:SIP/2.0/UDP ${stranger.address};branch=z9hG4bKa1\r\nf:<sip:a@b>;tag=1\r\nt:<sip:a>\r\ni:a1\r\nCSeq:1 OPTIONS\r\n\r\n`,
    `REGISTER sip:example.com SIP/2.0\r\nv:SIP/2.0/UDP ${stranger.address};branch=z9hG4bKa2\r\nf:<sip:alice@example.com>;tag=1\r\nt:<sip:alice@example.com>\r\ni:a2\r\nCSeq:1 REGISTER\r\n\r\n`,
    `INVITE sip:a SIP/2.0\r\nv:SIP/2.0/UDP ${stranger.address};branch=z9hG4bKa3\r\nf:<sip:alice@example.com>;tag=1\r\nt:<sip:a>\r\ni:a3\r\nCSeq:1 INVITE\r\n\r\n`,
    `BYE sip:a SIP/2.0\r\nv:SIP/2.0/UDP ${stranger.address};branch=z9hG4bKa4\r\nf:<sip:a@b>;tag=1\r\nt:<sip:a>;tag=w0.1\r\ni:a4\r\nCSeq:1 BYE\r\n\r\n`,
    `X sip:a SIP/2.0\r\nv:SIP/2.0/UDP ${stranger.address};branch=z9hG4bKa5\r\nCSeq:1 X\r\ni:a5\r\n\r\n`,
    'X a SIP/2.0\r\n\r\n',
  ];
  for (const bytes of tries) {
    const before = stranger.received.length;
    stranger.sendRaw(bytes);
    await settled(gateway);
    const answers = stranger.received.slice(before);
    check(answers.length <= 1, `${answers.length} answers`);
    for (const { raw } of answers) sizes.push([raw.length / bytes.length, bytes, raw]);
  }
  const worst = sizes.sort((a, b) => b[0] - a[0])[0];
  check(!worst || worst[0] <= 2, `${worst?.[0].toFixed(2)} times:\n${worst?.[1]}${worst?.[2]}`);
}, ours);

scenario('INVITE, BYE, UPDATE, INFO inside the call, with its tags, from a foreign address: 481 or 403, and nothing happens', async ({ defer }) => {
  const { gateway, trunk } = peers;
  await talking(peers);
  const stranger = await strangerAt(gateway, { defer });
  await undisturbed(peers, async () => {
    for (const method of ['INVITE', 'UPDATE', 'INFO', 'ACK', 'BYE']) {
      stranger.dialog = { ...trunk.sip.dialog, cseq: 700, inviteCseq: trunk.sip.dialog.inviteCseq };
      stranger.inDialog(method, { body: ['INVITE', 'UPDATE'].includes(method) ? trunk.sdp({ host: STRANGER, port: 4000 }) : '' });
      if (method === 'ACK') continue;
      const answer = await stranger.expect((m) => m.status && m.cseq.method === method);
      check([403, 481].includes(answer.status), `${method}: ${answer.first}`);
    }
  });
  await bothHear(peers);
  await hangUp(peers);
}, ours);

scenario('the same requests from the trunk with a wrong tag are 481 and change nothing', async () => {
  const { trunk } = peers;
  await talking(peers);
  const dialog = trunk.sip.dialog;
  const before = dialog.cseq;
  for (const [was, change] of [['remote', { remote: dialog.remote.replace(/tag=.*/, 'tag=w0.none') }], ['local', { local: `${dialog.local}x` }], ['Call-ID', { callId: `${dialog.callId}x` }]]) {
    const answerTo = trunk.sip.inDialog('BYE', { dialog: { ...dialog, cseq: 50, ...change } });
    const answer = await trunk.sip.expect((m) => m.status && m.branch === answerTo.branch);
    check(answer.status === 481, `wrong ${was}: ${answer.first}`);
  }
  dialog.cseq = before;
  await bothHear(peers);
  await hangUp(peers);
}, ours);

scenario('CANCEL by a stranger who knows the branch does nothing: the browser rings on', async ({ defer }) => {
  const { alice, gateway, trunk } = peers;
  const stranger = await strangerAt(gateway, { defer });
  trunk.call(ALICE.numbers[0]);
  await alice.rings();
  await trunk.sip.expect(180);
  const invite = trunk.sip.sent.findLast((m) => m.method === 'INVITE');
  const copied = invite.headers.filter(([name]) => ['via', 'from', 'to', 'call-id', 'max-forwards'].includes(name));
  stranger.sendText(writeSip(`CANCEL ${invite.uri} SIP/2.0`, [...copied, ['CSeq', `${invite.cseq.number} CANCEL`]]));
  await settled(gateway);
  check(!stranger.received.some((m) => m.status === 200), 'the stranger was told 200');
  check(!trunk.sip.inbox.some((m) => m.status === 487), 'the call was cancelled');
  await alice.answer();
  await trunk.answered();
  trunk.rtp.sendTone({ hz: 1000 });
  await bothHear(peers);
  await hangUp(peers);
}, ours);

scenario('responses of a stranger who guesses the branch of our INVITE are not those of the trunk', async ({ defer }) => {
  const { alice, gateway, trunk } = peers;
  const stranger = await strangerAt(gateway, { defer });
  await alice.call(`sip:${CALLER}@example.com`);
  const invite = await trunk.rings();
  trunk.sip.reply(180);
  await alice.sees('progress');
  check(invite.branch.length >= 24, `the branch is short: ${invite.branch}`);
  const copied = invite.headers.filter(([name]) => ['from', 'call-id', 'cseq'].includes(name));
  for (const branch of [`${invite.branch}x`, invite.branch.slice(0, -1), invite.branch.replace(/.$/, '!'), invite.branch.replace(/w\d+\./, 'w999999.')]) {
    const via = invite.header('via').replace(invite.branch, branch);
    stranger.sendText(writeSip('SIP/2.0 603 Decline', [['Via', via], ...copied, ['To', `${invite.header('to')};tag=evil`]]));
  }
  await settled(gateway);
  trunk.sip.request = invite;
  await trunk.answer();
  await alice.sees('confirmed');
  trunk.rtp.sendTone({ hz: 1000 });
  await bothHear(peers);
  await hangUp(peers);
}, ours);

scenario('guessing over many connections: few guesses are looked at, then the right password gets in at once, there and elsewhere', async ({ defer }) => {
  const { gateway } = peers;
  const host = { options: { localAddress: '127.0.0.4' } };
  const seconds = 5;
  const end = performance.now() + seconds * 1000;
  const guessers = async () => {
    while (performance.now() < end) {
      const one = await wsPhone(gateway, BOB, { register: false, ...host });
      const answer = await one.sip.register({ username: BOB.name, password: 'guess' }).catch(() => ({ first: 'silence' }));
      one.close();
      check(answer.status !== 200, 'a guess was right');
      if (answer.status === 503) await new Promise((done) => setTimeout(done, 100));
    }
  };
  const counters = ['auth_failed_total', 'auth_slowed_total', 'auth_unread_total'];
  const { auth_failed_total: judged, auth_slowed_total: slowed, auth_unread_total: unread } = await grown(gateway, counters, async () => {
    const all = Array.from({ length: 60 }, guessers);
    const owner = await wsPhone(gateway, BOB); // meanwhile, from where he is
    defer(() => owner.close());
    await Promise.all(all);
  });
  check(judged <= 20 + 5 * (seconds + 8) && slowed > 0 && unread > 100, `${judged} guesses were judged, ${slowed} slowed, ${unread} not looked at`);
  const right = await wsPhone(gateway, BOB, { register: false, ...host });
  defer(() => right.close());
  const began = performance.now();
  const answer = await right.sip.register({ username: BOB.name, password: BOB.password });
  check(answer.status === 200 && performance.now() - began < 400, `the right password at the guesser's address: ${answer.first}`);
}, ours);

scenario('known and unknown users get the same answers, without and with credentials, also in an INVITE', async ({ defer }) => {
  const { gateway } = peers;
  const shape = async (name, method) => {
    const one = await strangerAt(gateway, { defer, host: '127.0.0.5' });
    const uri = `sip:${gateway.domain}`;
    const request = one.newRequest(method, uri, { from: `<sip:${name}@${gateway.domain}>`, to: `<sip:${name}@${gateway.domain}>` });
    const first = await one.expect((m) => m.status >= 200);
    one.retryWithCredentials(request, first, { username: name, password: 'wrong' });
    const second = await one.expect((m) => m.status >= 200);
    return [first, second].map((m) => m.raw.replaceAll(name, 'NAME').replace(/(nonce|branch|tag|rport|cnonce)="?[^;",\r]*/g, '$1').replace(/(Call-ID): .*/, '$1')
      .replace(/127\.0\.0\.\d+:\d+/g, 'ADDR')).join('\n');
  };
  for (const method of ['REGISTER', 'INVITE', 'MESSAGE']) {
    const [known, unknown] = [await shape('bob', method), await shape('bobx', method)];
    check(known === unknown, `${method}: known:\n${known}\nunknown:\n${unknown}`);
  }
}, ours);

scenario('a digest that was used is refused a second time, and from another address', async ({ defer }) => {
  const { gateway } = peers;
  const bob = await wsPhone(gateway, BOB, { register: false });
  defer(() => bob.close());
  await bob.sip.register({ username: BOB.name, password: BOB.password });
  const used = bob.sip.sent.findLast((m) => m.method === 'REGISTER');
  check(used.header('authorization'), 'no credentials were sent');
  const again = (agent) => {
    const headers = used.headers.filter(([name]) => !['via', 'cseq', 'call-id', 'content-length', 'contact'].includes(name));
    return agent.sendText(writeSip(used.first, [['Via', agent.via()], ...headers, ['Contact', agent.contact], ['Call-ID', token()], ['CSeq', '9 REGISTER']]));
  };
  const thief = await wsPhone(gateway, BOB, { register: false });
  const far = await wsPhone(gateway, BOB, { register: false, options: { localAddress: '127.0.0.6' } });
  for (const one of [thief, far]) {
    defer(() => one.close());
    again(one.sip);
    const answer = await one.sip.expect((m) => m.status >= 200);
    check(answer.status === 401, `a replay was answered ${answer.first}`);
  }
}, ours);

scenario('a From that is not the digest user is refused, and so is a REGISTER for somebody else', async ({ defer }) => {
  const { gateway } = peers;
  for (const [from, to] of [['alice', 'alice'], ['bob', 'alice'], ['alice', 'bob']]) {
    const bob = await wsPhone(gateway, BOB, { register: false, options: { localAddress: '127.0.0.7' } });
    defer(() => bob.close());
    const request = bob.sip.newRequest('REGISTER', `sip:${gateway.domain}`, { from: `<sip:${from}@${gateway.domain}>`, to: `<sip:${to}@${gateway.domain}>` });
    const challenge = await bob.sip.expect((m) => m.status >= 200);
    bob.sip.retryWithCredentials(request, challenge, { username: BOB.name, password: BOB.password });
    const answer = await bob.sip.expect((m) => m.status >= 200);
    check(answer.status === 403, `From ${from} To ${to}: ${answer.first}`);
  }
  const contacts = await gateway.admin.metric('sipway_bindings');
  check(contacts >= 1, `${contacts} bindings`);
}, ours);

scenario('after all of this the process is as it was', async () => {
  await stillAlive(peers.gateway);
  check(await peers.gateway.admin.metric('sipway_calls') === 0, 'calls are left');
  check(vitals(peers.gateway).fds < 120, `${vitals(peers.gateway).fds} descriptors`);
}, ours);
