/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/conf.h"
#include "base/text.h"
#include "sip/msg_write.h"

/* trunk_headers.h: the operator's rules for single headers of a trunk: which cross the gateway, which are added, which
 * of ours are left out. Which names are allowed at all is the configuration's check. Pure. */

/** Room for all that passes from one message: more is left out. */
#define TRUNK_HEADERS_MAX 4096

/** Add the header lines of `msg` with these names. Values with control bytes or broken UTF-8 are left out. */
void trunk_headers_pass(struct text *out, const struct conf_strings *names, const struct sip_msg *msg);

/** Add a block of our own header lines, without those that headers_remove, headers_pass and headers_add name, and what
 * is added. */
void trunk_headers_write(struct text *out, struct span block, const struct conf_trunk *trunk);
