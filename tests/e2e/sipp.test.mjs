// SPDX-License-Identifier: Apache-2.0
// SIPp on the trunk side: scenarios with another implementation's timing and retransmissions. SIPp's exit code judges the
// signalling; the echo of its media port is judged by the browser's ear.
import { world, scenario, check, ALICE, CALLER } from './lib/scenario.mjs';
import { startSipp } from './lib/sipp.mjs';
import { freePort } from './lib/ports.mjs';

let port;
const peers = world({
  browsers: [ALICE],
  trunk: false,
  trunks: () => [{ name: 'carrier', host: '127.0.0.1', port, codecs: ['PCMU'] }],
  before: async () => { port = await freePort(); },
});
const sipp = (name, options = {}) => startSipp(name, { port, ...options });
const intoGateway = (name, options = {}) => sipp(name, { remote: peers.gateway.sip, number: ALICE.numbers[0], ...options });

scenario('SIPp answers and echoes: the browser hears itself', async ({ defer }) => {
  const uas = await sipp('uas_answer', { echo: true });
  defer(uas.stop);
  await peers.alice.call(`sip:${CALLER}@example.com`);
  await peers.alice.sees('confirmed');
  await peers.alice.hears(700);
  await peers.alice.hangUp();
  await uas.ends();
});

scenario('SIPp is busy: 486', async ({ defer }) => {
  const uas = await sipp('uas_refuse');
  defer(uas.stop);
  await peers.alice.call(`sip:${CALLER}@example.com`);
  const failed = await peers.alice.sees('failed');
  check(failed.status === 486, `the browser saw ${failed.status}`);
  await uas.ends();
});

scenario('SIPp does not answer: the browser gives up, SIPp sees CANCEL and ACK of its 487', async ({ defer }) => {
  const uas = await sipp('uas_no_answer');
  defer(uas.stop);
  await peers.alice.call(`sip:${CALLER}@example.com`);
  await peers.alice.sees('progress');
  await peers.alice.hangUp();
  await peers.alice.sees('failed');
  await uas.ends();
});

scenario('SIPp calls in and requires 100rel: PRACK, then the call', async ({ defer }) => {
  const uac = await intoGateway('uac_prack', { echo: true });
  defer(uac.stop);
  await peers.alice.rings();
  await peers.alice.answer();
  await peers.alice.hears(700);
  await peers.alice.ends();
  await uac.ends();
}, { needs: 'b2bua' });

scenario('SIPp calls in, echoes, hangs up', async ({ defer }) => {
  const uac = await intoGateway('uac_call', { echo: true });
  defer(uac.stop);
  await peers.alice.rings();
  await peers.alice.answer();
  await peers.alice.sees('confirmed');
  await peers.alice.hears(700);
  await uac.ends();
  await peers.alice.ends();
});

scenario('SIPp calls in and gives up', async ({ defer }) => {
  const uac = await intoGateway('uac_cancel');
  defer(uac.stop);
  await peers.alice.rings();
  await uac.ends();
  await peers.alice.sees('failed');
});

scenario('SIPp calls a number that nobody has: 404', async ({ defer }) => {
  const uac = await intoGateway('uac_refused', { number: '+12025550000', calls: 20, rate: 50 });
  defer(uac.stop);
  await uac.ends();
});
