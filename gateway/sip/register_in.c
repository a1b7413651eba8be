/* SPDX-License-Identifier: Apache-2.0 */
/* register_in.c: reads a REGISTER: contacts, expiry, instance. RFC 3261 10.3, RFC 5626 4.2. Knows no accounts. */
#include "sip/register_in.h"

#include <errno.h>

#include "sip/params.h"

static int refuse(unsigned *status_out, const char **why_out, unsigned status, const char *why)
{
    *status_out = status;
    *why_out = why;
    return -EBADMSG;
}

/* RFC 3261 10.3 step 7: too short is told by 423 only when above 0 and below both an hour and our minimum. */
static int grant(uint32_t *expires, const struct register_limits *limits)
{
    if (!*expires)
        return 0;
    if (*expires < limits->min_s && *expires < 3600)
        return -EBADMSG;
    if (*expires > limits->max_s)
        *expires = limits->max_s;
    return 0;
}

static struct span trim_angles(struct span s)
{
    return s.n >= 2 && s.p[0] == '<' && s.p[s.n - 1] == '>' ? span_sub(s, 1, s.n - 2) : s;
}

static unsigned read_q(struct span q)
{
    unsigned milli = 0, digits = 0;
    bool is_fraction = false;

    for (size_t i = 0; i < q.n && digits < 4; i++) {
        if (q.p[i] == '.') {
            is_fraction = true;
        } else if (q.p[i] >= '0' && q.p[i] <= '9') {
            milli = milli * 10 + (unsigned)(q.p[i] - '0');
            digits++;
        }
    }
    while (digits++ < 4)
        milli *= 10;
    return is_fraction || milli <= 1000 ? (milli > 1000 ? 1000 : milli) : 1000;
}

static int read_contact(struct register_contact *contact, const struct name_addr *addr, uint32_t default_s)
{
    struct span value;

    *contact = (struct register_contact){.uri = addr->uri_text, .expires_s = default_s, .q_milli = 1000};
    if (params_get(addr->params, SPAN("expires"), &value) && span_to_u32(value, UINT32_MAX, &contact->expires_s))
        contact->expires_s = default_s; /* RFC 3261 10.2.1.1: malformed values count as 3600; ours is the default */
    if (params_get(addr->params, SPAN("+sip.instance"), &value))
        contact->instance = trim_angles(value);
    if (params_get(addr->params, SPAN("reg-id"), &value) && span_to_u32(value, INT32_MAX, &contact->reg_id))
        contact->reg_id = 0;
    if (params_get(addr->params, SPAN("q"), &value))
        contact->q_milli = read_q(value);
    return addr->uri.scheme == URI_SIP || addr->uri.scheme == URI_SIPS ? 0 : -EBADMSG;
}

int register_in_parse(struct register_in *reg, const struct sip_msg *msg, const struct register_limits *limits,
                      unsigned *status_out, const char **why_out)
{
    const struct sip_header *expires = sip_msg_header(msg, SIP_H_EXPIRES);
    uint32_t default_s = limits->max_s;
    struct sip_walk walk = {0};
    struct name_addr addr;
    int more;

    *reg = (struct register_in){0};
    if (expires && span_to_u32(expires->value, UINT32_MAX, &default_s))
        default_s = limits->max_s;
    while ((more = sip_msg_next_addr(msg, SIP_H_CONTACT, &walk, &addr)) > 0) {
        struct register_contact *contact = &reg->contacts[reg->contact_count];

        if (addr.is_star) {
            reg->removes_all = true;
            continue;
        }
        if (reg->contact_count == REGISTER_CONTACT_MAX)
            return refuse(status_out, why_out, 400, "too many contacts in one REGISTER");
        if (read_contact(contact, &addr, default_s))
            return refuse(status_out, why_out, 400, "a contact is not a sip URI");
        if (grant(&contact->expires_s, limits))
            return refuse(status_out, why_out, 423, "the interval is too brief");
        reg->contact_count++;
    }
    if (more < 0)
        return refuse(status_out, why_out, 400, "a Contact cannot be read");
    if (reg->removes_all && (reg->contact_count || !expires || default_s))
        return refuse(status_out, why_out, 400, "Contact: * needs Expires: 0 and nothing else");
    reg->is_query = !reg->removes_all && !reg->contact_count;
    return 0;
}
