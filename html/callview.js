// SPDX-License-Identifier: Apache-2.0
// callview.js: draws a Call: who, state, timer, pictures, meters, figures. Only reads the call; what buttons do is
// phone.js. Names and texts from outside are written as text.

import { useSpeaker } from './devices.js';
import { byId, setHidden, setText } from './dom.js';
import { LevelMeter } from './meter.js';
import { clock, initials, prettyNumber } from './number.js';
import { QualityProbe } from './quality.js';
import { clearFigures, showFigures } from './qualityview.js';

const SILENT_DB = -75;
const SILENT_SECONDS = 6;
const DEAF_SECONDS = 4;

/** What the state line says. Pure. */
export function stateWords(call) {
  if (call.state === 'ended') return call.end.title;
  if (call.state === 'talking') {
    if (call.isPathBroken) return 'Connection is weak, mending it …';
    if (call.held.local && call.held.remote) return 'On hold, on both sides';
    if (call.held.local) return 'On hold';
    if (call.held.remote) return 'They put you on hold';
    return call.isMuted ? 'Connected, you are muted' : 'Connected';
  }
  const words = {
    dialling: 'Calling …', trying: 'Calling …', ringing: 'Ringing …', early: 'Ringing …',
    incoming: call.offersVideo ? 'Incoming video call' : 'Incoming call', connecting: 'Connecting …',
  };
  return words[call.state] ?? '';
}

export class CallView {
  #call = null;
  #probe = null;
  #local = new LevelMeter(byId('meter-local'));
  #remote = new LevelMeter(byId('meter-remote'));
  #ticker = 0;
  #silentSeconds = 0;
  #deafSeconds = 0;
  #unlisten = [];
  figures = null;
  isKeypadOpen = false;

  /** Shows this call from now on; null shows none. */
  show(call) {
    if (this.#call === call) return;
    this.#leave();
    this.#call = call;
    if (!call) return;
    this.#unlisten = [call.on('change', () => this.draw()), call.on('media', () => this.#attach())];
    this.#ticker = setInterval(() => this.#tick(), 1000);
    this.isKeypadOpen = false;
    this.#attach();
    this.draw();
  }

  #leave() {
    for (const off of this.#unlisten) off();
    this.#unlisten = [];
    clearInterval(this.#ticker);
    this.#stopMedia();
    this.figures = null;
    clearFigures();
    byId('quality').open = false;
  }

  #stopMedia() {
    this.#probe?.stop();
    this.#probe = null;
    this.#local.stop();
    this.#remote.stop();
    this.#silentSeconds = this.#deafSeconds = 0;
    for (const id of ['remote-audio', 'remote-video', 'local-video']) byId(id).srcObject = null;
  }

  /** Gives each stream to its player and meter. */
  #attach() {
    const call = this.#call;
    if (call.state === 'ended') return;
    const audio = byId('remote-audio');
    if (audio.srcObject !== call.remoteAudio) {
      audio.srcObject = call.remoteAudio;
      useSpeaker(audio);
      audio.play?.().catch(() => {});
      this.#remote.start(call.remoteAudio);
    }
    this.#local.start(call.localStream);
    const track = call.remoteVideo?.getVideoTracks()[0];
    const hasRemote = Boolean(track && track.readyState === 'live' && !track.muted);
    setPicture(byId('remote-video'), hasRemote ? call.remoteVideo : null);
    setPicture(byId('local-video'), call.localVideo);
    setHidden(byId('local-video'), !call.hasCamera);
    this.#drawStage(hasRemote || call.hasCamera);
  }

  #drawStage(hasPicture) {
    setHidden(byId('stage'), !hasPicture);
    byId('phone').dataset.video = String(hasPicture);
  }

  draw() {
    const call = this.#call;
    const isEnded = call.state === 'ended';
    const hasName = Boolean(call.name && call.name !== call.number);
    byId('view-call').dataset.state = call.state;
    byId('view-call').dataset.end = isEnded ? (call.end.isFailure ? 'failure' : 'normal') : '';
    setText(byId('peer-name'), hasName ? call.name : prettyNumber(call.number) || 'Unknown caller');
    setText(byId('peer-number'), hasName ? prettyNumber(call.number) : '');
    setText(byId('portrait'), initials(hasName ? call.name : call.number));
    setText(byId('call-state'), stateWords(call));
    this.#drawEnd(isEnded ? call.end : null);
    this.#drawTimer();
    this.#drawButtons();
    if (isEnded) {
      this.#stopMedia();
      this.#drawStage(false);
    } else if (call.connection && !this.#probe && call.isEstablished) {
      this.#probe = new QualityProbe(call.connection, (figures) => this.#onFigures(figures));
    }
  }

  #drawEnd(end) {
    setText(byId('call-detail'), end?.detail ?? '');
    setHidden(byId('call-detail'), !end?.detail);
    const said = end?.said ? `The gateway says: ${end.said}${end.status && !end.said.includes(end.status) ? ` (${end.status})` : ''}` : end?.status ? `SIP status ${end.status}` : '';
    setText(byId('call-said'), said);
    setHidden(byId('call-said'), !said);
  }

  #drawTimer() {
    const call = this.#call;
    setHidden(byId('call-timer'), !call.answeredAt);
    if (call.answeredAt) setText(byId('call-timer'), clock(((call.endedAt || Date.now()) - call.answeredAt) / 1000));
  }

  #drawButtons() {
    const call = this.#call;
    const isIncoming = call.state === 'incoming';
    const isEnded = call.state === 'ended';
    const isTalking = call.state === 'talking';
    setHidden(byId('answering'), !isIncoming);
    setHidden(byId('answer-video'), !call.offersVideo);
    setHidden(byId('ending'), isIncoming || isEnded);
    setHidden(byId('after'), !isEnded);
    setHidden(byId('again'), !call.number);
    setHidden(byId('controls'), !call.takesKeys);
    setHidden(byId('meters'), !isTalking);
    setHidden(byId('quality'), !isTalking);
    setHidden(byId('tones'), !this.isKeypadOpen || !call.takesKeys);
    setText(byId('tones-sent'), call.tones);
    press('mute', call.isMuted);
    press('keypad', this.isKeypadOpen);
    press('hold', call.held.local);
    press('camera', call.hasCamera);
    setText(byId('hold-word'), call.held.local ? 'Resume' : 'Hold');
    byId('hold-icon').setAttribute('href', call.held.local ? '#i-play' : '#i-pause');
    byId('mute-icon').setAttribute('href', call.isMuted ? '#i-mic-off' : '#i-mic');
    byId('hold').disabled = byId('camera').disabled = !isTalking || call.isBusy;
    if (call.held.local) byId('camera').disabled = true;
    byId('meter-local').parentElement.classList.toggle('is-muted', call.isMuted || call.held.local);
  }

  #tick() {
    this.#drawTimer();
    const call = this.#call;
    if (call.state !== 'talking') return;
    const isSpeaking = !call.isListenOnly && !call.isMuted && !call.held.local && !call.held.remote;
    const isSilent = isSpeaking && this.#local.measure() < SILENT_DB;
    this.#silentSeconds = isSilent ? this.#silentSeconds + 1 : 0;
    this.#drawHearing();
  }

  #onFigures(figures) {
    this.figures = figures;
    showFigures(figures);
    const call = this.#call;
    const isOwed = !call.held.local && !call.held.remote;
    this.#deafSeconds = isOwed && figures.receivedNow === 0 ? this.#deafSeconds + 1 : 0;
    this.#drawHearing();
  }

  /** The two complaints that people otherwise need minutes to find out. */
  #drawHearing() {
    let words = '';
    if (this.#deafSeconds >= DEAF_SECONDS) words = 'No sound is arriving from the other side.';
    else if (this.#silentSeconds >= SILENT_SECONDS) words = 'Your microphone is silent. Is it switched off, or the wrong one?';
    setText(byId('hearing'), words);
    setHidden(byId('hearing'), !words);
  }

  hear() {
    return this.#remote.hear();
  }
}

function press(id, isPressed) {
  byId(id).setAttribute('aria-pressed', String(isPressed));
}

function setPicture(video, stream) {
  const [now] = video.srcObject?.getTracks() ?? [];
  const [next] = stream?.getTracks() ?? [];
  if (now === next) return;
  video.srcObject = stream;
  if (stream) video.play?.().catch(() => {});
}
