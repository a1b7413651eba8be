#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Runs the integration tests and ends with exact counts. Installs nothing. See README.md.
//   node run.mjs [--gateway sipway|kamailio] [--only PATTERN[,...]] [--except FILES[,...]] [--reporter spec|tap] [--workers N]
import { run } from 'node:test';
import { spec, tap } from 'node:test/reporters';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = path.dirname(fileURLToPath(import.meta.url));
const { values: options } = parseArgs({
  options: {
    gateway: { type: 'string' }, only: { type: 'string' }, except: { type: 'string' }, reporter: { type: 'string', default: 'spec' }, workers: { type: 'string' },
  },
});

if (!fs.existsSync(path.join(here, 'node_modules', 'playwright-core'))) {
  console.error("The node packages are missing: run 'npm ci' in tests/e2e.");
  process.exit(2);
}
if (options.gateway) process.env.E2E_GATEWAY = options.gateway;
if (options.workers) process.env.SIPWAY_WORKERS = options.workers;

/** Does one of the words of this list stand in the text? */
const hasOneOf = (text, list) => list.split(',').some((word) => text.includes(word));
const files = fs.readdirSync(here).filter((name) => name.endsWith('.test.mjs') && !(options.except && hasOneOf(name, options.except))).sort();
const named = options.only ? files.filter((name) => hasOneOf(name, options.only)) : files;
const counts = { passed: 0, failed: 0, skipped: 0 };
const failures = [];

// --only means files when a file has that name, else names of tests
const stream = run({
  files: (named.length ? named : files).map((name) => path.join(here, name)),
  concurrency: 1,
  timeout: 240000 * Number(process.env.E2E_PATIENCE ?? 1), // of a whole file, should it hang
  ...(options.only && !named.length && { testNamePatterns: [options.only] }),
});
stream.on('test:pass', (event) => count(event, 'passed'));
stream.on('test:fail', (event) => count(event, 'failed'));
stream.compose(options.reporter === 'tap' ? tap : new spec()).pipe(process.stdout);
stream.on('end', () => {
  process.stdout.once('drain', finish);
  setTimeout(finish, 500);
});

/** node:test reports each file as a test, too; it counts only when it failed outside of its tests. */
function count(event, kind) {
  const isFile = event.nesting === 0 && event.name.endsWith('.test.mjs');
  if (isFile && (kind === 'passed' || failures.some((one) => one.file === event.file))) return;
  if (event.details?.type === 'suite') return;
  if (/does not match pattern/.test(event.skip)) return;
  if (event.skip !== undefined) counts.skipped++;
  else counts[kind]++;
  if (kind === 'failed') failures.push({ file: event.file, name: event.name });
}

function finish() {
  for (const { name } of failures) console.log(`failed: ${name}`);
  console.log(`${counts.passed} passed, ${counts.failed} failed${counts.skipped ? `, ${counts.skipped} skipped` : ''}`);
  process.exit(counts.failed || !counts.passed ? 1 : 0);
}
