// SPDX-License-Identifier: Apache-2.0
// Rude clients of the TCP and web listeners: broken frames and requests, lies about lengths, slow and silent connections.
import { world, scenario, check, ALICE, BOB } from './lib/scenario.mjs';
import { STRANGER, tcpFrom, strangerAt, seeded, mutate, webPeer, vitals, stillAlive, thirdRoundIsFlat } from './lib/hostile.mjs';
import { rawWs, handshake, frame } from './lib/hostile-ws.mjs';
import { wsPhone } from './lib/ws-phone.mjs';
import { startGateway } from './lib/gateway.mjs';
import { goldenMessages } from './lib/hostile-golden.mjs';
import { until, patience } from './lib/wait.mjs';

const peers = world({ scripted: [ALICE], trunk: {}, gateway: { config: { log: { level: 'info', format: 'text' } } } });
const ours = { needs: 'b2bua' };

const options = (id, more = '') => `OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP ${STRANGER}:9;branch=z9hG4bK${id}\r\nFrom: <sip:x@y>;tag=1\r\nTo: <sip:x@y>\r\n`
  + `Call-ID: ${id}\r\nCSeq: 1 OPTIONS\r\n${more}`;

async function endsWith(one, status, what, within = 3000) {
  await until(`${what}: the end of the connection (it said: ${one.text.slice(0, 200)})`, () => one.closedAfter !== undefined, { within });
  const said = [...one.text.matchAll(/(?:SIP\/2\.0|HTTP\/1\.1) (\d+)/g)].map((m) => Number(m[1]));
  check(status === undefined ? !said.length : said.length === 1 && said[0] === status, `${what}: said ${said}, expected ${status}`);
}

scenario('2,000 silent connections of one address: 200 are kept for each listener, and others get in at once', async () => {
  peers.slow = await startGateway({ accounts: [BOB], config: { log: { level: 'info', format: 'text' } } });
  peers.rude = await slowClients(peers.slow);
  peers.crowd = await silentCrowd(peers.slow);
}, ours);

/** Clients that drip their message: {what: [connection, the latest end in ms]}. */
async function slowClients(gateway) {
  const [sip, web] = [gateway.sip, webPeer(gateway)];
  const [slowSip, slowHttp, slowBody] = [await tcpFrom(sip), await tcpFrom(web), await tcpFrom(web)];
  const [half, fragments] = [await rawWs(gateway, { localAddress: STRANGER }), await rawWs(gateway, { localAddress: STRANGER })];
  slowBody.socket.write('POST /phone.json HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n');
  half.socket.write(Buffer.from([0x81]));
  fragments.send('OPTIONS ', { fin: false });
  const texts = [options('slow', 'Content-Length: 0\r\n\r\n'), 'GET / HTTP/1.1\r\nX-Slow: '];
  let at = 0;
  const drip = setInterval(() => {
    slowSip.socket.write(texts[0][at % 60]);
    slowHttp.socket.write(texts[1][at] ?? 'a');
    slowBody.socket.write('a');
    fragments.send('a', { fin: false, opcode: 0 });
    at++;
  }, 400);
  return {
    drip,
    ends: { 'a slow SIP message': [slowSip, 12500], 'a slow HTTP request': [slowHttp, 16000], 'a slow HTTP body': [slowBody, 16000],
      'a message in slow fragments': [fragments, 12500], 'half a frame': [half, 33000] },
  };
}

/** 2,000 silent connections of one address, half to each listener; meanwhile others must get in. */
async function silentCrowd(gateway) {
  const address = '127.0.0.9';
  const crowd = [];
  for (let n = 0; n < 20; n++) {
    const peer = n % 2 ? gateway.sip : webPeer(gateway);
    crowd.push(...await Promise.all(Array.from({ length: 100 }, () => tcpFrom(peer, { localAddress: address }))));
    if (n % 5 !== 4) continue;
    const begin = performance.now();
    const other = await wsPhone(gateway, BOB, { options: { localAddress: '127.0.0.10' } });
    check(performance.now() - begin < 1500 * patience, `another got in after ${performance.now() - begin} ms`);
    other.close();
  }
  const workers = Number(process.env.SIPWAY_WORKERS ?? 1);
  await until('refusal of those above the limit', () => crowd.filter((one) => one.closedAfter === undefined).length <= 400 * workers);
  check(vitals(gateway).fds < 120 + 400 * workers, `${vitals(gateway).fds} descriptors`);
  return crowd;
}

scenario('SIP over TCP: two Content-Lengths, a bad, a missing, a huge one: 400 or nothing, and the connection ends', async ({ defer }) => {
  const { gateway } = peers;
  const tries = [
    ['two that differ', 'Content-Length: 0\r\nContent-Length: 5\r\n\r\nhello', 400],
    ['two that agree are one', 'Content-Length: 0\r\nl: 0\r\n\r\n', null],
    ['not a number', 'Content-Length: 0x10\r\n\r\n', 400],
    ['negative', 'Content-Length: -5\r\n\r\n', 400],
    ['none', '\r\n', 400],
    ['above 2^32', `Content-Length: ${2 ** 32 + 5}\r\n\r\nhello`, 400],
    ['above 2^64', 'Content-Length: 18446744073709551621\r\n\r\nhello', 400],
    ['larger than a message may be', 'Content-Length: 70000\r\n\r\n', [400, 413, 513, undefined]],
    ['a head without end', `X: ${'a'.repeat(70000)}`, [400, 513, undefined]],
  ];
  for (const [what, rest, status] of tries) {
    const one = await tcpFrom(gateway.sip, { defer });
    one.socket.write(options(what.replace(/\W/g, ''), rest));
    if (status === null) {
      await until(`an answer: ${what}`, () => /SIP\/2\.0 (4\d\d)/.test(one.text));
      one.socket.destroy();
    } else if (Array.isArray(status)) {
      await until(`the end: ${what}`, () => one.closedAfter !== undefined, { within: 3000 });
    } else {
      await endsWith(one, status, what);
    }
  }
}, ours);

scenario('WebSocket: what RFC 6455 and RFC 7118 forbid closes this connection only, with the right code', async ({ defer }) => {
  const { gateway, alice } = peers;
  const open = () => rawWs(gateway, { defer, localAddress: STRANGER });
  const wrong = [];
  const ends = async (what, send, codes) => {
    const one = await open();
    check(one.status === 101, `handshake: ${one.text}`);
    send(one);
    const code = await one.closeCode().catch(() => 'nothing');
    wrong.push(...(codes.includes(code) ? [] : [`${what}: closed with ${code}, expected ${codes}`]));
    one.socket.destroy();
  };
  await ends('a message above 64 KiB', (one) => one.send('a'.repeat(66000)), [1009, 0]);
  await ends('a claim of 2^40 bytes', (one) => one.send('abc', { length: 2 ** 40 }), [1009, 0]);
  await ends('many fragments above 64 KiB', (one) => {
    one.send('a'.repeat(40000), { fin: false });
    one.send('a'.repeat(40000), { opcode: 0 });
  }, [1009, 0]);
  // libwebsockets takes a frame without mask as it is (5.1 asks for a close); it must not be worse than one with a mask
  await ends('a frame without mask, and a reserved opcode', (one) => {
    one.send('OPTIONS', { masked: false });
    one.send('x', { opcode: 3 });
  }, [1002, 0]);
  await ends('bad UTF-8', (one) => one.send(Buffer.from([0x4f, 0xc3, 0x28, 0xff])), [1007, 0]);
  await ends('a reserved opcode', (one) => one.send('x', { opcode: 3 }), [1002, 0]);
  await ends('a reserved bit', (one) => one.send('x', { rsv: 4 }), [1002, 0]);
  await ends('a long ping', (one) => one.send('x'.repeat(200), { opcode: 9 }), [1002, 0]);
  await ends('a continuation of nothing', (one) => one.send('x', { opcode: 0 }), [1002, 0]);
  check(!wrong.length, wrong.join('; '));
  check(!alice.sip.isClosed, 'another connection was closed');
}, ours);

scenario('WebSocket: a binary frame with a good message is answered, one with noise is not, nobody falls', async ({ defer }) => {
  const { gateway } = peers;
  const one = await rawWs(gateway, { defer, localAddress: STRANGER });
  one.send(Buffer.from([0, 1, 2, 255, 254, 10, 13, 0]), { opcode: 2 });
  one.send(options('binary', 'Content-Length: 0\r\n\r\n'), { opcode: 2 });
  await until('an answer or the end', () => one.closedAfter !== undefined || one.frames().length);
  check(one.frames().every((f) => f.opcode === 8 || /^SIP\/2\.0 [45]/.test(f.payload.toString())), 'noise was answered with a success');
  await stillAlive(gateway);
}, ours);

scenario('WebSocket: wrong, missing or two subprotocols and a foreign Origin are not let in', async ({ defer }) => {
  for (const protocol of ['sips', 'SIP', '', 'janus', 'http', 'admin']) {
    const one = await rawWs(peers.gateway, { defer, protocol });
    check(one.status !== 101, `subprotocol '${protocol}' was let in`);
  }
  const both = await rawWs(peers.gateway, { defer, protocol: 'chat, sip' });
  check(both.status === 101 && /Protocol: sip\r/i.test(both.text), `'chat, sip': ${both.text}`);
}, ours);

scenario('WebSocket: only pages of web.origins may connect', async ({ defer }) => {
  const gateway = await startGateway({ accounts: [ALICE], config: { web: { origins: ['https://phone.example.com'] } } });
  defer(() => gateway.stop());
  for (const origin of ['https://evil.example.com', 'http://phone.example.com', 'https://phone.example.com.evil.com', 'https://phone.example.com:8443', 'null', `https://${'a'.repeat(600)}`, undefined]) {
    const one = await rawWs(gateway, { defer, origin });
    check(one.status !== 101, `origin ${origin} was let in`);
  }
  const right = await rawWs(gateway, { defer, origin: 'https://phone.example.com' });
  check(right.status === 101, `the right page was refused: ${right.text}`);
}, ours);

scenario('every golden SIP message over UDP, TCP and WebSocket from a stranger: no success, no crash', async ({ defer }) => {
  const { gateway, trunk } = peers;
  const stranger = await strangerAt(gateway, { defer });
  const heard = [];
  for (const { name, bytes } of goldenMessages()) {
    stranger.sendRaw(bytes);
    const tcp = await tcpFrom(gateway.sip);
    tcp.socket.write(bytes);
    const ws = await rawWs(gateway, { localAddress: STRANGER });
    ws.send(bytes);
    ws.send(bytes, { opcode: 2 });
    heard.push({ name, tcp, ws });
    if (heard.length >= 40) await judge(heard.splice(0));
  }
  await judge(heard);
  const good = stranger.received.filter((m) => m.status && m.status < 300);
  check(!good.length, `answered ${good.map((m) => m.first)}`);
  await trunk.sip.expectNone((m) => m.isRequest, 50);
  await stillAlive(gateway);
}, ours);

/** Nothing that a stranger said was successful; then hang up. */
async function judge(heard) {
  await stillAlive(peers.gateway);
  for (const { name, tcp, ws } of heard) {
    check(!/^SIP\/2\.0 [12]/m.test(tcp.text), `${name} over TCP: ${tcp.text}`);
    check(!ws.frames().some((f) => /^SIP\/2\.0 [12]/.test(f.payload.toString())), `${name} over WebSocket`);
    tcp.socket.destroy();
    ws.socket.destroy();
  }
}

scenario('mutated SIP over TCP and WebSocket, WebSocket frames and HTTP requests by three seeds: alive, memory and descriptors as before', async () => {
  const { gateway } = peers;
  const golden = goldenMessages().map((one) => one.bytes);
  const http = ['GET / HTTP/1.1\r\nHost: x\r\n\r\n', 'GET /phone.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', 'POST /reload HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    'GET /../../../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n', 'GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.0\r\n\r\n', `GET /${'a'.repeat(9000)} HTTP/1.1\r\n\r\n`, handshake()].map((text) => Buffer.from(text));
  const ends = [];
  await thirdRoundIsFlat(gateway, async (round) => {
    const random = seeded(50 + round);
    for (let n = 0; n < 60; n++) {
      const tcp = await tcpFrom(gateway.sip);
      for (let k = 0; k < 6; k++) tcp.socket.write(mutate(golden[random(golden.length)], random));
      const web = await tcpFrom(webPeer(gateway));
      web.socket.write(mutate(http[random(http.length)], random));
      const ws = await rawWs(gateway, { localAddress: STRANGER });
      for (let k = 0; k < 6; k++) ws.send(mutate(golden[random(golden.length)], random), { opcode: 1 + random(2), fin: random(5) > 0 });
      ws.socket.write(mutate(frame(golden[random(golden.length)]), random));
      ends.push(tcp, web, ws);
      if (ends.length > 60) {
        await stillAlive(gateway);
        ends.splice(0).forEach((one) => {
          check(!/root:/.test(one.text), 'a file outside of the pages was given out');
          one.socket.destroy();
        });
      }
    }
    ends.splice(0).forEach((one) => one.socket.destroy());
    await until('the end of the connections', async () => await gateway.admin.metric('sipway_sip_connections') === 0);
  }, { fds: 5000 });
  await stillAlive(gateway);
}, { ...ours, timeout: 60000 });

scenario('slow and silent clients were closed in their time: a message within 10 s, silence within 35 s', async ({ defer }) => {
  const { slow, rude, crowd } = peers;
  defer(async () => {
    clearInterval(rude.drip);
    crowd.forEach((one) => one.socket.destroy());
    await slow.stop();
  });
  await until('the end of every slow or silent connection', () => crowd.every((one) => one.closedAfter !== undefined)
    && Object.values(rude.ends).every(([one]) => one.closedAfter !== undefined), { within: 36000, every: 100 });
  for (const [what, [one, most]] of Object.entries(rude.ends)) check(one.closedAfter < most * Math.min(patience, 1.3), `${what} ended after ${one.closedAfter} ms`);
  const last = Math.max(...crowd.map((one) => one.closedAfter));
  check(last < 35000 * Math.min(patience, 1.3), `the last silent connection ended after ${last} ms`);
  await until('descriptors as before', () => vitals(slow).fds < 120);
  await stillAlive(slow);
}, { ...ours, timeout: 60000 });
