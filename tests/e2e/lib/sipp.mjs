// SPDX-License-Identifier: Apache-2.0
// SIPp scenarios (Debian's sip-tester) as programs with an exit code: 0 when every call went as the scenario says.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { program, start, folder } from './proc.mjs';
import { freePort, freePorts } from './ports.mjs';
import { inTime } from './wait.mjs';

const SCENARIOS = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'sipp');

/** @param {string} scenario file name below tests/e2e/sipp, without .xml
 *  @param {object} options
 *    remote {host, port} | undefined    where to call (a UAS needs none)      calls  how many (default 1), then it ends
 *    rate      new calls per second      keys  {name: value} for [name] in the scenario       number  user part of the target
 *    port      SIP port                  echo  true: RTP that comes to the media port goes back  args  further arguments
 *  @returns {Promise<Sipp>} {port, mediaPort, ends(), stop()} */
export async function startSipp(scenario, { remote, calls = 1, rate = 1, keys = {}, number, port, echo = false, args = [], transport = 'u1' } = {}) {
  const binary = program('sipp');
  const file = path.join(SCENARIOS, `${scenario}.xml`);
  if (!fs.existsSync(file)) throw new Error(`no SIPp scenario ${file}`);
  const sipPort = port ?? await freePort();
  const [mediaPort] = await freePorts(4, 2);
  const dir = folder(`sipp-${scenario}`);
  const line = [
    ...(remote ? [`${remote.host}:${remote.port}`] : []), '-sf', file, '-i', '127.0.0.1', '-p', String(sipPort),
    '-mi', '127.0.0.1', '-mp', String(mediaPort), '-t', transport, '-m', String(calls), '-r', String(rate), '-nostdin',
    '-trace_err', '-error_file', path.join(dir, 'errors.log'), '-trace_msg', '-message_file', path.join(dir, 'messages.log'),
    '-timeout', '60s', '-timeout_error', '-recv_timeout', '15000', '-cp', String(await freePort()),
    ...(number ? ['-s', number] : []), ...(echo ? ['-rtp_echo'] : []),
    ...Object.entries(keys).flatMap(([key, value]) => ['-key', key, String(value)]), ...args,
  ];
  const one = start(`sipp-${scenario}`, binary, line, { cwd: dir });
  const read = (name) => (fs.existsSync(path.join(dir, name)) ? fs.readFileSync(path.join(dir, name), 'utf8') : '');
  if (!remote) await one.waitFor(`SIPp listening on ${sipPort}`, () => isBound(sipPort));
  return {
    host: '127.0.0.1',
    port: sipPort,
    mediaPort,
    program: one,
    messages: () => read('messages.log'),
    /** Wait for the end; an error when a call failed. @returns {{ok: number, failed: number}} */
    async ends({ within = 30000 } = {}) {
      const { code } = await inTime(`end of SIPp scenario ${scenario}`, one.exited, within);
      if (code !== 0) throw new Error(`SIPp scenario ${scenario} failed (exit code ${code}): ${read('errors.log').slice(0, 1500)}`);
    },
    stop: () => one.stop({ signal: 'SIGKILL' }),
  };
}

/** Is somebody bound to this UDP port? Read from the kernel's table, so that nothing has to be sent. */
function isBound(port) {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return fs.readFileSync('/proc/net/udp', 'utf8').split('\n').some((line) => line.trim().split(/\s+/)[1]?.endsWith(wanted));
}
