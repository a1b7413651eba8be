/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sip/client_tx.h"
#include "sip/dialog.h"

/* request.h: one request within a dialog (or the INVITE that will make one), from first send to final response, with
 * the answer to a digest challenge on the way. RFC 3261 12.2.1, 22.2. Credentials are only ever sent to the peer they
 * were given for. */

struct request;

struct request_user {
    /** Every response but the challenges that were answered. For INVITE each 2xx again. */
    void (*on_response)(struct request *request, const struct sip_msg *response, void *arg);
    /** 408, 503 or 487: see client_tx.h. */
    void (*on_fail)(struct request *request, unsigned status, const char *why, void *arg);
};

struct request_options {
    struct dialog *dialog; /* referenced */
    enum sip_method method;
    struct span headers; /* whole lines, copied */
    struct span content_type, body;
    const char *username, *password; /* NULL: challenges are failures */
    const struct request_user *user; /* NULL: nobody wants to know; it goes on by itself */
    void *arg;
};
/** Send. The request holds itself until its transaction is over; requestp (may be NULL) gives the user a reference. */
int request_send(struct request **requestp, const struct request_options *options);
/** No more call-backs. NULL is welcome. */
void request_detach(struct request *request);
/** INVITE: CANCEL with this Reason header line (may be empty). Others cannot be taken back (RFC 3261 9.1). */
void request_cancel(struct request *request, struct span reason_header);
uint32_t request_cseq(const struct request *request);
/** The Authorization line that the last try carried, for the ACK; empty if none. */
struct span request_authorization(const struct request *request);
