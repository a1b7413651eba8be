/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "call/calls.h"
#include "call/directory.h"
#include "call/location.h"

/* pbx_table.h: who has logged in at a PBX through this gateway: user <-> binding <-> flow. RFC 3261 10, RFC 3327, RFC
 * 3608. All bindings of a user are on one worker, its home (home.h). The PBX knows a binding by the user part of the
 * Contact that it was given: its name. That is a keyed hash of user and device, so that nothing has to be kept before
 * the PBX has let the user in, and no stranger can guess it. */

struct pbx_table;

#define PBX_NAME_MAX     SIP_TAG_MAX /* "w0." and 16 hex digits */
#define PBX_PER_FLOW_MAX 16          /* bindings over one connection */

struct pbx_group; /* those of one user, those of one flow */

struct pbx_binding {
    struct map_node by_name;
    struct list user_link, flow_link;
    struct pbx_group *user, *connection;
    struct pbx_table *table;
    char name[PBX_NAME_MAX];
    char aor[SIP_ACCOUNT_MAX]; /* "user@domain", the domain as configured */
    char trunk[129];           /* its name in the configuration */
    struct binding device;     /* contact, instance and flow, as a leg is dialled to it */
    bool is_lost;              /* its connection is gone: it counts nowhere */
    uint64_t expires_ms;       /* clock_now_ms() */
    struct timer expiry;
    unsigned watch_count; /* subscriptions of the device */
    char *path;           /* Route lines of requests to the device (RFC 3327), "" */
    char *routes;         /* Route lines of requests to the PBX (RFC 3608), "" */
    char *next_hop;       /* the first URI of these, "" */
    char *credentials;    /* header lines with which the PBX let the last REGISTER in, "" */
    char *registrar;      /* Request-URI and To of that REGISTER: to take the registration back */
    char *to;
    char *digest_user; /* the name in these credentials, "" */
};

int pbx_table_new(struct pbx_table **tablep, struct calls *calls);
unsigned pbx_table_count(const struct pbx_table *table);

/** The name that this device of the user has at the PBX. @param device instance (with reg_id) and contact as it wrote
 * them. @return 0; -ENOSPC: they are too long */
int pbx_name_make(char name[static PBX_NAME_MAX], const struct calls *calls, struct span aor, struct span contact,
                  struct span instance, uint32_t reg_id);
/** Does it look like one of our names? */
bool pbx_name_is(struct span user);

struct pbx_binding *pbx_table_find(const struct pbx_table *table, struct span name);
/** A registration of this user over this flow. */
struct pbx_binding *pbx_table_of(const struct pbx_table *table, struct span aor, const struct sip_flow *flow);

/** What a REGISTER that the PBX accepted says. */
struct pbx_login {
    const struct conf_trunk *trunk;
    struct span aor;
    const char *name;
    const struct binding *device;
    unsigned expires_s;
    struct span path, routes, next_hop, credentials, registrar, to, digest_user;
};
/** May this device (trunk, aor, name, device) be logged in? Those that are lost are in nobody's way.
 *  @return NULL, or why not: a sentence */
const char *pbx_table_check(const struct pbx_table *table, const struct pbx_login *login);
/** A new binding, for which the user's longest lost one may go, or an old one refreshed, perhaps over another flow.
 * @return 0; -EBUSY: a limit; -EEXIST: the name is another user's; -ENOMEM */
int pbx_table_put(struct pbx_binding **bindingp, struct pbx_table *table, const struct pbx_login *login);
/** It is gone. NULL is welcome. */
void pbx_binding_drop(struct pbx_binding *binding);
/** All of a user. */
void pbx_table_drop_user(struct pbx_table *table, struct span aor);
/** Those of a trunk that is no more (reload): where is_still() says no. */
void pbx_table_review(struct pbx_table *table, bool (*is_still)(const struct pbx_binding *binding, void *arg),
                      void *arg);

/** A connection is gone: fn is called for each binding over it, which is marked as lost before and may be dropped by
 * fn. */
void pbx_table_lose_flow(struct pbx_table *table, const struct sip_flow *flow,
                         void (*fn)(struct pbx_binding *binding, void *arg), void *arg);
