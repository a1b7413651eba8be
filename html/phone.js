// SPDX-License-Identifier: Apache-2.0
// phone.js: the entry. Joins the line, its calls and the page: which view shows, what each button does.
// At most two calls: the shown one and another that waits or is on hold.

import { completeAccount, fetchSetup } from './account.js';
import { keepAwake, startAlert, stopAlert } from './alert.js';
import { wakeOnGesture } from './audio.js';
import { CallView } from './callview.js';
import { DialPad } from './dialpad.js';
import { byId, element, icon, setHidden, setText, spoken } from './dom.js';
import { callState, openInspector } from './inspect.js';
import { Line } from './line.js';
import { parseTarget, prettyNumber } from './number.js';
import { keepAccount, keptAccount, prefs } from './prefs.js';
import { RecentList, recentOf } from './recent.js';
import { playSound, stopSound } from './ring.js';
import { Settings } from './settings.js';

const CLOSE_AFTER_MS = 2500;
const HURRY_MS = 2000;
const LINE_WORDS = {
  off: 'Signed out', connecting: 'Connecting …', registering: 'Signing in …', ready: 'Ready',
  offline: 'Offline, trying again …', refused: 'Not signed in',
};

class Phone {
  line = null;
  current = null;               // the call that is shown
  other = null;                 // waiting, or on hold
  #setup = null;
  #closeTimer = 0;
  #hurryTimer = 0;
  #dialPad = null;
  #tonePad = null;
  #view = new CallView();
  #recent = new RecentList(byId('recent-list'), byId('recent-empty'), (number) => this.dial(number));
  #settings = new Settings({
    onMicrophone: () => this.#try(() => this.current?.changeMicrophone()),
    onCamera: () => this.#try(() => this.current?.changeCamera()),
    onSignOut: () => this.signOut(),
  });
  #note = openInspector({
    state: () => ({
      line: this.line?.state ?? 'off',
      account: this.line ? `${this.line.account.name}@${this.line.account.domain}` : '',
      current: this.current?.id ?? null,
      calls: [this.current, this.other].filter(Boolean).map(callState),
      figures: this.#view.figures,
    }),
    hear: () => this.#view.hear(),
    media: () => this.current && { connection: this.current.connection, local: this.current.localStream, remote: this.current.remoteAudio },
  });

  async start() {
    wakeOnGesture();
    this.#bind();
    this.#setup = await fetchSetup();
    this.#drawNumbers();
    const kept = keptAccount();
    const account = this.#setup.account ?? kept;
    if (account?.password) return this.signIn({ ...account, isKept: !this.#setup.account });
    if (kept) this.#fillSignIn(kept);
    return this.#showSignIn();
  }

  // ---- signing in

  signIn({ isKept, ...typed }) {
    const account = completeAccount(typed, this.#setup, window.location);
    if (account.error) return this.#showSignIn(account.error);
    this.line?.stop();
    this.line = new Line(account);
    this.line.on('state', (change) => this.#onLine(change));
    this.line.on('incoming', (call) => this.#onIncoming(call));
    this.line.on('back', () => this.#repairCalls());
    this.#recent.open(isKept);
    this.#settings.showAccount(`${account.display || account.name} (${account.name}@${account.domain})`);
    if (isKept) keepAccount({ name: typed.name, password: typed.password, server: typed.server ?? '', domain: typed.domain ?? '' });
    this.#notice('');
    try {
      this.line.start();
    } catch {
      return this.#showSignIn('This name or server cannot be used.');
    }
    return this.#show('dial');
  }

  async signOut() {
    for (const call of [this.current, this.other]) call?.hangUp();
    keepAccount(null);
    this.#recent.open(false);
    this.#setup.account = null;
    this.#settings.showAccount('');
    const line = this.line;
    this.line = null;
    this.#drawLine('off', LINE_WORDS.off);
    this.#showSignIn();
    await line?.stop();
  }

  #showSignIn(problem = '') {
    this.#notice(problem);
    this.#show('sign-in');
    if (!this.line) this.#drawLine(problem ? 'refused' : 'off', problem ? LINE_WORDS.refused : LINE_WORDS.off);
    byId(byId('account-name').value ? 'account-password' : 'account-name').focus({ preventScroll: true });
  }

  #fillSignIn({ name, server = '', domain = '' }) {
    byId('account-name').value = name;
    byId('account-server').value = server;
    byId('account-domain').value = domain;
    byId('account-keep').checked = true;
  }

  #onSubmitSignIn(event) {
    event.preventDefault();
    const isKept = byId('account-keep').checked;
    if (!isKept) keepAccount(null);
    this.signIn({
      isKept, name: byId('account-name').value, password: byId('account-password').value,
      server: byId('account-server').value.trim(), domain: byId('account-domain').value.trim(),
    });
  }

  #onLine({ state, end }) {
    this.#note('line', { state, ...(end && { status: end.status, title: end.title, said: end.said }) });
    this.#drawLine(state, end && state !== 'refused' ? `${end.title}, trying again …` : LINE_WORDS[state]);
    this.#hurryBack(state);
    if (state === 'ready') byId('account-password').value = '';
    if (state !== 'refused') return;
    byId('account-name').value ||= this.line.account.name;
    this.line = null;
    const kept = keptAccount();
    if (kept) keepAccount({ ...kept, password: '' });     // not tried again at each visit
    this.#settings.showAccount('');
    this.#showSignIn(`${end.title}. ${end.said || end.detail}`);
  }

  /** The gateway keeps a call of a lost connection for a while only, so the way back must not take longer each time. */
  #hurryBack(state) {
    clearInterval(this.#hurryTimer);
    const isTalking = [this.current, this.other].some((call) => call?.isEstablished);
    if (state === 'offline' && isTalking) this.#hurryTimer = setInterval(() => this.line?.hurry(), HURRY_MS);
  }

  #drawLine(state, words) {
    byId('line-state').dataset.state = state;
    setText(byId('line-text'), words);
    byId('call').disabled = byId('video-call').disabled = state !== 'ready';
  }

  // ---- calls

  dial(typed, { wantsVideo = false, name = '' } = {}) {
    if (this.current && this.current.state !== 'ended') return this.#notice('Finish this call first.');
    if (!this.line?.isReady) return this.#notice('The phone is not connected to the gateway yet.');
    const target = parseTarget(typed, this.line.account.domain);
    if (!target) return this.#notice('That does not look like a number or a name.');
    this.#notice('');
    const label = this.#setup.numbers.find((one) => one.number === target.user)?.label;
    const call = this.line.call(target, { wantsVideo, name: name || label || '' });
    this.#adopt(call);
    this.#showCall(call);
    call.placed.catch((error) => {
      call.hangUp();
      this.#close();
      this.#notice(error.message);
    });
  }

  #onIncoming(call) {
    this.#adopt(call);
    if (this.current && this.current.state !== 'ended') {
      if (this.other) return call.hangUp(486);
      this.other = call;
    } else this.#showCall(call);
    this.#drawOther();
    this.#sound();
    startAlert(call.name || prettyNumber(call.number) || 'Somebody', () => byId('answer').focus());
  }

  #adopt(call) {
    this.#note('call', { id: call.id, direction: call.direction, number: call.number });
    call.on('event', (type, fields) => this.#note(type, { id: call.id, ...fields }));
    call.on('change', () => this.#onCallChange());
    call.on('notice', (text) => this.#notice(text));
    call.on('end', (end) => this.#onCallEnd(call, end));
  }

  #onCallChange() {
    this.#sound();
    this.#drawOther();
    const calls = [this.current, this.other];
    if (!calls.some((call) => call?.state === 'incoming')) stopAlert();
    keepAwake(calls.some((call) => call && call.state !== 'ended'));
  }

  #onCallEnd(call, end) {
    this.#note('end', { id: call.id, title: end.title, status: end.status, said: end.said });
    if (call.wasPlaced) {
      this.#recent.add(recentOf({ ...call, hasVideo: call.hasCamera }));
      setHidden(byId('recent-clear'), false);
    }
    if (call === this.other) this.other = null;
    else if (call === this.current) this.#afterCurrent(end);
    this.#onCallChange();
  }

  /** The shown call is over: the other one takes its place, else the reason stays to be read. */
  #afterCurrent(end) {
    if (this.other) {
      const next = this.other;
      this.other = null;
      this.#showCall(next);
      return;
    }
    playSound(end.isFailure ? 'busy' : 'ended');
    if (end.isFailure) byId('done').focus({ preventScroll: true });
    else this.#closeTimer = setTimeout(() => this.#close(), CLOSE_AFTER_MS);
  }

  #showCall(call) {
    clearTimeout(this.#closeTimer);
    this.current = call;
    this.#view.show(call);
    this.#show('call');
    byId('peer-name').focus({ preventScroll: true });
  }

  #close() {
    clearTimeout(this.#closeTimer);
    if (this.current && this.current.state !== 'ended') return;
    this.current = null;
    this.#view.show(null);
    byId('phone').dataset.video = 'false';
    this.#show(this.line ? 'dial' : 'sign-in');
    if (this.line && matchMedia('(pointer: fine)').matches) byId('number').focus({ preventScroll: true });
  }

  #sound() {
    const states = [this.current?.state, this.other?.state];
    if (this.other?.state === 'incoming') playSound('waiting');
    else if (states[0] === 'incoming') playSound('ringing');
    else if (states[0] === 'ringing') playSound('ringback');
    else if (states[0] && states[0] !== 'ended') stopSound();
  }

  #again() {
    const { number, name } = this.current;
    this.#close();
    this.dial(number, { name });
  }

  // ---- two calls

  #drawOther() {
    const call = this.other;
    setHidden(byId('other'), !call);
    if (!call) return;
    const isWaiting = call.state === 'incoming';
    const who = call.name || prettyNumber(call.number) || 'Unknown caller';
    setText(byId('other-text'), isWaiting ? `${who} is calling too` : `${who} is on hold`);
    setHidden(byId('other-answer'), !isWaiting);
    setHidden(byId('other-swap'), isWaiting);
    setText(byId('other-end'), isWaiting ? 'Decline' : 'Hang up');
  }

  async #swap() {
    const [front, back] = [this.current, this.other];
    await this.#settle(front);
    if (back.state === 'ended') return;
    this.other = front.state === 'ended' ? null : front;
    this.#showCall(back);
    if (back.state === 'incoming') await this.#answer(back, false);
    else await back.hold(false);
    this.#onCallChange();
  }

  /** Puts the shown call aside: held if it talks, ended if it does not yet. */
  async #settle(call) {
    if (call.isEstablished) await call.hold(true);
    else if (call.state !== 'ended') call.hangUp(486);
  }

  /** On a path or socket that came back, answered calls find their way again. RFC 8445 9. */
  #repairCalls() {
    for (const call of [this.current, this.other]) if (call?.isEstablished) call.repair();
  }

  async #answer(call, wantsVideo) {
    if (call?.state !== 'incoming') return;
    stopSound();
    await call.answer(wantsVideo);
  }

  // ---- the page

  #show(view) {
    byId('phone').dataset.view = view;
    for (const name of ['start', 'sign-in', 'dial', 'call']) setHidden(byId(`view-${name}`), name !== view);
    const isIn = view === 'dial' || view === 'call';
    setHidden(byId('recent'), !isIn);
    setHidden(byId('numbers'), !isIn || !this.#setup?.numbers.length);
  }

  #notice(text) {
    setText(byId('notice-text'), text);
    setHidden(byId('notice'), !text);
    if (text) this.#note('notice', { text });
  }

  async #try(action) {
    try {
      await action();
    } catch (error) {
      if (error.message) this.#notice(error.message);
    }
  }

  #drawNumbers() {
    byId('number-list').replaceChildren(...this.#setup.numbers.map(({ number, label }) => {
      const button = element('button', { type: 'button', class: 'number-button', 'data-number': number, 'data-testid': 'number-button' },
        icon('phone'), element('span', {}, spoken('Call '), element('strong', {}, label), ' ', element('span', {}, number)));
      button.addEventListener('click', () => this.dial(number));
      return element('li', {}, button);
    }));
  }

  #bind() {
    const click = (id, action) => byId(id).addEventListener('click', () => this.#try(action));
    this.#dialPad = new DialPad(byId('dial-keys'), (key) => this.#typeNumber(key), { hasPlus: true });
    this.#tonePad = new DialPad(byId('tone-keys'), (key) => this.#sendTone(key));
    byId('view-sign-in').addEventListener('submit', (event) => this.#onSubmitSignIn(event));
    byId('dial-form').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#dialTyped(false);
    });
    byId('number').addEventListener('input', () => this.#drawErase());
    click('erase', () => this.#erase());
    click('video-call', () => this.#dialTyped(true));
    click('notice-close', () => this.#notice(''));
    click('recent-clear', () => {
      this.#recent.clear();
      setHidden(byId('recent-clear'), true);
    });
    this.#bindCall(click);
    this.#bindWindow();
  }

  #bindCall(click) {
    click('hangup', () => this.current?.hangUp());
    click('reject', () => this.current?.hangUp());
    click('answer', () => this.#answer(this.current, false));
    click('answer-video', () => this.#answer(this.current, true));
    click('mute', () => this.current?.mute(!this.current.isMuted));
    click('hold', () => this.current?.hold(!this.current.held.local));
    click('camera', () => this.current?.setCamera(!this.current.hasCamera));
    click('keypad', () => this.#toggleKeypad());
    click('done', () => this.#close());
    click('again', () => this.#again());
    click('other-answer', () => this.#swap());
    click('other-swap', () => this.#swap());
    click('other-end', () => this.other?.hangUp(486));
  }

  #bindWindow() {
    document.addEventListener('keydown', (event) => this.#onKey(event));
    window.addEventListener('online', () => this.line?.hurry());
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.line?.hurry();
      if (!document.hidden) this.#onCallChange();
    });
    window.addEventListener('beforeunload', (event) => {
      if ([this.current, this.other].some((call) => call?.isEstablished)) event.preventDefault();
    });
    window.addEventListener('pagehide', () => {
      for (const call of [this.current, this.other]) call?.hangUp();
      this.line?.stop();
    });
  }

  // ---- keys

  #typeNumber(key) {
    const field = byId('number');
    const at = field.selectionStart ?? field.value.length;
    field.setRangeText(key, at, field.selectionEnd ?? at, 'end');
    this.#drawErase();
  }

  #erase() {
    const field = byId('number');
    field.value = field.value.slice(0, -1);
    this.#drawErase();
  }

  #drawErase() {
    setHidden(byId('erase'), !byId('number').value);
  }

  /** An empty field brings the last number back first, as desk phones do. */
  #dialTyped(wantsVideo) {
    const field = byId('number');
    if (!field.value.trim()) {
      field.value = this.#recent.last;
      this.#drawErase();
      field.focus();
      return;
    }
    this.dial(field.value, { wantsVideo });
    if (this.current) field.value = '';
    this.#drawErase();
  }

  #toggleKeypad() {
    this.#view.isKeypadOpen = !this.#view.isKeypadOpen;
    this.#view.draw();
  }

  #sendTone(key) {
    const call = this.current;
    if (call?.takesKeys && !call.sendTones(key)) this.#notice('The other side does not take keys in this call.');
  }

  #onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || byId('settings').open) return;
    if (event.target.closest?.('input, select, textarea')) return;
    const call = this.current;
    if (byId('phone').dataset.view === 'dial' && /^[0-9*#+]$/.test(event.key)) {
      this.#typeNumber(event.key);
      this.#dialPad.flash(event.key);
    } else if (call?.takesKeys && /^[0-9*#]$/.test(event.key)) {
      this.#tonePad.flash(event.key);
      this.#sendTone(event.key);
    } else if (event.key === 'Escape' && this.#view.isKeypadOpen) this.#toggleKeypad();
    else if (prefs.hasShortcuts) this.#onShortcut(event.key.toLowerCase(), call);
  }

  #onShortcut(key, call) {
    if (call?.state === 'incoming' && key === 'a') this.#try(() => this.#answer(call, false));
    else if (call?.state === 'incoming' && key === 'd') call.hangUp();
    else if (call?.isEstablished && key === 'm') call.mute(!call.isMuted);
    else if (call?.isEstablished && key === 'h') this.#try(() => call.hold(!call.held.local));
  }
}

new Phone().start();
