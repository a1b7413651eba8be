// SPDX-License-Identifier: Apache-2.0
// `sipway probe` as an operator runs it: a configuration file, the command, and what it printed.
import fs from 'node:fs';
import path from 'node:path';
import { start, folder } from './proc.mjs';
import { freePort, freePorts } from './ports.mjs';
import { scriptedPhone } from './phone.mjs';
import { toYaml } from './yaml.mjs';
import { inTime } from './wait.mjs';

const leaks = new URL('../../lsan.supp', import.meta.url).pathname;

/** A configuration with these trunk rows: {name, host, port, transport?, ...any key of a trunk}. @returns its file */
export async function probeConfig(trunks, config = {}) {
  const dir = folder('probe');
  const file = path.join(dir, 'sipway.yaml');
  const [sip, rtp] = [await freePort(), await freePorts(20, 2)];
  fs.writeFileSync(file, toYaml({
    domain: 'example.com',
    state: path.join(dir, 'state'),
    sip: { listen: [`udp://127.0.0.1:${sip}`, `tcp://127.0.0.1:${sip}`] },
    media: { rtp: { address: '127.0.0.1', ports: `${rtp[0]}-${rtp.at(-1)}` } },
    trunks: trunks.map(({ name, host, port, transport = 'udp', ...more }) => ({ name, uri: `sip:${host}:${port};transport=${transport}`, ...more })),
    ...config,
  }));
  return file;
}

/** Start it. @returns {Program} */
export function startProbe({ file, args = [], env = {} }) {
  return start('sipway-probe', path.resolve(process.env.SIPWAY_BIN), ['probe', '-c', file, ...args], {
    env: { ASAN_OPTIONS: 'abort_on_error=0:exitcode=99', LSAN_OPTIONS: `print_suppressions=0:suppressions=${leaks}`, ...env },
  });
}

/** Run it to its end. @param {object} options  file or trunks (+ config);  args: further arguments;  env
 *  @returns {{code, ms, text, json, find(check, pattern)}} text with its line breaks undone, json with --json;
 *    find(): the finding of this check whose text matches {result, text, advice, ...}, of --json, or an error */
export async function runProbe({ file, trunks = [], config, args = [], env = {}, within = 25000 }) {
  const used = file ?? await probeConfig(trunks, config);
  const began = Date.now();
  const program = startProbe({ file: used, args, env });
  const { code } = await inTime('end of sipway probe', program.exited, within);
  const output = program.output;
  const result = { code, ms: Date.now() - began, output, text: output.replace(/\n +(?=\S)/g, ' ').replace(/ +/g, ' ') };
  if (args.includes('--json') && code < 2) result.json = JSON.parse(output);
  result.find = (check, pattern) => {
    const all = result.json.trunks.flatMap((trunk) => trunk.findings);
    const found = all.find((one) => one.check === check && pattern.test(one.text));
    if (!found) throw new Error(`no ${pattern} of ${check} in:\n${all.map((one) => `${one.result} ${one.check}: ${one.text}`).join('\n')}`);
    return found;
  };
  return result;
}

/** The findings of a run with --json that are not ok, and as text. */
export const failed = (run) => run.json.trunks.flatMap((trunk) => trunk.findings).filter((one) => one.result !== 'ok');
export const told = (run) => failed(run).map((one) => `${one.result} ${one.check}: ${one.text}`).join('\n');

/** A scripted trunk that takes one call with `answer` (options of phone.answer(), or a function that makes them) and then
 *  does what `media(phone)` says. @returns {{phone, taken, row}} taken: the call was hung up */
export async function trunkThat({ defer, answer = {}, media = () => {}, ...row }) {
  const phone = await scriptedPhone({ name: 'trunk', transport: row.transport ? `${row.transport}-server` : 'udp' });
  defer(() => phone.close());
  const takes = async () => {
    await phone.rings({ within: 20000 });
    await phone.answer(typeof answer === 'function' ? answer(phone) : answer);
    media(phone);
    await phone.hungUp({ within: 20000 });
  };
  return { phone, taken: takes(), row: { name: 'carrier', host: phone.sip.host, port: phone.sip.port, ...row } };
}

export const CALL = ['--json', '--call', '600'];

/** Probe with a test call to such a trunk; the call must have been hung up by the probe. */
export async function probeCall(options) {
  const { phone, taken, row } = await trunkThat(options);
  const [run] = await Promise.all([runProbe({ trunks: [row], args: CALL }), taken]);
  return { phone, ...run };
}
