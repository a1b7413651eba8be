/* SPDX-License-Identifier: Apache-2.0 */
/* STUN on the SIP port: whatever comes, an answer is a success response for that transaction and stays small. */
#include <stdlib.h>
#include <string.h>

#include "sip/keep_stun.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct addr from[2];
    uint8_t out[KEEP_STUN_MAX];

    if (!addr_is_set(&from[0])) {
        addr_parse(&from[0], SPAN("192.0.2.1"), 40000);
        addr_parse(&from[1], SPAN("2001:db8::1"), 40000);
    }
    for (unsigned i = 0; i < 2; i++) {
        int n = keep_stun_answer(out, data, size, &from[i]);

        if (n < 0)
            continue;
        if (n > (i ? 44 : 32) || size < KEEP_STUN_MIN || data[0] != 0 || data[1] != 1 || out[0] != 1 || out[1] != 1 ||
            memcmp(out + 4, data + 4, 16) != 0)
            abort();
    }
    return 0;
}
