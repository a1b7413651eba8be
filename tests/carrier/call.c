/* SPDX-License-Identifier: Apache-2.0 */
/* call.c: one call of the carrier, from INVITE to the line that is printed about it. RFC 3261 13 to 15, RFC 3264.
 *
 *   taken -> 180 or 183 -> 200 -> (hang up after hangup_ms) -> over -> maybe a call back (call_back.c)
 *
 * Knows the numbers as a table of properties; sounds are tunes.c's, packets voice.c's. */
#include "call_private.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/worker.h"
#include "tunes.h"

#define CALL_BACK_MS   5000
#define DIGIT_PAUSE_MS 1200 /* silence after the last digit that ends the entry */

struct call *call_of(struct list *link)
{
    return container_of(link, struct call, link);
}

static void call_destroy(void *self)
{
    struct call *call = self;

    timer_stop(&call->step);
    timer_stop(&call->digit_pause);
    list_remove(&call->link);
    mem_unref(call->voice);
    mem_unref(call->invite);
    text_free(&call->body);
}

/* ---- the end ---- */

static void print_line(const struct call *call, const char *why)
{
    struct voice_counts counts = call->voice ? voice_counts(call->voice) : (struct voice_counts){0};
    const char *codec = call->voice && voice_terms(call->voice)->codec ? voice_terms(call->voice)->codec : "no media";
    double seconds = call->answered_us ? (double)(clock_now_us() - call->answered_us) / 1e6 : 0;
    struct text safe;

    text_init(&safe, 4 * CALLER_MAX);
    text_add_escaped(&safe, span_of(call->caller));
    printf("call %s %s %.*s (%s): %s, %.1f s, %llu packets in, %llu out, digits \"%s\": %s\n", call->number->digits,
           call->is_back ? "to" : "from", SPAN_ARG(text_span(&safe)), call->number->what, codec, seconds,
           (unsigned long long)counts.packets_in, (unsigned long long)counts.packets_out, call->digits, why);
    fflush(stdout);
    text_free(&safe);
}

/* The invite is over or was ended. */
void call_finish(struct call *call, const char *why)
{
    struct carrier *carrier = call->carrier;
    bool wants_back = call->number->calls_back && call->answered_us && !carrier->is_stopping;

    print_line(call, why);
    if (wants_back)
        call_dial(carrier, span_of(call->caller), CALL_BACK_MS);
    carrier->call_count--;
    mem_unref(call);
    if (carrier->is_stopping && carrier->call_count == 0)
        carrier->on_idle(carrier);
}

void call_end(struct call *call, const char *why)
{
    if (call->invite)
        invite_end(call->invite, &(struct invite_end){.status = 480, .why = why});
    call_finish(call, why);
}

static void refuse(struct call *call, unsigned status, const char *why)
{
    invite_end(call->invite, &(struct invite_end){.status = status, .why = why});
    call_finish(call, why);
}

/* ---- digits ---- */

static void read_back(void *arg)
{
    struct call *call = arg;
    struct sound *sound = voice_sound(call->voice);

    for (const char *digit = call->entry; *digit; digit++)
        tunes_queue_digit(sound, *digit);
    if (call->entry[0])
        tunes_queue_confirm(sound);
    call->entry[0] = '\0';
}

static void append_digit(char *digits, char digit)
{
    size_t n = strlen(digits);

    if (n < DIGITS_MAX) {
        digits[n] = digit;
        digits[n + 1] = '\0';
    }
}

static void on_digit(struct voice *voice, char digit, void *arg)
{
    struct call *call = arg;

    append_digit(call->digits, digit);
    if (!call->number->reads_digits)
        return;
    append_digit(call->entry, digit);
    worker_timer(&call->digit_pause, DIGIT_PAUSE_MS, read_back, call);
}

static const struct voice_user voice_user = {.on_digit = on_digit};

/* "Signal=5" of application/dtmf-relay, or the digit alone. */
static void on_info(struct invite *invite, struct server_tx *tx, const struct sip_msg *info, void *arg)
{
    struct call *call = arg;
    ptrdiff_t at = span_find_span(info->body, SPAN("Signal="));
    struct span rest = span_trim(at < 0 ? info->body : span_sub(info->body, (size_t)at + 7, info->body.n));

    server_tx_reply(tx, &(struct sip_reply){.status = 200});
    if (rest.n && strchr("0123456789*#ABCD", rest.p[0]) && rest.p[0])
        on_digit(call->voice, rest.p[0], call);
}

/* ---- the description ---- */

struct terms_place call_place(struct call *call)
{
    return (struct terms_place){.host = call->carrier->host,
                                .is_v6 = addr_is_v6(&call->carrier->listen),
                                .port = voice_port(call->voice),
                                .session_id = call->session_id,
                                .version = ++call->version};
}

int call_make_voice(struct call *call, const char **why_out)
{
    struct addr address = call->carrier->options.listen;
    int err;

    addr_set_port(&address, 0);
    err = voice_new(&call->voice, call->carrier->udp, call->carrier->ports, &address, &voice_user, call);
    if (err)
        *why_out = "no RTP port is left";
    return err;
}

static int answer_offer(struct call *call, struct span offer, const char **why_out)
{
    struct terms_place place = call_place(call);
    struct voice_terms terms = {0};
    int err;

    text_reset(&call->body);
    err = terms_answer(&terms, &call->body, offer, &place, call->number->is_echo, why_out);
    if (!err)
        voice_set_terms(call->voice, &terms);
    return err;
}

/* ---- after the answer ---- */

static void hang_up(void *arg)
{
    call_end(arg, "hung up by the carrier");
}

static void begin_sound(struct call *call)
{
    struct sound *sound = voice_sound(call->voice);

    sound_stop(sound);
    voice_set_echo(call->voice, call->number->is_echo);
    if (call->number->tune)
        sound_play(sound, call->number->tune);
    else if (call->number->reads_digits)
        tunes_queue_welcome(sound);
    else if (call->number->calls_back)
        tunes_queue_confirm(sound);
    voice_start(call->voice);
}

void call_talk(struct call *call)
{
    call->answered_us = clock_now_us();
    begin_sound(call);
    if (call->number->hangup_ms)
        worker_timer(&call->step, call->number->hangup_ms, hang_up, call);
}

static void on_confirmed(struct invite *invite, const struct sip_msg *ack, void *arg)
{
}

static void on_cancelled(struct invite *invite, const struct sip_msg *cancel, void *arg)
{
    call_finish(arg, "cancelled by the caller");
}

static void on_modify(struct invite *invite, const struct sip_msg *request, void *arg)
{
    struct call *call = arg;
    const char *why = NULL;

    if (request->body.n && answer_offer(call, request->body, &why)) {
        invite_modify_reply(invite, &(struct sip_reply){.status = 488, .why = why});
        return;
    }
    invite_modify_reply(
        invite, &(struct sip_reply){
                    .status = 200, .has_contact = true, .content_type = SDP_TYPE, .body = text_span(&call->body)});
}

static void on_modified(struct invite *invite, unsigned status, const struct sip_msg *response, void *arg)
{
}

static void on_ended(struct invite *invite, enum invite_end_cause cause, const struct sip_msg *bye, const char *why,
                     void *arg)
{
    call_finish(arg, cause == INVITE_END_BYE ? "hung up by the gateway" : why);
}

const struct invite_user call_invite_user = {
    .on_progress = call_on_progress,
    .on_answered = call_on_answered,
    .on_rejected = call_on_rejected,
    .on_confirmed = on_confirmed,
    .on_cancelled = on_cancelled,
    .on_modify = on_modify,
    .on_modified = on_modified,
    .on_info = on_info,
    .on_ended = on_ended,
};

/* ---- in ---- */

static void answer(void *arg)
{
    struct call *call = arg;

    if (invite_in_answer(call->invite, SPAN_NULL, SDP_TYPE, text_span(&call->body)))
        refuse(call, 500, "the answer could not be sent");
    else
        call_talk(call);
}

static void ring(struct call *call)
{
    struct sip_reply ringing = {.status = 180, .has_contact = true};
    struct sip_reply early = {
        .status = 183, .has_contact = true, .content_type = SDP_TYPE, .body = text_span(&call->body)};

    invite_in_progress(call->invite, call->number->has_early_media ? &early : &ringing);
    if (call->number->has_early_media) {
        sound_play(voice_sound(call->voice), tune_ringback);
        voice_start(call->voice);
    }
    if (call->number->answer_ms >= 0)
        worker_timer(&call->step, (unsigned)call->number->answer_ms, answer, call);
}

/* Who calls: P-Asserted-Identity if there is one (RFC 3325), else From. */
static void read_caller(struct call *call, const struct sip_msg *invite)
{
    const struct sip_header *header = sip_msg_other(invite, SPAN("P-Asserted-Identity"));
    struct name_addr asserted;
    struct span user = invite->from.uri.user;

    if (header && name_addr_parse(&asserted, header->value) == 0 && asserted.uri.user.n)
        user = asserted.uri.user;
    if (uri_decode(user, call->caller, sizeof(call->caller)) < 0)
        snprintf(call->caller, sizeof(call->caller), "unknown");
}

struct call *call_alloc(struct carrier *carrier, const struct number *number)
{
    struct call *call = mem_new(sizeof(*call), call_destroy);

    if (!call)
        return NULL;
    call->carrier = carrier;
    call->number = number;
    text_init(&call->body, SDP_TEXT_MAX);
    snprintf(call->session_id, sizeof(call->session_id), "%llu", (unsigned long long)(clock_wall_us() % 1000000000));
    return call;
}

void call_admit(struct call *call)
{
    list_append(&call->carrier->calls, &call->link);
    call->carrier->call_count++;
}

static void reply(struct server_tx *tx, unsigned status, const char *why)
{
    server_tx_reply(tx, &(struct sip_reply){.status = status, .why = why});
}

static void print_unknown(const struct sip_msg *invite)
{
    struct text safe;

    text_init(&safe, 256);
    text_add_escaped(&safe, span_sub(invite->uri.user, 0, CALLER_MAX));
    printf("call %.*s: nobody has this number\n", SPAN_ARG(text_span(&safe)));
    fflush(stdout);
    text_free(&safe);
}

void call_take(struct carrier *carrier, struct server_tx *tx)
{
    const struct sip_msg *invite = server_tx_request(tx);
    const struct number *number = number_find(invite->uri.user);
    const char *why = "the INVITE has no offer";
    struct call *call;

    if (!number) {
        print_unknown(invite);
        reply(tx, 404, "nobody has this number");
        return;
    }
    call = call_alloc(carrier, number);
    if (!call || invite_in_new(&call->invite, tx, &call_invite_user, call, SPAN("carrier"))) {
        mem_unref(call);
        reply(tx, 500, "the call could not be set up");
        return;
    }
    call_admit(call);
    read_caller(call, invite);
    if (number->refuse_status) {
        refuse(call, number->refuse_status, number->what);
    } else if (call_make_voice(call, &why)) {
        refuse(call, 503, why);
    } else if (invite->body.n == 0 || answer_offer(call, invite->body, &why)) {
        refuse(call, 488, why);
    } else {
        ring(call);
    }
}
