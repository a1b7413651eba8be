/* SPDX-License-Identifier: Apache-2.0 */
/* test_tone.c: the test tone: G.711 both ways, its level, and that no two frames are alike. */
#include "probe/tone.h"

#include <math.h>
#include <stdlib.h>

#include "../unit.h"

/* ITU-T G.711 tables 1 and 2: the ends of the scale, and a step in between */
static void test_known_codes(void **state)
{
    assert_int_equal(tone_encode(0, false), 0xff);
    assert_int_equal(tone_encode(0, true), 0xd5);
    assert_int_equal(tone_decode(0xff, false), 0);
    assert_int_equal(tone_decode(0x80, false), 32124);
    assert_int_equal(tone_decode(0x00, false), -32124);
    assert_int_equal(tone_decode(0xaa, true), 32256);
    assert_int_equal(tone_decode(0x2a, true), -32256);
    assert_int_equal(tone_decode(0xd5, true), 8);
}

static void test_every_code_comes_back(void **state)
{
    for (unsigned law = 0; law < 2; law++)
        for (unsigned code = 0; code < 256; code++) {
            uint8_t back = tone_encode(tone_decode((uint8_t)code, law), law);

            if (law || code != 0x7f) /* the u-law has two zeros */
                assert_int_equal(back, code);
        }
}

static void test_error_stays_below_a_step(void **state)
{
    for (int sample = -32000; sample <= 32000; sample += 37)
        for (unsigned law = 0; law < 2; law++)
            assert_true(abs(tone_decode(tone_encode((int16_t)sample, law), law) - sample) <= abs(sample) / 16 + 16);
}

static void test_level_is_about_21_dbov_down(void **state)
{
    uint8_t payload[TONE_SAMPLES];

    for (unsigned law = 0; law < 2; law++) {
        double dbov;

        tone_frame(payload, 3, law);
        dbov = 10 * log10(tone_energy(payload, sizeof(payload), law) / TONE_SAMPLES);
        assert_true(dbov > -22.5 && dbov < -20);
    }
}

static void test_no_two_frames_are_alike(void **state)
{
    static uint8_t frames[500][TONE_SAMPLES];

    for (unsigned i = 0; i < 500; i++) {
        tone_frame(frames[i], i, false);
        for (unsigned j = 0; j < i; j++)
            assert_memory_not_equal(frames[i], frames[j], TONE_SAMPLES);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_codes),
        cmocka_unit_test(test_every_code_comes_back),
        cmocka_unit_test(test_error_stays_below_a_step),
        cmocka_unit_test(test_level_is_about_21_dbov_down),
        cmocka_unit_test(test_no_two_frames_are_alike),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
