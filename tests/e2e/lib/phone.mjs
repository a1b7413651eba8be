// SPDX-License-Identifier: Apache-2.0
// A scripted plain SIP phone or carrier: one sip agent and one RTP endpoint, with the steps that nearly every script takes.
// Everything below it stays reachable (`phone.sip`, `phone.rtp`) for scripts that want to do it differently.
import { sipAgent } from './sip-agent.mjs';
import { rtpEndpoint } from './rtp.mjs';
import { writeSdp, parseSdp, CODECS } from './sdp.mjs';

export async function scriptedPhone({ name = 'trunk', user = 'trunk', ...where } = {}) {
  const rtp = await rtpEndpoint();
  const sip = await sipAgent({ name, user, ...where });
  return new ScriptedPhone(sip, rtp);
}

class ScriptedPhone {
  version = 0;

  constructor(sip, rtp) {
    Object.assign(this, { sip, rtp });
  }

  close() {
    this.sip.close();
    this.rtp.close();
  }

  /** Our description. */
  sdp(fields = {}) {
    return writeSdp({ host: this.rtp.host, port: this.rtp.port, codecs: ['PCMU'], version: ++this.version, ...fields });
  }

  /** Use what the peer described: where to send, which numbers are digits. @param codecs ours, for the numbers we receive */
  learn(body, { events = 101 } = {}) {
    this.peer = parseSdp(body);
    this.rtp.sendTo(this.peer.host, this.peer.port);
    if (events !== null) this.rtp.setEvents({ [events]: 8000 });
    return this.peer;
  }

  /** Wait for a call. @returns the INVITE */
  async rings(options) {
    const invite = await this.sip.expect('INVITE', options);
    if (invite.body) this.offer = parseSdp(invite.body);
    return invite;
  }

  /** Answer the call with one codec; @returns after the ACK came. `pt` keeps the offer's number for dynamic types. */
  async answer({ codec = 'PCMU', events = this.offer?.ptOf('telephone-event', 8000) ?? null, ack = true, headers, ...sdp } = {}) {
    const pt = this.offer?.ptOf(codec) ?? CODECS[codec].pt;
    this.learn(this.sip.request.body, { events });
    this.pt = pt;
    this.eventsPt = events;
    this.sip.reply(200, { headers, body: this.sdp({ codecs: [codec], pts: { [codec]: pt }, events, ...sdp }) });
    if (ack) await this.sip.expect('ACK');
  }

  /** Call somebody through the gateway. @returns the INVITE as sent */
  call(number, { codecs = ['PCMU', 'PCMA'], events = 101, from, headers = [], host, ...sdp } = {}) {
    const peer = this.sip.peer;
    this.eventsPt = events;
    return this.sip.newRequest('INVITE', `sip:${number}@${host ?? `${peer.host}:${peer.port}`}`, {
      ...(from && { from }), headers, body: this.sdp({ codecs, events, ...sdp }),
    });
  }

  /** Wait for the answer to our call, ACK it. @returns the 200 */
  async answered(options) {
    const ok = await this.sip.expect((m) => m.status >= 200 && m.cseq.method === 'INVITE', options);
    if (ok.status !== 200) throw new Error(`${this.sip.name}: call was refused: ${ok.first} (${ok.header('reason') ?? 'no Reason'})`);
    this.learn(ok.body, { events: this.eventsPt });
    this.sip.ack();
    return ok;
  }

  /** The other side hangs up. */
  async hungUp(options) {
    const bye = await this.sip.expect('BYE', options);
    this.sip.reply(200);
    return bye;
  }
}
