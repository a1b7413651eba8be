/* SPDX-License-Identifier: Apache-2.0 */
/* srtp_ctx.c: both directions of one SRTP association by libsrtp2, one session for each direction (its list of streams
 * is searched linearly); what failed is counted. RFC 3711, RFC 7714. With srtp_openssl.c the only room that includes
 * the library. Knows nothing of where the keys come from. */
#include "media/srtp_ctx.h"

#include <errno.h>
#include <pthread.h>
#include <srtp2/srtp.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/stats.h"
#include "base/warm.h"
#include "media/rtp.h"
#include "media/srtp_openssl.h"

#define WINDOW_PACKETS 1024
#define SOURCE_MAX     64                         /* SSRCs of one direction */
#define TRAILER_MAX    (SRTP_MAX_TRAILER_LEN + 4) /* room behind a packet that is protected */
#define SRTCP_E_FLAG   0x80

struct suite {
    const char *name;      /* RFC 4568, RFC 7714 14.2 */
    const char *dtls_name; /* as OpenSSL says it */
    unsigned key_bytes, salt_bytes;
    bool is_aead;
    void (*set_policy)(srtp_crypto_policy_t *policy);
};

static const struct suite suites[] = {
    {"AEAD_AES_256_GCM", "SRTP_AEAD_AES_256_GCM", 32, 12, true, srtp_crypto_policy_set_aes_gcm_256_16_auth},
    {"AEAD_AES_128_GCM", "SRTP_AEAD_AES_128_GCM", 16, 12, true, srtp_crypto_policy_set_aes_gcm_128_16_auth},
    {"AES_CM_128_HMAC_SHA1_80", "SRTP_AES128_CM_SHA1_80", 16, 14, false, srtp_crypto_policy_set_rtp_default},
};

struct direction {
    srtp_t session;
    const void *cipher; /* of RTP, the session's */
    unsigned source_count;
    uint32_t last_ssrc; /* of the last packet; meaningless while there is no source */
};

struct srtp_ctx {
    const struct suite *suite;
    struct direction out, in;
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

/* ---- birth ---- */

static void start_library(void)
{
    srtp_init();
    if (srtp_openssl_install())
        log_warn("libsrtp2 does not take OpenSSL's ciphers: SRTP costs several times as much");
}

void srtp_ctx_start_library(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, start_library);
}

static void direction_close(struct direction *direction)
{
    if (direction->session)
        srtp_dealloc(direction->session);
    direction->session = NULL;
}

static int direction_open(struct direction *direction, const struct suite *suite, srtp_ssrc_type_t type,
                          struct span key)
{
    srtp_policy_t policy = {.ssrc.type = type, .window_size = WINDOW_PACKETS, .allow_repeat_tx = 1};
    uint8_t key_bytes[SRTP_KEY_MAX];
    srtp_err_status_t status;

    memcpy(key_bytes, key.p, key.n);
    suite->set_policy(&policy.rtp);
    suite->set_policy(&policy.rtcp);
    policy.key = key_bytes;
    *direction = (struct direction){0};
    srtp_openssl_first();
    status = srtp_create(&direction->session, &policy);
    direction->cipher = srtp_openssl_first();
    explicit_bzero(key_bytes, sizeof(key_bytes));
    if (status)
        direction->session = NULL;
    return status ? -ENOMEM : 0;
}

static void srtp_ctx_destroy(void *self)
{
    struct srtp_ctx *ctx = self;

    direction_close(&ctx->in);
    direction_close(&ctx->out);
}

static bool are_good_keys(const struct suite *suite, const struct srtp_keys *keys)
{
    return keys->local.n == suite->key_bytes + suite->salt_bytes && keys->remote.n == keys->local.n;
}

int srtp_ctx_new(struct srtp_ctx **ctxp, const struct srtp_keys *keys)
{
    const struct suite *suite = find_suite(span_of(keys->suite));
    struct srtp_ctx *ctx;
    int err;

    if (!suite || !are_good_keys(suite, keys))
        return -EINVAL;
    srtp_ctx_start_library();
    ctx = mem_new(sizeof(*ctx), srtp_ctx_destroy);
    if (!ctx)
        return -ENOMEM;
    ctx->suite = suite;
    err = direction_open(&ctx->out, suite, ssrc_any_outbound, keys->local);
    if (!err)
        err = direction_open(&ctx->in, suite, ssrc_any_inbound, keys->remote);
    if (err) {
        mem_unref(ctx);
        return err;
    }
    *ctxp = ctx;
    return 0;
}

int srtp_ctx_set_remote(struct srtp_ctx *ctx, const struct srtp_keys *keys)
{
    struct direction in;
    int err;

    if (!are_good_keys(ctx->suite, keys))
        return -EINVAL;
    err = direction_open(&in, ctx->suite, ssrc_any_inbound, keys->remote);
    if (err)
        return err;
    direction_close(&ctx->in);
    ctx->in = in;
    return 0;
}

const char *srtp_ctx_suite(const struct srtp_ctx *ctx)
{
    return ctx->suite->name;
}

void srtp_ctx_warm(const struct srtp_ctx *ctx, bool is_out, struct warm *warm)
{
    warm_add(warm, ctx, sizeof(*ctx));
    warm_add(warm, is_out ? ctx->out.session : ctx->in.session, 1);
    srtp_openssl_warm(is_out ? ctx->out.cipher : ctx->in.cipher, warm);
}

/* ---- packets ---- */

static int err_of(srtp_err_status_t status)
{
    switch (status) {
    case srtp_err_status_ok:
        return 0;
    case srtp_err_status_replay_fail:
    case srtp_err_status_replay_old:
        return -EALREADY;
    case srtp_err_status_auth_fail:
    case srtp_err_status_cant_check: /* SRTCP that is not encrypted */
        return -EACCES;
    default:
        return -EBADMSG;
    }
}

/* The library would make a stream for each SSRC of an authentic packet, without end. */
static bool is_new_source(struct direction *direction, uint32_t ssrc)
{
    uint32_t roc;

    if (direction->source_count && ssrc == direction->last_ssrc)
        return false;
    return srtp_get_stream_roc(direction->session, ssrc, &roc) != srtp_err_status_ok;
}

static int run(struct direction *direction, srtp_err_status_t (*work)(srtp_t session, void *bytes, int *n),
               uint32_t ssrc, struct pkt *pkt)
{
    bool is_new = is_new_source(direction, ssrc);
    int n = pkt->len, err;

    if (is_new && direction->source_count >= SOURCE_MAX)
        return -ENOMEM;
    err = err_of(work(direction->session, pkt->data, &n));
    if (err)
        return err;
    direction->source_count += is_new;
    direction->last_ssrc = ssrc;
    pkt->len = (uint16_t)n;
    return 0;
}

static int count_failure(int err)
{
    if (err)
        stats_count(err == -EALREADY ? STAT_SRTP_REPLAYED : STAT_SRTP_FAILED);
    return err;
}

int srtp_ctx_unprotect(struct srtp_ctx *ctx, struct pkt *pkt)
{
    if (pkt->len < RTP_HEADER_BYTES)
        return count_failure(-EBADMSG);
    return count_failure(run(&ctx->in, srtp_unprotect, rtp_get_u32(pkt->data + 8), pkt));
}

int srtp_ctx_unprotect_rtcp(struct srtp_ctx *ctx, struct pkt *pkt)
{
    if (pkt->len < 12) /* a header, and an index */
        return count_failure(-EBADMSG);
    /* Unencrypted SRTCP was not agreed to (RFC 4568 6.3.2). The library sees to it for the other suite. */
    if (ctx->suite->is_aead && !(pkt->data[pkt->len - 4] & SRTCP_E_FLAG))
        return count_failure(-EACCES);
    return count_failure(run(&ctx->in, srtp_unprotect_rtcp, rtp_get_u32(pkt->data + 4), pkt));
}

int srtp_ctx_protect(struct srtp_ctx *ctx, struct pkt *pkt)
{
    if (pkt->len < RTP_HEADER_BYTES || pkt_tail_room(pkt) < TRAILER_MAX)
        return -EIO;
    return run(&ctx->out, srtp_protect, rtp_get_u32(pkt->data + 8), pkt) ? -EIO : 0;
}

int srtp_ctx_protect_rtcp(struct srtp_ctx *ctx, struct pkt *pkt)
{
    if (pkt->len < 8 || pkt_tail_room(pkt) < TRAILER_MAX)
        return -EIO;
    return run(&ctx->out, srtp_protect_rtcp, rtp_get_u32(pkt->data + 4), pkt) ? -EIO : 0;
}
