// SPDX-License-Identifier: Apache-2.0
// Debian's baresip behind a NAT, in a network namespace: registered over UDP, TCP and TLS with a private Contact, it is rung, calls, is heard both
// ways, and hears that the other side has hung up. RFC 3581, RFC 5626.
import { after } from 'node:test';
import { world, scenario, check, BOB, CALLER } from './lib/scenario.mjs';
import { startBaresip } from './lib/baresip.mjs';
import { makeCertificate } from './lib/certificate.mjs';
import { makeNat } from './lib/nat.mjs';
import { pause, until } from './lib/wait.mjs';
import { gatewayName } from './lib/gateway.mjs';

const UDP_S = 3; // so soon the router forgets a way over UDP on which nothing is heard
let reason;
const nat = await makeNat({ udpS: UDP_S }).catch((error) => { reason = error.message; });
after(() => nat?.close());

const peers = world({
  accounts: [BOB],
  gateway: { hosts: nat ? [nat.outer] : [], tls: gatewayName === 'sipway' ? makeCertificate() : undefined, config: { sip: { nat_ping: '1s', drain: '3s' } } },
});
const behindNat = (name, run) => scenario(name, async (scene) => (nat ? run(scene) : scene.t.skip(reason)), { needs: 'stream-trunk' });

const PHONE_HZ = 1300;
const TRUNK_HZ = 1000;

async function phone(transport, { defer }, extra = '') {
  const port = transport === 'tls' ? peers.gateway.tls.port : peers.gateway.sip.port;
  const one = await startBaresip({
    nat, transport, extra, user: BOB.name, password: BOB.password, domain: peers.gateway.domain, registrar: { host: nat.outer, port },
    codecs: ['PCMU/8000/1'], hz: PHONE_HZ,
  });
  defer(() => one.stop());
  return one;
}

async function bothHear(one) {
  peers.trunk.rtp.sendTone({ hz: TRUNK_HZ });
  await Promise.all([one.hears(TRUNK_HZ), peers.trunk.rtp.hears(PHONE_HZ)]);
}

/** The call that is up: what its timeline says. */
async function timeline() {
  const call = (await peers.gateway.admin.json('/calls')).find((one) => one.state !== 'over');
  return JSON.stringify(await peers.gateway.admin.json(`/calls/${call.id}`));
}

for (const [transport, extra, what] of [['udp', '', 'UDP'], ['tcp', '', 'TCP'], ['tls', '', 'TLS'], ['tcp', ';sipnat=outbound', 'TCP with RFC 5626']]) {
  behindNat(`a phone behind a NAT, ${what}: it is rung, heard both ways, and told of the end`, async (scene) => {
    const one = await phone(transport, scene, extra);
    peers.trunk.call(BOB.numbers[0]);
    await peers.trunk.answered();
    await bothHear(one);
    const told = await timeline();
    check(told.includes(`latched on ${nat.public}:`), `its media came from elsewhere: ${told}`);
    await peers.trunk.sip.bye();
    await one.sees('CALL_CLOSED');
  });

  behindNat(`a phone behind a NAT, ${what}: it calls, is heard both ways, and is hung up on`, async (scene) => {
    const one = await phone(transport, scene, extra);
    one.dial(`sip:${CALLER}@${peers.gateway.domain}`);
    await peers.trunk.rings();
    await peers.trunk.answer();
    await bothHear(one);
    await peers.trunk.sip.bye();
    await one.sees('CALL_CLOSED');
  });
}

behindNat('a phone that says nothing is still rung after the router would have forgotten its way', async (scene) => {
  const one = await phone('udp', scene);
  const before = await peers.gateway.admin.metric('sipway_sip_nat_pings_total');
  await pause(1000 * (UDP_S * 2 + 1)); // the time is what is tested
  check(await peers.gateway.admin.metric('sipway_sip_nat_pings_total') >= before + UDP_S * 2 - 1, 'it was not pinged');
  peers.trunk.call(BOB.numbers[0]);
  await peers.trunk.answered();
  await bothHear(one);
  await peers.trunk.sip.bye();
  await one.sees('CALL_CLOSED');
});

behindNat('in a long call without signalling the way stays open: the BYE reaches the phone', async (scene) => {
  const one = await phone('udp', scene);
  peers.trunk.call(BOB.numbers[0]);
  await peers.trunk.answered();
  await bothHear(one);
  await pause(1000 * (UDP_S * 2 + 1));
  await bothHear(one);
  await peers.trunk.sip.bye();
  await one.sees('CALL_CLOSED');
  await until('end of the call', async () => (await peers.gateway.admin.json('/calls')).every((call) => call.state === 'over'));
});
