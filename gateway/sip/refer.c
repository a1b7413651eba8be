/* SPDX-License-Identifier: Apache-2.0 */
/* refer.c: one REFER and its implicit subscription: NOTIFYs with message/sipfrag, one after the other. RFC 3515 2.4,
 * RFC 3420, RFC 4488. A status that comes while a NOTIFY is under way waits for it; the newest one counts.
 *
 *   asked --refer_refuse--> over
 *     \--refer_accept: 202--> NOTIFY 100 --refer_tell 1xx--> NOTIFY 1xx --refer_tell final--> last NOTIFY --> over
 *                               \--NOTIFY refused or not answered, or the call is over--> over                     */
#include "sip/refer.h"

#include <errno.h>

#include "base/mem.h"
#include "sip/invite_private.h"

#define LIFE_S 300 /* longer than anything rings */

struct refer {
    struct invite *invite;
    struct server_tx *tx;
    struct refer_target target; /* into tx's request */
    struct request *request;    /* the NOTIFY under way */
    unsigned pending;           /* the status that waits for it; 0: none */
    bool is_silent;             /* Refer-Sub: false */
    bool is_final;              /* the last status was said, or waits */
    bool is_self_held;
};

static void refer_destroy(void *self)
{
    struct refer *refer = self;

    request_detach(refer->request);
    mem_unref(refer->request);
    mem_unref(refer->tx);
    mem_unref(refer->invite);
}

/* ---- what it asks for ---- */

static bool asks_for_invite(const struct uri *uri)
{
    struct span method;

    return !uri_param(uri, SPAN("method"), &method) || span_ieq(method, SPAN("INVITE"));
}

static unsigned take_refer_to(struct refer_target *out, const struct sip_msg *request, const char **why_out)
{
    unsigned index = 0;
    const struct sip_header *header = sip_msg_next(request, SIP_H_REFER_TO, &index);

    *why_out = "a REFER needs one Refer-To with a URI";
    if (!header || sip_msg_next(request, SIP_H_REFER_TO, &index) || name_addr_parse(&out->to, header->value) ||
        out->to.is_star)
        return 400;
    *why_out = "Refer-To has to be a sip: or a tel: URI";
    if (out->to.uri.scheme == URI_OTHER)
        return 416;
    *why_out = "only calls can be referred to";
    return asks_for_invite(&out->to.uri) ? 0 : 501;
}

unsigned refer_target_parse(struct refer_target *out, const struct sip_msg *request, const char **why_out)
{
    unsigned status = take_refer_to(out, request, why_out);
    int err;

    if (status)
        return status;
    err = replaces_of_uri(&out->replaces, &out->to.uri);
    out->has_replaces = !err;
    *why_out = "the Replaces in Refer-To cannot be read";
    return err && err != -ENOENT ? 400 : 0;
}

const struct refer_target *refer_target(const struct refer *refer)
{
    return &refer->target;
}

int refer_new(struct refer **referp, struct invite *invite, struct server_tx *tx)
{
    struct refer *refer = mem_new(sizeof(*refer), refer_destroy);
    const struct sip_msg *request = server_tx_request(tx);
    const char *why = "no memory is left";
    unsigned status = refer ? refer_target_parse(&refer->target, request, &why) : 503;

    if (status) {
        server_tx_reply(tx, &(struct sip_reply){.status = status, .why = why});
        mem_unref(refer);
        return status == 503 ? -ENOMEM : -EBADMSG;
    }
    refer->invite = mem_ref(invite);
    refer->tx = mem_ref(tx);
    refer->is_silent = span_istarts(sip_msg_value(request, SIP_H_REFER_SUB), SPAN("false"));
    *referp = refer;
    return 0;
}

/* ---- NOTIFY ---- */

static void let_go(struct refer *refer)
{
    if (!refer->is_self_held)
        return;
    refer->is_self_held = false;
    mem_unref(refer);
}

static void send_notify(struct refer *refer, unsigned status);

static void end_notify(struct refer *refer, bool is_accepted)
{
    unsigned pending = refer->pending;

    mem_ref(refer);
    refer->request = mem_unref(refer->request);
    refer->pending = 0;
    if (!is_accepted)
        refer->is_silent = true;
    if (is_accepted && pending)
        send_notify(refer, pending);
    else if (!is_accepted || refer->is_final)
        let_go(refer);
    mem_unref(refer);
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

static void write_headers(struct text *out, const struct refer *refer, bool is_last)
{
    /* the id tells REFERs of one call apart: RFC 3515 2.4.6 */
    sip_write_headerf(out, "Event", "refer;id=%u", server_tx_request(refer->tx)->cseq);
    if (is_last)
        text_add_str(out, "Subscription-State: terminated;reason=noresource\r\n");
    else
        sip_write_headerf(out, "Subscription-State", "active;expires=%u", LIFE_S);
}

static int send_request(struct refer *refer, struct span headers, struct span body)
{
    struct invite *invite = refer->invite;

    if (!invite_is_confirmed(invite))
        return -EPROTO; /* it has hung up: what was asked for goes on, nobody is told */
    return request_send(&refer->request, &(struct request_options){.dialog = invite->dialog,
                                                                   .method = SIP_NOTIFY,
                                                                   .headers = headers,
                                                                   .content_type = SPAN("message/sipfrag;version=2.0"),
                                                                   .body = body,
                                                                   .username = invite->username,
                                                                   .password = invite->password,
                                                                   .user = &request_user,
                                                                   .arg = refer});
}

static void send_notify(struct refer *refer, unsigned status)
{
    struct text headers, body;

    text_init(&headers, 512);
    text_init(&body, 128);
    write_headers(&headers, refer, status >= 200);
    text_addf(&body, "SIP/2.0 %u %s\r\n", status, sip_status_text(status));
    if (text_err(&headers) || text_err(&body) || send_request(refer, text_span(&headers), text_span(&body))) {
        refer->is_silent = true;
        let_go(refer);
    }
    text_free(&headers);
    text_free(&body);
}

void refer_tell(struct refer *refer, unsigned status)
{
    if (refer->is_silent || refer->is_final || !refer->is_self_held)
        return;
    refer->is_final = status >= 200;
    if (refer->request)
        refer->pending = status;
    else
        send_notify(refer, status);
}

void refer_forget(struct refer *refer)
{
    refer->is_silent = true;
    request_detach(refer->request);
    refer->request = mem_unref(refer->request);
    let_go(refer);
}

/* ---- the answer ---- */

void refer_accept(struct refer *refer)
{
    bool is_silent = refer->is_silent;

    server_tx_reply(refer->tx, &(struct sip_reply){.status = 202,
                                                   .has_contact = true,
                                                   .headers = is_silent ? SPAN("Refer-Sub: false\r\n") : SPAN_NULL});
    if (is_silent)
        return;
    refer->is_self_held = true;
    mem_ref(refer);
    refer_tell(refer, 100);
}

void refer_refuse(struct refer *refer, unsigned status, const char *why)
{
    server_tx_reply(refer->tx, &(struct sip_reply){.status = status, .why = why});
}
