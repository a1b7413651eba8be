// SPDX-License-Identifier: Apache-2.0
// Two people with the page: video both ways, from the start or switched on in the call.
import { check } from './lib/scenario.mjs';
import { quickStart, phoneScenario, mediaPorts, FRIEND } from './lib/quick-start.mjs';
import { udpDetour } from './lib/detour.mjs';
import { until } from './lib/wait.mjs';

const world = quickStart({ hz: 700 });
const phone = (name, run, options) => phoneScenario(world, name, run, options);

const RTP_VIDEO_BYTES = 500; // audio packets, RTCP and STUN are smaller

async function both({ open }, options = {}) {
  const you = await open('you', options);
  const friend = await open('friend');
  await friend.signInAs(FRIEND);
  await you.isReady();
  return { you, friend };
}

async function videoCall({ you, friend }) {
  await you.call('friend', '#video-call');
  await friend.reaches('incoming');
  await friend.page.click('#answer-video');
  await Promise.all([you.reaches('talking'), friend.reaches('talking')]);
}

const pictures = (one, more = 0) => until(`frames of video at ${one.name}`, async () => (await one.video()).framesDecoded > more, { within: 15000 });

phone('a video call: frames are decoded on both sides, with sound, and are seen', async (scene) => {
  const { you, friend } = await both(scene);
  await videoCall({ you, friend });
  await Promise.all([pictures(you), pictures(friend)]);
  await Promise.all([you.hears(700), friend.hears(700)]);
  for (const one of [you, friend]) {
    await one.sees('picture', () => !document.querySelector('#stage').hidden && document.querySelector('#remote-video').videoWidth > 0);
  }
  check([...you.complaints, ...friend.complaints].length === 0, `the browser complains: ${[...you.complaints, ...friend.complaints].join('; ')}`);
  await you.page.click('#hangup');
  await friend.reaches('ended');
});

phone('a burst of lost video makes the viewer ask for a key frame, and the sender hears it (PLI)', async (scene) => {
  const way = await udpDetour(mediaPorts(world.gateway));
  scene.defer(() => way.close());
  const { you, friend } = await both(scene, { udp: way });
  await videoCall({ you, friend });
  await Promise.all([pictures(you, 20), pictures(friend, 20)]);
  const before = await friend.video();
  const ending = Date.now() + 1500;
  way.loses = (bytes) => bytes.length > RTP_VIDEO_BYTES && Date.now() < ending;
  await until('PLI at the sender', async () => (await friend.video()).pliReceived > before.pliReceived, { within: 10000 });
  check(way.dropped > 0, 'nothing was lost');
  const { framesDecoded } = await you.video();
  await pictures(you, framesDecoded + 10);
  check((await friend.video()).keyFrames > before.keyFrames, 'no key frame was sent');
});

phone('the camera is switched on in a running call, and off again', async (scene) => {
  const { you, friend } = await both(scene);
  await you.call('friend');
  await friend.reaches('incoming');
  await friend.page.click('#answer');
  await you.reaches('talking');
  await you.hears(700);
  await you.page.click('#camera');
  await pictures(friend);
  await friend.page.click('#camera');
  await pictures(you);
  await you.page.click('#camera');
  await you.sees('camera that is off', () => !window.sipway.state.calls[0].hasCamera && !window.sipway.state.calls[0].isBusy);
  await Promise.all([you.hears(700), friend.hears(700)]);
});
