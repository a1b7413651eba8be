/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "base/conf.h"
#include "net/addr.h"
#include "sip/locate.h"

/* directory.h: the accounts and trunks of one snapshot, parsed once for look-ups: account by name or number, trunk by
 * the address a request came from. One per worker and snapshot; immutable but for the addresses of trunks' names. */

struct directory;

#define TRUNK_ACCEPT_MAX   64
#define TRUNK_RESOLVED_MAX 16

struct trunk {
    const struct conf_trunk *conf;
    struct cidr accept[TRUNK_ACCEPT_MAX];
    unsigned accept_count;
    struct addr resolved[TRUNK_RESOLVED_MAX]; /* where its name leads: they may answer and call as well */
    unsigned resolved_count;
    char *host;              /* of its uri */
    char contact_param[16];  /* ";line=..." of the Contact registered there, where another trunk shares the registrar */
    struct sip_peer peer;    /* whom connections to it are for */
    struct locate_wish wish; /* where its uri leads, see trunk_locate() */
    uint16_t port;
    enum sip_transport transport;
    unsigned index;
};

int directory_new(struct directory **directoryp, struct conf *conf);
struct conf *directory_conf(const struct directory *directory);
const struct conf_account *directory_account(const struct directory *directory, struct span name);
/** By name or one of its numbers (with or without a leading '+'). */
const struct conf_account *directory_account_called(const struct directory *directory, struct span dialled);
/** By number from 0; NULL behind the last one. */
const struct trunk *directory_trunk_at(const struct directory *directory, size_t index);
/** The trunk's name leads to these addresses now. */
void directory_note_addresses(struct directory *directory, struct span name, const struct addr *addrs, unsigned count);
const struct trunk *directory_trunk(const struct directory *directory, struct span name);
/** The trunk whose `registrar` is this domain; NULL: none. */
const struct trunk *directory_trunk_registrar(const struct directory *directory, struct span domain);
/** The first trunk that accepts requests from this source; NULL: a stranger. */
const struct trunk *directory_trunk_from(const struct directory *directory, const struct addr *source);
/** Several may accept it: the one whose registration the request is for (the Contact that we registered there stands in
 * the Request-URI), else the one at this very address and port, else the first. */
const struct trunk *directory_trunk_called(const struct directory *directory, const struct addr *source,
                                           const struct uri *uri);
bool trunk_accepts(const struct trunk *trunk, const struct addr *source);
/** A next hop as an address of the trunk. Its Contact, Record-Route and Path are followed as far as its accept list
 * goes; nobody else's are (SECURITY rule 5). @param transport in: where the URI names none. @return false: no such */
bool trunk_find_hop(const struct trunk *trunk, struct span next_hop, enum sip_transport *transport, struct addr *addr);
/** The URI of a number at the trunk. @param is_target with port and transport, as the Request-URI has it */
void trunk_write_uri(struct text *out, const struct trunk *trunk, const char *user, bool is_target);
