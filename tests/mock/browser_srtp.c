/* SPDX-License-Identifier: Apache-2.0 */
/* browser_srtp.c: libsrtp2 sessions from DTLS keys. Knows no socket. */
#include "browser_srtp.h"

#include <errno.h>

static int set_crypto(srtp_policy_t *policy, unsigned profile)
{
    switch (profile) {
    case 1:
        srtp_crypto_policy_set_rtp_default(&policy->rtp);
        srtp_crypto_policy_set_rtcp_default(&policy->rtcp);
        return 0;
    case 7:
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy->rtp);
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy->rtcp);
        return 0;
    case 8:
        srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy->rtp);
        srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy->rtcp);
        return 0;
    default:
        return -EINVAL;
    }
}

static int create(srtp_t *session, unsigned profile, const uint8_t *key, srtp_ssrc_type_t direction)
{
    srtp_policy_t policy = {.ssrc.type = direction, .key = (uint8_t *)(uintptr_t)key, .window_size = 1024};
    int err = set_crypto(&policy, profile);

    if (err)
        return err;
    return srtp_create(session, &policy) == srtp_err_status_ok ? 0 : -EINVAL;
}

int browser_srtp_start(struct browser_srtp *srtp, const struct browser_srtp_keys *keys)
{
    static bool is_ready;
    int err;

    if (!is_ready && srtp_init() != srtp_err_status_ok)
        return -EINVAL;
    is_ready = true;
    err = create(&srtp->sending, keys->profile, keys->sending, ssrc_any_outbound);
    if (!err)
        err = create(&srtp->receiving, keys->profile, keys->receiving, ssrc_any_inbound);
    if (err)
        browser_srtp_stop(srtp);
    return err;
}

void browser_srtp_stop(struct browser_srtp *srtp)
{
    if (srtp->sending)
        srtp_dealloc(srtp->sending);
    if (srtp->receiving)
        srtp_dealloc(srtp->receiving);
    srtp->sending = srtp->receiving = NULL;
}

int browser_srtp_protect(struct browser_srtp *srtp, uint8_t *bytes, size_t size)
{
    int length = (int)size;

    return srtp_protect(srtp->sending, bytes, &length) == srtp_err_status_ok ? length : -EACCES;
}

int browser_srtp_unprotect(struct browser_srtp *srtp, uint8_t *bytes, size_t size, bool is_rtcp)
{
    int length = (int)size;
    srtp_err_status_t status = is_rtcp ? srtp_unprotect_rtcp(srtp->receiving, bytes, &length)
                                       : srtp_unprotect(srtp->receiving, bytes, &length);

    return status == srtp_err_status_ok ? length : -EACCES;
}
