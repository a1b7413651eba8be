// SPDX-License-Identifier: Apache-2.0
// The page's side of a browser under test: a JsSIP phone that speaks a tone instead of a microphone and records what it
// hears. Driven from node (lib/chromium.mjs) by calling the functions of `phone`.
'use strict';

const KEEP_SECONDS = 20;

const phone = {
  log: [], // events in order: {what, ...}
  rate: 48000,
  sessions: [], // of this scenario, in order
  pieces: [], // Float32Arrays of what is heard, newest last

  note(what, more = {}) {
    this.log.push({ what, at: performance.now(), ...more });
    console.log(`phone: ${what} ${JSON.stringify(more)}`);
  },

  /** Open the WebSocket and register (unless `register` is false). */
  async start({ url, uri, password, authUser, register = true, hz = 700, iceServers = [], expires = 300, extra = {} }) {
    this.context = new AudioContext({ sampleRate: this.rate });
    await this.context.audioWorklet.addModule('ear.js');
    this.hz = hz;
    this.microphone(hz);
    this.iceServers = iceServers;
    const socket = new JsSIP.WebSocketInterface(url);
    this.ua = new JsSIP.UA({
      sockets: [socket], uri, password, authorization_user: authUser, register, register_expires: expires,
      session_timers: false, connection_recovery_min_interval: 1, connection_recovery_max_interval: 2, ...extra,
    });
    for (const event of ['connected', 'disconnected', 'registered', 'unregistered']) this.ua.on(event, () => this.note(event));
    this.ua.on('registrationFailed', (e) => this.note('registrationFailed', { status: e.response?.status_code, cause: e.cause }));
    this.ua.on('newRTCSession', ({ session, originator, request }) => this.onSession(session, originator, request));
    this.ua.on('newMessage', ({ originator, request }) => this.note('message', { originator, body: request.body }));
    this.ua.start();
  },

  /** What we speak: a steady tone of this frequency; 0 is silence. */
  microphone(hz) {
    if (!this.oscillator) {
      this.oscillator = this.context.createOscillator();
      this.volume = this.context.createGain();
      this.mouth = this.context.createMediaStreamDestination();
      this.oscillator.connect(this.volume).connect(this.mouth);
      this.oscillator.start();
    }
    this.oscillator.frequency.value = hz || 440;
    this.volume.gain.value = hz ? 0.4 : 0;
  },

  onSession(session, originator, request) {
    this.session = session;
    this.sessions.push(session);
    const caller = { user: request.from?.uri.user, display: request.from?.display_name };
    this.note('session', { originator, ...(originator === 'remote' && { caller }) });
    const tell = (e) => ({ originator: e?.originator, cause: e?.cause, status: e?.message?.status_code, reason: e?.message?.getHeader?.('Reason') });
    for (const event of ['progress', 'accepted', 'confirmed', 'ended', 'failed', 'hold', 'unhold', 'reinvite', 'update']) {
      session.on(event, (e) => this.note(event, tell(e)));
    }
    session.on('newDTMF', ({ originator: who, dtmf }) => this.note('dtmf', { originator: who, tone: dtmf.tone }));
    session.on('sdp', (e) => {
      if (this.onlyCodecs) e.sdp = keepCodecs(e.sdp, this.onlyCodecs);
      this.note('sdp', { originator: e.originator, type: e.type, sdp: e.sdp });
    });
    session.on('peerconnection', ({ peerconnection }) => this.onPeer(peerconnection));
    if (session.connection) this.onPeer(session.connection);
  },

  onPeer(connection) {
    if (this.connection === connection) return;
    this.connection = connection;
    connection.addEventListener('connectionstatechange', () => this.note('connection', { state: connection.connectionState }));
    connection.addEventListener('track', ({ track, streams }) => this.listen(track, streams[0]));
  },

  listen(track, stream = new MediaStream([track])) {
    if (track.kind !== 'audio') return;
    // Chromium lets remote audio flow into Web Audio only while a media element plays the stream.
    this.player = new Audio();
    this.player.srcObject = stream;
    this.player.muted = true;
    this.player.play().catch((error) => this.note('player', { error: String(error) }));
    this.source?.disconnect(); // of the call before
    const ear = new AudioWorkletNode(this.context, 'ear', { numberOfInputs: 1, numberOfOutputs: 0 });
    this.source = this.context.createMediaStreamSource(stream);
    this.source.connect(ear);
    const source = this.source;
    ear.port.onmessage = ({ data }) => {
      if (source !== this.source) return;
      this.pieces.push(data);
      if (this.pieces.length * data.length > KEEP_SECONDS * this.rate) this.pieces.shift();
    };
  },

  options(more = {}) {
    return { mediaStream: this.mouth.stream.clone(), pcConfig: { iceServers: this.iceServers }, ...more };
  },

  call(target, { codecs, ...more } = {}) {
    this.onlyCodecs = codecs;
    this.connection = undefined;
    this.ua.call(target, this.options({ mediaConstraints: { audio: true, video: false }, ...more }));
  },

  answer({ codecs, ...more } = {}) {
    this.onlyCodecs = codecs;
    this.session.answer(this.options(more));
  },

  /** Send the far end of a call to somebody else; `replaces`: to the far end of that call. Calls are counted from the first. */
  refer(target, { from = this.sessions.length - 1, replaces } = {}) {
    const note = (what) => (e) => this.note(`refer ${what}`, { status: e?.response?.status_code ?? e?.request?.body?.match(/ (\d+)/)?.[1] });
    const events = ['requestSucceeded', 'requestFailed', 'trying', 'progress', 'accepted', 'failed'];
    this.sessions[from].refer(target, {
      eventHandlers: Object.fromEntries(events.map((what) => [what, note(what)])),
      ...(replaces !== undefined && { replaces: this.sessions[replaces] }),
    });
  },

  /** The last `ms` of what was heard, 16-bit little-endian, base64. */
  heard(ms) {
    const count = Math.min(this.pieces.length, Math.ceil((ms * this.rate) / 1000 / 128));
    const samples = new Int16Array(count * 128);
    this.pieces.slice(this.pieces.length - count).forEach((piece, i) => {
      piece.forEach((s, k) => { samples[i * 128 + k] = Math.max(-1, Math.min(1, s)) * 32767; });
    });
    const bytes = new Uint8Array(samples.buffer);
    let text = '';
    for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
    return btoa(text);
  },

  forget() {
    this.pieces = [];
  },

  reset() {
    this.ua.terminateSessions();
    this.sessions = [];
    this.onlyCodecs = undefined;
    this.microphone(this.hz);
  },

  /** Figures of the connection, as plain objects. */
  async stats() {
    const report = await this.connection.getStats();
    return [...report.values()].map((one) => JSON.parse(JSON.stringify(one)));
  },
};

/** Leave only these codecs (and telephone-event) in each audio line of a description. */
function keepCodecs(sdp, names) {
  const wanted = [...names, 'telephone-event'].map((name) => name.toLowerCase());
  return sdp.split(/(?=^m=)/m).map((section) => {
    if (!section.startsWith('m=audio')) return section;
    const drop = [...section.matchAll(/^a=rtpmap:(\d+) ([^/\r\n]+)/gm)]
      .filter(([, , name]) => !wanted.includes(name.toLowerCase())).map(([, pt]) => pt);
    return section
      .replace(/^(m=audio \d+ \S+)(.*)$/m, (all, head, list) => head + list.split(' ').filter((pt) => !drop.includes(pt)).join(' '))
      .split('\r\n')
      .filter((line) => !drop.some((pt) => new RegExp(`^a=(rtpmap|fmtp|rtcp-fb):${pt} `).test(line)))
      .join('\r\n');
  }).join('');
}
