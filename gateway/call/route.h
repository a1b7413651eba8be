/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "call/directory.h"

/* route.h: the dial plan: who calls what, and who gets it. The first rule that matches wins. Pure over the snapshot. */

struct pbx_call;

struct route_caller {
    const struct conf_account *account; /* one of the two */
    const struct trunk *trunk;
    struct pbx_call *pbx; /* a PBX's user calls it, or it calls one of its users: no route is asked; else NULL */
};

#define ROUTE_NUMBER_MAX 128

struct route_pick {
    const struct conf_route *route;     /* NULL: account to account by name or number, which needs no rule */
    const struct conf_account *account; /* gets the call, or */
    const struct conf_strings *trunks;  /* these, in order */
    char number[ROUTE_NUMBER_MAX];      /* as it is to be dialled, decoded text */
};

/** @param dialled decoded user part of the Request-URI
 *  @return 0; -ENOENT: no rule, or an account that does not exist (404); -EACCES: a rule that this account may not use
 * (403) */
int route_pick(struct route_pick *pick, const struct directory *directory, const struct route_caller *caller,
               struct span dialled);
