// SPDX-License-Identifier: Apache-2.0
// emitter.js: the smallest event source: on(), off(), emit(). Knows nothing of phones.

export class Emitter {
  #listeners = new Map();

  on(type, listener) {
    if (!this.#listeners.has(type)) this.#listeners.set(type, new Set());
    this.#listeners.get(type).add(listener);
    return () => this.off(type, listener);
  }

  off(type, listener) {
    this.#listeners.get(type)?.delete(listener);
  }

  emit(type, ...values) {
    for (const listener of [...(this.#listeners.get(type) ?? [])]) listener(...values);
  }
}
