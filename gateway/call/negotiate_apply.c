/* SPDX-License-Identifier: Apache-2.0 */
/* negotiate_apply.c: what descriptions mean for sockets, keys and streams of one leg; bridging two legs.
 * Knows endpoints and streams by their doors, no packets. */
#include <errno.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/rand.h"
#include "call/negotiate_private.h"
#include "media/keys.h"

/* ---- our side: endpoints and how they stand in SDP ---- */

static void write_webrtc_transport(struct leg_media *media, struct transport_text *text)
{
    struct sdp_transport *sdp = &text->sdp;
    struct webrtc_local *local = &text->local;

    endpoint_webrtc_local(media->lines[0].endpoint, local);
    *sdp = (struct sdp_transport){.ufrag = span_of(local->ufrag),
                                  .pwd = span_of(local->pwd),
                                  .fingerprint = span_of(local->fingerprint),
                                  .is_ice_lite = local->is_ice_lite};
    for (unsigned i = 0; i < local->candidate_count; i++) {
        const struct addr *addr = &local->candidates[i];

        addr_host_text(addr, text->candidate_text[i]);
        sdp->candidates[sdp->candidate_count++] =
            (struct sdp_candidate){.foundation = SPAN("1"),
                                   .component = 1,
                                   .transport = SPAN("udp"),
                                   .priority = (126u << 24) | ((65535u - i) << 8) | 255u,
                                   .address = span_of(text->candidate_text[i]),
                                   .port = addr_port(addr),
                                   .type = SPAN("host")};
    }
    addr_host_text(&local->candidates[0], text->address_text);
    sdp->address = span_of(text->address_text);
    sdp->is_v6 = addr_is_v6(&local->candidates[0]);
    sdp->port = addr_port(&local->candidates[0]);
}

static void write_rtp_transport(struct leg_media *media, unsigned kind)
{
    struct transport_text *text = media->transports[kind];
    struct rtp_local local;

    endpoint_rtp_local(media->lines[kind].endpoint, &local);
    addr_host_text(&local.rtp, text->address_text);
    text->sdp = (struct sdp_transport){.address = span_of(text->address_text),
                                       .is_v6 = addr_is_v6(&local.rtp),
                                       .port = addr_port(&local.rtp),
                                       .rtcp_port = addr_port(&local.rtcp),
                                       .crypto = text->sdp.crypto};
    if (kind == MEDIA_VIDEO && !media->transports[0]->address_text[0])
        memcpy(media->transports[0]->address_text, text->address_text, sizeof(text->address_text));
}

static int open_endpoint(struct leg_media *media, unsigned kind)
{
    struct media_line *line = &media->lines[kind];

    if (media->is_webrtc && media->lines[0].endpoint) {
        line->endpoint = media->lines[0].endpoint;
        return 0;
    }
    if (media->is_webrtc) {
        int err = endpoint_new_webrtc(&media->lines[0].endpoint, media->house,
                                      &(struct webrtc_options){.user = media->user, .arg = media->arg});

        line->endpoint = media->lines[0].endpoint;
        return err;
    }
    return endpoint_new_rtp(&line->endpoint, media->house,
                            &(struct rtp_options){.towards = media->towards,
                                                  .is_inside = media->is_inside,
                                                  .is_video = kind == MEDIA_VIDEO,
                                                  .user = media->user,
                                                  .arg = media->arg});
}

static int make_transport(struct leg_media *media, unsigned index)
{
    if (!media->transports[index])
        media->transports[index] = mem_new(sizeof(*media->transports[index]), NULL);
    return media->transports[index] ? 0 : -ENOMEM;
}

static bool is_any_open(const struct leg_media *media)
{
    for (unsigned kind = 0; kind < MEDIA_KINDS; kind++)
        if (media->is_open[kind])
            return true;
    return false;
}

/* What could not be opened whole gives its port back at once; the peer connection of an open line stays. */
static void undo_open(struct leg_media *media, unsigned kind)
{
    struct media_line *owner = &media->lines[media->is_webrtc ? 0 : kind];

    if (media->is_webrtc && is_any_open(media)) {
        if (kind)
            media->lines[kind].endpoint = NULL;
        return;
    }
    endpoint_stop(owner->endpoint);
    owner->endpoint = mem_unref(owner->endpoint);
    media->lines[kind].endpoint = NULL;
}

int negotiate_open(struct leg_media *media, unsigned kind, const char **why_out)
{
    int err;

    if (!media->is_open[kind]) {
        err = make_transport(media, 0);
        if (!err && !media->is_webrtc)
            err = make_transport(media, kind);
        if (!err)
            err = open_endpoint(media, kind);
        if (!err)
            err = media_stream_new(&media->lines[kind].stream, media->lines[kind].endpoint);
        if (err) {
            undo_open(media, kind);
            *why_out = "no media port is free";
            return -EBUSY;
        }
        media->is_open[kind] = true;
        if (media->is_answered)
            endpoint_answered(media->lines[kind].endpoint);
    }
    if (media->is_webrtc)
        write_webrtc_transport(media, media->transports[0]);
    else
        write_rtp_transport(media, kind);
    return 0;
}

/* ---- the peer's side ---- */

/* Our DTLS role: as answerer by the offer's setup, as offerer the opposite of the answer's. Kept once taken (RFC
 * 8842 5.5). */
static void take_role(struct leg_media *media, enum sdp_setup said)
{
    if (media->our_setup != SDP_SETUP_NONE)
        return;
    if (media->is_offerer)
        media->our_setup = said == SDP_SETUP_PASSIVE ? SDP_SETUP_ACTIVE : SDP_SETUP_PASSIVE;
    else
        media->our_setup = sdp_answer_setup(said, SDP_SETUP_NONE);
}

static int apply_webrtc(struct leg_media *media, const struct sdp_media *said, const char **why_out)
{
    bool is_known = media->peer_ufrag[0] != '\0';
    struct webrtc_remote remote;
    int err;

    if (!said->ufrag.n || !said->pwd.n || !said->fingerprint.n) {
        *why_out = "the description has no ICE credentials or no DTLS fingerprint";
        return -ENOENT;
    }
    take_role(media, said->setup);
    if (is_known && !media->is_offerer &&
        sdp_is_ice_restart(said, span_of(media->peer_ufrag), span_of(media->peer_pwd))) {
        err = endpoint_webrtc_restart(media->lines[0].endpoint);
        if (err)
            return err;
        write_webrtc_transport(media, media->transports[0]);
    }
    if (span_copy(said->ufrag, media->peer_ufrag, sizeof(media->peer_ufrag)) < 0 ||
        span_copy(said->pwd, media->peer_pwd, sizeof(media->peer_pwd)) < 0) {
        *why_out = "the ICE credentials are too long";
        return -ENOENT;
    }
    remote = (struct webrtc_remote){.ufrag = said->ufrag,
                                    .pwd = said->pwd,
                                    .fingerprint_hash = said->fingerprint_hash,
                                    .fingerprint = said->fingerprint,
                                    .is_dtls_client = media->our_setup == SDP_SETUP_ACTIVE};
    err = endpoint_webrtc_remote(media->lines[0].endpoint, &remote);
    if (err)
        *why_out = "the DTLS fingerprint cannot be used (sha-256 is needed)";
    return err ? -ENOENT : 0;
}

/* A phone behind a NAT writes its private address, which means nothing here: its media comes from where its messages
 * come from. The port may be kept on the way; if not, the latch learns it from that host with the first packet. */
static void see_through_nat(const struct leg_media *media, struct addr *said)
{
    struct addr seen = media->towards;

    if (!media->is_device || !addr_is_set(said) || !addr_is_private(said) || addr_same_host(said, &seen) ||
        addr_is_v6(said) != addr_is_v6(&seen) || (addr_is_loopback(said) && addr_is_loopback(&seen)))
        return;
    addr_set_port(&seen, addr_port(said));
    *said = seen;
}

static int apply_rtp(struct leg_media *media, unsigned kind, const struct sdp_media *said, const char **why_out)
{
    struct rtp_remote remote = {.has_rtcp_mux = false};
    struct span rtcp_host = said->rtcp_address.n ? said->rtcp_address : said->address;
    int err;

    if (addr_parse(&remote.rtp, said->address, said->port)) {
        *why_out = "the media address is missing or not numeric";
        return -ENOENT;
    }
    if (addr_is_any(&remote.rtp))
        remote.rtp = (struct addr){0};
    else if (said->rtcp_port && addr_parse(&remote.rtcp, rtcp_host, said->rtcp_port))
        remote.rtcp = (struct addr){0};
    see_through_nat(media, &remote.rtp);
    see_through_nat(media, &remote.rtcp);
    err = negotiate_sdes_take(media, kind, said, why_out);
    if (!err)
        endpoint_rtp_remote(media->lines[kind].endpoint, &remote);
    return err;
}

int negotiate_apply_remote(struct leg_media *media, const struct sdp *said, const char **why_out)
{
    bool is_webrtc_done = false;

    for (unsigned kind = 0; kind < MEDIA_KINDS; kind++) {
        const struct media_line *line = &media->lines[kind];
        int err;

        if (line->index < 0 || !line->peer)
            continue;
        err = negotiate_open(media, kind, why_out);
        if (!err && !media->is_webrtc)
            err = apply_rtp(media, kind, &said->media[line->index], why_out);
        else if (!err && !is_webrtc_done)
            err = apply_webrtc(media, &said->media[line->index], why_out);
        is_webrtc_done = true;
        if (err)
            return err;
    }
    return 0;
}

/* ---- streams ---- */

static const struct sdp_codec *find_same(const struct sdp_codecs *codecs, const struct sdp_codec *codec)
{
    for (unsigned i = 0; i < codecs->count; i++)
        if (codec_same(&codecs->items[i], codec))
            return &codecs->items[i];
    return NULL;
}

/* The same number on both legs for the same format: its place in `reference`, or behind all of them. */
static unsigned identity(const struct sdp_codecs *reference, const struct sdp_codec *codec)
{
    const struct sdp_codec *same = find_same(reference, codec);

    return same ? (unsigned)(same - reference->items) : (unsigned)SDP_CODEC_MAX + codec->pt;
}

/* A format is agreed when both sides have said it; each side's number is the one it receives with (RFC 3264 5.1). */
static void fill_formats(struct stream_config *config, const struct media_line *line,
                         const struct sdp_codecs *reference)
{
    const struct sdp_codecs *said = negotiate_codecs(line->ours);

    for (unsigned i = 0; i < said->count && config->format_count < STREAM_FORMAT_MAX; i++) {
        const struct sdp_codec *ours = &said->items[i];
        const struct sdp_codec *peers = find_same(negotiate_codecs(line->peer), ours);

        if (!peers)
            continue;
        config->formats[config->format_count++] = (struct stream_format){.codec = identity(reference, ours),
                                                                         .pt_in = ours->pt,
                                                                         .pt_out = peers->pt,
                                                                         .clock_hz = ours->clock_hz,
                                                                         .is_event = codec_is_event(codec_find(ours))};
    }
}

static void set_stream(struct leg_media *media, const struct leg_media *other, unsigned kind,
                       const struct sdp_codecs *reference, bool is_muted)
{
    struct media_line *line = &media->lines[kind];
    struct stream_config config = {.is_video = kind == MEDIA_VIDEO,
                                   .tells_keys = kind == MEDIA_AUDIO && other->has_info_keys,
                                   .has_pli = true,
                                   .has_fir = true,
                                   .mid_ext = line->mid_ext,
                                   .peer_ssrc = line->peer_ssrc};

    config.receives = !is_muted && (line->peer_dir & SDP_SENDONLY) && (line->our_dir & SDP_RECVONLY);
    config.sends = (line->peer_dir & SDP_RECVONLY) && (line->our_dir & SDP_SENDONLY);
    memcpy(config.mid, line->mid, sizeof(config.mid));
    fill_formats(&config, line, reference);
    media_stream_set(line->stream, &config);
}

void leg_media_bridge(struct leg_media *left, struct leg_media *right)
{
    for (unsigned kind = 0; kind < MEDIA_KINDS; kind++) {
        bool is_both = left->is_open[kind] && right->is_open[kind];
        const struct sdp_codecs *reference = negotiate_codecs(left->lines[kind].ours);

        if (!is_both)
            continue;
        set_stream(left, right, kind, reference, false);
        set_stream(right, left, kind, reference, false);
        if (kind == MEDIA_AUDIO && negotiate_play(left, right))
            set_stream(left, right, kind, reference, true);
        if (kind == MEDIA_AUDIO && negotiate_play(right, left))
            set_stream(right, left, kind, reference, true);
        media_bridge(left->lines[kind].stream, right->lines[kind].stream);
    }
}

void leg_media_answered(struct leg_media *media)
{
    media->is_answered = true;
    for (unsigned kind = 0; kind < MEDIA_KINDS; kind++)
        if (media->is_open[kind])
            endpoint_answered(media->lines[kind].endpoint);
}

void leg_media_stop(struct leg_media *media)
{
    if (media->is_stopped)
        return;
    media->is_stopped = true;
    for (unsigned kind = 0; kind < MEDIA_KINDS; kind++) {
        if (!media->is_open[kind])
            continue;
        media_bridge(media->lines[kind].stream, NULL);
        if (!media->is_webrtc || kind == 0 || !media->is_open[0])
            endpoint_stop(media->lines[kind].endpoint);
    }
}

/* ---- what the call wants to know ---- */

int leg_media_press(struct leg_media *media, unsigned event, unsigned duration_ms)
{
    if (!media->is_open[MEDIA_AUDIO])
        return -ENOENT;
    return media_stream_press(media->lines[MEDIA_AUDIO].stream, event, duration_ms);
}

bool leg_media_expects_rtp(const struct leg_media *media)
{
    const struct media_line *audio = &media->lines[MEDIA_AUDIO];

    return audio->peer && audio->ours && (audio->peer_dir & SDP_SENDONLY) && (audio->our_dir & SDP_RECVONLY);
}

uint64_t leg_media_last_rtp_us(const struct leg_media *media)
{
    uint64_t last = 0;

    for (unsigned kind = 0; kind < MEDIA_KINDS; kind++) {
        uint64_t us = media->is_open[kind] ? endpoint_last_rtp_us(media->lines[kind].endpoint) : 0;

        last = us > last ? us : last;
    }
    return last;
}

void leg_media_stats(const struct leg_media *media, struct stream_stats *audio)
{
    *audio = (struct stream_stats){0};
    if (media->is_open[MEDIA_AUDIO])
        media_stream_stats(media->lines[MEDIA_AUDIO].stream, audio);
}

struct endpoint *leg_media_endpoint(const struct leg_media *media)
{
    return media->lines[MEDIA_AUDIO].endpoint ? media->lines[MEDIA_AUDIO].endpoint : media->lines[MEDIA_VIDEO].endpoint;
}
