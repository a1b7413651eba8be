// SPDX-License-Identifier: Apache-2.0
// sipway.mjs: the gateway under test on free loopback ports, with a configuration of the same meaning as the peer's.
import fs from 'node:fs';
import { answersHttp, freePort, start, stop, until } from './proc.mjs';

const limits = 'max_calls: 10000, max_cps: 10000, options_every: 0, codecs: [PCMU, PCMA]';

const numbered = (letter, i) => `${letter}${String(i).padStart(5, '0')}`;

/** The YAML text. Loopback addresses tell the trunks apart.
 *  @param calleeKeys of the trunk `callee`; registering: so many more trunks, at the carrier's; sip, presence: more keys; watchers: of the first account */
function configuration(dir, ports, peers, { users, workers, gather, calleeKeys = '', registering = 0, sip = '', more = '', watchers = '' }) {
  const accounts = Array.from({ length: users }, (_, i) => `  - {name: ${numbered('u', i)}, password: secret${i === 0 ? watchers : ''}}`);
  const trunks = Array.from({ length: registering }, (_, i) => `  - {name: ${numbered('t', i)}, uri: "sip:${peers.trunk}", register: true, username: ${numbered('t', i)}, password: secret, options_every: 0}`);
  return `domain: bench.test
workers: ${workers}
state: ${dir}/state
log: {level: warn}
web:
  listen: ["http://127.0.0.1:${ports.ws}"]
admin:
  listen: "http://127.0.0.1:${ports.admin}"
sip:
  listen: ["udp://127.0.0.1:${ports.sip}"]
${sip}media:
  webrtc: "127.0.0.1:${ports.webrtc}"
  rtp: {address: 127.0.0.1, ports: ${ports.rtp}-${ports.rtp + 7999}}
  gather: ${gather}
accounts:
${accounts.join('\n')}
trunks:
  - {name: carrier, uri: "sip:${peers.trunk}", accept: ["${peers.trunk.split(':')[0]}/32"], ${limits}}
  - {name: caller, uri: "sip:${peers.sippIp}:5060", accept: ["${peers.sippIp}/32"], ${limits}}
  - {name: callee, uri: "sip:${peers.sippUas}", accept: ["${peers.sippUas.split(':')[0]}/32"], ${calleeKeys || limits}}
${trunks.join('\n')}
routes:
  - {from: accounts, to: "^[0-9]+$", trunks: [carrier]}
  - {from: "trunk:caller", to: "^[0-9]+$", trunks: [callee]}
  - {from: "trunk:carrier", to: "^(u[0-9]+)$", account: "\\\\1"}
${more}`;
}

/** Start `program`. Gives what startPeer() gives. */
export async function startSipway(dir, peers, rtpBase, { program, users, workers = 0, gather = '1ms', ...more }) {
  const ports = {
    sip: await freePort(), ws: await freePort(), admin: await freePort(), webrtc: rtpBase + 8000, rtp: rtpBase,
  };
  fs.mkdirSync(`${dir}/state`, { recursive: true });
  fs.writeFileSync(`${dir}/sipway.yaml`, configuration(dir, ports, peers, { users, workers, gather, ...more }));
  const child = start(program, ['-c', `${dir}/sipway.yaml`], `${dir}/sipway.log`);
  const gateway = { name: 'sipway', sipPort: ports.sip, wsPort: ports.ws, path: '/', children: [child], stop: () => stop(child) };
  let status;
  child.ended.then((answer) => { status = answer; });
  try {
    await until('sipway answers HTTP', () => status !== undefined || answersHttp(ports.ws));
    if (status !== undefined) throw new Error(`sipway ended with ${status}`);
  } catch (error) {
    await gateway.stop();
    throw new Error(`${error.message}; see ${dir}/sipway.log`);
  }
  return gateway;
}
