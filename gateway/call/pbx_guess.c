/* SPDX-License-Identifier: Apache-2.0 */
/* pbx_guess.c: what a wrong password of a PBX's user costs. Knows the names and nonces of credentials and challenges,
 * and what the PBX says to them, but no password. RFC 3261 22, RFC 7616. */
#include "call/pbx_guess.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/print.h"
#include "base/stats.h"
#include "call/guesses.h"
#include "sip/digest.h"

static const enum sip_header_id credential_ids[2] = {SIP_H_AUTHORIZATION, SIP_H_PROXY_AUTHORIZATION},
                                challenge_ids[2] = {SIP_H_WWW_AUTHENTICATE, SIP_H_PROXY_AUTHENTICATE};

/* Over the lines of both names. */
struct walk {
    unsigned which, index;
};

static const struct sip_header *next_of(const struct sip_msg *msg, const enum sip_header_id ids[static 2],
                                        struct walk *walk)
{
    const struct sip_header *header = sip_msg_next(msg, ids[walk->which], &walk->index);

    if (header || walk->which)
        return header;
    *walk = (struct walk){.which = 1};
    return sip_msg_next(msg, ids[1], &walk->index);
}

/* ---- where a nonce went ---- */

static size_t hash_of(const struct addr *source, struct span nonce)
{
    char host[ADDR_TEXT_MAX], text[ADDR_TEXT_MAX + 512];
    int n = print_into(text, sizeof(text), "%s|%.*s", addr_host_text(source, host),
                       (int)(nonce.n < 500 ? nonce.n : 500), nonce.p ? nonce.p : "");

    return map_hash(span_make(text, (size_t)n));
}

/* This challenge goes to this address: whoever answers it is really there. */
static void note_challenge(struct pbx *pbx, const struct sip_flow *flow, const struct sip_msg *response)
{
    const struct sip_header *header;
    struct walk walk = {0};

    while ((header = next_of(response, challenge_ids, &walk))) {
        struct digest_challenge challenge;
        size_t hash;

        if (digest_challenge_parse(&challenge, header->value))
            continue;
        hash = hash_of(&flow->remote, challenge.nonce);
        pbx->handed[hash % PBX_HANDED_MAX] = hash;
    }
}

/* Over UDP anybody can write any address: only who had been given the nonce there is there. */
static bool is_handed(const struct pbx *pbx, const struct sip_flow *flow, struct span nonce)
{
    size_t hash = hash_of(&flow->remote, nonce);

    return flow->transport != SIP_UDP || pbx->handed[hash % PBX_HANDED_MAX] == hash;
}

/* ---- whose they are ---- */

/* user@domain as the PBX will look it up; "erin" and "erin@domain" are one. */
static void write_account(char account[static SIP_ACCOUNT_MAX], struct span name, const char *domain)
{
    size_t n = strlen(domain);

    if (name.n > n && name.p[name.n - n - 1] == '@' && span_ieq(span_sub(name, name.n - n, n), span_of(domain)))
        name.n -= n + 1;
    print_into(account, SIP_ACCOUNT_MAX, "%.*s@%s", SPAN_ARG(name), domain);
}

void pbx_guess_read(struct pbx_guess *guess, const struct pbx *pbx, const struct sip_flow *flow,
                    const struct sip_msg *msg, const struct pbx_party *party)
{
    const struct sip_header *header;
    struct walk walk = {0};

    *guess = (struct pbx_guess){.is_there = true};
    memcpy(guess->account, party->aor, sizeof(guess->account));
    while ((header = next_of(msg, credential_ids, &walk))) {
        struct digest_response response;
        bool is_read = !digest_response_parse(&response, header->value);

        if (!guess->is_given && is_read)
            write_account(guess->account, response.username, party->trunk->conf->registrar);
        guess->is_given = true;
        if (is_read ? !is_handed(pbx, flow, response.nonce) : flow->transport == SIP_UDP)
            guess->is_there = false;
    }
}

bool pbx_guess_name(struct span *name, const struct sip_msg *msg)
{
    const struct sip_header *header;
    struct walk walk = {0};

    while ((header = next_of(msg, credential_ids, &walk))) {
        struct digest_response response;

        if (digest_response_parse(&response, header->value))
            continue;
        *name = response.username;
        return true;
    }
    return false;
}

/* Of a user who is logged in: his name, or that by which the PBX has let him in. Of a log-in: one name. */
static bool is_own(const struct pbx_guess *guess, const struct sip_msg *msg, const struct pbx_party *party)
{
    const struct sip_header *header;
    struct walk walk = {0};

    while ((header = next_of(msg, credential_ids, &walk))) {
        struct digest_response response;
        char account[SIP_ACCOUNT_MAX];

        if (digest_response_parse(&response, header->value)) {
            if (party->binding)
                return false;
            continue;
        }
        write_account(account, response.username, party->trunk->conf->registrar);
        if (strcmp(account, party->binding ? party->aor : guess->account) &&
            !(party->binding && span_eq(response.username, span_of(party->binding->digest_user))))
            return false;
    }
    return true;
}

bool pbx_guess_is_own(const struct sip_msg *msg, const struct trunk *trunk, struct pbx_binding *binding)
{
    struct pbx_party party = {.trunk = trunk, .binding = binding};

    memcpy(party.aor, binding->aor, sizeof(party.aor));
    return is_own(NULL, msg, &party);
}

/* ---- the guard's look ---- */

void pbx_guess_refuse(struct sip_verdict *verdict, unsigned status, const char *why)
{
    stats_count(STAT_PBX_REFUSED);
    verdict->status = status;
    verdict->why = why;
}

bool pbx_guess_admit(struct pbx *pbx, const struct sip_incoming *incoming, const struct pbx_party *party,
                     struct sip_verdict *verdict)
{
    const struct sip_flow *flow = incoming->flow;
    struct pbx_guess guess;

    pbx_guess_read(&guess, pbx, flow, incoming->msg, party);
    if (!guess.is_given)
        return true;
    if (!is_own(&guess, incoming->msg, party)) {
        pbx_guess_refuse(verdict, 403, "these credentials are not of the user who sends them");
    } else if (pbx_pass_is_held(pbx, flow, map_hash(span_of(guess.account))) ||
               !guesses_may_try(pbx->calls->guesses, &flow->remote, span_of(guess.account))) {
        stats_count(STAT_AUTH_UNREAD);
        verdict->is_silent = flow->transport == SIP_UDP;
        text_add_str(&verdict->headers, "Retry-After: 10\r\n");
        pbx_guess_refuse(verdict, 503, "too many wrong passwords, ask again later");
    }
    return !verdict->status;
}

/* ---- what the PBX says ---- */

/* Was it the password? A stale nonce is said to be one, mostly. */
static bool is_wrong_password(const struct sip_msg *response)
{
    enum sip_header_id id = response->status == 407 ? SIP_H_PROXY_AUTHENTICATE : SIP_H_WWW_AUTHENTICATE;
    struct digest_challenge challenge;

    if (response->status == 403)
        return response->method == SIP_REGISTER; /* else it is what he may not */
    if (response->status != 401 && response->status != 407)
        return false;
    return digest_challenge_parse(&challenge, sip_msg_value(response, id)) || !challenge.is_stale;
}

unsigned pbx_guess_note_refusal(struct pbx *pbx, const struct sip_flow *flow, const struct pbx_guess *guess,
                                const struct sip_msg *response)
{
    char source[SIP_FLOW_TEXT_MAX];
    struct guess_price price;

    note_challenge(pbx, flow, response);
    if (!guess->is_given || !guess->is_there || !is_wrong_password(response))
        return 0;
    price = guesses_note_wrong(pbx->calls->guesses, &flow->remote, span_of(guess->account));
    stats_count(STAT_AUTH_FAILED);
    if (price.hold_ms)
        stats_count(STAT_AUTH_SLOWED);
    log_peer("pbx: the password of %s is refused, from %s (held_ms=%u)", guess->account, sip_flow_text(flow, source),
             price.hold_ms);
    return price.hold_ms;
}

void pbx_guess_price(struct pbx *pbx, const struct sip_flow *flow, const struct pbx_guess *guess,
                     struct pbx_answer *answer)
{
    answer->hold_ms = pbx_guess_note_refusal(pbx, flow, guess, answer->response);
    answer->whose = map_hash(span_of(guess->account));
}

struct carried {
    struct pbx *pbx;
    struct pbx_guess guess;
};

void *pbx_guess_carried(struct pbx *pbx, const struct server_tx *tx, const struct pbx_party *party)
{
    struct carried *carried = mem_new(sizeof(*carried), NULL);

    if (!carried)
        return NULL;
    carried->pbx = pbx;
    pbx_guess_read(&carried->guess, pbx, server_tx_flow(tx), server_tx_request(tx), party);
    return carried;
}

void pbx_guess_on_answer(struct pbx_answer *answer, struct server_tx *tx, void *arg)
{
    struct carried *carried = arg;

    if (answer->response && answer->status >= 300)
        pbx_guess_price(carried->pbx, server_tx_flow(tx), &carried->guess, answer);
}

void pbx_guess_note_right(struct pbx *pbx, const struct sip_flow *flow, const struct pbx_guess *guess)
{
    if (guess->is_given && guess->is_there)
        guesses_note_right(pbx->calls->guesses, &flow->remote, span_of(guess->account));
}
