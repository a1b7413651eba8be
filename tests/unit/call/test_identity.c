/* SPDX-License-Identifier: Apache-2.0 */
/* Who calls, as a trunk tells it and as a trunk is told. */
#include "../unit.h"

#include <string.h>

#include "call/identity.h"
#include "message_of.h"

static struct identity identity;

static void read_trunk(const char *from, const char *lines)
{
    identity_of_trunk(&identity, message_of(from, lines));
}

static void test_the_asserted_identity_comes_before_the_others(void **state)
{
    read_trunk("\"From\" <sip:1@192.0.2.2>", "Remote-Party-ID: <sip:4@x>;party=calling\r\n"
                                             "P-Preferred-Identity: <sip:3@x>\r\n"
                                             "P-Asserted-Identity: \"Asserted\" <sip:2@x>, <tel:+2>\r\n");
    assert_string_equal(identity.number, "2");
    assert_string_equal(identity.display, "Asserted");
    assert_false(identity.is_anonymous);
    read_trunk("<sip:1@x>", "Remote-Party-ID: <sip:4@x>\r\nP-Preferred-Identity: <tel:+3>\r\n");
    assert_string_equal(identity.number, "+3");
    read_trunk("<sip:1@x>", "Remote-Party-ID: <sip:5@x>;party=called\r\nRemote-Party-ID: <sip:4@x>;party=calling\r\n");
    assert_string_equal(identity.number, "4");
    read_trunk("\"One\" <sip:1@x>", "");
    assert_string_equal(identity.number, "1");
    assert_string_equal(identity.display, "One");
}

static void test_an_identity_without_a_number_is_passed_over(void **state)
{
    read_trunk("<sip:1@x>", "P-Asserted-Identity: <sip:192.0.2.9>\r\nRemote-Party-ID: <sip:4@x>\r\n");
    assert_string_equal(identity.number, "4");
    read_trunk("<sip:192.0.2.2>", "");
    assert_string_equal(identity.number, "anonymous");
}

static void test_from_lends_its_display_name_unless_it_is_anonymous(void **state)
{
    read_trunk("\"Shop\" <sip:1@x>", "P-Asserted-Identity: <sip:2@x>\r\n");
    assert_string_equal(identity.display, "Shop");
    read_trunk("\"Anonymous\" <sip:anonymous@anonymous.invalid>", "P-Asserted-Identity: <sip:2@x>\r\n");
    assert_string_equal(identity.number, "2");
    assert_string_equal(identity.display, "");
    assert_true(identity.is_anonymous);
}

static void test_privacy_is_a_list_of_whole_words(void **state)
{
    static const struct {
        const char *line;
        bool is_anonymous;
    } cases[] = {
        {"Privacy: id\r\n", true},       {"Privacy: user;critical\r\n", true},
        {"Privacy: none\r\n", false},    {"Privacy: header\r\n", true},
        {"Privacy: session\r\n", false}, {"Privacy: critical; ID\r\n", true},
        {"Privacy: idle\r\n", false},    {"", false},
    };

    for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        read_trunk("<sip:1@x>", cases[i].line);
        assert_int_equal(identity.is_anonymous, cases[i].is_anonymous);
    }
}

static void test_remote_party_id_has_a_privacy_of_its_own(void **state)
{
    read_trunk("<sip:1@x>", "Remote-Party-ID: \"N\" <sip:4@x>;party=calling;privacy=full\r\n");
    assert_true(identity.is_anonymous);
    read_trunk("<sip:1@x>", "Remote-Party-ID: \"N\" <sip:4@x>;privacy=name\r\n");
    assert_false(identity.is_anonymous);
    assert_string_equal(identity.display, "");
    read_trunk("<sip:1@x>", "Remote-Party-ID: \"N\" <sip:4@x>;privacy=off\r\n");
    assert_false(identity.is_anonymous);
    assert_string_equal(identity.display, "N");
}

static void test_an_escaped_line_end_is_no_number(void **state)
{
    read_trunk("<sip:1@x>", "P-Asserted-Identity: <sip:2%0d%0aX-Evil:1@x>\r\n");
    assert_string_equal(identity.number, "anonymous");
}

static void assert_written(unsigned headers, const char *wanted)
{
    struct text out;

    text_init(&out, 4096);
    identity_write_headers(&out, headers, &identity, "example.com");
    assert_string_equal(out.data ? out.data : "", wanted);
    text_free(&out);
}

static void test_a_trunk_is_told_in_the_headers_it_wants(void **state)
{
    identity = (struct identity){.number = "+1", .display = "A \"B\""};
    assert_written(CONF_PAI, "P-Asserted-Identity: \"A \\\"B\\\"\" <sip:+1@example.com>\r\n");
    assert_written(CONF_PPI | CONF_RPID,
                   "P-Preferred-Identity: \"A \\\"B\\\"\" <sip:+1@example.com>\r\n"
                   "Remote-Party-ID: \"A \\\"B\\\"\" <sip:+1@example.com>;party=calling;screen=yes;privacy=off\r\n");
    assert_written(CONF_FROM_ONLY, "");
    identity.is_anonymous = true;
    identity.display[0] = '\0';
    assert_written(CONF_RPID, "Remote-Party-ID: <sip:+1@example.com>;party=calling;screen=yes;privacy=full\r\n"
                              "Privacy: id\r\n");
    assert_written(CONF_FROM_ONLY, "Privacy: id\r\n");
    identity = (struct identity){.number = "anonymous", .is_anonymous = true};
    assert_written(CONF_PAI | CONF_PPI | CONF_RPID, "Privacy: id\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_asserted_identity_comes_before_the_others),
        cmocka_unit_test(test_an_identity_without_a_number_is_passed_over),
        cmocka_unit_test(test_from_lends_its_display_name_unless_it_is_anonymous),
        cmocka_unit_test(test_privacy_is_a_list_of_whole_words),
        cmocka_unit_test(test_remote_party_id_has_a_privacy_of_its_own),
        cmocka_unit_test(test_an_escaped_line_end_is_no_number),
        cmocka_unit_test(test_a_trunk_is_told_in_the_headers_it_wants),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
