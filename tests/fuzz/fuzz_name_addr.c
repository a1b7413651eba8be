/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_name_addr.c: any bytes as a list of name-addrs. A display name that decodes is the same after writing and
 * parsing. */
#include <stdlib.h>

#include "sip/name_addr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(const struct name_addr *addr)
{
    char display[1024], again_display[1024];
    struct name_addr again;
    struct text out;

    if (addr->is_star || name_addr_display(addr, display, sizeof(display)) < 0)
        return;
    text_init(&out, 100000);
    name_addr_write_display(&out, span_of(display));
    text_addf(&out, "<%.*s>", SPAN_ARG(addr->uri_text));
    if (name_addr_parse(&again, text_span(&out)) || !uri_same(&addr->uri, &again.uri) ||
        name_addr_display(&again, again_display, sizeof(again_display)) < 0 || strcmp(display, again_display) != 0)
        abort();
    text_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = span_make(data, size);
    struct name_addr addr;
    int next;

    while ((next = name_addr_next(&addr, &rest)) != 0) {
        if (next < 0)
            continue;
        name_addr_tag(&addr);
        check_round_trip(&addr);
    }
    return 0;
}
