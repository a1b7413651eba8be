// SPDX-License-Identifier: Apache-2.0
// SIP text <-> object, for tests: tolerant, keeps the raw text, knows compact names. Not a model of a good parser.

const LONG = {
  v: 'via', f: 'from', t: 'to', i: 'call-id', m: 'contact', l: 'content-length', c: 'content-type', k: 'supported',
  s: 'subject', x: 'session-expires', r: 'refer-to', b: 'referred-by', e: 'content-encoding', o: 'event', u: 'allow-events',
  a: 'accept-contact', d: 'request-disposition', j: 'reject-contact', n: 'identity-info', y: 'identity',
};

const nameOf = (text) => {
  const name = text.trim().toLowerCase();
  return LONG[name] ?? name;
};

/** @returns {SipMessage} */
export function parseSip(raw, arrival = {}) {
  const end = raw.indexOf('\r\n\r\n');
  const head = end < 0 ? raw : raw.slice(0, end);
  const [first, ...lines] = head.replace(/\r\n[ \t]+/g, ' ').split('\r\n');
  const headers = lines.filter(Boolean).map((line) => {
    const colon = line.indexOf(':');
    return [nameOf(line.slice(0, colon)), line.slice(colon + 1).trim()];
  });
  return new SipMessage(raw, first, headers, end < 0 ? '' : raw.slice(end + 4), arrival);
}

class SipMessage {
  constructor(raw, first, headers, body, arrival) {
    Object.assign(this, { raw, first, headers, body, ...arrival });
    const response = first.match(/^SIP\/2\.0 (\d{3}) ?(.*)$/);
    if (response) {
      this.status = Number(response[1]);
      this.reason = response[2];
    } else {
      [this.method, this.uri] = first.split(' ');
    }
  }

  get isRequest() {
    return this.status === undefined;
  }

  /** First value of a header, or undefined. */
  header(name) {
    return this.headers.find(([one]) => one === nameOf(name))?.[1];
  }

  /** All values of a header; lists on one line are split. */
  all(name) {
    return this.headers.filter(([one]) => one === nameOf(name)).flatMap(([, value]) => splitList(value));
  }

  get callId() {
    return this.header('call-id');
  }

  get cseq() {
    const [number, method] = (this.header('cseq') ?? '').split(/\s+/);
    return { number: Number(number), method };
  }

  get branch() {
    return param(this.all('via')[0] ?? '', 'branch');
  }

  get fromTag() {
    return param(this.header('from') ?? '', 'tag');
  }

  get toTag() {
    return param(this.header('to') ?? '', 'tag');
  }

  /** URI of the first Contact. */
  get contactUri() {
    return uriOf(this.all('contact')[0] ?? '');
  }
}

/** Split a header value at commas that are outside quotes and angle brackets. */
export function splitList(value) {
  const parts = [''];
  let quoted = false;
  let angle = false;
  for (let i = 0; i < value.length; i++) {
    const c = value[i];
    if (quoted && c === '\\') {
      parts[parts.length - 1] += c + (value[++i] ?? '');
      continue;
    }
    if (c === '"') quoted = !quoted;
    else if (!quoted && (c === '<' || c === '>')) angle = c === '<';
    if (c === ',' && !quoted && !angle) parts.push('');
    else parts[parts.length - 1] += c;
  }
  return parts.map((part) => part.trim()).filter(Boolean);
}

/** URI of a name-addr or addr-spec. */
export const uriOf = (value) => value.match(/<([^>]*)>/)?.[1] ?? value.split(';')[0].trim();

/** Header parameter (outside the angle brackets). */
export function param(value, name) {
  const tail = value.replace(/^"(\\.|[^"])*"/, '').replace(/<[^>]*>/, '');
  return tail.match(new RegExp(`;\\s*${name}\\s*=\\s*"?([^;,"\\s]+)`, 'i'))?.[1];
}

/** Text of a message; Content-Length is counted here unless a header gives it. `headers`: [[name, value]...]. */
export function writeSip(first, headers, body = '') {
  const lines = headers.filter(([, value]) => value !== undefined).map(([name, value]) => `${name}: ${value}`);
  if (!headers.some(([name]) => nameOf(name) === 'content-length')) lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  return [first, ...lines, '', body].join('\r\n');
}
