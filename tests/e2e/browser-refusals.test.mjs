// SPDX-License-Identifier: Apache-2.0
// Calls that do not come to be: busy, given up, refused, not there, wrong password. Both sides must end with the right code.
import { world, scenario, check, ALICE, CALLER } from './lib/scenario.mjs';
import { sipAgent } from './lib/sip-agent.mjs';

const STRANGER = '127.0.0.2'; // an address that no trunk accepts from
const peers = world({ browsers: [ALICE] });

for (const [status, cause] of [[486, 'Busy'], [404, 'Not Found'], [603, 'Rejected']]) {
  scenario(`the trunk refuses with ${status}: the browser is told ${status}`, async () => {
    const { alice, trunk } = peers;
    await alice.call(`sip:${CALLER}@example.com`);
    await trunk.rings();
    trunk.sip.reply(status);
    await trunk.sip.expect('ACK');
    const failed = await alice.sees('failed');
    check(failed.status === status, `the browser saw ${failed.status} ${failed.cause} instead of ${cause}`);
  });
}

scenario('the browser gives up while it rings: the trunk gets CANCEL with the branch of the INVITE', async () => {
  const { alice, trunk } = peers;
  await alice.call(`sip:${CALLER}@example.com`);
  const invite = await trunk.rings();
  trunk.sip.reply(180);
  await alice.sees('progress');
  await alice.hangUp();
  const cancel = await trunk.sip.expect('CANCEL');
  check(cancel.branch === invite.branch, `branches: INVITE ${invite.branch}, CANCEL ${cancel.branch}`);
  check(cancel.cseq.number === invite.cseq.number, 'CANCEL has another CSeq than its INVITE');
  trunk.sip.reply(200);
  trunk.sip.reply(487, { request: invite });
  await trunk.sip.expect('ACK');
  await alice.sees('failed');
});

scenario('the trunk gives up while the browser rings: 487, and it stops ringing', async () => {
  const { alice, trunk } = peers;
  trunk.call(ALICE.numbers[0]);
  await alice.rings();
  await trunk.sip.expect(180);
  trunk.sip.cancel();
  await trunk.sip.expect((m) => m.status === 200 && m.cseq.method === 'CANCEL');
  await trunk.sip.expect(487);
  await alice.sees('failed');
});

scenario('the browser declines: the trunk is told', async () => {
  const { alice, trunk } = peers;
  trunk.call(ALICE.numbers[0]);
  await alice.rings();
  await alice.hangUp({ status_code: 486 });
  await trunk.sip.expect(486);
});

scenario('a number that nobody has: 404 to the trunk', async () => {
  peers.trunk.call('+12025550000');
  await peers.trunk.sip.expect(404);
});

scenario('an account without a registered contact: 480 to the trunk', async () => {
  peers.trunk.call('+12025550124');
  await peers.trunk.sip.expect(480);
});

scenario('a wrong password does not register', async () => {
  const { chromium, gateway } = peers;
  const mallory = await chromium.phone(gateway, { name: 'alice', password: 'guess' }, { register: false });
  await mallory.sees('connected');
  await mallory.ask('phone.ua.register()');
  const failed = await mallory.sees('registrationFailed');
  check([401, 403].includes(failed.status), `refused with ${failed.status} ${failed.cause}`);
  await mallory.close();
});

scenario('a stranger is not routed: no call reaches the trunk', async ({ defer }) => {
  const { gateway, trunk } = peers;
  const stranger = await sipAgent({ name: 'stranger', user: 'stranger', peer: gateway.sip, host: STRANGER });
  defer(() => stranger.close());
  stranger.newRequest('INVITE', `sip:${CALLER}@${gateway.sip.host}:${gateway.sip.port}`, { body: trunk.sdp() });
  const refusal = await stranger.expect((m) => m.status >= 400);
  check([401, 403, 407].includes(refusal.status), `a stranger was answered ${refusal.first}`);
  await trunk.sip.expectNone('INVITE', 300);
});

scenario('a stranger cannot end a call: a BYE from another address changes nothing', async ({ defer }) => {
  const { alice, gateway, trunk } = peers;
  await alice.call(`sip:${CALLER}@example.com`);
  await trunk.rings();
  await trunk.answer();
  await alice.sees('confirmed');
  const stranger = await sipAgent({ name: 'stranger', user: 'stranger', peer: gateway.sip, host: STRANGER });
  defer(() => stranger.close());
  stranger.dialog = { ...trunk.sip.dialog, cseq: 700 };
  stranger.inDialog('BYE');
  const answer = await stranger.expect((m) => m.status >= 200, { within: 1500 }).catch(() => null);
  check(!answer || answer.status >= 400, `a stranger's BYE was answered ${answer?.first}`);
  trunk.rtp.sendTone({ hz: 1000 });
  await Promise.all([alice.hears(1000), trunk.rtp.hears(700)]);
  await alice.hangUp();
  await trunk.hungUp();
}, { needs: 'dialog-guard' });
