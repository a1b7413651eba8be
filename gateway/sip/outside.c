/* SPDX-License-Identifier: Apache-2.0 */
/* outside.c: the head of a request outside of dialogs. RFC 3261 8.1.1. Knows no transactions, and not what is asked. */
#include "sip/outside.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/rand.h"

void outside_make_names(const struct sip_stack *stack, char call_id[static SIP_CALL_ID_MAX],
                        char tag[static SIP_TAG_MAX])
{
    char unique[25];

    rand_text(unique, sizeof(unique) - 1);
    snprintf(call_id, SIP_CALL_ID_MAX, "w%u.%s", stack->worker, unique);
    sip_tag_make(tag, stack);
}

static void copy_names(struct outside_copy *copy, const struct outside *head)
{
    if (head->call_id) {
        snprintf(copy->call_id, sizeof(copy->call_id), "%s", head->call_id);
        snprintf(copy->tag, sizeof(copy->tag), "%s", head->tag);
    } else {
        outside_make_names(head->stack, copy->call_id, copy->tag);
        copy->head.cseq = 1;
    }
    copy->head.call_id = copy->call_id;
    copy->head.tag = copy->tag;
}

int outside_copy(struct outside_copy *copy, const struct outside *head)
{
    struct outside *own = &copy->head;
    struct span *texts[] = {&own->uri, &own->from, &own->to, &own->contact_user, &own->contact_param};
    size_t n = 0, at = 0;

    *own = *head;
    copy_names(copy, head);
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        n += texts[i]->n;
    copy->texts = mem_new(n + 1, NULL);
    if (!copy->texts)
        return -ENOMEM;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        if (texts[i]->n)
            memcpy(copy->texts + at, texts[i]->p, texts[i]->n);
        *texts[i] = span_make(copy->texts + at, texts[i]->n);
        at += texts[i]->n;
    }
    return 0;
}

void outside_copy_free(struct outside_copy *copy)
{
    copy->texts = mem_unref(copy->texts);
}

void outside_write_head(struct text *out, const struct outside *outside, char branch[static SIP_BRANCH_MAX])
{
    const char *method = sip_method_text(outside->method);

    sip_branch_make(branch, outside->stack);
    sip_write_request_line(out, method, outside->uri);
    sip_write_via(out, outside->stack, &outside->flow, branch);
    sip_write_headerf(out, "Max-Forwards", "%u", outside->max_forwards ? outside->max_forwards : 70);
    sip_write_headerf(out, "From", "%.*s;tag=%s", SPAN_ARG(outside->from), outside->tag);
    sip_write_header(out, "To", outside->to);
    sip_write_headerf(out, "Call-ID", "%s", outside->call_id);
    sip_write_headerf(out, "CSeq", "%u %s", outside->cseq, method);
    if (!outside->has_no_contact)
        sip_write_contact_with(out, outside->stack, &outside->flow, outside->contact_user, outside->contact_param);
    text_add_str(out, "User-Agent: " SIP_AGENT "\r\n");
}
