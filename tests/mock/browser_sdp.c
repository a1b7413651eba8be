/* SPDX-License-Identifier: Apache-2.0 */
/* browser_sdp.c: offers and answers as Chromium words them (JSEP, RFC 8829), one audio line. */
#include <stdio.h>
#include <string.h>

#include "browser_priv.h"

static const char offered_types[] = "111 63 9 0 8 13 110 126";
static const char offered_maps[] = "a=rtpmap:111 opus/48000/2\r\n"
                                   "a=rtcp-fb:111 transport-cc\r\n"
                                   "a=fmtp:111 minptime=10;useinbandfec=1\r\n"
                                   "a=rtpmap:63 red/48000/2\r\n"
                                   "a=fmtp:63 111/111\r\n"
                                   "a=rtpmap:9 G722/8000\r\n"
                                   "a=rtpmap:0 PCMU/8000\r\n"
                                   "a=rtpmap:8 PCMA/8000\r\n"
                                   "a=rtpmap:13 CN/8000\r\n"
                                   "a=rtpmap:110 telephone-event/48000\r\n"
                                   "a=rtpmap:126 telephone-event/8000\r\n";

struct description {
    const char *types, *maps, *setup, *mid;
};

static void write_sdp(const struct browser *browser, char out[static SDP_BYTES], const struct description *d)
{
    const char *ip = browser->setup.local_ip;
    unsigned port = peer_udp_port(&browser->media.udp);

    snprintf(out, SDP_BYTES,
             "v=0\r\n"
             "o=- 4611731400430051336 2 IN IP4 127.0.0.1\r\n"
             "s=-\r\n"
             "t=0 0\r\n"
             "a=group:BUNDLE %s\r\n"
             "a=extmap-allow-mixed\r\n"
             "a=msid-semantic: WMS %s\r\n"
             "m=audio %u UDP/TLS/RTP/SAVPF %s\r\n"
             "c=IN IP4 %s\r\n"
             "a=rtcp:9 IN IP4 0.0.0.0\r\n"
             "a=candidate:1467250027 1 udp 2122260223 %s %u typ host generation 0 network-id 1\r\n"
             "a=ice-ufrag:%s\r\n"
             "a=ice-pwd:%s\r\n"
             "a=ice-options:trickle\r\n"
             "a=fingerprint:sha-256 %s\r\n"
             "a=setup:%s\r\n"
             "a=mid:%s\r\n"
             "a=sendrecv\r\n"
             "a=msid:%s microphone\r\n"
             "a=rtcp-mux\r\n"
             "%s"
             "a=ssrc:1001 cname:%s\r\n",
             d->mid, browser->instance, port, d->types, ip, ip, port, browser->media.ice.ufrag,
             browser->media.ice.password, browser->setup.certificate->fingerprint, d->setup, d->mid, browser->instance,
             d->maps, browser->instance);
}

void browser_sdp_offer(const struct browser *browser, char out[static SDP_BYTES])
{
    write_sdp(browser, out, &(struct description){offered_types, offered_maps, "actpass", "0"});
}

void browser_sdp_answer(const struct browser *browser, char out[static SDP_BYTES])
{
    const struct peer_sdp *offer = &browser->call.remote_sdp;
    int type = peer_sdp_pick(offer);
    char types[32], maps[128] = "";

    snprintf(types, sizeof(types), "%d", type);
    if (type == 0 || type == 8)
        snprintf(maps, sizeof(maps), "a=rtpmap:%d %s/8000\r\n", type, type ? "PCMA" : "PCMU");
    else
        snprintf(maps, sizeof(maps), "a=rtpmap:%d opus/48000/2\r\n", type);
    if (offer->event_type >= 0) {
        snprintf(types, sizeof(types), "%d %d", type, offer->event_type);
        snprintf(maps + strlen(maps), sizeof(maps) - strlen(maps), "a=rtpmap:%d telephone-event/8000\r\n",
                 offer->event_type);
    }
    write_sdp(
        browser, out,
        &(struct description){types, maps, offer->is_active ? "passive" : "active", offer->mid[0] ? offer->mid : "0"});
}
