/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_uri.c: any bytes as a URI. What parses is equal to itself, and its user survives decoding and writing. */
#include <stdlib.h>

#include "sip/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_user(const struct uri *uri)
{
    char user[4096], again[4096];
    struct text out;

    if (uri_decode(uri->user, user, sizeof(user)) < 0)
        return;
    text_init(&out, 3 * sizeof(user));
    uri_write_user(&out, span_of(user));
    if (uri_decode(text_span(&out), again, sizeof(again)) < 0 || strcmp(user, again) != 0)
        abort();
    text_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span value;
    struct uri uri;

    if (uri_parse(&uri, span_make(data, size)))
        return 0;
    if (!uri_same(&uri, &uri))
        abort();
    check_user(&uri);
    uri_param(&uri, SPAN("transport"), &value);
    return 0;
}
