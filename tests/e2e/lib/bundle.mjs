// SPDX-License-Identifier: Apache-2.0
// A CommonJS package as one script for a page: every module that the entry requires, wrapped in a function. It is enough for
// JsSIP (whose package has no browser build) and keeps the harness without a bundler.
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';

/** @param {string} name a package of node_modules  @param {string} global the page's name for it  @returns {string} script */
export function bundle(name, global) {
  const modules = new Map();
  const entry = createRequire(import.meta.url).resolve(name);
  addModule(entry, modules);
  const list = [...modules].map(([file, { code, needs }]) => (
    `${JSON.stringify(file)}: [function (module, exports, require) {\n${code}\n}, ${JSON.stringify(needs)}]`));
  return `var ${global} = (function (modules) {
  var loaded = {}, process = { env: {} };
  function load(file) {
    if (loaded[file]) return loaded[file].exports;
    var module = loaded[file] = { exports: {} };
    modules[file][0].call(module.exports, module, module.exports, function (name) { return load(modules[file][1][name]); });
    return module.exports;
  }
  return load(${JSON.stringify(entry)});
})({${list.join(',\n')}});`;
}

function addModule(file, modules) {
  if (modules.has(file)) return;
  const text = fs.readFileSync(file, 'utf8');
  const code = file.endsWith('.json') ? `module.exports = ${text}` : text;
  const needs = {};
  modules.set(file, { code, needs });
  for (const [, wanted] of code.matchAll(/\brequire\(['"]([^'"]+)['"]\)/g)) {
    needs[wanted] = resolve(wanted, file);
    addModule(needs[wanted], modules);
  }
}

/** As node does, but a package's own `browser` file wins, and `events` is the package and not node's. */
function resolve(wanted, from) {
  const require = createRequire(from);
  if (wanted.startsWith('.')) return require.resolve(wanted);
  const home = path.dirname(require.resolve(`${wanted}/package.json`));
  const { browser, main = 'index.js' } = JSON.parse(fs.readFileSync(path.join(home, 'package.json'), 'utf8'));
  return require.resolve(path.join(home, typeof browser === 'string' ? browser : main));
}
