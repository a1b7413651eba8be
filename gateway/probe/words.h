/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sip/msg.h"

/* words.h: what an operator should do about an answer of the trunk, in plain words. */

/** What to do about this refusal of a REGISTER or INVITE (of anything else: what it hints at); "" when there is nothing
 * to say. Static. */
const char *words_for_status(enum sip_method method, unsigned status, bool has_password);
