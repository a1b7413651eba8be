// SPDX-License-Identifier: Apache-2.0
// account.js: who signs in where: phone.json of the gateway, what was kept, or what the form says.

import { HOST_PATTERN } from './number.js';

/** What the gateway says about itself: {domain, account?, iceServers, numbers}. A missing file is no error. */
export async function fetchSetup() {
  const given = await fetch('phone.json', { cache: 'no-store' }).then((answer) => (answer.ok ? answer.json() : {})).catch(() => ({}));
  return readSetup(given);
}

/** Takes only what has the right shape. Pure. */
export function readSetup(given) {
  const setup = given && typeof given === 'object' ? given : {};
  const isText = (value) => typeof value === 'string' && value !== '';
  const { account } = setup;
  return {
    domain: isText(setup.domain) ? setup.domain : '',
    iceServers: Array.isArray(setup.iceServers) ? setup.iceServers : [],
    account: isText(account?.name) && isText(account?.password) ? account : null,
    numbers: (Array.isArray(setup.numbers) ? setup.numbers : [])
      .filter((one) => isText(one?.number)).map((one) => ({ number: one.number, label: isText(one.label) ? one.label : one.number })),
  };
}

/** Where the gateway of a page or of a typed server listens: ws(s)://host:port/. Pure. */
export function socketUrl(server, location) {
  const text = String(server ?? '').trim();
  const own = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/`;
  if (!text) return own;
  const full = /^wss?:\/\//i.test(text) ? text : `${location.protocol === 'https:' ? 'wss' : 'ws'}://${text.replace(/^https?:\/\//i, '')}`;
  try {
    return new URL(full).href;
  } catch {
    return null;
  }
}

/** A complete account for a Line, or {error} in words.
 *  @param typed {name, password, server, domain, display}: "alice", "alice@example.com" or "sip:alice@example.com" */
export function completeAccount(typed, setup, location) {
  const [name, ownDomain] = splitName(typed.name);
  const url = socketUrl(typed.server, location);
  if (!name) return { error: 'Please give the name of your account.' };
  if (!url) return { error: 'The server should look like wss://phone.example.com' };
  const domain = (typed.domain || ownDomain || (typed.server ? '' : setup.domain) || new URL(url).hostname).trim();
  if (!HOST_PATTERN.test(domain)) return { error: 'The domain should look like example.com' };
  return { name, password: typed.password ?? '', display: typed.display ?? '', domain, url, iceServers: setup.iceServers };
}

function splitName(typed) {
  const text = String(typed ?? '').trim().replace(/^sips?:/i, '');
  const at = text.lastIndexOf('@');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
