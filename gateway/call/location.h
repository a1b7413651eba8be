/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sip/transport.h"
#include "store/store.h"

/* location.h: account -> bindings: the registered contacts, each with its flow, kept in the store for all workers.
 * RFC 3261 10, RFC 5626. */

#define BINDING_MAX          10 /* per account, hard; sip.max_bindings may be lower */
#define BINDING_CONTACT_MAX  256
#define BINDING_INSTANCE_MAX 64

struct binding {
    char contact[BINDING_CONTACT_MAX];
    char instance[BINDING_INSTANCE_MAX];
    uint32_t reg_id;
    uint32_t cseq;
    char call_id[64]; /* cut off where longer: only compared */
    uint64_t registered_wall_ms, expires_wall_ms;
    uint16_t q_milli;
    struct sip_flow flow;
};

struct bindings {
    unsigned count;
    struct binding items[BINDING_MAX];
};

/** Change an account's bindings: edit() works on the current list (expired ones taken out already) and may be called
 * again when another worker was faster; then done() tells the list as stored. @return from edit: 0 to store, negative
 * to leave it (done gets it as err) */
struct location_change {
    struct store *store;
    struct span account;
    int (*edit)(struct bindings *bindings, void *arg);
    void (*done)(int err, const struct bindings *bindings, void *arg);
    void *arg;
};
void location_change(const struct location_change *change);

/** Where to reach the account now, best q first: of a device with several flows (same +sip.instance) the one that it
 * used last. */
void location_find(struct store *store, struct span account,
                   void (*done)(int err, const struct bindings *bindings, void *arg), void *arg);

/** Take out every binding of this account on this flow. */
void location_drop_flow(struct store *store, struct span account, const struct sip_flow *flow);
