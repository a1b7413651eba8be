// SPDX-License-Identifier: Apache-2.0
// devices.js: microphone, camera and speaker: which there are, opening them, and why that failed, in words.
// Knows nothing of calls.

import { silentTrack } from './audio.js';
import { prefs } from './prefs.js';

const TROUBLE = {
  NotAllowedError: 'The browser does not let this page use the %s. Allow it next to the address, then try again.',
  SecurityError: 'The browser does not let this page use the %s.',
  NotReadableError: 'The %s is in use by another program, or its driver has a problem.',
  AbortError: 'The %s could not be started.',
  NotFoundError: 'No %s was found.',
};

/** Browsers hand out microphones only on https and on localhost. */
export function hasMediaAccess() {
  return Boolean(navigator.mediaDevices?.getUserMedia);
}

export function troubleText(error, what) {
  return (TROUBLE[error?.name] ?? 'The %s could not be started.').replace('%s', what);
}

/** Opens the chosen microphone.
 *  @return {stream, notice}: with no microphone at all the stream is silent, and the notice says so.
 *  Rejects with an Error whose message can be shown when the person or the system refuses. */
export async function openMicrophone() {
  if (!hasMediaAccess()) {
    return listenOnly('They will not hear you: browsers give a microphone only to pages opened by https or on localhost.');
  }
  try {
    return { stream: await capture('audio', microphoneWishes(prefs.microphone)), notice: '' };
  } catch (error) {
    if (error.name === 'NotFoundError') return listenOnly('No microphone was found. You can listen, but they will not hear you.');
    throw new Error(troubleText(error, 'microphone'));
  }
}

export async function openCamera() {
  if (!hasMediaAccess()) throw new Error('Browsers give a camera only to pages opened by https or on localhost.');
  try {
    const stream = await capture('video', { ...exactly(prefs.camera), width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { max: 30 } });
    return stream.getVideoTracks()[0];
  } catch (error) {
    throw new Error(troubleText(error, 'camera'));
  }
}

function listenOnly(notice) {
  const track = silentTrack();
  if (!track) throw new Error('This browser has no way to carry sound.');
  return { stream: new MediaStream([track]), notice };
}

function microphoneWishes(deviceId) {
  const isClean = prefs.isVoiceCleaned;
  return { ...exactly(deviceId), echoCancellation: isClean, noiseSuppression: isClean, autoGainControl: isClean, channelCount: 1 };
}

function exactly(deviceId) {
  return deviceId ? { deviceId: { exact: deviceId } } : {};
}

/** A chosen device that was unplugged is replaced by the system's default. */
async function capture(kind, wishes) {
  try {
    return await navigator.mediaDevices.getUserMedia({ [kind]: wishes });
  } catch (error) {
    if (!wishes.deviceId || !['OverconstrainedError', 'NotFoundError'].includes(error.name)) throw error;
    return navigator.mediaDevices.getUserMedia({ [kind]: { ...wishes, deviceId: undefined } });
  }
}

/** {microphones, speakers, cameras}: [{id, label}]. Labels stay empty until the person allowed one once. */
export async function listDevices() {
  const all = hasMediaAccess() ? await navigator.mediaDevices.enumerateDevices() : [];
  const of = (kind) => all.filter((device) => device.kind === kind && device.deviceId && device.deviceId !== 'default')
    .map((device, at) => ({ id: device.deviceId, label: device.label || `Device ${at + 1}` }));
  return { microphones: of('audioinput'), speakers: of('audiooutput'), cameras: of('videoinput') };
}

export function onDevicesChanged(listener) {
  navigator.mediaDevices?.addEventListener?.('devicechange', listener);
}

export function canChooseSpeaker() {
  return 'setSinkId' in HTMLMediaElement.prototype;
}

/** Plays `element` on the chosen speaker; a speaker that is gone means the default one. */
export async function useSpeaker(element) {
  if (!canChooseSpeaker()) return;
  await element.setSinkId(prefs.speaker).catch(() => element.setSinkId('').catch(() => {}));
}

export function stopStream(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}
