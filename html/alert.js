// SPDX-License-Identifier: Apache-2.0
// alert.js: a call asks for attention outside the page: its title, a notification, and a screen that stays on.

import { prefs } from './prefs.js';

const BLINK_MS = 1000;
const TITLE = document.title;

let blinker = 0;
let notification = null;
let wakeLock = null;

/** @param who the caller, plain text   @param onClick the person clicked the notification */
export function startAlert(who, onClick) {
  stopAlert();
  let isOn = false;
  blinker = setInterval(() => {
    isOn = !isOn;
    document.title = isOn ? `☎ ${who} is calling` : TITLE;
  }, BLINK_MS);
  if (!prefs.wantsNotices || !document.hidden || window.Notification?.permission !== 'granted') return;
  try {
    notification = new Notification('Incoming call', { body: who, icon: 'icon.svg', tag: 'sipway-call', requireInteraction: true });
    notification.onclick = () => {
      window.focus();
      onClick();
    };
  } catch {
    // phones allow notifications to service workers only
  }
}

export function stopAlert() {
  clearInterval(blinker);
  document.title = TITLE;
  notification?.close();
  notification = null;
}

/** Keeps a phone's screen on while `isOn`. */
export async function keepAwake(isOn) {
  if (!isOn) {
    wakeLock?.release().catch(() => {});
    wakeLock = null;
  } else if (!wakeLock && navigator.wakeLock && !document.hidden) {
    wakeLock = await navigator.wakeLock.request('screen').catch(() => null);
    wakeLock?.addEventListener('release', () => { wakeLock = null; });
  }
}
