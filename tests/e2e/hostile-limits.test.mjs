// SPDX-License-Identifier: Apache-2.0
// Limits on what one peer may cost: ports of refused calls, answers that nobody reads, lines in the log.
import fs from 'node:fs';
import { world, scenario, check, ALICE, CALLER } from './lib/scenario.mjs';
import { STRANGER, udpFrom, tcpFrom, vitals, settled, stillAlive, thirdRoundIsFlat, grown, isSanitized } from './lib/hostile.mjs';
import { rawWs } from './lib/hostile-ws.mjs';
import { browserSdp } from './lib/ws-phone.mjs';
import { until } from './lib/wait.mjs';

const peers = world({ scripted: [ALICE], gateway: { config: { log: { level: 'info', format: 'text' } } } });
const ours = { needs: 'b2bua' };

const options = (id, proto) => `OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/${proto} x.invalid;branch=z9hG4bK${id}\r\nFrom: <sip:x@example.com>;tag=1\r\n`
  + `To: <sip:x@example.com>\r\nCall-ID: ${id}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n`;

scenario('refused calls give their ports and peer connections back at once', async () => {
  const { alice, gateway, trunk } = peers;
  const before = vitals(gateway).fds;
  const bad = [browserSdp({ fingerprint: 'sha-256 00' }), browserSdp({ formats: [96], rtpmaps: { 96: 'evil/8000' } }), 'v=0', browserSdp().replace('m=audio 9', 'm=audio 0')];
  for (let n = 0; n < 120; n++) { // more than half of the range, so that a leak of pairs would use it up
    trunk.call(n % 2 ? '+12025550124' : '+19999999999', { port: 4000 });
    alice.sip.newRequest('INVITE', n % 3 ? `sip:${CALLER}@example.com` : 'sip:nobody@example.com', { from: `<${alice.aor}>`, body: bad[n % 4] });
    await until('the refusals', () => trunk.sip.received.filter((m) => m.status >= 300).length > n);
  }
  await until('the end of all calls', async () => await gateway.admin.metric('sipway_calls') === 0);
  for (const name of ['rtp_sessions', 'peer_connections']) check(await gateway.admin.metric(`sipway_${name}`) === 0, `${name} are left`);
  // some closed pairs may rest open for the next calls (net/ports.c): bounded, and they are good for calls
  const most = before + 2 + 256 * Number(process.env.SIPWAY_WORKERS ?? 1);
  check(vitals(gateway).fds <= most, `${before} descriptors before, ${vitals(gateway).fds} after`);
  trunk.sip.reset();
  await alice.call(CALLER);
  await trunk.rings();
  trunk.sip.reply(486);
  await until('the refusal', () => alice.sip.received.at(-1).status === 486);
}, { needs: 'b2bua' });

scenario('who sends requests and reads no answer is cut off at 1 MiB, over TCP and WebSocket; nobody else feels it', async ({ defer }) => {
  const { alice, gateway } = peers;
  const before = vitals(gateway).rss;
  const tcp = await tcpFrom(gateway.sip, { defer });
  const ws = await rawWs(gateway, { defer, localAddress: STRANGER });
  for (const [one, proto, write] of [[tcp, 'TCP', (text) => tcp.socket.write(text)], [ws, 'WS', (text) => ws.send(text)]]) {
    one.socket.pause();
    let isCut = false;
    one.socket.on('error', () => { isCut = true; });
    for (let n = 0; n < 100000 && !isCut && !one.socket.destroyed; n++) {
      write(options(`${proto}${n}`, proto));
      if (n % 500 === 0) await new Promise((done) => setImmediate(done));
      if (one.socket.writableLength > 4e6) await until('room or the end', () => isCut || one.socket.destroyed || one.socket.writableLength < 1e6).catch(() => {});
    }
    check(isCut || one.socket.destroyed, `${proto}: 100,000 answers were kept for a client that does not read`);
  }
  check(isSanitized() || vitals(gateway).rss < before + 12e6, `memory grew by ${vitals(gateway).rss - before}`);
  check(await gateway.admin.metric('sipway_websocket_overrun_total') >= 1, 'the WebSocket was not closed for its queue');
  await alice.register();
  await stillAlive(gateway);
}, ours);

scenario('a flood of malformed datagrams is counted and does not fill the log', async ({ defer }) => {
  const { gateway } = peers;
  const stranger = await udpFrom(STRANGER, defer);
  const size = () => fs.statSync(gateway.program.logFile).size;
  const before = size();
  const { sip_malformed_total: malformed } = await grown(gateway, ['sip_malformed_total'], () => thirdRoundIsFlat(gateway, async () => {
    for (let n = 0; n < 2000; n++) await stranger.send(Buffer.from(`INVITE sip:${n} SIP/9\r\nVia: SIP/2.0/UDP x\r\nFrom: \x1b[2J\r\n\r\n`), gateway.sip);
  }));
  await settled(gateway);
  check(malformed > 4000, `${malformed} were counted`);
  check(size() - before < 100000, `the log grew by ${size() - before} bytes`);
  check(!fs.readFileSync(gateway.program.logFile, 'latin1').includes('\x1b'), 'an escape sequence is in the log');
}, ours);
