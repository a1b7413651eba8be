// SPDX-License-Identifier: Apache-2.0
// The page that the gateway serves, as the quick start sets it up: one person, the simulated carrier, calls of every kind.
import { check } from './lib/scenario.mjs';
import { quickStart, phoneScenario } from './lib/quick-start.mjs';
import { until } from './lib/wait.mjs';

const world = quickStart({ hz: 700 });
const phone = (name, run, options) => phoneScenario(world, name, run, options);

const activeCalls = async () => (await world.gateway.admin.json('/calls')).filter((call) => call.state !== 'over');

phone('the page opens, registers by itself and offers the numbers, within its Content-Security-Policy', async ({ open }) => {
  const you = await open();
  await you.isReady();
  check(/^you@localhost$/.test((await you.state()).account), `account ${(await you.state()).account}`);
  check(await you.page.locator('.number-button').count() === 10, 'ten numbers are offered');
  check(/default-src 'self'/.test(you.headers['content-security-policy'] ?? ''), `headers: ${JSON.stringify(you.headers)}`);
  await you.tap('609');
  await you.reaches('talking');
  await you.page.click('#hangup');
  await you.isIdle();
  check(you.complaints.length === 0, `the browser complains: ${you.complaints.join('; ')}`);
});

phone('one tap on 609: its 1000 Hz are heard, the figures of quality are shown, the page hangs up', async ({ open }) => {
  const you = await open();
  const from = world.carrier.mark();
  await you.talksTo('609');
  await you.hears(1000);
  await you.sees('figures of quality', () => ['q-mos', 'q-codec', 'q-rtt', 'q-loss', 'q-srtp'].every((id) => /[0-9a-z]/i.test(document.getElementById(id).textContent)));
  check(/^(Good|Excellent)/i.test(await you.text('quality-word')), `quality: ${await you.text('quality-word')}, ${await you.text('q-mos')}`);
  check(/GCM/.test(await you.text('q-srtp')), `SRTP: ${await you.text('q-srtp')}`);
  check(/^0:0\d$|^0:1\d$/.test(await you.text('call-timer')), `timer: ${await you.text('call-timer')}`);
  await you.page.click('#hangup');
  await you.reaches('ended');
  const { why } = await world.carrier.ended('609', { from });
  check(why === 'hung up by the gateway', `the carrier saw: ${why}`);
  await you.isIdle();
  check((await activeCalls()).length === 0, 'a call is left in the gateway');
});

phone('600: the own tone comes back', async ({ open }) => {
  const you = await open();
  await you.talksTo('600');
  await you.hears(700);
});

phone('602: digits typed on the keyboard are read back by their tones', async ({ open }) => {
  const you = await open();
  const from = world.carrier.mark();
  await you.talksTo('602');
  for (const digit of ['5', '#', '8']) {
    await you.page.keyboard.press(digit);
    await you.hearsDigit(digit);
  }
  check(await you.text('tones-sent') === '5#8', `keys shown: ${await you.text('tones-sent')}`);
  await you.page.click('#hangup');
  const { digits } = await world.carrier.ended('602', { from });
  check(digits === '5#8', `the carrier took "${digits}"`);
});

phone('602: keys of the page do the same', async ({ open }) => {
  const you = await open({ device: { viewport: { width: 390, height: 844 } } });
  await you.talksTo('602');
  await you.page.click('#keypad');
  await you.page.click('#tone-keys [data-key="7"]');
  await you.hearsDigit('7');
});

for (const [number, title] of [['603', /^Busy$/], ['607', /declined|Busy|not taken/i], ['777', /number|reach/i]]) {
  phone(`${number} is refused, and the page says why in plain words`, async ({ open }) => {
    const you = await open();
    await you.isReady();
    await you.call(number);
    await you.reaches('ended');
    const state = await you.text('call-state');
    check(title.test(state), `the page says "${state}", "${await you.text('call-detail')}", "${await you.text('call-said')}"`);
    check(!/\b[3-6]\d\d\b/.test(state), `a code is no plain word: ${state}`);
    await you.page.click('#done');
    await you.isIdle();
  });
}

phone('604 rings and never answers: the page gives up', async ({ open }) => {
  const you = await open();
  const from = world.carrier.mark();
  await you.isReady();
  await you.tap('604');
  await you.reaches('ringing');
  await you.page.click('#hangup');
  await you.reaches('ended');
  await world.carrier.ended('604', { from });
  check((await activeCalls()).length === 0, 'a call is left in the gateway');
});

phone('605 calls back after 5 s, and music is heard', async ({ open }) => {
  const you = await open();
  await you.talksTo('605');
  await you.reaches('ended', { within: 8000 });
  await you.reaches('incoming', { within: 12000 });
  await you.page.click('#answer');
  await you.reaches('talking');
  await you.hearsMusic();
});

phone('606: ringback is heard before the answer, music after it', async ({ open }) => {
  const you = await open();
  await you.isReady();
  await you.tap('606');
  await you.reaches('early');
  await until('sound before the answer', async () => {
    const { pcm } = await you.heard(200);
    return pcm.some((one) => Math.abs(one) > 0.02);
  });
  check((await you.state()).calls[0].state === 'early', 'the sound came after the answer only');
  await you.reaches('talking');
  await you.hearsMusic();
});

phone('608: the far side hangs up, and the page says so', async ({ open }) => {
  const you = await open();
  await you.talksTo('608');
  await you.reaches('ended', { within: 9000 });
  const { end } = (await you.state()).calls[0];
  check(!end.isFailure, `shown as a failure: ${JSON.stringify(end)}`);
  await you.isIdle();
});

phone('mute silences, unmute gives the voice back', async ({ open }) => {
  const you = await open();
  await you.talksTo('600');
  await you.hears(700);
  await you.page.click('#mute');
  await you.hearsNothing();
  await you.page.click('#mute');
  await you.hears(700);
});

phone('hold stops the sound, resume brings it back', async ({ open }) => {
  const you = await open();
  await you.talksTo('600');
  await you.hears(700);
  await you.page.click('#hold');
  await you.sees('call on hold', () => window.sipway.state.calls[0].held.local && !window.sipway.state.calls[0].isBusy);
  await you.hearsNothing();
  await you.page.click('#hold');
  await you.sees('call that goes on', () => !window.sipway.state.calls[0].held.local && !window.sipway.state.calls[0].isBusy);
  await you.hears(700);
  check((await you.page.evaluate(() => window.sipway.events.filter((one) => one.type === 'reoffer' && !one.isAccepted))).length === 0, 'a re-INVITE was refused');
});
