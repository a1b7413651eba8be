// SPDX-License-Identifier: Apache-2.0
// A self-signed certificate made by openssl for one run: for 127.0.0.1, or for another name, or one that has expired.
import { execFileSync } from 'node:child_process';
import { isIP } from 'node:net';
import fs from 'node:fs';
import path from 'node:path';
import { folder } from './proc.mjs';

/** @param {object} options  name: whom it is for;  days: how long from now; -1: it ended a day ago
 *  @returns {{certificate: string, key: string, pem: {cert: string, key: string}}} file names, and their texts */
export function makeCertificate({ name = '127.0.0.1', days = 2 } = {}) {
  const dir = folder('certificate');
  const [certificate, key, request] = ['cert.pem', 'key.pem', 'request.pem'].map((file) => path.join(dir, file));
  const openssl = (...args) => execFileSync('openssl', args, { stdio: 'ignore' });
  openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/CN=${name}`,
    '-addext', `subjectAltName=${isIP(name) ? 'IP' : 'DNS'}:${name}`, '-keyout', key, '-out', request);
  openssl('x509', '-req', '-in', request, '-signkey', key, '-days', String(days), '-copy_extensions', 'copy', '-out', certificate);
  return { certificate, key, pem: { cert: fs.readFileSync(certificate, 'utf8'), key: fs.readFileSync(key, 'utf8') } };
}
