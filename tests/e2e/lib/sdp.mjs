// SPDX-License-Identifier: Apache-2.0
// Small SDP for plain RTP endpoints (RFC 8866, RFC 3264): write ours, read the few things a test asks of theirs.

/** Codecs that the scripted endpoints name; `pt` is our choice of number. */
export const CODECS = {
  PCMU: { pt: 0, rate: 8000 },
  PCMA: { pt: 8, rate: 8000 },
  G722: { pt: 9, rate: 8000 },
  opus: { pt: 96, rate: 48000, channels: 2 },
};

/** @param {{host, port, codecs: string[], pts?: object, events?: number|null, direction?: string, ptime?: number, version?: number}} media
 *  `profile` and `lines` (whole lines of the media section): for SRTP
 *  `events`: payload type of telephone-event/8000, null for none */
export function writeSdp({ host, port, codecs, pts = {}, events = 101, direction = 'sendrecv', ptime = 20, version = 1, id = port, profile = 'RTP/AVP', lines = [] }) {
  const list = codecs.map((name) => ({ name, ...CODECS[name], ...(pts[name] !== undefined && { pt: pts[name] }) }));
  const numbers = [...list.map((codec) => codec.pt), ...(events === null ? [] : [events])];
  return [
    'v=0',
    `o=- ${id} ${version} IN IP4 ${host}`,
    's=-',
    `c=IN IP4 ${host}`,
    't=0 0',
    `m=audio ${port} ${profile} ${numbers.join(' ')}`,
    ...list.map((c) => `a=rtpmap:${c.pt} ${c.name}/${c.rate}${c.channels ? `/${c.channels}` : ''}`),
    ...(events === null ? [] : [`a=rtpmap:${events} telephone-event/8000`, `a=fmtp:${events} 0-16`]),
    ...lines,
    `a=ptime:${ptime}`,
    `a=${direction}`,
    '',
  ].join('\r\n');
}

/** First audio line of a description. @returns {{host, port, pts, rtpmap, direction, ptOf(name, rate), raw}} */
export function parseSdp(text) {
  const [session, ...sections] = text.split(/\r?\n(?=m=)/);
  const audio = sections.find((section) => section.startsWith('m=audio'));
  if (!audio) throw new Error(`no audio line in: ${text}`);
  const [, port, profile, formats] = audio.match(/^m=audio (\d+) (\S+) ([^\r\n]*)/);
  const host = (audio.match(/^c=IN IP[46] (\S+)/m) ?? session.match(/^c=IN IP[46] (\S+)/m))?.[1];
  const rtpmap = { 0: 'PCMU/8000', 8: 'PCMA/8000', 9: 'G722/8000' };
  for (const [, pt, name] of audio.matchAll(/^a=rtpmap:(\d+) (\S+)/gm)) rtpmap[pt] = name;
  const pts = formats.trim().split(/\s+/).map(Number);
  return {
    host,
    port: Number(port),
    profile,
    pts,
    rtpmap,
    sections: sections.length,
    direction: (audio.match(/^a=(sendrecv|sendonly|recvonly|inactive)/m) ?? session.match(/^a=(sendrecv|sendonly|recvonly|inactive)/m))?.[1] ?? 'sendrecv',
    codecs: pts.map((pt) => rtpmap[pt]?.split('/')[0]).filter(Boolean),
    ptOf: (name, rate) => pts.find((pt) => {
      const [one, clock] = (rtpmap[pt] ?? '').split('/');
      return one.toLowerCase() === name.toLowerCase() && (!rate || Number(clock) === rate);
    }),
    raw: text,
  };
}
