// SPDX-License-Identifier: Apache-2.0
// Debian's kamailio as a carrier: it challenges calls with 407 and registrations with 401, proves the digest, and carries
// the call on to a phone of ours (with Record-Route, as carriers do). Calls of that phone go through it to whom they name.
import { startProxy, proxyHead, proxyBegin } from './kamailio-proxy.mjs';

/** @param {object} options
 *    username, password   of the customer       realm     of the challenge
 *    uas {host, port}     where calls end       algorithm 'MD5' | 'SHA-256'
 *  @returns {Promise<Carrier>} a Proxy with accepted() and refused(): requests whose digest was proved, and those whose
 *    digest was wrong: [{method, what: user}] */
export async function startCarrier({ username, password, realm = 'carrier.example.com', uas, algorithm = 'MD5' }) {
  const one = await startProxy('carrier', (where) => carrierConfig({ ...where, username, password, realm, uas, algorithm }));
  return {
    ...one,
    accepted: () => one.lines('accepted'),
    refused: () => one.lines('refused'),
    accepts: (method, options) => one.says('accepted', method, options),
  };
}

function carrierConfig({ port, runDir, username, password, realm, uas, algorithm }) {
  return `${proxyHead({ name: 'carrier', port, runDir })}
modparam("auth", "algorithm", "${algorithm}")
modparam("tm", "fr_inv_timer", 120000)

request_route {
${proxyBegin}
  record_route();
  if ($si == "${uas.host}" && $sp == ${uas.port}) { t_relay(); exit; }
  route(PROVE);
  $du = "sip:${uas.host}:${uas.port}";
  t_relay();
}

route[PROVE] {
  if (!pv_proxy_authenticate("${realm}", "${password}", "0") || $au != "${username}") {
    if ($hdr(Proxy-Authorization) != $null) xlog("L_ALERT", "carrier-log: refused $rm $fU\\n");
    proxy_challenge("${realm}", "1");
    exit;
  }
  xlog("L_ALERT", "carrier-log: accepted $rm $au\\n");
  consume_credentials();
}

route[REGISTER] {
  if (!pv_www_authenticate("${realm}", "${password}", "0") || $au != "${username}") {
    if ($hdr(Authorization) != $null) xlog("L_ALERT", "carrier-log: refused $rm $fU\\n");
    www_challenge("${realm}", "1");
    exit;
  }
  xlog("L_ALERT", "carrier-log: accepted $rm $au\\n");
  if (!save("location")) sl_reply_error();
}
`;
}
