/* SPDX-License-Identifier: Apache-2.0 */
/* srtp_ctx.c: the two directions of one SRTP association by libsrtp2, one session each (its list of streams is searched
 * linearly). RFC 3711, RFC 7714, RFC 6188 not. The only room that says srtp_ of the library. Knows nothing of where the
 * keys come from. */
#include "media/srtp_ctx.h"

#include <errno.h>
#include <pthread.h>
#include <srtp2/srtp.h>
#include <string.h>

#include "base/mem.h"
#include "base/stats.h"

#define WINDOW_PACKETS 1024

struct suite {
    const char *name;      /* RFC 4568, RFC 7714 14.2 */
    const char *dtls_name; /* as OpenSSL says it; NULL: the same */
    unsigned key_bytes, salt_bytes;
    void (*set)(srtp_crypto_policy_t *policy);
};

static const struct suite suites[] = {
    {"AEAD_AES_256_GCM", "SRTP_AEAD_AES_256_GCM", 32, 12, srtp_crypto_policy_set_aes_gcm_256_16_auth},
    {"AEAD_AES_128_GCM", "SRTP_AEAD_AES_128_GCM", 16, 12, srtp_crypto_policy_set_aes_gcm_128_16_auth},
    {"AES_CM_128_HMAC_SHA1_80", "SRTP_AES128_CM_SHA1_80", 16, 14, srtp_crypto_policy_set_rtp_default},
};

struct srtp_ctx {
    const struct suite *suite;
    srtp_t in, out;
};

static void init_library(void)
{
    srtp_init();
}

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

    if (ctx->in)
        srtp_dealloc(ctx->in);
    if (ctx->out)
        srtp_dealloc(ctx->out);
}

static int create(srtp_t *session, const struct suite *suite, srtp_ssrc_type_t direction, struct span key)
{
    uint8_t key_bytes[SRTP_KEY_MAX];
    srtp_policy_t policy = {.ssrc.type = direction, .window_size = WINDOW_PACKETS, .allow_repeat_tx = 1};
    srtp_err_status_t status;

    memcpy(key_bytes, key.p, key.n);
    suite->set(&policy.rtp);
    suite->set(&policy.rtcp);
    policy.key = key_bytes;
    status = srtp_create(session, &policy);
    explicit_bzero(key_bytes, sizeof(key_bytes));
    if (status)
        *session = NULL;
    return status == srtp_err_status_ok ? 0 : -ENOMEM;
}

int srtp_ctx_new(struct srtp_ctx **ctxp, const struct srtp_keys *keys)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const struct suite *suite = find_suite(span_of(keys->suite));
    struct srtp_ctx *ctx;
    int err;

    if (!suite || keys->local.n != suite->key_bytes + suite->salt_bytes || keys->remote.n != keys->local.n)
        return -EINVAL;
    pthread_once(&once, init_library);
    ctx = mem_new(sizeof(*ctx), srtp_ctx_destroy);
    if (!ctx)
        return -ENOMEM;
    ctx->suite = suite;
    err = create(&ctx->in, suite, ssrc_any_inbound, keys->remote);
    if (!err)
        err = create(&ctx->out, suite, ssrc_any_outbound, keys->local);
    if (err)
        goto out;
    *ctxp = ctx;
    ctx = NULL;
out:
    mem_unref(ctx);
    return err;
}

const char *srtp_ctx_suite(const struct srtp_ctx *ctx)
{
    return ctx->suite->name;
}

static int count_failure(srtp_err_status_t status)
{
    if (status == srtp_err_status_replay_fail || status == srtp_err_status_replay_old) {
        stats_count(STAT_SRTP_REPLAYED);
        return -EALREADY;
    }
    stats_count(STAT_SRTP_FAILED);
    return status == srtp_err_status_auth_fail ? -EACCES : -EBADMSG;
}

int srtp_ctx_unprotect(struct srtp_ctx *ctx, struct pkt *pkt)
{
    int len = pkt->len;
    srtp_err_status_t status = srtp_unprotect(ctx->in, pkt->data, &len);

    if (status)
        return count_failure(status);
    pkt->len = (uint16_t)len;
    return 0;
}

int srtp_ctx_unprotect_rtcp(struct srtp_ctx *ctx, struct pkt *pkt)
{
    int len = pkt->len;
    srtp_err_status_t status = srtp_unprotect_rtcp(ctx->in, pkt->data, &len);

    if (status)
        return count_failure(status);
    pkt->len = (uint16_t)len;
    return 0;
}

static bool has_trailer_room(const struct pkt *pkt)
{
    return pkt_tail_room(pkt) >= SRTP_MAX_TRAILER_LEN + 4;
}

int srtp_ctx_protect(struct srtp_ctx *ctx, struct pkt *pkt)
{
    int len = pkt->len;

    if (!has_trailer_room(pkt) || srtp_protect(ctx->out, pkt->data, &len))
        return -EIO;
    pkt->len = (uint16_t)len;
    return 0;
}

int srtp_ctx_protect_rtcp(struct srtp_ctx *ctx, struct pkt *pkt)
{
    int len = pkt->len;

    if (!has_trailer_room(pkt) || srtp_protect_rtcp(ctx->out, pkt->data, &len))
        return -EIO;
    pkt->len = (uint16_t)len;
    return 0;
}
