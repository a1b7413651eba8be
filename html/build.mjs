// SPDX-License-Identifier: Apache-2.0
// build.mjs: makes phone.bundle.js and phone.licenses.txt. Usage: node build.mjs OUTPUT_DIR MODULES_DIR
// The sources may be on a read-only file system; MODULES_DIR is a node_modules made by `npm ci`.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const source = dirname(fileURLToPath(import.meta.url));
const output = resolve(process.argv[2] ?? '.');
const modules = resolve(process.argv[3] ?? join(output, 'node_modules'));
const esbuild = createRequire(join(modules, 'x.js'))('esbuild');

const result = await esbuild.build({
  entryPoints: [join(source, 'phone.js')],
  outfile: join(output, 'phone.bundle.js'),
  absWorkingDir: source,
  nodePaths: [modules],
  bundle: true,
  minify: true,
  format: 'iife',
  platform: 'browser',
  target: ['chrome100', 'firefox115', 'safari15.4'],
  define: { 'process.env.NODE_ENV': '"production"' },
  banner: { js: '/* Sipway phone, Apache-2.0. Contains the packages named in phone.licenses.txt. */' },
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
});

// Only what really went into the bundle has to be named.
const packages = new Set(Object.keys(result.metafile.inputs)
  .map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]).filter(Boolean));
const notices = [...packages].sort().map((name) => {
  const folder = join(modules, name);
  const about = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)(\.|$)/i.test(entry));
  const text = file ? readFileSync(join(folder, file), 'utf8').trim() : `Licence: ${about.license}`;
  return `${name} ${about.version}\n\n${text}\n`;
});
writeFileSync(join(output, 'phone.licenses.txt'), notices.join(`\n${'-'.repeat(72)}\n\n`));
