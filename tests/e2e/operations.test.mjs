// SPDX-License-Identifier: Apache-2.0
// What the operator sees and does: health, metrics, calls with their timeline, reload, drain; and calls that end by a timer.
import { world, scenario, check, ALICE, BOB, CALLER } from './lib/scenario.mjs';
import { startGateway } from './lib/gateway.mjs';
import { scriptedPhone } from './lib/phone.mjs';
import { wsPhone } from './lib/ws-phone.mjs';
import { until } from './lib/wait.mjs';

const peers = world({ browsers: [ALICE] });
const ours = { needs: 'admin' };

async function talking() {
  const { alice, trunk } = peers;
  await alice.call(`sip:${CALLER}@example.com`);
  await trunk.rings();
  await trunk.answer();
  await alice.sees('confirmed');
  trunk.rtp.sendTone({ hz: 1000 });
  await Promise.all([trunk.rtp.hears(700), alice.hears(1000)]);
}

scenario('health, readiness and metrics answer', async () => {
  const { admin } = peers.gateway;
  for (const path of ['/health', '/ready']) check((await admin.text(path)).status === 200, path);
  const { status, body } = await admin.text('/metrics');
  check(status === 200 && /^# TYPE \S+ (counter|gauge|histogram)$/m.test(body), `metrics:\n${body.slice(0, 400)}`);
}, ours);

scenario('a running call is listed with its timeline, and is gone afterwards', async () => {
  const { alice, trunk, gateway } = peers;
  await talking();
  const listed = await gateway.admin.text('/calls');
  const [call] = JSON.parse(listed.body).calls ?? JSON.parse(listed.body);
  check(call?.id !== undefined, `/calls: ${listed.body}`);
  const one = await gateway.admin.text(`/calls/${call.id}`);
  check(one.status === 200 && /timeline/.test(one.body) && /ice|dtls/i.test(one.body), `/calls/${call.id}: ${one.body.slice(0, 600)}`);
  await alice.hangUp();
  await trunk.hungUp();
  await until('empty /calls', async () => {
    const { body } = await gateway.admin.text('/calls');
    const list = JSON.parse(body).calls ?? JSON.parse(body);
    return list.length === 0;
  });
}, ours);

scenario('a reload with an error changes nothing; the running call goes on through a good one', async () => {
  const { alice, trunk, gateway } = peers;
  await talking();
  const before = gateway.program.output.length;
  gateway.reload((text) => text.replace('accounts:', 'acounts:'));
  await gateway.program.waitOutput(/acounts/, { from: before });
  gateway.reload((text) => text.replace('acounts:', 'accounts:'));
  await Promise.all([trunk.rtp.hears(700), alice.hears(1000)]);
  await alice.hangUp();
  await trunk.hungUp();
}, ours);

scenario('a browser that loses its socket in a call keeps the call, and ends it over a new socket', async () => {
  const { alice, trunk } = peers;
  await talking();
  await alice.ask('phone.ua.transport.socket._ws.close()');
  await alice.sees('connected');
  await Promise.all([trunk.rtp.hears(700), alice.hears(1000)]);
  await alice.sees('registered');
  await alice.hangUp();
  await trunk.hungUp();
}, ours);

scenario('no RTP from the trunk for the configured time ends the call on both sides', async ({ defer }) => {
  const trunk = await scriptedPhone({ name: 'silent trunk' });
  const gateway = await startGateway({ accounts: [ALICE], trunks: [{ name: 'carrier', host: '127.0.0.1', port: trunk.sip.port }], config: { media: { timeout: '2s' } } });
  trunk.sip.peer = gateway.sip;
  const alice = await peers.chromium.phone(gateway, ALICE);
  defer(async () => {
    await alice.close();
    trunk.close();
    await gateway.stop();
  });
  await alice.call(`sip:${CALLER}@example.com`);
  await trunk.rings();
  await trunk.answer();
  await alice.sees('confirmed');
  const bye = await trunk.hungUp({ within: 10000 });
  check(bye.header('reason'), 'BYE without Reason');
  await alice.ends();
}, ours);

scenario('SIGTERM: no new calls, the running one goes on, then the process ends', async ({ defer }) => {
  const trunk = await scriptedPhone({ name: 'drained trunk' });
  const gateway = await startGateway({ accounts: [ALICE], trunks: [{ name: 'carrier', host: '127.0.0.1', port: trunk.sip.port }] });
  trunk.sip.peer = gateway.sip;
  defer(() => trunk.close());
  const alice = await wsPhone(gateway, ALICE);
  defer(() => alice.close());
  await alice.call(CALLER);
  await trunk.rings();
  await trunk.answer({ ack: false });
  await alice.answered();
  await trunk.sip.expect('ACK');
  process.kill(gateway.program.pid, 'SIGTERM');
  await until('503 from /ready', async () => (await gateway.admin.text('/ready').catch(() => ({}))).status === 503);
  const second = await scriptedPhone({ name: 'second call' });
  defer(() => second.close());
  const running = trunk.sip.dialog;
  trunk.call(ALICE.numbers[0]);
  const refusal = await trunk.sip.expect((m) => m.status >= 300 && m.cseq.method === 'INVITE');
  check(refusal.status === 503, `a new call was answered ${refusal.first}`);
  trunk.sip.dialog = running;
  const bye = trunk.sip.bye();
  await alice.hungUp();
  await bye;
  const result = await gateway.program.stop({ within: 10000 });
  check(result.code === 0 && !gateway.program.wasKilled, `ended with code ${result.code}`);
}, ours);

scenario('SIGTERM after a reload: the drain limit is that of the new configuration', async ({ defer }) => {
  const trunk = await scriptedPhone({ name: 'mute trunk' });
  defer(() => trunk.close());
  const gateway = await startGateway({ accounts: [ALICE], trunks: [{ name: 'carrier', host: '127.0.0.1', port: trunk.sip.port }],
    config: { sip: { drain: '59s' } } });
  const alice = await wsPhone(gateway, ALICE);
  defer(() => alice.close());
  await alice.call(CALLER);
  await trunk.rings();
  const from = gateway.program.output.length;
  gateway.reload((text) => text.replace('59s', '1s'));
  await gateway.program.waitOutput(/reload: done/, { from });
  await gateway.stop({ within: 6000 });
}, ours);

scenario('two browsers that both lose their connection in a call have each their own time to come back', async ({ defer }) => {
  const gateway = await startGateway({ accounts: [ALICE, BOB], config: { sip: { reconnect: '3s' } } });
  defer(() => gateway.stop());
  const contact = Object.fromEntries([ALICE, BOB].map((one) => [one.name, `<sip:${one.name}@same.invalid;transport=ws>`]));
  const connect = async (account) => {
    const phone = await wsPhone(gateway, account, { register: false });
    defer(() => phone.close());
    Object.defineProperty(phone.sip, 'contact', { value: contact[account.name] });
    await phone.register();
    return phone;
  };
  const alice = await connect(ALICE);
  const bob = await connect(BOB);
  await alice.call(BOB.name);
  await bob.rings();
  await bob.answer({ ack: false });
  await alice.answered();
  const isThere = async () => {
    const { body } = await gateway.admin.text('/calls');
    return (JSON.parse(body).calls ?? JSON.parse(body)).length === 1;
  };
  const began = performance.now();
  const at = (ms) => until(`${ms} ms`, () => performance.now() - began >= ms, { within: 8000 });
  alice.close();
  await at(2000);
  bob.close();
  await connect(ALICE); // in her time
  await at(3800);
  check(await isThere(), 'the call ended although the callee had been away for less than its time');
  await connect(BOB);
  await at(5800);
  check(await isThere(), 'the call ended although both are back');
}, ours);

scenario('SIGTERM while a far end says nothing: the process ends soon after the drain limit', async ({ defer }) => {
  const trunk = await scriptedPhone({ name: 'mute trunk' });
  defer(() => trunk.close());
  const gateway = await startGateway({ accounts: [ALICE], trunks: [{ name: 'carrier', host: '127.0.0.1', port: trunk.sip.port }],
    config: { sip: { drain: '1s' } } });
  const alice = await wsPhone(gateway, ALICE);
  defer(() => alice.close());
  await alice.call(CALLER);
  await trunk.rings();
  await gateway.stop({ within: 6000 });
}, ours);
