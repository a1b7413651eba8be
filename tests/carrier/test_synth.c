/* SPDX-License-Identifier: Apache-2.0 */
/* test_synth.c: what the carrier plays, judged by its frequencies: an ear without a codec and with G.711 between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "g711.h"
#include "numbers.h"
#include "tunes.h"

#define SECONDS_MAX 30

static int16_t pcm[SECONDS_MAX * SOUND_RATE_HZ];
static struct sound sound;

static void render(unsigned seconds)
{
    for (size_t i = 0; i < (size_t)seconds * SOUND_RATE_HZ; i += SOUND_FRAME_SAMPLES)
        sound_fill(&sound, pcm + i);
}

/* Amplitude of one frequency from a sample on. */
static double amplitude(size_t from, size_t n, double hz)
{
    double step = 2 * M_PI * hz / SOUND_RATE_HZ, re = 0, im = 0;

    for (size_t i = 0; i < n; i++) {
        re += pcm[from + i] * cos(step * (double)i);
        im += pcm[from + i] * sin(step * (double)i);
    }
    return 2 * hypot(re, im) / (double)n;
}

static int loudest(size_t from, size_t n)
{
    int top = 0;

    for (size_t i = from; i < from + n; i++)
        top = abs(pcm[i]) > top ? abs(pcm[i]) : top;
    return top;
}

static void test_g711_bytes_survive_a_round(void **state)
{
    for (int law = 0; law < 2; law++) {
        for (int byte = 0; byte < 256; byte++) {
            uint8_t back = g711_encode(g711_decode((uint8_t)byte, law), law);

            assert_true(back == byte || (!law && byte == 0x7f && back == 0xff)); /* minus zero */
        }
    }
}

static void test_g711_has_the_values_of_the_standard(void **state)
{
    assert_int_equal(g711_encode(0, false), 0xff);
    assert_int_equal(g711_encode(32767, false), 0x80);
    assert_int_equal(g711_encode(-32768, false), 0x00);
    assert_int_equal(g711_encode(1000, false), 0xce);
    assert_int_equal(g711_encode(0, true), 0xd5);
    assert_int_equal(g711_encode(32767, true), 0xaa);
    assert_int_equal(g711_encode(-32768, true), 0x2a);
    assert_int_equal(g711_encode(1000, true), 0xfa);
}

static void test_the_tone_is_pure_and_has_no_seam(void **state)
{
    sound_play(&sound, tune_1000_hz);
    render(21);
    assert_in_range(amplitude(0, 8000, 1000), 10000, 10300);
    for (size_t i = 8; i < 21 * SOUND_RATE_HZ; i++)
        assert_int_equal(pcm[i], pcm[i - 8]);
}

static void test_ringback_has_two_tones_and_a_rest(void **state)
{
    sound_play(&sound, tune_ringback);
    render(3);
    assert_true(amplitude(400, 2400, 400) > 3000 && amplitude(400, 2400, 450) > 3000);
    assert_int_equal(loudest(SOUND_MS(420), SOUND_MS(160)), 0);
    assert_true(loudest(SOUND_MS(620), SOUND_MS(300)) > 3000);
    assert_int_equal(loudest(SOUND_MS(1020), SOUND_MS(1900)), 0);
}

static void test_music_goes_on_and_is_never_too_loud(void **state)
{
    sound_play(&sound, tune_music);
    render(30);
    for (size_t second = 0; second < 30; second++)
        assert_in_range(loudest(second * SOUND_RATE_HZ, SOUND_RATE_HZ), 1000, 30000);
    assert_true(amplitude(0, 1600, 261.63) > 1500); /* it begins with middle C */
    assert_false(sound_is_idle(&sound));
}

/* Bells after the DTMF tone: rising edges of the level in 20 ms pieces. */
static unsigned count_bells(size_t from, size_t to)
{
    unsigned count = 0;
    int before = 0;

    for (size_t i = from; i + 160 <= to; i += 160) {
        int level = loudest(i, 160);

        count += level > 6000 && level > before * 3 / 2;
        before = level;
    }
    return count;
}

static void check_digit(char digit, double low_hz, double high_hz, unsigned bells)
{
    sound_stop(&sound);
    tunes_queue_digit(&sound, digit);
    render(5);
    assert_int_equal(loudest(0, SOUND_MS(500)), 0);
    assert_true(amplitude(SOUND_MS(520), SOUND_MS(160), low_hz) > 5000);
    assert_true(amplitude(SOUND_MS(520), SOUND_MS(160), high_hz) > 5000);
    assert_int_equal(count_bells(SOUND_MS(760), 5 * SOUND_RATE_HZ), bells);
    assert_true(sound_is_idle(&sound));
}

static void test_digits_are_their_tones_and_as_many_bells(void **state)
{
    check_digit('1', 697, 1209, 1);
    check_digit('5', 770, 1336, 5);
    check_digit('9', 852, 1477, 9);
    check_digit('0', 941, 1336, 10);
    check_digit('*', 941, 1209, 1);
    check_digit('#', 941, 1477, 1);
}

static void test_a_full_queue_leaves_notes_out(void **state)
{
    sound_stop(&sound);
    for (unsigned i = 0; i < 2 * SOUND_QUEUE_MAX; i++)
        tunes_queue_confirm(&sound);
    assert_int_equal(sound.queue_count, SOUND_QUEUE_MAX);
    tunes_queue_digit(&sound, 'x');
    tunes_queue_digit(&sound, '\0');
    sound_stop(&sound);
    assert_true(sound_is_idle(&sound));
}

static void test_numbers_are_found_whole(void **state)
{
    assert_string_equal(number_find(SPAN("603"))->what, "busy");
    assert_null(number_find(SPAN("60")));
    assert_null(number_find(SPAN("6000")));
    assert_null(number_find(SPAN("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_g711_bytes_survive_a_round),
        cmocka_unit_test(test_g711_has_the_values_of_the_standard),
        cmocka_unit_test(test_the_tone_is_pure_and_has_no_seam),
        cmocka_unit_test(test_ringback_has_two_tones_and_a_rest),
        cmocka_unit_test(test_music_goes_on_and_is_never_too_loud),
        cmocka_unit_test(test_digits_are_their_tones_and_as_many_bells),
        cmocka_unit_test(test_a_full_queue_leaves_notes_out),
        cmocka_unit_test(test_numbers_are_found_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
