/* SPDX-License-Identifier: Apache-2.0 */
/* dialog.c: one SIP dialog: tags, CSeq, remote target, route set, and the requests within it. RFC 3261 12.
 * Knows neither INVITE usages nor SDP. */
#include "sip/dialog.h"

#include <errno.h>

#include "base/mem.h"
#include "base/print.h"
#include "base/rand.h"
#include "base/stats.h"
#include "sip/server_tx.h"

static void drop_routes(struct dialog *dialog)
{
    for (unsigned i = 0; i < dialog->route_count; i++)
        dialog->routes[i] = mem_unref(dialog->routes[i]);
    dialog->route_count = 0;
}

static void dialog_destroy(void *self)
{
    struct dialog *dialog = self;

    map_remove(&dialog->node);
    list_remove(&dialog->link);
    drop_routes(dialog);
    mem_unref(dialog->key);
    mem_unref(dialog->call_id);
    mem_unref(dialog->remote_tag);
    mem_unref(dialog->local);
    mem_unref(dialog->remote);
    mem_unref(dialog->target);
    mem_unref(dialog->contact_user);
    mem_unref(dialog->peer_name);
    mem_unref(dialog->peer_trunk);
    mem_unref(dialog->early_sdp);
}

static char *copy(struct span s)
{
    return mem_text(s.p ? s.p : "", s.n);
}

/* From and To values as we repeat them: everything but the tag. */
static char *copy_without_tag(struct span value)
{
    struct name_addr addr;
    struct text out;
    char *result;

    if (name_addr_parse(&addr, value))
        return NULL;
    text_init(&out, SIP_MSG_MAX);
    if (addr.display.n)
        text_addf(&out, "\"%.*s\" ", SPAN_ARG(addr.display));
    text_addf(&out, "<%.*s>", SPAN_ARG(addr.uri_text));
    result = text_take(&out);
    return result;
}

/* Route sets are kept as "<uri;lr>" texts in the order in which we write them. */
static int take_routes(struct dialog *dialog, const struct sip_msg *msg, bool is_reversed)
{
    struct sip_walk walk = {0};
    struct name_addr addr;
    int more;

    drop_routes(dialog);
    while ((more = sip_msg_next_addr(msg, SIP_H_RECORD_ROUTE, &walk, &addr)) > 0) {
        if (dialog->route_count == DIALOG_ROUTE_MAX)
            return -E2BIG;
        dialog->routes[dialog->route_count] = copy(addr.uri_text);
        if (!dialog->routes[dialog->route_count++])
            return -ENOMEM;
    }
    for (unsigned i = 0; is_reversed && i < dialog->route_count / 2; i++) {
        char *route = dialog->routes[i];

        dialog->routes[i] = dialog->routes[dialog->route_count - 1 - i];
        dialog->routes[dialog->route_count - 1 - i] = route;
    }
    return more;
}

/* The Contact's URI without its headers part (RFC 3261 19.1.5). @return 0, also where there is none; -ENOMEM */
static int take_target(struct dialog *dialog, const struct sip_msg *msg)
{
    struct sip_walk walk = {0};
    struct name_addr contact;
    struct span uri;
    char *target;

    if (sip_msg_next_addr(msg, SIP_H_CONTACT, &walk, &contact) <= 0 || contact.is_star)
        return 0;
    uri = contact.uri_text;
    if (contact.uri.headers.n)
        uri.n = (size_t)(contact.uri.headers.p - 1 - uri.p);
    target = copy(uri);
    if (!target)
        return -ENOMEM;
    mem_unref(dialog->target);
    dialog->target = target;
    return 0;
}

static int link_dialog(struct dialog *dialog)
{
    char buf[1024];
    int n = print_into(buf, sizeof(buf), "%s|%s", dialog->call_id, dialog->local_tag);

    if (n >= (int)sizeof(buf))
        return -E2BIG;
    dialog->key = mem_text(buf, (size_t)n);
    if (!dialog->key)
        return -ENOMEM;
    return map_put(&dialog->stack->dialogs, &dialog->node, span_make(dialog->key, (size_t)n));
}

static struct dialog *new_dialog(const struct dialog_options *options)
{
    struct dialog *dialog = mem_new(sizeof(*dialog), dialog_destroy);

    if (!dialog)
        return NULL;
    dialog->stack = options->stack;
    dialog->user = options->user;
    dialog->arg = options->arg;
    dialog->contact_user = copy(options->contact_user);
    dialog->local_cseq = rand_u32() % 10000 + 1;
    dialog->max_forwards = 70;
    return dialog;
}

int dialog_new_uac(struct dialog **dialogp, const struct dialog_options *options, struct span call_id,
                   struct span local, struct span remote, struct span target)
{
    struct dialog *dialog = new_dialog(options);
    int err;

    if (!dialog)
        return -ENOMEM;
    sip_tag_make(dialog->local_tag, options->stack);
    dialog->call_id = copy(call_id);
    dialog->local = copy(local);
    dialog->remote = copy(remote);
    dialog->target = copy(target);
    err = dialog->call_id && dialog->local && dialog->remote && dialog->target && dialog->contact_user
              ? link_dialog(dialog)
              : -ENOMEM;
    if (err) {
        mem_unref(dialog);
        return err;
    }
    *dialogp = dialog;
    return 0;
}

int dialog_new_uas(struct dialog **dialogp, const struct dialog_options *options, const struct sip_msg *request,
                   const struct sip_flow *flow, struct span local_tag)
{
    struct dialog *dialog = new_dialog(options);
    int err;

    if (!dialog)
        return -ENOMEM;
    span_copy(local_tag, dialog->local_tag, sizeof(dialog->local_tag));
    dialog->call_id = copy(request->call_id);
    dialog->remote_tag = copy(request->from_tag);
    dialog->local = copy_without_tag(sip_msg_value(request, SIP_H_TO));
    dialog->remote = copy_without_tag(sip_msg_value(request, SIP_H_FROM));
    dialog->remote_cseq = request->cseq;
    dialog->has_remote_cseq = true;
    dialog->flow = *flow;
    err = dialog->call_id && dialog->local && dialog->remote && dialog->remote_tag && dialog->contact_user
              ? take_target(dialog, request)
              : -ENOMEM;
    if (!err && !dialog->target)
        err = -EBADMSG; /* an INVITE has to have a Contact (RFC 3261 8.1.1.8) */
    if (!err)
        err = take_routes(dialog, request, false);
    if (!err)
        err = link_dialog(dialog);
    if (err) {
        mem_unref(dialog);
        return err;
    }
    *dialogp = dialog;
    return 0;
}

static int link_fork(struct dialog *dialog)
{
    char buf[1024];
    int n = print_into(buf, sizeof(buf), "%s|%s|%s", dialog->call_id, dialog->local_tag, dialog->remote_tag);

    if (n >= (int)sizeof(buf))
        return -E2BIG;
    dialog->key = mem_text(buf, (size_t)n);
    if (!dialog->key)
        return -ENOMEM;
    return map_put(&dialog->stack->dialogs, &dialog->node, span_make(dialog->key, (size_t)n));
}

int dialog_new_fork(struct dialog **dialogp, const struct dialog *first, struct span remote_tag, uint32_t cseq)
{
    struct dialog *dialog = new_dialog(&(struct dialog_options){
        .stack = first->stack, .user = first->user, .arg = first->arg, .contact_user = span_of(first->contact_user)});
    int err;

    if (!dialog)
        return -ENOMEM;
    memcpy(dialog->local_tag, first->local_tag, sizeof(dialog->local_tag));
    dialog->call_id = copy(span_of(first->call_id));
    dialog->local = copy(span_of(first->local));
    dialog->remote = copy(span_of(first->remote));
    dialog->target = copy(span_of(first->target));
    dialog->remote_tag = copy(remote_tag);
    dialog->peer_name = mem_ref(first->peer_name);
    dialog->peer_trunk = mem_ref(first->peer_trunk);
    dialog->local_cseq = cseq;
    dialog->max_forwards = first->max_forwards;
    dialog->flow = first->flow;
    dialog->is_heard = true;
    err = dialog->call_id && dialog->local && dialog->remote && dialog->target && dialog->remote_tag &&
                  dialog->contact_user
              ? link_fork(dialog)
              : -ENOMEM;
    if (err) {
        mem_unref(dialog);
        return err;
    }
    *dialogp = dialog;
    return 0;
}

int dialog_update_uac(struct dialog *dialog, const struct sip_msg *response)
{
    char *tag;
    int err;

    if (!response->to_tag.n)
        return response->status < 200 ? 0 : -EBADMSG;
    tag = copy(response->to_tag);
    if (!tag)
        return -ENOMEM;
    mem_unref(dialog->remote_tag);
    dialog->remote_tag = tag;
    err = take_target(dialog, response);
    return err ? err : take_routes(dialog, response, true);
}

void dialog_refresh_target(struct dialog *dialog, const struct sip_msg *msg)
{
    take_target(dialog, msg);
}

/* ---- the flow ---- */

static char *copy_text(const char *text)
{
    return text ? mem_text(text, strlen(text)) : NULL;
}

int dialog_lose_flow(struct dialog *dialog, enum sip_transport transport, const struct addr *to,
                     const struct sip_peer *peer)
{
    static const struct sip_peer nobody;

    if (transport == SIP_UDP)
        return transport_flow_to(&dialog->flow, dialog->stack->transports, SIP_UDP, to, NULL);
    if (!peer)
        peer = &nobody;
    mem_unref(dialog->peer_name);
    mem_unref(dialog->peer_trunk);
    dialog->peer_name = copy_text(peer->name);
    dialog->peer_trunk = copy_text(peer->trunk);
    dialog->flow = (struct sip_flow){.transport = (uint8_t)transport,
                                     .worker = (uint8_t)dialog->stack->worker,
                                     .local = dialog->flow.local,
                                     .remote = *to};
    return (peer->name && !dialog->peer_name) || (peer->trunk && !dialog->peer_trunk) ? -ENOMEM : 0;
}

/* Where that fails the request fails as any other over a connection that is gone. */
static void reopen_flow(struct dialog *dialog)
{
    struct sip_peer peer = {dialog->peer_name, dialog->peer_trunk};
    struct addr to = dialog->flow.remote;

    transport_flow_to(&dialog->flow, dialog->stack->transports, (enum sip_transport)dialog->flow.transport, &to, &peer);
}

/* ---- requests within the dialog: RFC 3261 12.2.1.1 ---- */

static bool is_loose(struct span route)
{
    struct uri uri;

    return !uri_parse(&uri, route) && uri_param(&uri, SPAN("lr"), NULL);
}

struct span dialog_next_hop(const struct dialog *dialog)
{
    return span_of(dialog->route_count ? dialog->routes[0] : dialog->target);
}

static bool has_strict_router(const struct dialog *dialog)
{
    return dialog->route_count && !is_loose(span_of(dialog->routes[0]));
}

struct span dialog_request_uri(const struct dialog *dialog)
{
    return span_of(has_strict_router(dialog) ? dialog->routes[0] : dialog->target);
}

static void write_routes(struct text *out, const struct dialog *dialog, bool is_strict)
{
    for (unsigned i = is_strict ? 1 : 0; i < dialog->route_count; i++)
        sip_write_headerf(out, "Route", "<%s>", dialog->routes[i]);
    if (is_strict)
        sip_write_headerf(out, "Route", "<%s>", dialog->target);
}

void dialog_write_request(struct text *out, struct dialog *dialog, enum sip_method method, uint32_t cseq,
                          char branch[static SIP_BRANCH_MAX])
{
    bool is_strict = has_strict_router(dialog);

    if (sip_flow_is_gone(&dialog->flow))
        reopen_flow(dialog);
    if (!cseq)
        cseq = ++dialog->local_cseq;
    sip_branch_make(branch, dialog->stack);
    sip_write_request_line(out, sip_method_text(method), dialog_request_uri(dialog));
    sip_write_via(out, dialog->stack, &dialog->flow, branch);
    sip_write_headerf(out, "Max-Forwards", "%u", dialog->max_forwards);
    write_routes(out, dialog, is_strict);
    sip_write_headerf(out, "From", "%s;tag=%s", dialog->local, dialog->local_tag);
    sip_write_headerf(out, "To", "%s%s%s", dialog->remote, dialog->remote_tag ? ";tag=" : "",
                      dialog->remote_tag ? dialog->remote_tag : "");
    sip_write_headerf(out, "Call-ID", "%s", dialog->call_id);
    sip_write_headerf(out, "CSeq", "%u %s", cseq, sip_method_text(method));
    if (method == SIP_INVITE || method == SIP_UPDATE || method == SIP_REFER || method == SIP_SUBSCRIBE ||
        method == SIP_NOTIFY)
        sip_write_contact(out, dialog->stack, &dialog->flow, span_of(dialog->contact_user));
}

/* ---- requests from the peer ---- */

static struct dialog *find_key(struct sip_stack *stack, const char *key, int n)
{
    struct map_node *node = map_find(&stack->dialogs, span_make(key, (size_t)n));

    return node ? container_of(node, struct dialog, node) : NULL;
}

static bool is_from_peer(const struct dialog *dialog, const struct sip_msg *request)
{
    return dialog->remote_tag && span_eq(span_of(dialog->remote_tag), request->from_tag);
}

/* A further fork of a call of ours stands beside the first, under the peer's tag as well. */
struct dialog *dialog_find(struct sip_stack *stack, const struct sip_msg *request)
{
    char buf[1024];
    int n = print_into(buf, sizeof(buf), "%.*s|%.*s", SPAN_ARG(request->call_id), SPAN_ARG(request->to_tag));
    struct dialog *dialog = n < (int)sizeof(buf) ? find_key(stack, buf, n) : NULL;

    if (dialog && !dialog->remote_tag && request->method == SIP_NOTIFY)
        return dialog; /* RFC 6665 4.1.2.4: it may be faster than the answer to the SUBSCRIBE */
    if (dialog && is_from_peer(dialog, request))
        return dialog;
    n = print_into(buf, sizeof(buf), "%.*s|%.*s|%.*s", SPAN_ARG(request->call_id), SPAN_ARG(request->to_tag),
                   SPAN_ARG(request->from_tag));
    dialog = n < (int)sizeof(buf) ? find_key(stack, buf, n) : NULL;
    return dialog && is_from_peer(dialog, request) ? dialog : NULL;
}

void dialog_receive(struct dialog *dialog, struct server_tx *tx, const struct sip_msg *msg)
{
    if (msg->method != SIP_ACK) {
        if (dialog->has_remote_cseq && msg->cseq <= dialog->remote_cseq) {
            server_tx_reply(tx, &(struct sip_reply){.status = 500, .why = "CSeq is lower than one seen before"});
            return;
        }
        dialog->remote_cseq = msg->cseq;
        dialog->has_remote_cseq = true;
    }
    dialog->user->on_request(dialog, tx, msg, dialog->arg);
}
