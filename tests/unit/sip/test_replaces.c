/* SPDX-License-Identifier: Apache-2.0 */
/* Replaces as a header and within a URI, and the dialog that it names. RFC 3891. */
#include "invite_rig.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "sip/replaces.h"

static struct replaces found;

static int parse(const char *value)
{
    memset(&found, 0, sizeof(found));
    return replaces_parse(&found, span_of(value));
}

static int of_uri(const char *text)
{
    struct uri uri;

    memset(&found, 0, sizeof(found));
    assert_int_equal(uri_parse(&uri, span_of(text)), 0);
    return replaces_of_uri(&found, &uri);
}

static void test_a_header_is_read_and_written_the_same(void **state)
{
    static const char text[] = "12adf2f34456gs5@192.0.2.1;to-tag=12345;from-tag=54321;early-only";
    struct text out;

    assert_int_equal(parse(text), 0);
    assert_string_equal(found.call_id, "12adf2f34456gs5@192.0.2.1");
    assert_string_equal(found.to_tag, "12345");
    assert_string_equal(found.from_tag, "54321");
    assert_true(found.is_early_only);
    text_init(&out, 1000);
    replaces_write(&out, &found);
    assert_string_equal(out.data, text);
    text_free(&out);
    assert_int_equal(parse(" a ; from-tag=f ; x=y ; To-Tag=t "), 0);
    assert_string_equal(found.to_tag, "t");
    assert_false(found.is_early_only);
}

static void test_what_is_not_one_dialog_is_refused(void **state)
{
    char text[600];

    assert_int_equal(parse(""), -EBADMSG);
    assert_int_equal(parse("a"), -EBADMSG);
    assert_int_equal(parse(";to-tag=1;from-tag=2"), -EBADMSG);
    assert_int_equal(parse("a;to-tag=1"), -EBADMSG);
    assert_int_equal(parse("a;from-tag=1"), -EBADMSG);
    assert_int_equal(parse("a;to-tag=1;from-tag=2;to-tag=3"), -EBADMSG);
    assert_int_equal(parse("a;to-tag=;from-tag=2"), -EBADMSG);
    assert_int_equal(parse("a b;to-tag=1;from-tag=2"), -EBADMSG);
    assert_int_equal(parse("a,b;to-tag=1;from-tag=2"), -EBADMSG);
    snprintf(text, sizeof(text), "%0255d;to-tag=1;from-tag=2", 0);
    assert_int_equal(parse(text), 0);
    snprintf(text, sizeof(text), "%0256d;to-tag=1;from-tag=2", 0);
    assert_int_equal(parse(text), -ENOSPC);
    snprintf(text, sizeof(text), "a;to-tag=%0128d;from-tag=2", 0);
    assert_int_equal(parse(text), -ENOSPC);
}

static void test_within_a_uri_it_stands_escaped(void **state)
{
    assert_int_equal(of_uri("sip:bob@example.com?a=b&replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2&c=d"), 0);
    assert_string_equal(found.call_id, "a@b");
    assert_string_equal(found.from_tag, "2");
    assert_int_equal(of_uri("sip:bob@example.com"), -ENOENT);
    assert_int_equal(of_uri("sip:bob@example.com?Subject=x"), -ENOENT);
    assert_int_equal(of_uri("sip:b@x?Replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D2&Replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D2"),
                     -EBADMSG);
    assert_int_equal(of_uri("sip:b@x?Replaces="), -EBADMSG);
    assert_int_equal(of_uri("sip:b@x?Replaces=a%3Bto-tag%3D1%0d%0aX:y%3Bfrom-tag%3D2"), -EBADMSG);
    assert_int_equal(of_uri("sip:b@x?Replaces=a%00%3Bto-tag%3D1%3Bfrom-tag%3D2"), -EBADMSG);
}

static void name(const char *call_id, const char *to_tag, const char *from_tag)
{
    snprintf(found.call_id, sizeof(found.call_id), "%s", call_id);
    snprintf(found.to_tag, sizeof(found.to_tag), "%s", to_tag);
    snprintf(found.from_tag, sizeof(found.from_tag), "%s", from_tag);
}

static void test_the_dialog_is_found_whichever_side_the_tags_are_seen_from(void **state)
{
    struct invite *invite = rig_called(&rig.udp, "z9hG4bKin");
    struct dialog *dialog = invite_dialog(invite);

    name(dialog->call_id, dialog->local_tag, dialog->remote_tag);
    assert_ptr_equal(replaces_find(rig.stack, &found), dialog);
    assert_int_equal(replaces_worker(&found), 0);
    name(dialog->call_id, dialog->remote_tag, dialog->local_tag);
    assert_ptr_equal(replaces_find(rig.stack, &found), dialog);
    assert_int_equal(replaces_worker(&found), 0);
    name(dialog->call_id, dialog->local_tag, "another");
    assert_null(replaces_find(rig.stack, &found));
    name("another", dialog->local_tag, dialog->remote_tag);
    assert_null(replaces_find(rig.stack, &found));
    name("x", "y", "z");
    assert_int_equal(replaces_worker(&found), -1);
    invite_end(invite, &(struct invite_end){.status = 486});
    mem_unref(invite);
}

#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_header_is_read_and_written_the_same),
        cmocka_unit_test(test_what_is_not_one_dialog_is_refused),
        cmocka_unit_test(test_within_a_uri_it_stands_escaped),
        T(test_the_dialog_is_found_whichever_side_the_tags_are_seen_from),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
