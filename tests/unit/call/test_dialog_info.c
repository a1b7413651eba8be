/* SPDX-License-Identifier: Apache-2.0 */
/* Busy lamps: a list of calls, full documents of it, and partial ones that say exactly what is new. RFC 4235. */
#include "../unit.h"

#include <stdio.h>
#include <string.h>

#include "call/dialog_info.h"
#include "call/xml.h"

static struct dialog_info_list list;
static char written[32768];

static int setup(void **state)
{
    list = (struct dialog_info_list){0};
    return 0;
}

static bool update(const char *id, enum dialog_info_state state)
{
    struct dialog_info_call news = {.state = state, .remote = "+1202", .display = "A&B"};

    snprintf(news.id, sizeof(news.id), "%s", id);
    return dialog_info_update(&list, &news);
}

static const char *write(uint32_t version, uint64_t seen, bool is_full)
{
    struct xml_doc doc;
    struct text out;

    text_init_fixed(&out, written, sizeof(written));
    dialog_info_write(&out, &(struct dialog_info_doc){.list = &list,
                                                      .user = "bob",
                                                      .domain = "example.com",
                                                      .version = version,
                                                      .seen = seen,
                                                      .is_full = is_full});
    assert_int_equal(text_err(&out), 0);
    assert_int_equal(xml_check(&doc, text_span(&out)), 0);
    return written;
}

static bool has(const char *text)
{
    return strstr(written, text) != NULL;
}

static void test_the_way_of_a_call(void **state)
{
    assert_true(update("c1", DIALOG_INFO_EARLY));
    assert_false(update("c1", DIALOG_INFO_EARLY)); /* no news */
    assert_int_equal(dialog_info_busy_count(&list), 1);
    assert_true(update("c1", DIALOG_INFO_CONFIRMED));
    assert_true(update("c1", DIALOG_INFO_TERMINATED));
    assert_false(update("c1", DIALOG_INFO_CONFIRMED)); /* late news of a call that is over */
    assert_int_equal(dialog_info_busy_count(&list), 0);
    assert_false(update("c2", DIALOG_INFO_TERMINATED)); /* nobody has heard of it */
}

static void test_a_full_document(void **state)
{
    update("c1", DIALOG_INFO_EARLY);
    update("c2", DIALOG_INFO_EARLY);
    update("c2", DIALOG_INFO_TERMINATED);
    assert_string_equal(write(7, 0, true),
                        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                        "<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"7\" state=\"full\""
                        " entity=\"sip:bob@example.com\">\n"
                        "<dialog id=\"c1\" direction=\"recipient\"><state>early</state><remote>"
                        "<identity display=\"A&amp;B\">sip:+1202@example.com</identity>"
                        "<target uri=\"sip:+1202@example.com\"/></remote></dialog>\n"
                        "</dialog-info>\n");
}

static void test_a_partial_document_says_what_has_changed_since(void **state)
{
    uint64_t seen;

    update("c1", DIALOG_INFO_EARLY);
    update("c2", DIALOG_INFO_EARLY);
    seen = list.change_count;
    update("c2", DIALOG_INFO_CONFIRMED);
    update("c2", DIALOG_INFO_TERMINATED); /* two changes in one document: the last one counts */
    update("c3", DIALOG_INFO_EARLY);
    write(1, seen, false);
    assert_true(has("state=\"partial\""));
    assert_false(has("\"c1\""));
    assert_true(has("\"c2\" direction=\"recipient\"><state>terminated"));
    assert_true(has("\"c3\" direction=\"recipient\"><state>early"));
}

static void test_who_missed_the_end_of_a_call_gets_the_whole_state(void **state)
{
    uint64_t seen;
    char id[8];

    update("old", DIALOG_INFO_EARLY);
    seen = list.change_count;
    update("old", DIALOG_INFO_TERMINATED);
    for (unsigned i = 0; i < 100; i++) { /* until it is forgotten */
        snprintf(id, sizeof(id), "n%u", i);
        update(id, DIALOG_INFO_EARLY);
        update(id, DIALOG_INFO_TERMINATED);
    }
    assert_true(list.count <= DIALOG_INFO_MAX);
    write(1, seen, false);
    assert_true(has("state=\"full\""));
    assert_false(has("<dialog "));
    write(2, list.change_count, false);
    assert_true(has("state=\"partial\""));
}

static void test_more_calls_than_there_is_room_for(void **state)
{
    char id[8];

    for (unsigned i = 0; i < DIALOG_INFO_MAX; i++) {
        snprintf(id, sizeof(id), "n%u", i);
        assert_true(update(id, DIALOG_INFO_EARLY));
    }
    assert_false(update("more", DIALOG_INFO_EARLY));
    assert_true(update("n3", DIALOG_INFO_TERMINATED));
    assert_true(update("more", DIALOG_INFO_EARLY));
    assert_int_equal(dialog_info_busy_count(&list), DIALOG_INFO_MAX);
}

static void test_the_dialog_is_named_for_who_picks_it_up(void **state)
{
    struct dialog_info_call news = {
        .id = "c1", .state = DIALOG_INFO_EARLY, .call_id = "w0.x\"<&", .local_tag = "theirs", .remote_tag = "w0.ours"};

    dialog_info_update(&list, &news);
    write(0, 0, true);
    assert_true(has("<dialog id=\"c1\" call-id=\"w0.x&quot;&lt;&amp;\" local-tag=\"theirs\" remote-tag=\"w0.ours\""
                    " direction=\"recipient\"><state>early</state></dialog>"));
}

static void test_an_anonymous_side_is_not_told(void **state)
{
    struct dialog_info_call news = {.id = "c1", .state = DIALOG_INFO_EARLY, .is_initiator = true};

    dialog_info_update(&list, &news);
    write(0, 0, true);
    assert_true(has("<dialog id=\"c1\" direction=\"initiator\"><state>early</state></dialog>"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_the_way_of_a_call, setup),
        cmocka_unit_test_setup(test_a_full_document, setup),
        cmocka_unit_test_setup(test_a_partial_document_says_what_has_changed_since, setup),
        cmocka_unit_test_setup(test_who_missed_the_end_of_a_call_gets_the_whole_state, setup),
        cmocka_unit_test_setup(test_more_calls_than_there_is_room_for, setup),
        cmocka_unit_test_setup(test_the_dialog_is_named_for_who_picks_it_up, setup),
        cmocka_unit_test_setup(test_an_anonymous_side_is_not_told, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
