/* SPDX-License-Identifier: Apache-2.0 */
/* trunk_board.c: this worker's copy of what is known about the trunks, kept by watching the store, and its JSON.
 * Finds nothing out itself. */
#include "call/trunk_board.h"

#include <errno.h>
#include <stdio.h>

#include "base/map.h"
#include "base/mem.h"
#include "call/calls.h"
#include "store/store.h"

#define PREFIX "trunk-status:"

struct entry {
    struct map_node node;
    struct trunk_status status;
    char name[]; /* the key */
};

struct trunk_board {
    struct calls *calls;
    struct store_watch *watch;
    struct map entries; /* one per name that was ever published: trunks of all configurations since the start */
};

static const char *const registration_names[] = {
#define X(name, text) text,
    TRUNK_REGISTRATIONS(X)
#undef X
};
static const char *const health_names[] = {
#define X(name, text) text,
    TRUNK_HEALTHS(X)
#undef X
};

static struct entry *find(const struct trunk_board *board, struct span trunk)
{
    struct map_node *node = map_find(&board->entries, trunk);

    return node ? container_of(node, struct entry, node) : NULL;
}

static struct entry *add(struct trunk_board *board, struct span trunk)
{
    struct entry *entry = mem_new(sizeof(*entry) + trunk.n + 1, NULL);

    if (!entry)
        return NULL;
    memcpy(entry->name, trunk.p, trunk.n);
    if (map_put(&board->entries, &entry->node, span_make(entry->name, trunk.n)))
        return mem_unref(entry);
    return entry;
}

static void on_change(void *arg, struct span key, struct span value, bool is_gone)
{
    struct trunk_board *board = arg;
    struct span trunk = span_sub(key, sizeof(PREFIX) - 1, key.n);
    struct entry *entry = find(board, trunk);

    if (!entry && !is_gone)
        entry = add(board, trunk);
    if (!entry)
        return;
    entry->status = (struct trunk_status){0};
    if (!is_gone && value.n == sizeof(entry->status))
        memcpy(&entry->status, value.p, sizeof(entry->status));
    directory_note_addresses(board->calls->directory, trunk, entry->status.addrs, entry->status.addr_count);
}

static void trunk_board_destroy(void *self)
{
    struct trunk_board *board = self;
    struct map_node *node, *next;

    store_unwatch(board->calls->store, board->watch);
    for (node = map_next(&board->entries, NULL); node; node = next) {
        next = map_next(&board->entries, node);
        map_remove(node);
        mem_unref(container_of(node, struct entry, node));
    }
    map_free(&board->entries);
}

int trunk_board_new(struct trunk_board **boardp, struct calls *calls)
{
    struct trunk_board *board = mem_new(sizeof(*board), trunk_board_destroy);
    int err;

    if (!board)
        return -ENOMEM;
    board->calls = calls;
    map_init(&board->entries);
    err = store_watch(calls->store, &board->watch, SPAN(PREFIX), on_change, board);
    if (err) {
        mem_unref(board);
        return err;
    }
    *boardp = board;
    return 0;
}

const struct trunk_status *trunk_board_get(const struct trunk_board *board, struct span trunk)
{
    static const struct trunk_status unknown;
    const struct entry *entry = find(board, trunk);

    return entry ? &entry->status : &unknown;
}

bool trunk_board_is_down(struct span trunk, void *board)
{
    return trunk_board_get(board, trunk)->health == TRUNK_DOWN;
}

void trunk_board_apply(const struct trunk_board *board)
{
    struct map_node *node;

    for (node = map_next(&board->entries, NULL); node; node = map_next(&board->entries, node)) {
        const struct entry *entry = container_of(node, struct entry, node);

        directory_note_addresses(board->calls->directory, node->key, entry->status.addrs, entry->status.addr_count);
    }
}

static void on_published(int err, struct span value, uint64_t version, void *arg)
{
}

void trunk_board_publish(struct store *store, struct span trunk, const struct trunk_status *status)
{
    char key[STORE_KEY_MAX];

    snprintf(key, sizeof(key), PREFIX "%.*s", SPAN_ARG(trunk));
    if (status)
        store_put(store, span_of(key), span_make(status, sizeof(*status)), 0, on_published, NULL);
    else
        store_drop(store, span_of(key), on_published, NULL);
}

/* ---- for the operator ---- */

static void write_part(struct text *out, const char *name, const char *state, uint64_t since_ms, const char *error)
{
    text_addf(out, ", \"%s\": {\"state\": \"%s\", \"since\": %.3f, \"last_error\": ", name, state,
              (double)since_ms / 1e3);
    text_add_json(out, span_of(error));
    text_add_char(out, '}');
}

static const char *summary(const struct conf_trunk *conf, const struct trunk_status *status)
{
    if (status->health == TRUNK_DOWN)
        return "down";
    if (conf->is_register && status->registration != TRUNK_REGISTRATION_REGISTERED)
        return "unregistered";
    return status->health == TRUNK_UP || conf->is_register ? "up" : "unknown";
}

static void write_trunk(const struct trunk_board *board, const struct conf_trunk *conf, struct text *out)
{
    const struct trunk_status *status = trunk_board_get(board, span_of(conf->name));

    text_add_str(out, "{\"name\": ");
    text_add_json(out, span_of(conf->name));
    text_addf(out, ", \"state\": \"%s\"", summary(conf, status));
    if (conf->is_register)
        write_part(out, "registration", registration_names[status->registration], status->registration_since_ms,
                   status->registration_error);
    if (conf->is_register)
        text_addf(out, ", \"expires_s\": %u", status->registration_expires_s);
    if (conf->options_every_s)
        write_part(out, "health", health_names[status->health], status->health_since_ms, status->health_error);
    text_add_char(out, '}');
}

void trunk_board_write(const struct trunk_board *board, struct text *out)
{
    const struct conf *conf = board->calls->conf;

    text_add_str(out, "[\n");
    for (size_t i = 0; i < conf->trunk_count; i++) {
        write_trunk(board, &conf->trunks[i], out);
        text_add_str(out, i + 1 < conf->trunk_count ? ",\n" : "\n");
    }
    text_add_str(out, "]\n");
}
