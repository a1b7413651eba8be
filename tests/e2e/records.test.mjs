// SPDX-License-Identifier: Apache-2.0
// Call records leave the house: complete, as JSON lines to a file and to an endpoint; nothing is lost while that is down, or
// while the gateway is.
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { scenario, check, ALICE, CALLER } from './lib/scenario.mjs';
import { startGateway } from './lib/gateway.mjs';
import { scriptedPhone } from './lib/phone.mjs';
import { wsPhone } from './lib/ws-phone.mjs';
import { startChromium } from './lib/chromium.mjs';
import { freePort } from './lib/ports.mjs';
import { until } from './lib/wait.mjs';

const ours = { needs: 'b2bua' };

/** An HTTP endpoint that keeps what it accepts; `answer` may say another status. */
async function endpoint(port) {
  const it = { requests: [], records: [], answer: () => 204 };
  it.server = http.createServer((request, response) => {
    let body = '';
    request.on('data', (data) => { body += data; }).on('end', () => {
      const records = body.trim().split('\n').map((line) => JSON.parse(line));
      const status = it.answer(records);
      it.requests.push({ headers: request.headers, method: request.method, url: request.url, records, status });
      if (status < 300) it.records.push(...records);
      response.writeHead(status).end();
    });
  });
  await new Promise((done, fail) => it.server.once('error', fail).listen(port, '127.0.0.1', done));
  it.close = () => { it.server.closeAllConnections(); it.server.close(); };
  return it;
}

async function start(defer, config) {
  const trunk = await scriptedPhone({ name: 'trunk' });
  const gateway = await startGateway({ accounts: [ALICE], trunks: [{ name: 'carrier', host: trunk.sip.host, port: trunk.sip.port }], config });
  trunk.sip.peer = gateway.sip;
  const alice = await wsPhone(gateway, ALICE);
  defer(async () => { alice.close(); trunk.close(); await gateway.stop(); });
  return { trunk, gateway, alice };
}

/** A call that the trunk refuses: a record. */
async function refusedCall({ alice, trunk }, number) {
  await alice.call(number);
  await trunk.rings();
  trunk.sip.reply(486);
  await alice.sip.expect(486);
}

const callees = (records) => records.map((one) => one.callee).join(' ');

scenario('a talk: both sides, codecs, packets, loss, score, times, who ended it', async ({ defer }) => {
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'sipway-records-')), 'cdr.jsonl');
  const trunk = await scriptedPhone({ name: 'trunk' });
  const gateway = await startGateway({ accounts: [ALICE], trunks: [{ name: 'carrier', host: trunk.sip.host, port: trunk.sip.port }], config: { cdr: { file } } });
  const chromium = await startChromium();
  defer(async () => { await chromium.close(); trunk.close(); await gateway.stop(); fs.rmSync(path.dirname(file), { recursive: true }); });
  trunk.sip.peer = gateway.sip;
  const alice = await chromium.phone(gateway, ALICE, { hz: 700 });
  await alice.call(CALLER);
  await trunk.rings();
  await trunk.answer();
  trunk.rtp.sendTone({ hz: 440 });
  await trunk.rtp.hears(700);
  await trunk.rtp.receives(120, { within: 10000 });
  trunk.rtp.seq += 30; // lost on the way
  await until('a second of talk more', async () => trunk.rtp.packets.length > 180);
  trunk.sip.inDialog('BYE');
  await trunk.sip.expect(200);
  const row = await until('the record', () => fs.existsSync(file) && JSON.parse(fs.readFileSync(file, 'utf8')));
  const wanted = { caller: ALICE.numbers[0], callee: CALLER, account: 'alice', trunk: 'carrier', direction: 'out', status: 200, ended_by: 'callee',
    in_kind: 'browser', in_name: 'alice', out_kind: 'trunk', out_name: 'carrier', out_peer: CALLER, in_codec: 'PCMU', out_codec: 'PCMU', out_status: 200 };
  for (const [key, value] of Object.entries(wanted)) check(row[key] === value, `${key}: ${row[key]}, wanted ${value} in ${JSON.stringify(row)}`);
  check(row.out_lost === 30, `out_lost: ${row.out_lost}`);
  check(row.in_packets > 150 && row.out_packets > 150 && row.in_sent > 150 && row.out_sent > 150, `packets: ${JSON.stringify(row)}`);
  check(row.in_mos_x100 > 420 && row.out_mos_x100 > 100 && row.out_mos_x100 < row.in_mos_x100, `scores: ${row.in_mos_x100} ${row.out_mos_x100}`);
  check(row.setup_ms >= 0 && row.duration_ms > 2000 && row.answered >= row.started && row.ended > row.answered, `times: ${JSON.stringify(row)}`);
  check(row.out_remote === `UDP ${trunk.sip.host}:${trunk.sip.port}`, `out_remote: ${row.out_remote}`);
}, ours);

scenario('an endpoint that is down gets everything later, in order, with its token; also after a restart of the gateway', async ({ defer }) => {
  const port = await freePort();
  const state = fs.mkdtempSync(path.join(os.tmpdir(), 'sipway-records-'));
  defer(() => fs.rmSync(state, { recursive: true }));
  const config = { state, cdr: { http: `http://127.0.0.1:${port}/calls`, token: 'billing-secret' } };
  const first = await start(() => {}, config);
  await refusedCall(first, '1001');
  await refusedCall(first, '1002');
  await until('a failed try', async () => (await first.gateway.admin.metric('sipway_cdr_export_failed_total')) >= 1);
  first.alice.close();
  first.trunk.close();
  await first.gateway.stop();
  const second = await start(defer, config);
  await refusedCall(second, '1003');
  const billing = await endpoint(port);
  defer(() => billing.close());
  await until('three records', () => billing.records.length >= 3);
  check(callees(billing.records) === '1001 1002 1003', `records: ${callees(billing.records)}`);
  const [request] = billing.requests;
  check(request.method === 'POST' && request.url === '/calls' && request.headers.authorization === 'Bearer billing-secret', JSON.stringify(request));
  check(request.headers['content-type'] === 'application/x-ndjson', request.headers['content-type']);
  await refusedCall(second, '1004');
  await until('the next one at once', () => billing.records.length === 4);
  await until('4 as cdr_exported_total', async () => (await second.gateway.admin.metric('sipway_cdr_exported_total')) === 4);
  check(!second.gateway.program.output.includes('billing-secret'), 'the token is in the log');
}, { ...ours, timeout: 60000 });

scenario('a record that the endpoint refuses for good does not hold up the others', async ({ defer }) => {
  const billing = await endpoint(0);
  billing.answer = (records) => (records.some((one) => one.callee === '2002') ? 422 : 200);
  const port = billing.server.address().port;
  defer(() => billing.close());
  const it = await start(defer, { cdr: { http: `http://127.0.0.1:${port}/` } });
  for (const number of ['2001', '2002', '2003']) await refusedCall(it, number);
  await until('the other two', () => billing.records.length === 2);
  check(callees(billing.records) === '2001 2003', `records: ${callees(billing.records)}`);
  await until('1 as cdr_export_refused_total', async () => (await it.gateway.admin.metric('sipway_cdr_export_refused_total')) === 1);
}, ours);

scenario('reload: records go to the new place from then on', async ({ defer }) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sipway-records-'));
  defer(() => fs.rmSync(folder, { recursive: true }));
  const it = await start(defer, { cdr: { file: path.join(folder, 'one.jsonl') } });
  const lines = (name) => (fs.existsSync(path.join(folder, name)) ? fs.readFileSync(path.join(folder, name), 'utf8').trim().split('\n').map(JSON.parse) : []);
  await refusedCall(it, '3001');
  await until('a line in the first file', () => lines('one.jsonl').length === 1);
  it.gateway.reload((text) => text.replace('one.jsonl', 'two.jsonl'));
  await it.gateway.program.waitOutput(/reload: done/);
  await refusedCall(it, '3002');
  await until('a line in the second file', () => lines('two.jsonl').length === 1);
  check(callees(lines('one.jsonl')) === '3001' && callees(lines('two.jsonl')) === '3002', 'the lines are in the wrong files');
}, ours);
