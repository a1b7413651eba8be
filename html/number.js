// SPDX-License-Identifier: Apache-2.0
// number.js: what a person types and reads. Pure: no DOM, no SIP stack.
// Dial strings (RFC 3261 19.1.1, RFC 3966 visual separators), initials, durations, dates.

const MAX_TARGET_CHARS = 128;
const SEPARATORS = /[\s\-.()/\u00a0\u2010-\u2015]/g;
export const HOST_PATTERN = /^(\[[0-9a-f:.]+\]|[a-z0-9]([a-z0-9.-]*[a-z0-9])?)(:\d{1,5})?$/i;

/** A number without the marks that are only there for the eye: "+44 (0)20 7946-0018" is +442079460018.
 *  Names ("alice", "jean-luc.p") come back as they are. */
export function stripSeparators(text) {
  const plain = text.startsWith('+') ? text.replace('(0)', '') : text;
  const bare = plain.replace(SEPARATORS, '');
  return /^\+?[0-9*#]+$/.test(bare) ? bare : text;
}

/** Takes what was typed apart: {user, host}, both unescaped, or null when nobody could be meant.
 *  `#` and other characters that SIP reserves stay plain here; whoever writes the URI escapes them, once. */
export function parseTarget(typed, domain) {
  let text = String(typed ?? '').trim().replace(/^(sips?|tel):(\/\/)?/i, '');
  if (!text || text.length > MAX_TARGET_CHARS || /[\u0000-\u001f\u007f<>"\\]/.test(text)) return null;

  const at = text.lastIndexOf('@');
  const host = at >= 0 ? text.slice(at + 1).replace(/;.*$/, '') : domain;
  const user = stripSeparators((at >= 0 ? text.slice(0, at) : text).trim());
  if (!user || /\s/.test(user) || !host || !HOST_PATTERN.test(host)) return null;
  return { user, host };
}

/** Groups digits for reading; never used for dialling. Unknown shapes come back unchanged. */
export function prettyNumber(number) {
  const text = String(number ?? '');
  const american = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(text);
  if (american) return `+1 ${american[1]} ${american[2]} ${american[3]}`;
  if (/^\+\d{9,15}$/.test(text)) return text.replace(/^(\+\d{2})(\d+)$/, (_, code, rest) => `${code} ${groups(rest)}`);
  if (/^\d{7,15}$/.test(text)) return groups(text);
  return text;
}

function groups(digits) {
  const parts = [];
  let rest = digits;
  while (rest.length > 4) {
    parts.push(rest.slice(0, 3));
    rest = rest.slice(3);
  }
  parts.push(rest);
  return parts.join(' ');
}

/** One or two letters for the round picture of a caller; '#' for a bare number. */
export function initials(name) {
  const words = String(name ?? '').match(/\p{L}[\p{L}\p{M}'’]*/gu) ?? [];
  if (!words.length) return '#';
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return letters.map((word) => [...word][0].toLocaleUpperCase()).join('');
}

/** Seconds as a call timer: 0:07, 12:34, 1:02:03. */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(Number(seconds) || 0));
  const two = (value) => String(value).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** A duration as it is said: "8 s", "3 min 20 s", "1 h 2 min". */
export function spokenDuration(seconds) {
  const whole = Math.max(0, Math.floor(Number(seconds) || 0));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor(whole / 60) % 60} min`;
}

/** When a call was, short: the time for today, else the day. `now` and `at` are milliseconds. */
export function whenWas(at, now = Date.now(), locale = undefined) {
  const then = new Date(at);
  const isToday = then.toDateString() === new Date(now).toDateString();
  return isToday
    ? then.toLocaleTimeString(locale, { hour: '2-digit', minute: '2-digit' })
    : then.toLocaleDateString(locale, { day: 'numeric', month: 'short' });
}
