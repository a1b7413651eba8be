// SPDX-License-Identifier: Apache-2.0
// A page that is reloaded, or loses its WebSocket in a call: the call goes on for a while, and either the page finds it again or it ends.
import { check } from './lib/scenario.mjs';
import { quickStart, startQuickStart, phoneScenario, FRIEND } from './lib/quick-start.mjs';
import { tcpDetour } from './lib/detour.mjs';
import { until } from './lib/wait.mjs';

const world = quickStart({ hz: 700 });
const phone = (name, run, options) => phoneScenario(world, name, run, options);

const isAlive = (call) => call.state !== 'over';
const calls = (gateway) => gateway.admin.json('/calls');

/** A page that reaches the gateway by a way that can be cut. */
async function detoured({ defer, open }, gateway = world.gateway) {
  const way = await tcpDetour(gateway.ports.web);
  defer(() => way.close());
  return { way, you: await open('you', { url: way.url }) };
}

async function cut(way, you) {
  way.cut();
  await you.sees('line that is offline', () => window.sipway.state.line === 'offline');
}

phone('a reload in a call asks first, ends the call at the carrier, and the page registers again', async ({ open }) => {
  const you = await open();
  const from = world.carrier.mark();
  await you.talksTo('609');
  await you.hears(1000);
  await you.page.reload();
  check(you.questions.includes('beforeunload'), 'the browser did not ask');
  const { why } = await world.carrier.ended('609', { from });
  check(why === 'hung up by the gateway', `the carrier saw: ${why}`);
  await you.isReady();
  await until('empty list of calls', async () => !(await calls(world.gateway)).some(isAlive));
});

phone('the WebSocket breaks in a call: the sound goes on, the page is back within seconds, and the call is the same', async (scene) => {
  const { way, you } = await detoured(scene);
  const from = world.carrier.mark();
  await you.talksTo('609');
  await you.hears(1000);
  const before = (await calls(world.gateway)).filter(isAlive);
  check(before.length === 1, `${before.length} calls`);
  await cut(way, you);
  await you.hears(1000);
  way.mend();
  await you.isReady({ within: 6000 });
  await you.sees('re-INVITE that is accepted', () => window.sipway.events.some((one) => one.type === 'reoffer' && one.isAccepted));
  await you.hears(1000);
  const after = (await calls(world.gateway)).filter(isAlive);
  check(after.length === 1 && after[0].id === before[0].id, `calls now: ${JSON.stringify(after)}`);
  await you.page.click('#hangup');
  const { why } = await world.carrier.ended('609', { from });
  check(why === 'hung up by the gateway', `the carrier saw: ${why}`);
});

phone('after the WebSocket came back the own voice is heard in 600, and keys go through', async (scene) => {
  const { way, you } = await detoured(scene);
  await you.talksTo('600');
  await you.hears(700);
  await cut(way, you);
  way.mend();
  await you.isReady({ within: 6000 });
  await you.sees('re-INVITE that is accepted', () => window.sipway.events.some((one) => one.type === 'reoffer' && one.isAccepted));
  await you.hears(700);
  await you.page.click('#hold');
  await you.sees('call on hold', () => window.sipway.state.calls[0].held.local && !window.sipway.state.calls[0].isBusy);
  await you.page.click('#hold');
  await you.hears(700);
});

phone('the caller\'s WebSocket breaks while it rings: nobody is left ringing', async (scene) => {
  const { way, you } = await detoured(scene);
  const from = world.carrier.mark();
  await you.isReady();
  await you.tap('604');
  await you.reaches('ringing');
  await cut(way, you);
  await world.carrier.ended('604', { from, within: 4000 });
  await until('empty list of calls', async () => !(await calls(world.gateway)).some(isAlive));
  way.mend();
  await you.isReady({ within: 6000 });
  await you.sees('end of the call', () => !window.sipway.state.calls.some((call) => call.state !== 'ended'));
});

phone('the WebSocket of the phone that rings breaks: the caller is told, and need not wait', async (scene) => {
  const friendWay = await tcpDetour(world.gateway.ports.web);
  scene.defer(() => friendWay.close());
  const you = await scene.open('you');
  const friend = await scene.open('friend', { url: friendWay.url });
  await friend.signInAs(FRIEND);
  await you.isReady();
  await you.call('friend');
  await friend.reaches('incoming');
  friendWay.cut();
  await you.reaches('ended', { within: 5000 });
  const { end } = (await you.state()).calls[0];
  check(end.isFailure && end.title.length > 3, `shown as ${JSON.stringify(end)}`);
});

phone('the far side hangs up while the page is away: the page learns it when it is back', async (scene) => {
  const { way, you } = await detoured(scene);
  const from = world.carrier.mark();
  await you.talksTo('608');
  await cut(way, you);
  await world.carrier.ended('608', { from, within: 9000 });
  way.mend();
  await you.isReady({ within: 10000 });
  await you.sees('end of the call', () => !window.sipway.state.calls.some((call) => call.state !== 'ended'));
});

phone('a page that never comes back: after sip.reconnect the carrier gets a BYE, and the call says why', async (scene) => {
  const own = await startQuickStart({ sip: { reconnect: '3s' } });
  scene.defer(() => own.stop());
  const { way, you } = await detoured(scene, own.gateway);
  await you.talksTo('609');
  await you.hears(1000);
  const [{ id }] = (await calls(own.gateway)).filter(isAlive);
  const began = Date.now();
  await cut(way, you);
  const { why } = await own.carrier.ended('609', { within: 8000 });
  const lasted = Date.now() - began;
  check(why === 'hung up by the gateway', `the carrier saw: ${why}`);
  check(lasted > 2500, `the call was kept for ${lasted} ms only`);
  const told = await own.gateway.admin.json(`/calls/${id}`);
  check(/did not come back within 3 s/.test(told.why), `/calls/${id}: ${JSON.stringify(told)}`);
  check(told.ended_by === 'gateway' && told.timeline.length > 3, `/calls/${id}: ${JSON.stringify(told)}`);
});
