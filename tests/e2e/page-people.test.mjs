// SPDX-License-Identifier: Apache-2.0
// Two people with the page, and what they do to each other: call by name, hold, call waiting, two phones of one account.
import { check } from './lib/scenario.mjs';
import { quickStart, startQuickStart, phoneScenario, mediaPorts, YOU, FRIEND } from './lib/quick-start.mjs';
import { makeCertificate } from './lib/certificate.mjs';
import { udpDetour } from './lib/detour.mjs';

const world = quickStart({ hz: 700 });
const phone = (name, run, options) => phoneScenario(world, name, run, options);

async function both({ open }) {
  const you = await open('you');
  const friend = await open('friend');
  await friend.signInAs(FRIEND);
  await you.isReady();
  return { you, friend };
}

async function talk({ you, friend }) {
  await you.call('friend');
  await friend.reaches('incoming');
  await friend.page.click('#answer');
  await Promise.all([you.reaches('talking'), friend.reaches('talking')]);
  await Promise.all([you.hears(700), friend.hears(700)]);
}

phone('you call friend by name: tones are heard both ways, friend hangs up', async (scene) => {
  const { you, friend } = await both(scene);
  await talk({ you, friend });
  check(await friend.text('peer-name') === YOU.display, `the caller is shown as ${await friend.text('peer-name')}`);
  await friend.page.click('#hangup');
  await you.reaches('ended');
});

phone('friend declines: you are told so in plain words', async (scene) => {
  const { you, friend } = await both(scene);
  await you.call('friend');
  await friend.reaches('incoming');
  await friend.page.click('#reject');
  await you.reaches('ended');
  check(/declin/i.test(await you.text('call-state')), `the page says ${await you.text('call-state')}`);
});

phone('you give up: friend sees a missed call', async (scene) => {
  const { you, friend } = await both(scene);
  await you.call('friend');
  await friend.reaches('incoming');
  await you.page.click('#hangup');
  await friend.reaches('ended');
  check(/missed/i.test(await friend.text('call-state')), `the page says ${await friend.text('call-state')}`);
});

phone('hold is seen at the other side, and silences both; both hear again afterwards', async (scene) => {
  const { you, friend } = await both(scene);
  await talk({ you, friend });
  await friend.page.click('#hold');
  await you.sees('hold by the other side', () => window.sipway.state.calls[0].held.remote);
  await Promise.all([you.hearsNothing(), friend.hearsNothing()]);
  await friend.page.click('#hold');
  await you.sees('end of the hold', () => !window.sipway.state.calls[0].held.remote);
  await Promise.all([you.hears(700), friend.hears(700)]);
});

phone('a second call waits, is answered while the first is held, and both are swapped', async (scene) => {
  const { you, friend } = await both(scene);
  await you.tap('609');
  await you.reaches('talking');
  await you.hears(1000);
  await friend.call(YOU.name);
  await you.sees('call that waits', () => window.sipway.state.calls[1]?.state === 'incoming');
  await you.page.click('#other-answer');
  await friend.reaches('talking');
  await Promise.all([you.hears(700), friend.hears(700)]);
  await you.page.click('#other-swap');
  await you.hears(1000);
  await friend.sees('hold by the other side', () => window.sipway.state.calls[0].held.remote);
  await friend.page.click('#hangup');
  await you.sees('one call left', () => window.sipway.state.calls.length === 1 && window.sipway.state.calls[0].number === '609');
  await you.hears(1000);
});

phone('two phones of one account ring; one answers, and the other knows that it was taken elsewhere', async (scene) => {
  const { you, friend } = await both(scene);
  const second = await scene.open('you-2');
  await second.isReady();
  await friend.call(YOU.name);
  await Promise.all([you.reaches('incoming'), second.reaches('incoming')]);
  await second.page.click('#answer');
  await friend.reaches('talking');
  await you.reaches('ended');
  const { end } = (await you.state()).calls[0];
  check(/elsewhere|another/i.test(`${end.title} ${end.detail}`) && !end.isFailure, `shown as ${JSON.stringify(end)}`);
  await Promise.all([second.hears(700), friend.hears(700)]);
});

phone('the media path breaks for a while: the page restarts ICE, and the sound is back', async ({ open, defer }) => {
  const way = await udpDetour(mediaPorts(world.gateway));
  defer(() => way.close());
  const you = await open('you', { udp: way });
  await you.talksTo('609');
  await you.hears(1000);
  way.isBlocked = true;
  await you.sees('re-INVITE with new credentials', () => window.sipway.events.some((one) => one.type === 'reoffer' && one.isAccepted), null, { within: 25000 });
  check(way.dropped > 0, 'nothing took the detour');
  way.isBlocked = false;
  await you.hears(1000, { within: 12000 });
});

phone('a wrong password is refused in plain words, and the right one works', async ({ open }) => {
  const you = await open();
  await you.isReady();
  await you.page.click('#open-settings');
  await you.page.click('#sign-out');
  await you.page.fill('#account-name', FRIEND.name);
  await you.page.fill('#account-password', 'not this one');
  await you.page.click('#sign-in');
  await you.sees('refusal', () => window.sipway.events.some((one) => one.type === 'line' && one.state === 'refused'));
  check(/password/i.test(await you.text('notice-text')), `the page says ${await you.text('notice-text')}`);
  await you.page.fill('#account-password', FRIEND.password);
  await you.page.click('#sign-in');
  await you.isReady();
});

phone('over https the page uses wss, and the echo is heard', async ({ open, defer }) => {
  const own = await startQuickStart({}, { tls: makeCertificate() });
  defer(() => own.stop());
  const you = await open('you', { url: own.gateway.wssUrl.replace('wss:', 'https:'), device: { ignoreHTTPSErrors: true } });
  await you.talksTo('600');
  await you.hears(700);
  await you.page.click('#hangup');
  await you.isIdle();
});
