// SPDX-License-Identifier: Apache-2.0
// Debian's kamailio with rtpengine as the gateway: the harness is proved against it, and the benchmarks measure it beside
// ours. Both run in user space, as the current user, on free loopback ports, and are ended by the process ids they wrote.
import fs from 'node:fs';
import path from 'node:path';
import dgram from 'node:dgram';
import { execFileSync } from 'node:child_process';
import { program, start, folder } from './proc.mjs';
import { freePort, freePorts } from './ports.mjs';
import { gatewayConfig } from './kamailio-config.mjs';

/** @param {object} options
 *    accounts [{name, password, numbers}]    trunks [{name, host, port}] (the first one is used)
 *    children      kamailio processes per socket (default 2)      threads  rtpengine worker threads (default 2)
 *    rtpPorts      size of the RTP range (default 200; 4 per call)
 *  @returns {Promise<Gateway>} the same shape as startSipway() */
export async function startPeerGateway({ accounts = [], trunks = [], domain = 'example.com', children, threads = 2, rtpPorts = 200 } = {}) {
  const runDir = folder('peer-gateway');
  const rtpengine = await startRtpengine(runDir, threads, rtpPorts);
  const [wsPort, udpPort] = [await freePort(), await freePort()];
  const kamailio = await startKamailio('kamailio', runDir, gatewayConfig({
    wsPort, udpPort, ngPort: rtpengine.ngPort, runDir, domain, accounts, children, trunk: trunks[0],
  }), udpPort);
  return {
    name: 'kamailio',
    domain,
    wsUrl: `ws://127.0.0.1:${wsPort}/`,
    sip: { host: '127.0.0.1', port: udpPort },
    runDir,
    programs: [kamailio, rtpengine],
    /** every process of the gateway, for CPU and memory figures */
    pids: () => [kamailio, rtpengine].flatMap((one) => familyOf(one.pid)),
    async stop() {
      await kamailio.stop();
      await rtpengine.stop();
    },
  };
}

async function startRtpengine(runDir, threads, rtpPorts) {
  const binary = program('rtpengine');
  const ngPort = await freePort();
  const block = await freePorts(Math.min(rtpPorts, 400), 2);
  const highest = block[0] + rtpPorts - 1;
  const pidFile = path.join(runDir, 'rtpengine.pid');
  const one = start('rtpengine', binary, [
    '--config-file=none', '--foreground', '--log-stderr', '--log-level=4', '--table=-1', `--pidfile=${pidFile}`,
    '--interface=127.0.0.1', `--listen-ng=127.0.0.1:${ngPort}`, `--num-threads=${threads}`,
    `--port-min=${block[0]}`, `--port-max=${highest}`, '--timeout=60', '--delete-delay=0', '--dtls-ciphers=DEFAULT:!NULL:!aNULL',
  ]);
  one.ngPort = ngPort;
  await one.waitFor('answer of rtpengine to a ping', () => answers(ngPort, '1 d7:command4:pinge'));
  return one;
}

/** Start a kamailio with this configuration and wait until it answers OPTIONS on its UDP port. */
export async function startKamailio(name, runDir, config, udpPort) {
  const binary = program('kamailio');
  const file = path.join(runDir, `${name}.cfg`);
  fs.writeFileSync(file, config);
  const one = start(name, binary, ['-DD', '-E', '-f', file, '-P', path.join(runDir, `${name}.pid`), '-Y', runDir, '-m', '128', '-M', '8']);
  await one.waitFor(`answer of ${name} to OPTIONS`, () => answers(udpPort, (port) => [
    `OPTIONS sip:127.0.0.1:${udpPort} SIP/2.0`, `Via: SIP/2.0/UDP 127.0.0.1:${port};branch=z9hG4bKready${Date.now()};rport`,
    'From: <sip:ready@127.0.0.1>;tag=1', `To: <sip:127.0.0.1:${udpPort}>`, `Call-ID: ready-${Date.now()}`, 'CSeq: 1 OPTIONS',
    'Max-Forwards: 1', 'Content-Length: 0', '', ''].join('\r\n')));
  return one;
}

/** Does somebody answer this datagram within 200 ms? */
function answers(port, text) {
  return new Promise((done) => {
    const socket = dgram.createSocket('udp4');
    const finish = (value) => {
      clearTimeout(timer);
      socket.close();
      done(value);
    };
    const timer = setTimeout(() => finish(false), 200);
    socket.on('message', () => finish(true)).on('error', () => finish(false));
    socket.bind(0, '127.0.0.1', () => {
      socket.send(typeof text === 'function' ? text(socket.address().port) : text, port, '127.0.0.1');
    });
  });
}

/** A process and all its descendants. */
export function familyOf(pid) {
  const rows = execFileSync('ps', ['-e', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const family = [pid];
  for (let i = 0; i < family.length; i++) family.push(...rows.filter(([, parent]) => parent === family[i]).map(([child]) => child));
  return family;
}
