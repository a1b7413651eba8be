// SPDX-License-Identifier: Apache-2.0
// `registrar` of a trunk that is reached over TCP, and what a reload does to who is logged in.
import { world, scenario, check, ALICE } from './lib/scenario.mjs';
import { challenge, loggedIn, logOut, ERIN, PBX } from './lib/pbx.mjs';
import { browserSdp } from './lib/ws-phone.mjs';
import { until } from './lib/wait.mjs';

const peers = world({
  accounts: [ALICE],
  trunk: { registrar: PBX, transport: 'tcp' },
  gateway: { routes: [{ from: 'any', to: '^(.+)$', trunks: ['carrier'] }] },
});
const ours = { needs: 'b2bua' };

scenario('a PBX over TCP: login, a call each way and its challenge over one connection', async ({ defer }) => {
  const { gateway, trunk } = peers;
  const phone = await loggedIn(gateway, trunk.sip, ERIN);
  defer(() => logOut(trunk.sip, phone));
  check(/;transport=tcp$/.test(phone.pbx.contact), `Contact ${phone.pbx.contact}`);
  trunk.sip.newRequest('INVITE', phone.pbx.contact, { from: `<sip:fred@${PBX}>`, body: trunk.sdp({ codecs: ['PCMU'] }) });
  await phone.rings();
  await phone.answer({ formats: [0] });
  await trunk.answered();
  const over = trunk.sip.bye();
  await phone.hungUp();
  await over;
  const calling = phone.call('fred', { body: browserSdp() });
  await trunk.rings();
  trunk.sip.reply(401, { headers: [['WWW-Authenticate', challenge()]] });
  await trunk.sip.expect('ACK');
  await calling;
  await trunk.rings();
  trunk.sip.reply(486);
  check((await phone.sip.expect((m) => m.status >= 300)).status === 486, 'not 486');
}, ours);

scenario('a user of the PBX has no rights here: his REFER reaches none of our routes', async ({ defer }) => {
  const { gateway, trunk } = peers;
  const phone = await loggedIn(gateway, trunk.sip, ERIN);
  defer(() => logOut(trunk.sip, phone));
  await phone.call('fred', { body: browserSdp() });
  await trunk.rings();
  await trunk.answer();
  await phone.answered();
  const started = await gateway.admin.metric('sipway_calls_started_total');
  phone.sip.inDialog('REFER', { headers: [['Refer-To', '<sip:+19005550100@example.com>'], ['Contact', phone.sip.contact]] });
  const refused = await phone.sip.expect((m) => m.status && m.cseq.method === 'REFER');
  check(refused.status === 501, `REFER got ${refused.first}`);
  check((await gateway.admin.metric('sipway_calls_started_total')) === started, 'somebody was called');
  const over = phone.sip.bye();
  await trunk.hungUp();
  await over;
}, ours);

scenario('a challenged call is no failed call', async ({ defer }) => {
  const { gateway, trunk } = peers;
  const phone = await loggedIn(gateway, trunk.sip, ERIN);
  defer(() => logOut(trunk.sip, phone));
  const before = await gateway.admin.metric('sipway_calls_failed_total');
  const calling = phone.call('fred', { body: browserSdp() });
  await trunk.rings();
  trunk.sip.reply(407, { headers: [['Proxy-Authenticate', challenge()]] });
  await trunk.sip.expect('ACK');
  await calling;
  await trunk.rings();
  trunk.sip.reply(404);
  await phone.sip.expect((m) => m.status === 404);
  check((await gateway.admin.metric('sipway_calls_failed_total')) === before + 1, 'the challenge is counted as a failed call');
}, ours);

scenario('a reload that leaves the registrar as it is keeps who is logged in; one that takes it away logs them out', async ({ defer }) => {
  const { gateway, trunk } = peers;
  const phone = await loggedIn(gateway, trunk.sip, ERIN);
  defer(() => phone.close());
  const reload = async (change) => {
    const from = gateway.program.output.length;
    gateway.reload(change);
    await gateway.program.waitOutput(/reload: done/, { from });
  };
  const users = () => gateway.admin.metric('sipway_pbx_users');
  await until('one user', async () => (await users()) >= 1);
  await reload((text) => text);
  const invite = trunk.sip.newRequest('INVITE', phone.pbx.contact, { from: `<sip:fred@${PBX}>`, body: trunk.sdp({ codecs: ['PCMU'] }) });
  await phone.rings();
  phone.sip.reply(486);
  await trunk.sip.expect((m) => m.status === 486 && m.callId === invite.callId);
  await reload((text) => text.replaceAll(PBX, 'other.example.com'));
  await until('nobody logged in', async () => (await users()) === 0);
  const late = phone.sip.newRequest('MESSAGE', `sip:fred@${PBX}`, { from: `<sip:erin@${PBX}>`, body: 'x', type: 'text/plain' });
  check((await phone.sip.expect((m) => m.status && m.callId === late.callId)).status === 403, 'a domain that is not ours is carried');
}, ours);
