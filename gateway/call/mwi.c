/* SPDX-License-Identifier: Apache-2.0 */
/* mwi.c: message summaries from a trunk to an account. RFC 3842. The NOTIFY comes without a subscription of ours, as
 * carriers send it to what is registered there; it goes to the account's home, which keeps it for those who subscribe.
 * Knows not what a summary says. */
#include "call/mwi.h"

#include <errno.h>

#include "base/mem.h"
#include "call/home.h"
#include "call/identity.h"
#include "call/location.h"
#include "sip/errand.h"
#include "sip/event_in.h"

#define SUMMARY_MAX 4096

static void refuse(struct server_tx *tx, unsigned status, const char *why, const char *headers)
{
    server_tx_reply(tx, &(struct sip_reply){.status = status, .why = why, .headers = span_of(headers)});
}

static const struct conf_account *pick(struct calls *calls, const struct trunk *trunk, const struct uri *uri)
{
    struct route_caller caller = {.trunk = trunk};
    char dialled[ROUTE_NUMBER_MAX];
    struct route_pick pick;

    if (identity_take_dialled(dialled, uri) || route_pick(&pick, calls->directory, &caller, span_of(dialled)))
        return NULL;
    return pick.account;
}

/* By the Request-URI, as for a call; where that is the trunk's own user name, by whom the NOTIFY is for. */
static const struct conf_account *find_account(struct calls *calls, const struct trunk *trunk,
                                               const struct sip_msg *msg)
{
    const struct conf_account *account = pick(calls, trunk, &msg->uri);

    return account ? account : pick(calls, trunk, &msg->to.uri);
}

void mwi_receive(struct calls *calls, struct server_tx *tx, const char *account)
{
    const struct sip_msg *msg = server_tx_request(tx);
    const struct trunk *trunk = account[0] ? NULL : directory_trunk_from(calls->directory, &server_tx_flow(tx)->remote);
    const struct conf_account *about;
    struct home_news news = {.kind = HOME_SUMMARY};

    if (!trunk) {
        refuse(tx, 403, "only trunks tell about mailboxes", "");
    } else if (!span_ieq(event_package(msg), SPAN("message-summary"))) {
        refuse(tx, 489, "nothing was subscribed to", "Allow-Events: message-summary\r\n");
    } else if (!span_istarts(sip_msg_value(msg, SIP_H_CONTENT_TYPE), SPAN(MWI_TYPE))) {
        refuse(tx, 415, "the body has to be " MWI_TYPE, "Accept: " MWI_TYPE "\r\n");
    } else if (msg->body.n > SUMMARY_MAX || !span_is_utf8(msg->body)) {
        refuse(tx, msg->body.n > SUMMARY_MAX ? 413 : 400, "the summary is too large, or not UTF-8", "");
    } else if (!(about = find_account(calls, trunk, msg))) {
        refuse(tx, 404, "no route leads to an account", "");
    } else if (!(news.summary_taken = mem_text(msg->body.p, msg->body.n))) {
        refuse(tx, 500, NULL, "");
    } else {
        span_copy(span_of(about->name), news.account, sizeof(news.account));
        home_tell(calls, &news);
        server_tx_reply(tx, &(struct sip_reply){.status = 200});
    }
}

/* ---- to the devices ---- */

struct unasked {
    struct calls *calls;
    const char *account;
    struct span summary;
};

static void send_to(const struct unasked *unasked, const struct binding *binding)
{
    struct errand *errand;
    struct text aor;

    text_init(&aor, 1024);
    text_add_str(&aor, "<sip:");
    uri_write_user(&aor, span_of(unasked->account));
    text_addf(&aor, "@%s>", unasked->calls->conf->domain);
    if (!text_err(&aor) &&
        !errand_send(&errand,
                     &(struct errand_options){.head = {.stack = unasked->calls->stack,
                                                       .flow = binding->flow,
                                                       .method = SIP_NOTIFY,
                                                       .uri = span_of(binding->contact),
                                                       .from = text_span(&aor),
                                                       .to = text_span(&aor)},
                                              .headers = SPAN("Event: message-summary\r\n"
                                                              "Subscription-State: terminated;reason=timeout\r\n"),
                                              .content_type = SPAN(MWI_TYPE),
                                              .body = unasked->summary}))
        mem_unref(errand); /* whether it is understood is the device's business */
    text_free(&aor);
}

static void on_bindings(int err, const struct bindings *bindings, void *arg)
{
    for (unsigned i = 0; !err && i < bindings->count; i++)
        send_to(arg, &bindings->items[i]);
}

void mwi_send(struct calls *calls, const char *account, struct span summary)
{
    struct unasked unasked = {.calls = calls, .account = account, .summary = summary};

    location_find(calls->store, span_of(account), on_bindings, &unasked);
}
