/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "media/rtcp.h"
#include "media/stream_inside.h"

/* rtcp_report.h: RTCP of our own for the streams of an endpoint, and what the peer's says about us. RFC 3550 section 6.
 */

/** From now on a report of each stream goes out about every 5 s, the first after half of it. */
void rtcp_report_start(struct endpoint *endpoint);
/** BYE for each stream that has sent / for one. */
void rtcp_report_say_bye(struct endpoint *endpoint);
void rtcp_report_say_bye_of(struct media_stream *stream);
/** A checked compound packet of the peer. */
void rtcp_report_receive(struct endpoint *endpoint, struct span compound, uint64_t now_us);
/** Add this stream's SR or RR and CNAME: each compound packet begins so. */
void rtcp_report_write(struct media_stream *stream, struct rtcp_writer *writer, uint64_t now_us);
