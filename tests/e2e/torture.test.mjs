// SPDX-License-Identifier: Apache-2.0
// The messages of RFC 4475, sent by a trunk to the running gateway: each gets the answer that the RFC names. (Messages of our own
// that follow its sections: tests/golden/sip; what the parser makes of them is a unit test.)
import { world, scenario, check, ALICE } from './lib/scenario.mjs';
import { goldenMessages } from './lib/hostile-golden.mjs';
import { sipAgent } from './lib/sip-agent.mjs';

const peers = world({ accounts: [ALICE] });

// By section: the statuses that are right, 0 being silence. A good INVITE that nobody is called by is 404; a good REGISTER that does not
// prove itself 401, or 403 where its domain is not ours or the sender is a trunk. 3.1.1.1 has a To tag, so it asks for a call that is not there.
// 3.2.1: RFC 4475 allows 400. 3.4.1 has no Contact: nothing could be sent within such a call, so it is 400.
const ANSWERS = {
  '3.1.1.1': [481], '3.1.1.2': [404, 405, 501], '3.1.1.3': [404], '3.1.1.4': [401, 403, 404], '3.1.1.5': [200, 404, 405, 501], '3.1.1.6': [200], '3.1.1.7': [404], '3.1.1.8': [401, 403, 404],
  '3.1.1.9': [200, 404], '3.1.1.10': [200, 404], '3.1.1.11': [404, 405, 415, 481], '3.1.1.12': [0], '3.1.1.13': [0],
  '3.1.2.1': [400], '3.1.2.2': [400], '3.1.2.3': [400], '3.1.2.4': [400], '3.1.2.5': [0], '3.1.2.6': [400], '3.1.2.7': [400], '3.1.2.8': [400], '3.1.2.9': [400],
  '3.1.2.10': [400, 200], '3.1.2.11': [400, 404], '3.1.2.12': [400, 404], '3.1.2.13': [400, 403], '3.1.2.14': [400], '3.1.2.15': [400], '3.1.2.16': [505], '3.1.2.17': [400],
  '3.1.2.18': [400, 501], '3.1.2.19': [0],
  '3.2.1': [400, 200],
  '3.3.1': [400, 0], '3.3.2': [416], '3.3.3': [416], '3.3.4': [400, 401, 403, 416], '3.3.5': [420], '3.3.6': [415], '3.3.7': [401, 403, 404], '3.3.8': [400], '3.3.9': [400], '3.3.10': [0],
  '3.3.11': [483, 200], '3.3.12': [401, 403, 404], '3.3.13': [401, 403, 404], '3.3.14': [401, 403, 404], '3.3.15': [406, 404],
  '3.4.1': [400, 404],
};
const BY_DATAGRAM = ['3.1.1.8', '3.1.2.2', '3.1.2.3', '3.3.9']; // their length does not fit: on a stream that is another story

async function answerTo(message, section) {
  const isDatagram = BY_DATAGRAM.includes(section);
  const agent = await sipAgent({ transport: isDatagram ? 'udp' : 'tcp', name: section, peer: peers.gateway.sip });
  try {
    let bytes = message.bytes;
    if (isDatagram) bytes = Buffer.from(bytes.toString('latin1').replace(/(SIP\/2\.0\/\w+) [^;\r]+/, `$1 ${agent.address}`), 'latin1');
    agent.sendRaw(bytes);
    const final = await agent.expect((m) => m.status >= 200, { within: 700 }).catch(() => undefined);
    return final?.status ?? 0;
  } finally {
    agent.close();
  }
}

scenario('each message of RFC 4475 gets the answer that the RFC names', async () => {
  const wrong = [];
  const left = new Set(Object.keys(ANSWERS));
  for (const message of goldenMessages()) {
    const section = message.name.match(/^rfc4475-([\d.]+)-/)?.[1];
    if (!section) continue;
    left.delete(section);
    const status = await answerTo(message, section);
    if (!ANSWERS[section]?.includes(status)) wrong.push(`${message.name}: ${status || 'silence'}, wanted ${ANSWERS[section]}`);
  }
  check(!wrong.length, wrong.join('\n'));
  check(!left.size, `not sent: ${[...left]}`);
}, { needs: 'b2bua', timeout: 60000 });
