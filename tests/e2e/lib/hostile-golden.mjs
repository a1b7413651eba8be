// SPDX-License-Identifier: Apache-2.0
// The golden SIP messages of tests/golden/sip as bytes, for sending them to the running gateway.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..', 'golden', 'sip');

/** @returns {{name: string, bytes: Buffer}[]} */
export function goldenMessages() {
  return fs.readdirSync(folder).filter((name) => name.endsWith('.sip')).map((name) => ({ name, bytes: messageOf(fs.readFileSync(path.join(folder, name), 'latin1')) }));
}

function messageOf(text) {
  const lines = text.replace(/^(#[^\n]*\n)+/, '').split(/^----$/m)[0];
  const expand = (one) => one.replace(/\r?\n/g, '\r\n')
    .replace(/\{\{hex ([^}]*)\}\}/g, (all, hex) => Buffer.from(hex.replace(/\s/g, ''), 'hex').toString('latin1'))
    .replace(/\{\{fill (\d+)\}\}/g, (all, count) => 'x'.repeat(Number(count)));
  const filled = expand(lines).replace(/\{\{end\}\}\r\n[^]*$/, '');
  const body = filled.slice(filled.indexOf('\r\n\r\n') + 4);
  return Buffer.from(filled.replaceAll('{{length}}', String(body.length)), 'latin1');
}
