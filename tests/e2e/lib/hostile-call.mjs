// SPDX-License-Identifier: Apache-2.0
// A call with a tone both ways that somebody wants to disturb: is it still heard, and how many of its packets were lost meanwhile?
import { check, CALLER } from './scenario.mjs';
import { until } from './wait.mjs';

export async function talking({ alice, trunk }) {
  await alice.call(`sip:${CALLER}@example.com`);
  await trunk.rings();
  await trunk.answer();
  await alice.sees('confirmed');
  trunk.rtp.sendTone({ hz: 1000 });
  await bothHear({ alice, trunk });
}

export const bothHear = ({ alice, trunk }) => Promise.all([trunk.rtp.hears(700), alice.hears(1000)]);

export async function hangUp({ alice, trunk }) {
  await alice.hangUp();
  await trunk.hungUp();
}

/** Packets that the browser received and missed. */
async function browserCounts(alice) {
  return alice.page.evaluate(async () => {
    const phone = window.eval('phone');
    const sum = { received: 0, lost: 0 };
    for (const row of (await phone.connection.getStats()).values()) {
      if (row.type !== 'inbound-rtp') continue;
      sum.received += row.packetsReceived;
      sum.lost += row.packetsLost;
    }
    return sum;
  });
}

/** Run the attack; then both tones are heard and at most 5 % of the packets of either direction are lost. */
export async function undisturbed(peers, attack, { most = 0.05 } = {}) {
  const { alice, trunk } = peers;
  const before = await browserCounts(alice);
  const from = trunk.rtp.packets.length;
  const result = await attack();
  await bothHear(peers);
  const after = await until('news in getStats', async () => {
    const now = await browserCounts(alice);
    return now.received > before.received && now;
  });
  const [received, lost] = [after.received - before.received, after.lost - before.lost];
  check(lost <= most * (received + lost), `towards the browser ${lost} packets were lost of ${received + lost}`);
  const missed = gapsOf(trunk.rtp.packets.slice(from));
  check(missed.lost <= most * missed.expected, `towards the trunk ${missed.lost} packets were lost of ${missed.expected}`);
  check(missed.sources === 1, `the trunk heard ${missed.sources} sources`);
  return result;
}

function gapsOf(packets) {
  let lost = 0;
  for (let i = 1; i < packets.length; i++) {
    const step = ((packets[i].seq - packets[i - 1].seq) << 16) >> 16;
    if (step > 1) lost += step - 1;
    if (step < 0) lost = Math.max(0, lost - 1); // it came late
  }
  return { lost, expected: packets.length + lost, sources: new Set(packets.map((packet) => packet.ssrc)).size };
}
