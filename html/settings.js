// SPDX-License-Identifier: Apache-2.0
// settings.js: the settings dialogue: devices with a try-out, comfort switches, the account line.

import { sendTonesTo } from './audio.js';
import { canChooseSpeaker, hasMediaAccess, listDevices, onDevicesChanged, openMicrophone, stopStream, useSpeaker } from './devices.js';
import { byId, element, setHidden, setText } from './dom.js';
import { LevelMeter } from './meter.js';
import { prefs, setPref } from './prefs.js';
import { playSound, stopSound } from './ring.js';

const SAMPLE_SOUND_MS = 2600;

/** @param hooks {onMicrophone, onCamera, onSignOut}: called after a choice */
export class Settings {
  #meter = new LevelMeter(byId('meter-test'));
  #stream = null;

  constructor(hooks) {
    this.hooks = hooks;
    this.dialog = byId('settings');
    byId('open-settings').addEventListener('click', () => this.open());
    this.dialog.addEventListener('close', () => this.#stopTest());
    this.dialog.addEventListener('click', (event) => event.target === this.dialog && this.dialog.close());
    this.#bindDevices();
    this.#bindSwitches();
    byId('sign-out').addEventListener('click', () => {
      this.dialog.close();
      hooks.onSignOut();
    });
    onDevicesChanged(() => this.dialog.open && this.#fill());
    sendTonesTo(prefs.speaker);
  }

  async open() {
    this.dialog.showModal();
    await this.#fill();
  }

  showAccount(text) {
    setHidden(byId('account-section'), !text);
    setText(byId('account-shown'), text);
  }

  #bindDevices() {
    this.#pick('microphone', () => {
      if (this.#stream) this.#startTest();
      this.hooks.onMicrophone();
    });
    this.#pick('camera', () => this.hooks.onCamera());
    this.#pick('speaker', () => {
      sendTonesTo(prefs.speaker);
      useSpeaker(byId('remote-audio'));
    });
    byId('test-microphone').addEventListener('click', () => (this.#stream ? this.#stopTest() : this.#startTest()));
    byId('allow-devices').addEventListener('click', () => this.#startTest());
    byId('test-speaker').addEventListener('click', () => {
      playSound('ringing');
      setTimeout(stopSound, SAMPLE_SOUND_MS);
    });
  }

  #pick(kind, after) {
    byId(`pick-${kind}`).addEventListener('change', (event) => {
      setPref(kind, event.target.value);
      after();
    });
  }

  #bindSwitches() {
    const bind = (id, name, after = () => {}) => {
      const box = byId(id);
      box.checked = prefs[name];
      box.addEventListener('change', () => {
        setPref(name, box.checked);
        after(box);
      });
    };
    bind('pref-clean', 'isVoiceCleaned', () => this.hooks.onMicrophone());
    bind('pref-shortcuts', 'hasShortcuts');
    bind('pref-notices', 'wantsNotices', (box) => box.checked && this.#askNotices(box));
  }

  async #askNotices(box) {
    const answer = 'Notification' in window ? await Notification.requestPermission() : 'denied';
    if (answer === 'granted') return;
    box.checked = false;
    setPref('wantsNotices', false);
  }

  async #fill() {
    const { microphones, speakers, cameras } = await listDevices();
    fillPick('pick-microphone', microphones, prefs.microphone);
    fillPick('pick-camera', cameras, prefs.camera);
    fillPick('pick-speaker', canChooseSpeaker() ? speakers : [], prefs.speaker);
    byId('pick-speaker').disabled = !canChooseSpeaker();
    setText(byId('speaker-hint'), canChooseSpeaker() ? 'Voice and ringing are played there.' : 'This browser plays on the system’s speaker.');
    setHidden(byId('allow-devices'), !hasMediaAccess() || microphones.length > 0);
    if (!hasMediaAccess()) setText(byId('device-trouble'), 'Browsers give devices only to pages opened by https or on localhost.');
  }

  async #startTest() {
    this.#stopTest();
    try {
      const { stream, notice } = await openMicrophone();
      this.#stream = stream;
      setText(byId('device-trouble'), notice);
      setText(byId('test-microphone'), 'Stop');
      this.#meter.start(stream);
      await this.#fill();
    } catch (error) {
      setText(byId('device-trouble'), error.message);
    }
  }

  #stopTest() {
    this.#meter.stop();
    stopStream(this.#stream);
    this.#stream = null;
    setText(byId('test-microphone'), 'Test');
    setText(byId('device-trouble'), '');
  }
}

function fillPick(id, devices, chosen) {
  const options = [{ id: '', label: 'System default' }, ...devices].map(({ id: value, label }) => element('option', { value }, label));
  byId(id).replaceChildren(...options);
  byId(id).value = devices.some((device) => device.id === chosen) ? chosen : '';
}
