// SPDX-License-Identifier: Apache-2.0
// line.js: the way to the gateway: one JsSIP user agent, its WebSocket (RFC 7118) and its registration.
// Emits 'state' {state, end} and 'incoming' (a Call). Never shows anything.

import JsSIP from 'jssip';
import { Call } from './call.js';
import { explainSignIn } from './cause.js';
import { Emitter } from './emitter.js';

const REGISTER_SECONDS = 300;
const RECOVER_SECONDS = { min: 1, max: 15 };
const RETRY_MS = [3000, 10000, 30000];
const STOP_WAIT_MS = 1500;

export class Line extends Emitter {
  state = 'off';            // off, connecting, registering, ready, offline, refused
  #agent = null;
  #retries = 0;
  #retryTimer = 0;
  #wasReady = false;

  /** @param account {name, password, display, domain, url, iceServers} */
  constructor(account) {
    super();
    this.account = account;
  }

  start() {
    const { name, password, display, domain, url } = this.account;
    const socket = new JsSIP.WebSocketInterface(url);
    this.#agent = new JsSIP.UA({
      sockets: [socket],
      uri: new JsSIP.URI('sip', encodeURIComponent(name), domain).toString(),
      authorization_user: name,
      password,
      display_name: display || undefined,
      register: true,
      register_expires: REGISTER_SECONDS,
      connection_recovery_min_interval: RECOVER_SECONDS.min,
      connection_recovery_max_interval: RECOVER_SECONDS.max,
      session_timers: true,
      session_timers_refresh_method: 'INVITE',
      user_agent: 'Sipway phone',
    });
    this.#listen(this.#agent);
    this.#setState('connecting');
    this.#agent.start();
  }

  #listen(agent) {
    agent.on('connecting', () => this.state !== 'offline' && this.#setState('connecting'));
    agent.on('connected', () => this.#setState('registering'));
    agent.on('disconnected', () => this.#setState('offline'));
    agent.on('registered', () => {
      this.#retries = 0;
      this.#setState('ready');
      if (this.#wasReady) this.emit('back');
      this.#wasReady = true;
    });
    agent.on('registrationFailed', (failure) => this.#onRefused(failure));
    agent.on('newRTCSession', ({ originator, session }) => originator === 'remote' && this.#onIncoming(session));
  }

  /** A refusal of the account is final; anything else is tried again. */
  #onRefused({ response, cause }) {
    if (cause === 'Connection Error' || this.state === 'off') return;
    const end = explainSignIn({
      status: response?.status_code ?? 0, cause,
      warnings: response?.getHeaders('Warning') ?? [], reasons: response?.getHeaders('Reason') ?? [],
    });
    const isFinal = [401, 403, 404, 407].includes(end.status) || cause === 'Authentication Error';
    this.#setState(isFinal ? 'refused' : 'registering', end);
    if (isFinal) this.stop('refused');
    else this.#retryTimer = setTimeout(() => this.#agent?.register(), RETRY_MS[Math.min(this.#retries++, RETRY_MS.length - 1)]);
  }

  #onIncoming(session) {
    const identity = session.remote_identity;
    const call = new Call({
      direction: 'in', number: identity.uri?.user ?? '', name: identity.display_name ?? '', iceServers: this.account.iceServers,
    });
    call.receive(session);
    this.emit('incoming', call);
  }

  /** Makes a call to {user, host}; it is placed once the microphone is open. */
  call(target, { wantsVideo = false, name = '' } = {}) {
    const isOurs = target.host === this.account.domain;
    const call = new Call({
      direction: 'out', number: isOurs ? target.user : `${target.user}@${target.host}`, name, iceServers: this.account.iceServers,
    });
    const uri = new JsSIP.URI('sip', encodeURIComponent(target.user), target.host);
    call.placed = call.dial((options) => this.#agent.call(uri, options), wantsVideo);
    return call;
  }

  get isReady() {
    return this.state === 'ready';
  }

  /** The network or the page came back: do not wait for the next attempt. */
  hurry() {
    if (this.state === 'offline') this.#agent?.transport?.connect();
  }

  stop(state = 'off') {
    clearTimeout(this.#retryTimer);
    const agent = this.#agent;
    this.#agent = null;
    if (state === 'off') this.#setState('off');
    if (!agent) return Promise.resolve();
    agent.stop();
    return new Promise((resolve) => { setTimeout(resolve, STOP_WAIT_MS); });
  }

  #setState(state, end = null) {
    const isLast = state === 'off' || state === 'refused';
    if ((!this.#agent && !isLast) || (this.state === state && !end)) return;
    this.state = state;
    this.emit('state', { state, end });
  }
}
