/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "call.h"
#include "numbers.h"
#include "sip/invite.h"
#include "terms.h"

/* call_private.h: what call.c (a call as such, and those that come in) and call_back.c (those that go out) share. */

#define DIGITS_MAX 32
#define CALLER_MAX 64
#define SDP_TYPE   SPAN("application/sdp")

struct call {
    struct list link;
    struct carrier *carrier;
    const struct number *number;
    struct invite *invite;
    struct voice *voice;
    struct timer step, digit_pause;
    struct text body; /* our description */
    char session_id[12];
    uint64_t version;
    char caller[CALLER_MAX];
    char entry[DIGITS_MAX + 1];  /* digits since the last reading */
    char digits[DIGITS_MAX + 1]; /* all, for the line */
    uint64_t answered_us;
    bool is_back;
};

/** Not yet among the carrier's calls. */
struct call *call_alloc(struct carrier *carrier, const struct number *number);
/** Now it is. */
void call_admit(struct call *call);
/** The invite is over or was ended: print the line, free. */
void call_finish(struct call *call, const char *why);
int call_make_voice(struct call *call, const char **why_out);
/** Our end of the voice, for the next description. */
struct terms_place call_place(struct call *call);
/** Answered: begin what the number does. */
void call_talk(struct call *call);
/** Call-backs of every call; those of a caller are call_back.c's. */
extern const struct invite_user call_invite_user;
void call_on_progress(struct invite *invite, const struct sip_msg *response, void *arg);
void call_on_answered(struct invite *invite, const struct sip_msg *response, void *arg);
void call_on_rejected(struct invite *invite, unsigned status, const struct sip_msg *response, const char *why,
                      void *arg);
