/* SPDX-License-Identifier: Apache-2.0 */
/* A call's end, and what happens when memory ends while it is being dialled. */
#include "../sip/sip_rig.h"

#include <stdio.h>
#include <string.h>

#include "../oom.h"
#include "call/call_private.h"
#include "call/calls.h"
#include "call/directory.h"
#include "call/leg_sip.h"
#include "call/trunk_board.h"
#include "call/trunk_limit.h"
#include "store/store.h"

static const char yaml[] = "domain: sip.example.com\n"
                           "accounts:\n"
                           "  - {name: alice, password: secret}\n"
                           "trunks:\n"
                           "  - {name: first, uri: \"sip:192.0.2.10\", max_calls: 1}\n"
                           "  - {name: second, uri: \"sip:192.0.2.11\", max_calls: 1}\n"
                           "routes:\n"
                           "  - {name: outside, from: accounts, to: \".*\", trunks: [first, second]}\n";

static struct calls calls;

static int setup(void **state)
{
    rig_open(yaml);
    calls = (struct calls){.conf = rig.conf, .stack = rig.stack};
    map_init(&calls.by_id);
    list_init(&calls.history);
    assert_int_equal(directory_new(&calls.directory, rig.conf), 0);
    assert_int_equal(store_local_new(&calls.store, 10000), 0);
    assert_int_equal(trunk_board_new(&calls.board, &calls), 0);
    trunk_board_apply(calls.board);
    return 0;
}

static int teardown(void **state)
{
    struct list *link;

    while ((link = list_first(&calls.history)))
        mem_unref(container_of(link, struct call, link));
    map_free(&calls.by_id);
    mem_unref(calls.board);
    mem_unref(calls.directory);
    mem_unref(calls.store);
    return rig_teardown(state);
}

static struct call *make_call(void)
{
    struct call *call;

    assert_int_equal(call_new(&call, &calls), 0);
    snprintf(call->caller, sizeof(call->caller), "alice");
    snprintf(call->dialled, sizeof(call->dialled), "100");
    assert_int_equal(route_pick(&call->pick, call->directory,
                                &(struct route_caller){.account = directory_account(call->directory, SPAN("alice"))},
                                span_of(call->dialled)),
                     0);
    return call;
}

static void test_an_ended_call_lets_go_of_its_snapshot_and_tells_the_same(void **state)
{
    unsigned refs = rig.conf->refs;
    struct call *call = make_call();
    struct text out;

    call_end(call, 404, "gateway", "for no reason");
    rig_advance(1);
    assert_null(call->conf);
    assert_null(call->directory);
    assert_int_equal(rig.conf->refs, refs);
    text_init(&out, 10000);
    assert_int_equal(calls_write_one(&calls, span_of(call->id), &out), 0);
    assert_non_null(strstr(out.data, "\"route\": \"outside\""));
    assert_non_null(strstr(out.data, "\"why\": \"for no reason\""));
    assert_non_null(strstr(out.data, "\"timeline\": "));
    text_reset(&out);
    calls_write_list(&calls, true, &out);
    assert_non_null(strstr(out.data, "\"route\": \"outside\""));
    text_free(&out);
}

/* A place of the trunk is free. */
static bool has_place(const char *name)
{
    const struct trunk *trunk = directory_trunk(calls.directory, span_of(name));

    if (trunk_limit_enter(calls.store, trunk->conf))
        return false;
    trunk_limit_leave(calls.store, trunk->conf);
    return true;
}

static void test_a_trunk_for_which_there_is_no_memory_gets_its_place_back_at_once(void **state)
{
    unsigned failed_count = 0;
    bool is_dialled = false;

    for (int n = 0; !is_dialled; n++) {
        struct call *call = make_call();

        mem_fail_after(n);
        is_dialled = call_dial_next_trunk(call);
        mem_fail_after(-1);
        if (!is_dialled) {
            failed_count++;
            assert_true(has_place("first"));
            assert_true(has_place("second"));
            assert_int_equal(call->best_status, 500);
        }
        call_end(call, 500, "gateway", "no memory");
        rig_advance(1);
        assert_true(has_place("first") && has_place("second"));
    }
    assert_true(failed_count > 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_an_ended_call_lets_go_of_its_snapshot_and_tells_the_same),
        T(test_a_trunk_for_which_there_is_no_memory_gets_its_place_back_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
