// SPDX-License-Identifier: Apache-2.0
// A name server of one UDP socket on loopback for tests: A, AAAA, SRV and NAPTR (RFC 1035, 2782, 3403) of a table that the
// script may change at any time. Names that are not in it do not exist.
import dgram from 'node:dgram';

const TYPES = { 1: 'A', 28: 'AAAA', 33: 'SRV', 35: 'NAPTR' };
const NUMBERS = Object.fromEntries(Object.entries(TYPES).map(([number, name]) => [name, Number(number)]));

/** @param zone  {'carrier.test': {A: ['127.0.0.1'], NAPTR: [...]}, '_sip._udp.carrier.test': {SRV: [{priority, weight, port, target}]}}
 *  @returns {address: 'HOST:PORT', zone, ttl (s), asked: ['SRV name', ...], isSilent, close()} */
export function dnsServer(zone = {}) {
  const socket = dgram.createSocket('udp4');
  const server = { zone, ttl: 60, asked: [], isSilent: false, close: () => socket.close() };
  socket.on('message', (query, from) => {
    const { name, type, end } = readQuestion(query);
    server.asked.push(`${TYPES[type] ?? type} ${name}`);
    if (!server.isSilent) socket.send(writeAnswer(server, query.subarray(0, end), name, type), from.port, from.address);
  });
  return new Promise((done, fail) => {
    socket.once('error', fail).bind(0, '127.0.0.1', () => done(Object.assign(server, { address: `127.0.0.1:${socket.address().port}` })));
  });
}

function readQuestion(query) {
  const labels = [];
  let at = 12;
  for (; query[at]; at += query[at] + 1) labels.push(query.toString('latin1', at + 1, at + 1 + query[at]));
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function writeAnswer({ zone, ttl }, question, name, type) {
  const records = zone[name]?.[TYPES[type]] ?? [];
  const head = Buffer.from(question);
  head.writeUInt16BE(zone[name] ? 0x8580 : 0x8583, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(records.length, 6);
  head.writeUInt32BE(0, 8);
  return Buffer.concat([head, ...records.map((record) => writeRecord(TYPES[type], record, ttl))]);
}

function writeRecord(type, record, ttl) {
  const data = WRITERS[type](record);
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0); // the name asked for
  head.writeUInt16BE(NUMBERS[type], 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(ttl, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

const u16 = (...numbers) => Buffer.from(numbers.flatMap((n) => [n >> 8, n & 255]));
const text = (string) => Buffer.from([string.length, ...Buffer.from(string, 'latin1')]);
const host = (name) => Buffer.concat([...name.split('.').filter(Boolean).map(text), Buffer.from([0])]);

const WRITERS = {
  A: (address) => Buffer.from(address.split('.').map(Number)),
  AAAA: (address) => u16(...fullV6(address).map((part) => parseInt(part, 16))),
  SRV: ({ priority = 10, weight = 10, port, target }) => Buffer.concat([u16(priority, weight, port), host(target)]),
  NAPTR: ({ order = 10, preference = 10, flags = 's', service, replacement }) => Buffer.concat([
    u16(order, preference), text(flags), text(service), text(''), host(replacement)]),
};

function fullV6(address) {
  const [left, right = ''] = address.split('::');
  const [front, back] = [left, right].map((part) => part.split(':').filter(Boolean));
  return [...front, ...Array(8 - front.length - back.length).fill('0'), ...back];
}
