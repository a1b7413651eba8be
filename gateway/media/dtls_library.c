/* SPDX-License-Identifier: Apache-2.0 */
/* dtls_library.c: an OpenSSL library context for DTLS alone: all of the default provider but its decoders, of which the
 * two are left that read a peer's public key. OpenSSL 3.0 and 3.1 walk through every decoder for every certificate:
 * with all 60 of them that was an eighth of a handshake. From 3.2 on it remembers them. Knows nothing of DTLS itself.
 */
#include "media/dtls_library.h"

#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>
#include <openssl/provider.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#define DECODER_MAX 8

static OSSL_LIB_CTX *ours;    /* NULL: OpenSSL's own */
static OSSL_PROVIDER *served; /* the default provider, whose algorithms ours hands on */
static OSSL_ALGORITHM decoders[DECODER_MAX + 1];

/* The keys of certificates: P-256, as browsers have it, and RSA for older ones. RFC 8827 section 6.5. */
static bool is_wanted(const OSSL_ALGORITHM *decoder)
{
    bool is_key = !strcmp(decoder->algorithm_names, "EC") || !strcmp(decoder->algorithm_names, "RSA");

    return is_key && strstr(decoder->property_definition, "input=der,structure=SubjectPublicKeyInfo");
}

static void pick_decoders(void)
{
    int no_cache;
    unsigned count = 0;
    const OSSL_ALGORITHM *row = OSSL_PROVIDER_query_operation(served, OSSL_OP_DECODER, &no_cache);

    for (; row && row->algorithm_names && count < DECODER_MAX; row++)
        if (is_wanted(row))
            decoders[count++] = *row;
    memset(&decoders[count], 0, sizeof(decoders[count]));
}

static const OSSL_ALGORITHM *query_operation(void *provider, int operation, int *no_cache)
{
    if (operation != OSSL_OP_DECODER)
        return OSSL_PROVIDER_query_operation(served, operation, no_cache);
    *no_cache = 0;
    return decoders;
}

static int get_capabilities(void *provider, const char *capability, OSSL_CALLBACK *callback, void *arg)
{
    return OSSL_PROVIDER_get_capabilities(served, capability, callback, arg);
}

static int init_ours(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out,
                     void **provider)
{
    static const OSSL_DISPATCH functions[] = {
        {OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query_operation},
        {OSSL_FUNC_PROVIDER_GET_CAPABILITIES, (void (*)(void))get_capabilities},
        {0, NULL},
    };

    *out = functions;
    *provider = OSSL_PROVIDER_get0_provider_ctx(served); /* the algorithms are the default provider's own */
    return 1;
}

/* A context of its own for the default provider, too: the system's openssl.cnf has no say in it. */
static void make(void)
{
    OSSL_LIB_CTX *whole = OSSL_LIB_CTX_new(), *part = OSSL_LIB_CTX_new();

    served = whole && part ? OSSL_PROVIDER_load(whole, "default") : NULL;
    if (served) {
        pick_decoders();
        if (OSSL_PROVIDER_add_builtin(part, "dtls", init_ours) && OSSL_PROVIDER_load(part, "dtls"))
            ours = part;
    }
    if (!ours) {
        OSSL_LIB_CTX_free(part);
        OSSL_LIB_CTX_free(whole);
    }
}

OSSL_LIB_CTX *dtls_library(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, make);
    return ours;
}
