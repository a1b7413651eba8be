/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/media_stream.h"
#include "net/pkt.h"

/* path.h: the way of one stream's packets to the stream that it is bridged with: a short list of steps that was chosen
 * when something was negotiated. Nothing is decided per packet. */

struct path;

/** One step works on a batch in place. Packets that end here (sent or dropped) are taken; those that go on stand, in
 * order, at the front. Packet path: no allocation, no lock, no log.  @return how many go on */
typedef unsigned path_step(struct path *path, struct pkt **pkts, unsigned n);

#define PATH_STEP_MAX  6
#define PATH_BATCH_MAX 64

struct path {
    unsigned step_count; /* 0: packets end here */
    uint8_t dscp;
    struct media_stream *from, *to;
    struct endpoint *endpoint; /* where it ends */
    struct srtp_ctx *srtp;     /* its; step_protect() is there only where this is */
    struct pkt_pool *pool;
    uint8_t
        pt_out[STREAM_FORMAT_MAX]; /* by the format's index in `from`; PT_NONE: the other side has not agreed to it */
    path_step *steps[PATH_STEP_MAX];
};
#define PT_NONE 0xff

/** Choose the steps from one stream to another, as they are negotiated now; to NULL: nowhere. */
void path_build(struct path *path, struct media_stream *from, struct media_stream *to);
/** Send a batch (taken) along it. */
void path_run(struct path *path, struct pkt **pkts, unsigned n);

/* ---- the steps ---- */
path_step step_rewrite; /* step_rewrite.c */
path_step step_protect; /* step_protect.c */
path_step step_send;    /* step_send.c */
