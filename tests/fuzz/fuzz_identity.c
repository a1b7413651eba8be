/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_identity.c: any bytes as headers of a trunk's INVITE. Whatever is read from them, the headers that are written
 * for another trunk are headers that we can read ourselves, each of a kind that we meant to write. */
#include <stdlib.h>

#include "call/diversion.h"
#include "call/identity.h"
#include "call/trunk_headers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEAD                                                                                                           \
    "INVITE sip:1@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKx\r\nFrom: <sip:1@x>;tag=a\r\n"        \
    "To: <sip:1@x>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n"

static bool is_meant(const struct sip_header *header)
{
    return header->id == SIP_H_P_ASSERTED_IDENTITY || header->id == SIP_H_P_PREFERRED_IDENTITY ||
           header->id == SIP_H_REMOTE_PARTY_ID || header->id == SIP_H_PRIVACY || header->id == SIP_H_DIVERSION ||
           header->id == SIP_H_HISTORY_INFO || header->id == SIP_H_SUBJECT || span_ieq(header->name, SPAN("X-Ref"));
}

/* Every header behind those of HEAD is one of ours, and names no host but ours. */
static void check(const struct text *written)
{
    static struct sip_msg again;
    struct text out;
    const char *why;
    unsigned status;

    text_init(&out, 4 * SIP_MSG_MAX);
    text_add_str(&out, HEAD);
    text_add(&out, text_span(written));
    text_add_str(&out, "Content-Length: 0\r\n\r\n");
    if (text_err(written) || text_err(&out) || sip_msg_parse(&again, out.data, out.len, &status, &why))
        abort();
    for (unsigned i = 5; i + 1 < again.header_count; i++) {
        struct sip_header *header = &again.header[i];
        struct sip_walk walk = {0};
        struct name_addr addr;
        int more;

        if (!is_meant(header))
            abort();
        if (header->id == SIP_H_PRIVACY || header->id == SIP_H_SUBJECT || header->id == SIP_H_OTHER)
            continue;
        while ((more = sip_msg_next_addr(&again, header->id, &walk, &addr)) > 0)
            if (!span_eq(addr.uri.host, SPAN("ours.example")))
                abort();
        if (more < 0)
            abort();
    }
    text_free(&out);
}

static void write_all(struct text *out, const struct sip_msg *msg, unsigned policy)
{
    static char ref[] = "X-Ref", subject[] = "Subject";
    static const struct conf_rules none;
    char *names[] = {ref, subject};
    struct identity identity;

    identity_of_trunk(&identity, msg);
    identity_write_headers(out, CONF_PAI | CONF_PPI | CONF_RPID, &identity, "ours.example");
    diversion_write(out, msg,
                    &(struct diversion_options){.policy = (enum conf_diversion)(policy % 3),
                                                .in = &none,
                                                .out = &none,
                                                .domain = "ours.example",
                                                .target = "100"});
    trunk_headers_pass(out, &(struct conf_strings){names, 2}, msg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sip_msg msg;
    struct text in, out;
    const char *why;
    unsigned status;

    if (size < 1 || size > 16384)
        return 0;
    text_init(&in, 2 * SIP_MSG_MAX);
    text_init(&out, 2 * SIP_MSG_MAX);
    text_add_str(&in, HEAD);
    text_add(&in, span_make(data + 1, size - 1));
    text_add_str(&in, "\r\n\r\n");
    if (!sip_msg_parse(&msg, in.data, in.len, &status, &why)) {
        write_all(&out, &msg, data[0]);
        check(&out);
    }
    text_free(&in);
    text_free(&out);
    return 0;
}
