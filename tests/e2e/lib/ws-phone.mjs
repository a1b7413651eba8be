// SPDX-License-Identifier: Apache-2.0
// A scripted browser: SIP over WebSocket with descriptions shaped as a browser writes them, but without ICE, DTLS or media.
// For flows where the exact messages matter; whatever must be heard is done with Chromium.
import { sipAgent, token } from './sip-agent.mjs';

const FINGERPRINT = 'sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF';
const RTPMAPS = {
  111: 'opus/48000/2', 9: 'G722/8000', 0: 'PCMU/8000', 8: 'PCMA/8000', 13: 'CN/8000', 110: 'telephone-event/48000', 126: 'telephone-event/8000',
};
export const BROWSER_FORMATS = [111, 9, 0, 8, 13, 110, 126];

/** An audio description as Chromium writes it. @param {object} o  formats, rtpmaps, setup, mid, direction, ufrag, pwd, fingerprint */
export function browserSdp({ formats = BROWSER_FORMATS, rtpmaps = RTPMAPS, setup = 'actpass', mid = '0', direction = 'sendrecv', version = 2,
  ufrag = 'u5t1', pwd = 'passwordpasswordpassword', fingerprint = FINGERPRINT, more = [], sections = [] } = {}) {
  return [
    'v=0', `o=- 4611 ${version} IN IP4 127.0.0.1`, 's=-', 't=0 0',
    ...(mid === null ? [] : [`a=group:BUNDLE ${[mid, ...sections.map((section) => section.mid)].join(' ')}`]),
    `m=audio 9 UDP/TLS/RTP/SAVPF ${formats.join(' ')}`, 'c=IN IP4 0.0.0.0', 'a=rtcp:9 IN IP4 0.0.0.0',
    `a=ice-ufrag:${ufrag}`, `a=ice-pwd:${pwd}`, 'a=ice-options:trickle', `a=fingerprint:${fingerprint}`, `a=setup:${setup}`,
    ...(mid === null ? [] : [`a=mid:${mid}`]), `a=${direction}`, 'a=rtcp-mux',
    ...formats.filter((pt) => rtpmaps[pt]).map((pt) => `a=rtpmap:${pt} ${rtpmaps[pt]}`),
    ...more,
    ...sections.flatMap((section) => section.lines),
    '',
  ].join('\r\n');
}

/** Connect and register an account. @param {object} account {name, password} */
export async function wsPhone(gateway, account, options = {}) {
  const sip = await sipAgent({
    transport: 'ws', url: gateway.wsUrl, name: account.name, user: options.user ?? token(4), domain: gateway.domain, ...options,
  });
  const phone = new WsPhone(sip, account, gateway);
  if (options.register !== false) await phone.register();
  return phone;
}

class WsPhone {
  version = 2;

  constructor(sip, account, gateway) {
    Object.assign(this, { sip, account, gateway, name: account.name });
  }

  get aor() {
    return `sip:${this.account.name}@${this.gateway.domain}`;
  }

  async register(options = {}) {
    const answer = await this.sip.register({ username: this.account.name, password: this.account.password, ...options });
    if (answer.status !== 200) throw new Error(`${this.name} did not register: ${answer.first}`);
    return answer;
  }

  /** Call; answers the challenge when there is one. @returns the INVITE as last sent */
  async call(number, { body = browserSdp(), headers = [] } = {}) {
    const uri = number.startsWith('sip:') ? number : `sip:${number}@${this.gateway.domain}`;
    const invite = this.sip.newRequest('INVITE', uri, { from: `<${this.aor}>`, body, headers });
    const first = await this.sip.expect((m) => m.cseq.method === 'INVITE' && m.status >= 100);
    if (first.status !== 401 && first.status !== 407) {
      this.sip.inbox.unshift(first); // it is the script's to take
      return invite;
    }
    return this.sip.retryWithCredentials(invite, first, { username: this.account.name, password: this.account.password });
  }

  async rings(options) {
    const invite = await this.sip.expect('INVITE', options);
    this.offer = invite.body;
    return invite;
  }

  /** Answer as a browser does: mid of the offer, active, one codec and its digits. */
  async answer({ formats, ack = true, headers, ...fields } = {}) {
    const offered = this.offer.match(/^m=audio \d+ \S+ ([^\r\n]+)/m)[1].split(' ').map(Number);
    const rtpmaps = { ...RTPMAPS };
    for (const [, pt, codec] of this.offer.matchAll(/^a=rtpmap:(\d+) (\S+)/gm)) rtpmaps[pt] = codec;
    const mid = this.offer.match(/^a=mid:(\S+)/m)?.[1] ?? null;
    this.sip.reply(200, { headers, body: browserSdp({ formats: formats ?? offered, rtpmaps, mid, setup: 'active', version: ++this.version, ...fields }) });
    if (ack) await this.sip.expect('ACK');
  }

  async answered(options) {
    const ok = await this.sip.expect((m) => m.status >= 200 && m.cseq.method === 'INVITE', options);
    if (ok.status !== 200) throw new Error(`${this.name}: call was refused: ${ok.first}`);
    this.sip.ack();
    return ok;
  }

  async hungUp(options) {
    const bye = await this.sip.expect('BYE', options);
    this.sip.reply(200);
    return bye;
  }

  close() {
    this.sip.close();
  }

  /** End what a failed script left behind (best effort), and forget it. */
  async reset() {
    this.sip.reset();
  }
}
