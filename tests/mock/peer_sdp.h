/* SPDX-License-Identifier: Apache-2.0 */
/* peer_sdp.h: what the scripted peers read out of an offer or answer: its first audio line. RFC 8866, RFC 8839, RFC
 * 8842. */
#pragma once
#include <netinet/in.h>
#include <stdbool.h>

#include "peer_sip.h"

enum { PEER_SDP_TYPES_MAX = 24 };

struct peer_sdp {
    struct sockaddr_in address;   /* of c= and m= */
    struct sockaddr_in candidate; /* best component 1 UDP candidate of IPv4; port 0: none */
    bool is_webrtc;               /* m= profile UDP/TLS/RTP/SAVPF */
    bool is_lite, is_active, is_passive;
    int types[PEER_SDP_TYPES_MAX];
    int type_count;
    int event_type; /* telephone-event of 8000 Hz, or -1 */
    char mid[32], ufrag[64], password[128], fingerprint[96];
};

/** @return 0; -EBADMSG: no audio line with a port and an IPv4 address. */
int peer_sdp_read(struct peer_sdp *sdp, struct peer_span text);
/** PCMU, else PCMA, else the first type. @return payload type, -1 if there is none. */
int peer_sdp_pick(const struct peer_sdp *sdp);
