/* SPDX-License-Identifier: Apache-2.0 */
/* latch.c: symmetric RTP with one-time latching, bounded in time (RFC 4961 for the idea; the rules are the project's).
 * Against RTP bleed and injection: what is learned is learned once. Knows addresses, SSRCs and times; has never seen a
 * packet. */
#include "media/latch.h"

#define SILENT_US      500000
#define SSRC_SILENT_US 200000

static bool is_usable(const struct addr *addr)
{
    return addr_is_set(addr) && addr_port(addr) && !addr_is_any(addr);
}

void latch_signal(struct latch *latch, const struct addr *signalled, bool is_never)
{
    latch->is_never = is_never;
    if (!is_usable(signalled) || (addr_is_set(&latch->signalled) && addr_eq(signalled, &latch->signalled)))
        return;
    latch->signalled = *signalled;
    latch->taken = (struct addr){0};
    latch->first_us = latch->last_us = 0;
}

static bool is_in_window(const struct latch *latch, uint64_t now_us)
{
    return !latch->first_us || now_us - latch->first_us <= (uint64_t)latch->window_ms * 1000;
}

/* Another than the signalled source, while nothing is taken. */
static bool may_learn(const struct latch *latch, const struct addr *from, uint64_t now_us)
{
    if (latch->is_never || !is_in_window(latch, now_us))
        return false;
    if (addr_same_host(from, &latch->signalled) || addr_is_private(&latch->signalled))
        return true;
    return latch->first_us && now_us - latch->first_us >= SILENT_US;
}

bool latch_may_take(const struct latch *latch, const struct addr *from, uint64_t now_us)
{
    if (!addr_is_set(&latch->signalled))
        return false;
    if (addr_eq(from, &latch->signalled))
        return true;
    if (addr_is_set(&latch->taken))
        return addr_eq(from, &latch->taken);
    return !latch->is_never && is_in_window(latch, now_us);
}

static enum latch_verdict take(struct latch *latch, const struct addr *from, uint32_t ssrc, uint64_t now_us)
{
    latch->taken = *from;
    latch->ssrc = ssrc;
    latch->last_us = now_us;
    return LATCH_MOVED;
}

static enum latch_verdict judge_taken(struct latch *latch, uint32_t ssrc, uint64_t now_us)
{
    bool is_signalled = addr_eq(&latch->taken, &latch->signalled);

    if (ssrc != latch->ssrc && !is_signalled && now_us - latch->last_us < SSRC_SILENT_US)
        return LATCH_REFUSED;
    latch->ssrc = ssrc;
    latch->last_us = now_us;
    return LATCH_ACCEPTED;
}

enum latch_verdict latch_judge(struct latch *latch, const struct addr *from, uint32_t ssrc, uint64_t now_us)
{
    if (!addr_is_set(&latch->signalled))
        return LATCH_REFUSED;
    if (addr_is_set(&latch->taken) && addr_eq(from, &latch->taken))
        return judge_taken(latch, ssrc, now_us);
    if (addr_eq(from, &latch->signalled))
        return take(latch, from, ssrc, now_us);
    if (addr_is_set(&latch->taken))
        return LATCH_REFUSED;
    if (may_learn(latch, from, now_us))
        return take(latch, from, ssrc, now_us);
    if (!latch->first_us)
        latch->first_us = now_us;
    return LATCH_REFUSED;
}
