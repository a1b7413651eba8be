/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "call/pbx_pass.h"

/* pbx_guess.h: what a wrong password of a PBX's user costs. The PBX sees this gateway alone, whoever guesses, so it is
 * priced here as our own accounts' are: docs/ARCHITECTURE.md, "Guessed passwords". RFC 3261 22, RFC 7616. */

/** The credentials of a request of a user. */
struct pbx_guess {
    char account[SIP_ACCOUNT_MAX]; /* whose password they are of: user@domain. Without any: who sends it */
    bool is_given;                 /* there are some */
    bool is_there;                 /* and who gives them is where they come from: they may be carried, and count */
};
void pbx_guess_read(struct pbx_guess *guess, const struct pbx *pbx, const struct sip_flow *flow,
                    const struct sip_msg *msg, const struct pbx_party *party);

/** Are they of this user, and may they be looked at now? @return false: verdict refuses */
bool pbx_guess_admit(struct pbx *pbx, const struct sip_incoming *incoming, const struct pbx_party *party,
                     struct sip_verdict *verdict);
/** Refuse, and count it. */
void pbx_guess_refuse(struct sip_verdict *verdict, unsigned status, const char *why);

/** The PBX has refused a request of this flow with these credentials (or none): remember where its challenge goes; what
 *  a wrong password costs. @return milliseconds by which the refusal is to be held back */
unsigned pbx_guess_note_refusal(struct pbx *pbx, const struct sip_flow *flow, const struct pbx_guess *guess,
                                const struct sip_msg *response);
/** The same in an answer. */
void pbx_guess_price(struct pbx *pbx, const struct sip_flow *flow, const struct pbx_guess *guess,
                     struct pbx_answer *answer);
/** on_answer of a request that is none but carried; arg_taken: what pbx_guess_carried() makes of it, NULL: no memory.
 */
void pbx_guess_on_answer(struct pbx_answer *answer, struct server_tx *tx, void *arg);
void *pbx_guess_carried(struct pbx *pbx, const struct server_tx *tx, const struct pbx_party *party);
/** These were right. */
void pbx_guess_note_right(struct pbx *pbx, const struct sip_flow *flow, const struct pbx_guess *guess);
/** A request in a subscription: are its credentials of the user of this binding? */
bool pbx_guess_is_own(const struct sip_msg *msg, const struct trunk *trunk, struct pbx_binding *binding);
/** The name in the digest of a request. @return false: there is none that can be read */
bool pbx_guess_name(struct span *name, const struct sip_msg *msg);
