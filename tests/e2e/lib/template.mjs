// SPDX-License-Identifier: Apache-2.0
// Messages written as text with {{placeholders}}: {{name}} is replaced by a value, {{hex c3 a9}} by raw bytes. LF becomes
// CRLF, and a Content-Length that is there is corrected to the body, unless the script writes `Content-Length: !7` (kept as 7).

/** @param {string} template  @param {object} values  @returns {Buffer} */
export function fillTemplate(template, values) {
  const filled = template.replace(/\r?\n/g, '\r\n').replace(/\{\{\s*([^}]+?)\s*\}\}/g, (whole, name) => {
    if (name.startsWith('hex ')) return Buffer.from(name.slice(4).replace(/\s+/g, ''), 'hex').toString('latin1');
    if (values[name] === undefined) throw new Error(`the template names {{${name}}}, which has no value here`);
    return Buffer.from(String(values[name])).toString('latin1');
  });
  const end = filled.indexOf('\r\n\r\n');
  if (end < 0) return Buffer.from(filled, 'latin1');
  const length = filled.length - end - 4;
  const head = filled.slice(0, end)
    .replace(/^((?:content-length|l)\s*:\s*)(?!\s*!)\S.*$/im, `$1${length}`)
    .replace(/^((?:content-length|l)\s*:\s*)!/im, '$1');
  return Buffer.from(head + filled.slice(end), 'latin1');
}
