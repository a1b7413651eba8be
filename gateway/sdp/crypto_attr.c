/* SPDX-License-Identifier: Apache-2.0 */
/* crypto_attr.c: a=crypto, read, written, and which of several can be used. RFC 4568, RFC 7714 (AEAD).
 * Knows the key lengths of the suites that the media side has, has never seen an SRTP packet. No MKI: a line that needs
 * one is passed over. */
#include "sdp/crypto_attr.h"

#include <errno.h>

#include "base/mem.h"
#include "sdp/negotiation.h"

#define KEY_BYTES_MAX 64

static const struct {
    struct span name;
    int key_bytes; /* master key and salt */
} suites[] = {
    {SPAN("AEAD_AES_256_GCM"), 44},
    {SPAN("AEAD_AES_128_GCM"), 28},
    {SPAN("AES_CM_128_HMAC_SHA1_80"), 30},
};

int crypto_attr_parse(struct sdp_crypto *crypto, struct span value)
{
    struct sdp_crypto c = {0};

    value = span_trim(value);
    if (span_to_u32(span_cut(&value, ' '), 999999999, &c.tag))
        return -EBADMSG;
    value = span_trim(value);
    c.suite = span_cut(&value, ' ');
    value = span_trim(value);
    c.keys = span_cut(&value, ' ');
    c.session_params = span_trim(value);
    if (c.suite.n == 0 || !span_istarts(c.keys, SPAN("inline:")))
        return -EBADMSG;
    *crypto = c;
    return 0;
}

void crypto_attr_write(struct text *out, const struct sdp_crypto *crypto)
{
    text_addf(out, "a=crypto:%u ", crypto->tag);
    text_add(out, crypto->suite);
    text_add_char(out, ' ');
    text_add(out, crypto->keys);
    if (crypto->session_params.n) {
        text_add_char(out, ' ');
        text_add(out, crypto->session_params);
    }
    text_add(out, SPAN("\r\n"));
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* RFC 4648 section 4; some peers leave the padding away. @return bytes, -EBADMSG */
static int base64_decode(uint8_t *out, size_t size_bytes, struct span in)
{
    uint32_t bits = 0;
    unsigned bit_count = 0;
    size_t n = 0;

    for (unsigned pads = 0; in.n && in.p[in.n - 1] == '=' && pads < 2; pads++)
        in.n--;
    if (in.n % 4 == 1)
        return -EBADMSG;
    for (size_t i = 0; i < in.n; i++) {
        int digit = base64_digit(in.p[i]);

        if (digit < 0)
            return -EBADMSG;
        bits = (bits << 6 | (uint32_t)digit) & 0xffff;
        bit_count += 6;
        if (bit_count < 8)
            continue;
        bit_count -= 8;
        if (n >= size_bytes)
            return -EBADMSG;
        out[n++] = (uint8_t)(bits >> bit_count);
    }
    return (int)n;
}

int sdp_crypto_write_key(char *text, size_t size_bytes, const uint8_t *key, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t at = 7;

    if (size_bytes < 7 + (n + 2) / 3 * 4 + 1)
        return -ENOSPC;
    memcpy(text, "inline:", 7);
    for (size_t i = 0; i < n; i += 3) {
        uint32_t bits =
            (uint32_t)key[i] << 16 | (uint32_t)(i + 1 < n ? key[i + 1] : 0) << 8 | (i + 2 < n ? key[i + 2] : 0);

        text[at++] = digits[bits >> 18];
        text[at++] = digits[bits >> 12 & 63];
        text[at++] = i + 1 < n ? digits[bits >> 6 & 63] : '=';
        text[at++] = i + 2 < n ? digits[bits & 63] : '=';
    }
    text[at] = '\0';
    return (int)at;
}

/* "1048576" or "2^20". RFC 4568 section 6.1. */
static bool is_lifetime(struct span s)
{
    uint64_t value;

    if (span_starts(s, SPAN("2^")))
        return span_to_u64(span_sub(s, 2, s.n), 48, &value) == 0;
    return span_to_u64(s, UINT64_C(1) << 48, &value) == 0 && value > 0;
}

/* The base64 part of a lone key without MKI; the empty span otherwise. */
static struct span lone_key(const struct sdp_crypto *crypto)
{
    struct span rest = crypto->keys, key;

    if (!span_istarts(rest, SPAN("inline:")) || span_find(rest, ';') >= 0)
        return SPAN_NULL;
    rest = span_sub(rest, 7, rest.n);
    key = span_cut(&rest, '|');
    if (rest.n && !is_lifetime(rest))
        return SPAN_NULL; /* "|1:4" or "|2^20|1:4": an MKI */
    return key;
}

/* A window hint asks for nothing, and "-" marks what may be ignored. RFC 4568 section 6.3.6, 6.3.7. */
static bool can_ignore_params(struct span params)
{
    while (params.n) {
        struct span param = span_cut(&params, ' ');

        if (param.n && param.p[0] != '-' && !span_istarts(param, SPAN("WSH=")))
            return false;
    }
    return true;
}

int sdp_crypto_key(uint8_t key[static 64], const struct sdp_crypto *crypto)
{
    struct span text = lone_key(crypto);

    return text.n ? base64_decode(key, KEY_BYTES_MAX, text) : -EBADMSG;
}

static bool can_use(const struct sdp_crypto *crypto)
{
    uint8_t key[KEY_BYTES_MAX];
    bool is_usable = false;

    if (!can_ignore_params(crypto->session_params))
        return false;
    for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
        if (span_ieq(crypto->suite, suites[i].name))
            is_usable = sdp_crypto_key(key, crypto) == suites[i].key_bytes;
    }
    mem_wipe(key, sizeof(key));
    return is_usable;
}

int sdp_pick_crypto(const struct sdp_media *media)
{
    for (unsigned i = 0; i < media->crypto_count; i++) {
        if (can_use(&media->crypto[i]))
            return (int)i;
    }
    return -ENOENT;
}
