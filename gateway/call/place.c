/* SPDX-License-Identifier: Apache-2.0 */
/* place.c: which worker owns a new call. A pure function of the message. */
#include "call/place.h"

#include "base/map.h"

unsigned place_call(const struct sip_msg *msg, unsigned worker_count)
{
    return worker_count > 1 ? (unsigned)(map_hash(msg->call_id) % worker_count) : 0;
}

unsigned place_account(struct span account, unsigned worker_count)
{
    return worker_count > 1 ? (unsigned)(map_hash(account) % worker_count) : 0;
}
