// SPDX-License-Identifier: Apache-2.0
// Debian's kamailio as a PBX of its own users: registrar, digest for REGISTER, calls and MESSAGE, Service-Route. It knows
// where its users are by their Contacts alone, as any PBX does.
import { folder } from './proc.mjs';
import { freePort } from './ports.mjs';
import { startKamailio } from './peer-gateway.mjs';
import { until } from './wait.mjs';

/** @param {object} options domain; users [{name, password}]
 *  @returns {Promise<Pbx>} {host, port, lines(word), contacts(), stop()} */
export async function startPbx({ domain, users }) {
  const port = await freePort();
  const runDir = folder('pbx');
  const one = await startKamailio('pbx', runDir, pbxConfig({ port, runDir, domain, users }), port);
  const lines = (word) => [...one.output.matchAll(new RegExp(`pbx-log: ${word} (\\S+) (\\S+)`, 'g'))].map(([, method, what]) => ({ method, what }));
  return {
    host: '127.0.0.1',
    port,
    program: one,
    /** what happened: 'accepted' | 'refused' | 'saved' | 'removed'; [{method, what: user or Contact}] */
    lines,
    says: (word, method, options) => until(`${word} ${method} at the PBX`, () => lines(word).find((e) => e.method === method), options),
    stop: () => one.stop(),
  };
}

function pbxConfig({ port, runDir, domain, users }) {
  return `#!KAMAILIO
debug=1
log_stderror=yes
children=2
tcp_children=2
auto_aliases=no
dns=no
alias="${domain}"
listen=udp:127.0.0.1:${port}
listen=tcp:127.0.0.1:${port}

loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "textopsx.so"
loadmodule "siputils.so"
loadmodule "xlog.so"
loadmodule "htable.so"
loadmodule "auth.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "ctl.so"

modparam("ctl", "binrpc", "unix:${runDir}/pbx-ctl.sock")
modparam("htable", "htable", "passwords=>size=4;")
modparam("auth", "qop", "auth")
modparam("auth", "nonce_expire", 300)
modparam("usrloc", "db_mode", 0)
modparam("registrar", "method_filtering", 0)
modparam("registrar", "min_expires", 2)
modparam("tm", "fr_timer", 4000)
modparam("tm", "fr_inv_timer", 60000)

event_route[htable:mod-init] {
${users.map(({ name, password }) => `  $sht(passwords=>${name}) = "${password}";`).join('\n')}
}

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
  route(PROVE);
  remove_hf("Route");
  if (is_method("INVITE")) record_route();
  if (!lookup("location")) { sl_send_reply("480", "Not Registered"); exit; }
  t_relay();
}

route[PROVE] {
  if ($sht(passwords=>$fU) == $null) { sl_send_reply("403", "Not A User"); exit; }
  if (!pv_proxy_authenticate("${domain}", "$sht(passwords=>$fU)", "0") || $au != $fU) {
    if ($hdr(Proxy-Authorization) != $null) xlog("L_ALERT", "pbx-log: refused $rm $fU\\n");
    proxy_challenge("${domain}", "1");
    exit;
  }
  xlog("L_ALERT", "pbx-log: accepted $rm $au\\n");
  if ($hdr(Route) != $null) xlog("L_ALERT", "pbx-log: routed $rm $hdr(Route)\\n");
  consume_credentials();
}

route[REGISTER] {
  if ($sht(passwords=>$tU) == $null || !pv_www_authenticate("${domain}", "$sht(passwords=>$tU)", "0") || $au != $tU) {
    if ($hdr(Authorization) != $null) xlog("L_ALERT", "pbx-log: refused $rm $tU\\n");
    www_challenge("${domain}", "1");
    exit;
  }
  xlog("L_ALERT", "pbx-log: accepted $rm $au\\n");
  if ($hdr(Expires) == "0") xlog("L_ALERT", "pbx-log: removed $rm $ct\\n");
  else xlog("L_ALERT", "pbx-log: saved $rm $ct\\n");
  append_to_reply("Service-Route: <sip:orig@127.0.0.1:${port};lr>\\r\\n");
  if (!save("location")) sl_reply_error();
}
`;
}
