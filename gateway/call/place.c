/* SPDX-License-Identifier: Apache-2.0 */
/* place.c: which worker owns a new request. A pure function of the message and the snapshot. */
#include "call/place.h"

#include "base/map.h"
#include "call/identity.h"

unsigned place_call(const struct sip_msg *msg, unsigned worker_count)
{
    return worker_count > 1 ? (unsigned)(map_hash(msg->call_id) % worker_count) : 0;
}

unsigned place_account(struct span account, unsigned worker_count)
{
    return worker_count > 1 ? (unsigned)(map_hash(account) % worker_count) : 0;
}

unsigned place_event(const struct sip_msg *msg, const struct directory *directory, unsigned worker_count)
{
    const struct conf_account *account = NULL;
    char user[ROUTE_NUMBER_MAX];

    if (!identity_take_dialled(user, &msg->uri))
        account = directory_account_called(directory, span_of(user));
    return account ? place_account(span_of(account->name), worker_count) : place_call(msg, worker_count);
}
