/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "call/call.h"

/* cause_facts.h: from a call to its cause. */

/** Append the sentence of the call's cause, as it stands now, to out. @return its id, "" (see cause.h) */
const char *call_find_cause(const struct call *call, struct text *out);
