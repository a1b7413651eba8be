/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_framing.c: any bytes as a stream. The first byte tells where it is cut in two: the same events come out as from
 * the whole, and a message that was framed has the body that the parser sees, or is refused by it. */
#include <stdlib.h>

#include "sip/framing.h"
#include "sip/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct events {
    unsigned count;
    uint64_t sum; /* over kind and length of each */
    size_t left;  /* bytes not used up */
    bool is_closed;
    struct framing_hint hint;
};

static void check_message(struct span message)
{
    static struct sip_msg msg;
    char *copy = malloc(message.n);
    unsigned status;
    const char *why;

    if (!copy)
        abort();
    memcpy(copy, message.p, message.n);
    if (sip_msg_parse(&msg, copy, message.n, &status, &why) == 0 && msg.raw.n != message.n)
        abort();
    free(copy);
}

static void read_stream(struct events *events, struct span bytes)
{
    enum framing framing;
    struct span message;
    size_t used;

    while ((framing = framing_next_hinted(bytes, &events->hint, &message, &used)) != FRAMING_MORE &&
           framing != FRAMING_TOO_LONG) {
        if (used == 0 || used > bytes.n)
            abort();
        if (framing == FRAMING_MESSAGE)
            check_message(message);
        events->count++;
        events->sum = events->sum * 31 + (uint64_t)framing * 100003 + used;
        bytes = span_make(bytes.p + used, bytes.n - used);
        events->is_closed = framing == FRAMING_BAD_LENGTH;
        if (events->is_closed)
            break;
    }
    events->left = bytes.n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct events whole = {0}, cut = {0};
    struct span all;
    size_t at;

    if (size < 2 || size > SIP_MSG_MAX)
        return 0;
    all = span_make(data + 1, size - 1);
    at = all.n * data[0] / 256;
    read_stream(&whole, all);
    read_stream(&cut, span_sub(all, 0, at));
    if (!cut.is_closed)
        read_stream(&cut, span_sub(all, at - cut.left, all.n - at + cut.left));
    if (whole.count != cut.count || whole.sum != cut.sum || whole.is_closed != cut.is_closed)
        abort();
    if (!whole.is_closed && whole.left != cut.left)
        abort();
    return 0;
}
