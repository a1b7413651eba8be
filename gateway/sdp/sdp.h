/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "base/text.h"

/* sdp.h: the model of a session description, the same for what was parsed and for what will be written. Spans point
 * into the parsed text, or into whatever the maker of a description borrows. RFC 8866, 3264, 8839, 8842, 9143, 4568.
 * Knows no sockets and no calls. */

#define SDP_TEXT_MAX          65536
#define SDP_MEDIA_MAX         64
#define SDP_CODEC_MAX         32
#define SDP_CRYPTO_MAX        8
#define SDP_CANDIDATE_MAX     16
#define SDP_OWN_CANDIDATE_MAX 4 /* in a transport of ours */
#define SDP_FB_MAX            16
#define SDP_EXTMAP_MAX        16

enum sdp_kind { SDP_AUDIO, SDP_VIDEO, SDP_APPLICATION, SDP_KIND_OTHER };

/* Bits: what the describing side does. */
enum sdp_dir { SDP_INACTIVE = 0, SDP_SENDONLY = 1, SDP_RECVONLY = 2, SDP_SENDRECV = 3 };
/** The same fact as seen from the other side: sendonly <-> recvonly. */
static inline enum sdp_dir sdp_dir_mirror(enum sdp_dir dir)
{
    return (enum sdp_dir)(((dir & 1) << 1) | ((dir & 2) >> 1));
}

enum sdp_setup { SDP_SETUP_NONE, SDP_SETUP_ACTPASS, SDP_SETUP_ACTIVE, SDP_SETUP_PASSIVE, SDP_SETUP_HOLDCONN };

struct sdp_codec {
    uint8_t pt;
    struct span name; /* "opus", "PCMU", "telephone-event"; compared without case */
    uint32_t clock_hz;
    uint8_t channels; /* 1 where none was written */
    struct span fmtp; /* without "pt " */
};

struct sdp_codecs {
    unsigned count;                        /* in order of preference */
    struct sdp_codec items[SDP_CODEC_MAX]; /* last, so that a kept copy can be cut to count */
};

struct sdp_crypto {
    uint32_t tag;
    struct span suite;
    struct span keys;           /* "inline:..." with lifetime and MKI, maybe several by ';' */
    struct span session_params; /* empty: none */
};

struct sdp_candidate {
    struct span foundation, transport, address, type;
    uint32_t component, priority;
    uint16_t port;
};

struct sdp_feedback {
    int pt;           /* -1: "*" */
    struct span text; /* "nack pli" */
};

struct sdp_extmap {
    uint32_t id;
    struct span uri;
};

struct sdp_media {
    enum sdp_kind kind;
    struct span kind_text; /* as written, for lines we do not know */
    uint16_t port;         /* 0: refused (or bundle-only) */
    struct span proto;     /* "RTP/AVP", "UDP/TLS/RTP/SAVPF" */
    struct span formats;   /* raw format list */
    struct span address;   /* of c=, media level or inherited; TTL cut off; empty: none anywhere */
    bool is_address_v6;
    enum sdp_dir dir;         /* media level, else session level, else sendrecv */
    struct sdp_codecs codecs; /* formats with their rtpmap/fmtp (static numbers filled in), in the m-line's order */
    struct span mid;
    unsigned ptime_ms, maxptime_ms; /* 0: none */
    bool has_rtcp_mux, is_bundle_only;
    uint16_t rtcp_port; /* a=rtcp; 0: none */
    struct span rtcp_address;
    /* WebRTC; session-level values are inherited */
    struct span ufrag, pwd;
    struct span fingerprint_hash, fingerprint; /* "sha-256", "AA:BB:.." */
    enum sdp_setup setup;
    bool is_ice_lite; /* session level */
    struct sdp_candidate candidates[SDP_CANDIDATE_MAX];
    unsigned candidate_count;
    bool has_end_of_candidates;
    struct sdp_crypto crypto[SDP_CRYPTO_MAX];
    unsigned crypto_count;
    struct sdp_feedback feedback[SDP_FB_MAX];
    unsigned feedback_count;
    struct sdp_extmap extmap[SDP_EXTMAP_MAX];
    unsigned extmap_count;
    uint32_t ssrc; /* to be written with cname (WebRTC); 0: none */
    struct span cname, msid;
    bool is_bundled; /* its mid is in the BUNDLE group */
};

/* About 200 kB when full: have it as scratch (one per thread) or allocate; parse and make touch only the used part. */
struct sdp {
    struct span origin_user, origin_id, origin_address;
    uint64_t origin_version;
    bool is_origin_v6;
    bool has_bundle;
    unsigned media_count;
    struct sdp_media media[SDP_MEDIA_MAX];
};

/** Make it empty, without touching the lines. */
void sdp_reset(struct sdp *sdp);
/** A new last line, empty and sendrecv. @return NULL when there are SDP_MEDIA_MAX already */
struct sdp_media *sdp_add_media(struct sdp *sdp);

/** Parse. Lenient: LF or CRLF, a missing last line end, unknown lines and attributes are passed over, and so are
 *  items past a list's maximum. A line without any c= is kept with an empty address (the caller answers 488). c=0.0.0.0
 * without ICE is the old form of hold: such a line never receives (RFC 3264 section 8.4). A NUL, a bare CR: -EBADMSG.
 *  @param why_out a static sentence on error. @return 0, -EBADMSG, -E2BIG. Pure, no allocation. */
int sdp_parse(struct sdp *sdp, struct span text, const char **why_out);

/** Write with CRLF. Session-level: v o s t, group, ice-lite; everything else at media level. Refused lines (port 0 and
 * not bundle-only) get their kind, proto, one format and their mid. @return text_err(out) */
int sdp_write(struct text *out, const struct sdp *sdp);
