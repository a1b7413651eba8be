// SPDX-License-Identifier: Apache-2.0
// The gateway under test, whichever it is: E2E_GATEWAY=sipway or kamailio. Tests only see this shape:
//   {name, domain, wsUrl, sip: {host, port}, can(what), pids(), stop()} and, for sipway, more (admin, streams).
import { startPeerGateway } from './peer-gateway.mjs';
import { startSipway } from './sipway.mjs';

export const gatewayName = process.env.E2E_GATEWAY ?? (process.env.SIPWAY_BIN ? 'sipway' : 'kamailio');

/** @param {object} options accounts, trunks, routes, config (see sipway.mjs) */
export function startGateway(options) {
  return { sipway: startSipway, kamailio: startPeerGateway }[gatewayName](options);
}
