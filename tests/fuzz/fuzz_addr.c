/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_addr.c: addresses and networks from text; what is taken must survive being written and read again. */
#include <stdlib.h>

#include "net/addr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = span_make(data, size);
    char buf[ADDR_TEXT_MAX];
    struct addr addr, again;
    struct cidr cidr;

    if (addr_parse(&addr, text, 5060) == 0 &&
        (addr_parse(&again, span_of(addr_host_text(&addr, buf)), 5060) || !addr_eq(&addr, &again)))
        abort();
    if (cidr_parse(&cidr, text) == 0 && !cidr_has(&cidr, &cidr.base))
        abort();
    return 0;
}
