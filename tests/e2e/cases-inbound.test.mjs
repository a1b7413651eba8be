// SPDX-License-Identifier: Apache-2.0
// Cases seen in the field, calls from the trunk: how a message is written must not matter, and each call rings once.
import { world, scenario, check, ALICE, CALLER } from './lib/scenario.mjs';
import { uriOf } from './lib/sip-message.mjs';
import { pause, until } from './lib/wait.mjs';

const peers = world({ scripted: [ALICE] });
const ours = { needs: 'b2bua' };

const invite = (headers, body = '{{sdp}}') => `INVITE sip:${ALICE.numbers[0]}@{{gateway}} SIP/2.0\n${headers}\nContent-Type: application/sdp\nContent-Length: 0\n\n${body}`;

const PLAIN = `Via: SIP/2.0/UDP {{me}};branch={{branch}};rport
Max-Forwards: 70
From: <sip:${CALLER}@192.0.2.10>;tag={{tag}}
To: <sip:${ALICE.numbers[0]}@{{gateway}}>
Call-ID: {{tag}}@192.0.2.10
CSeq: 1 INVITE
Contact: <sip:${CALLER}@{{me}}>`;

const send = (text, values = {}) => peers.trunk.sip.send(text, { sdp: peers.trunk.sdp({ codecs: ['PCMU', 'PCMA'] }), ...values });

/** alice rings, answers, the trunk ACKs, and hangs up. @returns {{seen, ok}} the INVITE at alice and the 200 at the trunk */
async function wholeCall() {
  const { alice, trunk } = peers;
  const seen = await alice.rings();
  alice.sip.reply(180);
  const answering = alice.answer();
  trunk.eventsPt = 101;
  const ok = await trunk.answered();
  await answering;
  const bye = trunk.sip.bye();
  await alice.hungUp();
  check((await bye).status === 200, 'BYE was refused');
  return { seen, ok };
}

scenario('compact names in mixed case with blanks before the colon: it rings, with name and number', async () => {
  send(`INVITE sip:${ALICE.numbers[0]}@{{gateway}} SIP/2.0
V: SIP/2.0/UDP {{me}};branch={{branch}};rport
max-forwards: 70
f : "Carol" <sip:${CALLER}@192.0.2.10>;tag={{tag}}
t: <sip:${ALICE.numbers[0]}@{{gateway}}>
I: {{tag}}@192.0.2.10
CSEQ: 1 INVITE
m: <sip:${CALLER}@{{me}}>
K: timer, replaces
x: 1800
c: application/sdp
L: 0

{{sdp}}`);
  const { seen, ok } = await wholeCall();
  check(seen.header('from').startsWith('"Carol"') && seen.header('from').includes(CALLER), `From at the browser: ${seen.header('from')}`);
  check(/^\d+;\s*refresher=/i.test(ok.header('session-expires') ?? ''), `Session-Expires in the 200: ${ok.header('session-expires')}`);
}, ours);

scenario('folded headers are one value: Via with rport, Record-Route in order', async () => {
  send(invite(`Via: SIP/2.0/UDP {{me}};branch={{branch}};
 rport
Record-Route: <sip:192.0.2.11;lr>,
 <sip:{{me}};lr>
Max-Forwards: 70
From: <sip:${CALLER}@192.0.2.10>;tag={{tag}}
To: <sip:${ALICE.numbers[0]}@{{gateway}}>
Call-ID: {{tag}}@192.0.2.10
CSeq: 1 INVITE
Contact: <sip:${CALLER}@{{me}}>
Subject: about
  the order`));
  const { alice, trunk } = peers;
  await alice.rings();
  const answering = alice.answer();
  const ok = await trunk.answered();
  await answering;
  const routes = ok.all('record-route');
  check(routes.length === 2 && routes[0] === '<sip:192.0.2.11;lr>', `Record-Route in the 200: ${routes}`);
  trunk.sip.dialog.routes = [];
  const bye = trunk.sip.bye();
  await alice.hungUp();
  await bye;
}, ours);

scenario('a display name with comma, brackets and escapes stays one name', async () => {
  const name = '"Doe, Jane <js@example.org>; \\"JD\\" \\\\ tag=no"';
  send(invite(PLAIN.replace('From: <sip', `From: ${name} <sip`).replace('192.0.2.10>;tag', '192.0.2.10;user=phone>;tag')
    .replace('To: <sip', 'To: "" <sip')));
  const { seen, ok } = await wholeCall();
  check(seen.header('from').startsWith(name), `From at the browser: ${seen.header('from')}`);
  check(ok.header('from').startsWith(`${name} <sip:${CALLER}@192.0.2.10;user=phone>;tag=`), `From in the 200: ${ok.header('from')}`);
  check(uriOf(ok.header('to')).startsWith(`sip:${ALICE.numbers[0]}@`) && ok.toTag, `To in the 200: ${ok.header('to')}`);
}, ours);

scenario('nothing of one side shows on the other', async () => {
  send(invite(`${PLAIN}\nUser-Agent: Secret-PBX/1.0\nX-Internal: 10.9.8.7`));
  const sent = peers.trunk.sip.sent.at(-1);
  const { seen, ok } = await wholeCall();
  for (const secret of ['Secret-PBX', '10.9.8.7', '192.0.2.10', sent.callId, sent.fromTag, sent.branch, `${peers.trunk.sip.port}`, `${peers.trunk.rtp.port}`]) {
    check(!seen.raw.includes(secret), `the browser sees '${secret}' of the trunk:\n${seen.raw}`);
  }
  for (const secret of [seen.callId, seen.fromTag, '.invalid', 'ice-ufrag']) check(!ok.raw.includes(secret), `the trunk sees '${secret}' of the browser`);
}, ours);

scenario('the same INVITE three times is one call; a copy after the ACK is absorbed; all answers have one tag', async () => {
  const { alice, trunk } = peers;
  const first = send(invite(PLAIN));
  await alice.rings();
  alice.sip.reply(180);
  await trunk.sip.expect(180);
  trunk.sip.sendRaw(first.raw);
  await until('the 180 again', () => trunk.sip.received.filter((m) => m.status === 180).length > 1);
  const answering = alice.answer();
  const ok = await trunk.sip.expect(200);
  trunk.sip.sendRaw(first.raw);
  trunk.sip.ack();
  await answering;
  trunk.sip.sendRaw(first.raw);
  await alice.sip.expectNone('INVITE', 400);
  const tags = new Set(trunk.sip.received.filter((m) => m.status > 100 && m.cseq.method === 'INVITE').map((m) => m.toTag));
  check(tags.size === 1 && tags.has(ok.toTag), `To tags: ${[...tags]}`);
  check(!trunk.sip.received.some((m) => m.status === 481), 'a copy after the ACK was answered 481');
  const bye = trunk.sip.bye();
  await alice.hungUp();
  await bye;
}, ours);

scenario('a merged request (other branch) gets 482 and does not ring again', async () => {
  const { alice, trunk } = peers;
  const first = send(invite(PLAIN));
  await alice.rings();
  trunk.sip.sendText(first.raw.replace(first.branch, `${first.branch}x`));
  await trunk.sip.expect(482);
  await alice.sip.expectNone('INVITE', 200);
  const answering = alice.answer();
  await trunk.answered();
  await answering;
  const bye = trunk.sip.bye();
  await alice.hungUp();
  await bye;
}, ours);

scenario('the 200 is repeated until the ACK comes, at 0.5 and 1.5 s; an ACK with a wrong tag counts for nothing', async () => {
  const { alice, trunk } = peers;
  send(invite(PLAIN));
  await alice.rings();
  const answering = alice.answer();
  const ok = await trunk.sip.expect(200);
  const { dialog } = trunk.sip;
  trunk.sip.inDialog('ACK', { dialog: { ...dialog, remote: dialog.remote.replace(/tag=.*/, 'tag=wrong') } });
  await until('two repeats of the 200', () => trunk.sip.repeats >= 2, { within: 3000 });
  const times = trunk.sip.received.filter((m) => m.status === 200).map((m) => m.at - ok.at);
  check(Math.abs(times[1] - 500) < 200 && Math.abs(times[2] - 1500) < 300, `the 200 was repeated after ${times.map(Math.round)} ms`);
  trunk.sip.ack();
  await answering;
  const before = trunk.sip.repeats;
  await pause(2300); // the next repeat would be due 2 s after the last one
  check(trunk.sip.repeats === before, 'the 200 is repeated after its ACK');
  const bye = trunk.sip.bye();
  await alice.hungUp();
  await bye;
}, ours);

scenario('a BYE before the ACK ends the call', async () => {
  const { alice, trunk } = peers;
  send(invite(PLAIN));
  await alice.rings();
  await alice.answer({ ack: false });
  await trunk.sip.expect(200);
  const bye = trunk.sip.bye();
  await alice.hungUp();
  check((await bye).status === 200, 'BYE before ACK was refused');
  await trunk.sip.expectNone(200, 700);
}, ours);

scenario('an answer whose Contact cannot be reached: responses go to the source address, with received and rport', async () => {
  const { alice, trunk } = peers;
  send(invite(PLAIN.replace('Via: SIP/2.0/UDP {{me}}', 'Via: SIP/2.0/UDP 10.1.2.3:5060')));
  await alice.rings();
  alice.sip.reply(180);
  const ringing = await trunk.sip.expect(180);
  const via = ringing.all('via')[0];
  check(via.includes('received=127.0.0.1') && via.includes(`rport=${trunk.sip.port}`), `Via of the 180: ${via}`);
  trunk.sip.cancel();
  await alice.sip.expect('CANCEL');
  alice.sip.reply(200);
  alice.sip.reply(487, { request: alice.sip.invite });
  await trunk.sip.expect(487);
}, ours);

for (const [value, supported, wanted] of [
  ['90', true, /^90;\s*refresher=(uac|uas)/i],
  ['90;refresher=uas', true, /^90;\s*refresher=uas/i],
  ['90', false, /^90;\s*refresher=uas|^$/i],
  ['90 ; Refresher=UAC', true, /^90;\s*refresher=uac/i],
]) {
  scenario(`session timer '${value}'${supported ? '' : ' without timer in Supported'}: the 200 names a refresher`, async () => {
    send(invite(`${PLAIN}${supported ? '\nSupported: timer' : ''}\nSession-Expires: ${value}`));
    const { ok } = await wholeCall();
    const answer = ok.header('session-expires') ?? '';
    check(wanted.test(answer), `Session-Expires in the 200: '${answer}'`);
    const requires = ok.all('require').includes('timer');
    check(requires === /uac/i.test(answer), `Require: ${ok.all('require')} beside ${answer}`);
  }, ours);
}

scenario('a session timer of 30 s is not agreed to: 422 with Min-SE', async () => {
  send(invite(`${PLAIN}\nSupported: timer\nSession-Expires: 30`));
  const refusal = await peers.trunk.sip.expect(422);
  check(Number(refusal.header('min-se')) >= 90, `Min-SE: ${refusal.header('min-se')}`);
}, ours);

const LEVELS = `v=0\no=- 1 1 IN IP4 127.0.0.1\ns=\nc=IN IP4 192.0.2.10\nt=0 0\na=recvonly\nm=audio {{port}} RTP/AVP 8 0\ni=voice\nc=IN IP4 127.0.0.1\na=ptime:20\na=sendonly`;

scenario('media level wins over session level, LF ends lines, the last line has no end', async () => {
  const { alice, trunk } = peers;
  // fillTemplate makes CRLF of LF, so the LF of the body are written as bytes
  send(invite(PLAIN, LEVELS.replaceAll('\n', '{{hex 0a}}')), { port: trunk.rtp.port });
  await alice.rings();
  const answering = alice.answer();
  const ok = await trunk.answered();
  await answering;
  check(/a=recvonly/.test(ok.body), `a sendonly offer was answered:\n${ok.body}`);
  check(!/[^\r]\n/.test(ok.body), 'our lines do not end in CRLF');
  const bye = trunk.sip.bye();
  await alice.hungUp();
  await bye;
}, ours);

scenario('a description without any c= line: 488 or 400, with a reason', async () => {
  send(invite(PLAIN, LEVELS.replace(/c=.*\n/g, '')), { port: 40000 });
  const refusal = await peers.trunk.sip.expect((m) => m.status >= 300);
  check([400, 488].includes(refusal.status), `answered ${refusal.first}`);
  await peers.alice.sip.expectNone('INVITE', 200);
}, ours);

scenario('several m-lines: one audio is taken, the others get port 0, the order stays', async () => {
  const { alice, trunk } = peers;
  send(invite(PLAIN, `v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
a=sendrecv
m=audio {{port}} RTP/SAVP 9 0 8 101
a=crypto:8 AES_CM_128_HMAC_SHA1_80 inline:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5
a=rtpmap:101 telephone-event/8000
m=audio {{port}} RTP/AVP 9 0 8 101
a=rtpmap:101 telephone-event/8000
m=application 0 UDP/BFCP *
m=text 40010 RTP/AVP 98
a=rtpmap:98 t140/1000
`), { port: trunk.rtp.port });
  const seen = await alice.rings();
  check((seen.body.match(/^m=/gm) ?? []).length === 1, `m-lines at the browser:\n${seen.body}`);
  const answering = alice.answer();
  const ok = await trunk.sip.expect(200);
  trunk.sip.ack();
  await answering;
  const lines = [...ok.body.matchAll(/^m=(\S+) (\d+) (\S+)/gm)].map(([, kind, port, profile]) => `${kind} ${Number(port) > 0} ${profile}`);
  check(lines.join(', ') === 'audio false RTP/SAVP, audio true RTP/AVP, application false UDP/BFCP, text false RTP/AVP', `answer: ${lines.join(', ')}`);
  const bye = trunk.sip.bye();
  await alice.hungUp();
  await bye;
}, ours);
