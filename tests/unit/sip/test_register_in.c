/* SPDX-License-Identifier: Apache-2.0 */
/* What a REGISTER asks for is read as RFC 3261 10.3 and RFC 5626 4.2 say. Case 08. */
#include "../unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sip/register_in.h"

static const struct register_limits limits = {.min_s = 60, .max_s = 3600};

static struct sip_msg msg;
static struct register_in reg;
static char bytes[8192];
static unsigned status;
static const char *why;

/* @param headers whole lines with CRLF. @return what register_in_parse() says */
static int read_register(const char *headers)
{
    int n = snprintf(bytes, sizeof(bytes),
                     "REGISTER sip:sip.example.com SIP/2.0\r\nVia: SIP/2.0/WS x.invalid;branch=z9hG4bK1\r\n"
                     "From: <sip:alice@sip.example.com>;tag=1\r\nTo: <sip:alice@sip.example.com>\r\nCall-ID: r\r\n"
                     "CSeq: 1 REGISTER\r\nMax-Forwards: 70\r\n%sContent-Length: 0\r\n\r\n",
                     headers);

    status = 0;
    why = NULL;
    assert_int_equal(sip_msg_parse(&msg, bytes, (size_t)n, &status, &why), 0);
    return register_in_parse(&reg, &msg, &limits, &status, &why);
}

static void refuse(const char *headers, unsigned wanted)
{
    if (!read_register(headers))
        fail_msg("taken: %s", headers);
    if (status != wanted || !why || !why[0])
        fail_msg("%u instead of %u: %s", status, wanted, headers);
}

static uint32_t expires_of(const char *headers)
{
    assert_int_equal(read_register(headers), 0);
    assert_int_equal(reg.contact_count, 1);
    return reg.contacts[0].expires_s;
}

static void test_no_contact_only_asks(void **state)
{
    assert_int_equal(read_register(""), 0);
    assert_true(reg.is_query);
    assert_int_equal(read_register("Expires: 0\r\n"), 0);
    assert_true(reg.is_query && !reg.removes_all);
}

static void test_expires_of_the_contact_wins_over_the_header_and_both_over_ours(void **state)
{
    assert_int_equal(expires_of("Contact: <sip:a@b>;expires=120\r\nExpires: 600\r\n"), 120);
    assert_int_equal(expires_of("Contact: <sip:a@b>\r\nExpires: 600\r\n"), 600);
    assert_int_equal(expires_of("Contact: <sip:a@b>\r\n"), 3600);
    assert_int_equal(expires_of("Contact: <sip:a@b>;expires=0\r\nExpires: 600\r\n"), 0);
    assert_int_equal(expires_of("Contact: <sip:a@b>;EXPIRES=120\r\n"), 120);
}

static void test_too_long_is_shortened_and_malformed_counts_as_the_default(void **state)
{
    assert_int_equal(expires_of("Contact: <sip:a@b>;expires=4294967295\r\n"), 3600);
    assert_int_equal(expires_of("Contact: <sip:a@b>;expires=99999999999999\r\n"), 3600);
    assert_int_equal(expires_of("Contact: <sip:a@b>\r\nExpires: soon\r\n"), 3600);
}

static void test_too_short_is_423_but_never_for_zero(void **state)
{
    refuse("Contact: <sip:a@b>;expires=5\r\n", 423);
    refuse("Contact: <sip:a@b>\r\nExpires: 59\r\n", 423);
    assert_int_equal(expires_of("Contact: <sip:a@b>;expires=60\r\n"), 60);
    assert_int_equal(expires_of("Contact: <sip:a@b>;expires=0\r\n"), 0);
    refuse("Contact: <sip:a@b>, <sip:c@d>;expires=5\r\n", 423); /* one is enough */
}

static void test_a_minimum_above_an_hour_refuses_nobody_who_asks_for_an_hour(void **state)
{
    static const struct register_limits long_ones = {.min_s = 7200, .max_s = 86400};

    read_register("Contact: <sip:a@b>;expires=3600\r\n");
    status = 0;
    assert_int_equal(register_in_parse(&reg, &msg, &long_ones, &status, &why), 0); /* RFC 3261 10.3 step 7 */
}

static void test_a_star_needs_expires_0_and_nothing_else(void **state)
{
    assert_int_equal(read_register("Contact: *\r\nExpires: 0\r\n"), 0);
    assert_true(reg.removes_all && !reg.is_query);
    refuse("Contact: *\r\n", 400);
    refuse("Contact: *\r\nExpires: 60\r\n", 400);
    refuse("Contact: *\r\nExpires: x\r\n", 400);
    refuse("Contact: *, <sip:a@b>\r\nExpires: 0\r\n", 400);
    refuse("Contact: <sip:a@b>\r\nContact: *\r\nExpires: 0\r\n", 400);
}

static void test_several_contacts_over_several_lines(void **state)
{
    assert_int_equal(
        read_register("Contact: <sip:a@b>;q=0.5, \"x, y\" <sip:c@d;transport=tcp>;expires=90\r\nm: sip:e@f;q=1.0\r\n"),
        0);
    assert_int_equal(reg.contact_count, 3);
    assert_span_equal(reg.contacts[0].uri, "sip:a@b");
    assert_int_equal(reg.contacts[0].q_milli, 500);
    assert_span_equal(reg.contacts[1].uri, "sip:c@d;transport=tcp");
    assert_int_equal(reg.contacts[1].expires_s, 90);
    assert_int_equal(reg.contacts[1].q_milli, 1000);
    assert_span_equal(reg.contacts[2].uri, "sip:e@f"); /* without <> the parameters are the header's: RFC 3261 20.10 */
}

static void test_q_is_read_to_three_digits(void **state)
{
    static const struct {
        const char *text;
        unsigned milli;
    } rows[] = {{"0", 0},      {"1", 1000},    {"0.0", 0},      {"0.1", 100},
                {"0.25", 250}, {"0.125", 125}, {"1.000", 1000}, {"0.001", 1}};

    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char line[80];

        snprintf(line, sizeof(line), "Contact: <sip:a@b>;q=%s\r\n", rows[i].text);
        assert_int_equal(read_register(line), 0);
        if (reg.contacts[0].q_milli != rows[i].milli)
            fail_msg("q=%s is %u", rows[i].text, reg.contacts[0].q_milli);
    }
}

static void test_instance_and_reg_id_of_an_outbound_client(void **state)
{
    assert_int_equal(
        read_register(
            "Contact: <sip:x@y.invalid;transport=ws;ob>;reg-id=1;+sip.instance=\"<urn:uuid:0000-1>\";expires=600\r\n"),
        0);
    assert_span_equal(reg.contacts[0].instance, "urn:uuid:0000-1");
    assert_int_equal(reg.contacts[0].reg_id, 1);
    assert_int_equal(read_register("Contact: <sip:x@y>;reg-id=many\r\n"), 0);
    assert_int_equal(reg.contacts[0].reg_id, 0);
}

static void test_what_is_not_sip_is_400(void **state)
{
    refuse("Contact: <tel:+123>\r\n", 400);
    refuse("Contact: <http://a.example.com>\r\n", 400);
    refuse("Contact: <sip:a@b\r\n", 400);
    refuse("Contact: ,,,\r\n", 400);
}

static void test_more_contacts_than_there_is_room_for_are_400(void **state)
{
    char lines[4096] = "";

    for (unsigned i = 0; i < REGISTER_CONTACT_MAX; i++)
        snprintf(lines + strlen(lines), sizeof(lines) - strlen(lines), "Contact: <sip:a%u@b>\r\n", i);
    assert_int_equal(read_register(lines), 0);
    assert_int_equal(reg.contact_count, REGISTER_CONTACT_MAX);
    strcat(lines, "Contact: <sip:last@b>\r\n");
    refuse(lines, 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_contact_only_asks),
        cmocka_unit_test(test_expires_of_the_contact_wins_over_the_header_and_both_over_ours),
        cmocka_unit_test(test_too_long_is_shortened_and_malformed_counts_as_the_default),
        cmocka_unit_test(test_too_short_is_423_but_never_for_zero),
        cmocka_unit_test(test_a_minimum_above_an_hour_refuses_nobody_who_asks_for_an_hour),
        cmocka_unit_test(test_a_star_needs_expires_0_and_nothing_else),
        cmocka_unit_test(test_several_contacts_over_several_lines),
        cmocka_unit_test(test_q_is_read_to_three_digits),
        cmocka_unit_test(test_instance_and_reg_id_of_an_outbound_client),
        cmocka_unit_test(test_what_is_not_sip_is_400),
        cmocka_unit_test(test_more_contacts_than_there_is_room_for_are_400),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
