// SPDX-License-Identifier: Apache-2.0
// dom.js: small helpers to touch the page. Text is always text: nothing here parses markup, and no inline
// style or script is made, so that a strict Content-Security-Policy holds.

const SVG = 'http://www.w3.org/2000/svg';

/** The element with this id; a missing one is a bug of ours. */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** An icon of the page's own set (symbols at the top of index.html). */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `#i-${name}`);
  svg.append(use);
  return svg;
}

/** Text for screen readers only. */
export function spoken(text) {
  return element('span', { class: 'visually-hidden' }, text);
}

/** Writes text only if it changed, so that live regions speak once. */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

export function setHidden(target, isHidden) {
  if (target.hidden !== isHidden) target.hidden = isHidden;
}
