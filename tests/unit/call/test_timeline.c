/* SPDX-License-Identifier: Apache-2.0 */
/* The story of a call keeps its beginning and its end, within bounds, as JSON. */
#include "../unit.h"

#include <jansson.h>
#include <string.h>

#include "../oom.h"
#include "base/clock.h"
#include "base/mem.h"
#include "call/timeline.h"

static struct timeline *timeline;

static int setup(void **state)
{
    clock_set_test(5000000);
    return timeline_new(&timeline);
}

static int teardown(void **state)
{
    timeline = mem_unref(timeline);
    clock_set_test(0);
    return 0;
}

static json_t *written(void)
{
    json_error_t error;
    struct text out;
    json_t *json;

    text_init(&out, 1 << 20);
    timeline_write(timeline, &out);
    assert_int_equal(text_err(&out), 0);
    json = json_loadb(out.data, out.len, 0, &error);
    if (!json)
        fail_msg("%s: %s", error.text, out.data);
    text_free(&out);
    return json;
}

static const char *text_at(json_t *json, size_t i)
{
    return json_string_value(json_object_get(json_array_get(json, i), "text"));
}

static void test_an_empty_one_is_an_empty_list(void **state)
{
    json_t *json = written();

    assert_int_equal(json_array_size(json), 0);
    json_decref(json);
}

static void test_entries_have_their_time_since_the_beginning(void **state)
{
    json_t *json;

    timeline_add(timeline, "c", "INVITE from %s", "alice");
    clock_set_test(5012500);
    timeline_add(timeline, "c", "200");
    json = written();
    assert_int_equal(json_array_size(json), 2);
    assert_string_equal(text_at(json, 0), "INVITE from alice");
    assert_true(json_number_value(json_object_get(json_array_get(json, 0), "ms")) == 0.0);
    assert_true(json_number_value(json_object_get(json_array_get(json, 1), "ms")) == 12.5);
    json_decref(json);
}

static void test_the_first_and_the_last_stay_and_what_falls_out_is_counted(void **state)
{
    json_t *json;
    size_t n;

    for (unsigned i = 0; i < 1000; i++)
        timeline_add(timeline, "c", "entry %u", i);
    json = written();
    n = json_array_size(json);
    assert_in_range(n, 10, 100);
    assert_string_equal(text_at(json, 0), "entry 0");
    assert_string_equal(text_at(json, n - 1), "entry 999");
    assert_string_equal(text_at(json, n - 2), "entry 998");
    assert_string_equal(text_at(json, 32), "(936 entries left out)");
    assert_string_equal(text_at(json, 33), "entry 968");
    json_decref(json);
}

static void test_what_a_peer_wrote_cannot_break_the_list(void **state)
{
    char big[1000];
    json_t *json;

    memset(big, '\x01', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    timeline_add(timeline, "c", "%s", "\"}],\r\n\x1b[31m\\ \xff\xfe");
    timeline_add(timeline, "c", "%s", big);
    timeline_add(timeline, "c", "%s", "");
    json = written();
    assert_int_equal(json_array_size(json), 3);
    assert_null(strchr(text_at(json, 0), '\n'));
    assert_null(strchr(text_at(json, 0), '\x1b'));
    json_decref(json);
}

static int make(void *arg)
{
    struct timeline *made;
    int err = timeline_new(&made);

    if (err)
        return err;
    timeline_add(made, "c", "without memory an entry may be empty, but nothing breaks");
    mem_unref(made);
    return 0;
}

static void test_out_of_memory_leaves_nothing_behind(void **state)
{
    oom_run(make, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_an_empty_one_is_an_empty_list, setup, teardown),
        cmocka_unit_test_setup_teardown(test_entries_have_their_time_since_the_beginning, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_first_and_the_last_stay_and_what_falls_out_is_counted, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_what_a_peer_wrote_cannot_break_the_list, setup, teardown),
        cmocka_unit_test_setup_teardown(test_out_of_memory_leaves_nothing_behind, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
