// SPDX-License-Identifier: Apache-2.0
// Debian's baresip as a SIP user or as a trunk peer that we did not write: it speaks a sine and records what it hears to WAV
// (module sndfile; the sound itself goes nowhere). Its folder of configuration is made anew each time; it is driven through its ctrl_tcp module (JSON in netstrings).
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { program, start, folder } from './proc.mjs';
import { freePort, freePorts } from './ports.mjs';
import { readWav, isTone, dominant } from './tone.mjs';
import { until, inTime } from './wait.mjs';

const MODULES = ['/usr/lib/baresip/modules', '/usr/lib/x86_64-linux-gnu/baresip/modules', '/usr/lib/aarch64-linux-gnu/baresip/modules'];
const RATE = 48000;

/** @param {object} options
 *    user, password, domain, registrar {host, port}   a SIP user that registers; without registrar it only listens
 *    codecs    in baresip's names: 'PCMU/8000/1', 'PCMA/8000/1', 'G722/16000/1', 'opus/48000/2'
 *    hz        the sine it speaks           answer  'auto' | 'manual'       transport  'udp' | 'tcp' | 'tls'
 *    nat       lives there (nat.mjs)        extra   more parameters of its account */
export async function startBaresip({ user = 'bare', password = 'secret', domain = '127.0.0.1', registrar, codecs = ['PCMU/8000/1'],
  hz = 1300, answer = 'auto', transport = 'udp', extra = '', nat } = {}) {
  const binary = program('baresip');
  const dir = folder(`baresip-${user}`);
  const [sipPort, ctrlPort] = [await freePort(), await freePort()];
  const rtpPorts = await freePorts(20, 2);
  fs.writeFileSync(path.join(dir, 'config'), configText({ host: nat?.inner ?? '127.0.0.1', sipPort, ctrlPort, rtpPorts, hz, dir }));
  fs.writeFileSync(path.join(dir, 'contacts'), '');
  fs.writeFileSync(path.join(dir, 'accounts'),
    accountLine({ user, password, domain, registrar, codecs, answer, transport, extra }));
  const [command, ...args] = [...(nat?.inside ?? []), binary, '-f', dir, '-v'];
  const one = start(`baresip-${user}`, command, args);
  const phone = new Baresip(one, dir, { host: nat?.inner ?? '127.0.0.1', port: sipPort });
  try {
    await one.waitOutput(/baresip is ready/);
    await phone.connect(ctrlPort, nat);
    if (registrar) await one.waitOutput(/200 OK .*\[\d+ binding/);
  } catch (error) {
    await phone.stop();
    throw error;
  }
  return phone;
}

// aubridge is the loudspeaker that nobody hears; ausine only exists with two channels at 48 kHz
function configText({ host, sipPort, ctrlPort, rtpPorts, hz, dir }) {
  const modulePath = MODULES.find((one) => fs.existsSync(one)) ?? MODULES[0];
  return `sip_listen ${host}:${sipPort}
call_local_timeout 60
call_max_calls 4
audio_path ${dir}
audio_source ausine,${hz}
audio_player aubridge,nowhere
audio_alert aubridge,alert
snd_path ${dir}
ausrc_srate ${RATE}
auplay_srate ${RATE}
ausrc_channels 2
auplay_channels 1
audio_buffer 20-160
rtp_ports ${rtpPorts[0]}-${rtpPorts.at(-1)}
rtcp_mux no
net_interface ${host}
module_path ${modulePath}
module g711.so
module g722.so
module opus.so
module ausine.so
module aubridge.so
module sndfile.so
module_tmp uuid.so
module_tmp account.so
module_app contact.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:${ctrlPort}
`;
}

function accountLine({ user, password, domain, registrar, codecs, answer, transport, extra }) {
  const outbound = registrar ? `;outbound="sip:${registrar.host}:${registrar.port};transport=${transport}";regint=300` : ';regint=0';
  return `<sip:${user}@${domain};transport=${transport}>;auth_user=${user};auth_pass=${password}${outbound}`
    + `;audio_codecs=${codecs.join(',')};answermode=${answer}${extra}\n`;
}

class Baresip {
  events = [];
  seen = 0;
  #rest = '';

  constructor(one, dir, sip) {
    Object.assign(this, { program: one, dir, sip });
  }

  async connect(port, nat) {
    this.socket = nat ? nat.connect(port) : net.connect(port, '127.0.0.1');
    this.socket.on('data', (data) => this.#read(data.toString())).on('error', () => {});
    await inTime('connection to the control port of baresip', new Promise((done, fail) => {
      this.socket.once('connect', done).once('error', fail);
    }));
  }

  #read(text) {
    this.#rest += text;
    for (let match; (match = this.#rest.match(/^(\d+):/)); ) {
      const end = match[0].length + Number(match[1]);
      if (this.#rest.length < end + 1) return;
      this.events.push(JSON.parse(this.#rest.slice(match[0].length, end)));
      this.#rest = this.#rest.slice(end + 1);
    }
  }

  /** A command of baresip's menu: dial, accept, hangup, hold, resume, sndcode... */
  command(command, params = '') {
    const text = JSON.stringify({ command, params, token: String(this.events.length) });
    this.socket.write(`${Buffer.byteLength(text)}:${text},`);
  }

  dial(uri) {
    this.command('dial', uri);
  }

  answer() {
    this.command('accept');
  }

  hangUp() {
    this.command('hangup');
  }

  /** Wait for an event not yet waited for: CALL_INCOMING, CALL_ESTABLISHED, CALL_CLOSED, REGISTER_OK... @returns it */
  async sees(type, { within = 10000 } = {}) {
    const event = await until(
      () => `${type} from ${this.program.name} (events: ${this.events.map((e) => e.type ?? e.command).join(', ')})`,
      () => this.events.slice(this.seen).find((e) => e.event && e.type === type),
      { within },
    );
    this.seen = this.events.indexOf(event) + 1;
    return event;
  }

  /** What it heard in its last call, whole. @returns {{pcm: Float32Array, rate: number}} */
  recording() {
    const last = fs.readdirSync(this.dir).filter((name) => name.endsWith('-dec.wav')).sort().at(-1);
    return last ? readWav(path.join(this.dir, last)) : { pcm: new Float32Array(0), rate: RATE };
  }

  /** Wait until the last 400 ms of the recording are this tone. */
  hears(hz, { within = 8000 } = {}) {
    let last;
    return until(() => `tone of ${hz} Hz at ${this.program.name} (heard ${JSON.stringify(last)})`, () => {
      const { pcm, rate } = this.recording();
      const tail = pcm.slice(Math.max(0, pcm.length - rate * 0.4));
      if (tail.length < rate * 0.3) return false;
      last = { ...dominant(tail, rate), rate };
      return isTone(tail, hz, rate);
    }, { within, every: 150 });
  }

  async stop() {
    this.socket?.destroy();
    await this.program.stop();
  }
}
