/* SPDX-License-Identifier: Apache-2.0 */
/* srtp.c: bench_srtp: CPU to protect and to unprotect a packet, by suite and size, two ways in one program: libsrtp2
 * with the ciphers it was built with, and as the gateway runs it (media/srtp_openssl.c); also time and memory of an
 * association of two directions. RFC 3711, RFC 7714. The least of several rounds counts, as others use the machine. */
#include <malloc.h>
#include <srtp2/srtp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "media/rtp.h"
#include "media/srtp_openssl.h"

#define ROUNDS      40
#define BATCH       1000 /* packets of a round */
#define MADE        100  /* associations, for time and memory */
#define PACKET_MAX  1100
#define KEY_MAX     64
#define SUITE_COUNT 3

static const struct {
    const char *name;
    void (*set_policy)(srtp_crypto_policy_t *policy);
} suites[SUITE_COUNT] = {{"AEAD_AES_128_GCM", srtp_crypto_policy_set_aes_gcm_128_16_auth},
                         {"AEAD_AES_256_GCM", srtp_crypto_policy_set_aes_gcm_256_16_auth},
                         {"AES_CM_128_HMAC_SHA1_80", srtp_crypto_policy_set_rtp_default}};
static const int sizes[] = {172, PACKET_MAX}; /* PCMU of 20 ms, video */

struct association {
    srtp_t out, in;
    uint16_t seq;
};

struct cost {
    double protect_us, unprotect_us;
};

static double cpu_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void must(bool is_good, const char *what)
{
    if (is_good)
        return;
    fprintf(stderr, "bench_srtp: %s failed\n", what);
    exit(1);
}

static void associate(struct association *made, unsigned suite)
{
    uint8_t key[KEY_MAX] = {1, 2, 3};
    srtp_policy_t policy = {.window_size = 1024, .key = key};

    suites[suite].set_policy(&policy.rtp);
    suites[suite].set_policy(&policy.rtcp);
    policy.ssrc.type = ssrc_any_outbound;
    must(!srtp_create(&made->out, &policy), "making a session");
    policy.ssrc.type = ssrc_any_inbound;
    must(!srtp_create(&made->in, &policy), "making a session");
    made->seq = 0;
}

static void part(struct association *association)
{
    srtp_dealloc(association->out);
    srtp_dealloc(association->in);
}

static void run_batch(struct association *association, int bytes, unsigned count, struct cost *cost)
{
    static struct {
        uint8_t bytes[PACKET_MAX + SRTP_MAX_TRAILER_LEN];
        int n;
    } batch[BATCH];
    double begin_us;

    for (unsigned i = 0; i < count; i++) {
        rtp_write(batch[i].bytes, &(struct rtp){.seq = ++association->seq, .ssrc = 7});
        batch[i].n = bytes;
    }
    begin_us = cpu_us();
    for (unsigned i = 0; i < count; i++)
        must(!srtp_protect(association->out, batch[i].bytes, &batch[i].n), "protecting");
    cost->protect_us = (cpu_us() - begin_us) / count;
    begin_us = cpu_us();
    for (unsigned i = 0; i < count; i++)
        must(!srtp_unprotect(association->in, batch[i].bytes, &batch[i].n), "unprotecting");
    cost->unprotect_us = (cpu_us() - begin_us) / count;
    must(batch[0].n == bytes, "unprotecting");
}

static void print_packets(const char *how, unsigned suite)
{
    struct association association;

    associate(&association, suite);
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct cost least = {1e9, 1e9}, cost;

        for (unsigned round = 0; round < ROUNDS; round++) {
            run_batch(&association, sizes[i], BATCH, &cost);
            if (cost.protect_us < least.protect_us)
                least.protect_us = cost.protect_us;
            if (cost.unprotect_us < least.unprotect_us)
                least.unprotect_us = cost.unprotect_us;
        }
        printf("%-8s  %-24s %5d bytes   protect %5.2f us   unprotect %5.2f us\n", how, suites[suite].name, sizes[i],
               least.protect_us, least.unprotect_us);
    }
    part(&association);
}

static void print_association(const char *how, unsigned suite)
{
    static struct association made[MADE];
    size_t begin_bytes = mallinfo2().uordblks;
    struct cost cost;
    double begin_us = cpu_us(), us;

    for (unsigned i = 0; i < MADE; i++)
        associate(&made[i], suite);
    us = (cpu_us() - begin_us) / MADE;
    for (unsigned i = 0; i < MADE; i++) /* its one source each way */
        run_batch(&made[i], sizes[0], 1, &cost);
    printf("%-8s  %-24s association   %5.1f us          %5.1f kB\n", how, suites[suite].name, us,
           (double)(mallinfo2().uordblks - begin_bytes) / MADE / 1e3);
    for (unsigned i = 0; i < MADE; i++)
        part(&made[i]);
}

static void print_all(const char *how)
{
    for (unsigned suite = 0; suite < SUITE_COUNT; suite++) {
        print_packets(how, suite);
        print_association(how, suite);
    }
}

int main(void)
{
    double begin_us = cpu_us();

    must(!srtp_init(), "starting libsrtp2");
    printf("starting libsrtp2: %.1f ms\n", (cpu_us() - begin_us) / 1e3);
    print_all("built in");
    begin_us = cpu_us();
    must(!srtp_openssl_install(), "putting OpenSSL's ciphers in");
    printf("putting OpenSSL's ciphers in: %.1f ms\n", (cpu_us() - begin_us) / 1e3);
    print_all("OpenSSL");
    return 0;
}
