/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_sdp.c: any bytes as a description: parsed, written, parsed and written again (after one round the text must stay
 * the same), and answered as browser's and as trunk's offer. The answer must have as many lines as the offer, and
 * parse. */
#include <stdlib.h>

#include "sdp/negotiation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sdp in, again, answer;
static struct sdp_line lines[SDP_MEDIA_MAX];

static void check(bool holds)
{
    if (!holds)
        abort();
}

/* @return false when the text has become too long to be read again */
static bool read_again(struct text *out, struct span text)
{
    unsigned media_count = 0;
    const char *why;

    text_init(out, 4 * SDP_TEXT_MAX);
    if (text.n > SDP_TEXT_MAX)
        return false;
    check(sdp_parse(&again, text, &why) == 0);
    media_count = again.media_count;
    check(sdp_write(out, &again) == 0 && media_count == again.media_count);
    return true;
}

static void round_trip(const struct sdp *sdp)
{
    struct text first, second, third;

    text_init(&first, 4 * SDP_TEXT_MAX);
    check(sdp_write(&first, sdp) == 0);
    if (read_again(&second, text_span(&first))) {
        check(again.media_count == sdp->media_count);
        if (read_again(&third, text_span(&second)))
            check(span_eq(text_span(&second), text_span(&third)));
        text_free(&third);
    }
    text_free(&first);
    text_free(&second);
}

static void answer_as(bool is_webrtc, enum conf_srtp srtp)
{
    struct sdp_session session = {.id = SPAN("1"), .address = SPAN("203.0.113.10")};
    struct sdp_transport transport = {.address = session.address,
                                      .port = 10000,
                                      .ufrag = SPAN("gw01"),
                                      .pwd = SPAN("gatewaypasswordgatewaypassw"),
                                      .fingerprint = SPAN("AA:BB")};
    struct sdp_policy policy = {is_webrtc, srtp};
    const char *why;
    int index = sdp_pick_line(&in, SDP_AUDIO, &policy, &why);

    if (index < 0)
        return;
    for (unsigned i = 0; i < in.media_count; i++)
        lines[i].is_refused = i != (unsigned)index;
    lines[index] = (struct sdp_line){.transport = &transport,
                                     .dir = SDP_SENDRECV,
                                     .profile = is_webrtc ? SDP_PROFILE_WEBRTC : SDP_PROFILE_PLAIN,
                                     .has_rtcp_mux = true,
                                     .setup = sdp_answer_setup(in.media[index].setup, SDP_SETUP_NONE)};
    codecs_all(&again.media[0].codecs, SDP_AUDIO, NULL);
    check(codecs_to_answer(&lines[index].codecs, &in.media[index].codecs, &again.media[0].codecs) > 0);
    sdp_make_answer(&answer, &session, &in, lines, in.media_count);
    check(answer.media_count == in.media_count);
    round_trip(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *why;

    if (sdp_parse(&in, span_make(data, size), &why))
        return 0;
    round_trip(&in);
    answer_as(true, CONF_SRTP_OFF);
    answer_as(false, CONF_SRTP_OFF);
    answer_as(false, CONF_SRTP_OFFER);
    return 0;
}
