/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/text.h"
#include "sip/msg.h"

/* auth_out.h: our credentials towards one peer: what it asked for last, and the answer to that. RFC 3261 22.2, RFC
 * 7616, RFC 8760. Kept over several requests, it proves itself at once with the nonce it has, counting nc on. */

struct auth_out;

/** @param username NULL: there are no credentials, each challenge is a refusal. Both are copied. @return 0; -ENOMEM */
int auth_out_new(struct auth_out **authp, const char *username, const char *password);

/** A new request (not a repetition with credentials): tries are counted from here. */
void auth_out_begin(struct auth_out *auth);

static inline bool auth_out_is_challenge(const struct sip_msg *response)
{
    return response->status == 401 || response->status == 407;
}
/** Take the challenge of a 401 or 407.
 *  @return 0: send the request again; -EACCES: this was the last word (no or wrong credentials, too many tries);
 * -ENOMEM */
int auth_out_take(struct auth_out *auth, const struct sip_msg *response);

/** The peer let a request pass: from now on a refused nonce is taken for an old one. */
void auth_out_succeed(struct auth_out *auth);

/** Write the whole (Proxy-)Authorization line; nothing before the first challenge. @return 0; -EINVAL; -ENOMEM */
int auth_out_write(struct auth_out *auth, struct text *out, enum sip_method method, struct span uri);
/** The line as written last, for an ACK (RFC 3261 22.1); empty: none. */
struct span auth_out_line(const struct auth_out *auth);
