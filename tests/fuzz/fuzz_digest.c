/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_digest.c: any bytes as a challenge and as credentials. A challenge that can be used is answered with credentials
 * that we read and verify ourselves. */
#include <stdlib.h>

#include "sip/digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_answer(const struct digest_challenge *challenge)
{
    struct digest_secret secret = {.username = SPAN("alice"), .realm = challenge->realm, .password = SPAN("s3cret")};
    struct digest_response response;
    struct text out;

    text_init(&out, 1000000);
    if (digest_write_response(&out, challenge, &secret, SPAN("REGISTER"), SPAN("sip:example.com"), 1) == 0) {
        if (digest_response_parse(&response, text_span(&out)) || !digest_verify(&response, &secret, SPAN("REGISTER")))
            abort();
    }
    text_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span value = span_make(data, size);
    struct digest_challenge challenge;
    struct digest_response response;

    if (digest_challenge_parse(&challenge, value) == 0)
        check_answer(&challenge);
    digest_response_parse(&response, value);
    digest_nonce_check(value, 1800000000, 60, SPAN("192.0.2.1"));
    return 0;
}
