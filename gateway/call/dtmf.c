/* SPDX-License-Identifier: Apache-2.0 */
/* dtmf.c: a pressed key as the body of an INFO, read and written. Pure. */
#include "call/dtmf.h"

#define DURATION_MS 160 /* where none is said */

static const char names[] = "0123456789*#ABCD";

/* Some write the number of the event, 10 for * and 11 for #. */
static bool parse_signal(unsigned *event, struct span text)
{
    uint32_t number;

    text = span_trim(text);
    for (unsigned i = 0; text.n == 1 && names[i]; i++) {
        if (text.p[0] != names[i] && text.p[0] != (names[i] | 0x20))
            continue;
        *event = i;
        return true;
    }
    if (text.n != 2 || span_to_u32(text, 15, &number))
        return false;
    *event = number;
    return true;
}

static bool parse_relay(struct dtmf *out, struct span body)
{
    bool has_signal = false;

    while (body.n) {
        struct span value = span_cut(&body, '\n');
        struct span name = span_trim(span_cut(&value, '='));
        uint32_t ms;

        if (span_ieq(name, SPAN("Signal")))
            has_signal = parse_signal(&out->event, value);
        else if (span_ieq(name, SPAN("Duration")) && !span_to_u32(span_trim(value), 100000, &ms))
            out->duration_ms = ms;
    }
    return has_signal;
}

bool dtmf_parse(struct dtmf *out, struct span content_type, struct span body)
{
    struct span type = span_trim(span_cut(&content_type, ';'));

    out->duration_ms = DURATION_MS;
    if (span_ieq(type, DTMF_TYPE))
        return parse_relay(out, body);
    return span_ieq(type, SPAN("application/dtmf")) && parse_signal(&out->event, body);
}

void dtmf_write(struct text *out, const struct dtmf *dtmf)
{
    text_addf(out, "Signal=%c\r\nDuration=%u\r\n", names[dtmf->event & 15], dtmf->duration_ms);
}
