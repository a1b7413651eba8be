/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_refer.c: any bytes as Refer-To and as Replaces. A Replaces that is taken is the same after writing and parsing,
 * and holds nothing that could end a header. */
#include <stdlib.h>

#include "sip/refer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(const struct replaces *replaces)
{
    struct replaces again;
    struct text out;

    text_init(&out, 10000);
    replaces_write(&out, replaces);
    if (replaces_parse(&again, text_span(&out)) || strcmp(again.call_id, replaces->call_id) != 0 ||
        strcmp(again.to_tag, replaces->to_tag) != 0 || strcmp(again.from_tag, replaces->from_tag) != 0 ||
        again.is_early_only != replaces->is_early_only || strpbrk(out.data, "\r\n"))
        abort();
    text_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sip_msg msg;
    struct refer_target target = {0};
    struct replaces replaces = {0};
    const char *why;

    msg.header_count = 1;
    msg.header[0] = (struct sip_header){.id = SIP_H_REFER_TO, .value = span_make(data, size)};
    if (!refer_target_parse(&target, &msg, &why) && target.has_replaces)
        check_round_trip(&target.replaces);
    if (!replaces_parse(&replaces, span_make(data, size)))
        check_round_trip(&replaces);
    return 0;
}
