/* SPDX-License-Identifier: Apache-2.0 */
/* A score falls with loss and delay, and stands where the E-model's tables put it. */
#include "../unit.h"

#include "media/mos.h"

static unsigned score(const char *codec, uint64_t lost_of_1000, uint32_t rtt_us)
{
    return mos_x100(&(struct mos_input){
        .codec = span_of(codec), .packet_count = 1000 - lost_of_1000, .lost_count = lost_of_1000, .rtt_us = rtt_us});
}

static void no_packets_have_no_score(void **state)
{
    assert_int_equal(mos_x100(&(struct mos_input){.codec = SPAN("PCMU"), .lost_count = 10}), 0);
}

/* G.107 annex B: R = 93.2 is 4.41. */
static void a_clean_call_is_excellent(void **state)
{
    assert_in_range(score("PCMU", 0, 0), 438, 441);
    assert_in_range(score("opus", 0, 20000), 438, 441);
}

/* G.711 with 5% of random loss: R = 93.2 - 95 * 5 / 30.1, about 77: 3.9 */
static void loss_costs_what_the_tables_say(void **state)
{
    assert_in_range(score("PCMA", 50, 0), 385, 396);
    assert_true(score("PCMA", 200, 0) < 270);
    assert_true(score("opus", 50, 0) > score("PCMA", 50, 0));
}

static void delay_costs_from_177_ms_on(void **state)
{
    assert_true(score("PCMU", 0, 100000) - score("PCMU", 0, 200000) < 10);
    assert_true(score("PCMU", 0, 1200000) < 310);
}

static void jitter_is_bought_with_delay(void **state)
{
    struct mos_input input = {.codec = SPAN("PCMU"), .packet_count = 1000};
    unsigned calm = mos_x100(&input);

    input.jitter_us = 150000;
    assert_true(mos_x100(&input) < calm - 30);
}

static void the_worst_is_one(void **state)
{
    assert_in_range(score("GSM", 999, 4000000), 100, 101);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_packets_have_no_score),       cmocka_unit_test(a_clean_call_is_excellent),
        cmocka_unit_test(loss_costs_what_the_tables_say), cmocka_unit_test(delay_costs_from_177_ms_on),
        cmocka_unit_test(jitter_is_bought_with_delay),    cmocka_unit_test(the_worst_is_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
