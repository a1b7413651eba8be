// SPDX-License-Identifier: Apache-2.0
// call.js: one call as the page sees it, around one JsSIP RTCSession. Emits 'change', 'media', 'end', 'refused'.
// Knows SIP events and peer connections; has never heard of buttons.

import { displayNameOf, explain } from './cause.js';
import { openCamera, openMicrophone, stopStream } from './devices.js';
import { silentTrack } from './audio.js';
import { Emitter } from './emitter.js';
import { reoffer } from './reoffer.js';

const CANDIDATE_WAIT_MS = 120;    // after the first host candidate; the gateway learns the rest from checks
const ICE_REPAIR_WAIT_MS = 4000;
const SESSION_SECONDS = 1800;     // RFC 4028; JsSIP's own 90 s mean a re-INVITE every 45 s
const TONE_MS = 160;
const TONE_GAP_MS = 80;

let nextId = 1;

export class Call extends Emitter {
  id = nextId++;
  state = 'dialling';             // dialling, trying, ringing, early | incoming | connecting, talking | ended
  held = { local: false, remote: false };
  isMuted = false;
  isBusy = false;                 // a re-INVITE is on its way
  hasCamera = false;
  isListenOnly = false;           // there is no microphone
  offersVideo = false;
  startedAt = Date.now();
  answeredAt = 0;
  endedAt = 0;
  end = null;                     // what explain() says
  tones = '';
  localStream = null;
  remoteAudio = null;
  remoteVideo = null;
  #session = null;
  #repairTimer = 0;
  #silence = null;
  #microphone = null;

  /** @param who {direction: in|out, number, name} */
  constructor({ direction, number, name, iceServers }) {
    super();
    Object.assign(this, { direction, number, name: name ?? '', iceServers: iceServers ?? [] });
  }

  get connection() {
    return this.#session?.connection ?? null;
  }

  get wasPlaced() {
    return Boolean(this.#session);
  }

  get isEstablished() {
    return this.state === 'talking';
  }

  get takesKeys() {
    return this.state === 'talking' || this.state === 'early';
  }

  get localVideo() {
    const track = this.localStream?.getVideoTracks()[0];
    return track ? new MediaStream([track]) : null;
  }

  /** Hands over the session of an incoming call. */
  receive(session) {
    this.offersVideo = /^m=video [1-9]/m.test(session._request?.body ?? '');
    this.#adopt(session);
    this.#setState('incoming');
  }

  /** Opens the devices, then calls `place(options)`, which returns the JsSIP session. Rejects when refused. */
  async dial(place, wantsVideo) {
    const options = await this.#openMedia(wantsVideo);
    if (this.state === 'ended') return stopStream(this.localStream);
    return this.#adopt(place(options));
  }

  async answer(wantsVideo) {
    const before = this.state;
    this.#setState('connecting');
    try {
      const options = await this.#openMedia(wantsVideo);
      if (this.state === 'ended') return stopStream(this.localStream);
      return this.#session.answer(options);
    } catch (error) {
      if (this.state !== 'ended') this.#setState(before);
      throw error;
    }
  }

  async #openMedia(wantsVideo) {
    const { stream, notice } = await openMicrophone();
    this.#microphone = stream.getAudioTracks()[0];
    this.localStream = stream;
    this.isListenOnly = Boolean(notice);
    if (notice) this.emit('notice', notice);
    if (wantsVideo) {
      await openCamera().then((track) => {
        stream.addTrack(track);
        this.hasCamera = true;
      }, (error) => this.emit('notice', error.message));
    }
    this.emit('media');
    return { mediaStream: stream, sessionTimersExpires: SESSION_SECONDS, pcConfig: { iceServers: this.iceServers, bundlePolicy: 'max-bundle', rtcpMuxPolicy: 'require' } };
  }

  #adopt(session) {
    this.#session = session;
    session.on('sending', () => this.#setState('trying'));
    session.on('progress', ({ originator, response }) => originator === 'remote' && this.#onProgress(response));
    session.on('accepted', ({ response }) => this.#onAccepted(response));
    session.on('hold', ({ originator }) => this.#onHold(originator, true));
    session.on('unhold', ({ originator }) => this.#onHold(originator, false));
    session.on('ended', (data) => this.#onEnd(data, true));
    session.on('failed', (data) => this.#onEnd(data, false));
    this.#hurryCandidates(session);
    if (session.connection) this.#watch(session.connection);
    session.on('peerconnection', ({ peerconnection }) => this.#watch(peerconnection));
  }

  /** JsSIP waits until gathering ends, which a dead interface can stretch to seconds. */
  #hurryCandidates(session) {
    let timer = 0;
    session.on('icecandidate', ({ candidate, ready }) => {
      const isUseful = candidate.type === 'host' || this.iceServers.length === 0;
      if (isUseful && !timer) {
        timer = setTimeout(() => {
          timer = 0;
          ready();
        }, this.iceServers.length ? 4 * CANDIDATE_WAIT_MS : CANDIDATE_WAIT_MS);
      }
    });
  }

  #watch(connection) {
    connection.addEventListener('track', ({ track }) => this.#onTrack(track));
    connection.addEventListener('iceconnectionstatechange', () => this.#onIce(connection));
  }

  #onTrack(track) {
    const place = track.kind === 'audio' ? 'remoteAudio' : 'remoteVideo';
    this[place] = new MediaStream([track]);
    for (const type of ['mute', 'unmute', 'ended']) track.addEventListener(type, () => this.emit('media'));
    this.emit('media');
  }

  /** A path that broke (Wi-Fi to mobile) is mended by an ICE restart before JsSIP gives the call up. */
  #onIce(connection) {
    const state = connection.iceConnectionState;
    this.emit('event', 'ice', { state });
    clearTimeout(this.#repairTimer);
    if (state === 'disconnected') this.#repairTimer = setTimeout(() => this.repair(), ICE_REPAIR_WAIT_MS);
    this.emit('change');
  }

  get isPathBroken() {
    return ['disconnected', 'failed'].includes(this.connection?.iceConnectionState);
  }

  async repair() {
    if (this.isEstablished) await this.#reoffer({ iceRestart: true }).catch(() => {});
  }

  #onProgress(response) {
    if (this.state === 'early' || this.state === 'connecting' || this.state === 'ended') return;
    this.emit('event', 'progress', { status: response?.status_code ?? 0, hasMedia: Boolean(response?.body) });
    this.#setState(response?.body ? 'early' : 'ringing');
  }

  #onAccepted(response) {
    this.answeredAt ||= Date.now();
    this.name = displayNameOf(response?.getHeader?.('P-Asserted-Identity')) || this.name;
    this.#setState('talking');
  }

  #onHold(originator, isHeld) {
    if (originator !== 'remote') return;
    this.held = { ...this.held, remote: isHeld };
    this.emit('event', isHeld ? 'held-by-them' : 'resumed-by-them', {});
    this.emit('change');
  }

  #onEnd({ originator, message, cause }, wasAnswered) {
    if (this.state === 'ended') return;
    const header = (name) => message?.getHeaders?.(name) ?? [];
    this.#finish(explain({
      status: message?.status_code ?? 0, phrase: message?.reason_phrase ?? '',
      reasons: header('Reason'), warnings: header('Warning'),
      cause, originator, wasAnswered: wasAnswered && this.answeredAt > 0, direction: this.direction,
    }));
  }

  #finish(end) {
    this.endedAt = Date.now();
    this.end = end;
    clearTimeout(this.#repairTimer);
    stopStream(this.localStream);
    this.#microphone?.stop();
    this.#silence?.stop();
    this.#setState('ended');
    this.emit('end', end);
  }

  /** Ends the call in whatever state it is. `decline`: 603 for "no", 486 for "in another call". */
  hangUp(decline = 603) {
    if (this.state === 'ended') return;
    if (!this.#session || this.#session.isEnded()) {
      this.#finish({ title: 'Cancelled', detail: '', said: '', status: 0, isFailure: false });
      return;
    }
    const isRejecting = this.direction === 'in' && !this.#session.isEstablished();
    this.#session.terminate(isRejecting ? { status_code: decline } : {});
  }

  mute(isMuted) {
    this.isMuted = isMuted;
    if (isMuted) this.#session?.mute({ audio: true });
    else this.#session?.unmute({ audio: true });
    this.emit('change');
  }

  /** Hold stops our sound and theirs; refused, everything stays as it was and the promise rejects. */
  async hold(isHeld) {
    if (!this.isEstablished || isHeld === this.held.local) return;
    const audio = this.#transceiver('audio');
    const before = audio?.direction;
    this.held = { ...this.held, local: isHeld };
    await this.#sendSilence(isHeld);
    for (const one of this.#live()) one.direction = heldDirection(one, isHeld);
    try {
      await this.#reoffer();
    } catch (error) {
      this.held = { ...this.held, local: !isHeld };
      if (audio && before) audio.direction = before;
      await this.#sendSilence(!isHeld);
      throw error;
    } finally {
      this.emit('change');
    }
  }

  /** JsSIP switches tracks on again when the far side re-offers, so a held call is given another track. */
  async #sendSilence(isSilent) {
    const sender = this.#transceiver('audio')?.sender;
    this.#silence ??= isSilent ? silentTrack() : null;
    await sender?.replaceTrack(isSilent ? this.#silence : this.#microphone).catch(() => {});
    if (!isSilent && this.#microphone) this.#microphone.enabled = !this.isMuted;
  }

  #live() {
    return (this.connection?.getTransceivers() ?? []).filter((one) => one.currentDirection && one.currentDirection !== 'stopped');
  }

  #transceiver(kind) {
    const all = this.connection?.getTransceivers() ?? [];
    return all.find((one) => one.receiver.track.kind === kind && one.direction !== 'stopped');
  }

  get canSendTones() {
    return Boolean(this.#transceiver('audio')?.sender.dtmf?.canInsertDTMF);
  }

  /** Sends keys as telephone-event (RFC 4733); false when the far side takes none. */
  sendTones(keys) {
    if (!this.takesKeys || !this.canSendTones) return false;
    this.#session.sendDTMF(keys, { transportType: 'RFC2833', duration: TONE_MS, interToneGap: TONE_GAP_MS });
    this.tones = (this.tones + keys).slice(-32);
    this.emit('event', 'dtmf', { keys });
    this.emit('change');
    return true;
  }

  /** Camera on or off in a running call. */
  async setCamera(isOn) {
    if (!this.isEstablished || isOn === this.hasCamera) return;
    if (isOn) await this.#startCamera();
    else await this.#stopCamera();
  }

  async #startCamera() {
    const track = await openCamera();
    const video = this.#transceiver('video');
    this.localStream.addTrack(track);
    if (video) {
      await video.sender.replaceTrack(track);
      video.direction = 'sendrecv';
    } else this.connection.addTrack(track, this.localStream);
    this.hasCamera = true;
    this.emit('media');
    try {
      await this.#reoffer();
    } catch (error) {
      await this.#stopCamera(false);
      throw error;
    }
    if (this.#transceiver('video')?.currentDirection?.includes('send')) return;
    await this.#stopCamera(false);
    throw new Error('The other side takes no video.');
  }

  async #stopCamera(tellThem = true) {
    const video = this.#transceiver('video');
    for (const track of this.localStream.getVideoTracks()) {
      track.stop();
      this.localStream.removeTrack(track);
    }
    this.hasCamera = false;
    await video?.sender.replaceTrack(null).catch(() => {});
    if (video) video.direction = 'recvonly';
    this.emit('media');
    if (tellThem) await this.#reoffer();
  }

  /** Takes the newly chosen microphone (or camera) into the running call. */
  async changeMicrophone() {
    if (!this.#microphone || this.state === 'ended') return;
    const { stream } = await openMicrophone();
    const [track] = stream.getAudioTracks();
    track.enabled = !this.isMuted;
    if (!this.held.local) await this.#transceiver('audio')?.sender.replaceTrack(track);
    this.localStream.removeTrack(this.#microphone);
    this.#microphone.stop();
    this.#microphone = track;
    this.localStream.addTrack(track);
    this.isListenOnly = false;
    this.emit('media');
  }

  async changeCamera() {
    if (!this.hasCamera) return;
    const track = await openCamera();
    const [old] = this.localStream.getVideoTracks();
    await this.#transceiver('video')?.sender.replaceTrack(track);
    if (old) {
      old.stop();
      this.localStream.removeTrack(old);
    }
    this.localStream.addTrack(track);
    this.emit('media');
  }

  async #reoffer(constraints) {
    this.isBusy = true;
    this.emit('change');
    try {
      await reoffer(this.#session, constraints);
      this.emit('event', 'reoffer', { isAccepted: true });
    } catch (error) {
      this.emit('event', 'reoffer', { isAccepted: false, status: error.status ?? 0 });
      throw new Error(error.isEnded ? '' : 'The other side refused the change; the call goes on as it was.');
    } finally {
      this.isBusy = false;
      this.emit('change');
    }
  }

  #setState(state) {
    if (this.state === state || this.state === 'ended') return;
    this.state = state;
    this.emit('event', 'state', { state });
    this.emit('change');
  }
}

function heldDirection(transceiver, isHeld) {
  const hasTrack = transceiver.receiver.track.kind === 'audio' || Boolean(transceiver.sender.track);
  if (isHeld) return hasTrack ? 'sendonly' : 'inactive';
  return hasTrack ? 'sendrecv' : 'recvonly';
}
