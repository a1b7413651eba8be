/* SPDX-License-Identifier: Apache-2.0 */
/* steer.c: names that carry our worker number, so that the owner of a message is a string read and not a look-up.
 * Tags and Call-IDs of ours are "w3.<random>", branches "z9hG4bKw3.<random>". */
#include "base/print.h"
#include "base/rand.h"
#include "base/worker.h"
#include "sip/stack.h"

#define MAGIC_COOKIE "z9hG4bK"

static void make(char *out, size_t size_bytes, const char *prefix, unsigned worker, unsigned random_chars)
{
    size_t n = (size_t)print_into(out, size_bytes, "%sw%u.", prefix, worker);

    rand_text(out + n, n + random_chars < size_bytes ? random_chars : size_bytes - n - 1);
}

void sip_tag_make(char tag[static SIP_TAG_MAX], const struct sip_stack *stack)
{
    make(tag, SIP_TAG_MAX, "", stack->worker, 14);
}

void sip_branch_make(char branch[static SIP_BRANCH_MAX], const struct sip_stack *stack)
{
    make(branch, SIP_BRANCH_MAX, MAGIC_COOKIE, stack->worker, 20);
}

int sip_tag_worker(struct span tag)
{
    uint32_t worker;
    ptrdiff_t dot = span_find(tag, '.');

    if (dot < 2 || tag.p[0] != 'w' || span_to_u32(span_sub(tag, 1, (size_t)dot - 1), WORKER_MAX - 1, &worker))
        return -1;
    return (int)worker;
}

int sip_branch_worker(struct span branch)
{
    struct span cookie = SPAN(MAGIC_COOKIE);

    if (!span_starts(branch, cookie))
        return -1;
    return sip_tag_worker(span_sub(branch, cookie.n, branch.n));
}
