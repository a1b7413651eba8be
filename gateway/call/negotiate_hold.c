/* SPDX-License-Identifier: Apache-2.0 */
/* negotiate_hold.c: music on hold: who is held, and whether something is played to it. RFC 3264 8.4, RFC 6337 5.3.
 *
 * A peer holds when it does not want to receive: sendonly, inactive, or 0.0.0.0 (negotiate.c reads that as one of
 * them). A trunk that says sendonly sends music of its own. Browsers and phones that say so send silence, which is
 * replaced. */
#include "call/negotiate_private.h"
#include "media/player.h"

static bool is_holding(const struct leg_media *media)
{
    const struct media_line *line = &media->lines[MEDIA_AUDIO];

    return media->is_answered && line->index >= 0 && line->peer && !(line->peer_dir & SDP_RECVONLY);
}

enum sdp_dir negotiate_music(const struct leg_media *media, unsigned kind)
{
    if (kind != MEDIA_AUDIO || !is_holding(media) || !media_house_hold_sound(media->house))
        return SDP_INACTIVE;
    return media->is_trunk && (media->lines[kind].peer_dir & SDP_SENDONLY) ? SDP_INACTIVE : SDP_SENDONLY;
}

static bool hears(const struct leg_media *media)
{
    const struct media_line *line = &media->lines[MEDIA_AUDIO];

    return line->peer && line->ours && (line->peer_dir & SDP_RECVONLY) && (line->our_dir & SDP_SENDONLY);
}

bool negotiate_play(struct leg_media *holder, struct leg_media *held)
{
    bool wants = negotiate_music(holder, MEDIA_AUDIO) && hears(held);
    struct sound *sound = wants ? media_house_hold_sound(holder->house) : NULL;

    return !media_stream_play(held->lines[MEDIA_AUDIO].stream, sound) && sound;
}
