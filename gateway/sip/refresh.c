/* SPDX-License-Identifier: Apache-2.0 */
/* refresh.c: session timers of one INVITE usage. RFC 4028. Refreshes by UPDATE where the peer allows it, else asks the
 * user for a re-INVITE; a session whose refresher is silent ends with BYE. */
#include "sip/refresh.h"

#include "base/mem.h"
#include "sip/invite_private.h"
#include "sip/params.h"

/* "1800;refresher=uas" -> seconds; 0: absent or unreadable. */
static unsigned read_session_expires(const struct sip_msg *msg, struct span *refresher)
{
    struct span rest = sip_msg_value(msg, SIP_H_SESSION_EXPIRES);
    struct span number = span_trim(span_cut(&rest, ';'));
    uint32_t seconds = 0;

    *refresher = SPAN_NULL;
    params_get(rest, SPAN("refresher"), refresher);
    return span_to_u32(number, INT32_MAX, &seconds) ? 0 : seconds;
}

bool refresh_is_too_brief(const struct sip_msg *request)
{
    struct span refresher;
    unsigned seconds = read_session_expires(request, &refresher);

    return seconds && seconds < REFRESH_MIN_SE_S;
}

/* ---- the timer ---- */

static void arm(struct invite *invite);
static void send_refresh(struct invite *invite);

static void on_response(struct request *request, const struct sip_msg *response, void *arg)
{
    struct invite *invite = arg;

    if (response->status < 200)
        return;
    if (response->status < 300) {
        dialog_refresh_target(invite->dialog, response);
        invite_choose_flow(invite);
        refresh_take(invite, response);
    } else if (response->status == 481 || response->status == 408) {
        invite_tell_end(invite, INVITE_END_FAILED, NULL, "the other side does not know the call any more");
    } else if (response->status == 405 || response->status == 501) {
        invite->refresh.peer_updates = false; /* the next one is a re-INVITE */
    } else if (response->status == 422 && refresh_lengthen(invite, response)) {
        send_refresh(invite);
    }
}

static void on_fail(struct request *request, unsigned status, const char *why, void *arg)
{
    struct invite *invite = arg;

    if (invite->state != INVITE_CONFIRMED)
        return;
    invite_send_bye(invite);
    invite_tell_end(invite, INVITE_END_FAILED, NULL, "the session could not be refreshed: no answer");
}

static const struct request_user refresh_user = {.on_response = on_response, .on_fail = on_fail};

static void send_refresh(struct invite *invite)
{
    struct text headers;

    if (!invite->refresh.peer_updates) {
        if (invite->user && invite->user->on_refresh)
            invite->user->on_refresh(invite, invite->arg);
        return;
    }
    text_init(&headers, 256);
    refresh_write(invite, &headers);
    request_detach(invite->refresh_request);
    mem_unref(invite->refresh_request);
    invite->refresh_request = NULL;
    request_send(&invite->refresh_request, &(struct request_options){.dialog = invite->dialog,
                                                                     .method = SIP_UPDATE,
                                                                     .headers = text_span(&headers),
                                                                     .username = invite->username,
                                                                     .password = invite->password,
                                                                     .user = &refresh_user,
                                                                     .arg = invite});
    text_free(&headers);
}

static void on_timer(void *arg)
{
    struct invite *invite = arg;

    if (invite->state != INVITE_CONFIRMED)
        return;
    if (invite->refresh.is_ours) {
        if (!invite_is_modifying(invite))
            send_refresh(invite);
        arm(invite);
        return;
    }
    invite->end.cause = 408;
    invite_send_bye(invite);
    invite_tell_end(invite, INVITE_END_FAILED, NULL,
                    "the session timer ran out: the other side did not refresh the call");
}

/* We refresh at half of the interval; we give up waiting for the other's a bit before the end (section 10). */
static void arm(struct invite *invite)
{
    unsigned interval_s = invite->refresh.interval_s;
    unsigned grace_s = interval_s / 3 < 32 ? interval_s / 3 : 32;
    unsigned wait_s = invite->refresh.is_ours ? interval_s / 2 : interval_s - grace_s;

    timer_start(invite->stack->wheel, &invite->refresh.timer, wait_s * 1000ull, on_timer, invite);
}

void refresh_stop(struct invite *invite)
{
    timer_stop(&invite->refresh.timer);
    request_detach(invite->refresh_request);
    invite->refresh_request = mem_unref(invite->refresh_request);
}

void refresh_note_peer(struct invite *invite, const struct sip_msg *msg)
{
    if (sip_msg_header(msg, SIP_H_ALLOW))
        invite->refresh.peer_updates = sip_msg_has_token(msg, SIP_H_ALLOW, SPAN("UPDATE"));
}

/* ---- agreement ---- */

void refresh_accept(struct invite *invite, const struct sip_msg *request, unsigned offered_s, struct text *headers)
{
    bool peer_knows = sip_msg_has_token(request, SIP_H_SUPPORTED, SPAN("timer"));
    struct span refresher;
    unsigned seconds = read_session_expires(request, &refresher);
    bool is_kept = !seconds && invite->refresh.interval_s && invite->refresh.is_ours; /* we go on refreshing */

    refresh_note_peer(invite, request);
    if (!seconds && (!offered_s || (!peer_knows && !is_kept))) {
        timer_stop(&invite->refresh.timer);
        invite->refresh.interval_s = 0;
        return;
    }
    if (!seconds)
        seconds = offered_s;
    if (seconds < REFRESH_MIN_SE_S)
        seconds = REFRESH_MIN_SE_S;
    invite->refresh.interval_s = seconds;
    invite->refresh.is_ours = !peer_knows || is_kept || span_ieq(refresher, SPAN("uas"));
    if (peer_knows && !invite->refresh.is_ours)
        text_add_str(headers, "Require: timer\r\n");
    text_addf(headers, "Session-Expires: %u;refresher=%s\r\n", seconds, invite->refresh.is_ours ? "uas" : "uac");
    arm(invite);
}

void refresh_write(struct invite *invite, struct text *headers)
{
    struct refresh *refresh = &invite->refresh;

    text_add_str(headers, "Supported: timer\r\n");
    refresh->has_asked = refresh->interval_s > 0;
    if (refresh->has_asked)
        text_addf(headers, "Session-Expires: %u;refresher=%s\r\n", refresh->interval_s,
                  refresh->is_ours ? "uac" : "uas");
    if (refresh->has_asked && refresh->min_se_s)
        text_addf(headers, "Min-SE: %u\r\n", refresh->min_se_s);
}

/* One step per call: a peer that asks for more each time is refused. */
bool refresh_lengthen(struct invite *invite, const struct sip_msg *response)
{
    struct span rest = response ? sip_msg_value(response, SIP_H_MIN_SE) : SPAN_NULL;
    struct refresh *refresh = &invite->refresh;
    uint32_t seconds = 0;

    if (!refresh->has_asked || refresh->min_se_s || span_to_u32(span_trim(span_cut(&rest, ';')), INT32_MAX, &seconds) ||
        seconds <= refresh->interval_s)
        return false;
    refresh->interval_s = refresh->min_se_s = seconds;
    return true;
}

void refresh_take(struct invite *invite, const struct sip_msg *response)
{
    struct span refresher;
    unsigned seconds = read_session_expires(response, &refresher);

    refresh_note_peer(invite, response);
    if (seconds < REFRESH_MIN_SE_S && invite->refresh.has_asked && invite->refresh.is_ours) {
        arm(invite); /* nothing has to be refreshed any more (7.2); it does no harm if the peer only forgot to say it */
        return;
    }
    if (seconds < REFRESH_MIN_SE_S) {
        timer_stop(&invite->refresh.timer);
        invite->refresh.interval_s = 0;
        return;
    }
    invite->refresh.interval_s = seconds;
    invite->refresh.is_ours = !span_ieq(refresher, SPAN("uas"));
    arm(invite);
}
