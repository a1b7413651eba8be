/* SPDX-License-Identifier: Apache-2.0 */
/* negotiate.c: descriptions of one leg: taking the peer's, making ours. RFC 3264, RFC 8829 5.3 for the answer's shape.
 * What follows for sockets and streams is in negotiate_apply.c. Knows one leg and the other one's codecs, no call. */
#include "call/negotiate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/rand.h"
#include "call/negotiate_private.h"

/* Parsed only for the time of one call-back; a description is kept as its text. */
static __thread struct sdp scratch_peer, scratch_ours, scratch_out;

static void leg_media_destroy(void *self)
{
    struct leg_media *media = self;

    leg_media_stop(media);
    for (unsigned i = 0; i < MEDIA_KINDS; i++) {
        mem_wipe(&media->lines[i].sdes, sizeof(media->lines[i].sdes));
        mem_unref(media->transports[i]);
        mem_unref(media->lines[i].peer);
        mem_unref(media->lines[i].ours);
        mem_unref(media->lines[i].stream);
        if (!media->is_webrtc || i == 0)
            mem_unref(media->lines[i].endpoint);
    }
    mem_unref(media->peer_text);
    mem_unref(media->our_text);
    mem_unref(media->former_peer.text);
    mem_unref(media->former_ours.text);
    conf_unref(media->conf);
}

int leg_media_new(struct leg_media **mediap, const struct leg_media_options *options)
{
    struct leg_media *media = mem_new(sizeof(*media), leg_media_destroy);

    if (!media)
        return -ENOMEM;
    media->house = options->house;
    media->conf = conf_ref(options->conf);
    media->is_webrtc = options->is_webrtc;
    media->is_inside = options->is_inside;
    media->is_trunk = options->is_trunk;
    media->has_info_keys = options->has_info_keys;
    media->srtp = options->srtp;
    media->codecs = options->codecs;
    media->towards = options->towards;
    media->is_device = options->is_device;
    media->user = options->user;
    media->arg = options->arg;
    for (unsigned i = 0; i < MEDIA_KINDS; i++) {
        media->lines[i].index = -1;
        media->lines[i].sdes.profile = SDP_PROFILE_PLAIN;
    }
    snprintf(media->session_id, sizeof(media->session_id), "%u", rand_u32() / 2 + 1);
    *mediap = media;
    return 0;
}

static const enum sdp_kind kinds[MEDIA_KINDS] = {SDP_AUDIO, SDP_VIDEO};

/* ---- the peer's descriptions ---- */

static int keep_peer_text(struct leg_media *media, struct span text, struct sdp *sdp, const char **why_out)
{
    char *kept = mem_text(text.p ? text.p : "", text.n);
    int err;

    if (!kept)
        return -ENOMEM;
    err = sdp_parse(sdp, span_make(kept, text.n), why_out);
    if (err) {
        mem_unref(kept);
        return -EBADMSG;
    }
    mem_unref(media->peer_text);
    media->peer_text = kept;
    media->peer_bytes = text.n;
    return 0;
}

const struct sdp_codecs *negotiate_codecs(const struct sdp_codecs *kept)
{
    static const struct sdp_codecs none;

    return kept ? kept : &none;
}

/* A leg lives for an hour and has two codecs: room for them and not for all that a description could hold.
 * @param said NULL: none */
static int keep_codecs(struct sdp_codecs **kept, const struct sdp_codecs *said)
{
    size_t size_bytes = said ? offsetof(struct sdp_codecs, items) + said->count * sizeof(said->items[0]) : 0;

    *kept = mem_unref(*kept);
    if (!said || !said->count)
        return 0;
    *kept = mem_new(size_bytes, NULL);
    if (!*kept)
        return -ENOMEM;
    memcpy(*kept, said, size_bytes);
    return 0;
}

static bool same_codecs(const struct sdp_codecs *left, const struct sdp_codecs *right)
{
    if (left->count != right->count)
        return false;
    for (unsigned i = 0; i < left->count; i++)
        if (left->items[i].pt != right->items[i].pt || !codec_same(&left->items[i], &right->items[i]))
            return false;
    return true;
}

/* 0.0.0.0 is the old way to say: do not send to me (RFC 3264 8.4). */
static enum sdp_dir peer_direction(const struct sdp_media *line)
{
    enum sdp_dir dir = line->dir;

    if (span_eq(line->address, SPAN("0.0.0.0")) && !line->ufrag.n)
        dir &= ~(unsigned)SDP_RECVONLY;
    return dir;
}

static bool looks_like_webrtc(const struct sdp *sdp)
{
    for (unsigned i = 0; i < sdp->media_count; i++)
        if (span_find_span(sdp->media[i].proto, SPAN("TLS")) >= 0)
            return true;
    return false;
}

static int take_line(struct media_line *line, int index, const struct sdp_media *said, bool *is_same)
{
    bool was_on = line->index >= 0;
    enum sdp_dir dir = index >= 0 ? peer_direction(said) : SDP_INACTIVE;

    if (was_on != (index >= 0) ||
        (was_on && (line->peer_dir != dir || !same_codecs(negotiate_codecs(line->peer), &said->codecs))))
        *is_same = false;
    line->index = index;
    line->peer_dir = dir;
    line->peer_ssrc = index >= 0 ? said->ssrc : 0;
    return keep_codecs(&line->peer, index >= 0 ? &said->codecs : NULL);
}

static void keep_former_peer(struct leg_media *media)
{
    mem_unref(media->former_peer.text);
    media->former_peer.text = mem_ref(media->peer_text);
    media->former_peer.bytes = media->peer_bytes;
    media->former_peer.is_offerer = media->is_offerer;
    for (unsigned i = 0; i < MEDIA_KINDS; i++)
        media->former_peer.index[i] = media->lines[i].index;
}

void leg_media_rollback(struct leg_media *media)
{
    struct sdp *former = &scratch_peer;
    bool is_same = true;
    const char *why;

    if (!media->former_peer.text ||
        sdp_parse(former, span_make(media->former_peer.text, media->former_peer.bytes), &why))
        return;
    mem_unref(media->peer_text);
    media->peer_text = mem_ref(media->former_peer.text);
    media->peer_bytes = media->former_peer.bytes;
    media->is_offerer = media->former_peer.is_offerer;
    for (unsigned i = 0; i < MEDIA_KINDS; i++) {
        int index = media->former_peer.index[i];
        bool is_there = index >= 0 && index < (int)former->media_count && former->media[index].port;

        if (take_line(&media->lines[i], is_there ? index : -1, is_there ? &former->media[index] : NULL, &is_same))
            return;
        media->lines[i].index = index; /* a refused line keeps its place */
    }
    negotiate_apply_remote(media, former, &why);
}

int leg_media_take_offer(struct leg_media *media, struct span text, const char **why_out)
{
    struct sdp *offer = &scratch_peer;
    struct sdp_policy policy = {.srtp = media->srtp};
    bool is_first = !media->our_text, is_same = true;
    const char *why_video;
    int err;

    keep_former_peer(media); /* the old codecs point into it: they are compared below */
    err = keep_peer_text(media, text, offer, why_out);
    if (err)
        return err;
    if (is_first)
        media->is_webrtc = looks_like_webrtc(offer);
    policy.is_webrtc = media->is_webrtc;
    media->is_offerer = false;
    for (unsigned i = 0; i < MEDIA_KINDS; i++) {
        int index = sdp_pick_line(offer, kinds[i], &policy, i == MEDIA_AUDIO ? why_out : &why_video);

        err = take_line(&media->lines[i], index >= 0 ? index : -1, index >= 0 ? &offer->media[index] : NULL, &is_same);
        if (err)
            return err;
    }
    media->is_private_change = !is_first && is_same;
    if (media->lines[MEDIA_AUDIO].index < 0 && media->lines[MEDIA_VIDEO].index < 0)
        return -ENOENT;
    return negotiate_apply_remote(media, offer, why_out);
}

int leg_media_take_answer(struct leg_media *media, struct span text, const char **why_out)
{
    struct sdp *answer = &scratch_peer;
    int err = keep_peer_text(media, text, answer, why_out);

    if (err)
        return err;
    for (unsigned i = 0; i < MEDIA_KINDS; i++) {
        struct media_line *line = &media->lines[i];
        bool is_taken = line->index >= 0 && line->index < (int)answer->media_count && answer->media[line->index].port &&
                        answer->media[line->index].kind == kinds[i];

        err = keep_codecs(&line->peer, is_taken ? &answer->media[line->index].codecs : NULL);
        if (err)
            return err;
        line->peer_dir = SDP_INACTIVE;
        if (!is_taken)
            continue;
        line->peer_ssrc = answer->media[line->index].ssrc;
        line->peer_dir = peer_direction(&answer->media[line->index]);
    }
    if (!media->lines[MEDIA_AUDIO].peer && !media->lines[MEDIA_VIDEO].peer) {
        *why_out = "the answer takes no media line";
        return -ENOENT;
    }
    return negotiate_apply_remote(media, answer, why_out);
}

/* ---- our descriptions ---- */

/* Packets of a bundle say by an extension which line they belong to, if that was agreed (RFC 9143 9). */
static void keep_mid(struct media_line *line, const struct sdp_media *ours)
{
    line->mid_ext = 0;
    if (span_copy(ours->mid, line->mid, sizeof(line->mid)) < 0)
        return;
    for (unsigned i = 0; i < ours->extmap_count; i++)
        if (span_eq(ours->extmap[i].uri, SPAN("urn:ietf:params:rtp-hdrext:sdes:mid")) && ours->extmap[i].id < 15)
            line->mid_ext = (uint8_t)ours->extmap[i].id;
}

/* Our codecs and directions, from the very text that the peer reads. */
static int read_our_text(struct leg_media *media)
{
    struct sdp *ours = &scratch_ours;
    const char *why;

    if (sdp_parse(ours, span_make(media->our_text, media->our_bytes), &why))
        return -EBADMSG;
    for (unsigned i = 0; i < MEDIA_KINDS; i++) {
        struct media_line *line = &media->lines[i];

        line->ours = mem_unref(line->ours);
        if (line->index < 0 || line->index >= (int)ours->media_count || !ours->media[line->index].port)
            continue;
        if (keep_codecs(&line->ours, &ours->media[line->index].codecs))
            return -ENOMEM;
        line->our_dir = ours->media[line->index].dir;
        keep_mid(line, &ours->media[line->index]);
    }
    return 0;
}

static int keep_our_text(struct leg_media *media, struct text *out, size_t start)
{
    char *kept;

    if (text_err(out))
        return text_err(out);
    kept = mem_text(out->data + start, out->len - start);
    if (!kept)
        return -ENOMEM;
    mem_unref(media->our_text);
    media->our_text = kept;
    media->our_bytes = out->len - start;
    return read_our_text(media);
}

static void keep_former_ours(struct leg_media *media)
{
    mem_unref(media->former_ours.text);
    media->former_ours.text = mem_ref(media->our_text);
    media->former_ours.bytes = media->our_bytes;
    media->former_ours.is_offerer = media->is_offerer;
    for (unsigned i = 0; i < MEDIA_KINDS; i++)
        media->former_ours.index[i] = media->lines[i].index;
}

void leg_media_withdraw(struct leg_media *media)
{
    if (!media->former_ours.text)
        return;
    mem_unref(media->our_text);
    media->our_text = mem_ref(media->former_ours.text);
    media->our_bytes = media->former_ours.bytes;
    media->is_offerer = media->former_ours.is_offerer;
    for (unsigned i = 0; i < MEDIA_KINDS; i++)
        media->lines[i].index = media->former_ours.index[i];
    read_our_text(media);
}

static struct sdp_session session_of(struct leg_media *media)
{
    return (struct sdp_session){.id = span_of(media->session_id),
                                .version = ++media->version,
                                .address = span_of(media->transports[0]->address_text),
                                .is_v6 = media->transports[0]->sdp.is_v6};
}

static void fill_line(struct leg_media *media, unsigned kind, struct sdp_line *line)
{
    line->kind = kinds[kind];
    line->transport = &media->transports[media->is_webrtc ? 0 : kind]->sdp;
    line->profile = media->is_webrtc ? SDP_PROFILE_WEBRTC : media->lines[kind].sdes.profile;
    line->has_rtcp_mux = media->is_webrtc;
    line->wants_feedback = kind == MEDIA_VIDEO;
    if (media->is_webrtc) {
        line->ssrc = media_stream_ssrc(media->lines[kind].stream);
        line->cname = span_of(endpoint_cname(media->lines[kind].endpoint));
        line->msid = kind == MEDIA_AUDIO ? SPAN("sipway audio") : SPAN("sipway video");
    }
}

/* An m-line once written stays for ever, in its place (RFC 3264 8): the new lines are laid over the old description or
 * behind it. */
static void lay_over_former(const struct leg_media *media, struct sdp *out, const unsigned *made, unsigned count)
{
    struct sdp *former = &scratch_ours;
    struct sdp *merged = &scratch_peer;
    const char *why;

    if (!media->our_text || sdp_parse(former, span_make(media->our_text, media->our_bytes), &why))
        return;
    *merged = *former;
    for (unsigned i = 0; i < merged->media_count; i++) {
        merged->media[i].port = 0;
        merged->media[i].is_bundle_only = false;
    }
    for (unsigned i = 0; i < count; i++) {
        unsigned index = (unsigned)media->lines[made[i]].index;
        bool is_old = index < former->media_count;

        if (!is_old)
            merged->media_count = index + 1;
        merged->media[index] = out->media[i];
        if (is_old && former->media[index].mid.n)
            merged->media[index].mid = former->media[index].mid;
    }
    merged->origin_version = out->origin_version;
    *out = *merged;
}

/* Where a new line may stand: behind those of our last description, for browsers only in its bundle. @return index,
 * -ENOSPC */
static int place_behind(const struct leg_media *media)
{
    struct sdp *former = &scratch_ours;
    int index = 0;
    const char *why;

    if (!media->our_text)
        return 0;
    if (sdp_parse(former, span_make(media->our_text, media->our_bytes), &why) ||
        (media->is_webrtc && !former->has_bundle))
        return -ENOSPC;
    index = (int)former->media_count;
    for (unsigned i = 0; i < MEDIA_KINDS; i++) /* placed a moment ago, and not yet written */
        index = media->lines[i].index >= index ? media->lines[i].index + 1 : index;
    return index < SDP_MEDIA_MAX ? index : -ENOSPC;
}

/* What one offer is made of. */
struct offer_plan {
    struct leg_media *media;
    const struct leg_media *other;
    bool is_full;
};

static unsigned pick_codecs(const struct offer_plan *plan, unsigned kind, struct sdp_codecs *out)
{
    const struct media_line *theirs = &plan->other->lines[kind];

    if (theirs->index < 0 || !theirs->peer)
        return 0;
    if (plan->is_full)
        return negotiate_full_codecs(plan->media, plan->other, kind, out);
    return codecs_to_offer(out, theirs->peer, kind == MEDIA_AUDIO ? plan->media->codecs : NULL);
}

static void drop_events(const struct leg_media *media, struct sdp_codecs *codecs)
{
    unsigned kept = 0;

    for (unsigned i = 0; media->has_info_keys && i < codecs->count; i++)
        if (!codec_is_event(codec_find(&codecs->items[i])))
            codecs->items[kept++] = codecs->items[i];
    if (media->has_info_keys)
        codecs->count = kept;
}

static int wants_line(const struct offer_plan *plan, unsigned kind, struct sdp_line *line, unsigned count)
{
    struct leg_media *media = plan->media;
    static const struct span mids[MEDIA_KINDS] = {SPAN("0"), SPAN("1")};

    if (!pick_codecs(plan, kind, &line->codecs))
        return 0;
    drop_events(media, &line->codecs);
    if (media->our_text && media->lines[kind].index < 0 && place_behind(media) < 0)
        return 0;
    line->dir = plan->is_full ? negotiate_wish(plan->other, kind) : plan->other->lines[kind].peer_dir;
    line->dir |= negotiate_music(plan->other, kind);
    line->setup = media->our_setup == SDP_SETUP_NONE ? SDP_SETUP_ACTPASS : media->our_setup;
    if (media->our_text)
        line->setup = SDP_SETUP_ACTPASS;
    line->mid = media->is_webrtc ? mids[count] : SPAN_NULL;
    return 1;
}

/* A line that the peer has not seen in this call gets its place, and in a later offer a mid that nobody has used. */
static void place_line(struct leg_media *media, unsigned kind, struct sdp_line *line, unsigned count)
{
    struct media_line *mine = &media->lines[kind];

    if (!media->our_text) {
        mine->index = (int)count;
    } else if (mine->index < 0) {
        mine->index = place_behind(media);
        snprintf(mine->mid, sizeof(mine->mid), "added%d", mine->index);
        line->mid = media->is_webrtc ? span_of(mine->mid) : SPAN_NULL;
    }
}

static int make_offer(const struct offer_plan *plan, struct text *out, const char **why_out)
{
    struct leg_media *media = plan->media;
    static __thread struct sdp_line lines[MEDIA_KINDS];
    unsigned made[MEDIA_KINDS], count = 0;
    struct sdp_session session;
    size_t start = out->len;
    int err;

    keep_former_ours(media);
    for (unsigned kind = 0; kind < MEDIA_KINDS; kind++) {
        lines[count] = (struct sdp_line){0};
        if (!wants_line(plan, kind, &lines[count], count))
            continue;
        err = negotiate_open(media, kind, why_out);
        if (err)
            return err;
        if (!media->is_webrtc)
            negotiate_sdes_offer(media, kind);
        fill_line(media, kind, &lines[count]);
        place_line(media, kind, &lines[count], count);
        made[count++] = kind;
    }
    if (!count) {
        *why_out = "no common codec";
        return -ENOENT;
    }
    media->is_offerer = true;
    session = session_of(media);
    sdp_make_offer(&scratch_out, &session, lines, count);
    lay_over_former(media, &scratch_out, made, count);
    err = sdp_write(out, &scratch_out);
    return err ? err : keep_our_text(media, out, start);
}

int leg_media_make_offer(struct leg_media *media, const struct leg_media *other, struct text *out, const char **why_out)
{
    return make_offer(&(struct offer_plan){.media = media, .other = other}, out, why_out);
}

int leg_media_make_full_offer(struct leg_media *media, const struct leg_media *other, struct text *out,
                              const char **why_out)
{
    return make_offer(&(struct offer_plan){.media = media, .other = other, .is_full = true}, out, why_out);
}

static void answer_line(struct leg_media *media, const struct leg_media *other, unsigned kind, const struct sdp *offer,
                        struct sdp_line *line)
{
    const struct media_line *mine = &media->lines[kind];
    const struct sdp_media *offered = &offer->media[mine->index];

    line->is_refused = true;
    if (other && !codecs_to_answer(&line->codecs, &offered->codecs, negotiate_codecs(other->lines[kind].peer)))
        return;
    if (!other && !codecs_to_answer(&line->codecs, &offered->codecs, negotiate_codecs(mine->ours)))
        return;
    drop_events(media, &line->codecs);
    line->is_refused = false;
    line->dir = other ? other->lines[kind].peer_dir | negotiate_music(other, kind) : mine->our_dir;
    line->dir &= sdp_dir_mirror(mine->peer_dir);
    line->setup = media->our_setup;
    line->mid = offered->mid;
    fill_line(media, kind, line);
}

int leg_media_make_answer(struct leg_media *media, const struct leg_media *other, struct text *out,
                          const char **why_out)
{
    static __thread struct sdp_line lines[SDP_MEDIA_MAX];
    struct sdp *offer = &scratch_peer;
    struct sdp_session session;
    size_t start = out->len;
    bool is_any = false;
    int err = sdp_parse(offer, span_make(media->peer_text, media->peer_bytes), why_out);

    if (err)
        return -EBADMSG;
    for (unsigned i = 0; i < offer->media_count; i++)
        lines[i] = (struct sdp_line){.is_refused = true};
    for (unsigned kind = 0; kind < MEDIA_KINDS; kind++) {
        int index = media->lines[kind].index;

        if (index < 0)
            continue;
        answer_line(media, other, kind, offer, &lines[index]);
        is_any |= !lines[index].is_refused;
    }
    if (!is_any) {
        *why_out = "no common codec";
        return -ENOENT;
    }
    session = session_of(media);
    sdp_make_answer(&scratch_out, &session, offer, lines, offer->media_count);
    err = sdp_write(out, &scratch_out);
    return err ? err : keep_our_text(media, out, start);
}

struct span leg_media_description(const struct leg_media *media)
{
    return span_make(media->our_text, media->our_bytes);
}

bool leg_media_is_private_change(const struct leg_media *media)
{
    return media->is_private_change;
}

bool leg_media_is_set(const struct leg_media *media)
{
    return media->our_text && media->peer_text;
}

struct span leg_media_codec(const struct leg_media *media)
{
    const struct media_line *audio = &media->lines[MEDIA_AUDIO];
    const struct sdp_codecs *agreed =
        audio->peer && audio->ours ? (media->is_offerer ? audio->peer : audio->ours) : NULL;

    return agreed ? agreed->items[0].name : SPAN_NULL;
}

bool leg_media_is_webrtc(const struct leg_media *media)
{
    return media->is_webrtc;
}

bool leg_media_has_video(const struct leg_media *media)
{
    return media->lines[MEDIA_VIDEO].peer && media->lines[MEDIA_VIDEO].ours;
}
