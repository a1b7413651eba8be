/* SPDX-License-Identifier: Apache-2.0 */
/* Bindings of an account: changed by one, seen by all, gone in time and with their flow. */
#include "../unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../oom.h"
#include "base/clock.h"
#include "base/mem.h"
#include "call/location.h"

static struct store *store;

static struct {
    unsigned count;
    int err;
    struct bindings bindings;
} seen;

static void see(int err, const struct bindings *bindings, void *arg)
{
    seen.count++;
    seen.err = err;
    seen.bindings = *bindings;
}

static int setup(void **state)
{
    memset(&seen, 0, sizeof(seen));
    clock_set_test(1700000000ull * 1000000);
    return store_local_new(&store, 1000);
}

static int teardown(void **state)
{
    store = mem_unref(store);
    clock_set_test(0);
    return 0;
}

static void wait_ms(uint64_t ms)
{
    clock_set_test(clock_now_us() + ms * 1000);
}

static unsigned find(const char *account)
{
    seen.count = 0;
    location_find(store, span_of(account), see, NULL);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.err, 0);
    return seen.bindings.count;
}

struct wish {
    const char *contact;
    uint64_t life_ms;
    unsigned q_milli;
    uint32_t slot;
    int err;
    unsigned calls;
    bool disturbs; /* another worker changes the account between our look and our store */
};

static int add(struct bindings *bindings, void *arg)
{
    struct wish *wish = arg;
    struct binding *binding = &bindings->items[bindings->count];

    wish->calls++;
    if (wish->err)
        return wish->err;
    bindings->count++;
    *binding = (struct binding){.expires_wall_ms = clock_wall_us() / 1000 + wish->life_ms,
                                .q_milli = (uint16_t)wish->q_milli,
                                .flow = {.transport = SIP_WS, .slot = wish->slot, .serial = 1}};
    snprintf(binding->contact, sizeof(binding->contact), "%s", wish->contact);
    return 0;
}

static void change(struct wish *wish)
{
    seen.count = 0;
    location_change(
        &(struct location_change){.store = store, .account = SPAN("alice"), .edit = add, .done = see, .arg = wish});
    assert_int_equal(seen.count, 1);
}

static void test_nobody_has_no_bindings(void **state)
{
    assert_int_equal(find("alice"), 0);
}

static void test_what_is_added_is_found_best_q_first(void **state)
{
    change(&(struct wish){.contact = "sip:low@x", .life_ms = 60000, .q_milli = 100});
    change(&(struct wish){.contact = "sip:high@x", .life_ms = 60000, .q_milli = 900});
    assert_int_equal(seen.err, 0);
    assert_int_equal(seen.bindings.count, 2); /* done() tells the list as stored */
    assert_int_equal(find("alice"), 2);
    assert_string_equal(seen.bindings.items[0].contact, "sip:high@x");
    assert_int_equal(find("bob"), 0);
}

static void test_a_binding_is_gone_when_its_time_is_over(void **state)
{
    change(&(struct wish){.contact = "sip:short@x", .life_ms = 60000});
    change(&(struct wish){.contact = "sip:long@x", .life_ms = 120000});
    wait_ms(59999);
    assert_int_equal(find("alice"), 2);
    wait_ms(1);
    assert_int_equal(find("alice"), 1);
    assert_string_equal(seen.bindings.items[0].contact, "sip:long@x");
    wait_ms(60000);
    assert_int_equal(find("alice"), 0);
}

static void test_an_edit_that_refuses_changes_nothing(void **state)
{
    change(&(struct wish){.contact = "sip:one@x", .life_ms = 60000});
    change(&(struct wish){.err = -EPROTO});
    assert_int_equal(seen.err, -EPROTO);
    assert_int_equal(find("alice"), 1);
}

static int add_late(struct bindings *bindings, void *arg)
{
    struct wish *wish = arg;

    if (wish->disturbs) {
        wish->disturbs = false;
        location_change(&(struct location_change){.store = store,
                                                  .account = SPAN("alice"),
                                                  .edit = add,
                                                  .done = see,
                                                  .arg = &(struct wish){.contact = "sip:first@x", .life_ms = 60000}});
    }
    return add(bindings, wish);
}

static void test_two_workers_at_once_lose_nothing(void **state)
{
    struct wish wish = {.contact = "sip:second@x", .life_ms = 60000, .disturbs = true};

    location_change(&(struct location_change){
        .store = store, .account = SPAN("alice"), .edit = add_late, .done = see, .arg = &wish});
    assert_int_equal(wish.calls, 2); /* looked again */
    assert_int_equal(find("alice"), 2);
}

static void test_a_lost_flow_takes_its_bindings_and_no_others(void **state)
{
    struct sip_flow flow = {.transport = SIP_WS, .slot = 7, .serial = 1};

    change(&(struct wish){.contact = "sip:here@x", .life_ms = 60000, .slot = 7});
    change(&(struct wish){.contact = "sip:there@x", .life_ms = 60000, .slot = 8});
    location_drop_flow(store, SPAN("alice"), &flow);
    assert_int_equal(find("alice"), 1);
    assert_string_equal(seen.bindings.items[0].contact, "sip:there@x");
    flow.slot = 8;
    flow.serial = 2; /* the slot is used again by somebody else */
    location_drop_flow(store, SPAN("alice"), &flow);
    assert_int_equal(find("alice"), 1);
    location_drop_flow(store, SPAN("nobody"), &flow);
}

static int change_quietly(void *arg)
{
    struct wish wish = {.contact = "sip:one@x", .life_ms = 60000};

    seen.count = 0;
    location_change(
        &(struct location_change){.store = store, .account = SPAN("alice"), .edit = add, .done = see, .arg = &wish});
    mem_fail_after(-1);
    assert_int_equal(seen.count, 1); /* whatever happens, done() is called */
    store_drop(store, SPAN("loc:alice"), NULL, NULL);
    return seen.err;
}

static void test_out_of_memory_is_told_and_leaves_nothing_behind(void **state)
{
    change_quietly(NULL); /* the first array of the store */
    assert_true(oom_run(change_quietly, NULL) >= 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_nobody_has_no_bindings),
        T(test_what_is_added_is_found_best_q_first),
        T(test_a_binding_is_gone_when_its_time_is_over),
        T(test_an_edit_that_refuses_changes_nothing),
        T(test_two_workers_at_once_lose_nothing),
        T(test_a_lost_flow_takes_its_bindings_and_no_others),
        T(test_out_of_memory_is_told_and_leaves_nothing_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
