// SPDX-License-Identifier: Apache-2.0
// dialpad.js: twelve keys, by finger, mouse or keyboard. Holding 0 gives '+', as phones do.
// Knows nothing of what a key is for.

import { element } from './dom.js';
import { keyTone } from './ring.js';

const KEYS = [
  ['1', ''], ['2', 'ABC'], ['3', 'DEF'], ['4', 'GHI'], ['5', 'JKL'], ['6', 'MNO'],
  ['7', 'PQRS'], ['8', 'TUV'], ['9', 'WXYZ'], ['*', ''], ['0', '+'], ['#', ''],
];
const NAMES = { '*': 'star', '#': 'hash' };
const LONG_PRESS_MS = 550;
const FLASH_MS = 140;

export class DialPad {
  #buttons = new Map();

  /** @param onKey called with '0'..'9', '*', '#' or '+'   @param hasPlus whether holding 0 gives '+' */
  constructor(parent, onKey, { hasPlus = false } = {}) {
    this.onKey = onKey;
    this.hasPlus = hasPlus;
    for (const [key, letters] of KEYS) parent.append(this.#make(key, letters));
  }

  #make(key, letters) {
    const shown = key === '0' && !this.hasPlus ? '' : letters;
    const button = element('button', { type: 'button', class: 'key', 'data-key': key, ...(NAMES[key] && { 'aria-label': NAMES[key] }) },
      element('b', {}, key), element('span', { 'aria-hidden': 'true' }, shown));
    this.#buttons.set(key, button);
    if (key === '0' && this.hasPlus) this.#pressLong(button);
    else button.addEventListener('click', () => this.#press(key));
    return button;
  }

  #pressLong(button) {
    let timer = 0;
    let wasLong = false;
    button.addEventListener('pointerdown', () => {
      wasLong = false;
      timer = setTimeout(() => {
        wasLong = true;
        this.#press('+');
      }, LONG_PRESS_MS);
    });
    for (const type of ['pointerup', 'pointercancel', 'pointerleave']) button.addEventListener(type, () => clearTimeout(timer));
    button.addEventListener('click', () => {
      if (!wasLong) this.#press('0');
      wasLong = false;
    });
    button.addEventListener('contextmenu', (event) => event.preventDefault());
  }

  #press(key) {
    keyTone(key);
    this.onKey(key);
  }

  /** A key that came from the keyboard: shown and heard like a finger's. */
  flash(key) {
    const button = this.#buttons.get(key);
    keyTone(key);
    button?.classList.add('is-down');
    setTimeout(() => button?.classList.remove('is-down'), FLASH_MS);
  }
}
