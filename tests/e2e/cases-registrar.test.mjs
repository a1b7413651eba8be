// SPDX-License-Identifier: Apache-2.0
// A trunk that we register at (`register: true`), played by a script: compact and folded challenges, stale nonces, 423.
import { scenario, check } from './lib/scenario.mjs';
import { startGateway } from './lib/gateway.mjs';
import { sipAgent } from './lib/sip-agent.mjs';
import { checkCredentials, parseDigest } from './lib/digest.mjs';

const ACME = { username: 'acme', password: 'trunk-secret' };
const HEAD = 'Via: {{via}}\nFrom: {{from}}\nTo: {{to}};tag={{tag}}\nCall-ID: {{call-id}}\nCSeq: {{cseq}}\n';
const CHALLENGE = `SIP/2.0 401 Unauthorized\n${HEAD}WWW-Authenticate: Digest {{challenge}}\nContent-Length: 0\n\n`;
const OK = `SIP/2.0 200 OK\n${HEAD}Contact: {{bound}};expires={{expires}}\nContent-Length: 0\n\n`;
const realm = 'realm="carrier.example.com"';

/** A scripted registrar and a gateway that registers there. */
function registrarCase(name, script) {
  scenario(name, async ({ defer }) => {
    const registrar = await sipAgent({ name: 'registrar', user: 'registrar' });
    defer(() => registrar.close());
    const gateway = await startGateway({ accounts: [], trunks: [{ name: 'carrier', host: '127.0.0.1', port: registrar.port, register: true, ...ACME }] });
    defer(() => gateway.stop());
    return script({
      registrar,
      challenge: (text) => registrar.send(CHALLENGE, { challenge: text }),
      grant: (expires = 3600) => registrar.send(OK, { bound: registrar.request.header('contact').split(';expires')[0], expires }),
      next: (options) => registrar.expect('REGISTER', options),
    });
  }, { needs: 'registers' });
}

function proved(request, nonce) {
  const value = request.header('authorization') ?? '';
  check(value, `no Authorization in:\n${request.raw}`);
  check(checkCredentials(value, { method: 'REGISTER', password: ACME.password }), `digest is wrong: ${value}`);
  check(parseDigest(value).nonce === nonce, `nonce ${parseDigest(value).nonce} instead of ${nonce}`);
  check(parseDigest(value).uri === request.uri, `digest uri ${parseDigest(value).uri}, Request-URI ${request.uri}`);
  return parseDigest(value);
}

const wish = (request) => Number(request.header('contact').match(/;expires=(\d+)/)?.[1] ?? request.header('expires'));

registrarCase('a challenge with one-letter header names is answered once', async ({ registrar, grant, next }) => {
  const first = await next();
  registrar.send(`SIP/2.0 401 Unauthorized
v: {{via}}
f: {{from}}
t: {{to}};tag=c01r
i: {{call-id}}
CSeq: {{cseq}}
WWW-Authenticate: Digest ${realm},nonce="bm9uY2UwMQ==",algorithm=MD5,qop="auth"
l: 0

`);
  const second = await next();
  check(second.callId === first.callId && second.cseq.number === first.cseq.number + 1, 'second REGISTER: Call-ID or CSeq');
  proved(second, 'bm9uY2UwMQ==');
  grant();
  await registrar.expectNone('REGISTER', 2500);
});

registrarCase('a folded challenge is read whole', async ({ registrar, grant, next }) => {
  await next();
  registrar.send(`SIP/2.0 401 Unauthorized\n${HEAD}WWW-Authenticate: Digest\n\t${realm},\n   nonce="Zm9sZGVk",\n opaque="op-1",\n     algorithm=MD5,\n qop="auth"\nContent-Length: 0\n\n`);
  const fields = proved(await next(), 'Zm9sZGVk');
  check(fields.opaque === 'op-1' && fields.qop === 'auth', `opaque ${fields.opaque}, qop ${fields.qop}`);
  grant();
});

registrarCase('SHA-256 is proved, and preferred where both are offered', async ({ registrar, grant, next }) => {
  await next();
  registrar.send(CHALLENGE.replace('WWW-Authenticate: Digest {{challenge}}', `WWW-Authenticate: Digest ${realm}, nonce="s1", algorithm=SHA-256, qop="auth"
WWW-Authenticate: Digest ${realm}, nonce="m1", algorithm=MD5, qop="auth"`));
  const fields = proved(await next(), 's1');
  check(fields.algorithm.toUpperCase() === 'SHA-256', `algorithm ${fields.algorithm}`);
  grant();
});

registrarCase('SHA-512-256 is proved', async ({ challenge, grant, next }) => {
  await next();
  challenge(`${realm}, nonce="s1", algorithm=SHA-512-256, qop="auth"`);
  const fields = proved(await next(), 's1');
  check(fields.algorithm.toUpperCase() === 'SHA-512-256' && fields.response.length === 64, `algorithm ${fields.algorithm}`);
  grant();
});

registrarCase('a stale nonce: at once again with the new one, nc from 1', async ({ challenge, registrar, grant, next }) => {
  await next();
  challenge(`${realm}, nonce="bjE=", algorithm=MD5, qop="auth"`);
  proved(await next(), 'bjE=');
  challenge(`${realm}, nonce="bjI=", algorithm=MD5, qop="auth", stale=TRUE`);
  const fields = proved(await next({ within: 1500 }), 'bjI=');
  check(fields.nc === '00000001', `nc ${fields.nc} for a new nonce`);
  grant();
  await registrar.expectNone('REGISTER', 1500);
});

registrarCase('the same nonce refused again: failure, no loop', async ({ challenge, registrar, next }) => {
  await next();
  challenge(`${realm}, nonce="bjE=", algorithm=MD5, qop="auth"`);
  proved(await next(), 'bjE=');
  challenge(`${realm}, nonce="bjE=", algorithm=MD5, qop="auth"`);
  await registrar.expectNone('REGISTER', 3000);
});

registrarCase('stale without end: at most six REGISTERs', async ({ challenge, registrar, next }) => {
  let count = 0;
  for (; count < 12; count++) {
    const request = await next({ within: 2000 }).catch(() => null);
    if (!request) break;
    challenge(`${realm}, nonce="n${count}", algorithm=MD5, qop="auth", stale=true`);
  }
  check(count >= 2 && count <= 6, `${count} REGISTERs`);
  await registrar.expectNone('REGISTER', 500);
});

registrarCase('423: again at once with at least Min-Expires; the refresh comes before what was granted', async ({ registrar, grant, next }) => {
  const first = await next();
  registrar.send(`SIP/2.0 423 Interval Too Brief\n${HEAD}Min-Expires: 7200\nContent-Length: 0\n\n`);
  const second = await next({ within: 1500 });
  check(second.callId === first.callId && second.cseq.number === first.cseq.number + 1, 'Call-ID or CSeq');
  check(wish(second) >= 7200, `asked for ${wish(second)} s after Min-Expires: 7200`);
  grant(6);
  const refresh = await next({ within: 6000 });
  check(wish(refresh) >= 7200, `the refresh asks for ${wish(refresh)} s`);
});
