/* SPDX-License-Identifier: Apache-2.0 */
/* digest_nonce.c: the nonces that we hand out as a server: time, salt and HMAC(key, time | salt | address) as hex, so
 * that nothing needs to be remembered for a challenge. RFC 7616 section 3.3 and 5.4. The salt keeps two clients behind
 * one address apart, whose nc would collide otherwise. Knows no user and no password. */
#include <stdio.h>

#include "base/rand.h"
#include "sip/digest_hash.h"
#include "sip/grammar.h"

#define TIME_N 10 /* hex digits */
#define SALT_N 16
#define MAC_N  48 /* 192 of 256 bits */
#define ALL_N  (TIME_N + SALT_N + MAC_N)

_Static_assert(ALL_N < DIGEST_NONCE_TEXT_MAX, "a nonce fits its buffer");

/* text holds time and salt; the MAC is written behind them. */
static int add_mac(char text[static DIGEST_NONCE_TEXT_MAX], struct span address)
{
    unsigned char mac[DIGEST_MAC_BYTES];
    char bytes[TIME_N + SALT_N + 128];
    struct span tail = span_sub(address, 0, sizeof(bytes) - TIME_N - SALT_N);
    int err;

    memcpy(bytes, text, TIME_N + SALT_N);
    if (tail.n)
        memcpy(bytes + TIME_N + SALT_N, tail.p, tail.n);
    err = digest_mac(mac, span_make(bytes, TIME_N + SALT_N + tail.n));
    if (!err)
        digest_write_hex(text + TIME_N + SALT_N, mac, MAC_N / 2);
    return err;
}

void digest_nonce_make(char text[static DIGEST_NONCE_TEXT_MAX], uint64_t wall_s, struct span address)
{
    snprintf(text, DIGEST_NONCE_TEXT_MAX, "%010llx%016llx", (unsigned long long)(wall_s & 0xffffffffffu),
             (unsigned long long)rand_u64());
    if (add_mac(text, address))
        text[0] = '\0';
}

static uint64_t read_time(struct span nonce)
{
    uint64_t time_s = 0;

    for (size_t i = 0; i < TIME_N; i++)
        time_s = time_s << 4 | (unsigned)grammar_hex_digit(nonce.p[i]);
    return time_s;
}

static bool is_lower_hex(struct span text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (grammar_hex_digit(text.p[i]) < 0 || (text.p[i] >= 'A' && text.p[i] <= 'F'))
            return false;
    }
    return true;
}

/* A nonce from before a restart has another key: it is foreign, and the client gets a new one all the same. */
enum digest_nonce digest_nonce_check(struct span nonce, uint64_t wall_s, uint64_t life_s, struct span address)
{
    char expected[DIGEST_NONCE_TEXT_MAX];
    uint64_t made_s;

    if (nonce.n != ALL_N || !is_lower_hex(nonce))
        return NONCE_FOREIGN;
    memcpy(expected, nonce.p, TIME_N + SALT_N);
    if (add_mac(expected, address) || !digest_same_hex(nonce, span_make(expected, ALL_N)))
        return NONCE_FOREIGN;
    made_s = read_time(nonce);
    return wall_s > made_s + life_s ? NONCE_STALE : NONCE_GOOD;
}
