/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <regex.h>

#include "base/conf.h"
#include "call/route.h"

/* number_rules.h: numbers written anew: the rules of a trunk, and the groups of an expression put into a text. Pure. */

#define NUMBER_GROUP_MAX 10

/** \1 ... \9 become what the groups matched in `subject`, everything else is as it stands. @return length; -ENOSPC */
int number_expand(char *out, size_t size_bytes, const char *replacement, const char *subject,
                  const regmatch_t groups[static NUMBER_GROUP_MAX]);

/** The first rule whose pattern matches says what the number becomes; without one it stays. @return 0; -ENOENT: the
 * rule makes no number of it (nothing, or one that is too long), number is as it was */
int number_rules_apply(const struct conf_rules *rules, char number[static ROUTE_NUMBER_MAX]);
