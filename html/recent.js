// SPDX-License-Identifier: Apache-2.0
// recent.js: the list of past calls and its rows. Names come from outside and are shown as text only.

import { prettyNumber, spokenDuration, whenWas } from './number.js';
import { keepRecent, keptRecent } from './prefs.js';
import { element, icon, spoken } from './dom.js';

const MAX_CALLS = 30;

/** The row of an ended call: {direction, number, name, at, seconds, outcome}. Pure.
 *  outcome: answered | missed | elsewhere | declined | failed | cancelled */
export function recentOf({ direction, number, name, hasVideo, startedAt, answeredAt, endedAt, end }) {
  let outcome = 'answered';
  if (!answeredAt && direction === 'in') {
    outcome = { Declined: 'declined', 'Answered on another phone': 'elsewhere' }[end?.title] ?? 'missed';
  } else if (!answeredAt) outcome = end?.isFailure ? 'failed' : 'cancelled';
  const seconds = answeredAt ? Math.round((endedAt - answeredAt) / 1000) : 0;
  return { direction, number, name, hasVideo: Boolean(hasVideo), at: startedAt, seconds, outcome, why: outcome === 'failed' ? end.title : '' };
}

/** What the second line of a row says. Pure. */
export function recentWords(row) {
  const words = {
    answered: spokenDuration(row.seconds), missed: 'Missed', elsewhere: 'Answered elsewhere',
    declined: 'Declined', failed: row.why || 'Failed', cancelled: 'Not answered',
  };
  return words[row.outcome] ?? '';
}

export class RecentList {
  #rows = [];
  #isKept = false;

  constructor(listElement, emptyElement, onPick) {
    this.listElement = listElement;
    this.emptyElement = emptyElement;
    this.onPick = onPick;
  }

  /** Starts over for an account; `isKept`: the person ticked that things are remembered. */
  open(isKept) {
    this.#isKept = isKept;
    this.#rows = isKept ? keptRecent() : [];
    this.#draw();
  }

  add(row) {
    this.#rows = [row, ...this.#rows].slice(0, MAX_CALLS);
    if (this.#isKept) keepRecent(this.#rows);
    this.#draw();
  }

  clear() {
    this.#rows = [];
    if (this.#isKept) keepRecent([]);
    this.#draw();
  }

  get last() {
    return this.#rows.find((row) => row.direction === 'out')?.number ?? '';
  }

  get length() {
    return this.#rows.length;
  }

  #draw() {
    this.listElement.replaceChildren(...this.#rows.map((row) => this.#row(row)));
    this.emptyElement.hidden = this.#rows.length > 0;
  }

  #row(row) {
    const isMissed = row.outcome === 'missed';
    const symbol = { in: isMissed ? 'missed' : 'incoming', out: 'outgoing' }[row.direction] ?? 'outgoing';
    const who = row.name || prettyNumber(row.number) || 'Unknown';
    const button = element('button', { type: 'button', class: `recent-row ${isMissed ? 'is-missed' : ''}`, 'data-testid': 'recent-row' },
      icon(symbol),
      element('span', { class: 'recent-who' },
        element('span', { class: 'recent-name' }, spoken('Call '), who, spoken(`, last ${row.direction === 'in' ? 'from' : 'to'} them: `)),
        element('span', { class: 'recent-how' }, row.name && row.name !== row.number ? `${prettyNumber(row.number)} · ${recentWords(row)}` : recentWords(row))),
      element('time', { datetime: new Date(row.at).toISOString() }, whenWas(row.at)));
    button.addEventListener('click', () => this.onPick(row.number));
    return element('li', {}, button);
  }
}
