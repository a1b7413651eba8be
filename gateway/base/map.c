/* SPDX-License-Identifier: Apache-2.0 */
/* map.c: intrusive hash table with chained buckets and a keyed hash (SipHash-1-3, Aumasson and Bernstein 2012).
 * Owns the bucket array and nothing else. */
#include "base/map.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/rand.h"

#define FIRST_BUCKETS 16

static uint64_t hash_key[2];
static pthread_once_t hash_key_once = PTHREAD_ONCE_INIT;

static void make_hash_key(void)
{
    rand_bytes(hash_key, sizeof(hash_key));
}

static uint64_t rotate(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
}

static uint64_t siphash13(const uint64_t key[2], struct span s)
{
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du, key[0] ^ 0x6c7967656e657261u,
                     key[1] ^ 0x7465646279746573u};
    uint64_t word, last = (uint64_t)s.n << 56;
    size_t at;

    for (at = 0; at + 8 <= s.n; at += 8) {
        memcpy(&word, s.p + at, 8);
        sip_word(v, word);
    }
    for (unsigned i = 0; at + i < s.n; i++)
        last |= (uint64_t)(unsigned char)s.p[at + i] << (8 * i);
    sip_word(v, last);
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

size_t map_hash(struct span key)
{
    pthread_once(&hash_key_once, make_hash_key);
    return (size_t)siphash13(hash_key, key);
}

void map_init(struct map *map)
{
    *map = (struct map){0};
}

static struct map_node **bucket_of(const struct map *map, size_t hash)
{
    return &map->buckets[hash & (map->bucket_count - 1)];
}

static void link_node(struct map *map, struct map_node *node)
{
    struct map_node **bucket = bucket_of(map, node->hash);

    node->next = *bucket;
    *bucket = node;
}

void map_free(struct map *map)
{
    for (size_t i = 0; i < map->bucket_count; i++) {
        struct map_node *next;

        for (struct map_node *node = map->buckets[i]; node; node = next) {
            next = node->next;
            node->next = NULL;
            node->map = NULL;
        }
    }
    mem_unref(map->buckets);
    map_init(map);
}

static int grow(struct map *map)
{
    struct map wider = {.bucket_count = map->bucket_count ? map->bucket_count * 2 : FIRST_BUCKETS};

    wider.buckets = mem_new(wider.bucket_count * sizeof(*wider.buckets), NULL);
    if (!wider.buckets)
        return -ENOMEM;
    for (size_t i = 0; i < map->bucket_count; i++) {
        struct map_node *next;

        for (struct map_node *node = map->buckets[i]; node; node = next) {
            next = node->next;
            link_node(&wider, node);
        }
    }
    mem_unref(map->buckets);
    map->buckets = wider.buckets;
    map->bucket_count = wider.bucket_count;
    return 0;
}

struct map_node *map_find_hashed(const struct map *map, struct span key, size_t hash)
{
    if (!map->bucket_count)
        return NULL;
    for (struct map_node *node = *bucket_of(map, hash); node; node = node->next) {
        if (node->hash == hash && span_eq(node->key, key))
            return node;
    }
    return NULL;
}

int map_put(struct map *map, struct map_node *node, struct span key)
{
    size_t hash = map_hash(key);

    if (map_find_hashed(map, key, hash))
        return -EEXIST;
    if (map->count >= map->bucket_count && grow(map) && !map->bucket_count)
        return -ENOMEM;
    node->map = map;
    node->key = key;
    node->hash = hash;
    link_node(map, node);
    map->count++;
    return 0;
}

void map_fetch(const struct map *map, size_t hash)
{
    if (map->bucket_count)
        __builtin_prefetch(*bucket_of(map, hash));
}

struct map_node *map_find(const struct map *map, struct span key)
{
    return map->count ? map_find_hashed(map, key, map_hash(key)) : NULL;
}

void map_remove(struct map_node *node)
{
    struct map_node **at;

    if (!node->map)
        return;
    for (at = bucket_of(node->map, node->hash); *at != node; at = &(*at)->next)
        ;
    *at = node->next;
    node->map->count--;
    node->next = NULL;
    node->map = NULL;
}

struct map_node *map_next(const struct map *map, const struct map_node *node)
{
    size_t i = 0;

    if (node && node->next)
        return node->next;
    if (node)
        i = (node->hash & (map->bucket_count - 1)) + 1;
    for (; i < map->bucket_count; i++) {
        if (map->buckets[i])
            return map->buckets[i];
    }
    return NULL;
}
