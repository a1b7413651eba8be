/* SPDX-License-Identifier: Apache-2.0 */
/* Sounds: WAV files and G.711 (ITU-T G.711), and a stream to which one is played. */
#include "media_rig.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "media/player.h"

/* ---- G.711 ---- */

static void test_g711_is_what_the_recommendation_says(void **state)
{
    static const struct {
        int16_t sample;
        uint8_t mulaw, alaw;
    } known[] = {{0, 0xff, 0xd5}, {32767, 0x80, 0xaa}, {-32768, 0x00, 0x2a}, {8, 0xfe, 0xd5}, {1000, 0xce, 0xfa}};

    for (unsigned i = 0; i < sizeof(known) / sizeof(*known); i++) {
        assert_int_equal(mulaw_encode(known[i].sample), known[i].mulaw);
        assert_int_equal(alaw_encode(known[i].sample), known[i].alaw);
    }
    for (unsigned byte = 0; byte < 256; byte++) {
        assert_int_equal(mulaw_decode(mulaw_encode(mulaw_decode((uint8_t)byte))), mulaw_decode((uint8_t)byte));
        assert_int_equal(alaw_encode(alaw_decode((uint8_t)byte)), byte);
    }
}

static void test_g711_is_near_to_what_it_was(void **state)
{
    for (int sample = -32000; sample <= 32000; sample += 7) {
        int near_by = abs(sample) / 16 + 16;

        assert_in_range(abs(mulaw_decode(mulaw_encode((int16_t)sample)) - sample), 0, near_by);
        assert_in_range(abs(alaw_decode(alaw_encode((int16_t)sample)) - sample), 0, near_by);
    }
}

/* ---- WAV ---- */

static size_t put(uint8_t *at, const void *bytes, size_t n)
{
    memcpy(at, bytes, n);
    return n;
}

static size_t put_number(uint8_t *at, uint32_t value, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        at[i] = i < 4 ? (uint8_t)(value >> (8 * i)) : 0;
    return n;
}

struct shape {
    unsigned format, channels, rate_hz, bits;
    size_t bytes;
};

/* @return its length */
static size_t write_wav(uint8_t *out, const struct shape *shape, int fill)
{
    size_t n = put(out, "RIFF\0\0\0\0WAVELIST\3\0\0\0abc\0fmt ", 28);

    n += put_number(out + n, 16, 4);
    n += put_number(out + n, shape->format, 2);
    n += put_number(out + n, shape->channels, 2);
    n += put_number(out + n, shape->rate_hz, 4);
    n += put_number(out + n, 0, 6);
    n += put_number(out + n, shape->bits, 2);
    n += put(out + n, "data", 4);
    n += put_number(out + n, (uint32_t)shape->bytes, 4);
    memset(out + n, fill, shape->bytes);
    return n + shape->bytes;
}

static void test_each_kind_of_wav_is_read(void **state)
{
    static const struct shape shapes[] = {{1, 1, 8000, 16, 640},
                                          {1, 1, 16000, 16, 1280},
                                          {6, 1, 8000, 8, 320},
                                          {7, 1, 8000, 8, 320},
                                          {7, 1, 16000, 8, 640}};
    static uint8_t bytes[4096];
    struct sound *sound;
    const char *why;

    for (unsigned i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
        size_t n = write_wav(bytes, &shapes[i], shapes[i].format == 6 ? 0xd5 : shapes[i].format == 7 ? 0xff : 0);

        assert_int_equal(sound_read(&sound, bytes, n, &why), 0);
        assert_int_equal(sound->count, 320);
        assert_in_range(abs(mulaw_decode(sound->mulaw[7])), 0, 16);
        mem_unref(sound);
    }
}

static void test_what_cannot_be_played_is_refused_with_a_reason(void **state)
{
    static const struct {
        struct shape shape;
        const char *why;
    } refused[] = {{{1, 2, 8000, 16, 640}, "mono"},
                   {{1, 1, 44100, 16, 640}, "rate"},
                   {{1, 1, 8000, 24, 640}, "PCM"},
                   {{3, 1, 8000, 32, 640}, "PCM"},
                   {{7, 1, 8000, 8, 100}, "20 ms"}};
    static uint8_t bytes[4096];
    struct sound *sound;
    const char *why;

    for (unsigned i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        assert_int_equal(sound_read(&sound, bytes, write_wav(bytes, &refused[i].shape, 0), &why), -EBADMSG);
        assert_non_null(strstr(why, refused[i].why));
    }
    assert_int_equal(sound_read(&sound, (const uint8_t *)"RIFF", 4, &why), -EBADMSG);
    assert_int_equal(sound_load(&sound, "/does/not/exist.wav", &why), -ENOENT);
}

/* Cut anywhere, it is read as far as it goes or refused: never past its end (a sanitizer sees that). */
static void test_a_wav_that_was_cut_off_is_harmless(void **state)
{
    static uint8_t bytes[4096];
    size_t whole = write_wav(bytes, &(struct shape){1, 1, 8000, 16, 640}, 1);

    for (size_t n = 0; n <= whole; n++) {
        uint8_t *cut = malloc(n ? n : 1);
        struct sound *sound = NULL;
        const char *why;

        memcpy(cut, bytes, n);
        if (!sound_read(&sound, cut, n, &why))
            mem_unref(sound);
        free(cut);
    }
}

/* ---- playing ---- */

static struct {
    struct peer phone;
    struct endpoint *endpoint;
    struct media_stream *stream;
    struct seen seen;
    struct sound *sound;
} call;

static void call_start(uint8_t pt)
{
    struct stream_config config = {.formats = {{.codec = 1, .pt_in = pt, .pt_out = pt, .clock_hz = 8000}},
                                   .format_count = 1,
                                   .receives = true,
                                   .sends = true};
    struct rtp_remote remote = {.has_rtcp_mux = true};
    static uint8_t bytes[4096];
    struct rtp_local local;
    const char *why;

    memset(&call, 0, sizeof(call));
    rig_start("");
    peer_start(&call.phone);
    assert_int_equal(
        endpoint_new_rtp(&call.endpoint, rig.house, &(struct rtp_options){.user = &seen_user, .arg = &call.seen}), 0);
    assert_int_equal(media_stream_new(&call.stream, call.endpoint), 0);
    assert_int_equal(media_stream_set(call.stream, &config), 0);
    endpoint_rtp_local(call.endpoint, &local);
    call.phone.gateway = local.rtp;
    remote.rtp = *udp_local(call.phone.udp);
    assert_int_equal(endpoint_rtp_remote(call.endpoint, &remote), 0);
    assert_int_equal(sound_read(&call.sound, bytes, write_wav(bytes, &(struct shape){7, 1, 8000, 8, 200}, 0x55), &why),
                     0);
}

static void call_stop(void)
{
    mem_unref(call.sound);
    mem_unref(call.stream);
    mem_unref(call.endpoint);
    peer_stop(&call.phone);
    rig_stop();
}

static void test_a_frame_goes_out_each_20_ms_in_one_line_of_numbers(void **state)
{
    call_start(0);
    assert_int_equal(media_stream_play(call.stream, call.sound), 0);
    assert_true(media_stream_is_playing(call.stream));
    rig_until(call.phone.rtp_count == 12);
    assert_int_equal(call.phone.rtp.payload_bytes, 160);
    assert_int_equal(call.phone.payload[0], 0x55);
    assert_int_equal(call.phone.rtp.ssrc, media_stream_ssrc(call.stream));
    for (unsigned i = 1; i < 12; i++) {
        assert_int_equal(call.phone.log[i].seq, (uint16_t)(call.phone.log[0].seq + i));
        assert_int_equal(call.phone.log[i].timestamp, call.phone.log[0].timestamp + 160 * i);
    }
    assert_int_equal(media_stream_play(call.stream, call.sound), 0); /* goes on */
    assert_int_equal(media_stream_play(call.stream, NULL), 0);
    assert_false(media_stream_is_playing(call.stream));
    rig_settle();
    rig_leap(200);
    rig_settle();
    assert_in_range(call.phone.rtp_count, 12, 13);
    call_stop();
}

static void test_pcma_is_played_as_pcma_and_other_codecs_not_at_all(void **state)
{
    call_start(8);
    assert_int_equal(media_stream_play(call.stream, call.sound), 0);
    rig_until(call.phone.rtp_count == 2);
    assert_int_equal(call.phone.rtp.pt, 8);
    assert_int_equal(call.phone.payload[3], alaw_encode(mulaw_decode(0x55)));
    call_stop();
    call_start(9);
    assert_int_equal(media_stream_play(call.stream, call.sound), -ENOENT);
    assert_false(media_stream_is_playing(call.stream));
    call_stop();
}

static void test_a_loop_that_stood_still_is_not_caught_up_with(void **state)
{
    call_start(0);
    assert_int_equal(media_stream_play(call.stream, call.sound), 0);
    rig_until(call.phone.rtp_count == 1);
    rig_leap(10000);
    rig_settle();
    assert_in_range(call.phone.rtp_count, 1, 12);
    call_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_g711_is_what_the_recommendation_says),
        cmocka_unit_test(test_g711_is_near_to_what_it_was),
        cmocka_unit_test(test_each_kind_of_wav_is_read),
        cmocka_unit_test(test_what_cannot_be_played_is_refused_with_a_reason),
        cmocka_unit_test(test_a_wav_that_was_cut_off_is_harmless),
        cmocka_unit_test(test_a_frame_goes_out_each_20_ms_in_one_line_of_numbers),
        cmocka_unit_test(test_pcma_is_played_as_pcma_and_other_codecs_not_at_all),
        cmocka_unit_test(test_a_loop_that_stood_still_is_not_caught_up_with),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
