/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/text.h"
#include "call/route.h"
#include "sip/msg.h"

/* identity.h: who sends a request, as others are told: an account by its configuration, a trunk's caller by what the
 * trunk says: P-Asserted-Identity or P-Preferred-Identity (RFC 3325), Remote-Party-ID, else From; who wants to stay
 * anonymous (RFC 3323). */

struct identity {
    char number[ROUTE_NUMBER_MAX]; /* "anonymous" where there is none that can be shown */
    char display[128];
    bool is_anonymous;
};

void identity_of_account(struct identity *identity, const struct conf_account *account);
void identity_of_trunk(struct identity *identity, const struct sip_msg *msg);

/** Does the message ask for the caller's name to be withheld (Privacy, or an anonymous From)? */
void identity_take_privacy(struct identity *identity, const struct sip_msg *msg);

/** The number as the trunk's callers_in / callers_out make it; "anonymous" where they leave none. Leaving, the trunk's
 * caller_id counts, too. */
void identity_arrive(struct identity *identity, const struct conf_trunk *trunk);
void identity_leave(struct identity *identity, const struct conf_trunk *trunk);

/** The header lines that tell a trunk who calls. @param headers bits of enum conf_identity */
void identity_write_headers(struct text *out, unsigned headers, const struct identity *identity, const char *domain);

/** "Display" <sip:user@domain>; as a value of From or P-Asserted-Identity. @param user decoded */
void identity_write(struct text *out, const char *display, const char *user, const char *domain);
void identity_write_anonymous(struct text *out);
/** A value for From. To a trunk where we register it has the trunk's username: such carriers know one user, the number
 * is in P-Asserted-Identity. @param trunk NULL: to an account */
void identity_write_from(struct text *out, const struct identity *identity, const struct conf_trunk *trunk,
                         const char *domain);

/** The user part of a Request-URI, decoded; nothing that would hurt others (line ends, NUL, bad UTF-8).
 *  @return 0; -EBADMSG */
int identity_take_dialled(char dialled[static ROUTE_NUMBER_MAX], const struct uri *uri);
