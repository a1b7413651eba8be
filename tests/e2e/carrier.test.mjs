// SPDX-License-Identifier: Apache-2.0
// Debian's kamailio as a carrier: it challenges our calls, proves the digest, adds Record-Route, and calls us.
import { world, scenario, check, ALICE, CALLER } from './lib/scenario.mjs';
import { startCarrier } from './lib/kamailio-carrier.mjs';
import { scriptedPhone } from './lib/phone.mjs';

const ACME = { username: 'acme', password: 'trunk-secret' };

const peers = world({
  browsers: [ALICE],
  trunk: false,
  trunks: (it) => [{ name: 'carrier', host: it.carrier.host, port: it.carrier.port, ...ACME }],
  before: async (it) => {
    it.phone = await scriptedPhone({ name: 'phone behind the carrier' });
    it.carrier = await startCarrier({ ...ACME, uas: { host: it.phone.sip.host, port: it.phone.sip.port } });
    it.phone.sip.peer = { host: it.carrier.host, port: it.carrier.port };
  },
  after: async (it) => {
    await it.carrier?.stop();
    it.phone?.close();
  },
});

async function bothHear() {
  peers.phone.rtp.sendTone({ hz: 1000 });
  await Promise.all([peers.phone.rtp.hears(700), peers.alice.hears(1000)]);
}

scenario('a call out is challenged by the carrier and proved; tones are heard both ways', async ({ defer }) => {
  const { alice, phone, carrier } = peers;
  defer(() => phone.rtp.reset());
  await alice.call(`sip:${CALLER}@example.com`);
  await phone.rings();
  phone.sip.reply(180);
  await alice.sees('progress');
  await phone.answer();
  await alice.sees('confirmed');
  await carrier.accepts('INVITE');
  check(carrier.refused().length === 0, `refused: ${JSON.stringify(carrier.refused())}`);
  await bothHear();
  await alice.hangUp();
  await phone.hungUp();
});

scenario('the far phone hangs up through the carrier', async ({ defer }) => {
  const { alice, phone } = peers;
  defer(() => phone.rtp.reset());
  await alice.call(`sip:${CALLER}@example.com`);
  await phone.rings();
  await phone.answer();
  await alice.sees('confirmed');
  await phone.sip.bye();
  await alice.ends();
});

scenario('a call comes in through the carrier, with its Record-Route; tones are heard both ways', async ({ defer }) => {
  const { alice, phone, gateway } = peers;
  defer(() => phone.rtp.reset());
  phone.call(ALICE.numbers[0], { codecs: ['PCMU'], host: `${gateway.sip.host}:${gateway.sip.port}`, from: `<sip:${CALLER}@127.0.0.1>` });
  const caller = await alice.rings();
  check(caller.user === CALLER, `caller is shown as ${caller.user}`);
  await alice.answer();
  await phone.answered();
  await alice.sees('confirmed');
  await bothHear();
  await alice.hangUp();
  await phone.hungUp();
});
