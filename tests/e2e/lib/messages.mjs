// SPDX-License-Identifier: Apache-2.0
// Scripted agents that write messages and take them.
import { check } from './scenario.mjs';
import { sipAgent } from './sip-agent.mjs';

/** Send a MESSAGE and wait for its final answer; answers a challenge. @param who {name, password} */
export async function say(sip, who, to, body, { type = 'text/plain;charset=UTF-8', headers = [] } = {}) {
  const request = sip.newRequest('MESSAGE', to.startsWith('sip:') ? to : `sip:${to}@example.com`, {
    from: `<sip:${who.name}@example.com>`, body, type, headers,
  });
  const isAnswer = (m) => m.status >= 200 && m.cseq.method === 'MESSAGE' && m.callId === request.callId;
  const first = await sip.expect(isAnswer, { within: 40000 });
  if (first.status !== 401) return first;
  sip.retryWithCredentials(request, first, { username: who.name, password: who.password });
  return sip.expect(isAnswer, { within: 40000 });
}

/** A registered UDP phone, at another address than the trunk. @param defer of the scenario: it takes its registration back and is closed */
export async function udpPhone(gateway, account, defer, options = {}) {
  const sip = await sipAgent({ name: account.name, user: account.name, peer: gateway.sip, domain: gateway.domain, host: '127.0.0.2', ...options });
  const answer = await sip.register({ username: account.name, password: account.password });
  check(answer.status === 200, `${account.name} did not register: ${answer.first}`);
  defer(async () => {
    await sip.register({ username: account.name, password: account.password, expires: 0 }).catch(() => {});
    sip.close();
  });
  return sip;
}
