/* SPDX-License-Identifier: Apache-2.0 */
/* h264_fmtp.c: comparing H.264 format parameters. RFC 6184 section 8.1, table 5: several bit patterns name one profile.
 */
#include "sdp/h264_fmtp.h"

static const struct {
    uint8_t idc, mask, value; /* profile_idc; which bits of profile_iop count, and what they are */
    char profile;
} patterns[] = {
    {0x42, 0x4f, 0x40, 'c'}, {0x4d, 0x8f, 0x80, 'c'}, {0x58, 0xcf, 0xc0, 'c'}, /* constrained baseline */
    {0x42, 0x4f, 0x00, 'b'}, {0x58, 0xcf, 0x80, 'b'},                          /* baseline */
    {0x4d, 0xaf, 0x00, 'm'},                                                   /* main */
    {0x58, 0xcf, 0x00, 'e'},                                                   /* extended */
    {0x64, 0xff, 0x00, 'h'}, {0x64, 0xff, 0x0c, 'C'},                          /* high, constrained high */
};

/* The value of one parameter, or what stands if it is not there. */
static struct span parameter(struct span fmtp, struct span name, struct span otherwise)
{
    while (fmtp.n) {
        struct span value = span_trim(span_cut(&fmtp, ';'));

        if (span_ieq(span_trim(span_cut(&value, '=')), name))
            return span_trim(value);
    }
    return otherwise;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 0;
}

/* A number that is equal for equal profiles. */
static int profile_of(struct span fmtp)
{
    struct span text = parameter(fmtp, SPAN("profile-level-id"), SPAN("420010"));
    int idc, iop;

    if (text.n != 6)
        return -1;
    idc = hex_digit(text.p[0]) << 4 | hex_digit(text.p[1]);
    iop = hex_digit(text.p[2]) << 4 | hex_digit(text.p[3]);
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        if (idc == patterns[i].idc && (iop & patterns[i].mask) == patterns[i].value)
            return patterns[i].profile;
    }
    return 0x10000 | idc << 8 | iop;
}

bool h264_fmtp_same(struct span left, struct span right)
{
    struct span mode = SPAN("packetization-mode"), none = SPAN("0");

    return profile_of(left) == profile_of(right) && span_eq(parameter(left, mode, none), parameter(right, mode, none));
}
