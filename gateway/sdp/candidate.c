/* SPDX-License-Identifier: Apache-2.0 */
/* candidate.c: a=candidate, read and written. RFC 8839 section 5.1. Does not know what is done with candidates. */
#include "sdp/candidate.h"

#include <errno.h>

#define WORD_COUNT 8

int candidate_parse(struct sdp_candidate *candidate, struct span value)
{
    struct span words[WORD_COUNT];
    struct sdp_candidate c = {0};
    uint32_t port;
    unsigned n = 0;

    while (value.n && n < WORD_COUNT) {
        struct span word = span_cut(&value, ' ');

        if (word.n)
            words[n++] = word;
    }
    if (n < WORD_COUNT || !span_ieq(words[6], SPAN("typ")))
        return -EBADMSG;
    if (span_to_u32(words[1], 256, &c.component) || span_to_u32(words[3], UINT32_MAX, &c.priority) ||
        span_to_u32(words[5], UINT16_MAX, &port))
        return -EBADMSG;
    c.foundation = words[0];
    c.transport = words[2];
    c.address = words[4];
    c.port = (uint16_t)port;
    c.type = words[7];
    *candidate = c;
    return 0;
}

void candidate_write(struct text *out, const struct sdp_candidate *candidate)
{
    text_add(out, SPAN("a=candidate:"));
    text_add(out, candidate->foundation);
    text_addf(out, " %u ", candidate->component);
    text_add(out, candidate->transport);
    text_addf(out, " %u ", candidate->priority);
    text_add(out, candidate->address);
    text_addf(out, " %u typ ", candidate->port);
    text_add(out, candidate->type);
    text_add(out, SPAN("\r\n"));
}
