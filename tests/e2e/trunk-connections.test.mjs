// SPDX-License-Identifier: Apache-2.0
// A trunk's TCP connection closes during a call: the call goes on, and both sides find each other over another one.
import { world, scenario, check, ALICE, CALLER } from './lib/scenario.mjs';
import { sipAgent } from './lib/sip-agent.mjs';
import { browserSdp } from './lib/ws-phone.mjs';
import { until } from './lib/wait.mjs';

const ours = { needs: 'stream-trunk' };
const peers = world({ scripted: [ALICE], trunk: { transport: 'tcp' } });

const socketsOf = (trunk) => [...trunk.sip.transport.sockets];
const hasTimeline = async (text) => {
  const calls = await peers.gateway.admin.json('/calls');
  const one = calls.length && await peers.gateway.admin.json(`/calls/${calls[0].id}`);
  return one && JSON.stringify(one).includes(text);
};

/** Close each connection of the trunk, and wait until the gateway knows. */
async function cut() {
  socketsOf(peers.trunk).forEach((socket) => socket.destroy());
  await until('loss of the connection', () => hasTimeline('its connection closed'));
  check(!socketsOf(peers.trunk).length, 'a connection is left');
}

async function callOut() {
  const { alice, trunk } = peers;
  await alice.call(CALLER);
  await trunk.rings();
  await trunk.answer();
  await alice.answered();
}

/** Another connection of the trunk, which speaks for the call of the first one. */
async function secondConnection(defer, options = {}) {
  const agent = await sipAgent({ transport: 'tcp', name: 'second connection', user: 'trunk', peer: peers.gateway.sip, ...options });
  defer(() => agent.close());
  agent.dialog = peers.trunk.sip.dialog;
  return agent;
}

scenario('the browser hangs up after the close: the BYE arrives over a new connection', async () => {
  const { alice, trunk } = peers;
  await callOut();
  await cut();
  alice.sip.inDialog('BYE');
  const bye = await trunk.hungUp();
  check(socketsOf(trunk).includes(bye.from.socket) && bye.from.port !== trunk.sip.invite.from.port, `BYE from port ${bye.from.port}`);
  await alice.sip.expect(200);
  await until('end of the call', async () => (await peers.gateway.admin.metric('sipway_calls')) === 0);
}, ours);

scenario('the trunk hangs up over a new connection: 200, and the call ends', async ({ defer }) => {
  const { alice } = peers;
  await callOut();
  await cut();
  const second = await secondConnection(defer);
  const answer = await second.bye();
  check(answer.status === 200, `the BYE was answered ${answer.first}`);
  await alice.hungUp();
}, ours);

scenario('a connection over which the trunk came back is the one for what we have to say', async ({ defer }) => {
  const { alice, trunk } = peers;
  await callOut();
  await cut();
  const second = await secondConnection(defer);
  second.inDialog('INFO', { type: 'application/dtmf-relay', body: 'Signal=1\r\nDuration=100\r\n' });
  await second.expect(200);
  alice.sip.inDialog('BYE');
  await second.expect('BYE');
  second.reply(200);
  check(!socketsOf(trunk).length, 'another connection was opened all the same');
}, ours);

scenario('from an address that the trunk does not have, a request within the call is refused, and the call goes on', async ({ defer }) => {
  const { alice, trunk } = peers;
  await callOut();
  await cut();
  const stranger = await secondConnection(defer, { localAddress: '127.0.0.9' });
  const answer = await stranger.bye();
  check(answer.status === 481, `the stranger's BYE was answered ${answer.first}`);
  await alice.sip.expectNone('BYE', 100);
  alice.sip.inDialog('BYE');
  await trunk.hungUp();
}, ours);

scenario('a call that came in over a connection which closes: our BYE goes to the Contact', async ({ defer }) => {
  const { alice, trunk, gateway } = peers;
  const caller = await sipAgent({ transport: 'tcp', name: 'caller', user: CALLER, peer: gateway.sip });
  defer(() => caller.close());
  caller.newRequest('INVITE', `sip:${ALICE.numbers[0]}@${gateway.sip.host}`, { body: trunk.sdp(), contact: trunk.sip.contact });
  await alice.rings();
  await alice.answer();
  await caller.expect(200);
  caller.ack();
  await until('ACK', () => hasTimeline('ACK received'));
  caller.close();
  await until('loss of the connection', () => hasTimeline('its connection closed'));
  alice.sip.inDialog('BYE');
  await trunk.hungUp();
}, ours);

scenario('a change of the session goes over the new connection, too', async () => {
  const { alice, trunk } = peers;
  await callOut();
  await cut();
  alice.sip.inDialog('INVITE', { body: browserSdp({ direction: 'sendonly', version: 9, formats: [0, 126] }) });
  await trunk.sip.expect('INVITE');
  await trunk.answer();
  await alice.answered();
  alice.sip.inDialog('BYE');
  await trunk.hungUp();
}, ours);
