/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/text.h"
#include "call/route.h"
#include "sip/outside.h"
#include "store/kept.h"

/* message.h: one MESSAGE as it goes on from here: who sends it, what it says. RFC 3428. Nothing of the sender's request
 * is copied but the body and the headers that describe it; the names are written anew (as leg_sip_dial.c does). */

struct calls;

struct message {
    char call_id[SIP_CALL_ID_MAX], tag[SIP_TAG_MAX]; /* the same at each try, so that a device knows it again */
    char number[ROUTE_NUMBER_MAX];                   /* how the sender is known to trunks */
    char display[128];
    bool is_anonymous;
    char *from;    /* value of From for accounts, without tag */
    char *headers; /* whole lines: what the body is, and when it was sent */
    char *body;
    size_t body_bytes;
    char content_type[256];
    unsigned max_forwards;            /* left for the next hop; 0: as many as for a new request */
    uint64_t received_ms, expires_ms; /* wall clock */
};

/** From a request that was let in.
 *  @return 0; -EBADMSG with a sentence; -ENOMEM */
int message_new(struct message **messagep, struct calls *calls, const struct sip_msg *request,
                const struct route_caller *caller, const char **why);

/** Into a row of the database (texts are copied), and back (the row's texts are taken over; the sender is then only
 * known as accounts see it). @return 0; -ENOMEM */
int message_to_row(const struct message *message, struct kept_row *row);
int message_of_row(struct message **messagep, struct kept_row *row);

/** How the sender is known to a trunk: a value for From, and the identity lines. */
void message_write_trunk_from(struct text *out, const struct message *message, const struct conf_trunk *trunk,
                              const char *domain);
void message_write_trunk_headers(struct text *out, const struct message *message, const struct conf_trunk *trunk,
                                 const char *domain);
