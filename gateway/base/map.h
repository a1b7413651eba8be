/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

/* map.h: intrusive hash table with keyed hashing (SipHash, one random key per process), so that peers cannot choose
 * collisions. Nodes sit inside the objects; keys are borrowed from the objects and must not change while linked.
 * Growth is the only allocation: when it fails the table stays correct, only slower. */

struct map_node {
    struct map_node *next;
    struct map *map; /* NULL: not in a table */
    struct span key;
    size_t hash;
};

struct map {
    struct map_node **buckets;
    size_t bucket_count; /* power of two, 0 before the first put */
    size_t count;
};

void map_init(struct map *map);
/** Frees the buckets; the nodes are left as not linked. */
void map_free(struct map *map);

/** Link a node under a key. @return 0; -EEXIST if the key is there; -ENOMEM only for the very first bucket array */
int map_put(struct map *map, struct map_node *node, struct span key);
struct map_node *map_find(const struct map *map, struct span key);
/** The same in three steps, for many at once: map_hash() of the key, map_fetch() the memory, then find it. */
struct map_node *map_find_hashed(const struct map *map, struct span key, size_t hash);
void map_fetch(const struct map *map, size_t hash);
/** Unlink; idempotent. A zeroed node counts as not linked. */
void map_remove(struct map_node *node);

/** Walk: node = map_next(map, NULL) is the first one. Removing the node just returned is allowed only if its successor
 * was asked for before. */
struct map_node *map_next(const struct map *map, const struct map_node *node);

/** Keyed 64-bit hash of bytes, the same in the whole process. */
size_t map_hash(struct span key);
