/* SPDX-License-Identifier: Apache-2.0 */
/* srtp_ctx.c: both directions of one SRTP association: which suite it is, who does the work, and what failed is
 * counted. RFC 3711, RFC 7714. Knows nothing of where the keys come from. */
#include "media/srtp_ctx.h"

#include <errno.h>

#include "base/mem.h"
#include "base/stats.h"
#include "media/srtp_kind.h"

struct suite {
    const char *name;      /* RFC 4568, RFC 7714 14.2 */
    const char *dtls_name; /* as OpenSSL says it */
    unsigned key_bytes, salt_bytes;
    const struct srtp_kind *kind;
};

static const struct suite suites[] = {
    {"AEAD_AES_256_GCM", "SRTP_AEAD_AES_256_GCM", 32, 12, &srtp_gcm},
    {"AEAD_AES_128_GCM", "SRTP_AEAD_AES_128_GCM", 16, 12, &srtp_gcm},
    {"AES_CM_128_HMAC_SHA1_80", "SRTP_AES128_CM_SHA1_80", 16, 14, &srtp_lib_cm_sha1},
};

struct srtp_ctx {
    const struct suite *suite;
    void *out, *in; /* who protects, who unprotects: one object, until the peer takes another key */
};

static const struct suite *find_suite(struct span name)
{
    for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
        if (span_ieq(name, span_of(suites[i].name)) || span_ieq(name, span_of(suites[i].dtls_name)))
            return &suites[i];
    return NULL;
}

const char *srtp_suite(struct span name)
{
    const struct suite *suite = find_suite(name);

    return suite ? suite->name : NULL;
}

void srtp_suite_bytes(const char *suite, unsigned *key_bytes, unsigned *salt_bytes)
{
    const struct suite *found = find_suite(span_of(suite));

    *key_bytes = found ? found->key_bytes : 0;
    *salt_bytes = found ? found->salt_bytes : 0;
}

static void srtp_ctx_destroy(void *self)
{
    struct srtp_ctx *ctx = self;

    mem_unref(ctx->out);
    mem_unref(ctx->in);
}

int srtp_ctx_new(struct srtp_ctx **ctxp, const struct srtp_keys *keys)
{
    const struct suite *suite = find_suite(span_of(keys->suite));
    struct srtp_ctx *ctx;
    int err;

    if (!suite || keys->local.n != suite->key_bytes + suite->salt_bytes || keys->remote.n != keys->local.n)
        return -EINVAL;
    ctx = mem_new(sizeof(*ctx), srtp_ctx_destroy);
    if (!ctx)
        return -ENOMEM;
    ctx->suite = suite;
    err = suite->kind->make(&ctx->out, keys);
    if (err) {
        mem_unref(ctx);
        return err;
    }
    ctx->in = mem_ref(ctx->out);
    *ctxp = ctx;
    return 0;
}

int srtp_ctx_set_remote(struct srtp_ctx *ctx, const struct srtp_keys *keys)
{
    void *in;
    int err;

    if (keys->local.n != ctx->suite->key_bytes + ctx->suite->salt_bytes || keys->remote.n != keys->local.n)
        return -EINVAL;
    err = ctx->suite->kind->make(&in, keys);
    if (err)
        return err;
    mem_unref(ctx->in);
    ctx->in = in;
    return 0;
}

const char *srtp_ctx_suite(const struct srtp_ctx *ctx)
{
    return ctx->suite->name;
}

static int unprotect(int (*work)(void *self, uint8_t *bytes, size_t *n), struct srtp_ctx *ctx, struct pkt *pkt)
{
    size_t n = pkt->len;
    int err = work(ctx->in, pkt->data, &n);

    if (err)
        stats_count(err == -EALREADY ? STAT_SRTP_REPLAYED : STAT_SRTP_FAILED);
    else
        pkt->len = (uint16_t)n;
    return err;
}

static int protect(int (*work)(void *self, uint8_t *bytes, size_t *n), struct srtp_ctx *ctx, struct pkt *pkt)
{
    size_t n = pkt->len;

    if (pkt_tail_room(pkt) < SRTP_TRAILER_MAX || work(ctx->out, pkt->data, &n))
        return -EIO;
    pkt->len = (uint16_t)n;
    return 0;
}

int srtp_ctx_unprotect(struct srtp_ctx *ctx, struct pkt *pkt)
{
    return unprotect(ctx->suite->kind->unprotect, ctx, pkt);
}

int srtp_ctx_unprotect_rtcp(struct srtp_ctx *ctx, struct pkt *pkt)
{
    return unprotect(ctx->suite->kind->unprotect_rtcp, ctx, pkt);
}

int srtp_ctx_protect(struct srtp_ctx *ctx, struct pkt *pkt)
{
    return protect(ctx->suite->kind->protect, ctx, pkt);
}

int srtp_ctx_protect_rtcp(struct srtp_ctx *ctx, struct pkt *pkt)
{
    return protect(ctx->suite->kind->protect_rtcp, ctx, pkt);
}
