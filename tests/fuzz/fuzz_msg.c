/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_msg.c: any bytes as a message. What parses parses again to the same; what can be answered is answered with
 * something that we can read ourselves. */
#include <stdlib.h>

#include "sip/msg.h"
#include "sip/msg_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const struct sip_msg *msg, char *bytes, size_t size)
{
    static struct sip_msg again;
    unsigned status;
    const char *why;

    if (sip_msg_parse(&again, bytes, size, &status, &why) || again.header_count != msg->header_count ||
        again.body.n != msg->body.n)
        abort();
    for (unsigned i = 0; i < msg->header_count; i++) {
        if (!span_eq(msg->header[i].value, again.header[i].value))
            abort();
    }
}

static void check_answer(const struct sip_msg *msg, bool is_good, unsigned status)
{
    static struct sip_msg answer;
    struct text out;
    const char *why;
    unsigned ignored;

    text_init(&out, 4 * SIP_MSG_MAX);
    sip_write_response_head(&out, msg, status, NULL, SPAN("tag-of-ours"));
    sip_write_body(&out, SPAN_NULL, SPAN_NULL);
    if (text_err(&out))
        abort();
    if (is_good && out.len < SIP_MSG_MAX) {
        if (sip_msg_parse(&answer, out.data, out.len, &ignored, &why) || answer.cseq != msg->cseq ||
            !span_eq(answer.call_id, msg->call_id) || answer.via_count != msg->via_count)
            abort();
    }
    text_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sip_msg msg;
    struct sip_walk walk = {0};
    char *bytes = malloc(size ? size : 1);
    struct name_addr addr;
    unsigned status;
    const char *why;
    int err;

    if (!bytes)
        return 0;
    if (size)
        memcpy(bytes, data, size);
    err = sip_msg_parse(&msg, bytes, size, &status, &why);
    if (!err) {
        check_again(&msg, bytes, size);
        while (sip_msg_next_addr(&msg, SIP_H_CONTACT, &walk, &addr) == 1)
            ;
    }
    if (msg.is_request && (!err || status))
        check_answer(&msg, !err, err ? status : 200);
    free(bytes);
    return 0;
}
