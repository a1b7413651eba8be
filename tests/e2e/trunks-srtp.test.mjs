// SPDX-License-Identifier: Apache-2.0
// A trunk with `srtp: offer`: SRTP with keys in SDP where the other side has it, plain RTP where it has not.
import { world, scenario, check, ALICE, CALLER } from './lib/scenario.mjs';
import { newKey, cryptoLine, cryptoLines, SUITE } from './lib/srtp.mjs';

const peers = world({ browsers: [ALICE], trunk: { srtp: 'offer' } });
const ours = { needs: 'b2bua' };

async function bothHear() {
  peers.trunk.rtp.sendTone({ hz: 1000 });
  await Promise.all([peers.trunk.rtp.hears(700), peers.alice.hears(1000)]);
  check(peers.trunk.rtp.forged === 0, `${peers.trunk.rtp.forged} packets with a wrong tag`);
}

async function hangUp() {
  await peers.alice.hangUp();
  await peers.trunk.hungUp();
}

scenario('an offer with a secure and a plain line: the secure one is taken, with its tag and a key of our own', async () => {
  const { alice, trunk } = peers;
  const key = newKey();
  const body = `${trunk.sdp({ profile: 'RTP/SAVP', lines: [cryptoLine(key, { tag: 8 })] })}m=audio ${trunk.rtp.port} RTP/AVP 0\r\nm=application 0 UDP/BFCP *\r\n`;
  trunk.eventsPt = 101;
  trunk.sip.newRequest('INVITE', `sip:${ALICE.numbers[0]}@${trunk.sip.peer.host}:${trunk.sip.peer.port}`, { from: `<sip:${CALLER}@127.0.0.1>`, body });
  await alice.rings();
  await alice.answer();
  const ok = await trunk.answered();
  const lines = [...ok.body.matchAll(/^m=(\S+) (\d+) (\S+)/gm)].map(([, kind, port, profile]) => `${kind} ${Number(port) > 0} ${profile}`);
  check(lines.join(', ') === 'audio true RTP/SAVP, audio false RTP/AVP, application false UDP/BFCP', `answer: ${lines.join(', ')}`);
  const [one, ...others] = cryptoLines(ok.body);
  check(one?.tag === 8 && one.suite === SUITE && others.length === 0, `crypto of the answer:\n${ok.body}`);
  check(!one.key.equals(key) && one.key.length === 30, 'the key of the answer');
  trunk.rtp.secure({ out: key, in: one.key });
  await bothHear();
  await hangUp();
}, ours);

const mLines = (body) => [...body.matchAll(/^m=(\S+) (\d+) (\S+)/gm)].map(([, kind, port, profile]) => `${kind} ${Number(port) > 0} ${profile}`).join(', ');

scenario('the secure line is taken as the second one, too; when it goes the media moves to the plain one', async () => {
  const { alice, trunk } = peers;
  const key = newKey();
  const secure = (port) => `m=audio ${port} RTP/SAVP 0\r\n${cryptoLine(key, { tag: 3 })}\r\n`;
  trunk.eventsPt = null;
  trunk.sip.newRequest('INVITE', `sip:${ALICE.numbers[0]}@${trunk.sip.peer.host}:${trunk.sip.peer.port}`, {
    from: `<sip:${CALLER}@127.0.0.1>`, body: trunk.sdp({ events: null }) + secure(trunk.rtp.port) });
  await alice.rings();
  await alice.answer();
  const ok = await trunk.sip.expect(200);
  trunk.sip.ack();
  check(mLines(ok.body) === 'audio false RTP/AVP, audio true RTP/SAVP', `answer: ${mLines(ok.body)}`);
  const port = Number(ok.body.match(/^m=audio (\d+) RTP\/SAVP/m)[1]);
  trunk.rtp.sendTo('127.0.0.1', port);
  trunk.rtp.secure({ out: key, in: cryptoLines(ok.body)[0].key });
  await bothHear();
  trunk.sip.inDialog('INVITE', { body: trunk.sdp({ events: null }) + secure(0) });
  const again = await trunk.answered();
  check(mLines(again.body) === 'audio true RTP/AVP, audio false RTP/SAVP', `second answer: ${mLines(again.body)}`);
  check(cryptoLines(again.body).length === 0, `second answer:\n${again.body}`);
  trunk.rtp.secure();
  trunk.rtp.forged = 0; // plain ones that came before we looked at the answer
  await trunk.rtp.receives(25);
  await bothHear();
  await hangUp();
}, ours);

scenario('a plain offer is answered plain', async () => {
  const { alice, trunk } = peers;
  trunk.call(ALICE.numbers[0], { from: `<sip:${CALLER}@127.0.0.1>`, codecs: ['PCMU'] });
  await alice.rings();
  await alice.answer();
  const ok = await trunk.answered();
  check(/^m=audio \d+ RTP\/AVP/m.test(ok.body) && cryptoLines(ok.body).length === 0, `answer:\n${ok.body}`);
  await bothHear();
  await hangUp();
}, ours);

scenario('our offer carries a key on an RTP/AVP line; a trunk that answers with one is spoken to by SRTP', async () => {
  const { alice, trunk } = peers;
  await alice.call(`sip:${CALLER}@example.com`);
  const invite = await trunk.rings();
  const [offered] = cryptoLines(invite.body);
  check(/^m=audio \d+ RTP\/AVP /m.test(invite.body) && offered?.suite === SUITE, `offer:\n${invite.body}`);
  const key = newKey();
  trunk.rtp.secure({ out: key, in: offered.key });
  await trunk.answer({ lines: [cryptoLine(key, { tag: offered.tag })] });
  await alice.sees('confirmed');
  await bothHear();
  await hangUp();
}, ours);

scenario('a trunk that passes our key over gets plain RTP', async () => {
  const { alice, trunk } = peers;
  await alice.call(`sip:${CALLER}@example.com`);
  await trunk.rings();
  await trunk.answer();
  await alice.sees('confirmed');
  await bothHear();
  await hangUp();
}, ours);
