/* SPDX-License-Identifier: Apache-2.0 */
/* Headers that a trunk's rules add, pass and leave out. */
#include "../unit.h"

#include <stdio.h>
#include <string.h>

#include "call/trunk_headers.h"
#include "message_of.h"

static char account[] = "X-Account", subject[] = "Subject", agent[] = "User-Agent", allow[] = "Allow";
static char added_agent[] = "User-Agent: acme", added[] = "X-Customer: 7";
static struct text out;

static int setup(void **state)
{
    text_init(&out, 65536);
    return 0;
}

static int teardown(void **state)
{
    text_free(&out);
    return 0;
}

static const char *passed(const char *lines)
{
    char *names[] = {account, subject};

    text_reset(&out);
    trunk_headers_pass(&out, &(struct conf_strings){names, 2}, message_of("<sip:1@x>", lines));
    assert_int_equal(text_err(&out), 0);
    return out.data ? out.data : "";
}

static void test_only_named_headers_pass(void **state)
{
    assert_string_equal(passed("X-Account: 1\r\nX-Other: 2\r\nx-account:3 \r\nX-Account-2: 4\r\n"),
                        "X-Account: 1\r\nX-Account: 3\r\n");
    assert_string_equal(passed("s: short form\r\n"), "Subject: short form\r\n");
    assert_string_equal(passed("X-Account: a\r\n b\r\n"), "X-Account: a b\r\n"); /* folded: one line */
    assert_string_equal(passed(""), "");
}

static void test_what_could_hurt_does_not_pass(void **state)
{
    assert_string_equal(passed("X-Account: a\x01z\r\n"), "");
    assert_string_equal(passed("X-Account:\r\n"), "");
}

static void test_what_passes_is_bounded(void **state)
{
    char lines[12000] = "", line[1200];

    for (unsigned i = 0; i < 40; i++)
        strcat(lines, "X-Account: 1\r\n");
    assert_int_equal(strlen(passed(lines)), 16 * strlen("X-Account: 1\r\n"));
    lines[0] = '\0';
    for (unsigned i = 0; i < 8; i++) {
        snprintf(line, sizeof(line), "X-Account: %01000u\r\n", i);
        strcat(lines, line);
    }
    assert_true(strlen(passed(lines)) <= TRUNK_HEADERS_MAX);
    assert_true(strlen(passed(lines)) > TRUNK_HEADERS_MAX / 2);
    memset(line, 'x', sizeof(line));
    snprintf(lines, sizeof(lines), "X-Account: %.1100s\r\n", line);
    assert_string_equal(passed(lines), "");
}

#define OURS "P-Asserted-Identity: <sip:1@x>\r\nAllow: INVITE\r\nUser-Agent: Sipway\r\n"

static const char *written(const struct conf_trunk *trunk)
{
    text_reset(&out);
    trunk_headers_write(&out, SPAN(OURS), trunk);
    return out.data ? out.data : "";
}

static void test_headers_are_left_out_and_added(void **state)
{
    char *removed[] = {allow, agent}, *more[] = {added, added_agent}, *passing[] = {agent};

    assert_string_equal(written(&(struct conf_trunk){0}), OURS);
    assert_string_equal(written(&(struct conf_trunk){.headers_remove = {removed, 2}}),
                        "P-Asserted-Identity: <sip:1@x>\r\n");
    assert_string_equal(written(&(struct conf_trunk){.headers_add = {more, 2}}),
                        "P-Asserted-Identity: <sip:1@x>\r\nAllow: INVITE\r\nX-Customer: 7\r\nUser-Agent: acme\r\n");
    assert_string_equal(written(&(struct conf_trunk){.headers_pass = {passing, 1}}),
                        "P-Asserted-Identity: <sip:1@x>\r\nAllow: INVITE\r\n");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_only_named_headers_pass),
        T(test_what_could_hurt_does_not_pass),
        T(test_what_passes_is_bounded),
        T(test_headers_are_left_out_and_added),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
