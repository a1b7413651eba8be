// SPDX-License-Identifier: Apache-2.0
// A self-signed certificate for 127.0.0.1, made by openssl for one run.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { folder } from './proc.mjs';

/** @returns {{certificate: string, key: string, pem: {cert: string, key: string}}} file names, and their texts */
export function makeCertificate() {
  const dir = folder('certificate');
  const [certificate, key] = [path.join(dir, 'cert.pem'), path.join(dir, 'key.pem')];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj',
    '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', certificate], { stdio: 'ignore' });
  return { certificate, key, pem: { cert: fs.readFileSync(certificate, 'utf8'), key: fs.readFileSync(key, 'utf8') } };
}
