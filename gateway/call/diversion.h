/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/conf.h"
#include "base/text.h"
#include "sip/msg.h"

/* diversion.h: who sent a call on before it came here. Read from the caller's INVITE (Diversion: RFC 5806, or
 * History-Info: RFC 7044), written anew for a trunk: numbers, reasons and counts cross, addresses do not. */

struct diversion_options {
    enum conf_diversion policy;
    const struct conf_rules *in, *out; /* number rules of the caller's trunk and of this one */
    const char *domain;                /* ours */
    const char *target;                /* whom the call is for now */
};

/** Header lines; none where the INVITE tells of no diversion. */
void diversion_write(struct text *out, const struct sip_msg *invite, const struct diversion_options *options);
