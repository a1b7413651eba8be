// SPDX-License-Identifier: Apache-2.0
// Text from outside is data: what is hidden in names, numbers, reasons and descriptions never becomes a line on the other side, in the
// log or in the admin's answers; and descriptions above the limits are refused.
import { world, scenario, check, ALICE, CALLER } from './lib/scenario.mjs';
import { browserSdp } from './lib/ws-phone.mjs';
import { tcpFrom, stillAlive, settled } from './lib/hostile.mjs';
import { rawWs } from './lib/hostile-ws.mjs';
import { writeSip } from './lib/sip-message.mjs';
import { until } from './lib/wait.mjs';

const peers = world({ scripted: [ALICE] });
const ours = { needs: 'b2bua' };
const HTML = '<script>alert(1)</script>';

/** Neither a line of its own, nor a bare CR or LF, nor NUL in what reached the other side. */
function checkClean(message, what) {
  const smuggled = message.raw.split(/[\r\n]/).filter((line) => /^(x-evil|evil|a=evil|b=evil|m=video 6666)/i.test(line));
  check(!smuggled.length, `${what}: a line was smuggled:\n${message.raw}`);
  check(!/\r(?!\n)|(?<!\r)\n|\0/.test(message.raw), `${what}: a bare CR, LF or NUL:\n${JSON.stringify(message.raw)}`);
}

/** Every line of the log is one of the gateway's own, without control bytes. */
function checkLog() {
  const lines = peers.gateway.program.output.split('\n').filter(Boolean).slice(1);
  const odd = lines.filter((line) => !/^\d{4}-\d\d-\d\dT\S+ (debug|info|warn|error) /.test(line) || /[\x00-\x08\x0b-\x1f\x7f]/.test(line));
  check(!odd.length, `log lines that are not ours: ${JSON.stringify(odd.slice(0, 3))}`);
}

/** Call from the browser's side; @returns the INVITE at the trunk, or the refusal */
async function callWith({ uri = `sip:${CALLER}@example.com`, from = '<sip:alice@example.com>', headers = [], body = browserSdp() } = {}) {
  const { alice, trunk } = peers;
  const at = trunk.sip.received.length;
  const request = alice.sip.newRequest('INVITE', uri, { from, headers, body });
  const came = await until('an INVITE or a refusal', () => trunk.sip.received.slice(at).find((m) => m.method === 'INVITE')
    ?? alice.sip.received.find((m) => m.status >= 300 && m.callId === request.callId), { within: 4000 }).catch(() => null);
  if (came?.method) {
    trunk.sip.request = came;
    trunk.sip.reply(486);
    await until('the refusal', () => alice.sip.received.some((m) => m.status >= 300 && m.callId === request.callId));
  }
  return came;
}

const names = ['"%0d%0aX-Evil: 1"', '"a\\\\\\" <sip:evil@x>;x=\\"b"', `"${HTML}"`, '"\u0085\u2028X-Evil: 1"', '"a\r\n X-Evil: 1"', '"\'; drop table calls; --"'];

scenario('names and numbers with hidden line ends from a browser: none becomes a line at the trunk', async () => {
  const { trunk } = peers;
  for (const name of names) {
    const came = await callWith({ from: `${name} <sip:alice@example.com>`, headers: [['P-Asserted-Identity', `${name} <sip:1@x>`], ['Subject', name], ['User-Agent', name], ['X-Evil', '1'], ['Call-Info', `<http://x>;p=${name}`]] });
    check(came, `no answer to ${name}`);
    checkClean(came, name);
    check(!came.raw.includes(HTML), 'a name of the browser reached the trunk');
  }
  for (const number of ['1%0d%0aX-Evil:%201', '1%0aX-Evil:1', '1%00', '1%22%3e%0d%0a', '1;phone-context=x%0d%0aX-Evil:1', '%c3%28']) {
    const came = await callWith({ uri: `sip:${number}@example.com` });
    check(came, `no answer to ${number}`);
    checkClean(came, number);
    check(!came.method || !/[\r\n\0]/.test(decodeURIComponent(came.uri.replace(/%(?![0-9a-f]{2})/gi, '%25'))), `${number} reached the trunk as ${came.uri}`);
  }
  trunk.sip.reset();
  checkLog();
}, ours);

scenario('bare CR, LF, NUL and bad UTF-8 in headers of a browser are refused with 400', async () => {
  const { alice, trunk } = peers;
  for (const evil of ['a\rX-Evil: 1', 'a\nX-Evil: 1', 'a\0b']) {
    const before = alice.sip.received.length;
    const { bytes } = { bytes: writeSip(`INVITE sip:${CALLER}@example.com SIP/2.0`, [
      ['Via', alice.sip.via()], ['Max-Forwards', '70'], ['From', `"${evil}" <sip:alice@example.com>;tag=1`], ['To', `<sip:${CALLER}@example.com>`],
      ['Call-ID', `x${before}`], ['CSeq', '1 INVITE'], ['Contact', alice.sip.contact], ['Content-Type', 'application/sdp']], browserSdp()) };
    alice.sip.sendRaw(bytes);
    await until(`an answer to ${JSON.stringify(evil)}`, () => alice.sip.received.length > before);
    const answer = alice.sip.received.at(-1);
    check(answer.status === 400, `${JSON.stringify(evil)}: ${answer.first}`);
    checkClean(answer, 'the refusal');
  }
  await trunk.sip.expectNone('INVITE', 50);
  checkLog();
}, ours);

scenario('hidden lines in descriptions: nothing of them in the description for the other side', async () => {
  const { trunk } = peers;
  const evils = [
    browserSdp().replace('s=-', 's=a\rb=evil:1'), browserSdp().replace('s=-', 's=\na=evil:1'), browserSdp({ mid: '0\ra=evil:1' }), browserSdp({ mid: HTML }),
    browserSdp({ ufrag: 'a\ra=evil' }), browserSdp({ more: ['a=fmtp:111 x=1\ra=evil:2', 'a=msid:a\ra=evil:3 b', `a=label:${HTML}`, 'a=candidate:1 1 udp 1 1.2.3.4\ra=evil 5 typ host'] }),
    browserSdp({ more: ['a=rtpmap:97 evil\ra=evil:4/8000'] }), browserSdp().replace('opus/48000/2', 'opus\0/48000/2'), browserSdp().replace('IN IP4 0.0.0.0', 'IN IP4 0.0.0.0\rm=video 6666 RTP/AVP 0'),
  ];
  for (const body of evils) {
    const came = await callWith({ body });
    check(came, `no answer to ${JSON.stringify(body.slice(0, 60))}`);
    checkClean(came, JSON.stringify(body.slice(0, 80)));
    check(!came.raw.includes(HTML), 'a field of the description was copied');
  }
  trunk.sip.reset();
  checkLog();
}, ours);

scenario('names, reasons and descriptions of a trunk: nothing hidden in them becomes a line for the browser', async () => {
  const { alice, trunk } = peers;
  for (const name of names) {
    const at = [alice.sip.received.length, trunk.sip.received.length];
    trunk.call(ALICE.numbers[0], { from: `${name} <sip:%0d%0aX-Evil%3a1@127.0.0.1>`, headers: [['P-Asserted-Identity', `${name} <sip:1%0d%0aX-Evil%3a1@x>`], ['Subject', name], ['X-Evil', '1'], ['User-Agent', name], ['Diversion', `<sip:x>;reason=${name}`]] });
    const invite = await until('an INVITE or a refusal', () => alice.sip.received.slice(at[0]).find((m) => m.method === 'INVITE')
      ?? trunk.sip.received.slice(at[1]).find((m) => m.status >= 300));
    checkClean(invite, name);
    if (!invite.method) continue;
    alice.sip.request = invite;
    alice.sip.reply(486);
    await until('the refusal', () => trunk.sip.received.slice(at[1]).some((m) => m.status >= 300));
  }
  trunk.sip.inbox = [];
  alice.sip.inbox = [];
  await alice.call(CALLER);
  await trunk.rings();
  trunk.sip.reply(486, { reason: `${HTML} %0d%0aX-Evil: 1`, headers: [['Reason', 'Q.850;cause=17;text="%0d%0aX-Evil: 1"'], ['Warning', `399 x "${HTML}"`], ['X-Evil', '1'], ['Retry-After', '1%0d%0a']] });
  checkClean(await alice.sip.expect((m) => m.status >= 300 && m.status !== 401), 'the refusal');
  trunk.sip.reset();
  checkLog();
}, ours);

scenario('the list of calls and their timelines stay JSON, whatever the names are', async () => {
  const { alice, gateway, trunk } = peers;
  const name = `\\"</script>${HTML}\u2028\\\\`;
  trunk.call(ALICE.numbers[0], { from: `"${name}" <sip:%3cscript%3e%22%5c@127.0.0.1>` });
  const invite = await alice.sip.expect('INVITE');
  const list = await gateway.admin.text('/calls');
  const parsed = JSON.parse(list.body);
  const calls = parsed.calls ?? parsed;
  check(calls.length >= 1, list.body);
  for (const call of calls) {
    const { body } = await gateway.admin.text(`/calls/${call.id}`);
    JSON.parse(body);
    check(!/[\x00-\x09\x0b-\x1f]/.test(body), 'a control byte in the answer');
  }
  for (const id of ['..', '%2e%2e%2f', "'", `${calls[0].id}%00`, 'w99.x', 'x'.repeat(3000), '%0d%0aX-Evil:1']) {
    const answer = await gateway.admin.text(`/calls/${id}`).catch(() => ({ status: 0, body: '' }));
    check([0, 400, 404, 414].includes(answer.status) || Array.isArray(JSON.parse(answer.body)), `/calls/${id.slice(0, 40)}: ${answer.status} ${answer.body}`);
  }
  alice.sip.request = invite;
  alice.sip.reply(486);
  await trunk.sip.expect((m) => m.status >= 300);
  checkLog();
}, ours);

scenario('a description with 65 m-lines, or of nearly 64 KiB of attributes, is refused or answered small; one above is refused', async ({ defer }) => {
  const { alice, gateway, trunk } = peers;
  const line = ['m=audio 9 UDP/TLS/RTP/SAVPF 0', 'c=IN IP4 0.0.0.0'];
  const many = await callWith({ body: browserSdp({ more: Array.from({ length: 65 }, () => line).flat() }) });
  check([400, 488].includes(many?.status), `65 lines: ${many?.first}`);
  const big = await callWith({ body: browserSdp({ more: Array.from({ length: 1600 }, (_, i) => `a=x-filler:${i} ${'y'.repeat(16)}`) }) });
  check(big?.method === 'INVITE' ? big.raw.length < 8000 : [400, 488, 513].includes(big?.status), `1600 attributes: ${big?.first}`);
  const formats = await callWith({ body: browserSdp().replace(/(m=audio .*)/, `$1 ${Array.from({ length: 5000 }, (_, i) => i % 128).join(' ')}`) });
  check(formats?.method === 'INVITE' ? formats.raw.length < 8000 : [400, 488].includes(formats?.status), `5000 formats: ${formats?.first}`);
  trunk.call(ALICE.numbers[0], { from: '<sip:a@b>' });
  const first = await alice.sip.expect('INVITE');
  alice.sip.request = first;
  alice.sip.reply(486);
  await trunk.sip.expect(486);
  const above = await tcpFrom(gateway.sip, { localAddress: '127.0.0.1', defer });
  const body = `v=0\r\n${'a=x\r\n'.repeat(14000)}`;
  above.socket.write(`INVITE sip:${ALICE.numbers[0]}@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKbig\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\nCall-ID: big\r\nCSeq: 1 INVITE\r\n`
    + `Contact: <sip:a@127.0.0.1>\r\nContent-Type: application/sdp\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  await until('the end of the connection', () => above.closedAfter !== undefined, { within: 3000 });
  check(!/SIP\/2\.0 [12]/.test(above.text), above.text);
  const socket = await rawWs(gateway, { defer });
  socket.send('I'.repeat(65537));
  check([0, 1009].includes(await socket.closeCode()), 'a frame above 64 KiB');
  await settled(gateway);
  await stillAlive(gateway);
  check(await gateway.admin.metric('sipway_calls') === 0, 'calls are left');
}, ours);
