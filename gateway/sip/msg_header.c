/* SPDX-License-Identifier: Apache-2.0 */
/* msg_header.c: the names of methods and header fields, and how to find header lines in a parsed message.
 * RFC 3261 section 7.3.1 and 7.3.3. Does not parse and does not know what a header means. */
#include <assert.h>

#include "sip/grammar.h"
#include "sip/msg.h"
#include "sip/params.h"

static const struct span method_names[SIP_METHOD_OTHER] = {
#define X(name) {#name, sizeof(#name) - 1},
    METHODS(X)
#undef X
};

static const struct {
    struct span name;
    char compact;
} rows[SIP_H_OTHER] = {
#define HEADER(id, name, compact, kind) {{name, sizeof(name) - 1}, compact[0]},
#include "sip/headers.def"
#undef HEADER
};

/* Two indices over the rows, filled once before main(): by hash of the long name, by letter of the short one. 0: empty.
 */
#define SLOT_COUNT 256u
static uint8_t slot_by_name[SLOT_COUNT];
static uint8_t slot_by_letter['z' - 'a' + 1];

static unsigned lower(char c)
{
    return (unsigned char)c | 0x20u;
}

static unsigned hash_name(struct span name)
{
    return (unsigned)name.n * 31u + lower(name.p[0]) * 7u + lower(name.p[name.n / 2]) * 3u +
           lower(name.p[name.n - 1]) * 13u;
}

__attribute__((constructor)) static void fill_indices(void)
{
    static_assert(SIP_H_OTHER < SLOT_COUNT / 2, "the index of header names is too small");
    for (unsigned id = 0; id < SIP_H_OTHER; id++) {
        unsigned slot = hash_name(rows[id].name);

        while (slot_by_name[slot % SLOT_COUNT])
            slot++;
        slot_by_name[slot % SLOT_COUNT] = (uint8_t)(id + 1);
        if (rows[id].compact)
            slot_by_letter[rows[id].compact - 'a'] = (uint8_t)(id + 1);
    }
}

const char *sip_method_text(enum sip_method method)
{
    return method < SIP_METHOD_OTHER ? method_names[method].p : "";
}

enum sip_method sip_method_find(struct span name)
{
    for (unsigned i = 0; i < SIP_METHOD_OTHER; i++) {
        if (span_eq(method_names[i], name))
            return (enum sip_method)i;
    }
    return SIP_METHOD_OTHER;
}

const char *sip_header_name(enum sip_header_id id)
{
    return id < SIP_H_OTHER ? rows[id].name.p : "";
}

enum sip_header_id sip_header_find(struct span name)
{
    if (!name.n)
        return SIP_H_OTHER;
    if (name.n == 1) {
        unsigned letter = lower(name.p[0]) - 'a';
        unsigned found =
            letter < sizeof(slot_by_letter) && grammar_is(name.p[0], GRAMMAR_TOKEN) ? slot_by_letter[letter] : 0;

        return found ? (enum sip_header_id)(found - 1) : SIP_H_OTHER;
    }
    for (unsigned slot = hash_name(name); slot_by_name[slot % SLOT_COUNT]; slot++) {
        unsigned id = slot_by_name[slot % SLOT_COUNT] - 1u;

        if (span_ieq(rows[id].name, name))
            return (enum sip_header_id)id;
    }
    return SIP_H_OTHER;
}

const struct sip_header *sip_msg_next(const struct sip_msg *msg, enum sip_header_id id, unsigned *index)
{
    while (*index < msg->header_count) {
        const struct sip_header *header = &msg->header[(*index)++];

        if (header->id == id)
            return header;
    }
    return NULL;
}

const struct sip_header *sip_msg_header(const struct sip_msg *msg, enum sip_header_id id)
{
    unsigned index = 0;

    return sip_msg_next(msg, id, &index);
}

struct span sip_msg_value(const struct sip_msg *msg, enum sip_header_id id)
{
    const struct sip_header *header = sip_msg_header(msg, id);

    return header ? header->value : SPAN_NULL;
}

const struct sip_header *sip_msg_other(const struct sip_msg *msg, struct span name)
{
    const struct sip_header *header;
    unsigned index = 0;

    while ((header = sip_msg_next(msg, SIP_H_OTHER, &index))) {
        if (span_ieq(header->name, name))
            return header;
    }
    return NULL;
}

int sip_msg_next_addr(const struct sip_msg *msg, enum sip_header_id id, struct sip_walk *walk, struct name_addr *addr)
{
    const struct sip_header *header;

    walk->is_begun = true;
    while (!walk->rest.n) {
        header = sip_msg_next(msg, id, &walk->line);
        if (!header)
            return 0;
        walk->rest = header->value;
    }
    return name_addr_next(addr, &walk->rest);
}

bool sip_msg_has_token(const struct sip_msg *msg, enum sip_header_id id, struct span token)
{
    const struct sip_header *header;
    unsigned index = 0;

    while ((header = sip_msg_next(msg, id, &index))) {
        if (list_has_token(header->value, token))
            return true;
    }
    return false;
}
