// SPDX-License-Identifier: Apache-2.0
// prefs.js: what the page remembers. Device and comfort settings stay on this computer; the account and the list
// of calls only if the person ticked it. Storage that is missing or full is no error: the page then forgets.

const PREFIX = 'sipway.';
const DEFAULTS = { microphone: '', speaker: '', camera: '', isVoiceCleaned: true, hasShortcuts: true, wantsNotices: false };

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + key));
  } catch {
    return null;
  }
}

function write(key, value) {
  try {
    if (value === null) localStorage.removeItem(PREFIX + key);
    else localStorage.setItem(PREFIX + key, JSON.stringify(value));
  } catch {
    // private windows may refuse; nothing depends on it
  }
}

export const prefs = { ...DEFAULTS, ...(read('prefs') ?? {}) };

export function setPref(name, value) {
  prefs[name] = value;
  write('prefs', prefs);
}

/** {name, password, server} kept by an earlier tick, or null. */
export function keptAccount() {
  const account = read('account');
  return account && typeof account.name === 'string' && typeof account.password === 'string' ? account : null;
}

/** null forgets the account and its calls. */
export function keepAccount(account) {
  write('account', account);
  if (account === null) write('recent', null);
}

export function keptRecent() {
  const list = read('recent');
  return Array.isArray(list) ? list : [];
}

export function keepRecent(list) {
  write('recent', list);
}
