// SPDX-License-Identifier: Apache-2.0
// Registrations: several at one registrar and whose calls come in, and phones that prove themselves with SHA-512-256.
import { scenario, check, ALICE, BOB, CALLER } from './lib/scenario.mjs';
import { startGateway } from './lib/gateway.mjs';
import { scriptedPhone } from './lib/phone.mjs';
import { sipAgent } from './lib/sip-agent.mjs';
import { wsPhone } from './lib/ws-phone.mjs';

const ours = { needs: 'registers' };

scenario('calls of two registrations at one carrier are told apart by the Contact that was registered', async ({ defer }) => {
  const carrier = await scriptedPhone({ name: 'carrier' });
  defer(() => carrier.close());
  const row = (username) => ({ name: username, host: carrier.sip.host, port: carrier.sip.port, register: true, username, password: 'secret' });
  const gateway = await startGateway({
    accounts: [ALICE, BOB],
    trunks: [row('first'), row('second')],
    routes: [{ from: 'trunk:first', account: 'alice' }, { from: 'trunk:second', account: 'bob' }],
  });
  defer(() => gateway.stop());
  carrier.sip.peer = gateway.sip;
  const contacts = {};
  for (let i = 0; i < 2; i++) {
    const request = await carrier.sip.expect('REGISTER');
    contacts[request.header('to').match(/sip:(\w+)@/)[1]] = request.contactUri;
    carrier.sip.reply(200, { headers: [['Contact', `<${request.contactUri}>;expires=1800`]] });
  }
  carrier.sip.auto.REGISTER = 200;
  const [alice, bob] = [await wsPhone(gateway, ALICE), await wsPhone(gateway, BOB)];
  defer(() => [alice, bob].forEach((phone) => phone.close()));
  const reaches = async (uri, phone) => {
    carrier.sip.newRequest('INVITE', uri, { from: `<sip:${CALLER}@carrier.example>`, body: carrier.sdp({ codecs: ['PCMU'] }) });
    await phone.rings();
    phone.sip.reply(486);
    await carrier.sip.expect(486);
  };
  await reaches(contacts.second, bob);
  await reaches(contacts.first, alice);
  const [, host, parameter] = contacts.second.match(/@([^;]+)(;.*line=.*)$/);
  await reaches(`sip:second@${host}`, bob); // some carriers drop the parameters...
  await reaches(`sip:+12025550000@${host}${parameter}`, bob); // ...others put the called number before them
}, ours);

scenario('phones are asked for SHA-512-256 where sip.digest says so, and let in', async ({ defer }) => {
  const gateway = await startGateway({ accounts: [ALICE], config: { sip: { digest: ['SHA-512-256', 'MD5'] } } });
  defer(() => gateway.stop());
  const phone = await sipAgent({ transport: 'udp', name: 'phone', user: 'alice', domain: gateway.domain, peer: gateway.sip });
  defer(() => phone.close());
  const request = phone.newRequest('REGISTER', `sip:${gateway.domain}`, { from: `<sip:alice@${gateway.domain}>`, to: `<sip:alice@${gateway.domain}>`, headers: [['Expires', 300]] });
  const challenge = await phone.expect(401);
  check(/algorithm=SHA-512-256[^]*algorithm=MD5/.test(challenge.raw), challenge.raw);
  phone.retryWithCredentials(request, challenge, { username: 'alice', password: 'wrong' });
  await phone.expect((m) => m.status === 401 || m.status === 403, { within: 15000 });
  const answer = await phone.register({ username: 'alice', password: ALICE.password });
  check(answer.status === 200, `answered ${answer.first}`);
}, ours);
