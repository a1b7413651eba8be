/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_xml.c: any bytes as a published presence document. What is taken is passed on as it is, and is still well formed
 * when "on the phone" has been added. */
#include <stdlib.h>

#include "call/pidf.h"
#include "call/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_written(struct span document, bool is_on_the_phone)
{
    struct pidf_state state = {
        .user = "bob", .domain = "example.com", .is_on_the_phone = is_on_the_phone, .published = document};
    struct xml_doc doc;
    struct text out;

    text_init(&out, document.n + 4096);
    pidf_write(&out, &state);
    if (text_err(&out) || xml_check(&doc, text_span(&out)))
        abort();
    if (!is_on_the_phone && !span_eq(text_span(&out), document))
        abort();
    text_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = span_make(data, size), value;
    const char *why;
    struct xml_doc doc;

    if (xml_check(&doc, text))
        return 0;
    xml_attribute(doc.attributes, SPAN("entity"), &value);
    if (pidf_check(text, "bob", &why))
        return 0;
    check_written(text, false);
    check_written(text, true);
    return 0;
}
