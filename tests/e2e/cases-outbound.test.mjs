// SPDX-License-Identifier: Apache-2.0
// Cases seen in the field, calls from a browser (scripted: signalling only): what the trunk gets, and what the browser is told.
import { world, scenario, check, ALICE, CALLER } from './lib/scenario.mjs';
import { sipAgent } from './lib/sip-agent.mjs';
import { browserSdp, wsPhone } from './lib/ws-phone.mjs';
import { parseSdp } from './lib/sdp.mjs';
import { until } from './lib/wait.mjs';
import { startGateway } from './lib/gateway.mjs';
import { scriptedPhone } from './lib/phone.mjs';

const peers = world({ scripted: [ALICE], trunk: { codecs: ['PCMA', 'PCMU'] } });
const ours = { needs: 'b2bua' };

/** Call the trunk; @returns the INVITE there */
async function callOut(number = CALLER, options) {
  const { alice, trunk } = peers;
  await alice.call(number, options);
  return trunk.rings();
}

async function hangUp() {
  const { alice, trunk } = peers;
  const bye = alice.sip.bye();
  await trunk.hungUp();
  await bye;
}

const OK = `SIP/2.0 200 OK
Via: {{via}}
From: {{from}}
To: {{to}};tag={{tag}}
Call-ID: {{call-id}}
CSeq: {{cseq}}
Contact: <sip:gw@{{me}}>
Content-Type: application/sdp
Content-Length: 0

{{sdp}}`;

scenario('service codes: the trunk gets # escaped once, * and + as they are', async () => {
  const invite = await callOut('sip:*21*+12025550177%23@example.com');
  check(invite.uri.startsWith('sip:*21*+12025550177%23@'), `Request-URI at the trunk: ${invite.uri}`);
  check(invite.header('to').includes('sip:*21*+12025550177%23@'), `To at the trunk: ${invite.header('to')}`);
  peers.trunk.sip.reply(486);
  await peers.alice.sip.expect(486);
}, ours);

scenario('the offer to the trunk: only its codecs, one telephone-event at 8000, its own caller ID', async () => {
  const invite = await callOut();
  const offer = parseSdp(invite.body);
  const events = offer.pts.filter((pt) => offer.rtpmap[pt]?.startsWith('telephone-event'));
  check(offer.codecs.filter((name) => name !== 'telephone-event').sort().join() === 'PCMA,PCMU', `codecs offered: ${offer.codecs}`);
  check(events.length === 1 && offer.rtpmap[events[0]] === 'telephone-event/8000', `events offered: ${events.map((pt) => offer.rtpmap[pt])}`);
  check(!/ice-|fingerprint|candidate|SAVPF/.test(invite.body), `WebRTC lines at the trunk:\n${invite.body}`);
  check(invite.header('p-asserted-identity')?.includes(ALICE.numbers[0]), `P-Asserted-Identity: ${invite.header('p-asserted-identity')}`);
  peers.trunk.sip.reply(486);
  await peers.alice.sip.expect(486);
}, ours);

scenario('the answer to the browser: PCMA relayed under its numbers, BUNDLE, mid, mux, one DTLS role; refused video stays', async () => {
  const { alice, trunk } = peers;
  const video = { mid: 'v1', lines: ['m=video 9 UDP/TLS/RTP/SAVPF 96', 'c=IN IP4 0.0.0.0', 'a=ice-ufrag:u5t1', 'a=ice-pwd:passwordpasswordpassword',
    `a=fingerprint:sha-256 ${Array(32).fill('00').join(':')}`, 'a=setup:actpass', 'a=mid:v1', 'a=sendrecv', 'a=rtcp-mux', 'a=rtpmap:96 VP8/90000'] };
  await callOut(CALLER, { body: browserSdp({ sections: [video], more: ['a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid'] }) });
  await trunk.answer({ codec: 'PCMA', ack: false });
  const ok = await alice.answered();
  await trunk.sip.expect('ACK');
  const [head, audio, refused] = ok.body.split(/\r\n(?=m=)/);
  check(/^m=audio [1-9]\d* UDP\/TLS\/RTP\/SAVPF 8 126$/m.test(audio), `audio line: ${audio.split('\r\n')[0]}`);
  check(/^a=rtpmap:126 telephone-event\/8000/m.test(audio), 'no telephone-event/8000 under 126');
  check(/^m=video 0 /.test(refused ?? '') && /^a=mid:v1/m.test(refused), `video line: ${refused}`);
  check(/^a=group:BUNDLE 0\r?$/m.test(head), `group: ${head.match(/a=group.*/)}`);
  for (const line of ['a=mid:0', 'a=rtcp-mux', 'a=ice-ufrag:', 'a=ice-pwd:', 'a=fingerprint:sha-256 ', 'a=candidate:']) {
    check(audio.includes(line) || (head.includes(line) && !line.startsWith('a=mid')), `no ${line} in the answer:\n${ok.body}`);
  }
  check(/^a=setup:(active|passive)\r?$/m.test(ok.body), `setup: ${ok.body.match(/a=setup.*/)}`);
  await hangUp();
}, ours);

scenario('183 and then 180: the browser is told both, in this order', async () => {
  const { alice, trunk } = peers;
  await callOut();
  const invite = trunk.sip.request;
  trunk.learn(invite.body);
  trunk.sip.reply(183, { headers: [['P-Early-Media', 'inactive']], body: trunk.sdp({ codecs: ['PCMU'] }) });
  await alice.sip.expect(183);
  trunk.sip.reply(180);
  await alice.sip.expect(180);
  await trunk.answer({ ack: false });
  await alice.answered();
  await trunk.sip.expect('ACK');
  await hangUp();
}, ours);

scenario('the answer crosses the CANCEL: ACK, then BYE; the browser sees 487; a repeated 200 is ACKed again', async () => {
  const { alice, trunk } = peers;
  const invite = await callOut();
  trunk.sip.reply(180);
  await alice.sip.expect(180);
  alice.sip.cancel();
  const cancel = await trunk.sip.expect('CANCEL');
  trunk.sip.request = invite;
  const ok = trunk.sip.send(OK, { tag: 'c10', sdp: trunk.sdp({ codecs: ['PCMU'] }) }, invite.from);
  trunk.sip.reply(481, { request: cancel });
  await trunk.sip.expect('ACK');
  const bye = await trunk.sip.expect('BYE');
  check(bye.toTag === 'c10', `BYE has the To tag ${bye.toTag}`);
  trunk.sip.sendRaw(ok.raw, invite.from);
  await trunk.sip.expect('ACK');
  trunk.sip.reply(200, { request: bye });
  await alice.sip.expect(487);
  await trunk.sip.expectNone('BYE', 600);
}, ours);

scenario('ACK and BYE follow Contact and the reversed Record-Route; only the first hop gets them', async ({ defer }) => {
  const { alice, trunk, gateway } = peers;
  const invite = await callOut();
  const [hop, other] = [await sipAgent({ name: 'first hop', peer: gateway.sip }), await sipAgent({ name: 'remote target', peer: gateway.sip })];
  defer(() => [hop, other].forEach((one) => one.close()));
  trunk.sip.send(OK.replace('Via: {{via}}', `Via: {{via}}
Record-Route: <sip:192.0.2.12:5070;lr;ftag=x>, <sip:192.0.2.11;transport=udp;lr;r2=on>
Record-Route: <sip:{{hop}};lr;r2=on>`).replace('<sip:gw@{{me}}>', '<sip:gw7;x=1@{{other}};line=a1?ignored=1>'), {
    tag: 'c09', hop: hop.address, other: other.address, sdp: trunk.sdp({ codecs: ['PCMU'] }) }, invite.from);
  await alice.answered();
  const routes = `<sip:${hop.address};lr;r2=on>,<sip:192.0.2.11;transport=udp;lr;r2=on>,<sip:192.0.2.12:5070;lr;ftag=x>`;
  const ack = await hop.expect('ACK');
  check(ack.uri === `sip:gw7;x=1@${other.address};line=a1`, `ACK to ${ack.uri}`);
  check(ack.all('route').join() === routes, `Route of the ACK: ${ack.all('route')}`);
  check(ack.cseq.number === invite.cseq.number && ack.branch !== invite.branch, 'ACK: CSeq or branch');
  alice.sip.inDialog('BYE');
  const bye = await hop.expect('BYE');
  check(bye.uri === ack.uri && bye.all('route').join() === routes, `BYE to ${bye.uri} by ${bye.all('route')}`);
  check(bye.cseq.number === invite.cseq.number + 1, `CSeq of the BYE: ${bye.cseq.number}`);
  hop.reply(200, { request: bye });
  await alice.sip.expect((m) => m.status === 200 && m.cseq.method === 'BYE');
  check(other.received.length === 0, 'the remote target was reached past its route');
}, ours);

scenario('every failure has its code and a reason', async () => {
  const { alice, trunk } = peers;
  for (const status of [404, 480, 486, 488, 503, 603]) {
    await callOut();
    trunk.sip.reply(status);
    const refusal = await alice.sip.expect((m) => m.status >= 300 && m.cseq.method === 'INVITE');
    check(refusal.status === status, `${status} of the trunk became ${refusal.status}`);
    check(refusal.header('reason') || refusal.header('warning'), `${status}: neither Reason nor Warning`);
    await trunk.sip.expect('ACK');
  }
}, ours);

scenario('an account that is not registered here, or another From than its own, is not routed', async () => {
  const { alice, trunk } = peers;
  alice.sip.newRequest('INVITE', `sip:${CALLER}@example.com`, { from: '<sip:bob@example.com>', body: browserSdp() });
  const refusal = await alice.sip.expect((m) => m.status >= 400 && m.cseq.method === 'INVITE');
  check([401, 403, 407].includes(refusal.status), `answered ${refusal.first}`);
  await trunk.sip.expectNone('INVITE', 300);
}, ours);

scenario('hold and resume by the browser keep DTLS role, mid, fingerprint and ICE credentials', async () => {
  const { alice, trunk } = peers;
  await callOut();
  await trunk.answer({ codec: 'PCMA', ack: false });
  const first = await alice.answered();
  await trunk.sip.expect('ACK');
  const kept = (body) => ['setup', 'mid', 'fingerprint', 'ice-ufrag', 'ice-pwd'].map((name) => body.match(new RegExp(`^a=${name}:.*`, 'm'))?.[0]).join('\n');
  for (const [version, direction, mirrored] of [[3, 'sendonly', 'recvonly'], [4, 'sendrecv', 'sendrecv']]) {
    alice.sip.inDialog('INVITE', { body: browserSdp({ version, direction }) });
    const passed = await trunk.sip.expect('INVITE', { within: 1500 }).catch(() => null);
    if (passed) trunk.sip.reply(200, { request: passed, body: trunk.sdp({ codecs: ['PCMA'], direction: mirrored }) });
    const again = await alice.answered();
    if (passed) await trunk.sip.expect('ACK');
    check(kept(again.body) === kept(first.body), `first answer had\n${kept(first.body)}\nthe re-INVITE\n${kept(again.body)}`);
    check(new RegExp(`a=${mirrored}`).test(again.body), `${direction} was answered:\n${again.body}`);
  }
  await hangUp();
}, ours);

scenario('an ICE restart of the browser is absorbed: new credentials in the answer, the trunk sees nothing', async () => {
  const { alice, trunk } = peers;
  await callOut();
  await trunk.answer({ codec: 'PCMA', ack: false });
  const first = await alice.answered();
  await trunk.sip.expect('ACK');
  const before = trunk.sip.received.length;
  alice.sip.inDialog('INVITE', { body: browserSdp({ version: 3, ufrag: 'new2', pwd: 'newpasswordnewpassword12' }) });
  const again = await alice.answered();
  const line = (body, name) => body.match(new RegExp(`^a=${name}:.*`, 'm'))?.[0];
  for (const name of ['ice-ufrag', 'ice-pwd']) check(line(again.body, name) !== line(first.body, name), `${name} is the old one`);
  for (const name of ['setup', 'fingerprint']) check(line(again.body, name) === line(first.body, name), `${name} has changed`);
  check(trunk.sip.received.length === before, `the trunk got ${trunk.sip.received.slice(before).map((m) => m.first)}`);
  await hangUp();
}, ours);

scenario('a request with a tag of no dialog: 481; an ACK of no dialog: nothing', async () => {
  const { trunk, gateway } = peers;
  const dialog = { callId: 'nobody', local: '<sip:a@127.0.0.1>;tag=1', remote: '<sip:b@127.0.0.1>;tag=2', target: `sip:b@${gateway.sip.host}:${gateway.sip.port}`, routes: [], cseq: 1 };
  trunk.sip.inDialog('ACK', { dialog });
  trunk.sip.inDialog('BYE', { dialog });
  const answer = await trunk.sip.expect((m) => m.status >= 200);
  check(answer.status === 481 && answer.cseq.method === 'BYE', `answered ${answer.first}`);
  await until('quiet', () => trunk.sip.inbox.length === 0);
}, ours);

scenario('a change to fax that cannot be carried is 488, and the next hold of the browser is still about the first line', async () => {
  const { alice, trunk } = peers;
  await callOut();
  await trunk.answer({ codec: 'PCMA', ack: false });
  await alice.answered();
  await trunk.sip.expect('ACK');
  const fax = ['v=0', 'o=- 1 9 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', 'm=image 40000 udptl t38', ''].join('\r\n');
  trunk.sip.inDialog('INVITE', { body: fax });
  const refusal = await trunk.sip.expect((m) => m.status >= 300);
  check(refusal.status === 488, `answered ${refusal.first}`);
  alice.sip.inDialog('INVITE', { body: browserSdp({ version: 3, direction: 'sendonly' }) });
  const passed = await trunk.sip.expect('INVITE');
  const lines = passed.body.match(/^m=.*/gm);
  check(lines.length === 1 && /^m=audio [1-9]/.test(lines[0]) && /^a=sendonly/m.test(passed.body), `the hold at the trunk:\n${passed.body}`);
  trunk.sip.reply(200, { request: passed, body: trunk.sdp({ codecs: ['PCMA'], direction: 'recvonly' }) });
  await alice.answered();
  await trunk.sip.expect('ACK');
  await hangUp();
}, ours);

scenario('an early description of a trunk that fails then is not the answer of the next one', async ({ defer }) => {
  const first = await scriptedPhone({ name: 'first trunk' });
  const second = await scriptedPhone({ name: 'second trunk' });
  const gateway = await startGateway({
    accounts: [ALICE],
    trunks: [{ name: 'first', host: '127.0.0.1', port: first.sip.port }, { name: 'second', host: '127.0.0.1', port: second.sip.port }],
    routes: [{ from: 'accounts', to: '^\\+?[0-9]+$', trunks: ['first', 'second'] }],
  });
  const phone = await wsPhone(gateway, ALICE);
  defer(async () => {
    phone.close();
    first.close();
    second.close();
    await gateway.stop();
  });
  first.sip.peer = second.sip.peer = gateway.sip;
  await phone.call(CALLER);
  await first.rings();
  first.sip.reply(183, { body: first.sdp({ codecs: ['PCMA'] }) });
  const early = await phone.sip.expect(183);
  check(/^m=audio \d+ \S+ 8 /m.test(early.body), `early media:\n${early.body}`);
  first.sip.reply(503);
  await second.rings();
  await second.answer({ codec: 'PCMU', ack: false });
  const answer = await phone.answered();
  await second.sip.expect('ACK');
  check(/^m=audio \d+ \S+ 0 /m.test(answer.body), `the second trunk took PCMU, the browser was told\n${answer.body}`);
  const bye = phone.sip.bye();
  await second.hungUp();
  await bye;
}, ours);

scenario('a hold that the trunk refuses leaves its own side as it was: it is still listened to', async () => {
  const { alice, trunk } = peers;
  await callOut();
  await trunk.answer({ codec: 'PCMA', ack: false });
  await alice.answered();
  await trunk.sip.expect('ACK');
  alice.sip.inDialog('INVITE', { body: browserSdp({ version: 3, direction: 'sendonly' }) });
  const passed = await trunk.sip.expect('INVITE');
  trunk.sip.reply(488, { request: passed });
  await alice.sip.expect(488);
  trunk.sip.inDialog('INVITE', { body: trunk.sdp({ codecs: ['PCMA'], events: trunk.eventsPt }) });
  const refreshed = await trunk.sip.expect((m) => m.status >= 200 && m.cseq.method === 'INVITE');
  check(refreshed.status === 200 && !/^a=(sendonly|recvonly|inactive)/m.test(refreshed.body), `the trunk's refresh was answered:\n${refreshed.first}\n${refreshed.body}`);
  await hangUp();
}, ours);
