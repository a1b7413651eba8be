// SPDX-License-Identifier: Apache-2.0
// Calls that the trunk forks: several early dialogs, several early media, one winner (RFC 3261 12.1.2, 13.2.2.4), and trunks
// that answer twice.
import { world, scenario, check, ALICE, CALLER } from './lib/scenario.mjs';
import { rtpEndpoint } from './lib/rtp.mjs';
import { until } from './lib/wait.mjs';

const peers = world({ browsers: [ALICE] });
const ours = { needs: 'b2bua' };
const ALICE_HZ = 700;
const reliable = (rseq) => [['Require', '100rel'], ['RSeq', rseq]];

/** Alice calls; branches of the trunk, each with its own tag and ear. @returns the branches {hz, progress(), answer(), hears()...} */
async function forked(defer, hzs = [1000, 1400]) {
  const { alice, trunk } = peers;
  await alice.call(CALLER);
  const invite = await trunk.rings();
  const peer = trunk.learn(invite.body, { events: null });
  return Promise.all(hzs.map(async (hz, i) => {
    const tag = `branch${i}`;
    const rtp = await rtpEndpoint();
    defer(() => rtp.close());
    rtp.sendTo(peer.host, peer.port);
    const sdp = (codec) => trunk.sdp({ host: rtp.host, port: rtp.port, codecs: [codec], events: null });
    const reply = (status, { codec = 'PCMU', described = true, ...more } = {}) =>
      trunk.sip.reply(status, { request: invite, tag, body: described ? sdp(codec) : '', ...more });
    return {
      hz, tag, rtp, reply,
      /** requests within this branch's dialog from now on */
      enter() {
        trunk.sip.dialog.local = `${invite.header('to')};tag=${tag}`;
      },
      ring: (options) => {
        reply(183, options);
        rtp.sendTone({ codec: options?.codec ?? 'PCMU', hz });
      },
      isAcked: () => trunk.sip.expect((m) => m.method === 'ACK' && m.toTag === tag),
    };
  }));
}

async function hangUp(winner) {
  const { alice, trunk } = peers;
  winner.enter();
  await trunk.sip.bye();
  await alice.ends();
}

scenario('early media of the first is heard until another branch has some; the one that answers wins', async ({ defer }) => {
  const { alice } = peers;
  const [first, second] = await forked(defer);
  first.ring();
  await alice.hears(first.hz);
  second.ring();
  first.rtp.stop();
  await alice.hears(second.hz);
  first.reply(180, { described: false });
  await alice.hears(second.hz);
  first.reply(200);
  await first.isAcked();
  second.rtp.stop();
  first.rtp.sendTone({ hz: first.hz });
  await alice.sees('confirmed');
  await Promise.all([first.rtp.hears(ALICE_HZ), alice.hears(first.hz)]);
  await hangUp(first);
}, ours);

scenario('the winner gave its answer reliably before another branch was heard: its 200 needs none', async ({ defer }) => {
  const { alice, trunk } = peers;
  const [first, second] = await forked(defer);
  first.ring({ headers: reliable(7) });
  const prack = await trunk.sip.expect('PRACK');
  trunk.sip.reply(200);
  check(prack.toTag === first.tag, `PRACK for ${prack.toTag}`);
  second.ring({ headers: reliable(90) });
  const other = await trunk.sip.expect('PRACK');
  trunk.sip.reply(200);
  check(other.toTag === second.tag && other.header('rack').startsWith('90 '), `PRACK for ${other.toTag}: ${other.header('rack')}`);
  first.rtp.stop();
  await alice.hears(second.hz);
  second.rtp.stop();
  first.rtp.sendTone({ hz: first.hz });
  first.reply(200, { described: false });
  await first.isAcked();
  await alice.sees('confirmed');
  await Promise.all([first.rtp.hears(ALICE_HZ), alice.hears(first.hz)]);
  await hangUp(first);
}, ours);

scenario('an UPDATE of one branch is heard at once; the other one answers and wins all the same', async ({ defer }) => {
  const { alice, trunk } = peers;
  const [first, second] = await forked(defer);
  for (const branch of [first, second]) {
    branch.ring({ headers: [...reliable(7), ['Allow', 'INVITE, UPDATE']] });
    await trunk.sip.expect('PRACK');
    trunk.sip.reply(200);
  }
  first.rtp.stop();
  await alice.hears(second.hz);
  second.rtp.stop();
  first.enter();
  trunk.sip.inDialog('UPDATE', { body: trunk.sdp({ host: first.rtp.host, port: first.rtp.port, codecs: ['PCMU'], events: null }) });
  check((await trunk.sip.expect((m) => m.status >= 200 && m.cseq.method === 'UPDATE')).status === 200, 'UPDATE');
  first.rtp.sendTone({ hz: first.hz });
  await alice.hears(first.hz);
  first.rtp.stop();
  second.rtp.sendTone({ hz: second.hz });
  second.reply(200);
  await second.isAcked();
  await alice.sees('confirmed');
  await Promise.all([second.rtp.hears(ALICE_HZ), alice.hears(second.hz)]);
  await hangUp(second);
}, ours);

scenario('a second answer gets ACK each time and one BYE; the call goes on', async ({ defer }) => {
  const { alice, trunk } = peers;
  const [first, second] = await forked(defer);
  first.reply(180, { described: false });
  second.reply(180, { described: false });
  second.reply(200);
  await second.isAcked();
  second.rtp.sendTone({ hz: second.hz });
  for (let i = 0; i < 3; i++) {
    first.reply(200);
    await first.isAcked();
  }
  const bye = await trunk.sip.expect('BYE');
  check(bye.toTag === first.tag, `BYE for ${bye.toTag}`);
  trunk.sip.reply(200);
  await trunk.sip.expectNone('BYE', 300);
  await alice.sees('confirmed');
  await Promise.all([second.rtp.hears(ALICE_HZ), alice.hears(second.hz)]);
  await hangUp(second);
}, ours);

scenario('the winner speaks another codec than the branch that was heard: the browser is moved to it after the answer', async ({ defer }) => {
  const { alice } = peers;
  const [first, second] = await forked(defer);
  first.ring({ codec: 'PCMU' });
  await alice.hears(first.hz);
  second.reply(200, { codec: 'PCMA' });
  await second.isAcked();
  first.rtp.stop();
  second.rtp.sendTone({ codec: 'PCMA', hz: second.hz });
  await alice.sees('confirmed');
  await alice.sees('reinvite');
  await Promise.all([alice.hears(second.hz), until('PCMA at the trunk', () => second.rtp.packets.at(-1)?.pt === 8)]);
  await hangUp(second);
}, ours);

scenario('a trunk that forks without end, and answers from a branch that nobody heard of', async ({ defer }) => {
  const { alice, trunk } = peers;
  const [winner] = await forked(defer, [1000]);
  const invite = trunk.sip.invite;
  for (let i = 0; i < 60; i++) trunk.sip.reply(183, { request: invite, tag: `more${i}`, body: trunk.sdp({ codecs: ['PCMU'], events: null }) });
  winner.reply(200);
  await winner.isAcked();
  winner.rtp.sendTone({ hz: winner.hz });
  await alice.sees('confirmed');
  await Promise.all([winner.rtp.hears(ALICE_HZ), alice.hears(winner.hz)]);
  await hangUp(winner);
}, ours);

scenario('all branches refuse, one of them by BYE: the caller hears of the refusal', async ({ defer }) => {
  const { alice, trunk } = peers;
  const [first, second] = await forked(defer);
  first.ring();
  second.ring();
  await alice.hears(second.hz);
  first.enter();
  trunk.sip.inDialog('BYE');
  check((await trunk.sip.expect((m) => m.cseq.method === 'BYE')).status === 200, 'BYE of a branch');
  second.reply(486, { described: false });
  check((await alice.sees('failed')).status === 486, 'the refusal');
}, ours);
