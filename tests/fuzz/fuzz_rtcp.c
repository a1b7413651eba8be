/* SPDX-License-Identifier: Apache-2.0 */
/* RTCP compounds: whatever the check lets through can be read to its end. */
#include <stdlib.h>

#include "media/rtcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_part(const struct rtcp_packet *packet)
{
    struct rtcp_sender_info info;
    struct rtcp_report report;

    rtcp_sender(packet);
    rtcp_asks_keyframe(packet, 0x01020304);
    if (packet->type == RTCP_SR)
        rtcp_read_sender_info(&info, packet);
    if (packet->type != RTCP_SR && packet->type != RTCP_RR)
        return;
    for (unsigned i = 0; i < packet->count; i++)
        rtcp_read_report(&report, packet, i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = {(const char *)data, size};
    struct rtcp_packet packet;

    if (rtcp_check(data, size))
        return 0;
    while (rtcp_next(&rest, &packet))
        read_part(&packet);
    if (rest.n)
        abort();
    return 0;
}
