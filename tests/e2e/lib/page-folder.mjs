// SPDX-License-Identifier: Apache-2.0
// The folder of pages that the gateway serves: SIPWAY_HTML, or what make built beside SIPWAY_BIN together with the pages of this tree.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { folder } from './proc.mjs';

const SOURCES = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'html');
const PAGES = ['index.html', 'style.css', 'icon.svg', 'manifest.json'];
const BUILT = ['phone.bundle.js', 'phone.licenses.txt'];

/** @returns {string} a folder with everything in it */
export function pageFolder() {
  if (process.env.SIPWAY_HTML) return path.resolve(process.env.SIPWAY_HTML);
  const built = path.join(path.dirname(path.resolve(process.env.SIPWAY_BIN ?? '')), 'html');
  if (!fs.existsSync(path.join(built, BUILT[0]))) {
    throw new Error(`the web phone is not built (no ${path.join(built, BUILT[0])}): run 'make' with npm, or set SIPWAY_HTML to a folder of pages`);
  }
  const to = folder('html');
  for (const name of PAGES) fs.copyFileSync(path.join(SOURCES, name), path.join(to, name));
  for (const name of BUILT) fs.copyFileSync(path.join(built, name), path.join(to, name));
  return to;
}
