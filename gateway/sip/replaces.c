/* SPDX-License-Identifier: Apache-2.0 */
/* replaces.c: which dialog is to be replaced: grammar of RFC 3891 6.1, also as a URI's header (RFC 3261 19.1.1), and
 * the look-up of section 3. Knows not by whom, and not whether that is allowed. */
#include "sip/replaces.h"

#include <errno.h>
#include <string.h>

#include "sip/params.h"

/* It is compared and written into headers: no blanks, no control characters, nothing that ends a value. */
static bool is_word(const char *text)
{
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p <= ' ' || *p == 127 || *p == ';' || *p == ',')
            return false;
    return text[0] != '\0';
}

static int take_word(char *out, size_t size_bytes, struct span word)
{
    if (out[0])
        return -EBADMSG; /* a second one */
    if (span_copy(word, out, size_bytes) < 0)
        return -ENOSPC;
    return is_word(out) ? 0 : -EBADMSG;
}

static int take_param(struct replaces *out, struct span name, struct span value)
{
    if (span_ieq(name, SPAN("to-tag")))
        return take_word(out->to_tag, sizeof(out->to_tag), value);
    if (span_ieq(name, SPAN("from-tag")))
        return take_word(out->from_tag, sizeof(out->from_tag), value);
    if (span_ieq(name, SPAN("early-only")))
        out->is_early_only = true;
    return 0;
}

int replaces_parse(struct replaces *out, struct span value)
{
    struct replaces found = {0};
    struct span name, of_name;
    int err = take_word(found.call_id, sizeof(found.call_id), span_trim(span_cut(&value, ';')));

    while (!err && params_next(&value, &name, &of_name))
        err = take_param(&found, name, of_name);
    if (!err && (value.n || !found.to_tag[0] || !found.from_tag[0]))
        err = -EBADMSG;
    if (!err)
        *out = found;
    return err;
}

int replaces_of_uri(struct replaces *out, const struct uri *uri)
{
    char text[REPLACES_ID_MAX + 2 * REPLACES_TAG_MAX + 64];
    struct span rest = uri->headers;
    int found = -ENOENT;

    while (rest.n) {
        struct span value = span_cut(&rest, '&');
        struct span name = span_cut(&value, '=');
        int n;

        if (!span_ieq(name, SPAN("Replaces")))
            continue;
        if (found != -ENOENT)
            return -EBADMSG; /* two of them */
        n = uri_decode(value, text, sizeof(text));
        found = n < 0 ? n : replaces_parse(out, span_make(text, (size_t)n));
        if (found)
            return found;
    }
    return found;
}

void replaces_write(struct text *out, const struct replaces *replaces)
{
    text_addf(out, "%s;to-tag=%s;from-tag=%s%s", replaces->call_id, replaces->to_tag, replaces->from_tag,
              replaces->is_early_only ? ";early-only" : "");
}

static struct dialog *find(struct sip_stack *stack, const char *call_id, const char *ours, const char *theirs)
{
    struct sip_msg msg = {0};

    msg.call_id = span_of(call_id);
    msg.to_tag = span_of(ours);
    msg.from_tag = span_of(theirs);
    return dialog_find(stack, &msg);
}

struct dialog *replaces_find(struct sip_stack *stack, const struct replaces *replaces)
{
    struct dialog *dialog = find(stack, replaces->call_id, replaces->to_tag, replaces->from_tag);

    return dialog ? dialog : find(stack, replaces->call_id, replaces->from_tag, replaces->to_tag);
}

int replaces_worker(const struct replaces *replaces)
{
    int worker = sip_tag_worker(span_of(replaces->to_tag));

    return worker >= 0 ? worker : sip_tag_worker(span_of(replaces->from_tag));
}
