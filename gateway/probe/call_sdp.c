/* SPDX-License-Identifier: Apache-2.0 */
/* call_sdp.c: writes the offer of the test call and reads the answer. One audio line; RTP/AVP, RTP/SAVP or RTP/AVP with
 * a key, as the trunk's `srtp` wants it (RFC 4568, RFC 8643). */
#include "probe/call_sdp.h"

#include <errno.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/rand.h"
#include "media/srtp_ctx.h"

#define SUITE "AES_CM_128_HMAC_SHA1_80" /* the one that every SDES peer has (RFC 4568 6.2.1) */

static bool is_tone_codec(const struct sdp_codec *codec)
{
    enum codec_id id = codec_find(codec);

    return id == CODEC_PCMU || id == CODEC_PCMA;
}

/* ---- our offer ---- */

/* Some answer with the first codec alone. */
static void put_tone_codecs_first(struct sdp_codecs *codecs)
{
    struct sdp_codec item;
    unsigned next = 0;

    for (unsigned i = 0; i < codecs->count; i++) {
        if (!is_tone_codec(&codecs->items[i]))
            continue;
        item = codecs->items[i];
        for (unsigned j = i; j > next; j--)
            codecs->items[j] = codecs->items[j - 1];
        codecs->items[next++] = item;
    }
}

static void make_key(struct call_sdp *own)
{
    unsigned key_bytes, salt_bytes;

    own->suite = srtp_suite(SPAN(SUITE));
    srtp_suite_bytes(own->suite, &key_bytes, &salt_bytes);
    own->key_bytes = key_bytes + salt_bytes;
    rand_bytes(own->key, own->key_bytes);
    sdp_crypto_write_key(own->key_text, sizeof(own->key_text), own->key, own->key_bytes);
}

int call_sdp_offer(struct call_sdp *own, struct text *out, const struct conf_trunk *trunk, const struct addr *rtp,
                   uint16_t rtcp_port)
{
    char host[ADDR_TEXT_MAX], id[24];
    struct sdp_transport transport = {.is_v6 = addr_is_v6(rtp), .port = addr_port(rtp), .rtcp_port = rtcp_port};
    struct sdp_line line = {.kind = SDP_AUDIO, .dir = SDP_SENDRECV, .transport = &transport, .ptime_ms = 20};
    struct sdp_session session = {.version = 1, .is_v6 = transport.is_v6};

    text_init(out, 8192);
    transport.address = session.address = span_of(addr_host_text(rtp, host));
    snprintf(id, sizeof(id), "%u", rand_u32());
    session.id = span_of(id);
    codecs_all(&line.codecs, SDP_AUDIO, &trunk->codecs);
    put_tone_codecs_first(&line.codecs);
    line.profile = trunk->srtp == CONF_SRTP_REQUIRE ? SDP_PROFILE_SDES
                   : trunk->srtp == CONF_SRTP_OFFER ? SDP_PROFILE_OSRTP
                                                    : SDP_PROFILE_PLAIN;
    if (trunk->srtp != CONF_SRTP_OFF) {
        make_key(own);
        transport.crypto = (struct sdp_crypto){.tag = 1, .suite = span_of(own->suite), .keys = span_of(own->key_text)};
    }
    sdp_make_offer(&own->sdp, &session, &line, 1);
    return sdp_write(out, &own->sdp);
}

/* ---- the answer ---- */

static int take_keys(struct call_sdp_answer *answer, const struct call_sdp *own, const struct conf_trunk *trunk,
                     const struct sdp_media *said, const char **why_out)
{
    int index = own->suite ? sdp_pick_crypto(said) : -ENOENT;
    const struct sdp_crypto *crypto = index >= 0 ? &said->crypto[index] : NULL;
    uint8_t peer[64];
    int n, err;

    if (crypto && (crypto->tag != 1 || srtp_suite(crypto->suite) != own->suite))
        crypto = NULL;
    if (!crypto) {
        *why_out = "the answer has no SRTP key, which `srtp: require` wants";
        return trunk->srtp == CONF_SRTP_REQUIRE ? -ENOENT : 0;
    }
    n = sdp_crypto_key(peer, crypto);
    err = n < 0 ? n
                : srtp_ctx_new(&answer->srtp, &(struct srtp_keys){.suite = own->suite,
                                                                  .local = span_make(own->key, own->key_bytes),
                                                                  .remote = span_make(peer, (size_t)n)});
    mem_wipe(peer, sizeof(peer));
    *why_out = "the SRTP key of the answer cannot be used";
    return err;
}

static void take_codecs(struct call_sdp_answer *answer, const struct sdp_codecs *codecs)
{
    struct text names;

    text_init_fixed(&names, answer->codecs, sizeof(answer->codecs));
    for (unsigned i = 0; i < codecs->count; i++) {
        const struct sdp_codec *codec = &codecs->items[i];

        if (codec_is_event(codec_find(codec)) || span_ieq(codec->name, SPAN("telephone-event"))) {
            if (!answer->events[0])
                snprintf(answer->events, sizeof(answer->events), "telephone-event/%u, payload type %u", codec->clock_hz,
                         codec->pt);
            continue;
        }
        text_addf(&names, "%s%.*s", names.len ? ", " : "", (int)(codec->name.n < 20 ? codec->name.n : 20),
                  codec->name.p);
        if (is_tone_codec(codec) && !answer->has_tone_codec) {
            answer->has_tone_codec = true;
            answer->is_alaw = codec_find(codec) == CODEC_PCMA;
            answer->pt = codec->pt;
        }
    }
}

static const struct sdp_media *find_audio(const struct sdp *sdp)
{
    for (unsigned i = 0; i < sdp->media_count; i++)
        if (sdp->media[i].kind == SDP_AUDIO)
            return &sdp->media[i];
    return NULL;
}

int call_sdp_take(struct call_sdp_answer *answer, struct call_sdp *own, const struct conf_trunk *trunk,
                  struct span body, const char **why_out)
{
    const struct sdp_media *said;
    int err;

    *answer = (struct call_sdp_answer){0};
    *why_out = "the answer has no description (SDP)";
    err = body.n ? sdp_parse(&own->sdp, body, why_out) : -ENOENT;
    if (err)
        return err;
    *why_out = "the answer has no audio line";
    said = find_audio(&own->sdp);
    if (!said)
        return -ENOENT;
    *why_out = "the answer refuses audio (port 0)";
    if (said->port == 0)
        return -ENOENT;
    *why_out = "the address in the answer cannot be read";
    if (addr_parse(&answer->rtp, said->address, said->port))
        return -EBADMSG;
    answer->rtcp = answer->rtp;
    addr_set_port(&answer->rtcp, said->rtcp_port ? said->rtcp_port : (uint16_t)(said->port + 1));
    take_codecs(answer, &said->codecs);
    return take_keys(answer, own, trunk, said, why_out);
}
