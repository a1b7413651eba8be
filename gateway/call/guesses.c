/* SPDX-License-Identifier: Apache-2.0 */
/* guesses.c: counts of wrong passwords that leak away, in tables of fixed size, and which account has proved itself
 * from where. Knows no messages and no passwords: guard.c asks and tells. */
#include "call/guesses.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/stats.h"

#define WAYS        4
#define COUNT_SETS  4096 /* 16,384 counts, 400 kB */
#define KNOWN_SETS  8192 /* 32,768 pairs, 512 kB */
#define FIRST_MS    500  /* the first refusal that is held; each one after it twice as long */
#define SLOW_EXCESS 6    /* a count does not rise further: who stops guessing is forgotten within a minute */

/* Two leaky buckets: the slow one decides how long a refusal is held, the fast one when nothing is looked at. */
struct kind {
    unsigned free_count, leak_ms, hold_max_ms; /* slow: so many at once, one more each leak_ms */
    unsigned burst_count, per_s;               /* fast */
    bool closes;
};

enum { PAIR, ADDRESS, ACCOUNT, KIND_COUNT };

static const struct kind kinds[KIND_COUNT] = {
    [PAIR] = {5, 6000, 8000, 20, 5, true},
    [ADDRESS] = {100, 1000, 2000, 100, 50, false},
    [ACCOUNT] = {50, 1000, 2000, 40, 20, false},
};

struct count {
    uint64_t hash; /* 0: free */
    uint64_t at_ms;
    uint32_t slow_milli, fast_milli; /* thousandths of a guess */
};

struct known {
    uint64_t hash;
    uint64_t seen_ms;
};

struct guesses {
    pthread_mutex_t lock; /* held for a few look-ups */
    bool has_lock;
    struct count counts[COUNT_SETS][WAYS];
    struct known known[KNOWN_SETS][WAYS];
};

/* ---- who is counted ---- */

/* The network that one subscriber has: the address, of IPv6 the /64. */
static struct span network(const struct addr *source)
{
    if (addr_is_v6(source))
        return span_make((const char *)&source->in6.sin6_addr, 8);
    return span_make((const char *)&source->in.sin_addr, 4);
}

static uint64_t hash_of(unsigned kind, const struct addr *source, struct span account)
{
    char key[1 + 8 + sizeof(size_t)] = {(char)('0' + kind)};
    struct span net = kind == ACCOUNT ? SPAN_NULL : network(source);
    size_t name = kind == ADDRESS ? 0 : map_hash(account);
    uint64_t hash;

    if (net.n)
        memcpy(key + 1, net.p, net.n);
    memcpy(key + 9, &name, sizeof(name));
    hash = map_hash(span_make(key, sizeof(key)));
    return hash ? hash : 1;
}

/* ---- counts ---- */

static uint32_t leaked(uint32_t level, uint64_t by)
{
    return by >= level ? 0 : level - (uint32_t)by;
}

static void leak(struct count *count, const struct kind *kind, uint64_t now_ms)
{
    uint64_t passed_ms = now_ms - count->at_ms;

    count->slow_milli = leaked(count->slow_milli, passed_ms * 1000 / kind->leak_ms);
    count->fast_milli = leaked(count->fast_milli, passed_ms * kind->per_s);
    count->at_ms = now_ms;
}

static struct count *find(struct guesses *guesses, uint64_t hash)
{
    struct count *set = guesses->counts[hash % COUNT_SETS];

    for (unsigned i = 0; i < WAYS; i++)
        if (set[i].hash == hash)
            return &set[i];
    return NULL;
}

/* The place of the one that matters least: free, or with the lowest count and the longest quiet. */
static struct count *make(struct guesses *guesses, uint64_t hash, uint64_t now_ms)
{
    struct count *set = guesses->counts[hash % COUNT_SETS], *least = &set[0];

    for (unsigned i = 1; i < WAYS; i++)
        if (set[i].slow_milli < least->slow_milli ||
            (set[i].slow_milli == least->slow_milli && set[i].at_ms < least->at_ms))
            least = &set[i];
    if (least->hash && now_ms - least->at_ms < 60000)
        stats_count(STAT_AUTH_FORGOTTEN);
    *least = (struct count){.hash = hash, .at_ms = now_ms};
    return least;
}

static unsigned hold_ms(const struct count *count, const struct kind *kind)
{
    uint32_t free_milli = kind->free_count * 1000;
    unsigned over = count->slow_milli > free_milli ? (count->slow_milli - free_milli + 999) / 1000 : 0;
    unsigned ms = over ? FIRST_MS << (over - 1) : 0;

    return ms > kind->hold_max_ms ? kind->hold_max_ms : ms;
}

static uint32_t risen(uint32_t level, unsigned most_count)
{
    uint32_t most = most_count * 1000;

    return level + 1000 > most ? most : level + 1000;
}

static void count_one(struct guesses *guesses, unsigned which, uint64_t hash, uint64_t now_ms,
                      struct guess_price *price)
{
    const struct kind *kind = &kinds[which];
    struct count *count = find(guesses, hash);
    unsigned ms;

    if (!count)
        count = make(guesses, hash, now_ms);
    leak(count, kind, now_ms);
    count->slow_milli = risen(count->slow_milli, kind->free_count + SLOW_EXCESS);
    count->fast_milli = risen(count->fast_milli, kind->burst_count + 1);
    ms = hold_ms(count, kind);
    if (ms > price->hold_ms)
        price->hold_ms = ms;
    price->closes |= kind->closes && ms == kind->hold_max_ms;
}

static bool is_flooded(struct guesses *guesses, unsigned which, uint64_t hash, uint64_t now_ms)
{
    struct count *count = find(guesses, hash);

    if (!count)
        return false;
    leak(count, &kinds[which], now_ms);
    return count->fast_milli > kinds[which].burst_count * 1000 - 1000;
}

/* ---- who has proved itself from where ---- */

static struct known *find_known(struct guesses *guesses, uint64_t hash)
{
    struct known *set = guesses->known[hash % KNOWN_SETS];

    for (unsigned i = 0; i < WAYS; i++)
        if (set[i].hash == hash)
            return &set[i];
    return NULL;
}

static struct known *oldest_known(struct guesses *guesses, uint64_t hash)
{
    struct known *set = guesses->known[hash % KNOWN_SETS], *oldest = &set[0];

    for (unsigned i = 1; i < WAYS; i++)
        if (set[i].seen_ms < oldest->seen_ms)
            oldest = &set[i];
    return oldest;
}

/* ---- doors ---- */

bool guesses_may_try(struct guesses *guesses, const struct addr *source, struct span account)
{
    uint64_t now_ms = clock_now_ms(), pair = hash_of(PAIR, source, account);
    bool may;

    pthread_mutex_lock(&guesses->lock);
    may = !is_flooded(guesses, ADDRESS, hash_of(ADDRESS, source, account), now_ms) &&
          (find_known(guesses, pair) || (!is_flooded(guesses, PAIR, pair, now_ms) &&
                                         !is_flooded(guesses, ACCOUNT, hash_of(ACCOUNT, source, account), now_ms)));
    pthread_mutex_unlock(&guesses->lock);
    return may;
}

struct guess_price guesses_note_wrong(struct guesses *guesses, const struct addr *source, struct span account)
{
    struct guess_price price = {0};
    uint64_t now_ms = clock_now_ms(), pair = hash_of(PAIR, source, account);

    pthread_mutex_lock(&guesses->lock);
    if (!is_flooded(guesses, PAIR, pair, now_ms)) /* one address must not close the account for others */
        count_one(guesses, ACCOUNT, hash_of(ACCOUNT, source, account), now_ms, &price);
    count_one(guesses, PAIR, pair, now_ms, &price);
    count_one(guesses, ADDRESS, hash_of(ADDRESS, source, account), now_ms, &price);
    pthread_mutex_unlock(&guesses->lock);
    return price;
}

void guesses_note_right(struct guesses *guesses, const struct addr *source, struct span account)
{
    uint64_t pair = hash_of(PAIR, source, account);
    struct known *known;

    pthread_mutex_lock(&guesses->lock);
    known = find_known(guesses, pair);
    if (!known)
        known = oldest_known(guesses, pair);
    *known = (struct known){.hash = pair, .seen_ms = clock_now_ms()};
    pthread_mutex_unlock(&guesses->lock);
}

static void guesses_destroy(void *self)
{
    struct guesses *guesses = self;

    if (guesses->has_lock)
        pthread_mutex_destroy(&guesses->lock);
}

int guesses_new(struct guesses **guessesp)
{
    struct guesses *guesses = mem_new(sizeof(*guesses), guesses_destroy);
    int err;

    if (!guesses)
        return -ENOMEM;
    err = -pthread_mutex_init(&guesses->lock, NULL);
    guesses->has_lock = !err;
    if (err) {
        mem_unref(guesses);
        return err;
    }
    *guessesp = guesses;
    return 0;
}
