/* SPDX-License-Identifier: Apache-2.0 */
/* guard.c: who may ask for anything at all. Trunk by its source address, account by digest (RFC 3261 22, RFC 7616,
 * 8760) or by the connection on which it has proved itself, else one refusal without state. Knows no calls. The same
 * answers for users that exist and that do not. */
#include "call/guard.h"

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stats.h"
#include "call/directory.h"
#include "call/guesses.h"
#include "call/pbx.h"
#include "sip/digest.h"
#include "sip/held.h"
#include "store/store.h"

#define NONCE_LIFE_S 60

static void refuse(struct sip_verdict *verdict, unsigned status, const char *why)
{
    verdict->status = status;
    verdict->why = why;
}

/* ---- answers of the store: the in-process driver gives them before the call returns ---- */

struct counted {
    bool is_answered;
    int err;
    uint64_t number;
};

static void on_counted(int err, struct span value, uint64_t version, void *arg)
{
    *(struct counted *)arg = (struct counted){.is_answered = true, .err = err, .number = version};
}

/* nc must rise for each use of a nonce (RFC 7616 3.4): a repeated request is a replay. */
static bool is_replay(struct calls *calls, const struct digest_response *response)
{
    struct counted counted = {0};
    char key[DIGEST_NONCE_TEXT_MAX + 8];

    snprintf(key, sizeof(key), "nonce:%.*s", SPAN_ARG(response->nonce));
    store_raise(calls->store, span_of(key), response->nc, (NONCE_LIFE_S + 10) * 1000, on_counted, &counted);
    return !counted.is_answered || counted.err;
}

/* ---- digest ---- */

static struct span source_key(const struct addr *source, char buf[static ADDR_TEXT_MAX])
{
    return span_of(addr_host_text(source, buf));
}

static bool has_ha1_accounts(const struct conf *conf)
{
    for (size_t i = 0; i < conf->account_count; i++)
        if (conf->accounts[i].ha1)
            return true;
    return false;
}

/* One challenge per algorithm of sip.digest, in its order (RFC 8760 2.3). Browser libraries know MD5 alone, and some
 * look only at the last challenge: they get that one; accounts kept as ha1 can prove nothing else either. Nonces are
 * good for any algorithm. */
static void challenge(struct calls *calls, const struct sip_incoming *incoming, struct sip_verdict *verdict,
                      bool is_stale)
{
    const struct conf_strings *offered = &calls->conf->sip.digest;
    bool only_md5 = sip_transport_is_web((enum sip_transport)incoming->flow->transport) ||
                    has_ha1_accounts(calls->conf) || !offered->count;
    char nonce[DIGEST_NONCE_TEXT_MAX], source[ADDR_TEXT_MAX];

    digest_nonce_make(nonce, clock_wall_us() / 1000000, source_key(&incoming->flow->remote, source));
    for (size_t i = 0; i < (only_md5 ? 1 : offered->count); i++) {
        enum digest_algorithm algorithm = DIGEST_MD5;

        if (!only_md5)
            digest_algorithm_find(span_of(offered->items[i]), &algorithm);
        text_add_str(&verdict->headers, "WWW-Authenticate: ");
        digest_write_challenge(&verdict->headers, span_of(calls->conf->domain), algorithm, span_of(nonce), is_stale);
        text_add_str(&verdict->headers, "\r\n");
    }
    refuse(verdict, 401, NULL);
}

static const struct sip_header *credentials_of(const struct sip_msg *msg)
{
    const struct sip_header *header = sip_msg_header(msg, SIP_H_AUTHORIZATION);

    return header ? header : sip_msg_header(msg, SIP_H_PROXY_AUTHORIZATION);
}

static bool uri_fits(const struct digest_response *response, const struct sip_msg *msg)
{
    struct uri uri;

    return span_eq(response->uri, msg->request_uri) || (!uri_parse(&uri, response->uri) && uri_same(&uri, &msg->uri));
}

static bool is_right(const struct conf_account *account, const struct digest_response *response,
                     const struct sip_msg *msg, const char *domain)
{
    struct digest_secret secret = {.username = response->username, .realm = span_of(domain)};

    secret.password = span_of(account ? account->password : "-");
    secret.ha1 = span_of(account ? account->ha1 : NULL);
    return digest_verify(response, &secret, msg->method_text) && account; /* the same work for unknown users */
}

/* ---- guesses: docs/ARCHITECTURE.md, "Guessed passwords" ---- */

static void refuse_unread(const struct sip_incoming *incoming, struct sip_verdict *verdict)
{
    stats_count(STAT_AUTH_UNREAD);
    verdict->is_silent = incoming->flow->transport == SIP_UDP; /* it asks again by itself */
    text_add_str(&verdict->headers, "Retry-After: 10\r\n");
    refuse(verdict, 503, "too many wrong passwords, ask again later");
}

/* The first ones are refused at once, as people mistype; then each refusal takes longer. */
static void refuse_wrong(struct calls *calls, const struct sip_incoming *incoming, struct span user,
                         struct sip_verdict *verdict)
{
    char source[SIP_FLOW_TEXT_MAX];
    struct guess_price price = guesses_note_wrong(calls->guesses, &incoming->flow->remote, user);

    stats_count(STAT_AUTH_FAILED);
    if (price.hold_ms)
        stats_count(STAT_AUTH_SLOWED);
    log_peer("auth: wrong user or password from %s (held_ms=%u)", sip_flow_text(incoming->flow, source), price.hold_ms);
    verdict->hold.ms = price.hold_ms;
    verdict->hold.whose = map_hash(user);
    verdict->hold.closes = price.closes && !incoming->account.n; /* not what somebody else has proved himself on */
    refuse(verdict, 403, "wrong user name or password");
}

static bool is_wrong(struct calls *calls, const struct sip_msg *msg, const struct digest_response *response)
{
    const struct conf_account *account = directory_account(calls->directory, response->username);
    char user[SIP_ACCOUNT_MAX];

    if (uri_decode(msg->from.uri.user, user, sizeof(user)) < 0 || !span_eq(span_of(user), response->username))
        account = NULL; /* the digest user has to be the From user */
    return !span_eq(response->realm, span_of(calls->conf->domain)) || !uri_fits(response, msg) ||
           !is_right(account, response, msg, calls->conf->domain);
}

/* A right password gets in whatever was counted; see refuse_unread() for the two cases in which none is looked at. */
static void check_credentials(struct calls *calls, const struct sip_incoming *incoming, const struct sip_header *header,
                              struct sip_verdict *verdict)
{
    const struct addr *source = &incoming->flow->remote;
    struct digest_response response;
    enum digest_nonce nonce;
    char key[ADDR_TEXT_MAX];

    if (digest_response_parse(&response, header->value) || !response.qop.n) {
        refuse(verdict, 400, "the credentials cannot be read");
        return;
    }
    nonce = digest_nonce_check(response.nonce, clock_wall_us() / 1000000, NONCE_LIFE_S, source_key(source, key));
    if (nonce == NONCE_FOREIGN) {
        challenge(calls, incoming, verdict, false);
    } else if (held_is_waiting(calls->stack, incoming->flow, map_hash(response.username)) ||
               !guesses_may_try(calls->guesses, source, response.username)) {
        refuse_unread(incoming, verdict);
    } else if (is_wrong(calls, incoming->msg, &response)) {
        refuse_wrong(calls, incoming, response.username, verdict);
    } else if (nonce == NONCE_STALE || is_replay(calls, &response)) {
        challenge(calls, incoming, verdict, true);
    } else {
        guesses_note_right(calls->guesses, source, response.username);
        span_copy(response.username, verdict->account, sizeof(verdict->account));
    }
}

/* ---- who is asking ---- */

static bool is_our_host(struct calls *calls, const struct sip_flow *flow, struct span host)
{
    char text[ADDR_TEXT_MAX];
    struct addr ours;

    if (span_ieq(host, span_of(calls->conf->domain)))
        return true;
    if (span_ieq(host, span_of(addr_host_text(&flow->local, text))))
        return true;
    media_advertised(&ours, calls->conf, &flow->local, &flow->remote);
    return span_ieq(host, span_of(addr_host_text(&ours, text)));
}

static bool is_proved_on_connection(struct calls *calls, const struct sip_incoming *incoming)
{
    char user[SIP_ACCOUNT_MAX];

    return incoming->account.n && uri_decode(incoming->msg->from.uri.user, user, sizeof(user)) >= 0 &&
           span_eq(span_of(user), incoming->account) &&
           directory_account(calls->directory, incoming->account); /* a reload may have taken it away */
}

static void admit_account(struct calls *calls, const struct sip_incoming *incoming, struct sip_verdict *verdict)
{
    const struct sip_msg *msg = incoming->msg;
    const struct sip_header *credentials = credentials_of(msg);

    if (!is_our_host(calls, incoming->flow, msg->from.uri.host))
        refuse(verdict, 403, "neither an account nor a trunk of this gateway");
    else if (msg->method == SIP_OPTIONS && !incoming->account.n)
        refuse(verdict, 403, "neither an account nor a trunk of this gateway");
    else if (is_proved_on_connection(calls, incoming) && (msg->method != SIP_REGISTER || !credentials))
        span_copy(incoming->account, verdict->account, sizeof(verdict->account));
    else if (credentials)
        check_credentials(calls, incoming, credentials, verdict);
    else
        challenge(calls, incoming, verdict, false);
}

static const char *unsupported_extension(const struct sip_msg *msg)
{
    const struct sip_header *header;
    unsigned i = 0;

    while ((header = sip_msg_next(msg, SIP_H_REQUIRE, &i))) {
        struct span rest = header->value;

        while (rest.n) {
            struct span token = span_trim(span_cut(&rest, ','));

            if (token.n && !span_ieq(token, SPAN("outbound")) && !span_ieq(token, SPAN("timer")) &&
                !(span_ieq(token, SPAN("100rel")) && msg->method == SIP_INVITE) && !span_ieq(token, SPAN("path")) &&
                !span_ieq(token, SPAN("replaces")))
                return "an extension in Require is not supported";
        }
    }
    return NULL;
}

static void check_shape(const struct sip_msg *msg, struct sip_verdict *verdict)
{
    const char *why = unsupported_extension(msg);

    if (why) {
        sip_write_header(&verdict->headers, "Unsupported", sip_msg_value(msg, SIP_H_REQUIRE));
        refuse(verdict, 420, why);
    } else if (msg->method == SIP_METHOD_OTHER) {
        text_add_str(&verdict->headers, "Allow: " SIP_ALLOW "\r\n");
        refuse(verdict, 501, "this method is not known here");
    } else if (msg->max_forwards <= (msg->method == SIP_INVITE ? 1 : 0) && msg->method != SIP_OPTIONS) {
        /* An INVITE goes on with one less: with 1 there is none left for the next hop (RFC 3261 16.3). */
        refuse(verdict, 483, "Max-Forwards has reached zero: a loop?");
    }
}

void guard_admit(struct calls *calls, const struct sip_incoming *incoming, struct sip_verdict *verdict)
{
    const struct sip_msg *msg = incoming->msg;

    /* A web socket or a proved connection is an account's, whatever its address; else the address may be a trunk's. */
    bool is_trunk = !sip_transport_is_web((enum sip_transport)incoming->flow->transport) && !incoming->account.n &&
                    msg->method != SIP_REGISTER && !credentials_of(msg) &&
                    directory_trunk_from(calls->directory, &incoming->flow->remote);

    if (!pbx_admit(calls->pbx, incoming, verdict) && !is_trunk)
        admit_account(calls, incoming, verdict);
    if (!verdict->status && !verdict->is_silent)
        check_shape(msg, verdict);
}

/* ---- reload ---- */

struct review {
    const struct directory *former, *now;
};

static bool is_same_text(const char *left, const char *right)
{
    return span_eq(span_of(left), span_of(right));
}

static bool is_still_good(struct span name, void *arg)
{
    const struct review *review = arg;
    const struct conf_account *former = directory_account(review->former, name);
    const struct conf_account *now = directory_account(review->now, name);

    if (pbx_is_user(review->now, name))
        return true; /* proved to his PBX, not to us */
    return former && now && is_same_text(former->password, now->password) && is_same_text(former->ha1, now->ha1) &&
           is_same_text(directory_conf(review->former)->domain, directory_conf(review->now)->domain);
}

void guard_review(struct calls *calls, const struct directory *former)
{
    transport_review_accounts(calls->stack->transports, is_still_good,
                              &(struct review){.former = former, .now = calls->directory});
}
