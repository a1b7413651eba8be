// SPDX-License-Identifier: Apache-2.0
// The simulated carrier of the quick start (tests/carrier) as a process of its own: env SIPWAY_CARRIER, or beside SIPWAY_BIN.
import fs from 'node:fs';
import path from 'node:path';
import { start } from './proc.mjs';
import { freePorts } from './ports.mjs';

/** @param {object} options  port: where it listens (UDP, 127.0.0.1);  gateway: {host, port};  args: further arguments
 *  @returns {{program, ended(number, options), stop()}} */
export async function startSimulatedCarrier({ port, gateway, args = [] }) {
  const binary = process.env.SIPWAY_CARRIER ?? path.join(path.dirname(path.resolve(process.env.SIPWAY_BIN ?? '')), 'sipway-carrier');
  if (!fs.existsSync(binary)) throw new Error(`no simulated carrier: set SIPWAY_CARRIER to the built file (it is '${binary}')`);
  const rtp = await freePorts(40, 2);
  const program = start('simulated-carrier', path.resolve(binary), [
    '--listen', `udp://127.0.0.1:${port}`, '--gateway', `${gateway.host}:${gateway.port}`, '--rtp', `${rtp[0]}-${rtp.at(-1)}`, ...args,
  ]);
  await program.waitOutput(/listening on udp/);
  return {
    program,
    /** its position in the output, for `from` of ended() */
    mark: () => program.output.length,
    /** Wait for the line of an ended call. @returns {{line, digits, why, packetsIn, codec}} */
    async ended(number, { within = 10000, from = 0 } = {}) {
      const [line, codec, packetsIn, digits, why] = await program.waitOutput(
        new RegExp(`^call ${number} (?:from|to) .*\\): (.*), [0-9.]+ s, (\\d+) packets in, \\d+ out, digits "(.*)": (.*)$`, 'm'), { within, from });
      return { line, codec, packetsIn: Number(packetsIn), digits, why };
    },
    stop: () => program.stop(),
  };
}
