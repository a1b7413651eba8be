// SPDX-License-Identifier: Apache-2.0
// Digest for SIP (RFC 7616, RFC 8760): what a client computes, and what a challenge says. MD5, SHA-256 and SHA-512-256, with and without qop.
import { createHash, randomBytes } from 'node:crypto';

const HASHES = { md5: 'md5', 'sha-256': 'sha256', 'sha-512-256': 'sha512-256' };

/** @returns {object} parameters of a challenge or of credentials; names in lower case */
export function parseDigest(value) {
  const fields = {};
  const pattern = /([a-z0-9-]+)\s*=\s*(?:"((?:\\.|[^"])*)"|([^\s,]+))/gi;
  for (const [, name, quoted, plain] of value.replace(/^\s*Digest\s+/i, '').matchAll(pattern)) {
    fields[name.toLowerCase()] = quoted ?? plain;
  }
  return fields;
}

/** The `response` of RFC 7616 3.4.1. */
export function digestResponse({ algorithm = 'MD5', username, realm, password, method, uri, nonce, qop, nc, cnonce }) {
  const hash = (text) => createHash(HASHES[algorithm.toLowerCase()]).update(text).digest('hex');
  const ha1 = hash(`${username}:${realm}:${password}`);
  const ha2 = hash(`${method}:${uri}`);
  return hash(qop ? [ha1, nonce, nc, cnonce, qop, ha2].join(':') : [ha1, nonce, ha2].join(':'));
}

/** Value of Authorization or Proxy-Authorization for a challenge. */
export function authorize(challenge, { username, password, method, uri, nc = '00000001' }) {
  const { realm, nonce, opaque, algorithm } = parseDigest(challenge);
  const qop = /qop\s*=\s*"?[^"]*\bauth\b/i.test(challenge) ? 'auth' : undefined;
  const cnonce = randomBytes(6).toString('hex');
  const response = digestResponse({ algorithm, username, realm, password, method, uri, nonce, qop, nc, cnonce });
  const parts = [`username="${username}"`, `realm="${realm}"`, `nonce="${nonce}"`, `uri="${uri}"`, `response="${response}"`];
  if (algorithm) parts.push(`algorithm=${algorithm}`);
  if (qop) parts.push(`qop=${qop}`, `nc=${nc}`, `cnonce="${cnonce}"`);
  if (opaque !== undefined) parts.push(`opaque="${opaque}"`);
  return `Digest ${parts.join(', ')}`;
}

/** Do these credentials prove the password? @returns {boolean} */
export function checkCredentials(value, { method, password }) {
  const fields = parseDigest(value);
  return fields.response === digestResponse({ ...fields, method, password });
}
