/* SPDX-License-Identifier: Apache-2.0 */
/* tls.c: OpenSSL contexts for SIP over TLS: certificates, verification, reload. RFC 5922 (SIP certificates) only as far
 * as OpenSSL's host name check goes. Knows nothing of sockets. */
#include "net/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "base/mem.h"

/* A reload makes a new context, as OpenSSL's may not be changed while other threads use it. Whoever has just asked for
 * the old one still takes an SSL from it, so that one is freed only some reloads later. */
#define KEPT_CONTEXTS 8

struct tls {
    SSL_CTX *context;             /* the current one; read by any thread */
    SSL_CTX *kept[KEPT_CONTEXTS]; /* the current one and those before */
    unsigned next;
    char *certificate, *key, *ca; /* file names; NULL: none */
    bool is_client, verifies;
};

static bool is_modern_only;

void tls_set_modern(bool is_modern)
{
    __atomic_store_n(&is_modern_only, is_modern, __ATOMIC_RELAXED);
}

static _Thread_local char why[256];

static int fail(const char **why_out, const char *what)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;

    snprintf(why, sizeof(why), "%s%s%s", what, reason ? ": " : "", reason ? reason : "");
    ERR_clear_error();
    if (why_out)
        *why_out = why;
    return -EINVAL;
}

/* Sockets are written by OpenSSL with write(): a peer that has gone must not end the process. */
static void ignore_sigpipe(void)
{
    struct sigaction action;

    if (sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL)
        signal(SIGPIPE, SIG_IGN);
}

static void tls_destroy(void *self)
{
    struct tls *tls = self;

    for (unsigned i = 0; i < KEPT_CONTEXTS; i++)
        SSL_CTX_free(tls->kept[i]);
    mem_unref(tls->certificate);
    mem_unref(tls->key);
    mem_unref(tls->ca);
}

static int load_pair(SSL_CTX *context, const char *certificate, const char *key, const char **why_out)
{
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1)
        return fail(why_out, "the certificate cannot be read");
    if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
        return fail(why_out, "the key cannot be read or does not fit the certificate");
    if (SSL_CTX_check_private_key(context) != 1)
        return fail(why_out, "the key does not fit the certificate");
    return 0;
}

int tls_check_pair(const char *certificate, const char *key, const char **why_out)
{
    SSL_CTX *context = SSL_CTX_new(TLS_method());
    int err;

    if (!context)
        return fail(why_out, "no TLS context");
    err = load_pair(context, certificate, key, why_out);
    SSL_CTX_free(context);
    return err;
}

static SSL_CTX *make_context(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_method());

    if (!context)
        return NULL;
    SSL_CTX_set_min_proto_version(context,
                                  __atomic_load_n(&is_modern_only, __ATOMIC_RELAXED) ? TLS1_3_VERSION : TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    return context;
}

static void set_context(struct tls *tls, SSL_CTX *context_taken)
{
    SSL_CTX_free(tls->kept[tls->next]);
    tls->kept[tls->next] = context_taken;
    tls->next = (tls->next + 1) % KEPT_CONTEXTS;
    __atomic_store_n(&tls->context, context_taken, __ATOMIC_RELEASE);
}

static int set_trust(SSL_CTX *context, const struct tls *tls, const char **why_out)
{
    SSL_CTX_set_verify(context, tls->verifies ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
    ERR_clear_error();
    if (!tls->ca)
        SSL_CTX_set_default_verify_paths(context);
    else if (SSL_CTX_load_verify_locations(context, tls->ca, NULL) != 1)
        return fail(why_out, "the CA file cannot be read");
    ERR_clear_error();
    return 0;
}

static int load_new(struct tls *tls, const char **why_out)
{
    SSL_CTX *context = make_context();
    int err = 0;

    if (!context)
        return fail(why_out, "no TLS context");
    if (tls->is_client)
        err = set_trust(context, tls, why_out);
    if (!err && tls->certificate)
        err = load_pair(context, tls->certificate, tls->key, why_out);
    if (err)
        SSL_CTX_free(context);
    else
        set_context(tls, context);
    return err;
}

static int copy(char **copyp, const char *text)
{
    if (!text || !text[0])
        return 0;
    *copyp = mem_text(text, strlen(text));
    return *copyp ? 0 : -ENOMEM;
}

static int open_tls(struct tls **tlsp, const struct tls_client_options *options, bool is_client, const char **why_out)
{
    struct tls *tls = mem_new(sizeof(*tls), tls_destroy);
    int err = tls ? 0 : -ENOMEM;

    *why_out = "out of memory";
    ignore_sigpipe();
    if (!err) {
        tls->is_client = is_client;
        tls->verifies = options->verifies;
        err = copy(&tls->certificate, options->certificate);
    }
    if (!err)
        err = copy(&tls->key, options->key);
    if (!err)
        err = copy(&tls->ca, options->ca);
    if (!err)
        err = load_new(tls, why_out);
    if (err)
        mem_unref(tls);
    else
        *tlsp = tls;
    return err;
}

int tls_new(struct tls **tlsp, const char *certificate, const char *key, const char **why_out)
{
    return open_tls(tlsp, &(struct tls_client_options){.certificate = certificate, .key = key}, false, why_out);
}

int tls_client_open(struct tls **tlsp, const struct tls_client_options *options, const char **why_out)
{
    return open_tls(tlsp, options, true, why_out);
}

int tls_client_new(struct tls **tlsp, const char *ca_file, bool verifies, const char **why_out)
{
    return tls_client_open(tlsp, &(struct tls_client_options){.ca = ca_file, .verifies = verifies}, why_out);
}

int tls_reload(struct tls *tls, const char **why_out)
{
    *why_out = NULL;
    return load_new(tls, why_out);
}

SSL_CTX *tls_context(struct tls *tls)
{
    return __atomic_load_n(&tls->context, __ATOMIC_ACQUIRE);
}
