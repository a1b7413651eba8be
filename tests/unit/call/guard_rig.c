/* SPDX-License-Identifier: Apache-2.0 */
/* guard_rig.c: clients with right and wrong credentials, for the tests of guard and registrar. */
#include "guard_rig.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "call/directory.h"
#include "call/guard.h"
#include "call/guesses.h"
#include "call/registrar.h"
#include "sip/digest.h"
#include "store/store.h"

static const char yaml[] = "domain: sip.example.com\n"
                           "sip: {digest: [MD5]}\n"
                           "accounts:\n"
                           "  - {name: alice, password: secret}\n"
                           "  - {name: bob, password: hidden}\n"
                           "trunks:\n"
                           "  - {name: carrier, uri: \"sip:192.0.2.10\"}\n";

struct calls guard_calls;
char guard_nonce[100];
static unsigned sent_count;

static void admit(const struct sip_incoming *incoming, struct sip_verdict *verdict)
{
    guard_admit(&guard_calls, incoming, verdict);
}

static void on_request(struct server_tx *tx)
{
    if (server_tx_request(tx)->method == SIP_REGISTER)
        registrar_receive(&guard_calls, tx, rig.account);
    else
        server_tx_reply(tx, &(struct sip_reply){.status = 200});
}

int guard_setup(void **state)
{
    rig_open(yaml);
    sent_count = 0;
    guard_nonce[0] = '\0';
    guard_calls = (struct calls){.conf = rig.conf, .stack = rig.stack};
    assert_int_equal(directory_new(&guard_calls.directory, rig.conf), 0);
    assert_int_equal(store_local_new(&guard_calls.store, 10000), 0);
    assert_int_equal(guesses_new(&guard_calls.guesses), 0);
    rig.admit = admit;
    rig.on_request = on_request;
    return 0;
}

int guard_teardown(void **state)
{
    mem_unref(guard_calls.directory);
    mem_unref(guard_calls.store);
    mem_unref(guard_calls.guesses);
    return rig_teardown(state);
}

static void write_credentials(char *line, size_t size_bytes, const struct guard_try *wish, const char *method)
{
    const char *nonce = wish->nonce ? wish->nonce : guard_nonce;
    struct digest_secret secret = {
        .username = span_of(wish->user), .realm = SPAN("sip.example.com"), .password = span_of(wish->password)};
    struct digest_challenge challenge = {.realm = SPAN("sip.example.com"),
                                         .nonce = span_of(nonce),
                                         .algorithm = DIGEST_MD5,
                                         .has_qop = true,
                                         .has_qop_auth = true};
    struct text text;

    text_init(&text, 4096);
    assert_int_equal(digest_write_response(&text, &challenge, &secret, span_of(method),
                                           span_of(wish->uri ? wish->uri : "sip:sip.example.com"),
                                           wish->nc ? wish->nc : 1),
                     0);
    snprintf(line, size_bytes, "Authorization: %.*s\n", SPAN_ARG(text_span(&text)));
    text_free(&text);
}

void guard_send(const struct sip_flow *flow, const struct guard_try *wish)
{
    const char *method = wish->method ? wish->method : "REGISTER";
    const char *from = wish->from ? wish->from : wish->user;
    unsigned cseq = wish->cseq ? wish->cseq : ++sent_count;
    static unsigned branch;
    char line[2048] = "";

    if (wish->password)
        write_credentials(line, sizeof(line), wish, method);
    rig_receivef(
        flow,
        "%s sip:sip.example.com SIP/2.0\nVia: SIP/2.0/%s client.invalid;branch=z9hG4bKg%u\nMax-Forwards: 70\n"
        "From: <sip:%s@sip.example.com>;tag=g\nTo: <sip:%s@sip.example.com>\nCall-ID: guard\nCSeq: %u %s\n%s%s\n",
        method, sip_transport_text((enum sip_transport)flow->transport), ++branch, from, from, cseq, method, line,
        wish->headers ? wish->headers : "");
}

struct rig_sent *guard_take(unsigned status)
{
    struct rig_sent *sent = rig_expect_status(status);
    const char *nonce = strstr(sent->bytes, "nonce=\"");

    if (nonce)
        snprintf(guard_nonce, sizeof(guard_nonce), "%.*s", (int)strcspn(nonce + 7, "\""), nonce + 7);
    return sent;
}

struct rig_sent *guard_prove(const struct sip_flow *flow, const struct guard_try *wish)
{
    struct guard_try first = *wish;

    first.password = NULL;
    guard_send(flow, &first);
    guard_take(401);
    guard_send(flow, wish);
    return rig_next();
}
