/* SPDX-License-Identifier: Apache-2.0 */
/* rtcp.c: RTCP compound packets: checked whole first, then read part by part; and written. RFC 3550 section 6, RFC
 * 4585, RFC 5104, RFC 5506. Pure functions over bytes: knows no stream, no clock. */
#include "media/rtcp.h"

#include <errno.h>
#include <string.h>

#include "media/rtp.h"

#define HEADER_BYTES      4
#define SENDER_INFO_BYTES 24 /* with the SSRC */
#define REPORT_BYTES      24

/* ---- reading ---- */

/* Each chunk: an SSRC, items of type, length and text, ended by a zero and filled up to four bytes. RFC 3550 6.5 */
static bool sdes_is_good(struct span body, unsigned chunk_count)
{
    size_t at = 0;

    for (unsigned i = 0; i < chunk_count; i++) {
        if (body.n - at < 8)
            return false;
        at += 4;
        while (at < body.n && body.p[at]) {
            if (body.n - at < 2)
                return false;
            at += 2 + (size_t)(uint8_t)body.p[at + 1];
        }
        if (at >= body.n)
            return false;
        at = (at + 4) & ~(size_t)3;
        if (at > body.n)
            return false;
    }
    return true;
}

static bool fir_is_good(struct span body)
{
    return body.n >= 16 && (body.n - 8) % 8 == 0;
}

static bool body_is_good(const struct rtcp_packet *packet)
{
    size_t n = packet->body.n;

    switch (packet->type) {
    case RTCP_SR:
        return n >= SENDER_INFO_BYTES + (size_t)REPORT_BYTES * packet->count;
    case RTCP_RR:
        return n >= 4 + (size_t)REPORT_BYTES * packet->count;
    case RTCP_SDES:
        return sdes_is_good(packet->body, packet->count);
    case RTCP_BYE:
        return n >= (size_t)4 * packet->count;
    case RTCP_APP:
        return n >= 8;
    case RTCP_RTPFB:
        return n >= 8;
    case RTCP_PSFB:
        return packet->count == RTCP_FIR ? fir_is_good(packet->body) : n >= 8;
    default:
        return true; /* unknown types are skipped: RFC 3550 6.1 */
    }
}

static bool may_come_first(uint8_t type)
{
    return type == RTCP_SR || type == RTCP_RR || type == RTCP_RTPFB || type == RTCP_PSFB;
}

/* The part at the front of rest, its length checked against what is there. */
static int parse_part(struct rtcp_packet *packet, struct span rest, size_t *part_bytesp)
{
    const uint8_t *bytes = (const uint8_t *)rest.p;
    size_t part_bytes, padding_bytes = 0;

    if (rest.n < HEADER_BYTES || bytes[0] >> 6 != 2)
        return -EBADMSG;
    part_bytes = (size_t)4 * (rtp_get_u16(bytes + 2) + 1u);
    if (part_bytes > rest.n)
        return -EBADMSG;
    if (bytes[0] & 0x20) {
        padding_bytes = bytes[part_bytes - 1];
        if (!padding_bytes || padding_bytes % 4 || padding_bytes > part_bytes - HEADER_BYTES || part_bytes != rest.n)
            return -EBADMSG;
    }
    packet->type = bytes[1];
    packet->count = bytes[0] & 0x1f;
    packet->body = span_make(bytes + HEADER_BYTES, part_bytes - HEADER_BYTES - padding_bytes);
    *part_bytesp = part_bytes;
    return 0;
}

int rtcp_check(const uint8_t *bytes, size_t n)
{
    struct span rest = span_make(bytes, n);
    struct rtcp_packet packet;
    size_t part_bytes;

    if (n < HEADER_BYTES || !may_come_first(bytes[1]))
        return -EBADMSG;
    while (rest.n) {
        if (parse_part(&packet, rest, &part_bytes) || !body_is_good(&packet))
            return -EBADMSG;
        rest = span_sub(rest, part_bytes, rest.n);
    }
    return 0;
}

bool rtcp_next(struct span *rest, struct rtcp_packet *packet)
{
    size_t part_bytes;

    if (!rest->n || parse_part(packet, *rest, &part_bytes))
        return false;
    *rest = span_sub(*rest, part_bytes, rest->n);
    return true;
}

static const uint8_t *at(const struct rtcp_packet *packet, size_t offset)
{
    return (const uint8_t *)packet->body.p + offset;
}

uint32_t rtcp_sender(const struct rtcp_packet *packet)
{
    return packet->body.n >= 4 ? rtp_get_u32(at(packet, 0)) : 0;
}

void rtcp_read_sender_info(struct rtcp_sender_info *info, const struct rtcp_packet *sr)
{
    info->ssrc = rtp_get_u32(at(sr, 0));
    info->ntp = (uint64_t)rtp_get_u32(at(sr, 4)) << 32 | rtp_get_u32(at(sr, 8));
    info->timestamp = rtp_get_u32(at(sr, 12));
    info->packets = rtp_get_u32(at(sr, 16));
    info->bytes = rtp_get_u32(at(sr, 20));
}

void rtcp_read_report(struct rtcp_report *report, const struct rtcp_packet *packet, unsigned i)
{
    const uint8_t *p = at(packet, (packet->type == RTCP_SR ? SENDER_INFO_BYTES : 4) + (size_t)REPORT_BYTES * i);
    uint32_t lost = rtp_get_u32(p + 4) & 0xffffff;

    report->ssrc = rtp_get_u32(p);
    report->fraction_lost = p[4];
    report->lost = lost & 0x800000 ? (int32_t)lost - 0x1000000 : (int32_t)lost;
    report->highest_seq = rtp_get_u32(p + 8);
    report->jitter = rtp_get_u32(p + 12);
    report->lsr = rtp_get_u32(p + 16);
    report->dlsr = rtp_get_u32(p + 20);
}

bool rtcp_asks_keyframe(const struct rtcp_packet *packet, uint32_t ssrc)
{
    if (packet->type != RTCP_PSFB || packet->body.n < 8)
        return false;
    if (packet->count == RTCP_PLI)
        return rtp_get_u32(at(packet, 4)) == ssrc;
    if (packet->count != RTCP_FIR)
        return false;
    for (size_t offset = 8; offset + 8 <= packet->body.n; offset += 8)
        if (rtp_get_u32(at(packet, offset)) == ssrc)
            return true;
    return false;
}

/* ---- writing ---- */

/* Room for one part with its header written; NULL when it does not fit. */
static uint8_t *add_part(struct rtcp_writer *writer, unsigned count, enum rtcp_type type, size_t body_bytes)
{
    uint8_t *part = writer->bytes + writer->len;

    if (writer->is_full || writer->size_bytes - writer->len < HEADER_BYTES + body_bytes) {
        writer->is_full = true;
        return NULL;
    }
    part[0] = (uint8_t)(0x80 | count);
    part[1] = (uint8_t)type;
    rtp_put_u16(part + 2, (uint16_t)(body_bytes / 4));
    memset(part + HEADER_BYTES, 0, body_bytes);
    writer->len += HEADER_BYTES + body_bytes;
    return part + HEADER_BYTES;
}

static void put_report(uint8_t *p, const struct rtcp_report *report)
{
    rtp_put_u32(p, report->ssrc);
    rtp_put_u32(p + 4, (uint32_t)report->fraction_lost << 24 | ((uint32_t)report->lost & 0xffffff));
    rtp_put_u32(p + 8, report->highest_seq);
    rtp_put_u32(p + 12, report->jitter);
    rtp_put_u32(p + 16, report->lsr);
    rtp_put_u32(p + 20, report->dlsr);
}

void rtcp_write_sr(struct rtcp_writer *writer, const struct rtcp_sender_info *info, const struct rtcp_report *report)
{
    uint8_t *p = add_part(writer, report != NULL, RTCP_SR, SENDER_INFO_BYTES + (report ? REPORT_BYTES : 0));

    if (!p)
        return;
    rtp_put_u32(p, info->ssrc);
    rtp_put_u32(p + 4, (uint32_t)(info->ntp >> 32));
    rtp_put_u32(p + 8, (uint32_t)info->ntp);
    rtp_put_u32(p + 12, info->timestamp);
    rtp_put_u32(p + 16, info->packets);
    rtp_put_u32(p + 20, info->bytes);
    if (report)
        put_report(p + SENDER_INFO_BYTES, report);
}

void rtcp_write_rr(struct rtcp_writer *writer, uint32_t ssrc, const struct rtcp_report *report)
{
    uint8_t *p = add_part(writer, report != NULL, RTCP_RR, 4 + (report ? REPORT_BYTES : 0));

    if (!p)
        return;
    rtp_put_u32(p, ssrc);
    if (report)
        put_report(p + 4, report);
}

void rtcp_write_cname(struct rtcp_writer *writer, uint32_t ssrc, struct span cname)
{
    size_t text_bytes = cname.n < 255 ? cname.n : 255;
    uint8_t *p = add_part(writer, 1, RTCP_SDES, (4 + 2 + text_bytes + 1 + 3) & ~(size_t)3);

    if (!p)
        return;
    rtp_put_u32(p, ssrc);
    p[4] = 1; /* CNAME */
    p[5] = (uint8_t)text_bytes;
    memcpy(p + 6, cname.p, text_bytes);
}

void rtcp_write_bye(struct rtcp_writer *writer, uint32_t ssrc)
{
    uint8_t *p = add_part(writer, 1, RTCP_BYE, 4);

    if (p)
        rtp_put_u32(p, ssrc);
}

void rtcp_write_pli(struct rtcp_writer *writer, uint32_t ssrc, uint32_t media_ssrc)
{
    uint8_t *p = add_part(writer, RTCP_PLI, RTCP_PSFB, 8);

    if (!p)
        return;
    rtp_put_u32(p, ssrc);
    rtp_put_u32(p + 4, media_ssrc);
}

void rtcp_write_fir(struct rtcp_writer *writer, uint32_t ssrc, uint32_t media_ssrc, uint8_t command)
{
    uint8_t *p = add_part(writer, RTCP_FIR, RTCP_PSFB, 16);

    if (!p)
        return;
    rtp_put_u32(p, ssrc);
    rtp_put_u32(p + 8, media_ssrc); /* the common part's media SSRC is 0: RFC 5104 4.3.1.2 */
    p[12] = command;
}
