// SPDX-License-Identifier: Apache-2.0
// AudioWorklet that keeps what the remote party sends: it hands every block on to the page.
class Ear extends AudioWorkletProcessor {
  process([input]) {
    if (input[0]) this.port.postMessage(input[0].slice());
    return true;
  }
}
registerProcessor('ear', Ear);
