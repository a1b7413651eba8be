/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "base/conf.h"
#include "base/text.h"
#include "media/media_stream.h"

/* negotiate.h: where SDP and media meet: one leg's descriptions (what the peer said, what we said) and the endpoints
 * and streams that follow from them. RFC 3264 for one side; the other leg is only ever looked at for its codecs and
 * directions. The order of calls for a call from left to right: leg_media_take_offer(left) >
 * leg_media_make_offer(right, left) > leg_media_take_answer(right) > leg_media_make_answer(left, right) >
 * leg_media_bridge(left, right) and the same again, from whichever side asks, for a re-INVITE. */

struct leg_media;

struct leg_media_options {
    struct media_house *house;
    struct conf *conf;                 /* referenced */
    bool is_webrtc;                    /* for our own offers; a peer's offer decides for itself */
    bool is_inside;                    /* its peer is another leg of this process */
    bool has_info_keys;                /* pressed keys go by INFO: telephone-event is not spoken of */
    bool is_trunk;                     /* it may have music on hold of its own */
    enum conf_srtp srtp;               /* plain side: SDES policy */
    const struct conf_strings *codecs; /* allowed ones in order of preference, borrowed from conf; NULL: all */
    struct addr towards;               /* signalling address of the peer */
    bool is_device;                    /* a phone of an account: its media comes from where its signalling does */
    const struct endpoint_user *user;
    void *arg;
};
int leg_media_new(struct leg_media **mediap, const struct leg_media_options *options);

/** The peer's offer. @param why_out a sentence when refused. @return 0; -EBADMSG (400); -ENOENT (488); -EBUSY (503: no
 * port) */
int leg_media_take_offer(struct leg_media *media, struct span sdp, const char **why_out);
/** Our offer for what `other`'s peer has offered; appended to out. @return 0; -ENOENT: no codec in common; -EBUSY */
int leg_media_make_offer(struct leg_media *media, const struct leg_media *other, struct text *out,
                         const char **why_out);
/** The peer asks for an offer (re-INVITE without one): all that the leg can take, in every direction that the other
 * leg's peer wants; what is used keeps its numbers. RFC 3261 14.2. @return as make_offer */
int leg_media_make_full_offer(struct leg_media *media, const struct leg_media *other, struct text *out,
                              const char **why_out);
/** The peer's INVITE has no offer: for make_offer(right, left) it is one that can all audio. The next offer to it is
 * made when the right one has answered. @return 0; -ENOMEM */
int leg_media_assume_offer(struct leg_media *media);
/** This leg has no peer of its own: for make_offer(right, left) it stands for `other`, as if that one offered all that
 * it may take, what it uses first. @return 0; -ENOMEM */
int leg_media_stand_for(struct leg_media *media, const struct leg_media *other);
/** The peer's answer to our last offer. @return as take_offer */
int leg_media_take_answer(struct leg_media *media, struct span sdp, const char **why_out);
/** Our answer to the peer's last offer, given what `other`'s peer has answered. other NULL: the change concerns this
 * leg alone (ICE restart, refresh) and the codecs stay. */
int leg_media_make_answer(struct leg_media *media, const struct leg_media *other, struct text *out,
                          const char **why_out);
/** The change that the peer offered last is off: what it said before counts again. */
void leg_media_rollback(struct leg_media *media);
/** The change that we offered last was refused, or never sent: what we said before counts again. */
void leg_media_withdraw(struct leg_media *media);
/** What we said last, to be said again (183 then 200, re-INVITE without SDP). */
struct span leg_media_description(const struct leg_media *media);

/** Does the last taken offer leave direction, codecs and lines as they were (so that the other leg need not know)? */
bool leg_media_is_private_change(const struct leg_media *media);
/** Does this leg's peer have to be told by an offer what `other`'s peer has come to (direction, codec, lines)? */
bool leg_media_must_offer(const struct leg_media *media, const struct leg_media *other);
/** Have both descriptions been exchanged? */
bool leg_media_is_set(const struct leg_media *media);

/** Set the streams of both legs as negotiated and carry media between them. */
void leg_media_bridge(struct leg_media *left, struct leg_media *right);
/** The call was answered: a peer connection that hears nothing may end it from now on. */
void leg_media_answered(struct leg_media *media);
/** Stop sending and receiving, give ports back. Idempotent. */
void leg_media_stop(struct leg_media *media);

/** Press a key for the peer. @return 0; negative: it takes no telephone-event, see media_stream_press() */
int leg_media_press(struct leg_media *media, unsigned event, unsigned duration_ms);
/** Is the peer expected to send media at the moment (direction, not on hold)? */
bool leg_media_expects_rtp(const struct leg_media *media);
/** clock_now_us() of the last RTP packet; 0: none yet. */
uint64_t leg_media_last_rtp_us(const struct leg_media *media);
void leg_media_stats(const struct leg_media *media, struct stream_stats *audio);
/** "opus", "PCMU": the first audio codec agreed; "" before. */
struct span leg_media_codec(const struct leg_media *media);
bool leg_media_is_webrtc(const struct leg_media *media);
/** Names of the audio codecs that the peer said last, else those that it is allowed: "opus, PCMU". Appended. */
void leg_media_write_codecs(const struct leg_media *media, struct text *out);
/** Where its last description wants media to go; where ours does. @return 0, negative: not known */
int leg_media_peer_address(const struct leg_media *media, struct addr *out);
int leg_media_told_address(const struct leg_media *media, struct addr *out);
struct endpoint *leg_media_endpoint(const struct leg_media *media);
bool leg_media_has_video(const struct leg_media *media);
