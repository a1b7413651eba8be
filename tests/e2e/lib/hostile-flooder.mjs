// SPDX-License-Identifier: Apache-2.0
// A flood from a process of its own, so that the test's own ears are not slowed: node hostile-flooder.mjs '{json}'
//   {host, port, from, method, to, perSecond, ms}   prints the number of datagrams sent
import dgram from 'node:dgram';
import { fileURLToPath } from 'node:url';
import { start } from './proc.mjs';

/** @returns {Promise<number>} datagrams sent */
export async function flood(options) {
  const one = start('flooder', process.execPath, [fileURLToPath(import.meta.url), JSON.stringify(options)]);
  const [, count] = await one.waitOutput(/sent (\d+)/, { within: options.ms + 10000 });
  await one.exited;
  return Number(count);
}

function message({ method, to, from, host, port }, n) {
  const id = `${process.pid}x${n}`;
  const body = method === 'INVITE' ? 'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n' : '';
  return [
    `${method} sip:${to}@${host}:${port} SIP/2.0`, `Via: SIP/2.0/UDP ${from}:5999;branch=z9hG4bK${id};rport`, 'Max-Forwards: 70',
    `From: <sip:flood${n}@${from}>;tag=f${id}`, `To: <sip:${to}@${host}>`, `Call-ID: ${id}@${from}`, `CSeq: 1 ${method}`,
    `Contact: <sip:flood@${from}:5999>`, ...(body ? ['Content-Type: application/sdp'] : []), `Content-Length: ${body.length}`, '', body,
  ].join('\r\n');
}

function run(options) {
  const socket = dgram.createSocket('udp4');
  const begin = performance.now();
  let sent = 0;
  socket.on('error', () => {});
  socket.bind(0, options.from, () => {
    const timer = setInterval(() => {
      const passed = performance.now() - begin;
      const due = (Math.min(passed, options.ms) * options.perSecond) / 1000;
      for (let n = 0; sent < due && n < 400; n++) socket.send(message(options, sent++), options.port, options.host);
      if (passed < options.ms) return;
      clearInterval(timer);
      setTimeout(() => {
        console.log(`sent ${sent}`);
        socket.close();
      }, 20);
    }, 2);
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) run(JSON.parse(process.argv[2]));
