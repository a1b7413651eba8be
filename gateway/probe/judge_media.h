/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/conf.h"
#include "probe/media_test.h"
#include "probe/report.h"

/* judge_media.h: from numbers of a media test to findings. Pure. */

struct judge_media {
    const struct conf *conf;
    struct addr told;      /* where the trunk's SDP said that it is */
    struct addr signalled; /* where its SIP is */
};
void judge_media(struct report *report, const struct media_result *result, const struct judge_media *about);
