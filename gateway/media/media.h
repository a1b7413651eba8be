/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/conf.h"
#include "base/span.h"
#include "net/addr.h"
#include "net/ports.h"
#include "net/udp.h"

/* media.h: the media house of one worker: its one WebRTC port with the demultiplexer, its RTP ports, its DTLS identity.
 * Knows no SIP, no SDP text, no calls. Everything below runs on the call's worker. */

struct media_house;
struct sound;
struct dtls_identity; /* the process's ECDSA P-256 certificate; shared by all workers, immutable */

/** Make the certificate of this process (about 0.3 ms). */
int dtls_identity_new(struct dtls_identity **identityp);
/** "AA:BB:..." SHA-256, 95 characters. */
const char *dtls_identity_fingerprint(const struct dtls_identity *identity);

/** @param conf media: webrtc address and port (+ worker id), rtp address and ports, dscp, advertise; referenced
 *  @param why_out a sentence naming the port when it is taken */
int media_house_new(struct media_house **housep, struct conf *conf, struct udp_house *udp,
                    struct dtls_identity *identity, const char **why_out);
/** Take over a new snapshot for sessions made from now on (ports and addresses bound stay as they are). */
void media_house_reload(struct media_house *house, struct conf *conf);

/** What who is held hears; NULL: silence. Borrowed until the next reload. */
struct sound *media_house_hold_sound(const struct media_house *house);

/** What to write in SDP as our address when the packets come from local and go to `towards`: the first
 *  media.advertise row whose network has it; else the configured address; else, where that is 0.0.0.0 or ::, the
 *  address that the kernel would use. */
void media_advertised(struct addr *out, const struct conf *conf, const struct addr *local, const struct addr *towards);
