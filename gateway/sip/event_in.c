/* SPDX-License-Identifier: Apache-2.0 */
/* event_in.c: one subscription as its notifier sees it. RFC 6665 4.2. NOTIFYs go over the flow that the SUBSCRIBE came
 * from, whatever its Contact says. Knows no event package.
 *
 *   ACTIVE --refresh--> ACTIVE
 *     |--Expires: 0, or time is over--> LAST (the state once more) --NOTIFY--> OVER
 *     \--our side ends it, NOTIFY refused or not answered--> OVER                        */
#include "sip/event_in.h"

#include <errno.h>
#include <stdio.h>

#include "base/mem.h"
#include "sip/dialog.h"
#include "sip/params.h"
#include "sip/request.h"

enum event_state { ACTIVE, LAST, OVER };

struct event_in {
    struct dialog *dialog;
    struct request *request; /* the NOTIFY under way */
    enum event_state state;
    bool has_sent_last;
    char *event; /* value of Event in NOTIFYs */
    unsigned min_s, max_s, default_s;
    struct timer expiry;
    const struct event_in_user *user;
    void *arg;
};

static void event_in_destroy(void *self)
{
    struct event_in *sub = self;

    timer_stop(&sub->expiry);
    request_detach(sub->request);
    mem_unref(sub->request);
    if (sub->dialog)
        map_remove(&sub->dialog->node); /* a NOTIFY on the wire may outlive us: it must not be found by the peer */
    mem_unref(sub->dialog);
    mem_unref(sub->event);
}

static void finish(struct event_in *sub)
{
    const struct event_in_user *user = sub->user;

    sub->state = OVER;
    sub->user = NULL;
    timer_stop(&sub->expiry);
    if (user)
        user->on_end(sub, sub->arg);
}

/* ---- reading ---- */

struct span event_package(const struct sip_msg *msg)
{
    struct span value = sip_msg_value(msg, SIP_H_EVENT);

    return span_trim(span_cut(&value, ';'));
}

int event_expires(unsigned *expires_s, const struct sip_msg *msg, unsigned min_s, unsigned max_s, unsigned default_s)
{
    struct span text = sip_msg_value(msg, SIP_H_EXPIRES);
    uint32_t wanted = default_s;

    if (text.n && span_to_u32(text, UINT32_MAX, &wanted))
        return -EBADMSG;
    if (wanted && wanted < min_s)
        return -ERANGE;
    *expires_s = wanted < max_s ? wanted : max_s;
    return 0;
}

static void refuse(struct server_tx *tx, unsigned status, const char *why, const char *headers)
{
    server_tx_reply(tx, &(struct sip_reply){.status = status, .why = why, .headers = span_of(headers)});
}

static void refuse_expires(struct event_in *sub, struct server_tx *tx, int err)
{
    char headers[40];

    snprintf(headers, sizeof(headers), "Min-Expires: %u\r\n", sub->min_s);
    if (err == -ERANGE)
        refuse(tx, 423, "the subscription is too brief", headers);
    else
        refuse(tx, 400, "Expires cannot be read", "");
}

static bool is_same_event(const struct event_in *sub, const struct sip_msg *msg)
{
    struct span ours = span_of(sub->event);

    return span_ieq(event_package(msg), span_trim(span_cut(&ours, ';')));
}

/* ---- NOTIFY ---- */

static void end_notify(struct event_in *sub, bool is_accepted)
{
    mem_ref(sub);
    sub->request = mem_unref(sub->request);
    if (!is_accepted || sub->has_sent_last)
        finish(sub);
    else if (sub->user)
        sub->user->on_ready(sub, sub->arg);
    mem_unref(sub);
}

static void on_response(struct request *request, const struct sip_msg *response, void *arg)
{
    if (response->status >= 200)
        end_notify(arg, response->status < 300);
}

static void on_fail(struct request *request, unsigned status, const char *why, void *arg)
{
    end_notify(arg, false);
}

static const struct request_user request_user = {.on_response = on_response, .on_fail = on_fail};

static void write_state(struct text *out, const struct event_in *sub, const char *reason, unsigned retry_after_s)
{
    sip_write_header(out, "Event", span_of(sub->event));
    if (!reason) {
        sip_write_headerf(out, "Subscription-State", "active;expires=%u",
                          (unsigned)((timer_left_ms(&sub->expiry) + 999) / 1000));
        return;
    }
    text_addf(out, "Subscription-State: terminated;reason=%s", reason);
    if (retry_after_s)
        text_addf(out, ";retry-after=%u", retry_after_s);
    text_add_str(out, "\r\n");
}

static int send_notify(struct event_in *sub, struct request **requestp, const char *reason, unsigned retry_after_s,
                       struct span content_type, struct span body)
{
    struct text headers;
    int err;

    text_init(&headers, 2048);
    write_state(&headers, sub, reason, retry_after_s);
    text_add_str(&headers, "User-Agent: " SIP_AGENT "\r\n");
    err = text_err(&headers);
    if (!err)
        err = request_send(requestp, &(struct request_options){.dialog = sub->dialog,
                                                               .method = SIP_NOTIFY,
                                                               .headers = text_span(&headers),
                                                               .content_type = content_type,
                                                               .body = body,
                                                               .user = requestp ? &request_user : NULL,
                                                               .arg = sub});
    text_free(&headers);
    return err;
}

bool event_in_is_ready(const struct event_in *sub)
{
    return !sub->request && sub->state != OVER;
}

int event_in_notify(struct event_in *sub, struct span content_type, struct span body)
{
    if (!event_in_is_ready(sub))
        return -EBUSY;
    sub->has_sent_last = sub->state == LAST;
    return send_notify(sub, &sub->request, sub->has_sent_last ? "timeout" : NULL, 0, content_type, body);
}

void event_in_end(struct event_in *sub, const char *reason, unsigned retry_after_s)
{
    if (sub->state == OVER)
        return;
    send_notify(sub, NULL, reason, retry_after_s, SPAN_NULL, SPAN_NULL);
    sub->user = NULL;
    finish(sub);
}

/* ---- time ---- */

static void on_expiry(void *arg)
{
    struct event_in *sub = arg;

    mem_ref(sub);
    sub->state = LAST;
    if (sub->user)
        sub->user->on_fetch(sub, sub->arg);
    mem_unref(sub);
}

/* 200, and the state right after it: RFC 6665 4.2.1. Expires: 0 asks once, or ends it. */
static void grant(struct event_in *sub, struct server_tx *tx, unsigned expires_s)
{
    char headers[40];

    snprintf(headers, sizeof(headers), "Expires: %u\r\n", expires_s);
    server_tx_reply(tx, &(struct sip_reply){.status = 200, .has_contact = true, .headers = span_of(headers)});
    timer_stop(&sub->expiry);
    if (expires_s)
        timer_start(sub->dialog->stack->wheel, &sub->expiry, expires_s * 1000ull, on_expiry, sub);
    else
        sub->state = LAST;
    if (sub->user)
        sub->user->on_fetch(sub, sub->arg);
}

/* ---- the dialog ---- */

static void refresh(struct event_in *sub, struct server_tx *tx, const struct sip_msg *msg)
{
    unsigned expires_s;
    int err;

    if (sub->state != ACTIVE) {
        refuse(tx, 481, "the subscription has ended", "");
        return;
    }
    if (!is_same_event(sub, msg)) {
        refuse(tx, 489, "this subscription is about something else", "");
        return;
    }
    err = event_expires(&expires_s, msg, sub->min_s, sub->max_s, sub->default_s);
    if (err) {
        refuse_expires(sub, tx, err);
        return;
    }
    dialog_refresh_target(sub->dialog, msg);
    sub->dialog->flow = *server_tx_flow(tx);
    grant(sub, tx, expires_s);
}

static void on_dialog_request(struct dialog *dialog, struct server_tx *tx, const struct sip_msg *msg, void *arg)
{
    struct event_in *sub = arg;

    if (!tx)
        return;
    mem_ref(sub);
    if (msg->method == SIP_SUBSCRIBE)
        refresh(sub, tx, msg);
    else
        refuse(tx, 405, "only SUBSCRIBE belongs to a subscription", "Allow: SUBSCRIBE\r\n");
    mem_unref(sub);
}

static bool on_dialog_allows(struct dialog *dialog, const struct sip_flow *flow, struct span account, void *arg)
{
    struct event_in *sub = arg;

    if (sip_flow_same(flow, &dialog->flow))
        return true;
    return sub->user && sub->user->allows && sub->user->allows(sub, flow, account, sub->arg);
}

static const struct dialog_user dialog_user = {.on_request = on_dialog_request, .allows = on_dialog_allows};

/* ---- birth ---- */

/* The package with its id, which tells two subscriptions of one dialog apart (RFC 6665 8.2.1); other parameters are
 * between the package and its subscriber. */
static char *copy_event(struct span package, const struct sip_msg *msg)
{
    struct span params = sip_msg_value(msg, SIP_H_EVENT), id = SPAN_NULL;
    struct text out;

    span_cut(&params, ';');
    text_init(&out, 512);
    text_add(&out, package);
    if (params_get(params, SPAN("id"), &id) && id.n)
        text_addf(&out, ";id=%.*s", SPAN_ARG(id));
    return text_take(&out);
}

static int open_dialog(struct event_in *sub, struct server_tx *tx)
{
    struct dialog_options options = {.stack = server_tx_stack(tx), .user = &dialog_user, .arg = sub};

    return dialog_new_uas(&sub->dialog, &options, server_tx_request(tx), server_tx_flow(tx), server_tx_tag(tx));
}

int event_in_new(struct event_in **subp, const struct event_in_options *options)
{
    const struct sip_msg *msg = server_tx_request(options->tx);
    struct event_in *sub = mem_new(sizeof(*sub), event_in_destroy);
    unsigned expires_s;
    int err;

    if (!sub) {
        refuse(options->tx, 500, NULL, "");
        return -ENOMEM;
    }
    sub->min_s = options->min_s;
    sub->max_s = options->max_s;
    sub->default_s = options->default_s;
    err = event_expires(&expires_s, msg, sub->min_s, sub->max_s, sub->default_s);
    if (err) {
        refuse_expires(sub, options->tx, err);
        mem_unref(sub);
        return err;
    }
    sub->event = copy_event(options->event, msg);
    err = sub->event ? open_dialog(sub, options->tx) : -ENOMEM;
    if (err) {
        refuse(options->tx, err == -ENOMEM ? 500 : 400, "a subscription needs a usable Contact", "");
        mem_unref(sub);
        return err;
    }
    sub->user = options->user;
    sub->arg = options->arg;
    *subp = sub;
    grant(sub, options->tx, expires_s);
    return 0;
}

const struct sip_flow *event_in_flow(const struct event_in *sub)
{
    return &sub->dialog->flow;
}
