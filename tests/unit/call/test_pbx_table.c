/* SPDX-License-Identifier: Apache-2.0 */
/* Who is logged in at a PBX: found by name and by flow, over in time, within its limits. */
#include "../unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../oom.h"
#include "base/clock.h"
#include "base/mem.h"
#include "call/pbx_table.h"
#include "store/store.h"

static const char yaml[] = "domain: example.com\n"
                           "sip: {max_bindings: 3}\n"
                           "trunks:\n"
                           "  - {name: pbx, uri: \"sip:192.0.2.10\", registrar: pbx.example.com, max_users: 30}\n";

static struct calls calls;
static struct sip_stack stack;
static struct pbx_table *table;
static size_t live_count;

static int setup(void **state)
{
    struct text errors;

    live_count = mem_live_count();
    clock_set_test(1700000000ull * 1000000);
    text_init(&errors, 10000);
    calls = (struct calls){.worker = 2, .stack = &stack};
    assert_int_equal(conf_parse(&calls.conf, "t", span_of(yaml), &errors), 0);
    assert_int_equal(store_local_new(&calls.store, 1000), 0);
    assert_int_equal(timer_wheel_new(&stack.wheel, clock_now_us() / 1000), 0);
    assert_int_equal(pbx_table_new(&table, &calls), 0);
    return 0;
}

static int teardown(void **state)
{
    table = mem_unref(table);
    mem_unref(stack.wheel);
    mem_unref(calls.store);
    conf_unref(calls.conf);
    clock_set_test(0);
    assert_int_equal(mem_live_count(), live_count);
    return 0;
}

static struct sip_flow flow_of(unsigned slot)
{
    return (struct sip_flow){.transport = SIP_WSS, .worker = 1, .slot = slot, .serial = 7};
}

static int put(const char *aor, const char *contact, unsigned slot, unsigned expires_s, struct pbx_binding **bindingp)
{
    struct binding device = {.flow = flow_of(slot)};
    char name[PBX_NAME_MAX];

    snprintf(device.contact, sizeof(device.contact), "%s", contact);
    assert_int_equal(pbx_name_make(name, &calls, span_of(aor), span_of(contact), SPAN_NULL, 0), 0);
    return pbx_table_put(bindingp, table,
                         &(struct pbx_login){.trunk = &calls.conf->trunks[0],
                                             .aor = span_of(aor),
                                             .name = name,
                                             .device = &device,
                                             .expires_s = expires_s,
                                             .routes = SPAN("Route: <sip:192.0.2.10;lr>\r\n")});
}

static struct pbx_binding *put_ok(const char *aor, const char *contact, unsigned slot)
{
    struct pbx_binding *binding = NULL;

    assert_int_equal(put(aor, contact, slot, 300, &binding), 0);
    return binding;
}

static void pass_s(unsigned seconds)
{
    clock_set_test(clock_now_us() + seconds * 1000000ull);
    timer_wheel_run(stack.wheel, clock_now_us() / 1000);
}

/* ---- names ---- */

static void test_a_name_is_one_device_of_one_user_and_says_the_worker(void **state)
{
    static const struct {
        const char *aor, *contact, *instance;
        uint32_t reg_id;
    } all[] = {{"erin@pbx", "sip:a@x", "", 0},  {"erin@pbx", "sip:b@x", "", 0},  {"fred@pbx", "sip:a@x", "", 0},
               {"erin@pbx", "sip:a@x", "i", 1}, {"erin@pbx", "sip:a@x", "i", 2}, {"erin@pbx", "sip:a@x", "j", 1}};
    char names[6][PBX_NAME_MAX], again[PBX_NAME_MAX];

    for (unsigned i = 0; i < 6; i++) {
        assert_int_equal(pbx_name_make(names[i], &calls, span_of(all[i].aor), span_of(all[i].contact),
                                       span_of(all[i].instance), all[i].reg_id),
                         0);
        assert_true(pbx_name_is(span_of(names[i])));
        assert_int_equal(sip_tag_worker(span_of(names[i])), 2);
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(names[i], names[j]);
    }
    assert_int_equal(pbx_name_make(again, &calls, SPAN("erin@pbx"), SPAN("sip:other@x"), SPAN("i"), 1), 0);
    assert_string_equal(again, names[3]); /* instance and reg-id are the device, whatever its contact */
}

static void test_what_is_not_a_name_of_ours_is_not_taken_for_one(void **state)
{
    static const char *const no[] = {"",
                                     "erin",
                                     "w2.",
                                     "w2.0123456789abcde",
                                     "w2.0123456789abcdef0",
                                     "w2.0123456789ABCDEF",
                                     "w.0123456789abcdef",
                                     "x2.0123456789abcdef",
                                     "w9999.0123456789abcdef"};

    for (unsigned i = 0; i < sizeof(no) / sizeof(*no); i++)
        assert_false(pbx_name_is(span_of(no[i])));
    assert_true(pbx_name_is(SPAN("w2.0123456789abcdef")));
}

static void test_a_contact_without_end_makes_no_name(void **state)
{
    char name[PBX_NAME_MAX] = "as it was", contact[2000];

    memset(contact, 'x', sizeof(contact));
    assert_int_equal(pbx_name_make(name, &calls, SPAN("erin@pbx"), span_make(contact, sizeof(contact)), SPAN_NULL, 0),
                     -ENOSPC);
    assert_string_equal(name, "as it was");
}

/* ---- look-ups ---- */

static void test_a_user_is_found_over_his_own_flow_only(void **state)
{
    struct sip_flow own = flow_of(1), other = flow_of(2);
    struct pbx_binding *binding = put_ok("erin@pbx", "sip:a@x", 1);

    assert_ptr_equal(pbx_table_of(table, SPAN("erin@pbx"), &own), binding);
    assert_null(pbx_table_of(table, SPAN("erin@pbx"), &other));
    assert_null(pbx_table_of(table, SPAN("fred@pbx"), &own));
    assert_ptr_equal(pbx_table_find(table, span_of(binding->name)), binding);
    assert_null(pbx_table_find(table, SPAN("w2.0000000000000000")));
}

static void test_a_refresh_over_another_flow_moves_the_binding(void **state)
{
    struct sip_flow former = flow_of(1), now = flow_of(2);
    struct pbx_binding *binding = put_ok("erin@pbx", "sip:a@x", 1);

    assert_ptr_equal(put_ok("erin@pbx", "sip:a@x", 2), binding);
    assert_int_equal(pbx_table_count(table), 1);
    assert_null(pbx_table_of(table, SPAN("erin@pbx"), &former));
    assert_ptr_equal(pbx_table_of(table, SPAN("erin@pbx"), &now), binding);
}

static void test_the_name_of_another_user_is_not_taken_over(void **state)
{
    struct pbx_binding *binding = put_ok("erin@pbx", "sip:a@x", 1), *stolen = NULL;
    struct binding device = {.flow = flow_of(9)};
    struct sip_flow own = flow_of(1);

    assert_int_equal(pbx_table_put(&stolen, table,
                                   &(struct pbx_login){.trunk = &calls.conf->trunks[0],
                                                       .aor = SPAN("fred@pbx"),
                                                       .name = binding->name,
                                                       .device = &device,
                                                       .expires_s = 60}),
                     -EEXIST);
    assert_ptr_equal(pbx_table_of(table, SPAN("erin@pbx"), &own), binding);
}

/* ---- ends ---- */

static void test_it_is_over_when_the_pbx_said_and_a_refresh_gives_more_time(void **state)
{
    struct pbx_binding *binding;

    put_ok("erin@pbx", "sip:a@x", 1);
    assert_int_equal(put("fred@pbx", "sip:b@x", 2, 100, &binding), 0);
    pass_s(99);
    assert_int_equal(pbx_table_count(table), 2);
    put_ok("erin@pbx", "sip:a@x", 1);
    pass_s(2);
    assert_int_equal(pbx_table_count(table), 1);
    pass_s(290);
    assert_int_equal(pbx_table_count(table), 1);
    pass_s(10);
    assert_int_equal(pbx_table_count(table), 0);
}

static unsigned lost_count;

static void on_lost(struct pbx_binding *binding, void *arg)
{
    lost_count++;
    assert_true(binding->is_lost);
    if (arg)
        pbx_binding_drop(binding);
}

static void test_a_lost_flow_takes_all_of_its_users_and_nobody_else(void **state)
{
    struct sip_flow lost = flow_of(1), other = flow_of(2);

    put_ok("erin@pbx", "sip:a@x", 1);
    put_ok("fred@pbx", "sip:b@x", 1);
    put_ok("erin@pbx", "sip:c@x", 2);
    lost_count = 0;
    pbx_table_lose_flow(table, &lost, on_lost, NULL);
    assert_int_equal(lost_count, 2);
    assert_null(pbx_table_of(table, SPAN("fred@pbx"), &lost));
    assert_non_null(pbx_table_of(table, SPAN("erin@pbx"), &other));
    assert_int_equal(pbx_table_count(table), 3); /* the device may come back */
    pbx_table_lose_flow(table, &lost, on_lost, NULL);
    assert_int_equal(lost_count, 2);
    pbx_table_lose_flow(table, &other, on_lost, table); /* dropped from within */
    assert_int_equal(lost_count, 3);
    assert_int_equal(pbx_table_count(table), 2);
}

static void test_a_device_that_is_back_after_a_loss_is_there_again(void **state)
{
    struct sip_flow lost = flow_of(1), now = flow_of(5);
    struct pbx_binding *binding = put_ok("erin@pbx", "sip:a@x", 1);

    pbx_table_lose_flow(table, &lost, on_lost, NULL);
    assert_ptr_equal(put_ok("erin@pbx", "sip:a@x", 5), binding);
    assert_false(binding->is_lost);
    assert_ptr_equal(pbx_table_of(table, SPAN("erin@pbx"), &now), binding);
}

static void test_a_user_who_removes_all_is_gone_everywhere(void **state)
{
    put_ok("erin@pbx", "sip:a@x", 1);
    put_ok("erin@pbx", "sip:b@x", 2);
    put_ok("fred@pbx", "sip:c@x", 3);
    pbx_table_drop_user(table, SPAN("erin@pbx"));
    assert_int_equal(pbx_table_count(table), 1);
}

/* ---- limits ---- */

static const char *check(const char *aor, unsigned slot)
{
    struct binding device = {.flow = flow_of(slot)};

    return pbx_table_check(table, &(struct pbx_login){.trunk = &calls.conf->trunks[0],
                                                      .aor = span_of(aor),
                                                      .name = "w2.0000000000000000",
                                                      .device = &device});
}

static void lose(unsigned slot)
{
    struct sip_flow flow = flow_of(slot);

    pbx_table_lose_flow(table, &flow, on_lost, NULL);
}

static void test_lost_devices_keep_no_new_one_out_and_the_longest_lost_one_goes(void **state)
{
    struct pbx_binding *first = put_ok("erin@pbx", "sip:first@x", 1);
    char contact[32], name[PBX_NAME_MAX];

    memcpy(name, first->name, sizeof(name));
    put_ok("erin@pbx", "sip:second@x", 2);
    put_ok("erin@pbx", "sip:third@x", 3);
    lose(2);
    lose(1);
    assert_null(check("erin@pbx", 9));
    put_ok("erin@pbx", "sip:fourth@x", 4);
    assert_int_equal(pbx_table_count(table), 3);
    assert_ptr_equal(pbx_table_find(table, span_of(name)), first); /* the second was lost before it */
    put_ok("erin@pbx", "sip:fifth@x", 5);
    assert_null(pbx_table_find(table, span_of(name)));
    assert_non_null(check("erin@pbx", 9));
    for (unsigned i = 0; i < 100; i++) { /* a page that is loaded again and again */
        snprintf(contact, sizeof(contact), "sip:page%u@x", i);
        lose(5);
        put_ok("erin@pbx", contact, 5);
    }
    assert_int_equal(pbx_table_count(table), 3);
}

static void test_lost_users_do_not_fill_a_trunk_and_who_is_back_counts_again(void **state)
{
    struct pbx_binding *binding;
    char aor[32];

    for (unsigned i = 0; i < 30; i++) {
        snprintf(aor, sizeof(aor), "user%u@pbx", i);
        put_ok(aor, "sip:a@x", 100 + i);
    }
    assert_non_null(check("fred@pbx", 9));
    lose(100);
    put_ok("fred@pbx", "sip:a@x", 9);
    assert_int_equal(put("user0@pbx", "sip:a@x", 10, 300, &binding), -EBUSY); /* its place is taken */
    pbx_table_drop_user(table, SPAN("user0@pbx"));                            /* and it does not count again */
    assert_non_null(check("user0@pbx", 10));
    lose(9);
    put_ok("user0@pbx", "sip:a@x", 10);
    assert_int_equal(put("fred@pbx", "sip:a@x", 9, 300, &binding), -EBUSY);
    lose(101);
    put_ok("fred@pbx", "sip:a@x", 9);
    assert_non_null(check("more@pbx", 11));
}

static void test_a_user_a_flow_and_a_trunk_have_a_limit_each(void **state)
{
    struct pbx_binding *binding;
    char aor[32], contact[32];

    for (unsigned i = 0; i < 3; i++) {
        snprintf(contact, sizeof(contact), "sip:%u@x", i);
        put_ok("erin@pbx", contact, 50 + i);
    }
    assert_int_equal(put("erin@pbx", "sip:more@x", 60, 300, &binding), -EBUSY);
    put_ok("erin@pbx", "sip:0@x", 61); /* a refresh is none more */
    for (unsigned i = 0; i < PBX_PER_FLOW_MAX; i++) {
        snprintf(aor, sizeof(aor), "user%u@pbx", i);
        put_ok(aor, "sip:a@x", 1);
    }
    assert_non_null(check("fred@pbx", 1));
    assert_null(check("fred@pbx", 99));
    for (unsigned i = pbx_table_count(table); i < 30; i++) {
        snprintf(aor, sizeof(aor), "more%u@pbx", i);
        put_ok(aor, "sip:a@x", 100 + i);
    }
    assert_non_null(check("fred@pbx", 99));
    assert_int_equal(put("fred@pbx", "sip:a@x", 99, 300, &binding), -EBUSY);
    pbx_table_drop_user(table, SPAN("erin@pbx"));
    put_ok("fred@pbx", "sip:a@x", 99);
}

static int build(void *arg)
{
    struct pbx_binding *binding;
    int err;

    err = put("erin@pbx", "sip:a@x", 1, 300, &binding);
    if (!err)
        err = put("erin@pbx", "sip:a@x", 2, 300, &binding);
    pbx_table_drop_user(table, SPAN("erin@pbx"));
    assert_int_equal(pbx_table_count(table), 0);
    return err;
}

static void test_out_of_memory_leaves_nothing_behind(void **state)
{
    assert_int_equal(build(NULL), 0); /* what is allocated once: buckets, the store's count */
    assert_true(oom_run(build, NULL) > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_name_is_one_device_of_one_user_and_says_the_worker, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_not_a_name_of_ours_is_not_taken_for_one, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_contact_without_end_makes_no_name, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_user_is_found_over_his_own_flow_only, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_refresh_over_another_flow_moves_the_binding, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_name_of_another_user_is_not_taken_over, setup, teardown),
        cmocka_unit_test_setup_teardown(test_it_is_over_when_the_pbx_said_and_a_refresh_gives_more_time, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_lost_flow_takes_all_of_its_users_and_nobody_else, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_device_that_is_back_after_a_loss_is_there_again, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_user_who_removes_all_is_gone_everywhere, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lost_devices_keep_no_new_one_out_and_the_longest_lost_one_goes, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_lost_users_do_not_fill_a_trunk_and_who_is_back_counts_again, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_user_a_flow_and_a_trunk_have_a_limit_each, setup, teardown),
        cmocka_unit_test_setup_teardown(test_out_of_memory_leaves_nothing_behind, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
