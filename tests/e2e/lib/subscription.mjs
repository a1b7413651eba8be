// SPDX-License-Identifier: Apache-2.0
// A subscriber (RFC 6665) and a publisher (RFC 3903), scripted.
import { check } from './scenario.mjs';

/** Send a request outside of a dialog, answer a challenge. @returns {{request, response}} of the last try */
export async function ask(sip, who, method, target, { headers = [], body = '', type } = {}) {
  const request = sip.newRequest(method, target.startsWith('sip:') ? target : `sip:${target}@example.com`, {
    from: `<sip:${who.name}@example.com>`, headers, body, ...(type && { type }),
  });
  const isAnswer = (m) => m.status >= 200 && m.cseq.method === method && m.callId === request.callId;
  const first = await sip.expect(isAnswer);
  if (first.status !== 401) return { request, response: first };
  const again = sip.retryWithCredentials(request, first, { username: who.name, password: who.password });
  return { request: again, response: await sip.expect(isAnswer) };
}

/** Subscribe; an answer that is not 200 is an error unless `status` names it. @returns {Subscription} or the refusal */
export async function subscribe(sip, who, target, event, { expires = 600, headers = [], status = 200 } = {}) {
  const { request, response } = await ask(sip, who, 'SUBSCRIBE', target, { headers: [['Event', event], ['Expires', expires], ...headers] });
  check(response.status === status, `SUBSCRIBE for ${event} of ${target} got ${response.first} (${response.header('warning')})`);
  return status === 200 ? new Subscription(sip, request, response, event) : response;
}

class Subscription {
  constructor(sip, request, response, event) {
    Object.assign(this, { sip, event, response, callId: request.callId });
    this.dialog = {
      callId: request.callId, local: request.header('from'), remote: response.header('to'), target: response.contactUri,
      routes: response.all('record-route').reverse(), cseq: request.cseq.number,
    };
  }

  get expires() {
    return Number(this.response.header('expires'));
  }

  /** Wait for the next NOTIFY and answer it. @param answer status of the answer; 0: none */
  async next({ answer = 200, within } = {}) {
    const notify = await this.sip.expect('NOTIFY', { call: this.callId, ...(within && { within }) });
    check(notify.header('event') === this.event, `Event: ${notify.header('event')} instead of ${this.event}`);
    check(notify.contactUri, 'a NOTIFY has a Contact (RFC 6665 8.1.1)');
    if (answer) this.sip.reply(answer, { request: notify });
    return notify;
  }

  /** Wait for a NOTIFY whose body, or state, is like this. */
  async until(pattern, options) {
    const seen = [];
    for (let i = 0; i < 10; i++) {
      const notify = await this.next(options);
      if (pattern.test(notify.body) || pattern.test(notify.header('subscription-state'))) return notify;
      seen.push(notify.body || notify.header('subscription-state'));
    }
    throw new Error(`no ${pattern} in ${seen.join('\n')}`);
  }

  /** Nothing comes. */
  quiet(ms = 300) {
    return this.sip.expectNone((m) => m.method === 'NOTIFY' && m.callId === this.callId, ms);
  }

  /** SUBSCRIBE again; 0 ends it. @returns the final answer */
  async refresh(expires = 600) {
    this.sip.inDialog('SUBSCRIBE', {
      dialog: this.dialog, headers: [['Event', this.event], ['Expires', expires], ['Contact', this.sip.contact]],
    });
    return this.sip.expect((m) => m.status >= 200 && m.cseq.method === 'SUBSCRIBE' && m.callId === this.callId);
  }
}

/** Publish a document. @returns the final answer */
export async function publish(sip, who, body, { etag, expires = 600, event = 'presence', type = 'application/pidf+xml', about = who.name } = {}) {
  const headers = [['Event', event], ['Expires', expires], ...(etag ? [['SIP-If-Match', etag]] : [])];
  return (await ask(sip, who, 'PUBLISH', about, { headers, body, type })).response;
}
