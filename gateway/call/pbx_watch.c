/* SPDX-License-Identifier: Apache-2.0 */
/* pbx_watch.c: subscriptions of PBX users at their PBX: a dialog with the device, one with the PBX, and what comes in
 * one sent on in the other. RFC 6665 (a NOTIFY may come before the answer to the SUBSCRIBE). Knows no event package.
 *
 *   SUBSCRIBE --2xx--> alive --Subscription-State: terminated, a refused refresh, or its time is over--> gone
 *       \-----refused, or no answer--> gone */
#include "call/pbx_watch.h"

#include <errno.h>

#include "base/mem.h"
#include "base/stats.h"
#include "call/pbx_call.h"
#include "call/pbx_guess.h"
#include "call/pbx_pass.h"
#include "sip/dialog.h"
#include "sip/request.h"

#define WATCH_MAX         20000 /* of one worker */
#define WATCH_BINDING_MAX 200   /* of one device */
#define STEP_MAX          16    /* requests under way in one subscription */
#define PATIENCE_T1       24    /* so many T1 for an answer: whoever waits for it waits 64 */
#define EXPIRES_DEFAULT_S 3600
#define EXPIRES_MAX_S     86400
#define SLACK_S           32 /* the last NOTIFY may come late */

struct watch {
    struct list link; /* pbx->watches, while it is not over */
    struct pbx *pbx;
    struct directory *directory; /* holds the trunk */
    const struct trunk *trunk;
    char aor[SIP_ACCOUNT_MAX], name[PBX_NAME_MAX];
    struct dialog *device, *far;
    struct locate *locate;
    struct list steps;
    unsigned step_count;
    struct timer expiry;
    bool is_begun; /* the PBX has accepted it */
};

/* One request on its way through, and its answer back. */
struct step {
    struct list link;
    struct watch *watch; /* referenced */
    struct server_tx *tx;
    struct request *request;
    struct dialog *to;
    char *headers;
    struct timer patience;
};

/* ---- ends ---- */

static void step_destroy(void *self)
{
    struct step *step = self;

    timer_stop(&step->patience);
    list_remove(&step->link);
    request_detach(step->request);
    mem_unref(step->request);
    mem_unref(step->tx);
    if (step->headers)
        mem_wipe(step->headers, strlen(step->headers));
    mem_unref(step->headers);
    if (step->watch)
        step->watch->step_count--;
    mem_unref(step->watch);
}

static void watch_destroy(void *self)
{
    struct watch *watch = self;

    mem_unref(watch->locate);
    mem_unref(watch->device);
    mem_unref(watch->far);
    mem_unref(watch->directory);
}

/* A request under way still holds its dialog, but nothing is to be found by it any more. */
static void hide(struct dialog *dialog)
{
    if (dialog)
        map_remove(&dialog->node);
}

static void count_of_binding(struct watch *watch, int delta)
{
    struct pbx_binding *binding = pbx_table_find(watch->pbx->table, span_of(watch->name));

    if (binding && (delta > 0 || binding->watch_count))
        binding->watch_count += (unsigned)delta;
}

/* Idempotent. What is under way goes on to its answer. */
static void end(struct watch *watch)
{
    if (!list_is_linked(&watch->link))
        return;
    timer_stop(&watch->expiry);
    list_remove(&watch->link);
    hide(watch->device);
    hide(watch->far);
    watch->pbx->watch_count--;
    count_of_binding(watch, -1);
    stats_add(STAT_PBX_SUBSCRIPTIONS, -1);
    mem_unref(watch);
}

void pbx_watch_end_all(struct pbx *pbx)
{
    struct list *link, *tmp, *step_link, *step_tmp;

    list_each (link, tmp, &pbx->watches) {
        struct watch *watch = mem_ref(container_of(link, struct watch, link));

        list_each (step_link, step_tmp, &watch->steps)
            mem_unref(container_of(step_link, struct step, link));
        end(watch);
        mem_unref(watch);
    }
}

static void on_expiry(void *arg)
{
    end(arg);
}

static void set_expiry(struct watch *watch, const struct sip_msg *response)
{
    uint32_t seconds = EXPIRES_DEFAULT_S;

    span_to_u32(sip_msg_value(response, SIP_H_EXPIRES), EXPIRES_MAX_S, &seconds);
    timer_start(watch->pbx->calls->stack->wheel, &watch->expiry, (seconds + SLACK_S) * 1000ull, on_expiry, watch);
}

/* ---- answers ---- */

static void answer(struct step *step, unsigned status, const struct sip_msg *response, const char *why)
{
    char reason[64] = "";
    struct text headers;

    text_init(&headers, 16384);
    if (response) {
        pbx_write_answered(&headers, response);
        span_copy(span_sub(response->reason, 0, sizeof(reason) - 1), reason, sizeof(reason));
    }
    if (text_err(&headers))
        text_reset(&headers);
    server_tx_reply(step->tx, &(struct sip_reply){.status = status,
                                                  .reason = reason[0] ? reason : NULL,
                                                  .why = why,
                                                  .has_contact = status < 300,
                                                  .headers = text_span(&headers)});
    text_free(&headers);
}

static bool is_last_notify(const struct sip_msg *request)
{
    return request->method == SIP_NOTIFY &&
           span_istarts(sip_msg_value(request, SIP_H_SUBSCRIPTION_STATE), SPAN("terminated"));
}

/* RFC 6665 4.1.2.2: a refused refresh leaves the subscription as it was, unless there is none. */
static bool has_ended(const struct watch *watch, const struct sip_msg *request, unsigned status)
{
    return is_last_notify(request) || status == 481 || (!watch->is_begun && status >= 300);
}

static void take_accepted(struct watch *watch, const struct sip_msg *response)
{
    if (!watch->is_begun)
        dialog_update_uac(watch->far, response);
    else
        dialog_refresh_target(watch->far, response);
    watch->is_begun = true;
    set_expiry(watch, response);
}

/* Its refusal is not held, as the way to the device has no place for that, but counts. */
static void note_refusal(const struct step *step, const struct sip_msg *response)
{
    const struct watch *watch = step->watch;
    struct pbx_party party = {.trunk = watch->trunk};
    struct pbx_guess guess;

    memcpy(party.aor, watch->aor, sizeof(party.aor));
    pbx_guess_read(&guess, watch->pbx, server_tx_flow(step->tx), server_tx_request(step->tx), &party);
    pbx_guess_note_refusal(watch->pbx, server_tx_flow(step->tx), &guess, response);
}

static void finish(struct step *step, unsigned status, const struct sip_msg *response, const char *why)
{
    const struct sip_msg *request = server_tx_request(step->tx);
    struct watch *watch = mem_ref(step->watch);

    if (response && status < 300 && request->method == SIP_SUBSCRIBE)
        take_accepted(watch, response);
    if (response && status >= 300 && step->to == watch->far)
        note_refusal(step, response);
    answer(step, status, response, why);
    if (has_ended(watch, request, status))
        end(watch);
    mem_unref(step);
    mem_unref(watch);
}

static void fail(struct step *step, unsigned status)
{
    const char *why;

    status = pbx_no_answer(step->to == step->watch->device, status, &why);
    finish(step, status, NULL, why);
}

static void on_response(struct request *request, const struct sip_msg *response, void *arg)
{
    if (response->status >= 200)
        finish(arg, response->status, response, NULL);
}

static void on_fail(struct request *request, unsigned status, const char *why, void *arg)
{
    fail(arg, status);
}

static const struct request_user request_user = {.on_response = on_response, .on_fail = on_fail};

static void on_patience(void *arg)
{
    fail(arg, 408);
}

/* ---- requests ---- */

static int step_new(struct step **stepp, struct watch *watch, struct server_tx *tx, struct dialog *to, const char *more)
{
    struct sip_stack *stack = watch->pbx->calls->stack;
    struct step *step = mem_new(sizeof(*step), step_destroy);
    struct text headers;

    if (!step)
        return -ENOMEM;
    text_init(&headers, 16384);
    text_add_str(&headers, more);
    pbx_write_passed(&headers, server_tx_request(tx));
    if (to == watch->far)
        pbx_write_credentials(&headers, server_tx_request(tx));
    step->headers = text_err(&headers) || headers.len ? text_take(&headers) : mem_text("", 0);
    text_free(&headers);
    if (!step->headers) {
        mem_unref(step);
        return -ENOMEM;
    }
    step->watch = mem_ref(watch);
    step->tx = mem_ref(tx);
    step->to = to;
    watch->step_count++;
    list_append(&watch->steps, &step->link);
    timer_start(stack->wheel, &step->patience, PATIENCE_T1 * stack->timers.t1_ms, on_patience, step);
    *stepp = step;
    return 0;
}

static void send_step(struct step *step)
{
    const struct sip_msg *msg = server_tx_request(step->tx);

    if (request_send(&step->request, &(struct request_options){.dialog = step->to,
                                                               .method = msg->method,
                                                               .headers = span_of(step->headers),
                                                               .content_type = sip_msg_value(msg, SIP_H_CONTENT_TYPE),
                                                               .body = msg->body,
                                                               .user = &request_user,
                                                               .arg = step}))
        fail(step, 503);
}

static void pass_on(struct watch *watch, struct server_tx *tx, struct dialog *to)
{
    struct step *step;

    if (watch->step_count >= STEP_MAX || step_new(&step, watch, tx, to, ""))
        pbx_reply(tx, 503, "too many requests are on their way");
    else
        send_step(step);
}

static void on_device_request(struct dialog *dialog, struct server_tx *tx, const struct sip_msg *msg, void *arg)
{
    struct watch *watch = arg;
    struct pbx_binding *binding = pbx_table_find(watch->pbx->table, span_of(watch->name));

    if (!tx)
        return;
    if (binding && !pbx_guess_is_own(msg, watch->trunk, binding)) {
        pbx_reply(tx, 403, "these credentials are not of the user who sends them");
        return;
    }
    if (msg->method != SIP_SUBSCRIBE || !watch->is_begun) {
        pbx_reply(tx, msg->method == SIP_SUBSCRIBE ? 491 : 405, "not in this subscription");
        return;
    }
    dialog_refresh_target(dialog, msg);
    pass_on(watch, tx, watch->far);
}

static void on_far_request(struct dialog *dialog, struct server_tx *tx, const struct sip_msg *msg, void *arg)
{
    struct watch *watch = arg;

    if (!tx)
        return;
    if (msg->method != SIP_NOTIFY) {
        pbx_reply(tx, 405, "not in this subscription");
        return;
    }
    if (!dialog->remote_tag) /* it was faster than the answer to the SUBSCRIBE */
        dialog->remote_tag = mem_text(msg->from_tag.p, msg->from_tag.n);
    dialog_refresh_target(dialog, msg);
    pass_on(watch, tx, watch->device);
}

static bool allows_device(struct dialog *dialog, const struct sip_flow *flow, struct span account, void *arg)
{
    const struct watch *watch = arg;

    if (sip_flow_same(flow, &dialog->flow))
        return true;
    if (!account.n || !span_eq(account, span_of(watch->aor)))
        return false;
    dialog->flow = *flow;
    return true;
}

static bool allows_far(struct dialog *dialog, const struct sip_flow *flow, struct span account, void *arg)
{
    const struct watch *watch = arg;

    return trunk_accepts(watch->trunk, &flow->remote);
}

static const struct dialog_user device_user = {.on_request = on_device_request, .allows = allows_device};
static const struct dialog_user far_user = {.on_request = on_far_request, .allows = allows_far};

/* ---- the first SUBSCRIBE ---- */

static struct step *first_step(struct watch *watch)
{
    struct list *link = list_first(&watch->steps);

    return link ? container_of(link, struct step, link) : NULL;
}

static void on_located(int err, const struct locate_target *targets, unsigned count, void *arg)
{
    struct watch *watch = arg;
    struct step *step = first_step(watch);
    struct locate_tries tries;

    if (!step)
        return;
    locate_tries_begin(&tries, watch->pbx->calls->stack, targets, err ? 0 : count);
    if (locate_tries_open(&tries, &watch->far->flow, watch->pbx->calls->stack, &watch->trunk->peer))
        send_step(step);
    else
        fail(step, 503);
}

static void begin(struct watch *watch, struct server_tx *tx, const struct pbx_binding *binding)
{
    struct calls *calls = watch->pbx->calls;
    struct step *step;

    mem_ref(watch); /* it may be over at once */
    if (step_new(&step, watch, tx, watch->far, binding->routes)) {
        pbx_reply(tx, 503, "no memory");
        end(watch);
    } else if (pbx_open_hop(calls, watch->trunk, span_of(binding->next_hop), &watch->far->flow)) {
        send_step(step);
    } else if (locate_begin(&watch->locate, calls->stack, calls->dns, &watch->trunk->wish, on_located, watch)) {
        fail(step, 503);
    }
    mem_unref(watch);
}

static int make_far(struct watch *watch, const struct sip_msg *msg)
{
    char call_id[SIP_CALL_ID_MAX], tag[SIP_TAG_MAX];
    struct text from, to;
    int err;

    text_init(&from, 2048);
    text_init(&to, 2048);
    pbx_write_name(&from, &msg->from);
    pbx_write_name(&to, &msg->to);
    outside_make_names(watch->pbx->calls->stack, call_id, tag);
    err = text_err(&from) ? text_err(&from) : text_err(&to);
    if (!err)
        err = dialog_new_uac(&watch->far,
                             &(struct dialog_options){.stack = watch->pbx->calls->stack,
                                                      .user = &far_user,
                                                      .arg = watch,
                                                      .contact_user = span_of(watch->name)},
                             span_of(call_id), text_span(&from), text_span(&to), msg->request_uri);
    text_free(&from);
    text_free(&to);
    return err;
}

static int watch_new(struct watch **watchp, struct pbx *pbx, struct server_tx *tx, const struct pbx_party *party)
{
    struct watch *watch = mem_new(sizeof(*watch), watch_destroy);
    int err;

    if (!watch)
        return -ENOMEM;
    watch->pbx = pbx;
    watch->directory = mem_ref(pbx->calls->directory);
    watch->trunk = party->trunk;
    memcpy(watch->aor, party->aor, sizeof(watch->aor));
    memcpy(watch->name, party->binding->name, sizeof(watch->name));
    list_init(&watch->steps);
    err = dialog_new_uas(&watch->device,
                         &(struct dialog_options){.stack = pbx->calls->stack, .user = &device_user, .arg = watch},
                         server_tx_request(tx), server_tx_flow(tx), server_tx_tag(tx));
    if (!err)
        err = make_far(watch, server_tx_request(tx));
    if (err) {
        mem_unref(watch);
        return err;
    }
    *watchp = watch;
    return 0;
}

void pbx_watch_receive(struct pbx *pbx, struct server_tx *tx, const struct pbx_party *party)
{
    struct watch *watch = NULL;
    int err;

    if (pbx->watch_count >= WATCH_MAX || party->binding->watch_count >= WATCH_BINDING_MAX) {
        pbx_reply(tx, 503, "too many subscriptions");
        return;
    }
    err = watch_new(&watch, pbx, tx, party);
    if (err) {
        pbx_reply(tx, err == -EBADMSG ? 400 : 500, err == -EBADMSG ? "the SUBSCRIBE lacks a usable Contact" : NULL);
        return;
    }
    list_append(&pbx->watches, &watch->link);
    pbx->watch_count++;
    count_of_binding(watch, 1);
    stats_add(STAT_PBX_SUBSCRIPTIONS, 1);
    begin(watch, tx, party->binding);
}

void pbx_watch_moved(struct pbx *pbx, const char *name, const struct sip_flow *flow)
{
    struct list *link, *tmp;

    list_each (link, tmp, &pbx->watches) {
        struct watch *watch = container_of(link, struct watch, link);

        if (!strcmp(watch->name, name))
            watch->device->flow = *flow;
    }
}
