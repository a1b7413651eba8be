/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sip/invite.h"
#include "sip/replaces.h"

/* refer.h: a REFER within a call: whom the peer wants its other side to be connected to, and the NOTIFYs that tell it
 * what became of that. RFC 3515, RFC 4488 (Refer-Sub), RFC 5589, the implicit subscription of RFC 6665. Carries nothing
 * out, and knows no calls: who goes where is the user's. */

struct refer_target {
    struct name_addr to; /* Refer-To; borrowed from the request */
    bool has_replaces;
    struct replaces replaces;
};

/** What a REFER asks for. @param why_out a sentence when it cannot be taken
 *  @return 0, or the status that it deserves: 400, 416 (no sip: or tel: URI), 501 (another method than INVITE) */
unsigned refer_target_parse(struct refer_target *out, const struct sip_msg *request, const char **why_out);

struct refer;

/** Take a REFER. What cannot be read is refused here. @return 0: accept or refuse it; -EBADMSG, -ENOMEM: it has been
 * refused */
int refer_new(struct refer **referp, struct invite *invite, struct server_tx *tx);
/** Borrowed from refer. */
const struct refer_target *refer_target(const struct refer *refer);
/** 202, and the first NOTIFY: 100 Trying. It holds itself until the last one is through. */
void refer_accept(struct refer *refer);
void refer_refuse(struct refer *refer, unsigned status, const char *why);
/** What the target says: 1xx, then one final status, after which nothing more is told. Ignored once the peer has hung
 * up or does not want to know. */
void refer_tell(struct refer *refer, unsigned status);
/** The peer has hung up: nothing more is told. The caller's reference stays. */
void refer_forget(struct refer *refer);
