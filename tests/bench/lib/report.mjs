// SPDX-License-Identifier: Apache-2.0
// report.mjs: the table. A row per figure: peer, sipway, their ratio, and the aim with whether it is met.

// [figure, words, aim]: aim.ratio and aim.most are upper bounds, aim.least a lower one
const rows = (sizes) => [
  ...sizes.flatMap((n) => [
    [`relay${n}.us_per_packet`, `relay, ${n} calls: CPU us per packet`, { ratio: 0.4 }],
    [`relay${n}.cores`, '  cores in use', {}],
    [`relay${n}.delay_p50_ms`, '  added delay p50, ms', { most: 1 }],
    [`relay${n}.delay_p99_ms`, '  added delay p99, ms', { most: 3 }],
    [`relay${n}.lost_ppm`, '  lost packets per million', { most: 0 }],
    [`relay${n}.calls_failed`, '  calls that did not come up', { most: 0 }],
    [`relay${n}.kb_per_call`, '  kB per call', { most: 80 }],
    [`relay${n}.fds_per_call`, '  descriptors per call', { most: 2 }],
    [`relay${n}.threads`, '  threads', {}],
  ]),
  ['setup.ms_per_call', 'set-up: CPU ms per call', { ratio: 0.35 }],
  ['setup.answer_p50_ms', '  INVITE to 200, p50 ms', {}],
  ['setup.first_media_p50_ms', '  200 to first media, p50 ms', { most: 10 }],
  ['setup.first_media_p99_ms', '  200 to first media, p99 ms', {}],
  ['setup.calls_failed', '  failed calls', { most: 0 }],
  ['signalling.ms_per_call', 'signalling: CPU ms per call', { most: 0.3 }],
  ['signalling.per_second', '  calls per second', {}],
  ['signalling.calls_failed', '  failed calls', { most: 0 }],
  ['signalling.retransmissions', '  retransmissions', {}],
  ['register.ms_per_new', 'register: CPU ms per connection + registration', { most: 0.3 }],
  ['register.ms_per_refresh', '  CPU ms per registration on an open connection', { most: 0.3 }],
  ['register.per_second', '  registrations per second', { least: 950 }],
  ['register.answer_p50_ms', '  connect to 200, p50 ms', {}],
  ['register.answer_p99_ms', '  connect to 200, p99 ms', {}],
  ['register.failed', '  refused or unanswered', { most: 0 }],
  ['register.kb_per_account', '  kB per idle account with its connection', { most: 18 }],
  ['register.threads', '  threads', {}],
  ['duties.plain_ms_per_call', 'call over a trunk by address: CPU ms per call', {}],
  ['duties.ms_per_call', 'call over a trunk with registration, OPTIONS, session timer: CPU ms', {}],
  ['duties.ratio', '  their ratio', { most: 1.2 }],
  ['duties.calls_failed', '  failed calls', { most: 0 }],
  ['duties.requests', '  REGISTER and OPTIONS to the trunk', {}],
  ['refresh.late', 'phones and trunks that refresh: registrations that ran out', { most: 0 }],
  ['refresh.cores', '  cores in use', { most: 1 }],
  ['refresh.ms_per_refresh', '  CPU ms per refresh', {}],
  ['refresh.phones_per_second', '  refreshes of phones a second', {}],
  ['refresh.trunks_per_second', '  refreshes of trunks a second', {}],
  ['refresh.pings_per_second', '  NAT pings a second', {}],
  ['refresh.answer_p50_ms', '  REGISTER to 200, p50 ms', {}],
  ['refresh.answer_p99_ms', '  REGISTER to 200, p99 ms', {}],
  ['refresh.refused', '  refused or repeated', { most: 0 }],
  ['presence.told_ms', 'presence: the slowest change until all watchers know, ms', { most: 1000 }],
  ['presence.us_per_notify', '  CPU us per NOTIFY', {}],
  ['presence.watchers', '  watchers', {}],
  ['null.wake_us_per_packet', 'this machine: relay without work, woken by each packet: CPU us', {}],
  ['null.wake_delay_p50_ms', '  added delay p50, ms', {}],
  ['null.wake_delay_p99_ms', '  added delay p99, ms', {}],
  ['null.round_us_per_packet', 'this machine: relay without work, rounds of 1 ms: CPU us', {}],
  ['null.round_delay_p50_ms', '  added delay p50, ms', {}],
  ['null.round_delay_p99_ms', '  added delay p99, ms', {}],
];

const number = (value) => {
  if (value === undefined || Number.isNaN(value)) return '-';
  if (Math.abs(value) >= 100 || Number.isInteger(value)) return value.toFixed(0);
  return value.toFixed(Math.abs(value) < 1 ? 3 : 2);
};

/** What the aim says about it: '' when there is none or nothing to judge. */
export function verdict(aim, sipway, ratio) {
  const judge = (text, value, isMet) => (value === undefined || Number.isNaN(value) ? text : `${text} ${isMet ? 'met' : 'MISSED'}`);
  if (aim.ratio !== undefined) return judge(`ratio <= ${aim.ratio}`, ratio, ratio <= aim.ratio);
  if (aim.most !== undefined) return judge(`<= ${aim.most}`, sipway, sipway <= aim.most);
  if (aim.least !== undefined) return judge(`>= ${aim.least}`, sipway, sipway >= aim.least);
  return '';
}

/** results: { peer: {figure: value}, sipway: {...}, machine: {...} } */
export function table(results, sizes) {
  const lines = [['figure', 'peer', 'sipway', 'ratio', 'aim for sipway']];
  for (const [name, words, aim] of rows(sizes)) {
    const peer = results.peer?.[name];
    const sipway = results.sipway?.[name];
    const machine = results.machine?.[name];
    const ratio = peer !== undefined && sipway !== undefined && peer !== 0 ? sipway / peer : undefined;
    if (peer === undefined && sipway === undefined && machine === undefined) continue;
    lines.push([words, machine === undefined ? number(peer) : number(machine), machine === undefined ? number(sipway) : '',
      machine === undefined ? number(ratio) : '', verdict(aim, sipway, ratio)]);
  }
  const widths = lines[0].map((_, i) => Math.max(...lines.map((line) => line[i].length)));
  return lines.map((line) => line.map((cell, i) => (i === 0 || i === 4 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ').trimEnd()).join('\n');
}
