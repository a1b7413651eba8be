// SPDX-License-Identifier: Apache-2.0
// A PBX behind the gateway, scripted: the trunk's side of registrations and calls of its own users.
import { checkCredentials } from './digest.mjs';
import { check } from './scenario.mjs';
import { token } from './sip-agent.mjs';
import { wsPhone } from './ws-phone.mjs';

export const PBX = 'pbx.example.com';
export const ERIN = { name: 'erin', password: 'their-secret' };
export const FRED = { name: 'fred', password: 'another-one' };

/** A scripted browser of a PBX user. */
export const pbxPhone = (gateway, user, options = {}) => wsPhone({ ...gateway, domain: PBX }, user, options);

export const challenge = (nonce = token(), more = '') => `Digest realm="${PBX}", nonce="${nonce}", algorithm=MD5, qop="auth"${more}`;

/** Challenge a REGISTER, prove the digest, accept. @returns {{first, second, contact}} the two requests and our Contact */
export async function acceptLogin(trunk, user, { expires = 300, headers = [] } = {}) {
  const first = await trunk.expect('REGISTER');
  trunk.reply(401, { request: first, headers: [['WWW-Authenticate', challenge()]] });
  const second = await trunk.expect('REGISTER');
  check(checkCredentials(second.header('authorization') ?? '', { method: 'REGISTER', password: user.password }),
    `credentials are not those of ${user.name}: ${second.header('authorization')}`);
  const contact = second.contactUri;
  trunk.reply(200, { request: second, headers: [['Contact', `<${contact}>;expires=${expires}`], ...headers] });
  return { first, second, contact };
}

/** A PBX user's browser, logged in at the scripted trunk. @returns {WsPhone} with `pbx`: {first, second, contact} */
export async function loggedIn(gateway, trunk, user, options = {}) {
  const phone = await pbxPhone(gateway, user, { ...options, register: false });
  const answer = phone.register(options.registration);
  phone.pbx = await acceptLogin(trunk, user, options);
  phone.answer200 = await answer;
  return phone;
}

/** Take everything back: the PBX says yes to whatever is asked of it. */
export async function logOut(trunk, phone) {
  phone.close();
  const bye = await trunk.expect((m) => m.method === 'REGISTER' && m.header('expires') === '0');
  trunk.reply(200, { request: bye });
}
