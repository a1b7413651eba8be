// SPDX-License-Identifier: Apache-2.0
// The test call of `sipway probe`: what it says of answers and media that go wrong, and that the call always ends.
import fs from 'node:fs';
import { scenario, check } from './lib/scenario.mjs';
import { probeConfig, runProbe, startProbe, probeCall, trunkThat, failed, told, CALL as call } from './lib/probe.mjs';
import { scriptedPhone } from './lib/phone.mjs';
import { newKey, cryptoLine, cryptoLines } from './lib/srtp.mjs';

const ours = { needs: 'admin' }; // our own binary alone has it
const near = (value, wanted, by) => Math.abs(value - wanted) <= by;

scenario('a private address in the answer: told, and our sound does not arrive', async ({ defer }) => {
  const run = await probeCall({ defer, answer: { host: '10.9.8.7' } });
  check(run.code === 1 && run.find('NAT', /SDP names the private address 10\.9\.8\.7/).result === 'warn', told(run));
  run.find('media', /one-way/);
}, ours);

scenario('one-way media: FAIL, with the ports to open', async ({ defer }) => {
  const run = await probeCall({ defer });
  const found = run.find('media', /^one-way: \d+ packets were sent to .* and none came back/);
  check(run.code === 1 && found.result === 'FAIL' && /UDP \d+-\d+/.test(found.advice), JSON.stringify(found));
}, ours);

scenario('every tenth packet is lost: FAIL, with the share', async ({ defer }) => {
  const run = await probeCall({ defer, media: (phone) => {
    const onRtp = phone.rtp.onRtp.bind(phone.rtp);
    let count = 0;
    phone.rtp.onRtp = (data, from) => (++count % 10 ? onRtp(data, from) : undefined);
    phone.rtp.echo();
  } });
  const found = run.find('media', /lost on the way to us/);
  check(run.code === 1 && found.result === 'FAIL' && near(found.lost_percent, 10, 1.5), JSON.stringify(found));
}, ours);

scenario('an echo that writes its own sequence numbers hides the loss: it is found by what does not come back', async ({ defer }) => {
  const run = await probeCall({ defer, media: (phone) => {
    const onRtp = phone.rtp.onRtp.bind(phone.rtp);
    let count = 0;
    phone.rtp.onRtp = (data, from) => {
      if (++count % 10 === 0) return;
      const packet = Buffer.from(data);
      packet.writeUInt16BE((count - Math.floor(count / 10)) & 0xffff, 2);
      onRtp(packet, from);
    };
    phone.rtp.echo();
  } });
  check(run.find('media', /lost on the way to us/).lost_percent === 0, told(run));
  check(run.code === 1 && near(run.find('media', /did not come back/).echo_lost_percent, 10, 1.5), told(run));
}, ours);

scenario('the trunk reports by RTCP: loss of our packets and round trip', async ({ defer }) => {
  const run = await probeCall({ defer, media: (phone) => {
    phone.rtp.sendTone();
    const onRtcp = phone.rtp.onRtcp.bind(phone.rtp);
    phone.rtp.onRtcp = (data, from) => {
      onRtcp(data, from);
      if (data[1] !== 200) return;
      const report = Buffer.alloc(32);
      report.writeUInt32BE(0x81c90007, 0);
      report.writeUInt32BE(phone.rtp.ssrc, 4);
      data.copy(report, 8, 4, 8); // about whom
      report.writeUInt32BE(12, 12); // 12 lost in all
      data.copy(report, 24, 10, 14); // LSR: the middle of the NTP time
      setTimeout(() => { // answered 50 ms later, and says so
        report.writeUInt32BE(Math.round(0.05 * 65536), 28);
        phone.rtp.rtcpSocket.send(report, from.port, from.address);
      }, 50);
    };
  } });
  check(run.find('media', /of ours were lost/).sent_lost_percent > 3, told(run));
  check(near(run.find('media', /by RTCP/).round_trip_ms, 10, 60), told(run));
}, ours);

scenario('no telephone-event: digits will not arrive', async ({ defer }) => {
  const run = await probeCall({ defer, answer: { events: null }, media: (phone) => phone.rtp.echo() });
  const found = run.find('DTMF', /no telephone-event/);
  check(run.code === 0 && found.result === 'warn' && /dtmf: info/.test(found.advice), JSON.stringify(found));
}, ours);

scenario('srtp: require: the echo is encrypted both ways', async ({ defer }) => {
  const key = newKey();
  const run = await probeCall({ defer, srtp: 'require', answer: (phone) => {
    const [offered] = cryptoLines(phone.sip.request.body);
    phone.rtp.secure({ out: key, in: offered.key });
    return { profile: 'RTP/SAVP', lines: [cryptoLine(key, { tag: offered.tag })] };
  }, media: (phone) => phone.rtp.echo() });
  check(run.code === 0 && failed(run).length === 0, `exit code ${run.code}:\n${told(run)}`);
  run.find('codecs', /encrypted/);
  run.find('media', /came back as an echo/);
  check(run.phone.rtp.forged === 0, 'what we sent was authentic');
}, ours);

scenario('srtp: require, and the answer has no key', async ({ defer }) => {
  const run = await probeCall({ defer, srtp: 'require' });
  check(run.code === 1 && run.find('call', /no SRTP key/).result === 'FAIL', told(run));
}, ours);

scenario('the far end hangs up early: told, with what was measured', async ({ defer }) => {
  const phone = await scriptedPhone({ name: 'trunk' });
  defer(() => phone.close());
  const running = runProbe({ trunks: [{ name: 'carrier', host: phone.sip.host, port: phone.sip.port }], args: call });
  await phone.rings();
  await phone.answer();
  phone.rtp.echo();
  await phone.rtp.receives(50);
  await phone.sip.bye();
  const run = await running;
  check(run.code === 0 && run.find('call', /hung up/).result === 'warn', told(run));
  run.find('media', /packets came/);
}, ours);

scenario('nobody answers: the call is cancelled in time', async ({ defer }) => {
  const phone = await scriptedPhone({ name: 'trunk' });
  defer(() => phone.close());
  const running = runProbe({ trunks: [{ name: 'carrier', host: phone.sip.host, port: phone.sip.port }], args: call });
  await phone.rings();
  phone.sip.reply(180);
  await phone.sip.expect('CANCEL', { within: 16000 });
  phone.sip.reply(200);
  const run = await running;
  check(run.code === 1 && run.ms < 17000 && run.find('call', /rings, but nobody answers/).result === 'FAIL', told(run));
}, ours);

scenario('stopped by hand in the test call: it is hung up, exit code 2', async ({ defer }) => {
  const { phone, taken, row } = await trunkThat({ defer, media: (one) => one.rtp.echo() });
  const program = startProbe({ file: await probeConfig([row]), args: call });
  await phone.rtp.receives(20, { within: 10000 });
  process.kill(program.pid, 'SIGTERM');
  const [{ code }] = await Promise.all([program.exited, taken]);
  check(code === 2 && /stopped/.test(program.output), `exit code ${code}: ${program.output}`);
}, ours);

scenario('over TCP: one connection for all, and a Contact where we listen', async ({ defer }) => {
  const { phone, taken, row } = await trunkThat({ defer, transport: 'tcp', headers_add: ['X-Customer: 4711'], media: (one) => one.rtp.echo() });
  const file = await probeConfig([row]);
  const [run] = await Promise.all([runProbe({ file, args: call }), taken]);
  check(run.code === 0 && failed(run).length === 0, `exit code ${run.code}:\n${told(run)}`);
  const port = Number(phone.sip.invite.contactUri.match(/:(\d+);transport=tcp/)?.[1]);
  check(port > 0 && !fs.readFileSync(file, 'utf8').includes(`tcp://127.0.0.1:${port}`), `Contact ${phone.sip.invite.contactUri}`);
  check(phone.sip.invite.header('x-customer') === '4711', 'the headers that the carrier wants');
  const sources = new Set(phone.sip.received.map((message) => message.from.port));
  check(sources.size === 1, `${sources.size} connections`);
}, ours);
