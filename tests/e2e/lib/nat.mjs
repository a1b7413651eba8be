// SPDX-License-Identifier: Apache-2.0
// A home behind a NAT, in two network namespaces of its own: this machine <-> router <-> phone. The router masquerades with random
// ports and drops what nobody inside has asked for, and no route leads to the private addresses, as out on the internet. The
// private side never is this machine's: a program of the home is started with `inside`.
import { execFileSync, spawn } from 'node:child_process';
import { Duplex } from 'node:stream';

const run = (...args) => execFileSync(args[0], args.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] }).toString();

/** @returns {Promise<object>} {outer: our address that it sees, public: the router's, inner: the phone's, inside, forget(), close()};
 *  throws one sentence where namespaces are not allowed. @param udpS seconds after which the router forgets a silent UDP way */
export async function makeNat({ udpS = 30 } = {}) {
  const id = process.pid % 16384;
  const [router, phone] = [`sw${id}r`, `sw${id}p`];
  const net = `198.18.${id >> 6}.`;
  const low = (id & 63) * 4;
  const at = { outer: `${net}${low + 1}`, public: `${net}${low + 2}`, gate: '10.213.77.1', inner: '10.213.77.2' };
  const close = () => {
    for (const name of [router, phone]) try { run('ip', 'netns', 'del', name); } catch { /* it was not made */ }
    try { run('ip', 'link', 'del', `sw${id}`); } catch { /* it went with its namespace */ }
  };
  const at_router = (...args) => run('ip', 'netns', 'exec', router, ...args);
  const at_phone = (...args) => run('ip', 'netns', 'exec', phone, ...args);
  try {
    run('ip', 'netns', 'add', router);
    run('ip', 'netns', 'add', phone);
    run('ip', 'link', 'add', `sw${id}`, 'type', 'veth', 'peer', 'name', 'wan', 'netns', router);
    run('ip', 'link', 'add', 'lan', 'netns', router, 'type', 'veth', 'peer', 'name', 'eth', 'netns', phone);
    run('ip', 'addr', 'add', `${at.outer}/30`, 'dev', `sw${id}`);
    run('ip', 'link', 'set', `sw${id}`, 'up');
    for (const [name, address] of [['wan', `${at.public}/30`], ['lan', `${at.gate}/24`]]) {
      at_router('ip', 'addr', 'add', address, 'dev', name);
      at_router('ip', 'link', 'set', name, 'up');
    }
    at_router('sysctl', '-qw', 'net.ipv4.ip_forward=1');
    at_router('iptables', '-t', 'nat', '-A', 'POSTROUTING', '-o', 'wan', '-j', 'MASQUERADE', '--random');
    at_router('iptables', '-A', 'FORWARD', '-i', 'wan', '-m', 'conntrack', '!', '--ctstate', 'ESTABLISHED,RELATED', '-j', 'DROP');
    for (const key of ['udp_timeout', 'udp_timeout_stream']) at_router('sysctl', '-qw', `net.netfilter.nf_conntrack_${key}=${udpS}`);
    at_phone('ip', 'addr', 'add', `${at.inner}/24`, 'dev', 'eth');
    at_phone('ip', 'link', 'set', 'eth', 'up');
    at_phone('ip', 'link', 'set', 'lo', 'up');
    at_phone('ip', 'route', 'add', 'default', 'via', at.gate);
  } catch (error) {
    close();
    throw new Error(`no network namespaces here: ${(error.stderr?.toString() || error.message).trim().split('\n')[0]}`);
  }
  process.once('exit', close);
  return {
    ...at,
    /** in front of a command line: it runs at the phone's place */
    inside: ['ip', 'netns', 'exec', phone],
    /** a TCP connection from within, to a program that only listens there */
    connect: (port) => pipeTo(['ip', 'netns', 'exec', phone], port),
    close() {
      process.off('exit', close);
      close();
    },
  };
}

// a socket's other half in the namespace, its bytes on stdin and stdout
function pipeTo(inside, port) {
  const relay = `const s = require('net').connect(${port}, '127.0.0.1'); process.stdin.pipe(s).pipe(process.stdout); s.on('connect', () => process.stderr.write('up'));`;
  const child = spawn(inside[0], [...inside.slice(1), process.execPath, '-e', relay], { stdio: ['pipe', 'pipe', 'pipe'] });
  const both = new Duplex({
    read() {},
    write: (data, encoding, done) => child.stdin.write(data, done),
    destroy: (error, done) => { child.kill(); done(error); },
  });
  child.stdout.on('data', (data) => both.push(data));
  child.stdin.on('error', () => {});
  child.stderr.once('data', () => both.emit('connect'));
  child.once('exit', () => both.destroy());
  return both;
}
