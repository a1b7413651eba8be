/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sip/invite.h"
#include "sip/refresh.h"
#include "sip/reliable.h"

/* invite_private.h: what invite.c, invite_out.c, invite_in.c, fork.c, reliable.c and modify.c share.
 *
 *   out: CALLING -> EARLY -> CONFIRMED        in: CALLING -> EARLY -> ANSWERED -> CONFIRMED
 *   ENDING: our side is done, the wire is not (CANCEL without final answer, 2xx without ACK)      OVER */

enum invite_state { INVITE_CALLING, INVITE_EARLY, INVITE_ANSWERED, INVITE_CONFIRMED, INVITE_ENDING, INVITE_OVER };

struct invite {
    struct sip_stack *stack;
    enum invite_state state;
    bool is_out, is_self_held;
    struct dialog *dialog;          /* the one that counts */
    const struct invite_user *user; /* NULL once ended from our side */
    void *arg;

    /* as caller */
    struct request *request;
    char *username, *password;
    char *ack;         /* sent again for each repeated 2xx */
    struct list forks; /* further dialogs of it: fork.c; its next is NULL while there are none */
    unsigned fork_count;
    struct invite_end end;
    char *end_why;

    /* as callee, also for the peer's re-INVITE: the 2xx that waits for its ACK */
    struct server_tx *tx;
    struct server_tx *answer_tx;
    struct reliable *reliable; /* our provisional responses want PRACK; NULL: they do not */
    struct timer answer_timer;
    unsigned answer_ms, answered_ms; /* interval now; spent so far */

    /* changes */
    struct server_tx *modify_tx; /* the peer's, unanswered */
    struct timer update_timer;   /* it is no INVITE, and cannot wait for long */
    struct request *modify;      /* ours, running */
    struct request *modified;    /* ours, accepted: its 2xx may come again */
    struct request *abandoned;   /* ours, given up and cancelled: its 2xx may come all the same */
    bool is_modify_cancelled;    /* while it waits after a 491 */
    struct timer modify_timer;   /* from the first provisional answer to ours */
    char *modify_type, *modify_body;
    size_t modify_body_bytes;
    struct refresh refresh;          /* session timer */
    struct request *refresh_request; /* our UPDATE */
    struct timer glare_timer;
    unsigned glare_count;
};

struct invite *invite_alloc(struct sip_stack *stack, const struct invite_user *user, void *arg);
extern const struct dialog_user invite_dialog_user;
/** Everything is over: stop, detach, drop the self reference. */
void invite_finish(struct invite *invite);
/** Tell the user that it is over, then finish. */
void invite_tell_end(struct invite *invite, enum invite_end_cause cause, const struct sip_msg *bye, const char *why);
void invite_send_bye(struct invite *invite);
void invite_choose_flow(struct invite *invite);
/** The same for a fork's dialog. */
void invite_choose_flow_of(struct invite *invite, struct dialog *dialog);

/** A 2xx was sent on tx: repeat it until invite_in_receive_ack(). */
void invite_in_await_ack(struct invite *invite, struct server_tx *tx);
void invite_in_receive_ack(struct invite *invite, const struct sip_msg *ack);
/** The 200 that was held back until PRACK. @return as invite_in_answer() */
int invite_in_answer_now(struct invite *invite, struct span headers, struct span content_type, struct span body);
void invite_out_end(struct invite *invite);
void invite_write_ack(struct text *out, struct dialog *dialog, uint32_t cseq, struct span authorization);
/** ACK for a 2xx of the INVITE with this CSeq; kept for repetition. */
void invite_out_ack(struct invite *invite, struct request *request);
/** @param dialog the invite's, or that of a fork */
void modify_receive(struct invite *invite, struct dialog *dialog, struct server_tx *tx, const struct sip_msg *msg);
void modify_stop(struct invite *invite);

/** The dialog of a provisional response with a To tag: found or begun, and brought up to date. @return NULL: too many
 */
struct dialog *fork_progress(struct invite *invite, const struct sip_msg *response);
/** It was told: if it has a description, its dialog counts from now on. */
void fork_keep_sdp(struct invite *invite, struct dialog *dialog, const struct sip_msg *response);
/** The first 2xx: its dialog is the session's. @return 0; -EBADMSG: it has no To tag */
int fork_win(struct invite *invite, const struct sip_msg *response);
/** A 2xx of another fork than the session's. */
void fork_end_other(struct invite *invite, const struct sip_msg *response);
void fork_stop(struct invite *invite);
