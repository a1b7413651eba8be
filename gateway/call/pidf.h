/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "base/text.h"

/* pidf.h: presence documents. RFC 3863, RFC 4480 (activities), RFC 4479 (person). Pure. */

#define PIDF_TYPE "application/pidf+xml"

struct pidf_state {
    const char *user, *domain; /* whose presence */
    bool is_open;              /* a device is registered */
    bool is_on_the_phone;
    struct span published; /* a document of its own, passed by pidf_check(); empty: none */
};

/** Is it a presence document, and about this account? @param why a sentence @return 0; -EBADMSG; -EACCES: about
 * somebody else */
int pidf_check(struct span document, const char *user, const char **why);
/** Write the state: what was published as it is, else what is known; "on the phone" is added to either. */
void pidf_write(struct text *out, const struct pidf_state *state);
