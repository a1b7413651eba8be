// SPDX-License-Identifier: Apache-2.0
// Debian's kamailio as a PBX of its own users: registrar, digest for REGISTER, calls and MESSAGE, Service-Route. It knows
// where its users are by their Contacts alone, as any PBX does.
import { startProxy, proxyHead, proxyBegin } from './kamailio-proxy.mjs';

/** @param {object} options domain; users [{name, password}]
 *  @returns {Promise<Pbx>} a Proxy that says 'accepted' | 'refused' | 'saved' | 'removed' | 'routed': [{method, what: user, Contact or Route}] */
export const startPbx = ({ domain, users }) => startProxy('pbx', (where) => pbxConfig({ ...where, domain, users }));

function pbxConfig({ port, runDir, domain, users }) {
  return `${proxyHead({ name: 'pbx', port, runDir, modules: ['textopsx', 'htable'], settings: `alias="${domain}"` })}
modparam("htable", "htable", "passwords=>size=4;")
modparam("auth", "nonce_expire", 300)
modparam("registrar", "method_filtering", 0)
modparam("registrar", "min_expires", 2)
modparam("tm", "fr_timer", 4000)
modparam("tm", "fr_inv_timer", 60000)

event_route[htable:mod-init] {
${users.map(({ name, password }) => `  $sht(passwords=>${name}) = "${password}";`).join('\n')}
}

request_route {
${proxyBegin}
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
