/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

/* rtcp.h: RTCP compound packets, read and written. RFC 3550 section 6, RFC 4585 section 6, RFC 5104 section 4.3.1. */

enum rtcp_type {
    RTCP_SR = 200,
    RTCP_RR = 201,
    RTCP_SDES = 202,
    RTCP_BYE = 203,
    RTCP_APP = 204,
    RTCP_RTPFB = 205,
    RTCP_PSFB = 206,
    RTCP_XR = 207,
};
enum rtcp_format { RTCP_NACK = 1, RTCP_PLI = 1, RTCP_FIR = 4 };

struct rtcp_packet {
    uint8_t type;
    uint8_t count;    /* reports, sources, or the feedback's format */
    struct span body; /* behind the common header, without padding; borrowed */
};

struct rtcp_sender_info {
    uint32_t ssrc;
    uint64_t ntp;
    uint32_t timestamp, packets, bytes;
};

struct rtcp_report {
    uint32_t ssrc;
    uint8_t fraction_lost; /* of 256 */
    int32_t lost;          /* 24 bits, signed */
    uint32_t highest_seq, jitter, lsr, dlsr;
};

/** Is this one well-formed compound packet: each part's version, length, and its content's least length? The first part
 * must be a report, or a feedback message alone (RFC 5506); only the last part may have padding. @return 0; -EBADMSG */
int rtcp_check(const uint8_t *bytes, size_t n);

/** Take the next part off *rest, which rtcp_check() has found good. @return false at the end */
bool rtcp_next(struct span *rest, struct rtcp_packet *packet);

/** SSRC of who sent this part (not for SDES). */
uint32_t rtcp_sender(const struct rtcp_packet *packet);
void rtcp_read_sender_info(struct rtcp_sender_info *info, const struct rtcp_packet *sr);
/** Report i of packet->count of an SR or RR. */
void rtcp_read_report(struct rtcp_report *report, const struct rtcp_packet *packet, unsigned i);
/** Is it a PLI or FIR that asks the source `ssrc` for a whole picture? */
bool rtcp_asks_keyframe(const struct rtcp_packet *packet, uint32_t ssrc);

/* Writing: parts are added one after the other; the first that does not fit sets is_full, and nothing is added any
 * more. */
struct rtcp_writer {
    uint8_t *bytes;
    size_t len, size_bytes;
    bool is_full;
};
static inline void rtcp_writer_init(struct rtcp_writer *writer, void *bytes, size_t size_bytes)
{
    *writer = (struct rtcp_writer){.bytes = bytes, .size_bytes = size_bytes};
}
/** @param report NULL: no report block */
void rtcp_write_sr(struct rtcp_writer *writer, const struct rtcp_sender_info *info, const struct rtcp_report *report);
void rtcp_write_rr(struct rtcp_writer *writer, uint32_t ssrc, const struct rtcp_report *report);
/** SDES with the one item CNAME. @param cname at most 255 bytes */
void rtcp_write_cname(struct rtcp_writer *writer, uint32_t ssrc, struct span cname);
void rtcp_write_bye(struct rtcp_writer *writer, uint32_t ssrc);
void rtcp_write_pli(struct rtcp_writer *writer, uint32_t ssrc, uint32_t media_ssrc);
/** @param command number, risen by one with each new request. RFC 5104 4.3.1.1 */
void rtcp_write_fir(struct rtcp_writer *writer, uint32_t ssrc, uint32_t media_ssrc, uint8_t command);
