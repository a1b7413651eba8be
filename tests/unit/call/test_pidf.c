/* SPDX-License-Identifier: Apache-2.0 */
/* Presence documents: ours, those of others as they are, and both with "on the phone". */
#include "../unit.h"

#include <errno.h>
#include <string.h>

#include "call/pidf.h"
#include "call/xml.h"

#define PUBLISHED "<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"pres:bob@x\"><note>hi</note></presence>"

static char written[4096];

static const char *write(const struct pidf_state *state)
{
    struct xml_doc doc;
    struct text out;

    text_init_fixed(&out, written, sizeof(written));
    pidf_write(&out, state);
    assert_int_equal(text_err(&out), 0);
    assert_int_equal(xml_check(&doc, text_span(&out)), 0);
    return written;
}

static void test_open_and_closed(void **state)
{
    struct pidf_state it = {.user = "bob", .domain = "example.com"};

    assert_string_equal(write(&it), "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                                    "<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"pres:bob@example.com\">\n"
                                    "<tuple id=\"gateway\"><status><basic>closed</basic></status>"
                                    "<contact>sip:bob@example.com</contact></tuple>\n</presence>\n");
    it.is_open = true;
    assert_non_null(strstr(write(&it), "<basic>open</basic>"));
    assert_null(strstr(written, "on-the-phone"));
    it.is_on_the_phone = true;
    assert_non_null(strstr(write(&it), "<rpid:on-the-phone/>"));
}

static void test_names_are_escaped(void **state)
{
    struct pidf_state it = {.user = "b&o\"b<", .domain = "example.com"};

    assert_non_null(strstr(write(&it), "entity=\"pres:b&amp;o%22b%3C@example.com\""));
}

static void test_what_was_published_goes_out_as_it_is(void **state)
{
    struct pidf_state it = {.user = "bob", .domain = "x", .is_open = true, .published = SPAN(PUBLISHED)};

    assert_string_equal(write(&it), PUBLISHED);
    it.is_on_the_phone = true;
    write(&it);
    assert_memory_equal(written, PUBLISHED, strlen(PUBLISHED) - strlen("</presence>"));
    assert_non_null(strstr(written, "<rpid:on-the-phone/>"));
    assert_string_equal(written + strlen(written) - strlen("</presence>"), "</presence>");
}

static int check(const char *document)
{
    const char *why;

    return pidf_check(span_of(document), "bob", &why);
}

static void test_only_ones_own_presence_is_taken(void **state)
{
    assert_int_equal(check(PUBLISHED), 0);
    assert_int_equal(check("<p:presence entity='sip:bob@elsewhere'><x/></p:presence>"), 0);
    assert_int_equal(check("<presence entity='bob@x'></presence>"), 0);
    assert_int_equal(check("<presence entity='pres:b%6fb@x'></presence>"), 0);
    assert_int_equal(check("<presence entity='pres:alice@x'></presence>"), -EACCES);
    assert_int_equal(check("<presence entity='pres:bob%00@x'></presence>"), -EACCES);
    assert_int_equal(check("<presence entity=''></presence>"), -EACCES);
    assert_int_equal(check("<presence></presence>"), -EBADMSG);
    assert_int_equal(check("<presence entity='pres:bob@x'/>"), -EBADMSG); /* says nothing */
    assert_int_equal(check("<absence entity='pres:bob@x'></absence>"), -EBADMSG);
    assert_int_equal(check("presence"), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open_and_closed),
        cmocka_unit_test(test_names_are_escaped),
        cmocka_unit_test(test_what_was_published_goes_out_as_it_is),
        cmocka_unit_test(test_only_ones_own_presence_is_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
