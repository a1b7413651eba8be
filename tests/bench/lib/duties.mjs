// SPDX-License-Identifier: Apache-2.0
// duties.mjs: what trunks, phones and watchers cost beside calls: a trunk's registration, OPTIONS and session timers; refreshes; presence.
// The peer gateway has none of it as it is configured here: Sipway alone is measured, against itself or against an aim.
import dgram from 'node:dgram';
import fs from 'node:fs';
import path from 'node:path';
import { between, runLoad } from './load.mjs';
import { freePort, sample, start, stop, until } from './proc.mjs';

const sipp = path.join(path.dirname(new URL(import.meta.url).pathname), '../sipp');

/** The called side, in this process: calls are answered at once, REGISTER after a challenge, OPTIONS too. */
async function callee(address, { timer = false } = {}) {
  const [host, port] = address.split(':');
  const socket = dgram.createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
  const counts = {};
  const sdp = `v=0\r\no=callee 1 1 IN IP4 ${host}\r\ns=-\r\nc=IN IP4 ${host}\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n`;
  const session = timer ? 'Require: timer\r\nSupported: timer\r\nSession-Expires: 1800;refresher=uac\r\n' : '';
  socket.on('message', (data, from) => {
    const text = data.toString();
    const method = text.slice(0, text.indexOf(' '));
    if (method === 'SIP/2.0' || method === 'ACK' || text.trim() === '') return;
    counts[method] = (counts[method] ?? 0) + 1;
    const line = (name) => [...text.matchAll(new RegExp(`^${name}:.*\r\n`, 'gim'))].map(([one]) => one).join('');
    const copied = line('Via') + line('From') + line('To').replace('\r\n', /;tag=/.test(line('To')) ? '\r\n' : ';tag=c\r\n')
      + line('Call-ID') + line('CSeq') + line('Record-Route');
    const reply = (status, more = '', body = '') => socket.send(
      `SIP/2.0 ${status}\r\n${copied}${more}${body && 'Content-Type: application/sdp\r\n'}Content-Length: ${body.length}\r\n\r\n${body}`, from.port, from.address);
    const contact = `Contact: <sip:callee@${host}:${port}>\r\n`;
    if (method === 'INVITE') {
      reply('180 Ringing', contact);
      reply('200 OK', contact + session, sdp);
    } else if (method === 'REGISTER' && !line('Authorization')) {
      reply('401 Unauthorized', 'WWW-Authenticate: Digest realm="callee", nonce="n1", algorithm=MD5, qop="auth"\r\n');
    } else {
      reply('200 OK', method === 'REGISTER' ? `${line('Contact').replace('\r\n', '')};expires=60\r\n` : '');
    }
  });
  await new Promise((resolve, reject) => socket.once('error', reject).bind(Number(port), host, resolve));
  return { counts, close: () => socket.close() };
}

// one row of SIPp's statistics file as { name: value }
function lastRow(file) {
  const lines = fs.readFileSync(file, 'utf8').trim().split('\n').map((line) => line.split(';'));
  return Object.fromEntries(lines[0].map((name, i) => [name, lines.at(-1)[i]]));
}

/** Calls through one gateway. @returns {cpuUs, done, failed} */
async function calls(env, gateway, { rate, seconds, name }) {
  const stats = `${env.dir}/duties-${name}.csv`;
  fs.rmSync(stats, { force: true });
  const from = sample(gateway);
  const uac = start('sipp', [`127.0.0.1:${gateway.sipPort}`, '-sf', `${sipp}/uac.xml`, '-s', '15550100', '-i', env.peers.sippIp,
    '-p', String(await freePort(env.peers.sippIp)), '-r', String(rate), '-m', String(rate * seconds), '-timeout', `${seconds + 20}`,
    '-trace_stat', '-stf', stats, '-fd', '1', '-nostdin', '-mi', '127.0.0.5', '-max_socket', '100'], `${env.dir}/duties-uac.log`);
  await uac.ended;
  const done = Number(lastRow(stats)['SuccessfulCall(C)']);
  return { cpuUs: between(from, sample(gateway)).cpuUs, done, failed: rate * seconds - done };
}

/** A plain call has no session timer. (On the other trunk the callee asks for one, and the gateway is the refresher.) */
export const plainConfig = '  session_expires: 0\n';

/** The same calls over a trunk by address and over one that is registered at, asked by OPTIONS each second, and has session timers; in turns,
 *  so that both have the same machine. */
export async function trunkDuties(env, gateway, { rate, seconds, rounds }, startMore) {
  const host = env.peers.sippUas.split(':')[0];
  const plain = await callee(env.peers.sippUas);
  const address = `${host}:${await freePort(host)}`;
  const dutiful = await callee(address, { timer: true });
  const other = await startMore(env, { ...env.peers, sippUas: address },
    { calleeKeys: 'max_calls: 10000, max_cps: 10000, codecs: [PCMU, PCMA], options_every: 1, register: true, username: callee, password: secret' });
  const sums = { plain: { cpuUs: 0, done: 0, failed: 0 }, dutiful: { cpuUs: 0, done: 0, failed: 0 } };
  try {
    await until('registration at the trunk', () => dutiful.counts.REGISTER >= 2 && dutiful.counts.OPTIONS >= 1);
    for (let i = 0; i < 2 * rounds; i++) {
      const name = i % 2 ? 'dutiful' : 'plain';
      const one = await calls(env, name === 'plain' ? gateway : other, { rate, seconds, name: `${name}${i}` });
      for (const key of Object.keys(one)) sums[name][key] += one[key];
    }
  } finally {
    await other.stop();
    plain.close();
    dutiful.close();
  }
  const cost = (sum) => sum.cpuUs / 1000 / sum.done;
  return {
    'duties.plain_ms_per_call': cost(sums.plain),
    'duties.ms_per_call': cost(sums.dutiful),
    'duties.ratio': cost(sums.dutiful) / cost(sums.plain),
    'duties.calls_failed': sums.plain.failed + sums.dutiful.failed,
    'duties.requests': dutiful.counts.REGISTER + dutiful.counts.OPTIONS,
  };
}

/** What the gateway of refresh() is configured with: one worker, and as many trunks that register. */
export const refreshConfig = ({ trunks }) => ({ workers: 1, registering: trunks, sip: '  min_expires: 10\n' });

/** Phones behind a NAT and trunks that refresh at half of their time, for a while, on one worker. */
export async function refresh(env, gateway, { users, trunks, rate, expires, seconds }) {
  const marks = await runLoad(env.programs, gateway, 'phones', {
    'sip-port': gateway.sipPort, 'trunk-ip': env.ports.trunkIp, 'trunk-port': env.ports.trunk, users, calls: trunks, rate, expires, seconds,
  }, 60 + seconds + users / rate);
  const { end } = marks;
  const cost = between(marks.start, end);
  return {
    'refresh.late': end.late + end.trunk_late,
    'refresh.cores': cost.cpuUs / 1e6 / cost.seconds,
    'refresh.ms_per_refresh': cost.cpuUs / 1000 / (end.refreshed + end.trunk_refreshed),
    'refresh.phones_per_second': end.refreshed / cost.seconds,
    'refresh.trunks_per_second': end.trunk_refreshed / cost.seconds,
    'refresh.pings_per_second': end.pings / cost.seconds,
    'refresh.answer_p50_ms': end.answer_ms.p50,
    'refresh.answer_p99_ms': end.answer_ms.p99,
    'refresh.refused': end.refused + end.repeated,
  };
}

/** Watchers of one account, many on each phone: how long until all know of a change? What this process takes to read it is in it. */
export async function presence(env, gateway, { watchers, connections, changes }) {
  const { sipAgent } = await import('../../e2e/lib/sip-agent.mjs');
  const domain = 'bench.test';
  const peer = { host: '127.0.0.1', port: gateway.sipPort };
  const agents = await Promise.all(Array.from({ length: connections + 1 }, (_, i) => sipAgent({ name: `agent ${i}`, peer, domain, host: '127.0.0.6' })));
  agents.forEach((agent, i) => { agent.user = `u${String(i).padStart(5, '0')}`; agent.auto.NOTIFY = 200; });
  const [account, ...desks] = agents;
  const told = (pattern) => desks.reduce((sum, desk) => sum + desk.received.filter((m) => m.method === 'NOTIFY' && pattern.test(m.body)).length, 0);
  const register = async (expires) => {
    const answer = await account.register({ username: account.user, password: 'secret', expires });
    if (answer.status !== 200) throw new Error(`presence: ${answer.first}`);
  };
  for (let i = 0; i < watchers; i++) await subscribe(desks[i % connections], `sip:${account.user}@${domain}`, domain);
  await until(`${watchers} subscriptions`, () => told(/./) >= watchers);
  let slowest = 0;
  const from = sample(gateway);
  for (let i = 0; i < changes; i++) {
    desks.forEach((desk) => desk.reset());
    const began = performance.now();
    await register(i % 2 ? 0 : 600);
    await until(`${watchers} NOTIFYs`, () => told(i % 2 ? /<basic>closed</ : /<basic>open</) >= watchers);
    slowest = Math.max(slowest, performance.now() - began);
  }
  const cost = between(from, sample(gateway));
  agents.forEach((agent) => agent.close());
  return { 'presence.told_ms': slowest, 'presence.us_per_notify': cost.cpuUs / (watchers * changes), 'presence.watchers': watchers };
}

async function subscribe(desk, uri, domain) {
  const request = desk.newRequest('SUBSCRIBE', uri, { from: `<sip:${desk.user}@${domain}>`, headers: [['Event', 'presence'], ['Expires', '600']] });
  const isAnswer = (m) => m.status >= 200 && m.callId === request.callId && m.cseq.method === 'SUBSCRIBE';
  const first = await desk.expect(isAnswer);
  if (first.status === 401) desk.retryWithCredentials(request, first, { username: desk.user, password: 'secret' });
  const answer = first.status === 401 ? await desk.expect(isAnswer) : first;
  if (answer.status >= 300) throw new Error(`presence: a subscription was answered ${answer.first}`);
}
