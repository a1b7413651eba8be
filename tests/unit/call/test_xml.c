/* SPDX-License-Identifier: Apache-2.0 */
/* Documents from outside are well formed or refused, whatever they are. */
#include "../unit.h"

#include <errno.h>
#include <string.h>

#include "call/xml.h"

static int check(const char *text)
{
    struct xml_doc doc;

    return xml_check(&doc, span_of(text));
}

static void test_well_formed_documents_pass(void **state)
{
    static const char *const texts[] = {
        "<a/>",
        "<a></a>",
        " \r\n\t<a b='1' c=\"2\" />\n",
        "\xef\xbb\xbf<?xml version=\"1.0\" encoding='UTF-8' standalone=\"yes\"?><!-- x --><a>\xc3\xa4</a><!-- y -->",
        "<p:a xmlns:p='urn:x'><p:b>text &amp; &lt;&#65;&#x1F600;</p:b ><c/></p:a>",
        "<a><![CDATA[ <b> && ]]></a>",
        "<a b='>' c='\"'>]]></a>", /* lenient: "]]>" in text */
        "<\xc3\xa4-1._:x/>",
    };

    for (unsigned i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        if (check(texts[i]))
            fail_msg("refused: %s", texts[i]);
}

static void test_everything_else_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "a",
        "<a>",
        "</a>",
        "<a></b>",
        "<a><b></a></b>",
        "<a/><b/>",
        "<a/>x",
        "<a b></a>",
        "<a b=1/>",
        "<a b='<'/>",
        "<a b='1'c='2'/>",
        "<a b='1/>",
        "<1/>",
        "< a/>",
        "<a>&</a>",
        "<a>&amp</a>",
        "<a>&nbsp;</a>",
        "<a>&#0;</a>",
        "<a>&#xD800;</a>",
        "<a>&#x110000;</a>",
        "<a>&#;</a>",
        "<a>&#x;</a>",
        "<a><!-- -- --></a>",
        "<a><!-- ></a>",
        "<a><![CDATA[</a>",
        "<!DOCTYPE a><a/>",
        "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        "<a><?php x ?></a>",
        "<?xml-stylesheet href='x'?><a/>",
        "<?xml version='1.0' encoding='ISO-8859-1'?><a/>",
        "<a>\x01</a>",
        "<a>\xff</a>",
        "<a>\xed\xa0\x80</a>",
        "<a b='\x02'/>",
    };

    for (unsigned i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        if (!check(texts[i]))
            fail_msg("taken: %s", texts[i]);
}

static void test_depth_is_bounded(void **state)
{
    char text[XML_DEPTH_MAX * 8 + 64];
    struct xml_doc doc;

    for (unsigned depth = XML_DEPTH_MAX; depth <= XML_DEPTH_MAX + 1; depth++) {
        text[0] = '\0';
        for (unsigned i = 0; i < depth; i++)
            strcat(text, "<a>");
        for (unsigned i = 0; i < depth; i++)
            strcat(text, "</a>");
        assert_int_equal(xml_check(&doc, span_of(text)), depth > XML_DEPTH_MAX ? -E2BIG : 0);
    }
}

static void test_the_root_is_described(void **state)
{
    static const char text[] = "<?xml version='1.0'?><p:presence xmlns:p=\"u\" entity='pres:a@b'><x/></p:presence>\n";
    struct span value;
    struct xml_doc doc;

    assert_int_equal(xml_check(&doc, span_of(text)), 0);
    assert_span_equal(xml_local_name(doc.name), "presence");
    assert_true(xml_attribute(doc.attributes, SPAN("entity"), &value));
    assert_span_equal(value, "pres:a@b");
    assert_false(xml_attribute(doc.attributes, SPAN("entit"), &value));
    assert_int_equal(memcmp(text + doc.inner_end, "</p:presence>", 13), 0);
    assert_int_equal(xml_check(&doc, SPAN("<presence/>")), 0);
    assert_int_equal(doc.inner_end, 0);
}

static void test_written_text_reads_back_as_it_was(void **state)
{
    char buf[256];
    struct xml_doc doc;
    struct text out;

    text_init_fixed(&out, buf, sizeof(buf));
    text_add_str(&out, "<a b=\"");
    xml_add_text(&out, SPAN("\"<&>' \xf0\x9f\x98\x80 \x01\xff\n"));
    text_add_str(&out, "\"/>");
    assert_span_equal(text_span(&out), "<a b=\"&quot;&lt;&amp;&gt;' \xf0\x9f\x98\x80 ??\n\"/>");
    assert_int_equal(xml_check(&doc, text_span(&out)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_well_formed_documents_pass),
        cmocka_unit_test(test_everything_else_is_refused),
        cmocka_unit_test(test_depth_is_bounded),
        cmocka_unit_test(test_the_root_is_described),
        cmocka_unit_test(test_written_text_reads_back_as_it_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
