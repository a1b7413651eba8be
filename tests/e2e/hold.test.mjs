// SPDX-License-Identifier: Apache-2.0
// Hold in every spelling, from either side, and what is heard meanwhile: silence, or a file (media.hold). RFC 3264 8.4.
import path from 'node:path';
import { world, scenario, check, ALICE, CALLER } from './lib/scenario.mjs';
import { parseSdp } from './lib/sdp.mjs';
import { sine, writeWav } from './lib/tone.mjs';
import { folder } from './lib/proc.mjs';
import { startGateway } from './lib/gateway.mjs';
import { scriptedPhone } from './lib/phone.mjs';
import { wsPhone, browserSdp } from './lib/ws-phone.mjs';
import { until } from './lib/wait.mjs';

const MUSIC_HZ = 1700;
const TRUNK_HZ = 1000;
const ALICE_HZ = 700;
const music = path.join(folder('music'), 'hold.wav');
writeWav(music, sine(MUSIC_HZ, { rate: 16000, seconds: 1 }), 16000);

const peers = world({ browsers: [ALICE], gateway: { config: { media: { hold: music } } } });
const ours = { needs: 'b2bua' };

async function talking(codec = 'PCMU') {
  const { alice, trunk } = peers;
  trunk.call(ALICE.numbers[0], { codecs: [codec] });
  await alice.rings();
  await alice.answer();
  await trunk.answered();
  trunk.rtp.sendTone({ codec, hz: TRUNK_HZ });
  await Promise.all([trunk.rtp.hears(ALICE_HZ), alice.hears(TRUNK_HZ)]);
}

async function hangUp() {
  const { alice, trunk } = peers;
  await trunk.sip.bye();
  await alice.ends();
}

/** The trunk's re-INVITE. @returns the answer's description */
async function change(trunk, fields = {}, edit = (sdp) => sdp) {
  trunk.sip.inDialog('INVITE', { body: edit(trunk.sdp({ codecs: ['PCMU'], events: trunk.eventsPt, ...fields })) });
  const ok = await trunk.sip.expect((m) => m.status >= 200 && m.cseq.method === 'INVITE');
  if (ok.status === 200) trunk.sip.ack();
  return ok;
}

const isQuiet = (rtp) => until('the trunk gets nothing', () => performance.now() - (rtp.packets.at(-1)?.at ?? 0) > 400);

scenario('the browser holds the trunk: it hears the file, in one line of numbers, and the browser again after it', async () => {
  const { alice, trunk } = peers;
  await talking();
  trunk.rtp.packets = [];
  await alice.hold();
  const invite = await trunk.sip.expect('INVITE');
  check(parseSdp(invite.body).direction === 'sendonly', `the trunk was asked for ${parseSdp(invite.body).direction}`);
  trunk.sip.reply(200, { body: trunk.sdp({ codecs: ['PCMU'], events: trunk.eventsPt, direction: 'recvonly' }) });
  await trunk.sip.expect('ACK');
  await trunk.rtp.hears(MUSIC_HZ);
  await alice.unhold();
  await trunk.sip.expect('INVITE');
  trunk.sip.reply(200, { body: trunk.sdp({ codecs: ['PCMU'], events: trunk.eventsPt }) });
  await trunk.sip.expect('ACK');
  await trunk.rtp.hears(ALICE_HZ);
  const wrong = trunk.rtp.faults().filter((text) => /ssrc|seq/.test(text));
  check(wrong.length === 0, `packets: ${wrong}`);
  const music_ = trunk.rtp.packets.filter((p) => p.marker);
  check(music_.length <= 3, `${music_.length} packets have the marker`);
  await hangUp();
}, ours);

scenario('inactive, and 0.0.0.0, of the trunk: the browser hears the file; sendonly: the trunk has music of its own', async () => {
  const { alice, trunk } = peers;
  await talking();
  const spellings = [
    ['inactive', { direction: 'inactive' }, (sdp) => sdp],
    ['0.0.0.0', {}, (sdp) => sdp.replace(/c=IN IP4 \S+/, 'c=IN IP4 0.0.0.0').replace('a=sendrecv', 'a=inactive')],
  ];
  for (const [name, fields, edit] of spellings) {
    trunk.rtp.stop();
    const ok = await change(trunk, fields, edit);
    check(ok.status === 200 && parseSdp(ok.body).direction === 'inactive', `${name} was answered ${ok.first} ${parseSdp(ok.body).direction}`);
    await alice.hears(MUSIC_HZ);
    await isQuiet(trunk.rtp);
    await change(trunk);
    trunk.rtp.sendTone({ hz: TRUNK_HZ });
    await Promise.all([trunk.rtp.hears(ALICE_HZ), alice.hears(TRUNK_HZ)]);
  }
  await change(trunk, { direction: 'sendonly' });
  trunk.rtp.stop();
  trunk.rtp.sendTone({ hz: 1250 });
  await alice.hears(1250);
  await hangUp();
}, ours);

scenario('both hold, and one after the other resumes: nobody who holds hears anything', async () => {
  const { alice, trunk } = peers;
  await talking();
  trunk.rtp.stop();
  await change(trunk, { direction: 'inactive' });
  await alice.hears(MUSIC_HZ);
  await alice.hold();
  const invite = await trunk.sip.expect('INVITE');
  trunk.sip.reply(200, { request: invite, body: trunk.sdp({ codecs: ['PCMU'], events: trunk.eventsPt, direction: 'inactive' }) });
  await trunk.sip.expect('ACK');
  await Promise.all([alice.hearsNothing(), isQuiet(trunk.rtp)]);
  await alice.unhold();
  await trunk.sip.expect('INVITE');
  trunk.sip.reply(200, { body: trunk.sdp({ codecs: ['PCMU'], events: trunk.eventsPt, direction: 'inactive' }) });
  await trunk.sip.expect('ACK');
  await alice.hears(MUSIC_HZ);
  await change(trunk);
  trunk.rtp.sendTone({ hz: TRUNK_HZ });
  await Promise.all([trunk.rtp.hears(ALICE_HZ), alice.hears(TRUNK_HZ)]);
  await hangUp();
}, ours);

scenario('a call that ends on hold leaves nothing that plays', async () => {
  const { alice, trunk } = peers;
  await talking();
  trunk.rtp.stop();
  await change(trunk, { direction: 'inactive' });
  await alice.hears(MUSIC_HZ);
  await alice.hangUp();
  await trunk.hungUp();
  const before = await peers.gateway.admin.metric('sipway_rtp_sent_total');
  await alice.hearsNothing();
  check(await peers.gateway.admin.metric('sipway_rtp_sent_total') === before, 'packets went out after the end');
}, ours);

// what is asked of the held side, and answered to the holder; default: silence
const TABLE = [
  { spelling: 'sendonly', asked: 'sendonly', held: 'recvonly', answered: 'recvonly' },
  { spelling: 'inactive', asked: 'inactive', held: 'inactive', answered: 'inactive' },
  { spelling: 'sendonly, answered inactive', direction: 'sendonly', asked: 'sendonly', held: 'inactive', answered: 'inactive' },
  { spelling: 'recvonly', asked: 'recvonly', held: 'sendonly', answered: 'sendonly' },
  { spelling: '0.0.0.0', direction: 'sendrecv', asked: 'sendonly', held: 'recvonly', answered: 'recvonly', edit: (sdp) => sdp.replace(/c=IN IP4 \S+/, 'c=IN IP4 0.0.0.0') },
  { spelling: '0.0.0.0 and sendonly', direction: 'sendonly', asked: 'sendonly', held: 'recvonly', answered: 'recvonly', edit: (sdp) => sdp.replace(/c=IN IP4 \S+/, 'c=IN IP4 0.0.0.0') },
  { spelling: '0.0.0.0 and inactive', direction: 'inactive', asked: 'inactive', held: 'inactive', answered: 'inactive', edit: (sdp) => sdp.replace(/c=IN IP4 \S+/, 'c=IN IP4 0.0.0.0') },
  { spelling: 'direction of the session', direction: 'sendrecv', asked: 'sendonly', held: 'recvonly', answered: 'recvonly', edit: (sdp) => sdp.replace('a=sendrecv\r\n', '').replace('t=0 0\r\n', 't=0 0\r\na=sendonly\r\n') },
];

async function silentWorld(defer) {
  const trunk = await scriptedPhone({ name: 'trunk' });
  const gateway = await startGateway({ accounts: [ALICE], trunks: [{ name: 'carrier', host: trunk.sip.host, port: trunk.sip.port }] });
  const alice = await wsPhone(gateway, ALICE);
  defer(async () => { trunk.close(); alice.close(); await gateway.stop(); });
  trunk.sip.peer = gateway.sip;
  await alice.call(CALLER);
  await trunk.rings();
  await trunk.answer();
  const ok = await alice.sip.expect(200);
  alice.sip.ack();
  await until('the ACK at the gateway', async () => { // a change before it would be refused with 491
    const [call] = await gateway.admin.json('/calls');
    return JSON.stringify((await gateway.admin.json(`/calls/${call.id}`)).timeline).includes('ACK received');
  });
  const formats = ok.body.match(/^m=audio \d+ \S+ ([^\r\n]+)/m)[1].split(' ').map(Number);
  return { trunk, gateway, alice, formats };
}

scenario('hold of the trunk in every spelling: what the browser is asked, what the trunk is answered', async ({ defer }) => {
  const { trunk, alice, formats } = await silentWorld(defer);
  for (const { spelling, direction = spelling, asked, held, answered, edit = (sdp) => sdp } of TABLE) {
    const changed = change(trunk, { direction }, edit);
    const invite = await alice.sip.expect('INVITE');
    check(parseSdp(invite.body).direction === asked, `${spelling}: the browser was asked for ${parseSdp(invite.body).direction}, not ${asked}`);
    alice.sip.reply(200, { body: browserSdp({ formats, direction: held, setup: 'active', version: ++alice.version }) });
    await alice.sip.expect('ACK');
    const ok = await changed;
    check(ok.status === 200 && parseSdp(ok.body).direction === answered, `${spelling}: answered ${ok.first} ${parseSdp(ok.body).direction}, not ${answered}`);
    const resumed = change(trunk);
    await alice.sip.expect('INVITE');
    alice.sip.reply(200, { body: browserSdp({ formats, setup: 'active', version: ++alice.version }) });
    await alice.sip.expect('ACK');
    check(parseSdp((await resumed).body).direction === 'sendrecv', `${spelling}: not resumed`);
  }
  const refused = await change(trunk, {}, (sdp) => sdp.replace(/m=audio \d+/, 'm=audio 0'));
  check(refused.status === 488, `no line at all: ${refused.first}`);
  await trunk.sip.bye();
  await alice.sip.expect('BYE');
  alice.sip.reply(200);
}, ours);

scenario('hold of the browser in every spelling: what the trunk is asked, what the browser is answered', async ({ defer }) => {
  const { trunk, alice, formats } = await silentWorld(defer);
  const spoken = TABLE.filter(({ edit }) => !edit); // browsers write 0.0.0.0 and port 9 all the time
  for (const { spelling, direction = spelling, asked, held, answered } of spoken) {
    alice.sip.inDialog('INVITE', { body: browserSdp({ formats, direction, version: ++alice.version }) });
    const invite = await trunk.sip.expect('INVITE');
    check(parseSdp(invite.body).direction === asked, `${spelling}: the trunk was asked for ${parseSdp(invite.body).direction}, not ${asked}`);
    trunk.sip.reply(200, { body: trunk.sdp({ codecs: ['PCMU'], direction: held }) });
    await trunk.sip.expect('ACK');
    const ok = await alice.sip.expect((m) => m.status >= 200 && m.cseq.method === 'INVITE');
    check(ok.status === 200 && parseSdp(ok.body).direction === answered, `${spelling}: answered ${ok.first} ${parseSdp(ok.body).direction}, not ${answered}`);
    alice.sip.ack();
  }
  alice.sip.inDialog('INVITE', { body: browserSdp({ formats, version: ++alice.version }) });
  await trunk.sip.expect('INVITE');
  trunk.sip.reply(200, { body: trunk.sdp({ codecs: ['PCMU'] }).replace(/m=audio \d+/, 'm=audio 0') }); // it refuses the line
  await trunk.sip.expect('ACK');
  const refused = await alice.sip.expect((m) => m.status >= 200 && m.cseq.method === 'INVITE');
  check(refused.status === 488, `a resume that the trunk answers with port 0: ${refused.first}`);
  await trunk.sip.bye();
  await alice.sip.expect('BYE');
  alice.sip.reply(200);
}, ours);
