/* SPDX-License-Identifier: Apache-2.0 */
/* Our AES-GCM SRTP against that of libsrtp2, packet by packet, both ways. */
#include "../unit.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/rand.h"
#include "media/rtcp.h"
#include "media/rtp.h"
#include "media/srtp_kind.h"
#include "media/srtp_source.h"

static const struct srtp_kind *const theirs[2] = {&srtp_lib_gcm_128, &srtp_lib_gcm_256};
static const size_t key_bytes[2] = {28, 44};

static void *ours_self, *theirs_self;
static const struct srtp_kind *their_kind;
static uint8_t bytes[2000];
static size_t n;

static void open_both(unsigned i)
{
    static uint8_t keys[2][SRTP_KEY_MAX];
    struct span one, two;

    rand_bytes(keys, sizeof(keys));
    one = span_make(keys[0], key_bytes[i]);
    two = span_make(keys[1], key_bytes[i]);
    their_kind = theirs[i];
    assert_int_equal(srtp_gcm.make(&ours_self, &(struct srtp_keys){NULL, one, two}), 0);
    assert_int_equal(their_kind->make(&theirs_self, &(struct srtp_keys){NULL, two, one}), 0);
}

static void close_both(void)
{
    ours_self = mem_unref(ours_self);
    theirs_self = mem_unref(theirs_self);
}

/* A packet with CSRCs and an extension now and then, and a payload that tells its number. */
static void make(uint16_t seq, size_t payload_bytes)
{
    size_t at = RTP_HEADER_BYTES;

    rtp_write(bytes, &(struct rtp){.seq = seq, .timestamp = 160u * seq, .ssrc = 0xabcd0000 + seq % 2});
    if (seq % 3 == 1) {
        bytes[0] |= 2;
        memset(bytes + at, 7, 8);
        at += 8;
    }
    if (seq % 5 == 1) {
        bytes[0] |= 0x10;
        memcpy(bytes + at, "\xbe\xde\x00\x01\x10\x21\x00\x00", 8);
        at += 8;
    }
    memset(bytes + at, (uint8_t)seq, payload_bytes);
    n = at + payload_bytes;
}

static void check(uint16_t seq, size_t payload_bytes)
{
    uint8_t seen[sizeof(bytes)];
    size_t seen_bytes = n;

    memcpy(seen, bytes, n);
    make(seq, payload_bytes);
    assert_int_equal(seen_bytes, n);
    assert_memory_equal(seen, bytes, n);
}

static void test_each_reads_what_the_other_wrote(void **state)
{
    for (unsigned i = 0; i < 2; i++) {
        open_both(i);
        for (unsigned k = 0; k < 70000; k += 1 + k % 7) { /* over one rollover, with gaps */
            uint16_t seq = (uint16_t)(20000 + k);
            size_t payload_bytes = k % 1200;

            make(seq, payload_bytes);
            assert_int_equal(srtp_gcm.protect(ours_self, bytes, &n), 0);
            assert_int_equal(their_kind->unprotect(theirs_self, bytes, &n), 0);
            check(seq, payload_bytes);
            make(seq, payload_bytes);
            assert_int_equal(their_kind->protect(theirs_self, bytes, &n), 0);
            assert_int_equal(srtp_gcm.unprotect(ours_self, bytes, &n), 0);
            check(seq, payload_bytes);
        }
        close_both();
    }
}

static void test_reordered_packets_around_a_rollover_are_read(void **state)
{
    static const uint16_t order[] = {65530, 65534, 65532, 0, 65534 + 0, 2, 65528, 4};
    uint8_t wire[8][300];
    size_t wire_bytes[8];

    open_both(0);
    for (unsigned i = 0; i < 8; i++) { /* sent in the right order, of one SSRC: even numbers */
        make((uint16_t)(65526 + 2 * i), 100);
        assert_int_equal(their_kind->protect(theirs_self, bytes, &n), 0);
        memcpy(wire[i], bytes, n);
        wire_bytes[i] = n;
    }
    for (unsigned i = 0; i < 8; i++) {
        unsigned at = (uint16_t)(order[i] - 65526) / 2;
        int wanted = i == 4 ? -EALREADY : 0; /* 65534 comes twice */

        n = wire_bytes[at];
        memcpy(bytes, wire[at], n);
        assert_int_equal(srtp_gcm.unprotect(ours_self, bytes, &n), wanted);
    }
    close_both();
}

static void test_rtcp_goes_both_ways(void **state)
{
    for (unsigned i = 0; i < 2; i++) {
        open_both(i);
        for (unsigned k = 0; k < 100; k++) {
            struct rtcp_writer writer;

            for (unsigned way = 0; way < 2; way++) {
                const struct srtp_kind *from = way ? their_kind : &srtp_gcm, *to = way ? &srtp_gcm : their_kind;
                void *from_self = way ? theirs_self : ours_self, *to_self = way ? ours_self : theirs_self;
                uint8_t again[600];
                size_t again_bytes;

                rtcp_writer_init(&writer, bytes, 500);
                rtcp_write_rr(&writer, 5 + k % 3, k % 2 ? &(struct rtcp_report){.ssrc = k} : NULL);
                if (k % 4)
                    rtcp_write_cname(&writer, 5 + k % 3, SPAN("somebody"));
                n = writer.len;
                assert_int_equal(from->protect_rtcp(from_self, bytes, &n), 0);
                again_bytes = n;
                memcpy(again, bytes, n);
                assert_int_equal(to->unprotect_rtcp(to_self, bytes, &n), 0);
                assert_int_equal(n, writer.len);
                assert_int_equal(rtcp_check(bytes, n), 0);
                assert_int_equal(to->unprotect_rtcp(to_self, again, &again_bytes), -EALREADY);
            }
        }
        close_both();
    }
}

static void test_every_changed_byte_is_noticed(void **state)
{
    size_t whole;

    open_both(1);
    make(6, 50);
    assert_int_equal(their_kind->protect(theirs_self, bytes, &n), 0);
    whole = n;
    for (size_t at = 0; at < whole; at++) {
        uint8_t copy[300];

        memcpy(copy, bytes, whole);
        copy[at] ^= 0x40;
        n = whole;
        assert_true(srtp_gcm.unprotect(ours_self, copy, &n) < 0);
    }
    for (size_t cut = 0; cut < whole; cut++) {
        uint8_t copy[300];

        memcpy(copy, bytes, whole);
        n = cut;
        assert_true(srtp_gcm.unprotect(ours_self, copy, &n) < 0);
    }
    n = whole;
    assert_int_equal(srtp_gcm.unprotect(ours_self, bytes, &n), 0); /* and nothing of it was learned */
    close_both();
}

static void test_changed_or_unencrypted_rtcp_is_refused(void **state)
{
    struct rtcp_writer writer;
    size_t whole;

    open_both(0);
    rtcp_writer_init(&writer, bytes, 500);
    rtcp_write_rr(&writer, 5, &(struct rtcp_report){.ssrc = 1});
    n = writer.len;
    assert_int_equal(their_kind->protect_rtcp(theirs_self, bytes, &n), 0);
    whole = n;
    for (size_t at = 0; at < whole; at++) {
        uint8_t copy[300];

        memcpy(copy, bytes, whole);
        copy[at] ^= 0x80; /* of the index's first byte this is the E flag */
        n = whole;
        assert_true(srtp_gcm.unprotect_rtcp(ours_self, copy, &n) < 0);
    }
    for (n = 0; n < 28; n++)
        assert_int_equal(srtp_gcm.unprotect_rtcp(ours_self, bytes, &n), -EBADMSG);
    close_both();
}

static void test_more_sources_than_allowed_are_refused(void **state)
{
    int err = 0;

    open_both(0);
    for (uint32_t i = 0; i < 100; i++) {
        make(2, 10);
        rtp_put_u32(bytes + 8, i);
        assert_int_equal(their_kind->protect(theirs_self, bytes, &n), 0);
        err = srtp_gcm.unprotect(ours_self, bytes, &n);
        assert_int_equal(err, i < 64 ? 0 : -ENOMEM);
    }
    close_both();
}

/* ---- indices ---- */

static uint64_t guess(const struct srtp_source *source, uint16_t seq)
{
    uint64_t index = UINT64_MAX;

    srtp_source_guess(source, seq, &index);
    return index;
}

static void test_rollover_counter_follows_the_sequence(void **state)
{
    struct srtp_source source = {0};

    assert_int_equal(guess(&source, 40000), 40000);
    srtp_source_note(&source, 65000);
    assert_int_equal(guess(&source, 65001), 65001);
    assert_int_equal(guess(&source, 10), 65536 + 10);
    srtp_source_note(&source, 65536 + 10);
    assert_int_equal(guess(&source, 65530), 65530); /* late */
    assert_int_equal(guess(&source, 11), 65536 + 11);
    srtp_source_note(&source, 5 * 65536ull);
    assert_int_equal(guess(&source, 65535), 5 * 65536ull - 1);
    assert_int_equal(guess(&source, 32768), 5 * 65536ull + 32768);
}

static void test_before_the_first_rollover_there_is_nothing(void **state)
{
    struct srtp_source source = {0};

    srtp_source_note(&source, 3);
    assert_int_equal(guess(&source, 65530), UINT64_MAX);
}

static void test_replay_window_remembers_1024_packets(void **state)
{
    struct srtp_source source = {0};

    for (uint64_t index = 5000; index < 9000; index += 2)
        srtp_source_note(&source, index);
    assert_true(srtp_source_is_replay(&source, 8998));
    assert_false(srtp_source_is_replay(&source, 8997));
    assert_false(srtp_source_is_replay(&source, 8998 - 1023));
    assert_true(srtp_source_is_replay(&source, 8998 - 1024)); /* too old to know */
    assert_true(srtp_source_is_replay(&source, 8998 - 1022));
    srtp_source_note(&source, 8997);
    assert_true(srtp_source_is_replay(&source, 8997));
    srtp_source_note(&source, 20000);
    assert_false(srtp_source_is_replay(&source, 19999));
    assert_true(srtp_source_is_replay(&source, 20000));
}

static void test_rtcp_window_remembers_64(void **state)
{
    struct srtp_source source = {0};

    srtp_source_note_rtcp(&source, 100);
    assert_true(srtp_source_is_rtcp_replay(&source, 100));
    assert_false(srtp_source_is_rtcp_replay(&source, 99));
    srtp_source_note_rtcp(&source, 99);
    assert_true(srtp_source_is_rtcp_replay(&source, 99));
    srtp_source_note_rtcp(&source, 163);
    assert_true(srtp_source_is_rtcp_replay(&source, 100));
    assert_true(srtp_source_is_rtcp_replay(&source, 99));
    assert_false(srtp_source_is_rtcp_replay(&source, 101));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_reads_what_the_other_wrote),
        cmocka_unit_test(test_reordered_packets_around_a_rollover_are_read),
        cmocka_unit_test(test_rtcp_goes_both_ways),
        cmocka_unit_test(test_every_changed_byte_is_noticed),
        cmocka_unit_test(test_changed_or_unencrypted_rtcp_is_refused),
        cmocka_unit_test(test_more_sources_than_allowed_are_refused),
        cmocka_unit_test(test_rollover_counter_follows_the_sequence),
        cmocka_unit_test(test_before_the_first_rollover_there_is_nothing),
        cmocka_unit_test(test_replay_window_remembers_1024_packets),
        cmocka_unit_test(test_rtcp_window_remembers_64),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
