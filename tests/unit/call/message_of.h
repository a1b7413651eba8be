/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* message_of.h: an INVITE with some header lines, parsed. Include after cmocka.h. */

#include <stdio.h>

#include "sip/msg.h"

/** @param from value of From; lines: whole header lines, CRLF each. Valid until the next call. */
static inline const struct sip_msg *message_of(const char *from, const char *lines)
{
    static char bytes[16384];
    static struct sip_msg msg;
    const char *why = "";
    unsigned status = 0;
    int n = snprintf(bytes, sizeof(bytes),
                     "INVITE sip:100@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKx\r\n"
                     "From: %s;tag=a\r\nTo: <sip:100@192.0.2.1>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n%s"
                     "Content-Length: 0\r\n\r\n",
                     from, lines);

    if (sip_msg_parse(&msg, bytes, (size_t)n, &status, &why))
        fail_msg("%u %s", status, why);
    return &msg;
}
