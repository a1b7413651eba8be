// SPDX-License-Identifier: Apache-2.0
// Phones that come and go: a binding whose way is gone is not rung, a device that comes back by another way is rung there alone, and its
// calls go on there; keep-alives in both directions. RFC 3261 10.3, RFC 5626, RFC 7118. (Behind a real NAT: phones-nat.test.mjs.)
import { world, scenario, check, BOB } from './lib/scenario.mjs';
import { sipAgent } from './lib/sip-agent.mjs';
import { wsPhone } from './lib/ws-phone.mjs';
import { writeSdp } from './lib/sdp.mjs';
import { pause, until } from './lib/wait.mjs';

const FLOW_S = 2;
const peers = world({ accounts: [BOB], gateway: { config: { sip: { flow_timer: `${FLOW_S}s`, drain: '3s' } } } });
const HOST = '127.0.0.2'; // not the trunk's address
const ours = { needs: 'stream-trunk' };
const INSTANCE = ';+sip.instance="<urn:uuid:00000000-0000-1000-8000-000A95A0E128>"';
const OUTBOUND = [['Supported', 'outbound']];

async function udp(defer, options = {}) {
  const one = await sipAgent({ name: 'udp phone', user: 'bob', peer: peers.gateway.sip, domain: peers.gateway.domain, host: HOST, ...options });
  defer(() => one.close());
  return one;
}

async function tcp(defer, options = {}) {
  const one = await sipAgent({ name: 'tcp phone', transport: 'tcp', user: 'bob', peer: peers.gateway.sip, domain: peers.gateway.domain, localAddress: HOST, ...options });
  defer(() => one.close());
  return one;
}

async function register(one, options = {}) {
  const answer = await one.register({ username: BOB.name, password: BOB.password, ...options });
  check(answer.status === 200, `${one.name} did not register: ${answer.first}`);
  return answer;
}

const everythingOff = (one) => register(one, { contact: '*', expires: 0 });
const privateContact = (more = '') => `<sip:bob@10.1.2.3:5060>${more}`;

/** The trunk calls; who is rung answers; both are in the call then. */
async function callTo(one) {
  peers.trunk.call(BOB.numbers[0]);
  await one.expect('INVITE');
  one.reply(200, { body: writeSdp({ host: '127.0.0.1', port: 40000, codecs: ['PCMU'] }) });
  await one.expect('ACK');
  await peers.trunk.answered();
}

async function trunkHangsUp(one) {
  const ended = peers.trunk.sip.bye();
  await one.expect('BYE');
  one.reply(200);
  await ended;
}

/** Nobody is registered: the trunk is told at once. */
async function notReached() {
  peers.trunk.call(BOB.numbers[0]);
  const refusal = await peers.trunk.sip.expect((m) => m.status >= 300 && m.cseq.method === 'INVITE');
  check(refusal.status === 480, `the trunk was told ${refusal.first}`);
}

for (const [what, contacts] of [
  ['another port, the same instance', (one) => `<sip:bob@10.1.2.3:${one.port}>${INSTANCE}`],
  ['another port, the same private Contact', () => privateContact()],
]) {
  scenario(`a phone that restarts is rung where it is now: ${what}`, async ({ defer }) => {
    const [before, now] = [await udp(defer, { name: 'before' }), await udp(defer, { name: 'now' })];
    await register(before, { contact: contacts(before) });
    const answer = await register(now, { contact: contacts(now) });
    check(answer.all('contact').length === 1, `registered: ${answer.all('contact')}`);
    await callTo(now);
    await trunkHangsUp(now);
    check(!before.received.some((m) => m.method), 'where it was before was rung, too');
    await everythingOff(now);
  }, ours);
}

scenario('two phones with the same private Contact behind two NATs are both rung', async ({ defer }) => {
  const [left, right] = [await udp(defer, { name: 'left' }), await udp(defer, { name: 'right' })];
  await register(left, { contact: privateContact(INSTANCE) });
  await register(right, { contact: privateContact(INSTANCE.replace('E128', 'E129')) });
  peers.trunk.call(BOB.numbers[0]);
  await Promise.all([left.expect('INVITE'), right.expect('INVITE')]);
  left.reply(486);
  right.reply(486);
  await peers.trunk.sip.expect((m) => m.status >= 300 && m.cseq.method === 'INVITE');
  await everythingOff(left);
}, ours);

scenario('the NAT gives a UDP phone another port in a call: after it has registered, the BYE of the other side reaches it, and its own is taken', async ({ defer }) => {
  for (const whoEnds of ['trunk', 'phone']) {
    const [before, now] = [await udp(defer, { name: 'before' }), await udp(defer, { name: 'now' })];
    await register(before, { contact: privateContact() });
    await callTo(before);
    await register(now, { contact: privateContact() });
    if (whoEnds === 'trunk') {
      await trunkHangsUp(now);
    } else {
      now.dialog = before.dialog;
      const ended = now.bye();
      await peers.trunk.hungUp();
      check((await ended).status === 200, 'its BYE was refused');
    }
    await everythingOff(now);
  }
}, ours);

scenario('a browser comes back by another WebSocket while the old one is still open: its call goes on there, and it alone is rung', async ({ defer }) => {
  const contact = `<sip:x1@df7jal23ls0d.invalid;transport=ws>;reg-id=1${INSTANCE}`;
  const [before, now] = await Promise.all(['before', 'now'].map((name) => wsPhone(peers.gateway, BOB, { register: false, name })));
  defer(() => [before, now].forEach((one) => one.close()));
  await before.register({ contact });
  peers.trunk.call(BOB.numbers[0]);
  await before.rings();
  await before.answer();
  await peers.trunk.answered();
  await now.register({ contact });
  const ended = peers.trunk.sip.bye();
  await now.hungUp();
  await ended;
  peers.trunk.call(BOB.numbers[0]);
  await now.rings();
  now.sip.reply(486);
  await peers.trunk.sip.expect((m) => m.status >= 300 && m.cseq.method === 'INVITE');
  check(before.sip.received.filter((m) => m.method === 'INVITE').length === 1, 'the old connection was rung, too');
}, ours);

scenario('a phone whose connection has closed is not rung', async ({ defer }) => {
  const one = await tcp(defer);
  await register(one);
  await callTo(one);
  await trunkHangsUp(one);
  one.transport.socket.end();
  await until('end of the binding', async () => (await peers.gateway.admin.metric('sipway_bindings')) === 0);
  await notReached();
}, ours);

scenario('RFC 5626: a phone is told how often to ping; as long as it does its connection stays, and when it stops it is closed and not rung', async ({ defer }) => {
  const one = await tcp(defer);
  let pongs = 0;
  one.transport.socket.on('data', (data) => { pongs += data.toString() === '\r\n'; });
  const answer = await register(one, { contact: `${one.contact};reg-id=1${INSTANCE}`, headers: OUTBOUND });
  check(answer.header('flow-timer') === String(FLOW_S), `Flow-Timer: ${answer.header('flow-timer')}`);
  check(/outbound/.test(answer.header('require') ?? ''), 'no Require: outbound');
  for (let i = 1; i <= 3; i++) {
    await pause(900 * FLOW_S); // as often as it was told
    one.sendRaw('\r\n\r\n');
    await until(`pong ${i}`, () => pongs === i);
  }
  check(!one.isClosed, 'closed although it pinged');
  await callTo(one);
  await trunkHangsUp(one);
  await until('close of the silent connection', () => one.isClosed, { within: FLOW_S * 1500 + 2000 });
  await notReached();
}, ours);

scenario('a phone that only ever sends single CRLFs keeps its connection', async ({ defer }) => {
  const one = await tcp(defer);
  await register(one);
  one.sendRaw('\r\n');
  await pause(11000); // longer than a message may take to get whole
  check(!one.isClosed, 'closed');
  await callTo(one);
  await trunkHangsUp(one);
  await everythingOff(one);
}, ours);

scenario('STUN on the SIP port: answered to a phone that is registered, with its address as seen; not to a stranger', async ({ defer }) => {
  const [one, stranger] = [await udp(defer), await udp(defer, { name: 'stranger' })];
  const heard = new Map([[one, []], [stranger, []]]);
  await register(one);
  for (const [agent, list] of heard) agent.onMessage = (text) => list.push(text);
  const request = Buffer.from('000100002112a442000102030405060708090a0b', 'hex');
  stranger.sendRaw(request);
  one.sendRaw(request);
  await until('the answer', () => heard.get(one).length === 1);
  check(heard.get(one)[0].startsWith('\x01\x01'), `answered ${JSON.stringify(heard.get(one)[0])}`);
  check(heard.get(stranger).length === 0, 'the stranger was answered');
}, ours);
