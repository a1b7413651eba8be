/* SPDX-License-Identifier: Apache-2.0 */
/* model.c: emptying a description and adding lines to it, so that only the used part of the large struct is ever
 * touched. */
#include "sdp/sdp.h"

void sdp_reset(struct sdp *sdp)
{
    sdp->origin_user = sdp->origin_id = sdp->origin_address = SPAN_NULL;
    sdp->origin_version = 0;
    sdp->is_origin_v6 = false;
    sdp->has_bundle = false;
    sdp->media_count = 0;
}

struct sdp_media *sdp_add_media(struct sdp *sdp)
{
    struct sdp_media *media;

    if (sdp->media_count >= SDP_MEDIA_MAX)
        return NULL;
    media = &sdp->media[sdp->media_count++];
    *media = (struct sdp_media){.dir = SDP_SENDRECV};
    return media;
}
