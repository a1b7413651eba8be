/* SPDX-License-Identifier: Apache-2.0 */
/* negotiate_sdes.c: SRTP with keys in SDP for the plain lines of a trunk's leg: which profile a line has, our key, the
 * peer's key. RFC 4568 (SDES), RFC 8643 (keys on an RTP/AVP line, which a peer without SRTP passes over). Knows no
 * browsers.
 *
 *   srtp      we offer                the peer may offer
 *   off       RTP/AVP                 RTP/AVP
 *   offer     RTP/AVP with a=crypto   RTP/SAVP (taken first), RTP/AVP with or without a=crypto
 *   require   RTP/SAVP                RTP/SAVP
 *
 * Once an answer has settled it, a line stays as it is until the peer offers it differently. */
#include <errno.h>

#include "base/mem.h"
#include "base/rand.h"
#include "call/negotiate_private.h"

#define OFFERED_SUITE "AES_CM_128_HMAC_SHA1_80" /* the one that every SDES peer has (RFC 4568 6.2.1) */

static void show_key(struct leg_media *media, unsigned kind)
{
    struct line_sdes *sdes = &media->lines[kind].sdes;
    struct sdp_crypto *crypto = &media->transports[kind]->sdp.crypto;

    *crypto = (struct sdp_crypto){0};
    if (sdes->profile != SDP_PROFILE_PLAIN)
        *crypto = (struct sdp_crypto){.tag = sdes->tag, .suite = span_of(sdes->suite), .keys = span_of(sdes->key_text)};
}

/* Kept for the whole call: the same key again leaves our rollover counter alone. Another suite needs another one. */
static void make_key(struct line_sdes *sdes, const char *suite)
{
    unsigned key_bytes, salt_bytes;

    if (sdes->suite == suite)
        return;
    srtp_suite_bytes(suite, &key_bytes, &salt_bytes);
    sdes->suite = suite;
    sdes->key_bytes = key_bytes + salt_bytes;
    rand_bytes(sdes->key, sdes->key_bytes);
    sdp_crypto_write_key(sdes->key_text, sizeof(sdes->key_text), sdes->key, sdes->key_bytes);
}

/* A line that turns plain: should it be secured again, then with another key, since the counters begin anew. */
static void forget_key(struct line_sdes *sdes)
{
    mem_wipe(sdes->key, sizeof(sdes->key));
    mem_wipe(sdes->key_text, sizeof(sdes->key_text));
    sdes->suite = NULL;
    sdes->profile = SDP_PROFILE_PLAIN;
}

void negotiate_sdes_offer(struct leg_media *media, unsigned kind)
{
    struct line_sdes *sdes = &media->lines[kind].sdes;

    if (!sdes->is_settled) {
        sdes->profile = media->srtp == CONF_SRTP_REQUIRE ? SDP_PROFILE_SDES
                        : media->srtp == CONF_SRTP_OFFER ? SDP_PROFILE_OSRTP
                                                         : SDP_PROFILE_PLAIN;
        sdes->tag = 1;
        if (sdes->profile != SDP_PROFILE_PLAIN)
            make_key(sdes, srtp_suite(SPAN(OFFERED_SUITE)));
    }
    show_key(media, kind);
}

/* ---- the peer's line ---- */

static bool is_secure_proto(struct span proto)
{
    return span_ieq(proto, SPAN("RTP/SAVP")) || span_ieq(proto, SPAN("RTP/SAVPF"));
}

/* @return the crypto line that counts; NULL: none */
static const struct sdp_crypto *pick(const struct sdp_media *said)
{
    int index = sdp_pick_crypto(said);

    return index >= 0 ? &said->crypto[index] : NULL;
}

/* The answer to our offer: the very tag and suite that we offered (RFC 4568 5.1.3). */
static int take_answer(struct line_sdes *sdes, const struct sdp_media *said, const struct sdp_crypto **cryptop,
                       const char **why_out)
{
    const struct sdp_crypto *crypto = sdes->profile == SDP_PROFILE_PLAIN ? NULL : pick(said);

    if (crypto && (crypto->tag != sdes->tag || srtp_suite(crypto->suite) != sdes->suite))
        crypto = NULL;
    if (sdes->profile == SDP_PROFILE_SDES && (!crypto || !is_secure_proto(said->proto))) {
        *why_out = "the answer has no crypto line with the tag and suite of our offer";
        return -ENOENT;
    }
    if (!crypto)
        forget_key(sdes);
    *cryptop = crypto;
    return 0;
}

static int take_offer(struct line_sdes *sdes, enum conf_srtp policy, const struct sdp_media *said,
                      const struct sdp_crypto **cryptop, const char **why_out)
{
    const struct sdp_crypto *crypto = policy == CONF_SRTP_OFF ? NULL : pick(said);
    bool is_secure = is_secure_proto(said->proto);

    if (is_secure && !crypto) {
        *why_out = "no crypto line of the offer can be used (suite, key length, parameters, MKI)";
        return -ENOENT;
    }
    sdes->profile = is_secure ? SDP_PROFILE_SDES : crypto ? SDP_PROFILE_OSRTP : SDP_PROFILE_PLAIN;
    if (!crypto)
        forget_key(sdes);
    else
        make_key(sdes, srtp_suite(crypto->suite));
    sdes->tag = crypto ? crypto->tag : 0;
    *cryptop = crypto;
    return 0;
}

static int set_keys(struct endpoint *endpoint, const struct line_sdes *sdes, const struct sdp_crypto *crypto)
{
    uint8_t peer_key[64];
    int n, err;

    if (!crypto)
        return endpoint_rtp_keys(endpoint, &(struct rtp_keys){0});
    n = sdp_crypto_key(peer_key, crypto);
    err = n < 0 ? n
                : endpoint_rtp_keys(endpoint, &(struct rtp_keys){.suite = span_of(sdes->suite),
                                                                 .local_key = span_make(sdes->key, sdes->key_bytes),
                                                                 .remote_key = span_make(peer_key, (size_t)n)});
    mem_wipe(peer_key, sizeof(peer_key));
    return err;
}

int negotiate_sdes_take(struct leg_media *media, unsigned kind, const struct sdp_media *said, const char **why_out)
{
    struct line_sdes *sdes = &media->lines[kind].sdes;
    const struct sdp_crypto *crypto = NULL;
    int err = media->is_offerer ? take_answer(sdes, said, &crypto, why_out)
                                : take_offer(sdes, media->srtp, said, &crypto, why_out);

    if (err)
        return err;
    sdes->is_settled = true;
    show_key(media, kind);
    err = set_keys(media->lines[kind].endpoint, sdes, crypto);
    if (err)
        *why_out = "the keys of the description cannot be used";
    return err == -ENOMEM ? err : err ? -ENOENT : 0;
}
