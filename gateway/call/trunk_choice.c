/* SPDX-License-Identifier: Apache-2.0 */
/* trunk_choice.c: the order of a route's trunks, drawn anew for each call. RFC 2782 (priority and weight). Knows no
 * calls. */
#include "call/trunk_choice.h"

#include "base/rand.h"

struct draw {
    const struct conf_rank *ranks;
    uint64_t left; /* a bit per trunk that may be drawn */
    size_t count;
};

static bool may_draw(const struct draw *draw, size_t i)
{
    return draw->left & (UINT64_C(1) << i);
}

static void keep_lowest(struct draw *draw)
{
    unsigned lowest = 0;
    bool has_one = false;

    for (size_t i = 0; i < draw->count; i++)
        if (may_draw(draw, i) && (!has_one || draw->ranks[i].priority < lowest)) {
            lowest = draw->ranks[i].priority;
            has_one = true;
        }
    for (size_t i = 0; i < draw->count; i++)
        if (may_draw(draw, i) && draw->ranks[i].priority != lowest)
            draw->left &= ~(UINT64_C(1) << i);
}

/* One more than the weights of all, so that one without weight can be drawn as well, if seldom: it goes first. */
static int draw_one(const struct draw *draw)
{
    uint32_t sum = 0, chance, reached = 0;
    int last = -1;

    for (size_t i = 0; i < draw->count; i++)
        sum += may_draw(draw, i) ? draw->ranks[i].weight : 0;
    chance = rand_u32() % (sum + 1);
    for (unsigned has_weight = 0; has_weight < 2; has_weight++)
        for (size_t i = 0; i < draw->count; i++) {
            if (!may_draw(draw, i) || (draw->ranks[i].weight > 0) != has_weight)
                continue;
            last = (int)i;
            reached += draw->ranks[i].weight;
            if (reached >= chance)
                return last;
        }
    return last;
}

int trunk_choose(const struct conf_route *route, uint64_t tried, trunk_is_down_fn *is_down, void *arg)
{
    size_t count = route->trunks.count < CONF_ROUTE_TRUNKS_MAX ? route->trunks.count : CONF_ROUTE_TRUNKS_MAX;
    uint64_t up = 0, down = 0;
    struct draw draw;

    for (size_t i = 0; i < count; i++) {
        uint64_t bit = UINT64_C(1) << i;

        if (tried & bit)
            continue;
        if (is_down(span_of(route->trunks.items[i]), arg))
            down |= bit;
        else
            up |= bit;
    }
    if (!up && !down)
        return -1;
    draw = (struct draw){.ranks = route->ranks, .left = up ? up : down, .count = count};
    keep_lowest(&draw);
    return draw_one(&draw);
}

bool trunk_fails_over(const struct conf_trunk *trunk, unsigned status)
{
    for (size_t i = 0; i < trunk->failover.count; i++)
        if (status >= trunk->failover.items[i].from && status <= trunk->failover.items[i].to)
            return true;
    return false;
}
