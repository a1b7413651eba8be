// SPDX-License-Identifier: Apache-2.0
// Where a trunk's name leads: NAPTR, SRV and addresses of a real name server, and the next target when one is dead. RFC 3263.
import { scenario, check, ALICE, CALLER } from './lib/scenario.mjs';
import { startGateway } from './lib/gateway.mjs';
import { dnsServer } from './lib/dns-server.mjs';
import { scriptedPhone } from './lib/phone.mjs';
import { wsPhone } from './lib/ws-phone.mjs';
import { udpTransport } from './lib/sip-transport.mjs';
import { freePort } from './lib/ports.mjs';
import { until } from './lib/wait.mjs';

const ours = { needs: 'registers' };
const WORKERS = Number(process.env.SIPWAY_WORKERS ?? 1);
const HERE = { A: ['127.0.0.1'] };

/** Gateway, Alice and a name server. @param trunk further keys of the trunk */
async function start(defer, zone, { trunk, ...gatewayOptions } = {}) {
  const dns = await dnsServer(zone);
  defer(() => dns.close());
  const gateway = await startGateway({
    accounts: [ALICE],
    trunks: [{ name: 'carrier', host: 'carrier.test', uri: 'sip:carrier.test', accept: [], ...trunk }],
    ...gatewayOptions,
    config: { dns: { servers: [dns.address] }, ...gatewayOptions.config },
  });
  defer(() => gateway.stop());
  const alice = await wsPhone(gateway, ALICE);
  defer(() => alice.close());
  return { dns, gateway, alice };
}

async function phone(defer, name, options = {}) {
  const one = await scriptedPhone({ name, ...options });
  defer(() => one.close());
  return one;
}

/** A port that takes datagrams and says nothing. */
async function silentPort(defer) {
  const messages = [];
  const transport = await udpTransport({ onMessage: (text) => messages.push(text) });
  defer(() => transport.close());
  return { port: transport.port, messages };
}

async function takesTheCall(alice, taker, { within } = {}) {
  await alice.call(CALLER);
  const invite = await taker.rings(within && { within });
  await taker.answer();
  await alice.answered();
  alice.sip.inDialog('BYE');
  await taker.hungUp();
  return invite;
}

scenario('NAPTR names the transport, SRV the host and port', async ({ defer }) => {
  const tcp = await phone(defer, 'over TCP', { transport: 'tcp-server' });
  const udp = await phone(defer, 'over UDP');
  const { alice, dns } = await start(defer, {
    'carrier.test': { ...HERE, NAPTR: [{ order: 20, service: 'SIP+D2U', replacement: '_sip._udp.carrier.test' },
      { order: 10, service: 'SIP+D2T', replacement: '_any._tcp.other.test' }] },
    '_sip._udp.carrier.test': { SRV: [{ port: udp.sip.port, target: 'a.carrier.test' }] },
    '_any._tcp.other.test': { SRV: [{ port: tcp.sip.port, target: 'a.carrier.test' }] },
    'a.carrier.test': HERE,
  });
  const invite = await takesTheCall(alice, tcp);
  check(invite.uri === `sip:${CALLER}@carrier.test`, `Request-URI ${invite.uri}`);
  check(!udp.sip.received.length, 'the second choice was asked as well');
  for (let i = 0; i < 3 * WORKERS; i++) await takesTheCall(alice, tcp);
  const count = dns.asked.filter((one) => one === 'NAPTR carrier.test').length;
  check(count <= WORKERS, `asked ${count} times within the time to live; each worker has to once`);
}, ours);

scenario('without NAPTR the SRV of UDP counts; without SRV the host itself', async ({ defer }) => {
  const udp = await phone(defer, 'trunk');
  const { alice, dns } = await start(defer, {
    'carrier.test': {},
    '_sip._udp.carrier.test': { SRV: [{ port: udp.sip.port, target: 'a.carrier.test' }] },
    'a.carrier.test': HERE,
  });
  await takesTheCall(alice, udp);
  check(dns.asked.some((one) => one === 'NAPTR carrier.test'), `asked: ${dns.asked}`);
  const plain = await start(defer, { 'carrier.test': HERE }, { trunk: { uri: `sip:carrier.test:${udp.sip.port}` } });
  await takesTheCall(plain.alice, udp);
  check(plain.dns.asked.every((one) => one.startsWith('A')), `with a port only addresses are asked for: ${plain.dns.asked}`);
}, ours);

scenario('a dead target costs 4 s, not 32, and a late word of it is cancelled', async ({ defer }) => {
  const alive = await phone(defer, 'second target');
  const dead = await phone(defer, 'first target'); // which says nothing for a while
  const { alice, gateway } = await start(defer, {
    'carrier.test': {},
    '_sip._udp.carrier.test': { SRV: [{ priority: 10, port: dead.sip.port, target: 'a.carrier.test' }, { priority: 20, port: alive.sip.port, target: 'a.carrier.test' }] },
    'a.carrier.test': HERE,
  });
  const began = performance.now();
  await alice.call(CALLER);
  await alive.rings({ within: 8000 });
  const ms = performance.now() - began;
  check(ms > 3500 && ms < 7000, `the second target was tried after ${ms} ms`);
  await dead.rings();
  dead.sip.reply(180);
  await dead.sip.expect('CANCEL');
  dead.sip.reply(200);
  dead.sip.reply(487, { request: dead.sip.invite });
  await alive.answer();
  await alice.answered();
  check(alice.sip.received.filter((m) => m.status === 180).length === 0, 'the dead target rang through');
  alice.sip.inDialog('BYE');
  await alive.hungUp();
  await until('end of the call', async () => (await gateway.admin.metric('sipway_calls')) === 0);
}, ours);

scenario('a target that was dead a moment ago is tried last: the next caller does not wait', async ({ defer }) => {
  const alive = await phone(defer, 'second target');
  const dead = await silentPort(defer);
  const { alice } = await start(defer, {
    'carrier.test': {},
    '_sip._udp.carrier.test': { SRV: [{ priority: 10, port: dead.port, target: 'a.carrier.test' }, { priority: 20, port: alive.sip.port, target: 'a.carrier.test' }] },
    'a.carrier.test': HERE,
  }, { workers: 1 });
  await takesTheCall(alice, alive, { within: 8000 });
  const began = performance.now();
  await takesTheCall(alice, alive);
  check(performance.now() - began < 2000, `the second call took ${performance.now() - began} ms`);
}, ours);

scenario('a target that says 100 is not dead', async ({ defer }) => {
  const slow = await phone(defer, 'slow target');
  const other = await phone(defer, 'second target');
  const { alice } = await start(defer, {
    'carrier.test': {},
    '_sip._udp.carrier.test': { SRV: [{ priority: 10, port: slow.sip.port, target: 'a.carrier.test' }, { priority: 20, port: other.sip.port, target: 'a.carrier.test' }] },
    'a.carrier.test': HERE,
  });
  await alice.call(CALLER);
  await slow.rings();
  slow.sip.reply(100);
  await other.sip.expectNone('INVITE', 5000);
  await slow.answer();
  await alice.answered();
  alice.sip.inDialog('BYE');
  await slow.hungUp();
}, ours);

scenario('503 and a refused connection: the next target at once; any other refusal is the answer', async ({ defer }) => {
  const full = await phone(defer, 'full', { transport: 'tcp-server' });
  const last = await phone(defer, 'last', { transport: 'tcp-server' });
  const targets = [await freePort(), full.sip.port, last.sip.port];
  const { alice } = await start(defer, {
    '_sip._tcp.carrier.test': { SRV: targets.map((port, i) => ({ priority: i, port, target: 'a.carrier.test' })) },
    'a.carrier.test': HERE,
  }, { trunk: { uri: 'sip:carrier.test;transport=tcp' } });
  const began = performance.now();
  await alice.call(CALLER);
  await full.rings();
  full.sip.reply(503);
  await last.rings();
  check(performance.now() - began < 2000, `it took ${performance.now() - began} ms`);
  last.sip.reply(486);
  await alice.sip.expect(486);
  await alice.call(CALLER);
  await full.rings();
  full.sip.reply(486);
  await alice.sip.expect(486);
  await last.sip.expectNone('INVITE', 200);
}, ours);

scenario('all targets of a trunk are tried before the next trunk of the route', async ({ defer }) => {
  const [one, two, other] = [await phone(defer, 'one'), await phone(defer, 'two'), await phone(defer, 'other trunk')];
  const { alice } = await start(defer, {
    'carrier.test': {},
    '_sip._udp.carrier.test': { SRV: [{ priority: 1, port: one.sip.port, target: 'a.carrier.test' }, { priority: 2, port: two.sip.port, target: 'a.carrier.test' }] },
    'a.carrier.test': HERE,
  }, {
    trunks: [{ name: 'carrier', host: 'carrier.test', uri: 'sip:carrier.test', accept: [] }, { name: 'other', host: other.sip.host, port: other.sip.port }],
    routes: [{ from: 'accounts', to: '^(.+)$', trunks: ['carrier', 'other'] }],
  });
  await alice.call(CALLER);
  for (const trunk of [one, two]) {
    await trunk.rings();
    await other.sip.expectNone('INVITE', 50);
    trunk.sip.reply(503);
  }
  await other.rings();
  await other.answer();
  await alice.answered();
  alice.sip.inDialog('BYE');
  await other.hungUp();
}, ours);

scenario('a registration and OPTIONS go on to the next target, too, and stay where they were well', async ({ defer }) => {
  const dead = await silentPort(defer);
  const carrier = await phone(defer, 'registrar');
  const { gateway } = await start(defer, {
    'carrier.test': {},
    '_sip._udp.carrier.test': { SRV: [{ priority: 10, port: dead.port, target: 'a.carrier.test' }, { priority: 20, port: carrier.sip.port, target: 'a.carrier.test' }] },
    'a.carrier.test': HERE,
  }, { trunk: { register: true, username: 'acme', password: 'trunk-secret', options_every: 3 } });
  const grant = (expires) => carrier.sip.reply(200, { headers: [['Contact', `${carrier.sip.request.header('contact')};expires=${expires}`]] });
  await carrier.sip.expect('REGISTER', { within: 8000 });
  grant(2);
  const trunk = async () => (await gateway.admin.json('/trunks'))[0];
  await until('state up', async () => (await trunk()).health.state === 'up' && (await trunk()).registration.state === 'registered', { within: 8000 });
  const count = () => dead.messages.filter((text) => text.startsWith('REGISTER')).length;
  const before = count();
  await carrier.sip.expect('REGISTER', { within: 8000 });
  grant(3600);
  carrier.sip.auto.REGISTER = 200;
  check(before > 0 && count() === before, `the refresh went to the dead target: ${before} before, ${count()} now`);
}, ours);

scenario('addresses of a family without a listener are passed over', async ({ defer }) => {
  const udp = await phone(defer, 'trunk');
  const { alice, gateway } = await start(defer, { 'carrier.test': { AAAA: ['::1'], A: ['127.0.0.1'] }, 'six.test': { AAAA: ['::1'] } }, {
    trunks: [{ name: 'carrier', host: 'carrier.test', uri: `sip:carrier.test:${udp.sip.port}`, accept: [] },
      { name: 'six', host: 'six.test', uri: 'sip:six.test:5060', accept: [], options_every: 5 }],
  });
  await takesTheCall(alice, udp);
  const six = async () => (await gateway.admin.json('/trunks')).find((one) => one.name === 'six');
  await until('a reason', async () => /sip.listen of that kind/.test((await six()).health.last_error ?? ''), { within: 8000 });
}, ours);

scenario('a name server that is silent: 503 after some seconds', async ({ defer }) => {
  const { alice, dns } = await start(defer, {}, {});
  dns.isSilent = true;
  const began = performance.now();
  await alice.call(CALLER);
  await alice.sip.expect(503, { within: 15000 });
  check(performance.now() - began < 12000, `it took ${performance.now() - began} ms`);
}, ours);
