// SPDX-License-Identifier: Apache-2.0
// A scripted SIP endpoint: says exactly what the script says and waits for what the script expects. It does by itself only
// what a transaction layer must: ACK of a refused INVITE, repeating a response to a repeated request, OPTIONS answered.
import { randomBytes } from 'node:crypto';
import { parseSip, writeSip, uriOf, param } from './sip-message.mjs';
import { udpTransport, streamClient, streamServer, wsClient } from './sip-transport.mjs';
import { fillTemplate } from './template.mjs';
import { authorize } from './digest.mjs';
import { DEFAULT_WITHIN_MS, patience } from './wait.mjs';

const REASONS = {
  100: 'Trying', 180: 'Ringing', 183: 'Session Progress', 200: 'OK', 202: 'Accepted', 302: 'Moved Temporarily',
  401: 'Unauthorized', 403: 'Forbidden', 404: 'Not Found', 407: 'Proxy Authentication Required', 408: 'Request Timeout',
  480: 'Temporarily Unavailable', 481: 'Call/Transaction Does Not Exist', 486: 'Busy Here', 487: 'Request Terminated',
  488: 'Not Acceptable Here', 491: 'Request Pending', 500: 'Server Internal Error', 503: 'Service Unavailable', 603: 'Decline',
};

export const token = (length = 8) => randomBytes(length).toString('hex');

/** @param {object} where
 *    transport  'udp' | 'tcp' | 'tls' (we connect) | 'tcp-server' | 'tls-server' | 'ws' (url)
 *    peer       {host, port} of the gateway, where requests without a dialog go
 *    user       user part of our URI and Contact;  name: used in error texts */
export async function sipAgent({ transport = 'udp', name = transport, user = 'agent', peer, url, ...rest }) {
  const agent = new SipAgent({ name, user, peer, domain: rest.domain });
  const onMessage = (text, from) => agent.onMessage(text, from);
  const onClose = (code) => agent.onClose(code);
  const open = {
    udp: () => udpTransport({ onMessage, ...rest }),
    tcp: () => streamClient({ peer, onMessage, onClose, ...rest }),
    tls: () => streamClient({ peer, secure: true, onMessage, onClose }),
    'tcp-server': () => streamServer({ onMessage, ...rest }),
    'tls-server': () => streamServer({ onMessage, ...rest }),
    ws: () => wsClient({ url, onMessage, onClose, ...rest }),
  }[transport];
  agent.transport = await open();
  return agent;
}

class SipAgent {
  received = []; // every message, in order, repeats included
  inbox = []; // those that no expect() has taken
  sent = [];
  repeats = 0; // requests and responses that came again
  auto = { OPTIONS: 200 }; // requests answered without the script
  isClosed = false;
  #waiting = [];
  #answers = new Map(); // request key -> our last response to it
  #acks = new Map(); // INVITE branch/CSeq -> our ACK
  #seen = new Set();

  constructor({ name, user, peer, domain }) {
    Object.assign(this, { name, user, peer, domain });
  }

  get host() {
    return this.transport.host;
  }

  get port() {
    return this.transport.port;
  }

  get address() {
    return this.port ? `${this.host}:${this.port}` : this.host;
  }

  get contact() {
    const proto = this.transport.proto;
    return `<sip:${this.user}@${this.address}${proto === 'UDP' ? '' : `;transport=${proto === 'WSS' ? 'ws' : proto.toLowerCase()}`}>`;
  }

  close() {
    this.isClosed = true;
    this.transport.close();
  }

  /** Forget what came and what was said: the next script starts clean. */
  reset() {
    Object.assign(this, { received: [], inbox: [], sent: [], repeats: 0, dialog: undefined, request: undefined, last: undefined });
  }

  onClose(code) {
    this.isClosed = true;
    this.closeCode = code;
  }

  // ---- receiving

  onMessage(text, from) {
    if (!text.trim()) {
      this.keepalives = (this.keepalives ?? 0) + 1;
      return;
    }
    const message = parseSip(text, { from, at: performance.now() });
    this.received.push(message);
    if (this.#isRepeat(message)) return;
    if (message.status >= 300 && message.cseq.method === 'INVITE') this.#ackRefusal(message);
    if (message.isRequest && this.auto[message.method]) {
      this.reply(this.auto[message.method], { request: message });
      return;
    }
    this.inbox.push(message);
    this.#waiting.slice().forEach((look) => look());
  }

  #isRepeat(message) {
    const key = `${message.first} ${message.branch} ${message.cseq.number} ${message.toTag ?? ''}`;
    if (message.method === 'ACK') return false;
    if (!this.#seen.has(key)) {
      this.#seen.add(key);
      return false;
    }
    // provisional responses may come again with news in them; they are the script's to judge
    if (message.status && message.status < 200) return false;
    this.repeats++;
    const again = message.isRequest ? this.#answers.get(keyOf(message)) : this.#acks.get(keyOf(message));
    if (again) this.sendRaw(again.bytes, again.to);
    return true;
  }

  #ackRefusal(message) {
    const invite = this.sent.findLast((m) => m.method === 'INVITE' && m.branch === message.branch);
    if (!invite) return;
    const copied = ['via', 'max-forwards', 'from', 'call-id', 'route'];
    const headers = invite.headers.filter(([name]) => copied.includes(name));
    headers.push(['To', message.header('to')], ['CSeq', `${invite.cseq.number} ACK`]);
    this.sendText(writeSip(`ACK ${invite.uri} SIP/2.0`, headers));
  }

  /** Wait for (and take) the first message not yet taken that matches.
   *  @param what 'INVITE' (method) | 200 | '2xx' | function(message) | RegExp over the raw text */
  expect(what, { within = DEFAULT_WITHIN_MS * patience, call } = {}) {
    const matches = (m) => matcher(what)(m) && (!call || m.callId === call);
    return new Promise((done, fail) => {
      const look = () => {
        const at = this.inbox.findIndex(matches);
        if (at < 0) return;
        stop();
        const [message] = this.inbox.splice(at, 1);
        this.#take(message);
        done(message);
      };
      const timer = setTimeout(() => {
        stop();
        fail(new Error(`${this.name}: no ${what} within ${within} ms; not taken: [${this.inbox.map((m) => m.first).join(' | ')}]; `
          + `received: [${this.received.slice(-8).map((m) => m.first).join(' | ')}]`));
      }, within);
      const stop = () => {
        clearTimeout(timer);
        this.#waiting = this.#waiting.filter((one) => one !== look);
      };
      this.#waiting.push(look);
      look();
    });
  }

  /** Nothing that matches comes for `ms`. */
  async expectNone(what, ms) {
    const came = await this.expect(what, { within: ms }).catch(() => null);
    if (came) throw new Error(`${this.name}: unexpected ${came.first}`);
  }

  #take(message) {
    this.last = message;
    if (message.isRequest) {
      this.request = message;
      if (message.method === 'INVITE' && !message.toTag) this.invite = message;
    } else if (message.cseq.method === 'INVITE' && message.toTag && message.status > 100 && message.status < 300) {
      this.dialog = this.#dialogOfResponse(message);
    }
  }

  #dialogOfResponse(message) {
    const invite = this.sent.findLast((m) => m.method === 'INVITE' && m.callId === message.callId);
    const isNew = this.dialog?.callId !== message.callId || this.dialog?.remoteTag !== message.toTag;
    return {
      ...(isNew ? { cseq: invite.cseq.number, routes: message.all('record-route').reverse() } : this.dialog),
      callId: message.callId,
      local: invite.header('from'),
      remote: message.header('to'),
      remoteTag: message.toTag,
      target: message.contactUri || this.dialog?.target,
      inviteCseq: invite.cseq.number,
      isUac: true,
    };
  }

  // ---- sending

  /** Bytes as they are. `to` {host, port}: default is the gateway. */
  sendRaw(bytes, to = this.peer) {
    this.transport.send(Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes), to);
  }

  /** A whole message; remembered, so that responses and ACKs find it. */
  sendText(text, to) {
    this.sent.push(parseSip(text));
    this.sendRaw(text, to);
    return this.sent.at(-1);
  }

  /** A message with {{placeholders}}: see template.mjs. Lines may end in LF; Content-Length is corrected. */
  send(template, values = {}, to) {
    const bytes = fillTemplate(template, { ...this.#values(), ...values });
    this.sent.push(parseSip(bytes.toString()));
    const request = values.request ?? this.request;
    this.sendRaw(bytes, to ?? (template.startsWith('SIP/2.0') && request?.from?.port ? request.from : undefined));
    return this.sent.at(-1);
  }

  #values() {
    const request = this.request;
    const copied = request && {
      via: request.all('via').join(', '),
      from: request.header('from'),
      to: request.header('to'),
      'call-id': request.callId,
      cseq: request.header('cseq'),
      'record-route': request.all('record-route').join(', '),
    };
    const { host, port } = this.peer ?? {};
    return { ...copied, branch: `z9hG4bK${token()}`, tag: token(4), me: this.address, contact: this.contact, gateway: `${host}:${port}` };
  }

  /** Answer a request (default: the last one taken). `headers`: [[name, value]...] */
  reply(status, { request = this.request, headers = [], body = '', reason = REASONS[status] ?? 'Status', contact = this.contact, tag } = {}) {
    const copied = [
      ...request.all('via').map((via) => ['Via', via]),
      ['From', request.header('from')],
      ['To', status > 100 && !request.toTag ? `${request.header('to')};tag=${tag ?? this.#tagFor(request)}` : request.header('to')],
      ['Call-ID', request.callId],
      ['CSeq', request.header('cseq')],
    ];
    if (request.method === 'INVITE' && status > 100 && status < 300) {
      copied.push(...request.all('record-route').map((route) => ['Record-Route', route]), ['Contact', contact]);
    }
    if (body) copied.push(['Content-Type', 'application/sdp']);
    const text = writeSip(`SIP/2.0 ${status} ${reason}`, [...copied, ...headers], body);
    const to = this.#responseTarget(request);
    this.#answers.set(keyOf(request), { bytes: text, to });
    if (request.method === 'INVITE' && status > 100 && status < 300) this.dialog = this.#dialogOfRequest(request, parseSip(text));
    return this.sendText(text, to);
  }

  #tagFor(request) {
    request.ourTag ??= token(4);
    return request.ourTag;
  }

  #responseTarget(request) {
    return request.from?.socket ? request.from : { host: request.from?.host, port: request.from?.port };
  }

  #dialogOfRequest(request, response) {
    const isNew = this.dialog?.callId !== request.callId;
    return {
      ...(isNew ? { cseq: 0, routes: request.all('record-route') } : this.dialog),
      callId: request.callId,
      local: isNew ? response.header('to') : this.dialog.local,
      remote: isNew ? request.header('from') : this.dialog.remote,
      remoteTag: request.fromTag,
      target: request.contactUri || this.dialog?.target,
    };
  }

  /** A request outside of a dialog. @returns the message as sent */
  newRequest(method, uri, { from = `<sip:${this.user}@${this.domain ?? this.address}>`, to = `<${uri}>`, headers = [], body = '',
    type = 'application/sdp', callId = `${token()}@${this.host}`, cseq = 1, tag = token(4), contact = this.contact, peer } = {}) {
    const isDialog = ['INVITE', 'SUBSCRIBE', 'REGISTER'].includes(method);
    return this.sendText(writeSip(`${method} ${uri} SIP/2.0`, [
      ['Via', this.via()],
      ['Max-Forwards', '70'],
      ['From', `${from};tag=${tag}`],
      ['To', to],
      ['Call-ID', callId],
      ['CSeq', `${cseq} ${method}`],
      ...(isDialog ? [['Contact', contact]] : []),
      ...(body ? [['Content-Type', type]] : []),
      ...headers,
    ], body), peer);
  }

  via(branch = `z9hG4bK${token()}`) {
    return `SIP/2.0/${this.transport.proto} ${this.address};branch=${branch};rport`;
  }

  /** The same request again with credentials for the challenge that came (401 or 407), CSeq + 1. */
  retryWithCredentials(request, challenge, { username, password }) {
    const isProxy = challenge.status === 407;
    const header = challenge.header(isProxy ? 'proxy-authenticate' : 'www-authenticate');
    const credentials = authorize(header, { username, password, method: request.method, uri: request.uri });
    const headers = request.headers
      .filter(([name]) => !['via', 'cseq', 'content-length'].includes(name))
      .map(([name, value]) => [titled(name), value]);
    return this.sendText(writeSip(request.first, [
      ['Via', this.via()], ...headers, ['CSeq', `${request.cseq.number + 1} ${request.method}`],
      [isProxy ? 'Proxy-Authorization' : 'Authorization', credentials],
    ], request.body));
  }

  /** REGISTER with digest; @returns the final response */
  async register({ domain = this.domain, username = this.user, password, expires = 300, contact = this.contact, headers = [] }) {
    const aor = `sip:${username}@${domain}`;
    const request = this.newRequest('REGISTER', `sip:${domain}`, {
      from: `<${aor}>`, to: `<${aor}>`, contact, headers: [['Expires', expires], ...headers],
    });
    const first = await this.expect((m) => m.status >= 200 && m.cseq.method === 'REGISTER' && m.callId === request.callId);
    if (first.status !== 401 && first.status !== 407) return first;
    this.retryWithCredentials(request, first, { username, password });
    return this.expect((m) => m.status >= 200 && m.cseq.method === 'REGISTER' && m.callId === request.callId);
  }

  /** A request inside the dialog (default: the current one). */
  inDialog(method, { dialog = this.dialog, headers = [], body = '', type = 'application/sdp', cseq, target = dialog.target } = {}) {
    const number = cseq ?? (method === 'ACK' ? dialog.inviteCseq ?? dialog.cseq : ++dialog.cseq);
    if (method === 'INVITE') dialog.inviteCseq = number;
    const text = writeSip(`${method} ${target} SIP/2.0`, [
      ['Via', this.via()],
      ...dialog.routes.map((route) => ['Route', route]),
      ['Max-Forwards', '70'],
      ['From', dialog.local],
      ['To', dialog.remote],
      ['Call-ID', dialog.callId],
      ['CSeq', `${number} ${method}`],
      ...(['INVITE', 'UPDATE'].includes(method) ? [['Contact', this.contact]] : []),
      ...(body ? [['Content-Type', type]] : []),
      ...headers,
    ], body);
    return this.sendText(text, this.#nextHop(dialog, target));
  }

  #nextHop(dialog, target) {
    const uri = dialog.routes.length ? uriOf(dialog.routes[0]) : target;
    const [, host, port] = uri.match(/^sips?:(?:[^@]*@)?([\d.]+)(?::(\d+))?/) ?? [];
    return host ? { host, port: Number(port ?? 5060) } : this.peer;
  }

  /** ACK of the 2xx last taken; sent again when that 2xx comes again. */
  ack(options) {
    const answer = this.last;
    const message = this.inDialog('ACK', options);
    this.#acks.set(keyOf(answer), { bytes: message.raw, to: this.#nextHop(this.dialog, this.dialog.target) });
    return message;
  }

  /** BYE and its 200. */
  async bye() {
    this.inDialog('BYE');
    return this.expect((m) => m.status >= 200 && m.cseq.method === 'BYE');
  }

  /** CANCEL of the INVITE last sent. */
  cancel() {
    const invite = this.sent.findLast((m) => m.method === 'INVITE');
    const headers = invite.headers.filter(([name]) => ['via', 'from', 'to', 'call-id', 'max-forwards', 'route'].includes(name));
    return this.sendText(writeSip(`CANCEL ${invite.uri} SIP/2.0`, [...headers, ['CSeq', `${invite.cseq.number} CANCEL`]]));
  }
}

function matcher(what) {
  if (typeof what === 'function') return what;
  if (typeof what === 'number') return (m) => m.status === what;
  if (what instanceof RegExp) return (m) => what.test(m.raw);
  if (/^\dxx$/.test(what)) return (m) => Math.floor(m.status / 100) === Number(what[0]);
  return (m) => m.method === what;
}

const keyOf = (m) => `${m.callId} ${m.branch} ${m.cseq.number} ${m.cseq.method}`;

const titled = (name) => name.replace(/(^|-)([a-z])/g, (all) => all.toUpperCase());

export { param, uriOf };
