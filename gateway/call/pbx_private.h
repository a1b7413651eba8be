/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "call/directory.h"
#include "call/pbx.h"
#include "call/pbx_table.h"
#include "net/peer_count.h"

/* pbx_private.h: shared by the rooms of pbx.h. */

#define PBX_HANDED_MAX 2048 /* challenges that went out lately */

struct pbx {
    struct calls *calls;
    struct pbx_table *table;
    struct list passes; /* requests on their way */
    struct list held;   /* of these: refusals that wait */
    unsigned pass_count, udp_pass_count, held_count;
    struct peer_counts *sources; /* of these */
    size_t handed[PBX_HANDED_MAX];
    struct list watches;
    unsigned watch_count;
};

/** Whose a request is. */
struct pbx_party {
    const struct trunk *trunk;
    char aor[SIP_ACCOUNT_MAX];   /* of a user's request */
    struct pbx_binding *binding; /* his, over this flow; NULL for a REGISTER. Or to whose Contact the request goes */
    bool is_to_device;           /* from the PBX; binding NULL: there is none of that name any more */
};
/** user@domain of a URI in the trunk's domain. @return 0; -EBADMSG; -ENOSPC */
int pbx_write_aor(char aor[static SIP_ACCOUNT_MAX], const struct trunk *trunk, const struct uri *uri);
/** The domain of user@domain. */
struct span pbx_domain_of(const char *aor);
/** What stands before it. */
struct span pbx_user_of(const char *aor);

void pbx_reply(struct server_tx *tx, unsigned status, const char *why);

void pbx_register_receive(struct pbx *pbx, struct server_tx *tx, const struct pbx_party *party, const char *account);
/** What the guard has to know of a REGISTER. @return false: verdict refuses */
bool pbx_register_admit(struct pbx *pbx, const struct sip_incoming *incoming, const struct pbx_party *party,
                        struct sip_verdict *verdict);
/** Take a registration back at the PBX as far as the user's last credentials allow, and forget it. */
void pbx_register_end(struct pbx_binding *binding, void *arg);
/** A flow to a hop that the PBX named, if that is an address of the trunk (SECURITY rule 5). */
bool pbx_open_hop(struct calls *calls, const struct trunk *trunk, struct span uri, struct sip_flow *flow);
