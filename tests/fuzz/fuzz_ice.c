/* SPDX-License-Identifier: Apache-2.0 */
/* Connectivity checks: unknown users get nothing, and no answer is larger than what asked for it. */
#include <stdlib.h>

#include "media/lite_stun.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int owner;

static struct span password_of(void *arg, struct span ufrag, void **ownerp)
{
    if (!span_eq(ufrag, SPAN("ours")))
        return SPAN_NULL;
    *ownerp = &owner;
    return SPAN("ourpasswordourpassword");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct lite_stun stun;
    static struct addr from;
    struct lite_check check;
    int err;

    if (!stun.password_of) {
        lite_stun_init(&stun, password_of, NULL);
        addr_parse(&from, SPAN("192.0.2.1"), 40000);
    }
    err = lite_stun_receive(&stun, data, size, &from, &check);
    if (check.is_valid && (err || check.owner != &owner || !check.reply_bytes))
        abort();
    if (check.reply_bytes > sizeof(check.reply) || (err && check.reply_bytes > size + 32))
        abort();
    return 0;
}
