// SPDX-License-Identifier: Apache-2.0
// What Debian's kamailio needs as a SIP proxy and registrar of others: start, the beginning of its configuration, and what
// its log says. kamailio-carrier.mjs and kamailio-pbx.mjs add what they are.
import { folder } from './proc.mjs';
import { freePort } from './ports.mjs';
import { startKamailio } from './peer-gateway.mjs';
import { until } from './wait.mjs';

/** @param {Function} config   ({port, runDir}) => text
 *  @returns {Promise<Proxy>} {host, port, program, lines(word), says(word, method), stop()} */
export async function startProxy(name, config) {
  const port = await freePort();
  const runDir = folder(name);
  const program = await startKamailio(name, runDir, config({ port, runDir }), port);
  const lines = (word) => [...program.output.matchAll(new RegExp(`${name}-log: ${word} (\\S+) (\\S+)`, 'g'))]
    .map(([, method, what]) => ({ method, what }));
  return {
    host: '127.0.0.1',
    port,
    program,
    /** what its configuration logged with this word, as "<name>-log: <word> <method> <what>" */
    lines,
    says: (word, method, options) => until(`${word} ${method} at the ${name}`, () => lines(word).find((e) => e.method === method), options),
    stop: () => program.stop(),
  };
}

/** Sockets and modules. */
export const proxyHead = ({ name, port, runDir, modules = [], settings = '' }) => `#!KAMAILIO
debug=1
log_stderror=yes
children=2
tcp_children=2
auto_aliases=no
dns=no
listen=udp:127.0.0.1:${port}
listen=tcp:127.0.0.1:${port}
${settings}
${['tm', 'sl', 'rr', 'pv', 'maxfwd', 'textops', 'siputils', 'xlog', 'auth', 'usrloc', 'registrar', 'ctl', ...modules]
    .map((one) => `loadmodule "${one}.so"`).join('\n')}

modparam("ctl", "binrpc", "unix:${runDir}/${name}-ctl.sock")
modparam("auth", "qop", "auth")
modparam("usrloc", "db_mode", 0)
`;

/** The beginning of request_route: afterwards only REGISTER and requests that begin something are left. */
export const proxyBegin = `  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
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
  if (is_method("REGISTER")) { route(REGISTER); exit; }`;
