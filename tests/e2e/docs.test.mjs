// SPDX-License-Identifier: Apache-2.0
// What the documents show works: each complete configuration of docs/*.md is one that the gateway takes.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { execFileSync } from 'node:child_process';
import { scenario, check } from './lib/scenario.mjs';

const docs = new URL('../../docs/', import.meta.url).pathname;

/** @returns [{where, text}] of the blocks that begin with "# complete" */
function configurations() {
  return fs.readdirSync(docs).filter((name) => name.endsWith('.md')).flatMap((name) => {
    const text = fs.readFileSync(path.join(docs, name), 'utf8');
    return [...text.matchAll(/^```yaml\n(# complete\n[^]*?)^```$/gm)].map((block) => ({
      where: `${name}:${text.slice(0, block.index).split('\n').length}`, text: block[1],
    }));
  });
}

scenario('the complete configurations of the documents pass --check', async ({ defer }) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sipway-docs-'));
  defer(() => fs.rmSync(folder, { recursive: true }));
  const all = configurations();
  check(all.length >= 3, `${all.length} complete configurations in ${docs}`);
  for (const { where, text } of all) {
    const file = path.join(folder, 'sipway.yaml');
    fs.writeFileSync(file, text);
    try {
      execFileSync(process.env.SIPWAY_BIN, ['--check', '-c', file], { stdio: 'pipe' });
    } catch (error) {
      throw new Error(`${where}: ${error.stdout}${error.stderr}`);
    }
  }
}, { needs: 'b2bua' });
