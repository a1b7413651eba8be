// SPDX-License-Identifier: Apache-2.0
// peer.mjs: Debian's kamailio and rtpengine on free loopback ports, as the peer to measure against.
import dgram from 'node:dgram';
import fs from 'node:fs';
import path from 'node:path';
import { answersHttp, freePort, start, stop, until } from './proc.mjs';

const here = path.dirname(new URL(import.meta.url).pathname);
const find = (...paths) => paths.find((p) => fs.existsSync(p));
const modules = find('/usr/lib/x86_64-linux-gnu/kamailio/modules', '/usr/lib/aarch64-linux-gnu/kamailio/modules');

function assertInstalled() {
  if (find('/usr/bin/rtpengine') && find('/usr/sbin/kamailio') && modules && fs.existsSync(`${modules}/websocket.so`)) return;
  throw new Error('the peer needs the packages kamailio, kamailio-websocket-modules and rtpengine-daemon');
}

function startRtpengine(dir, ports) {
  return start('/usr/bin/rtpengine', [
    '--config-file=none', '--table=-1', '--foreground', '--log-stderr', '--log-level=3',
    '--interface=127.0.0.1', `--listen-ng=127.0.0.1:${ports.ng}`, `--port-min=${ports.rtp}`, `--port-max=${ports.rtp + 7999}`,
    '--delete-delay=0', '--timeout=60', '--silent-timeout=600', `--pidfile=${dir}/rtpengine.pid`,
  ], `${dir}/rtpengine.log`);
}

function startKamailio(dir, ports, peers) {
  const values = {
    SIP_PORT: ports.sip, WS_PORT: ports.ws, NG_PORT: ports.ng, TRUNK: peers.trunk, SIPP_IP: peers.sippIp, SIPP_UAS: peers.sippUas,
    MODULES: modules,
  };
  const template = fs.readFileSync(path.join(here, '../peer/kamailio.cfg'), 'utf8');
  fs.writeFileSync(`${dir}/kamailio.cfg`, template.replace(/@([A-Z_]+)@/g, (_, name) => values[name]));
  return start('/usr/sbin/kamailio',
    ['-f', `${dir}/kamailio.cfg`, '-DD', '-E', '-m', '1024', '-M', '32', '-Y', dir, '-P', `${dir}/kamailio.pid`], `${dir}/kamailio.log`);
}

// kamailio puts an rtpengine that is not there at its start aside for a minute
function answersPing(port) {
  return new Promise((resolve) => {
    const socket = dgram.createSocket('udp4');
    const done = (answer) => {
      clearTimeout(late);
      socket.close(() => resolve(answer));
    };
    const late = setTimeout(() => done(false), 100);
    socket.on('error', () => done(false));
    socket.on('message', () => done(true));
    socket.connect(port, '127.0.0.1', () => socket.send('1 d7:command4:pinge'));
  });
}

/** Start it. `peers` says where trunk and SIPp are. Gives { name, sipPort, wsPort, path, children, stop() }. */
export async function startPeer(dir, peers, rtpBase) {
  assertInstalled();
  const ports = { sip: await freePort(), ws: await freePort(), ng: await freePort(), rtp: rtpBase };
  fs.mkdirSync(dir, { recursive: true });
  const children = [startRtpengine(dir, ports)];
  const gateway = {
    name: 'peer', sipPort: ports.sip, wsPort: ports.ws, path: '/', children,
    stop: () => Promise.all(children.map(stop)),
  };
  try {
    await until('rtpengine answers', () => answersPing(ports.ng));
    children.push(startKamailio(dir, ports, peers));
    await until('kamailio answers HTTP', () => answersHttp(ports.ws));
  } catch (error) {
    await gateway.stop();
    throw new Error(`${error.message}; see the logs in ${dir}`);
  }
  return gateway;
}
