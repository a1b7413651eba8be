/* SPDX-License-Identifier: Apache-2.0 */
/* browser_media.h: the media side of one call of the scripted browser: one UDP port with STUN, DTLS, SRTP on it
 * (RFC 7983), and a stamped packet every 20 ms. */
#pragma once
#include "browser.h"
#include "browser_dtls.h"
#include "browser_ice.h"
#include "browser_srtp.h"
#include "peer_rtp.h"
#include "peer_sdp.h"
#include "peer_udp.h"

enum { EARLY_BYTES = 1500 };

struct browser_media {
    struct peer_udp udp;
    struct browser_ice ice;
    struct browser_dtls dtls;
    struct browser_srtp srtp;
    struct peer_rtp_sender sender;
    struct peer_rtp_receiver receiver;
    struct peer_timer pace;
    const struct browser_certificate *certificate;
    struct peer_meter *meter;
    struct browser_times *times;
    bool is_open, is_up, is_silent, is_unreachable, has_first_packet;
    bool is_dtls_active;
    int payload_type;
    uint32_t stream_owner;
    size_t early_size; /* a ClientHello that overtook the answer; Chromium keeps it too */
    struct sockaddr_in early_from;
    uint8_t early[EARLY_BYTES];
    /* upwards; all are set by the owner before browser_media_open() */
    void (*on_up)(void *ctx);
    void (*on_failed)(void *ctx, const char *reason);
    void (*on_rtp)(void *ctx, const uint8_t *bytes, size_t size, bool is_first);
    void *ctx;
};

/** Bind the port and draw ICE credentials, so that SDP can be written. @return 0 or a negative errno. */
int browser_media_open(struct browser_media *media, struct peer_loop *loop, const char *ip);
/** Both descriptions are known: check, shake hands, talk. @return 0; -EPROTO: no candidate or credentials in @p remote.
 */
int browser_media_start(struct browser_media *media, const struct peer_sdp *remote, bool is_offerer);
/** Idempotent; after it the struct can be opened again. */
void browser_media_close(struct browser_media *media);
/** @return 0; -ENOTCONN: keys are not there yet. */
int browser_media_send(struct browser_media *media, const uint8_t *bytes, size_t size);
