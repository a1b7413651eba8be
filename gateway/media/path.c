/* SPDX-License-Identifier: Apache-2.0 */
/* path.c: builds and runs paths: relay is rewrite, protect, send. RFC 3264 section 6.1 for whose payload types are
 * whose. The steps are one file each. */
#include "media/path.h"

#include <string.h>

#include "media/stream_inside.h"

static void add_step(struct path *path, path_step *step)
{
    if (path->step_count < PATH_STEP_MAX)
        path->steps[path->step_count++] = step;
}

/* The number that the other side wants for the same bytes. */
static uint8_t pair_format(const struct stream_format *format, const struct stream_config *to)
{
    for (unsigned i = 0; i < to->format_count; i++)
        if (to->formats[i].codec == format->codec && to->formats[i].is_event == format->is_event)
            return to->formats[i].pt_out;
    return PT_NONE;
}

static bool flows(const struct media_stream *from, const struct media_stream *to)
{
    return to && !to->is_pressing && from->config.receives && to->config.sends && to->endpoint &&
           to->endpoint->can_send;
}

static uint8_t dscp_of(const struct media_stream *to)
{
    const struct conf *conf = to->endpoint->house->conf;

    return (uint8_t)(to->config.is_video ? conf->media.dscp_video : conf->media.dscp_audio);
}

void path_build(struct path *path, struct media_stream *from, struct media_stream *to)
{
    bool was_flowing = path->step_count && path->to == to;

    path->step_count = 0;
    path->from = from;
    path->to = to;
    memset(path->pt_out, PT_NONE, sizeof(path->pt_out));
    if (!flows(from, to))
        return;
    path->endpoint = to->endpoint;
    path->srtp = to->endpoint->srtp;
    path->pool = to->endpoint->house->pool;
    path->dscp = dscp_of(to);
    for (unsigned i = 0; i < from->config.format_count; i++)
        path->pt_out[i] = pair_format(&from->config.formats[i], &to->config);
    if (!was_flowing)
        rewrite_cut(&to->out);
    add_step(path, step_rewrite);
    if (path->srtp)
        add_step(path, step_protect);
    add_step(path, step_send);
}

void path_run(struct path *path, struct pkt **pkts, unsigned n)
{
    for (unsigned i = 0; i < path->step_count && n; i++)
        n = path->steps[i](path, pkts, n);
}
