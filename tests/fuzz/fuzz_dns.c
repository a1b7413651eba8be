/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_dns.c: any bytes as a name server's answer about SRV and NAPTR records. What comes of them is bounded and
 * NUL-ended. */
#include <stdlib.h>

#include "base/mem.h"
#include "net/dns_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct dns_records *records)
{
    if (!records->count || records->count > DNS_RECORD_MAX || records->ttl_s < 5 || records->ttl_s > 86400)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dns_records records;

    if (!dns_take_srvs(&records, data, (int)size)) {
        const struct dns_srv *srvs = records.items;

        check(&records);
        for (unsigned i = 0; i < records.count; i++)
            if (!memchr(srvs[i].target, '\0', sizeof(srvs[i].target)))
                abort();
        mem_unref(records.items);
    }
    if (!dns_take_naptrs(&records, data, (int)size)) {
        const struct dns_naptr *naptrs = records.items;

        check(&records);
        for (unsigned i = 0; i < records.count; i++)
            if (!memchr(naptrs[i].replacement, '\0', sizeof(naptrs[i].replacement)) ||
                !memchr(naptrs[i].service, '\0', sizeof(naptrs[i].service)))
                abort();
        mem_unref(records.items);
    }
    return 0;
}
