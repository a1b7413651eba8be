/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/stats.h"
#include "media/rtcp.h"
#include "media/rtp.h"
#include "media/srtp_ctx.h"

static const struct {
    const char *suite;
    unsigned key_bytes;
    unsigned tag_bytes;
} suites[] = {{"AEAD_AES_256_GCM", 44, 16}, {"AEAD_AES_128_GCM", 28, 16}, {"AES_CM_128_HMAC_SHA1_80", 30, 10}};

static struct srtp_ctx *near, *far;
static struct pkt pkt;

static void open_both(unsigned i)
{
    char keys[2 * SRTP_KEY_MAX];
    struct span one = span_make(keys, suites[i].key_bytes), two = span_make(keys + SRTP_KEY_MAX, suites[i].key_bytes);

    for (size_t at = 0; at < sizeof(keys); at++)
        keys[at] = (char)(at * 7);
    assert_int_equal(srtp_ctx_new(&near, &(struct srtp_keys){suites[i].suite, one, two}), 0);
    assert_int_equal(srtp_ctx_new(&far, &(struct srtp_keys){suites[i].suite, two, one}), 0);
}

static void close_both(void)
{
    near = mem_unref(near);
    far = mem_unref(far);
}

static void make_packet(uint16_t seq)
{
    pkt.data = pkt.buf + PKT_HEAD_ROOM;
    rtp_write(pkt.data, &(struct rtp){.seq = seq, .ssrc = 99});
    memset(pkt.data + RTP_HEADER_BYTES, 0x55, 160);
    pkt.len = RTP_HEADER_BYTES + 160;
}

static void test_every_suite_carries_packets_both_ways(void **state)
{
    for (unsigned i = 0; i < 3; i++) {
        open_both(i);
        assert_string_equal(srtp_ctx_suite(near), suites[i].suite);
        make_packet(1);
        assert_int_equal(srtp_ctx_protect(near, &pkt), 0);
        assert_int_equal(pkt.len, RTP_HEADER_BYTES + 160 + suites[i].tag_bytes);
        assert_int_not_equal(pkt.data[RTP_HEADER_BYTES], 0x55);
        assert_int_equal(srtp_ctx_unprotect(far, &pkt), 0);
        assert_int_equal(pkt.len, RTP_HEADER_BYTES + 160);
        assert_int_equal(pkt.data[RTP_HEADER_BYTES], 0x55);
        make_packet(1);
        assert_int_equal(srtp_ctx_protect(far, &pkt), 0);
        assert_int_equal(srtp_ctx_unprotect(near, &pkt), 0);
        close_both();
    }
}

static void test_rtcp_is_protected_too(void **state)
{
    struct rtcp_writer writer;

    for (unsigned i = 0; i < 3; i++) {
        open_both(i);
        pkt.data = pkt.buf + PKT_HEAD_ROOM;
        rtcp_writer_init(&writer, pkt.data, 200);
        rtcp_write_rr(&writer, 5, NULL);
        pkt.len = (uint16_t)writer.len;
        assert_int_equal(srtp_ctx_protect_rtcp(near, &pkt), 0);
        assert_int_equal(srtp_ctx_unprotect_rtcp(far, &pkt), 0);
        assert_int_equal(rtcp_check(pkt.data, pkt.len), 0);
        close_both();
    }
}

static void test_replayed_and_forged_packets_are_refused_and_counted(void **state)
{
    uint64_t replayed = stats_block()->value[STAT_SRTP_REPLAYED], failed = stats_block()->value[STAT_SRTP_FAILED];
    struct pkt copy;

    for (unsigned i = 0; i < 3; i++) {
        open_both(i);
        make_packet(7);
        srtp_ctx_protect(near, &pkt);
        memcpy(&copy, &pkt, sizeof(copy));
        copy.data = copy.buf + PKT_HEAD_ROOM;
        assert_int_equal(srtp_ctx_unprotect(far, &pkt), 0);
        assert_int_equal(srtp_ctx_unprotect(far, &copy), -EALREADY);
        make_packet(8);
        srtp_ctx_protect(near, &pkt);
        pkt.data[40] ^= 1;
        assert_int_equal(srtp_ctx_unprotect(far, &pkt), -EACCES);
        close_both();
    }
    assert_int_equal(stats_block()->value[STAT_SRTP_REPLAYED], replayed + 3);
    assert_int_equal(stats_block()->value[STAT_SRTP_FAILED], failed + 3);
}

static void test_packets_too_short_for_a_tag_are_refused(void **state)
{
    open_both(0);
    for (uint16_t n = 0; n < 28; n++) {
        make_packet(1);
        pkt.len = n;
        assert_true(srtp_ctx_unprotect(far, &pkt) < 0);
        pkt.len = n;
        assert_true(srtp_ctx_unprotect_rtcp(far, &pkt) < 0);
    }
    close_both();
}

static void pass(struct srtp_ctx *from, struct srtp_ctx *to, uint16_t seq)
{
    make_packet(seq);
    assert_int_equal(srtp_ctx_protect(from, &pkt), 0);
    assert_int_equal(srtp_ctx_unprotect(to, &pkt), 0);
}

/* Else packets after the 65536th of our unchanged key would be protected with a keystream that was used before. */
static void test_our_rollover_counter_outlives_another_key_of_the_peer(void **state)
{
    for (unsigned i = 0; i < 3; i++) {
        char ours[SRTP_KEY_MAX], theirs[SRTP_KEY_MAX];
        struct srtp_keys keys = {suites[i].suite, span_make(ours, suites[i].key_bytes),
                                 span_make(theirs, suites[i].key_bytes)};
        struct srtp_ctx *renewed;

        open_both(i);
        for (size_t at = 0; at < SRTP_KEY_MAX; at++) {
            ours[at] = (char)(at * 7);
            theirs[at] = (char)(at + 100);
        }
        pass(near, far, 65535);
        pass(near, far, 0); /* the counter is 1 now */
        assert_int_equal(srtp_ctx_set_remote(near, &keys), 0);
        pass(near, far, 1);
        make_packet(5);
        srtp_ctx_protect(far, &pkt);
        assert_int_equal(srtp_ctx_unprotect(near, &pkt), -EACCES); /* the peer's former key */
        assert_int_equal(srtp_ctx_new(&renewed, &(struct srtp_keys){keys.suite, keys.remote, keys.local}), 0);
        pass(renewed, near, 6);
        mem_unref(renewed);
        close_both();
    }
}

static void test_wrong_suites_and_key_lengths_are_refused(void **state)
{
    char key[SRTP_KEY_MAX] = {0};
    struct span thirty = span_make(key, 30), twenty_nine = span_make(key, 29);
    struct srtp_ctx *ctx;

    assert_int_equal(srtp_ctx_new(&ctx, &(struct srtp_keys){"AES_CM_128_HMAC_SHA1_32", thirty, thirty}), -EINVAL);
    assert_int_equal(srtp_ctx_new(&ctx, &(struct srtp_keys){"AES_CM_128_HMAC_SHA1_80", thirty, twenty_nine}), -EINVAL);
    assert_int_equal(srtp_ctx_new(&ctx, &(struct srtp_keys){"AEAD_AES_128_GCM", thirty, thirty}), -EINVAL);
    assert_null(srtp_suite(SPAN("SRTP_AES128_CM_SHA1_32")));
    assert_string_equal(srtp_suite(SPAN("SRTP_AES128_CM_SHA1_80")), "AES_CM_128_HMAC_SHA1_80");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_suite_carries_packets_both_ways),
        cmocka_unit_test(test_rtcp_is_protected_too),
        cmocka_unit_test(test_replayed_and_forged_packets_are_refused_and_counted),
        cmocka_unit_test(test_packets_too_short_for_a_tag_are_refused),
        cmocka_unit_test(test_our_rollover_counter_outlives_another_key_of_the_peer),
        cmocka_unit_test(test_wrong_suites_and_key_lengths_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
