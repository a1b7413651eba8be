/* SPDX-License-Identifier: Apache-2.0 */
/* outside.c: the head of a request outside of dialogs. RFC 3261 8.1.1. Knows no transactions, and not what is asked. */
#include "sip/outside.h"

#include <stdio.h>

#include "base/rand.h"

void outside_make_names(const struct sip_stack *stack, char call_id[static SIP_CALL_ID_MAX],
                        char tag[static SIP_TAG_MAX])
{
    char unique[25];

    rand_text(unique, sizeof(unique) - 1);
    snprintf(call_id, SIP_CALL_ID_MAX, "w%u.%s", stack->worker, unique);
    sip_tag_make(tag, stack);
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
