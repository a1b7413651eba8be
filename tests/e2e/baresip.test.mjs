// SPDX-License-Identifier: Apache-2.0
// Debian's baresip as a SIP user of the gateway (UDP, digest) and as the far end of the trunk: real codecs of another
// implementation, judged by its recording and by the browser's ear.
import { world, scenario, ALICE, BOB } from './lib/scenario.mjs';
import { startBaresip } from './lib/baresip.mjs';

const peers = world({ browsers: [ALICE] });
const BARE_HZ = 1300;
const ALICE_HZ = 700;

const CODECS = { PCMU: 'PCMU/8000/1', PCMA: 'PCMA/8000/1', G722: 'G722/16000/1', opus: 'opus/48000/2' };

async function bob(codec, options = {}) {
  return startBaresip({
    user: BOB.name, password: BOB.password, domain: peers.gateway.domain, registrar: peers.gateway.sip,
    codecs: [CODECS[codec]], hz: BARE_HZ, ...options,
  });
}

for (const codec of ['PCMA', 'G722', 'opus']) {
  scenario(`a browser calls the SIP user baresip, ${codec}: recorded there and heard here`, async ({ defer }) => {
    const phone = await bob(codec);
    defer(() => phone.stop());
    await peers.alice.call('sip:bob@example.com');
    await peers.alice.sees('confirmed');
    await Promise.all([phone.hears(ALICE_HZ), peers.alice.hears(BARE_HZ)]);
    await peers.alice.hangUp();
    await phone.sees('CALL_CLOSED');
  });
}

scenario('the SIP user baresip calls a browser, Opus, and hangs up', async ({ defer }) => {
  const phone = await bob('opus');
  defer(() => phone.stop());
  phone.dial('sip:alice@example.com');
  await peers.alice.rings();
  await peers.alice.answer();
  await peers.alice.sees('confirmed');
  await Promise.all([phone.hears(ALICE_HZ), peers.alice.hears(BARE_HZ)]);
  phone.hangUp();
  await peers.alice.ends();
});
