/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "base/span.h"

/* params.h: ;name=value lists of URIs and header values. Pure functions over borrowed text. RFC 3261 section 25.1
 * generic-param, uri-parameter. */

/** Take the next parameter off *rest (which may start with ';' or not). Names are compared without case by the caller.
 *  Quoted values come without their quotes, escapes left in. Blanks around ';' and '=' are eaten.
 *  @return true and name/value (value empty and value.p NULL when there was no '='), false at the end;
 *  what cannot be read ends the list, and *rest stays in front of it (at the true end *rest is empty). Empty parameters
 *  (";;", a last ";") are passed over. */
bool params_next(struct span *rest, struct span *name, struct span *value);

/** The value of the first parameter with this name (without case). @return true if present; valuep may be NULL */
bool params_get(struct span params, struct span name, struct span *valuep);

/** Can the whole list be read? */
bool params_are_readable(struct span params);

/** Take the next value off a comma-separated list: commas in quotes and <> are text. The value is trimmed and may be
 * empty
 *  (",,"). @return false at the end; a trailing comma does not make another value */
bool list_next(struct span *rest, struct span *value);

/** Does a comma-separated list of tokens hold this one (without case)? "timer, replaces" */
bool list_has_token(struct span list, struct span token);
