// SPDX-License-Identifier: Apache-2.0
// Ringing that is acknowledged (100rel, PRACK: RFC 3262) and UPDATE (RFC 3311), on the trunk's side alone: browsers have neither.
// Trunks that do it well, and trunks that do not.
import { world, scenario, check, ALICE, CALLER } from './lib/scenario.mjs';
import { parseSdp } from './lib/sdp.mjs';
import { rtpEndpoint } from './lib/rtp.mjs';
import { startGateway } from './lib/gateway.mjs';
import { scriptedPhone } from './lib/phone.mjs';
import { wsPhone, browserSdp } from './lib/ws-phone.mjs';
import { until } from './lib/wait.mjs';

const peers = world({ browsers: [ALICE], gateway: { config: { sip: { t1: '200ms' } } } });
const ours = { needs: 'b2bua' };
const TRUNK_HZ = 1000;
const ALICE_HZ = 700;
const NEEDS = [['Require', '100rel'], ['Allow', 'INVITE, ACK, CANCEL, BYE, PRACK, UPDATE']];

const reliable = (rseq) => [['Require', '100rel'], ['RSeq', rseq], ['Allow', 'INVITE, ACK, BYE, PRACK, UPDATE']];
const offersReliable = (message) => /\b100rel\b/.test(message.header('supported') ?? '');

/** PRACK of the last reliable response, answered. @returns it */
async function prackOf(sip, rseq, { status = 200 } = {}) {
  const prack = await sip.expect('PRACK');
  check(prack.header('rack').startsWith(`${rseq} `) && prack.header('rack').endsWith(' INVITE'), `RAck ${prack.header('rack')}, not of ${rseq}`);
  sip.reply(status);
  return prack;
}

/** Alice calls, the trunk sends early media reliably. @returns the offer to the trunk */
async function earlyMedia() {
  const { alice, trunk } = peers;
  await alice.call(CALLER);
  const invite = await trunk.rings();
  check(offersReliable(invite) && invite.header('require') === undefined, `Supported: ${invite.header('supported')}, Require: ${invite.header('require')}`);
  trunk.learn(invite.body, { events: null });
  trunk.sip.reply(183, { headers: reliable(700), body: trunk.sdp({ codecs: ['PCMU'], events: null }) });
  await prackOf(trunk.sip, 700);
  trunk.rtp.sendTone({ hz: TRUNK_HZ });
  await alice.hears(TRUNK_HZ);
  trunk.sip.request = trunk.sip.invite;
  return trunk.offer;
}

/** Answer of the INVITE without a description: it was given before. */
async function answerAfterPrack() {
  const { alice, trunk } = peers;
  trunk.sip.reply(200, { request: trunk.sip.invite });
  await trunk.sip.expect('ACK');
  await alice.sees('confirmed');
}

async function hangUp() {
  const { alice, trunk } = peers;
  await trunk.sip.bye();
  await alice.ends();
}

/** The trunk calls alice and wants reliable ringing. @returns the 180 */
async function callIn(headers = NEEDS) {
  const { alice, trunk } = peers;
  trunk.call(ALICE.numbers[0], { codecs: ['PCMU'], headers });
  await alice.rings();
  return trunk.sip.expect(180);
}

function prack(sip, response, { rack = `${response.header('rseq')} ${response.cseq.number} INVITE`, ...more } = {}) {
  return sip.inDialog('PRACK', { headers: rack === null ? [] : [['RAck', rack]], ...more });
}

const finalOf = (sip, method) => sip.expect((m) => m.status >= 200 && m.cseq.method === method);

scenario('early media with the answer in a reliable 183: PRACK, heard; the 200 has no description; both hear', async () => {
  const { alice, trunk } = peers;
  await earlyMedia();
  await answerAfterPrack();
  await Promise.all([trunk.rtp.hears(ALICE_HZ), alice.hears(TRUNK_HZ)]);
  await hangUp();
}, ours);

scenario('UPDATE in early media moves it to another port, before and not only after the answer', async ({ defer }) => {
  const { alice, trunk } = peers;
  const moved = await rtpEndpoint();
  defer(() => moved.close());
  await earlyMedia();
  trunk.rtp.stop();
  trunk.sip.inDialog('UPDATE', { body: trunk.sdp({ codecs: ['PCMU'], events: null, host: moved.host, port: moved.port }) });
  const ok = await finalOf(trunk.sip, 'UPDATE');
  check(ok.status === 200 && parseSdp(ok.body).codecs[0] === 'PCMU', `answered ${ok.first}\n${ok.body}`);
  moved.sendTo(trunk.peer.host, trunk.peer.port);
  moved.sendTone({ hz: 1300 });
  await alice.hears(1300);
  trunk.sip.reply(200, { request: trunk.sip.invite, body: trunk.sdp({ codecs: ['PCMU'], events: null }) }); // the first answer once more: old
  await trunk.sip.expect('ACK');
  await Promise.all([moved.hears(ALICE_HZ), alice.hears(1300)]);
  await hangUp();
}, ours);

scenario('an early UPDATE that cannot be taken is 488, one before anything is agreed 491; the call goes on', async () => {
  const { alice, trunk } = peers;
  await alice.call(CALLER);
  const invite = await trunk.rings();
  trunk.learn(invite.body, { events: null });
  trunk.sip.reply(183, { body: trunk.sdp({ codecs: ['PCMU'], events: null }) });
  trunk.sip.inDialog('UPDATE', { body: trunk.sdp({ codecs: ['PCMU'], events: null }) });
  check((await finalOf(trunk.sip, 'UPDATE')).status === 491, 'our offer has no reliable answer yet');
  trunk.sip.reply(183, { request: invite, headers: reliable(3), body: trunk.sdp({ codecs: ['PCMU'], events: null }) });
  await prackOf(trunk.sip, 3);
  trunk.sip.inDialog('UPDATE', { body: trunk.sdp({ codecs: ['PCMU'], events: null }).replace('m=audio', 'm=image') });
  check((await finalOf(trunk.sip, 'UPDATE')).status === 488, 'an image alone cannot be taken');
  trunk.sip.inDialog('UPDATE', { body: 'hello', type: 'text/plain' });
  check((await finalOf(trunk.sip, 'UPDATE')).status === 415, 'a text is no description');
  trunk.sip.inDialog('UPDATE');
  check((await finalOf(trunk.sip, 'UPDATE')).status === 200, 'a refresh of the dialog');
  await answerAfterPrack();
  trunk.rtp.sendTone({ hz: TRUNK_HZ });
  await Promise.all([trunk.rtp.hears(ALICE_HZ), alice.hears(TRUNK_HZ)]);
  await hangUp();
}, ours);

scenario('a trunk that repeats everything: one PRACK for each response; a gap waits until it is filled', async () => {
  const { alice, trunk } = peers;
  await alice.call(CALLER);
  const invite = await trunk.rings();
  const ring = (rseq, status = 180) => trunk.sip.reply(status, { request: invite, headers: reliable(rseq) });
  for (let i = 0; i < 5; i++) ring(10);
  await prackOf(trunk.sip, 10);
  for (let i = 0; i < 5; i++) ring(10);
  ring(12, 183);
  await trunk.sip.expectNone('PRACK', 300);
  ring(11, 182);
  await prackOf(trunk.sip, 11);
  ring(12, 183);
  await prackOf(trunk.sip, 12, { status: 481 }); // and it denies knowing it
  trunk.sip.request = invite;
  await trunk.answer();
  await alice.sees('confirmed');
  await hangUp();
}, ours);

scenario('a caller that requires it calls a browser that has not got it: our 180 is repeated until the PRACK', async () => {
  const { alice, trunk } = peers;
  const ringing = await callIn();
  check(ringing.header('require') === '100rel' && Number(ringing.header('rseq')) > 0, `180 with RSeq ${ringing.header('rseq')}`);
  await trunk.sip.expect((m) => m.status === 180 && m.header('rseq') === ringing.header('rseq'));
  prack(trunk.sip, ringing);
  check((await finalOf(trunk.sip, 'PRACK')).status === 200, 'PRACK');
  await trunk.sip.expectNone(180, 1500);
  await alice.answer();
  await trunk.answered();
  trunk.rtp.sendTone({ hz: TRUNK_HZ });
  await Promise.all([trunk.rtp.hears(ALICE_HZ), alice.hears(TRUNK_HZ)]);
  await hangUp();
}, ours);

scenario('PRACKs that are wrong, missing their RAck or sent twice are 481, and the call is answered all the same', async () => {
  const { alice, trunk } = peers;
  const ringing = await callIn();
  const rseq = Number(ringing.header('rseq'));
  for (const rack of [`${rseq + 1} 1 INVITE`, `${rseq} 2 INVITE`, `${rseq} 1 UPDATE`, 'x', '', null]) {
    prack(trunk.sip, ringing, { rack });
    const { status } = await finalOf(trunk.sip, 'PRACK');
    check(status === 481, `RAck '${rack}' was answered ${status}`);
  }
  prack(trunk.sip, ringing);
  check((await finalOf(trunk.sip, 'PRACK')).status === 200, 'the right one');
  prack(trunk.sip, ringing);
  check((await finalOf(trunk.sip, 'PRACK')).status === 481, 'the right one for a second time');
  await alice.answer();
  await trunk.answered();
  await hangUp();
}, ours);

scenario('a caller that requires it and never sends PRACK: 504 after 64*T1, the browser stops ringing', async () => {
  const { alice, trunk } = peers;
  await callIn();
  const refusal = await trunk.sip.expect((m) => m.status >= 300, { within: 15000 });
  check(refusal.status === 504 && /PRACK/.test(refusal.header('warning') ?? ''), `${refusal.first}, Warning: ${refusal.header('warning')}`);
  await alice.sees('failed');
  const { admin } = peers.gateway;
  const newest = (await admin.json('/calls/recent')).reduce((found, call) => (call.began > found.began ? call : found));
  const call = await admin.json(`/calls/${newest.id}`);
  check(call.cause === 'no-prack' && /requires 100rel and never sent the PRACK/.test(call.explanation), `${call.cause}: ${call.explanation}`);
}, ours);

scenario('UPDATE in the call: a hold is passed to the browser, answered in the 200; two at once are 491 or 500', async () => {
  const { alice, trunk } = peers;
  trunk.call(ALICE.numbers[0], { codecs: ['PCMU'] });
  await alice.rings();
  await alice.answer();
  await trunk.answered();
  trunk.sip.inDialog('UPDATE', { body: trunk.sdp({ codecs: ['PCMU'], events: trunk.eventsPt, direction: 'sendonly' }) });
  trunk.sip.inDialog('UPDATE', { body: trunk.sdp({ codecs: ['PCMU'], events: trunk.eventsPt }) });
  const [first, second] = [await finalOf(trunk.sip, 'UPDATE'), await finalOf(trunk.sip, 'UPDATE')].sort((a, b) => a.status - b.status);
  check(first.status === 200 && parseSdp(first.body).direction === 'recvonly', `${first.first}\n${first.body}`);
  check(second.status === 500 && Number(second.header('retry-after')) <= 10, `${second.first}, Retry-After: ${second.header('retry-after')}`);
  await until('the trunk gets nothing', () => performance.now() - (trunk.rtp.packets.at(-1)?.at ?? 0) > 400);
  trunk.sip.inDialog('UPDATE', { body: trunk.sdp({ codecs: ['PCMU'], events: trunk.eventsPt }) });
  check((await finalOf(trunk.sip, 'UPDATE')).status === 200, 'resumed');
  trunk.rtp.sendTone({ hz: TRUNK_HZ });
  await Promise.all([trunk.rtp.hears(ALICE_HZ), alice.hears(TRUNK_HZ)]);
  await hangUp();
}, ours);

scenario('early media of one trunk for a caller of another that requires PRACK: reliable through, UPDATE passed, the 200 waits', async ({ defer }) => {
  const [near, far] = [await scriptedPhone({ name: 'near' }), await scriptedPhone({ name: 'far' })];
  const row = (phone) => ({ name: phone.sip.name, host: phone.sip.host, port: phone.sip.port, accept: [], uri: `sip:${phone.sip.address}` });
  const gateway = await startGateway({
    config: { sip: { t1: '200ms' } },
    trunks: [{ ...row(near), accept: ['127.0.0.1/32'] }, row(far)],
    routes: [{ from: 'trunk:near', trunks: ['far'] }],
  });
  for (const end of [near, far, gateway]) defer(() => (end.stop ?? end.close).call(end));
  near.sip.peer = far.sip.peer = gateway.sip;
  near.call(CALLER, { codecs: ['PCMU'], events: null, headers: NEEDS });
  const invite = await far.rings();
  far.learn(invite.body, { events: null });
  far.sip.reply(183, { headers: reliable(1), body: far.sdp({ codecs: ['PCMU'], events: null }) });
  await prackOf(far.sip, 1);
  const early = await near.sip.expect(183);
  near.learn(early.body, { events: null });
  far.sip.reply(200, { request: invite });
  await far.sip.expect('ACK');
  await near.sip.expectNone((m) => m.status === 200 && m.cseq.method === 'INVITE', 150);
  prack(near.sip, early);
  await finalOf(near.sip, 'PRACK');
  await near.answered();
  near.rtp.sendTone({ hz: 500 });
  far.rtp.sendTone({ hz: TRUNK_HZ });
  await Promise.all([near.rtp.hears(TRUNK_HZ), far.rtp.hears(500)]);
  await near.sip.bye();
  await far.hungUp();
}, ours);

scenario('hold by UPDATE before the answer is passed on by UPDATE to a caller that takes it', async ({ defer }) => {
  const [near, far] = [await scriptedPhone({ name: 'near' }), await scriptedPhone({ name: 'far' })];
  const row = (phone) => ({ name: phone.sip.name, host: phone.sip.host, port: phone.sip.port });
  const gateway = await startGateway({
    trunks: [row(near), { ...row(far), accept: [] }], routes: [{ from: 'trunk:near', trunks: ['far'] }],
  });
  for (const end of [near, far, gateway]) defer(() => (end.stop ?? end.close).call(end));
  near.sip.peer = far.sip.peer = gateway.sip;
  near.call(CALLER, { codecs: ['PCMU'], events: null, headers: NEEDS });
  const invite = await far.rings();
  far.learn(invite.body, { events: null });
  far.sip.reply(183, { headers: reliable(1), body: far.sdp({ codecs: ['PCMU'], events: null }) });
  await prackOf(far.sip, 1);
  const early = await near.sip.expect(183);
  near.learn(early.body, { events: null });
  prack(near.sip, early);
  await finalOf(near.sip, 'PRACK');
  far.sip.inDialog('UPDATE', { body: far.sdp({ codecs: ['PCMU'], events: null, direction: 'sendonly' }) });
  const ok = await finalOf(far.sip, 'UPDATE');
  check(ok.status === 200 && parseSdp(ok.body).direction === 'recvonly', `${ok.first}\n${ok.body}`);
  const update = await near.sip.expect('UPDATE');
  check(parseSdp(update.body).direction === 'sendonly', `the caller was told ${parseSdp(update.body).direction}`);
  near.sip.reply(200, { body: near.sdp({ codecs: ['PCMU'], events: null, direction: 'recvonly' }), headers: [['Contact', near.sip.contact]] });
  far.sip.reply(486, { request: invite });
  await near.sip.expect(486);
}, ours);

scenario('prack: off says nothing of it and refuses who requires it; require requires it, and is reliable where the caller can', async ({ defer }) => {
  const [off, must] = [await scriptedPhone({ name: 'off' }), await scriptedPhone({ name: 'must' })];
  const row = (phone, prack) => ({ name: phone.sip.name, host: phone.sip.host, port: phone.sip.port, prack, accept: [`${phone.sip.host}/32`] });
  for (const [phone, key] of [[off, 'off'], [must, 'require']]) {
    const gateway = await startGateway({ accounts: [ALICE], trunks: [row(phone, key)] });
    const alice = await wsPhone(gateway, ALICE);
    defer(async () => { phone.close(); alice.close(); await gateway.stop(); });
    phone.sip.peer = gateway.sip;
    await alice.call(CALLER, { body: browserSdp() });
    const invite = await phone.rings();
    check(offersReliable(invite) === (key !== 'off'), `${key}: Supported: ${invite.header('supported')}`);
    check((invite.header('require') === '100rel') === (key === 'require'), `${key}: Require: ${invite.header('require')}`);
    phone.sip.reply(486);
    await alice.sip.expect(486);
    phone.sip.reset();
    if (key === 'off') {
      phone.call(ALICE.numbers[0], { headers: NEEDS });
      const refusal = await phone.sip.expect((m) => m.status >= 300);
      check(refusal.status === 420 && refusal.header('unsupported') === '100rel', `${refusal.first}, Unsupported: ${refusal.header('unsupported')}`);
    } else {
      phone.call(ALICE.numbers[0], { headers: [['Supported', '100rel']] });
      await alice.rings();
      alice.sip.reply(180);
      const ringing = await phone.sip.expect(180);
      check(Number(ringing.header('rseq')) > 0, `180 without RSeq:\n${ringing.raw}`);
      phone.sip.cancel();
      await phone.sip.expect(487);
    }
  }
}, ours);
