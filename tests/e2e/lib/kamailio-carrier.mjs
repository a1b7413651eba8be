// SPDX-License-Identifier: Apache-2.0
// Debian's kamailio as a carrier: it challenges calls with 407 and registrations with 401, proves the digest, and carries
// the call on to a phone of ours (with Record-Route, as carriers do). Calls of that phone go through it to whom they name.
import { folder } from './proc.mjs';
import { freePort } from './ports.mjs';
import { startKamailio } from './peer-gateway.mjs';
import { until } from './wait.mjs';

/** @param {object} options
 *    username, password   of the customer       realm     of the challenge
 *    uas {host, port}     where calls end       algorithm 'MD5' | 'SHA-256'
 *  @returns {Promise<Carrier>} {host, port, accepted(), refused(), stop()} */
export async function startCarrier({ username, password, realm = 'carrier.example.com', uas, algorithm = 'MD5' }) {
  const port = await freePort();
  const runDir = folder('carrier');
  const one = await startKamailio('carrier', runDir, carrierConfig({ port, runDir, username, password, realm, uas, algorithm }), port);
  const lines = (word) => [...one.output.matchAll(new RegExp(`carrier-log: ${word} (\\S+) (\\S+)`, 'g'))]
    .map(([, method, user]) => ({ method, user }));
  return {
    host: '127.0.0.1',
    port,
    program: one,
    /** requests whose digest was proved, and those whose digest was wrong: [{method, user}] */
    accepted: () => lines('accepted'),
    refused: () => lines('refused'),
    accepts: (method, options) => until(`accepted ${method} at the carrier`, () => lines('accepted').find((e) => e.method === method), options),
    stop: () => one.stop(),
  };
}

function carrierConfig({ port, runDir, username, password, realm, uas, algorithm }) {
  return `#!KAMAILIO
debug=1
log_stderror=yes
children=2
tcp_children=2
auto_aliases=no
dns=no
listen=udp:127.0.0.1:${port}
listen=tcp:127.0.0.1:${port}

loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "xlog.so"
loadmodule "auth.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "ctl.so"

modparam("ctl", "binrpc", "unix:${runDir}/carrier-ctl.sock")
modparam("auth", "algorithm", "${algorithm}")
modparam("auth", "qop", "auth")
modparam("usrloc", "db_mode", 0)
modparam("tm", "fr_inv_timer", 120000)

request_route {
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
  if (is_method("OPTIONS")) { sl_send_reply("200", "OK"); exit; }
  force_rport();
  if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
  if (has_totag()) {
    if (loose_route() || is_method("ACK")) { t_relay(); exit; }
    sl_send_reply("481", "Call/Transaction Does Not Exist");
    exit;
  }
  if (is_method("ACK")) { if (t_check_trans()) t_relay(); exit; }
  t_check_trans();
  if (is_method("REGISTER")) { route(REGISTER); exit; }
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
