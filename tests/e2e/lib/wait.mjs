// SPDX-License-Identifier: Apache-2.0
// Waiting for a condition, always with a deadline and with a sentence that says what was waited for.

export const DEFAULT_WITHIN_MS = 8000;

/** All deadlines are multiplied by this: E2E_PATIENCE=3 for a sanitizer's build or a busy machine. */
export const patience = Number(process.env.E2E_PATIENCE ?? 1);

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Ask `condition` until it gives something true; its value is the result.
 *  @param {string|Function} what   words for the error ("no <what> within ..."), or a function that makes them at the end */
export async function until(what, condition, { within = DEFAULT_WITHIN_MS, every = 25 } = {}) {
  const deadline = Date.now() + within * patience;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() >= deadline) {
      throw new Error(`no ${typeof what === 'function' ? what() : what} within ${within * patience} ms`);
    }
    await pause(every);
  }
}

/** The promise, or an error that says what did not happen in time. */
export function inTime(what, promise, within = DEFAULT_WITHIN_MS) {
  let timer;
  const late = new Promise((_, fail) => {
    timer = setTimeout(() => fail(new Error(`no ${what} within ${within * patience} ms`)), within * patience);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
