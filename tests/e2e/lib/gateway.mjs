// SPDX-License-Identifier: Apache-2.0
// The gateway under test, whichever it is: E2E_GATEWAY=sipway or kamailio. Tests only see this shape:
//   {name, domain, wsUrl, sip: {host, port}, pids(), stop()} and, for sipway, more (admin, tls).
import { startPeerGateway } from './peer-gateway.mjs';
import { startSipway } from './sipway.mjs';

export const gatewayName = process.env.E2E_GATEWAY ?? (process.env.SIPWAY_BIN ? 'sipway' : 'kamailio');

// What Debian's kamailio, as we configure it, is not: our own gateway lacks nothing.
const LACKS = { kamailio: ['b2bua', 'admin', 'stream-trunk', 'dialog-guard', 'registers'] };

/** Can the gateway under test do this? E2E_FORCE lets a test run all the same, to try its script. */
export const gatewayCan = (what) => !LACKS[gatewayName]?.includes(what) || Boolean(process.env.E2E_FORCE);

/** @param {object} options accounts, trunks, routes, config (see sipway.mjs) */
export function startGateway(options) {
  return { sipway: startSipway, kamailio: startPeerGateway }[gatewayName](options);
}
