// SPDX-License-Identifier: Apache-2.0
// Text of a kamailio.cfg for a small WebRTC gateway: WebSocket and UDP accounts with digest, one UDP trunk, rtpengine
// between DTLS-SRTP and RTP. It is what a careful user would write, without logging, so that it is a fair peer to measure.

/** @param {object} o
 *    wsPort, udpPort, ngPort (rtpengine)      pidFile, runDir
 *    domain, accounts [{name, password, numbers}]   trunk {host, port} | undefined
 *    children  worker processes per socket    memory_mb  shared memory */
export function gatewayConfig(o) {
  const trunk = o.trunk ?? { host: '127.0.0.1', port: 9 };
  const proves = Boolean(trunk.username); // answers the carrier's challenge; needs the dialog module to count CSeq
  return `#!KAMAILIO
debug=1
log_stderror=yes
memdbg=5
memlog=5
children=${o.children ?? 2}
tcp_children=${o.children ?? 2}
tcp_max_connections=8192
tcp_connection_lifetime=3605
tcp_accept_no_cl=yes
auto_aliases=no
dns=no
rev_dns=no
alias="${o.domain}"
listen=udp:127.0.0.1:${o.udpPort}
listen=tcp:127.0.0.1:${o.wsPort}

loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "xlog.so"
loadmodule "sanity.so"
loadmodule "htable.so"
loadmodule "auth.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "nathelper.so"
loadmodule "xhttp.so"
loadmodule "websocket.so"
loadmodule "rtpengine.so"
loadmodule "kex.so"
loadmodule "ctl.so"
${proves ? 'loadmodule "dialog.so"\nloadmodule "uac.so"' : ''}

modparam("ctl", "binrpc", "unix:${o.runDir}/ctl.sock")
modparam("rr", "enable_double_rr", 1)
modparam("tm", "fr_timer", 10000)
modparam("tm", "fr_inv_timer", 120000)
modparam("auth", "algorithm", "MD5")
modparam("auth", "nonce_expire", 300)
modparam("usrloc", "db_mode", 0)
modparam("usrloc", "handle_lost_tcp", 1)
modparam("registrar", "max_contacts", 10)
modparam("nathelper|registrar", "received_avp", "$avp(RECEIVED)")
modparam("nathelper", "natping_interval", 0)
modparam("websocket", "keepalive_mechanism", 0)
modparam("rtpengine", "rtpengine_sock", "udp:127.0.0.1:${o.ngPort}")
modparam("htable", "htable", "password=>size=12;")
modparam("htable", "htable", "number=>size=12;")
${proves ? `modparam("dialog", "track_cseq_updates", 1)
modparam("uac", "auth_username_avp", "$avp(auser)")
modparam("uac", "auth_password_avp", "$avp(apass)")
modparam("uac", "auth_realm_avp", "$avp(arealm)")` : ''}

event_route[htable:mod-init] {
${o.accounts.map(accountLines).join('\n')}
}

event_route[xhttp:request] {
  if ($hdr(Upgrade) =~ "websocket" && $hdr(Connection) =~ "Upgrade" && $rm =~ "GET") {
    if (ws_handle_handshake()) exit;
  }
  xhttp_reply("404", "Not Found", "", "");
}

request_route {
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
  if (is_method("OPTIONS") && uri == myself) { sl_send_reply("200", "OK"); exit; }
  force_rport();
  if (is_method("CANCEL")) {
    if (t_check_trans()) { route(MEDIA_END); t_relay(); }
    exit;
  }
  if (has_totag()) { route(WITHIN); exit; }
  if (is_method("ACK")) { if (t_check_trans()) t_relay(); exit; }
  t_check_trans();
  remove_hf("Route");
  if (is_method("REGISTER")) { fix_nated_register(); route(REGISTER); exit; }
  if (proto == WS || proto == WSS) add_contact_alias();
  if (!is_method("INVITE|MESSAGE")) { sl_send_reply("405", "Method Not Allowed"); exit; }
  record_route();
  if ($si == "${trunk.host}" && $sp == ${trunk.port}) route(FROM_TRUNK);
  else route(FROM_ACCOUNT);
}

route[REGISTER] {
  route(AUTH_WWW);
  if (!save("location")) sl_reply_error();
}

route[AUTH_WWW] {
  if ($sht(password=>$fU) == $null || !pv_www_authenticate("$fd", "$sht(password=>$fU)", "0")) {
    www_challenge("$fd", "1");
    exit;
  }
  consume_credentials();
}

route[FROM_ACCOUNT] {
  if ($sht(password=>$fU) == $null || !pv_proxy_authenticate("$fd", "$sht(password=>$fU)", "0")) {
    proxy_challenge("$fd", "1");
    exit;
  }
  consume_credentials();
  if ($sht(password=>$rU) != $null) { route(TO_ACCOUNT); exit; }
  $du = "sip:${trunk.host}:${trunk.port}";
  $rd = "${trunk.host}"; $rp = ${trunk.port};
${proves ? `  dlg_manage();
  $avp(auser) = "${trunk.username}"; $avp(apass) = "${trunk.password}"; $avp(arealm) = "";` : ''}
  route(RELAY);
}

route[FROM_TRUNK] {
  if ($sht(number=>$rU) == $null) { sl_send_reply("404", "Not Found"); exit; }
  $rU = $sht(number=>$rU);
  route(TO_ACCOUNT);
}

route[TO_ACCOUNT] {
  $rd = "${o.domain}";
  if (!lookup("location")) { sl_send_reply("480", "Temporarily Unavailable"); exit; }
  route(RELAY);
}

route[WITHIN] {
  if (loose_route()) {
    if (!isdsturiset()) handle_ruri_alias();
    if (is_method("BYE")) route(MEDIA_END);
    if (is_method("INVITE|UPDATE") && (proto == WS || proto == WSS)) add_contact_alias();
    route(RELAY);
    exit;
  }
  if (is_method("ACK")) { if (t_check_trans()) t_relay(); exit; }
  sl_send_reply("481", "Call/Transaction Does Not Exist");
}

route[RELAY] {
  if (has_body("application/sdp")) {
    if (($du =~ "transport=ws" || $ru =~ "transport=ws") && (proto == WS || proto == WSS)) $var(way) = 3;
    else if ($du =~ "transport=ws" || $ru =~ "transport=ws") $var(way) = 2;
    else if (proto == WS || proto == WSS) $var(way) = 1;
    else $var(way) = 0;
    if (is_method("ACK")) route(MEDIA_ANSWER_ACK);
    else route(MEDIA_OFFER);
  }
  if (is_method("INVITE|UPDATE")) {
    t_on_reply("ANSWERED");
    t_on_failure("REFUSED");
  }
  if (!t_relay()) sl_reply_error();
}

# way 0: UDP to UDP, 1: WebSocket to UDP, 2: UDP to WebSocket, 3: WebSocket to WebSocket
route[MEDIA_OFFER] {
  $avp(way) = $var(way);
  if ($var(way) == 1) rtpengine_offer("replace-origin replace-session-connection rtcp-mux-demux ICE=remove RTP/AVP");
  else if ($var(way) == 2) rtpengine_offer("replace-origin replace-session-connection rtcp-mux-offer ICE=force DTLS=passive SDES-off UDP/TLS/RTP/SAVPF");
  else rtpengine_offer("replace-origin replace-session-connection");
}

route[MEDIA_ANSWER_ACK] {
  rtpengine_answer("replace-origin replace-session-connection");
}

route[MEDIA_END] {
  rtpengine_delete();
}

onreply_route[ANSWERED] {
  if (proto == WS || proto == WSS) add_contact_alias();
  if (has_body("application/sdp")) {
    if ($avp(way) == 1) rtpengine_answer("replace-origin replace-session-connection rtcp-mux-accept ICE=force SDES-off UDP/TLS/RTP/SAVPF");
    else if ($avp(way) == 2) rtpengine_answer("replace-origin replace-session-connection rtcp-mux-demux ICE=remove RTP/AVP");
    else rtpengine_answer("replace-origin replace-session-connection");
  }
}

failure_route[REFUSED] {
${proves ? `  if (t_check_status("401|407") && $avp(auser) != $null) {
    if (uac_auth()) { $avp(auser) = $null; t_on_reply("ANSWERED"); t_on_failure("REFUSED"); t_relay(); exit; }
  }` : ''}
  if (!has_totag()) route(MEDIA_END);
}
`;
}

function accountLines({ name, password, numbers = [] }) {
  return [
    `  $sht(password=>${name}) = "${password}";`,
    ...[name, ...numbers].map((number) => `  $sht(number=>${number}) = "${name}";`),
  ].join('\n');
}
