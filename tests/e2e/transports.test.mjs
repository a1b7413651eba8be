// SPDX-License-Identifier: Apache-2.0
// The other ways to the gateway: a TCP trunk with its framing, a TLS trunk, and a browser over WSS.
import { world, scenario, check, ALICE, CALLER } from './lib/scenario.mjs';
import { sipAgent } from './lib/sip-agent.mjs';
import { makeCertificate } from './lib/certificate.mjs';
import { gatewayName } from './lib/gateway.mjs';
import { until, pause } from './lib/wait.mjs';
import { fillTemplate } from './lib/template.mjs';

const isOurs = gatewayName === 'sipway';
const ours = { needs: 'stream-trunk' };
const tls = isOurs ? makeCertificate() : undefined;
const secure = isOurs ? makeCertificate().pem : undefined;

const peers = world({
  browsers: [ALICE],
  trunk: isOurs ? { transport: 'tcp' } : {},
  gateway: { tls },
});

async function bothHear() {
  const { alice, trunk } = peers;
  trunk.rtp.sendTone({ hz: 1000 });
  await Promise.all([trunk.rtp.hears(700), alice.hears(1000)]);
}

scenario('a call out over a TCP trunk: tones are heard both ways', async () => {
  const { alice, trunk } = peers;
  await alice.call(`sip:${CALLER}@example.com`);
  const invite = await trunk.rings();
  check(invite.all('via')[0].startsWith('SIP/2.0/TCP'), `Via: ${invite.all('via')[0]}`);
  await trunk.answer();
  await alice.sees('confirmed');
  await bothHear();
  await alice.hangUp();
  await trunk.hungUp();
}, ours);

const STREAM = `OPTIONS sip:{{gateway}} SIP/2.0
Via: SIP/2.0/TCP {{me}};branch=z9hG4bK{{id}}a
Max-Forwards: 70
From: <sip:{{me}}>;tag=c06
To: <sip:{{gateway}}>
Call-ID: {{id}}a
CSeq: 1 OPTIONS
Content-Length: 0

MESSAGE sip:${ALICE.numbers[0]}@{{gateway}} SIP/2.0
Via: SIP/2.0/TCP {{me}};branch=z9hG4bK{{id}}b
Max-Forwards: 70
From: <sip:${CALLER}@{{me}}>;tag=c06
To: <sip:${ALICE.numbers[0]}@{{gateway}}>
Call-ID: {{id}}b
CSeq: 1 MESSAGE
Content-Type: text/plain;charset=utf-8
Content-Length: !40

line 1

OPTIONS sip:x SIP/2.0

caf{{hex c3 a9}}OPTIONS sip:{{gateway}} SIP/2.0
Via: SIP/2.0/TCP {{me}};branch=z9hG4bK{{id}}c
Max-Forwards: 70
From: <sip:{{me}}>;tag=c06
To: <sip:{{gateway}}>
Call-ID: {{id}}c
CSeq: 1 OPTIONS
Content-Length: 0

`;

scenario('a stream cut anywhere gives the same three messages; a double CRLF is answered', async ({ defer }) => {
  const { gateway } = peers;
  const agent = await sipAgent({ transport: 'tcp', name: 'framing', peer: gateway.sip });
  defer(() => agent.close());
  const bytes = (id) => {
    // the lengths of the text are meant as written: Content-Length is put right by hand
    const text = STREAM.replaceAll('{{id}}', id).replaceAll('{{gateway}}', `${gateway.sip.host}:${gateway.sip.port}`).replaceAll('{{me}}', agent.address);
    return Buffer.from(fillTemplate(text, {}).toString('latin1').replace(/Content-Length: \d+/, 'Content-Length: 0').replace(/Content-Length: !40/, 'Content-Length: 40'), 'latin1');
  };
  const answered = async (id) => {
    for (const part of 'abc') await agent.expect((m) => m.status >= 200 && m.callId === `${id}${part}`, { within: 4000 });
  };
  agent.transport.socket.setNoDelay(true);
  agent.sendRaw(Buffer.concat([Buffer.from('\r\n\r\n'), bytes('whole')]));
  await answered('whole');
  for (const byte of bytes('single')) agent.sendRaw(Buffer.from([byte]));
  await answered('single');
  for (let cut = 100; cut < bytes('cut').length; cut += 97) {
    const all = bytes(`cut${cut}`);
    agent.sendRaw(all.subarray(0, cut));
    await pause(1); // so that the halves arrive apart
    agent.sendRaw(all.subarray(cut));
    await answered(`cut${cut}`);
  }
}, ours);

for (const [what, line] of [['no Content-Length', ''], ['a negative Content-Length', 'Content-Length: -1\r\n'], ['two Content-Lengths', 'Content-Length: 0\r\nContent-Length: 5\r\n'],
  ['an enormous Content-Length', 'Content-Length: 4294967297\r\n']]) {
  scenario(`on a stream, ${what}: refused or not answered, and the connection is closed`, async ({ defer }) => {
    const { gateway } = peers;
    const agent = await sipAgent({ transport: 'tcp', name: 'framing', peer: gateway.sip });
    defer(() => agent.close());
    agent.sendRaw(`OPTIONS sip:${gateway.sip.host} SIP/2.0\r\nVia: SIP/2.0/TCP ${agent.address};branch=z9hG4bKlen\r\nFrom: <sip:x>;tag=1\r\nTo: <sip:y>\r\n`
      + `Call-ID: len\r\nCSeq: 1 OPTIONS\r\n${line}\r\n`);
    await until('close of the connection', () => agent.isClosed, { within: 12000 });
    check(!agent.received.some((m) => m.status !== 400), `answered ${agent.received.map((m) => m.first)}`);
  }, ours);
}

scenario('a browser over WSS', async ({ defer }) => {
  const { chromium, gateway, trunk } = peers;
  const secureAlice = await chromium.phone({ ...gateway, wsUrl: gateway.wssUrl }, ALICE, { hz: 1500 });
  defer(() => secureAlice.close());
  await secureAlice.call(`sip:${CALLER}@example.com`);
  await trunk.rings();
  await trunk.answer();
  await secureAlice.sees('confirmed');
  trunk.rtp.sendTone({ hz: 1000 });
  await Promise.all([trunk.rtp.hears(1500), secureAlice.hears(1000)]);
  await secureAlice.hangUp();
  await trunk.hungUp();
}, ours);

scenario('a peer over TLS is answered', async ({ defer }) => {
  const agent = await sipAgent({ transport: 'tls', name: 'tls peer', peer: peers.gateway.tls, secure });
  defer(() => agent.close());
  agent.newRequest('OPTIONS', `sip:${peers.gateway.tls.host}:${peers.gateway.tls.port};transport=tls`);
  await agent.expect(200);
}, ours);
