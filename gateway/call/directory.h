/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "base/conf.h"
#include "net/addr.h"
#include "sip/transport.h"

/* directory.h: the accounts and trunks of one snapshot, parsed once for look-ups: account by name or number, trunk by the address a
 * request came from. Immutable; one per worker and snapshot. */

struct directory;

#define TRUNK_ACCEPT_MAX 64

struct trunk {
    const struct conf_trunk *conf;
    struct cidr accept[TRUNK_ACCEPT_MAX];
    unsigned accept_count;
    char *host;                   /* of its uri */
    uint16_t port;
    enum sip_transport transport;
    unsigned index;
};

int directory_new(struct directory **directoryp, struct conf *conf);
struct conf *directory_conf(const struct directory *directory);
const struct conf_account *directory_account(const struct directory *directory, struct span name);
/** By name or one of its numbers (with or without a leading '+'). */
const struct conf_account *directory_account_called(const struct directory *directory, struct span dialled);
const struct trunk *directory_trunk(const struct directory *directory, struct span name);
/** The first trunk that accepts requests from this source; NULL: a stranger. */
const struct trunk *directory_trunk_from(const struct directory *directory, const struct addr *source);
bool trunk_accepts(const struct trunk *trunk, const struct addr *source);
