// SPDX-License-Identifier: Apache-2.0
// Who calls, as trunks tell it and are told; who sent the call on; single headers; and what does not cross the gateway.
import { scenario, check, ALICE, CALLER } from './lib/scenario.mjs';
import { startGateway } from './lib/gateway.mjs';
import { scriptedPhone } from './lib/phone.mjs';
import { wsPhone } from './lib/ws-phone.mjs';

const ours = { needs: 'admin' };
const NUMBER = ALICE.numbers[0];

/** A gateway with scripted trunks; rows: {name: keys of the trunk}. Numbers of one digit n go to the n-th trunk. */
async function start(defer, rows) {
  const world = {};
  const names = Object.keys(rows);
  const trunks = [];
  for (const name of names) {
    const phone = await scriptedPhone({ name });
    defer(() => phone.close());
    world[name] = phone;
    trunks.push({ name, host: phone.sip.host, port: phone.sip.port, accept: [], ...rows[name] });
  }
  trunks[0].accept = ['127.0.0.1/32']; // whoever calls is the first one
  world.gateway = await startGateway({
    accounts: [ALICE],
    trunks,
    routes: [
      { from: `trunk:${names[0]}`, to: `^\\${NUMBER}$`, account: 'alice' },
      ...names.map((name, i) => ({ from: 'any', to: `^${i + 1}$`, trunks: [name] })),
    ],
  });
  defer(() => world.gateway.stop());
  for (const name of names) world[name].sip.peer = world.gateway.sip;
  world.alice = await wsPhone(world.gateway, ALICE);
  defer(() => world.alice.close());
  return world;
}

const refused = async (caller, callee) => {
  callee.sip.reply(486);
  await caller.sip.expect(486);
};

scenario('each trunk is told who calls in the headers that it wants', async ({ defer }) => {
  const { alice, pai, both, bare, hidden } = await start(defer, { pai: {}, both: { identity: ['ppi', 'rpid'] }, bare: { identity: ['from-only'] },
    hidden: { identity: ['rpid'], caller_id: false } });
  const name = `"Alice" <sip:${NUMBER}@example.com>`;
  const told = async (number, phone, headers) => {
    await alice.call(number, { headers });
    const invite = await phone.rings();
    await refused(alice, phone);
    return ['from', 'p-asserted-identity', 'p-preferred-identity', 'remote-party-id', 'privacy'].map((header) => invite.header(header)?.split(';tag')[0] ?? null);
  };
  const expect = (what, got, wanted) => check(JSON.stringify(got) === JSON.stringify(wanted), `${what}: ${JSON.stringify(got)}`);
  const anonymous = '"Anonymous" <sip:anonymous@anonymous.invalid>';
  expect('pai', await told('1', pai), [name, name, null, null, null]);
  expect('ppi and rpid', await told('2', both), [name, null, name, `${name};party=calling;screen=yes;privacy=off`, null]);
  expect('from only', await told('3', bare), [name, null, null, null, null]);
  expect('hidden', await told('4', hidden), [anonymous, null, null, `${name};party=calling;screen=yes;privacy=full`, 'id']);
  expect('asked for', await told('1', pai, [['Privacy', 'id']]), [anonymous, name, null, null, 'id']);
}, ours);

scenario('the caller of a trunk is read from what the trunk asserts, and stays anonymous where it asks for that', async ({ defer }) => {
  const { alice, pbx } = await start(defer, { pbx: {} });
  const seen = async (from, headers) => {
    pbx.call(NUMBER, { from, headers });
    const invite = await alice.rings();
    await refused(pbx, alice);
    return invite;
  };
  const preferred = await seen('"F" <sip:100@10.77.0.1>', [['Remote-Party-ID', '<sip:400@x>'], ['P-Preferred-Identity', `"P" <sip:${CALLER}@x>`]]);
  check(preferred.header('from').startsWith(`"P" <sip:${CALLER}@example.com>`), `From ${preferred.header('from')}`);
  const rpid = await seen('<sip:100@10.77.0.1>', [['Remote-Party-ID', '<sip:400@x>;party=calling']]);
  check(rpid.header('from').includes('<sip:400@example.com>'), `From ${rpid.header('from')}`);
  for (const privacy of [[['Privacy', 'id']], [['Privacy', 'critical; user']], [['Remote-Party-ID', `<sip:${CALLER}@x>;privacy=full`]]]) {
    const hidden = await seen(`<sip:${CALLER}@10.77.0.1>`, [...privacy, ...(privacy[0][0] === 'Privacy' ? [['P-Asserted-Identity', `<sip:${CALLER}@x>`]] : [])]);
    check(hidden.header('from').includes('anonymous.invalid') && !hidden.raw.includes(CALLER), `the number shows:\n${hidden.raw}`);
  }
}, ours);

scenario('who sent a call on is passed, told as history, or kept back', async ({ defer }) => {
  const { pbx, pass, history, off } = await start(defer, { pbx: {}, pass: {}, history: { diversion: 'history' }, off: { diversion: 'off' } });
  const diverted = [['Diversion', '<sip:+4930@10.77.0.3:5070>;reason=no-answer;counter=1']];
  const gets = async (number, phone) => {
    pbx.call(number, { from: `<sip:${CALLER}@10.77.0.1>`, headers: diverted });
    const invite = await phone.rings();
    await refused(pbx, phone);
    return invite;
  };
  const passed = await gets('2', pass);
  check(passed.header('diversion') === '<sip:+4930@example.com>;reason=no-answer;counter=1;privacy=off', `Diversion ${passed.header('diversion')}`);
  const told = await gets('3', history);
  check(told.all('history-info').join(' ') === '<sip:+4930@example.com>;index=1 <sip:3@example.com;cause=408>;index=1.1;mp=1' && !told.header('diversion'),
    `History-Info ${told.all('history-info')}`);
  const kept = await gets('4', off);
  check(!kept.header('diversion') && !kept.header('history-info'), kept.raw);
}, ours);

scenario('headers are added, left out, and cross in both directions where a trunk names them', async ({ defer }) => {
  const { alice, one, plain } = await start(defer, {
    one: { headers_add: ['X-Account: acme', 'User-Agent: acme 1'], headers_pass: ['X-Ref', 'Subject'], headers_remove: ['Allow'] },
    plain: {},
  });
  const more = [['X-Ref', 'a "b" 1'], ['X-Secret', '2'], ['s', 'short']];
  await alice.call('1', { headers: more });
  const invite = await one.rings();
  const get = (message, name) => message.all(name).join('|');
  check(get(invite, 'x-account') === 'acme' && get(invite, 'user-agent') === 'acme 1' && get(invite, 'x-ref') === 'a "b" 1'
    && invite.raw.includes('\r\nSubject: short\r\n') && !invite.header('x-secret') && !invite.header('allow'), `the INVITE:\n${invite.raw}`);
  one.sip.reply(180, { headers: [['X-Ref', 'ringing'], ['X-Secret', '3']] });
  const ringing = await alice.sip.expect(180);
  check(get(ringing, 'x-ref') === 'ringing' && !ringing.header('x-secret'), `the 180:\n${ringing.raw}`);
  await one.answer({ headers: [['X-Ref', 'answered'], ['X-Secret', '4']] });
  const ok = await alice.answered();
  check(get(ok, 'x-ref') === 'answered' && !ok.header('x-secret'), `the 200:\n${ok.raw}`);
  one.sip.inDialog('BYE');
  await alice.hungUp();
  await alice.call('2', { headers: more });
  const bare = await plain.rings();
  check(!bare.header('x-ref') && !bare.header('x-account') && bare.header('allow') && get(bare, 'user-agent') === 'Sipway', `the other trunk's INVITE:\n${bare.raw}`);
  await refused(alice, plain);
  one.call(NUMBER, { from: `<sip:${CALLER}@10.77.0.1>`, headers: more });
  const inbound = await alice.rings();
  check(get(inbound, 'x-ref') === 'a "b" 1' && !inbound.header('x-secret') && !inbound.header('x-account'), `alice's INVITE:\n${inbound.raw}`);
  await alice.answer({ headers: [['X-Ref', 'from alice']] });
  const answer = await one.answered();
  check(get(answer, 'x-ref') === 'from alice', `the trunk's 200:\n${answer.raw}`);
  await one.sip.bye();
}, ours);

scenario('nothing of one side shows on the other: no address, no name, no token', async ({ defer }) => {
  const { pbx, far } = await start(defer, { pbx: { headers_pass: ['X-Ref'] }, far: {} });
  const secrets = ['10.77.', 'secret', String(pbx.sip.port), String(pbx.rtp.port)];
  const sent = pbx.call('2', {
    from: `"Caller" <sip:${CALLER}@10.77.0.1>`,
    headers: [['P-Asserted-Identity', `<sip:${CALLER}@10.77.0.2;user=phone;x=secret>`], ['Diversion', '<sip:300@10.77.0.3;x=secret>;reason=secret;x=10.77.0.4'],
      ['User-Agent', 'secret'], ['Call-Info', '<http://10.77.0.6/secret>'], ['X-Secret', 'secret'],
      ['Subject', 'secret'], ['Organization', 'secret'], ['History-Info', '<sip:2@10.77.0.7>;index=1']],
  });
  const tokens = [sent.callId, sent.fromTag, sent.branch];
  const clean = (what, message, words) => words.forEach((word) => check(!message.raw.includes(word), `${what} shows ${word}:\n${message.raw}`));
  clean('the INVITE', await far.rings(), [...secrets, ...tokens]);
  const farSecrets = ['10.88.', 'hidden', String(far.sip.port), String(far.rtp.port)];
  far.sip.reply(180, { headers: [['Server', 'hidden'], ['Call-Info', '<http://10.88.0.1/>'], ['P-Asserted-Identity', '<sip:2@10.88.0.2>']], contact: `<sip:hidden@127.0.0.1:${far.sip.port}>` });
  clean('the 180', await pbx.sip.expect(180), farSecrets);
  await far.answer({ headers: [['Server', 'hidden'], ['Reply-To', '<sip:2@10.88.0.3>']] });
  clean('the 200', await pbx.answered(), [...farSecrets, far.sip.invite.callId]);
  await pbx.sip.bye();
  const bye = await far.hungUp();
  clean('the BYE', bye, [...secrets, ...tokens]);
}, ours);
