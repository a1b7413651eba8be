/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sdp/sdp.h"

/* crypto_attr.h: the value of a=crypto. RFC 4568 section 9.1. What may be picked stands in negotiation.h. */

/** Read "TAG SUITE inline:... [session parameters]". @return 0, -EBADMSG. Pure. */
int crypto_attr_parse(struct sdp_crypto *crypto, struct span value);

void crypto_attr_write(struct text *out, const struct sdp_crypto *crypto);
