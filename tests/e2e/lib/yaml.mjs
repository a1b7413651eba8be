// SPDX-License-Identifier: Apache-2.0
// Writes plain objects as YAML. Strings are always quoted (JSON's form is YAML's double-quoted form), so nothing is guessed.

/** @returns {string} block style for mappings, one line per list row */
export function toYaml(value, indent = '') {
  return Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .map(([key, item]) => `${indent}${key}:${write(item, indent)}`)
    .join('');
}

function write(item, indent) {
  if (Array.isArray(item)) {
    if (!item.length) return ' []\n';
    return `\n${item.map((row) => `${indent}  - ${flow(row)}\n`).join('')}`;
  }
  if (item && typeof item === 'object') return Object.keys(item).length ? `\n${toYaml(item, `${indent}  `)}` : ' {}\n';
  return ` ${flow(item)}\n`;
}

function flow(item) {
  if (Array.isArray(item)) return `[${item.map(flow).join(', ')}]`;
  if (item && typeof item === 'object') {
    const rows = Object.entries(item).filter(([, value]) => value !== undefined);
    return `{${rows.map(([key, value]) => `${key}: ${flow(value)}`).join(', ')}}`;
  }
  return JSON.stringify(item);
}
