/* SPDX-License-Identifier: Apache-2.0 */
/* leg_sip_media.c: the media of a SIP leg: opened as its peer and its trunk want it, and what is heard of it. */
#include <stdio.h>

#include "call/call.h"
#include "call/dtmf.h"
#include "call/leg_sip_private.h"

static void on_media_state(struct endpoint *endpoint, enum endpoint_state state, const char *why, void *arg)
{
    struct leg_sip *sip = arg;

    if (sip->leg.is_over)
        return;
    if (state == ENDPOINT_READY)
        call_note(sip->leg.call, "%s: media ready %s", sip->leg.peer, endpoint_suite(endpoint));
    if (state == ENDPOINT_FAILED) {
        sip->leg.trouble = LEG_MEDIA_FAILED;
        snprintf(sip->leg.media_why, sizeof(sip->leg.media_why), "%s", why);
        call_event(&(struct leg_news){.leg = &sip->leg, .event = LEG_HUNG_UP, .status = 500, .why = why});
    }
}

static void on_media_event(struct endpoint *endpoint, const char *text, void *arg)
{
    struct leg_sip *sip = arg;

    if (sip->leg.call)
        call_note(sip->leg.call, "%s: %s", sip->leg.peer, text);
}

/* As if it had come by INFO: its other side takes them so. */
static void on_media_key(struct endpoint *endpoint, unsigned event, unsigned duration_ms, void *arg)
{
    struct leg_sip *sip = arg;
    struct text body;

    if (sip->leg.is_over)
        return;
    text_init(&body, 128);
    dtmf_write(&body, &(struct dtmf){.event = event, .duration_ms = duration_ms});
    call_event(&(struct leg_news){
        .leg = &sip->leg, .event = LEG_INFO, .why = "", .sdp = text_span(&body), .content_type = DTMF_TYPE});
    text_free(&body);
}

static const struct endpoint_user media_user = {
    .on_state = on_media_state, .on_event = on_media_event, .on_key = on_media_key};

int leg_sip_open_media(struct leg_sip *sip, const struct addr *towards, bool is_webrtc)
{
    struct call *call = sip->leg.call;
    const struct conf_trunk *trunk = sip->leg.trunk ? sip->leg.trunk->conf : NULL;

    return leg_media_new(&sip->leg.media,
                         &(struct leg_media_options){.house = call->calls->media,
                                                     .conf = call->conf,
                                                     .is_webrtc = is_webrtc,
                                                     .is_trunk = trunk != NULL,
                                                     .has_info_keys = trunk && trunk->dtmf == CONF_DTMF_INFO,
                                                     .srtp = trunk ? trunk->srtp : CONF_SRTP_OFF,
                                                     .codecs = trunk && trunk->codecs.count ? &trunk->codecs : NULL,
                                                     .towards = *towards,
                                                     .is_device = !trunk,
                                                     .user = &media_user,
                                                     .arg = sip});
}
