/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <time.h>

#include "media/ice.h"
#include "media/media.h"

/* media_house.h: what the media house of a worker consists of; for the rooms of this floor alone. */

#define HOUSE_CANDIDATE_MAX 4

struct media_house {
    struct conf *conf; /* for what is made from now on */
    struct udp_house *udp;
    struct pkt_pool *pool;
    struct dtls_identity *identity; /* the process's; not ours to free */
    struct ports *ports;
    struct lite_port *lite;
    struct addr rtp_local;                       /* port 0 */
    struct addr candidates[HOUSE_CANDIDATE_MAX]; /* advertised, of the WebRTC port, most wanted first */
    unsigned candidate_count;
    struct sound *hold_sound; /* music on hold; NULL: silence */
    char *hold_path;          /* its file, and when that was changed last */
    struct timespec hold_mtime;
};
