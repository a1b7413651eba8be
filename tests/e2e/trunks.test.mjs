// SPDX-License-Identifier: Apache-2.0
// Trunks that are looked after: registrations over their whole life, and OPTIONS that tell which trunk is up.
import { scenario, check, ALICE, CALLER } from './lib/scenario.mjs';
import { startGateway } from './lib/gateway.mjs';
import { startCarrier } from './lib/kamailio-carrier.mjs';
import { scriptedPhone } from './lib/phone.mjs';
import { wsPhone } from './lib/ws-phone.mjs';
import { until } from './lib/wait.mjs';

const ACME = { username: 'acme', password: 'trunk-secret' };
const ours = { needs: 'registers' };

const row = (phone, more) => ({ name: phone.sip.name, host: phone.sip.host, port: phone.sip.port, ...more });
const trunkOf = async (gateway, name) => (await gateway.admin.json('/trunks')).find((one) => one.name === name);
const becomes = (gateway, name, what, matches) => until(() => `trunk ${name} ${what}`, async () => matches(await trunkOf(gateway, name)));

/** A scripted trunk that grants each REGISTER. */
async function grantingPhone(defer, name = 'carrier') {
  const phone = await scriptedPhone({ name });
  defer(() => phone.close());
  phone.grant = (expires) => {
    const { request } = phone.sip;
    phone.sip.reply(200, { headers: [['Contact', `${request.header('contact').split(';expires')[0]};expires=${expires}`]] });
  };
  return phone;
}

scenario('a registration shows in GET /trunks and the metrics, and is taken back when the gateway stops', async ({ defer }) => {
  const carrier = await grantingPhone(defer);
  const gateway = await startGateway({ trunks: [row(carrier, { register: true, ...ACME })] });
  defer(() => gateway.stop());
  const first = await carrier.sip.expect('REGISTER');
  check(first.uri === `sip:127.0.0.1:${carrier.sip.port}` && first.header('to') === '<sip:acme@127.0.0.1>', `${first.first}, To ${first.header('to')}`);
  check(first.header('contact').startsWith(`<sip:acme@127.0.0.1:${gateway.sip.port}`), `Contact ${first.header('contact')}`);
  check((await trunkOf(gateway, 'carrier')).state === 'unregistered', 'state before the answer');
  carrier.grant(1800);
  await becomes(gateway, 'carrier', 'registered', (one) => one.state === 'up' && one.registration.state === 'registered' && one.expires_s === 1800);
  check(await gateway.admin.metric('sipway_trunks_registered') === 1, 'sipway_trunks_registered');
  const stopping = gateway.stop();
  const last = await carrier.sip.expect('REGISTER');
  check(last.header('expires') === '0' && last.callId === first.callId && last.cseq.number > first.cseq.number, `the last REGISTER:\n${last.raw}`);
  carrier.sip.reply(200);
  await stopping;
}, ours);

scenario('a refused registration says why', async ({ defer }) => {
  const carrier = await grantingPhone(defer);
  const gateway = await startGateway({ trunks: [row(carrier, { register: true, ...ACME })] });
  defer(() => gateway.stop());
  await carrier.sip.expect('REGISTER');
  carrier.sip.reply(403);
  await becomes(gateway, 'carrier', 'failed', (one) => one.registration.state === 'failed' && /403 Forbidden/.test(one.registration.last_error));
  carrier.sip.auto.REGISTER = 200;
}, ours);

scenario('a registering trunk whose uri is a name may call from where the name leads; its calls are for its user', async ({ defer }) => {
  const carrier = await grantingPhone(defer);
  const gateway = await startGateway({
    accounts: [ALICE],
    trunks: [{ ...row(carrier, { register: true, ...ACME }), host: 'localhost', accept: [] }],
    routes: [{ from: 'trunk:carrier', to: '^acme$', account: 'alice' }],
  });
  defer(() => gateway.stop());
  carrier.sip.peer = gateway.sip;
  const alice = await wsPhone(gateway, ALICE);
  defer(() => alice.close());
  await carrier.sip.expect('REGISTER');
  carrier.grant(1800);
  carrier.sip.auto.REGISTER = 200;
  await becomes(gateway, 'carrier', 'registered', (one) => one.state === 'up');
  carrier.call('acme', { from: `<sip:${CALLER}@127.0.0.1>` });
  await alice.rings();
  alice.sip.reply(486);
  const refusal = await carrier.sip.expect((m) => m.status >= 300);
  check(refusal.status === 486, `answered ${refusal.first}`);
}, ours);

scenario('a reload ends, begins and keeps registrations', async ({ defer }) => {
  const [kept, gone] = [await grantingPhone(defer, 'kept'), await grantingPhone(defer, 'gone')];
  const gateway = await startGateway({ trunks: [row(kept, { register: true, ...ACME }), row(gone, { register: true, ...ACME })] });
  defer(() => gateway.stop());
  for (const phone of [kept, gone]) {
    await phone.sip.expect('REGISTER');
    phone.grant(1800);
  }
  await until('two registrations', async () => (await gateway.admin.metric('sipway_trunks_registered')) === 2);
  gateway.reload((text) => text.replace(/(name: "?gone"?[^]*?register: )true/, '$1false'));
  const last = await gone.sip.expect('REGISTER');
  check(last.header('expires') === '0', `the last REGISTER:\n${last.raw}`);
  gone.sip.reply(200);
  await until('one registration', async () => (await gateway.admin.metric('sipway_trunks_registered')) === 1);
  await kept.sip.expectNone('REGISTER', 300);
  gateway.reload((text) => text.replace(/(name: "?gone"?[^]*?register: )false/, '$1true'));
  await gone.sip.expect('REGISTER');
  gone.grant(1800);
  await until('two registrations', async () => (await gateway.admin.metric('sipway_trunks_registered')) === 2);
  kept.sip.auto.REGISTER = 200;
  gone.sip.auto.REGISTER = 200;
}, ours);

scenario('a real registrar accepts us', async ({ defer }) => {
  const far = await scriptedPhone({ name: 'phone behind the carrier' });
  defer(() => far.close());
  const carrier = await startCarrier({ ...ACME, algorithm: 'SHA-256', uas: { host: far.sip.host, port: far.sip.port } });
  defer(() => carrier.stop());
  const gateway = await startGateway({ trunks: [{ name: 'carrier', host: carrier.host, port: carrier.port, register: true, ...ACME }] });
  defer(() => gateway.stop());
  await carrier.accepts('REGISTER');
  await becomes(gateway, 'carrier', 'registered', (one) => one.registration.state === 'registered');
  check(carrier.refused().length === 0, `refused: ${JSON.stringify(carrier.refused())}`);
}, ours);

scenario('a trunk that is silent is down and tried last; one that answers anything at all is up', async ({ defer }) => {
  const [one, two] = [await grantingPhone(defer, 'one'), await grantingPhone(defer, 'two')];
  one.sip.auto.OPTIONS = 404;
  two.sip.auto.OPTIONS = 405;
  const gateway = await startGateway({
    accounts: [ALICE],
    trunks: [row(one, { options_every: 1 }), row(two, { options_every: 1 })],
    routes: [{ from: 'accounts', to: '^(.+)$', trunks: ['one', 'two'] }],
  });
  defer(() => gateway.stop());
  const alice = await wsPhone(gateway, ALICE);
  defer(() => alice.close());
  /** A call, refused by the trunk that is tried first. */
  const tried = async (phone) => {
    await alice.call(CALLER);
    await phone.rings();
    phone.sip.reply(486);
    await alice.sip.expect(486);
  };
  await becomes(gateway, 'one', 'up', (trunk) => trunk.state === 'up' && trunk.health.state === 'up');
  await becomes(gateway, 'two', 'up', (trunk) => trunk.health.state === 'up');
  await tried(one);
  delete one.sip.auto.OPTIONS;
  await becomes(gateway, 'one', 'down', (trunk) => trunk.state === 'down' && /not answered/.test(trunk.health.last_error));
  check(await gateway.admin.metric('sipway_trunks_down') === 1, 'sipway_trunks_down');
  await tried(two);
  await one.sip.expectNone('INVITE', 100);
  one.sip.auto.OPTIONS = 200;
  await becomes(gateway, 'one', 'up again', (trunk) => trunk.state === 'up');
  check(await gateway.admin.metric('sipway_trunks_down') === 0, 'sipway_trunks_down');
  await tried(one);
  delete one.sip.auto.OPTIONS;
  await becomes(gateway, 'one', 'down', (trunk) => trunk.state === 'down');
  await alice.call(CALLER);
  await two.rings();
  two.sip.reply(503);
  await one.rings(); // down as it seems, but nobody else is left
  one.sip.reply(486);
  await alice.sip.expect((m) => m.status >= 300);
}, ours);

scenario('over TCP: a registrar that closes the connection is registered at again', async ({ defer }) => {
  const carrier = await scriptedPhone({ name: 'carrier', transport: 'tcp-server' });
  defer(() => carrier.close());
  const gateway = await startGateway({ trunks: [{ ...row(carrier, { register: true, ...ACME }), transport: 'tcp' }] });
  defer(() => gateway.stop());
  const first = await carrier.sip.expect('REGISTER');
  const contact = `<sip:acme@127.0.0.1:${gateway.sip.port};transport=tcp>`;
  check(first.header('contact') === contact, `Contact ${first.header('contact')} instead of ${contact}`);
  carrier.sip.reply(200, { headers: [['Contact', `${contact};expires=3600`]] });
  await becomes(gateway, 'carrier', 'registered', (one) => one.state === 'up');
  carrier.sip.transport.sockets.forEach((socket) => socket.destroy());
  await carrier.sip.expect('REGISTER', { within: 12000 });
  carrier.sip.reply(200, { headers: [['Contact', `${contact};expires=3600`]] });
  carrier.sip.auto.REGISTER = 200;
}, ours);
