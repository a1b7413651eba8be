/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_via.c: any bytes as a list of Vias. All spans stay within the input. */
#include <stdlib.h>

#include "sip/via.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct span part, struct span all)
{
    if (part.n && (part.p < all.p || part.p + part.n > all.p + all.n))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span all = span_make(data, size), rest = all;
    struct via via;
    int next;

    while ((next = via_next(&via, &rest)) != 0) {
        if (next < 0)
            continue;
        check_inside(via.host, all);
        check_inside(via.branch, all);
        check_inside(via.received, all);
        check_inside(via.params, all);
    }
    return 0;
}
