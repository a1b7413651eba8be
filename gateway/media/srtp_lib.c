/* SPDX-License-Identifier: Apache-2.0 */
/* srtp_lib.c: SRTP by libsrtp2, one session for each direction (its list of streams is searched linearly). RFC 3711,
 * RFC 7714. The only room that includes the library. Its AEAD kinds are what srtp_gcm.c is tested against. */
#include <errno.h>
#include <pthread.h>
#include <srtp2/srtp.h>
#include <string.h>

#include "base/mem.h"
#include "media/srtp_kind.h"

#define WINDOW_PACKETS 1024

_Static_assert(SRTP_TRAILER_MAX >= SRTP_MAX_TRAILER_LEN + 4, "room for the library's trailer");

typedef void set_policy(srtp_crypto_policy_t *policy);

struct sessions {
    srtp_t in, out;
};

static void init_library(void)
{
    srtp_init();
}

static void sessions_destroy(void *self)
{
    struct sessions *sessions = self;

    if (sessions->in)
        srtp_dealloc(sessions->in);
    if (sessions->out)
        srtp_dealloc(sessions->out);
}

static int create(srtp_t *session, set_policy *set, srtp_ssrc_type_t direction, struct span key)
{
    srtp_policy_t policy = {.ssrc.type = direction, .window_size = WINDOW_PACKETS, .allow_repeat_tx = 1};
    uint8_t key_bytes[SRTP_KEY_MAX];
    srtp_err_status_t status;

    memcpy(key_bytes, key.p, key.n);
    set(&policy.rtp);
    set(&policy.rtcp);
    policy.key = key_bytes;
    status = srtp_create(session, &policy);
    explicit_bzero(key_bytes, sizeof(key_bytes));
    if (status)
        *session = NULL;
    return status ? -ENOMEM : 0;
}

static int make(void **selfp, const struct srtp_keys *keys, set_policy *set)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct sessions *sessions;
    int err;

    pthread_once(&once, init_library);
    sessions = mem_new(sizeof(*sessions), sessions_destroy);
    if (!sessions)
        return -ENOMEM;
    err = create(&sessions->in, set, ssrc_any_inbound, keys->remote);
    if (!err)
        err = create(&sessions->out, set, ssrc_any_outbound, keys->local);
    if (err) {
        mem_unref(sessions);
        return err;
    }
    *selfp = sessions;
    return 0;
}

static int make_gcm_128(void **selfp, const struct srtp_keys *keys)
{
    return make(selfp, keys, srtp_crypto_policy_set_aes_gcm_128_16_auth);
}

static int make_gcm_256(void **selfp, const struct srtp_keys *keys)
{
    return make(selfp, keys, srtp_crypto_policy_set_aes_gcm_256_16_auth);
}

static int make_cm_sha1(void **selfp, const struct srtp_keys *keys)
{
    return make(selfp, keys, srtp_crypto_policy_set_rtp_default);
}

static int err_of(srtp_err_status_t status)
{
    switch (status) {
    case srtp_err_status_ok:
        return 0;
    case srtp_err_status_replay_fail:
    case srtp_err_status_replay_old:
        return -EALREADY;
    case srtp_err_status_auth_fail:
        return -EACCES;
    default:
        return -EBADMSG;
    }
}

static int run(srtp_err_status_t (*work)(srtp_t session, void *bytes, int *n), srtp_t session, uint8_t *bytes,
               size_t *n)
{
    int len = (int)*n;
    int err = err_of(work(session, bytes, &len));

    if (!err)
        *n = (size_t)len;
    return err;
}

static int protect(void *self, uint8_t *bytes, size_t *n)
{
    return run(srtp_protect, ((struct sessions *)self)->out, bytes, n);
}

static int protect_rtcp(void *self, uint8_t *bytes, size_t *n)
{
    return run(srtp_protect_rtcp, ((struct sessions *)self)->out, bytes, n);
}

static int unprotect(void *self, uint8_t *bytes, size_t *n)
{
    return run(srtp_unprotect, ((struct sessions *)self)->in, bytes, n);
}

static int unprotect_rtcp(void *self, uint8_t *bytes, size_t *n)
{
    return run(srtp_unprotect_rtcp, ((struct sessions *)self)->in, bytes, n);
}

const struct srtp_kind srtp_lib_gcm_128 = {make_gcm_128, protect, protect_rtcp, unprotect, unprotect_rtcp};
const struct srtp_kind srtp_lib_gcm_256 = {make_gcm_256, protect, protect_rtcp, unprotect, unprotect_rtcp};
const struct srtp_kind srtp_lib_cm_sha1 = {make_cm_sha1, protect, protect_rtcp, unprotect, unprotect_rtcp};
