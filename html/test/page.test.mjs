// SPDX-License-Identifier: Apache-2.0
// The page and its modules, read as text: what the Content-Security-Policy and the scripts rely on.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const here = new URL('..', import.meta.url);
const read = (name) => readFileSync(new URL(name, here), 'utf8');
const page = read('index.html');
const modules = readdirSync(here).filter((name) => name.endsWith('.js') && !name.includes('bundle')).map((name) => [name, read(name)]);
const ids = new Set([...page.matchAll(/\sid="([^"]+)"/g)].map((match) => match[1]));

test('nothing inline and nothing from elsewhere, so that default-src \'self\' holds', () => {
  assert.doesNotMatch(page, /<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=")/i);
  assert.doesNotMatch(page, /(?:src|href)="(?:https?:)?\/\//i);
  assert.doesNotMatch(read('style.css'), /@import|url\(/);
});

test('no module parses text as markup or code', () => {
  for (const [name, text] of modules) {
    assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser/, name);
    assert.doesNotMatch(text, /setAttribute\('style'/, name);
  }
});

test('every element that a module asks for is on the page, once', () => {
  assert.equal(ids.size, [...page.matchAll(/\sid="/g)].length);
  for (const [name, text] of modules) {
    for (const [, id] of text.matchAll(/byId\('([^']+)'\)/g)) assert.ok(ids.has(id), `${name}: #${id}`);
  }
});

test('every icon that is used is drawn', () => {
  for (const [, name] of page.matchAll(/href="#i-([a-z-]+)"/g)) assert.ok(ids.has(`i-${name}`), name);
});

test('every field has a label and every icon button a name', () => {
  for (const [tag] of page.matchAll(/<(?:input|select)\b[^>]*>/g)) {
    const id = /id="([^"]+)"/.exec(tag)[1];
    assert.ok(page.includes(`for="${id}"`) || new RegExp(`<label[^>]*>\\s*<input id="${id}"`).test(page), id);
  }
  for (const [tag] of page.matchAll(/<button\b[^>]*class="(?:icon-button|round)[^>]*>/g)) assert.match(tag, /aria-label="/, tag);
});

test('the list of sources in local.mk is complete', () => {
  const listed = read('local.mk');
  for (const [name] of modules) assert.ok(listed.includes(`html/${name} `) || listed.includes(`html/${name}\n`), name);
});
