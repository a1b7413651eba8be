/* SPDX-License-Identifier: Apache-2.0 */
/* pbx_table.c: the table of users who are logged in at a PBX through this gateway. Knows no REGISTER, no trunk but by
 * its name, and no call. Bounded: per user, per connection, per trunk. */
#include "call/pbx_table.h"

#include <errno.h>
#include <inttypes.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/print.h"
#include "base/stats.h"
#include "call/home.h"
#include "call/trunk_limit.h"

#define FLOW_KEY_MAX (ADDR_TEXT_MAX + 48)

struct pbx_group {
    struct map_node node;
    char key[FLOW_KEY_MAX];
    struct list members;
    unsigned count;
};

struct pbx_table {
    struct calls *calls;
    struct map names, users, flows;
};

static void table_destroy(void *self)
{
    struct pbx_table *table = self;
    struct map_node *node;

    while ((node = map_next(&table->names, NULL)))
        pbx_binding_drop(container_of(node, struct pbx_binding, by_name));
    map_free(&table->names);
    map_free(&table->users);
    map_free(&table->flows);
}

int pbx_table_new(struct pbx_table **tablep, struct calls *calls)
{
    struct pbx_table *table = mem_new(sizeof(*table), table_destroy);

    if (!table)
        return -ENOMEM;
    table->calls = calls;
    map_init(&table->names);
    map_init(&table->users);
    map_init(&table->flows);
    *tablep = table;
    return 0;
}

unsigned pbx_table_count(const struct pbx_table *table)
{
    return (unsigned)table->names.count;
}

/* ---- the trunk's limit, over all workers ---- */

static int count_user(struct store *store, const char *trunk, int64_t delta, unsigned limit)
{
    return limit_count(store, "users-trunk", trunk, delta, limit, 0);
}

static bool is_trunk_full(struct store *store, const struct conf_trunk *trunk)
{
    if (count_user(store, trunk->name, 1, trunk->max_users))
        return true;
    count_user(store, trunk->name, -1, 0);
    return false;
}

/* ---- names ---- */

int pbx_name_make(char name[static PBX_NAME_MAX], const struct calls *calls, struct span aor, struct span contact,
                  struct span instance, uint32_t reg_id)
{
    char buf[1024];
    struct text text;

    text_init_fixed(&text, buf, sizeof(buf));
    if (instance.n && reg_id)
        text_addf(&text, "%.*s|%.*s|%" PRIu32, SPAN_ARG(aor), SPAN_ARG(instance), reg_id); /* RFC 5626 6 */
    else
        text_addf(&text, "%.*s|%.*s", SPAN_ARG(aor), SPAN_ARG(contact));
    if (text_err(&text))
        return text_err(&text);
    print_into(name, PBX_NAME_MAX, "w%u.%016" PRIx64, calls->worker, (uint64_t)map_hash(text_span(&text)));
    return 0;
}

bool pbx_name_is(struct span user)
{
    ptrdiff_t dot = span_find(user, '.');

    if (sip_tag_worker(user) < 0 || user.n != (size_t)dot + 17)
        return false;
    for (size_t i = (size_t)dot + 1; i < user.n; i++)
        if (!(user.p[i] >= '0' && user.p[i] <= '9') && !(user.p[i] >= 'a' && user.p[i] <= 'f'))
            return false;
    return true;
}

/* ---- groups: of a user, of a flow ---- */

static struct span flow_key(char key[static FLOW_KEY_MAX], const struct sip_flow *flow)
{
    char remote[ADDR_TEXT_MAX];
    int n;

    if (flow->transport == SIP_UDP)
        n = print_into(key, FLOW_KEY_MAX, "%u %s", flow->listener, addr_text(&flow->remote, remote));
    else
        n = print_into(key, FLOW_KEY_MAX, "%u.%u.%u.%u", flow->transport, flow->worker, flow->slot, flow->serial);
    return span_make(key, (size_t)n);
}

static struct pbx_group *find_group(const struct map *map, struct span key)
{
    struct map_node *node = map_find(map, key);

    return node ? container_of(node, struct pbx_group, node) : NULL;
}

static struct pbx_group *get_group(struct map *map, struct span key)
{
    struct pbx_group *group = find_group(map, key);

    if (group)
        return group;
    group = mem_new(sizeof(*group), NULL);
    if (!group)
        return NULL;
    list_init(&group->members);
    if (span_copy(key, group->key, sizeof(group->key)) < 0 || map_put(map, &group->node, span_of(group->key)))
        return mem_unref(group);
    return group;
}

static void leave_group(struct pbx_group **groupp, struct list *link)
{
    struct pbx_group *group = *groupp;

    *groupp = NULL;
    list_remove(link);
    if (!group || --group->count)
        return;
    map_remove(&group->node);
    mem_unref(group);
}

static int join_group(struct pbx_group **groupp, struct list *link, struct map *map, struct span key)
{
    struct pbx_group *group = get_group(map, key);

    if (!group)
        return -ENOMEM;
    group->count++;
    list_append(&group->members, link);
    *groupp = group;
    return 0;
}

/* ---- look-ups ---- */

struct pbx_binding *pbx_table_find(const struct pbx_table *table, struct span name)
{
    struct map_node *node = map_find(&table->names, name);

    return node ? container_of(node, struct pbx_binding, by_name) : NULL;
}

struct pbx_binding *pbx_table_of(const struct pbx_table *table, struct span aor, const struct sip_flow *flow)
{
    struct pbx_group *group = find_group(&table->users, aor);
    struct list *link, *tmp;

    if (!group)
        return NULL;
    list_each (link, tmp, &group->members) {
        struct pbx_binding *binding = container_of(link, struct pbx_binding, user_link);

        if (!binding->is_lost && sip_flow_same(&binding->device.flow, flow))
            return binding;
    }
    return NULL;
}

/* Whoever reloads a page has lost a device, and comes back with another: lost ones are in nobody's way. */
static unsigned count_there(const struct pbx_group *user)
{
    struct list *link, *tmp;
    unsigned count = 0;

    list_each (link, tmp, &user->members)
        count += !container_of(link, struct pbx_binding, user_link)->is_lost;
    return count;
}

const char *pbx_table_check(const struct pbx_table *table, const struct pbx_login *login)
{
    const struct pbx_binding *former = pbx_table_find(table, span_of(login->name));
    const struct pbx_group *user = find_group(&table->users, login->aor);
    char key[FLOW_KEY_MAX];
    const struct pbx_group *connection = find_group(&table->flows, flow_key(key, &login->device->flow));

    if (former && !former->is_lost)
        return NULL;
    if (user && count_there(user) >= table->calls->conf->sip.max_bindings)
        return "too many devices of this user are logged in";
    if (connection && connection->count >= PBX_PER_FLOW_MAX)
        return "too many users are logged in over this connection";
    return is_trunk_full(table->calls->store, login->trunk) ? "too many users are logged in at this trunk" : NULL;
}

/* ---- changes ---- */

static void binding_destroy(void *self)
{
    struct pbx_binding *binding = self;

    timer_stop(&binding->expiry);
    map_remove(&binding->by_name);
    leave_group(&binding->user, &binding->user_link);
    leave_group(&binding->connection, &binding->flow_link);
    mem_unref(binding->path);
    mem_unref(binding->routes);
    mem_unref(binding->next_hop);
    if (binding->credentials)
        mem_wipe(binding->credentials, strlen(binding->credentials));
    mem_unref(binding->credentials);
    mem_unref(binding->registrar);
    mem_unref(binding->to);
    mem_unref(binding->digest_user);
}

/* It is no longer, or not yet again, one of those who are logged in. */
static void discount(struct pbx_binding *binding)
{
    stats_add(STAT_PBX_USERS, -1);
    count_user(binding->table->calls->store, binding->trunk, -1, 0);
}

void pbx_binding_drop(struct pbx_binding *binding)
{
    if (!binding)
        return;
    if (!binding->is_lost)
        discount(binding);
    mem_unref(binding);
}

static void on_expiry(void *arg)
{
    pbx_binding_drop(arg);
}

static int set(char **textp, struct span value)
{
    char *copy = mem_text(value.p, value.n);

    if (!copy)
        return -ENOMEM;
    if (*textp)
        mem_wipe(*textp, strlen(*textp));
    mem_unref(*textp);
    *textp = copy;
    return 0;
}

/* @return 0; -ENOMEM: it is as it was, or has some of the new texts, which is as good */
static int set_texts(struct pbx_binding *binding, const struct pbx_login *login)
{
    return set(&binding->path, login->path) || set(&binding->routes, login->routes) ||
                   set(&binding->next_hop, login->next_hop) || set(&binding->credentials, login->credentials) ||
                   set(&binding->registrar, login->registrar) || set(&binding->to, login->to) ||
                   set(&binding->digest_user, login->digest_user)
               ? -ENOMEM
               : 0;
}

static int set_flow(struct pbx_binding *binding, const struct binding *device)
{
    char key[FLOW_KEY_MAX];

    leave_group(&binding->connection, &binding->flow_link);
    binding->device = *device;
    return join_group(&binding->connection, &binding->flow_link, &binding->table->flows, flow_key(key, &device->flow));
}

static int new_binding(struct pbx_binding **bindingp, struct pbx_table *table, const struct pbx_login *login)
{
    struct pbx_binding *binding = mem_new(sizeof(*binding), binding_destroy);
    int err;

    if (!binding)
        return -ENOMEM;
    binding->table = table;
    span_copy(span_of(login->name), binding->name, sizeof(binding->name));
    span_copy(span_of(login->trunk->name), binding->trunk, sizeof(binding->trunk));
    err = span_copy(login->aor, binding->aor, sizeof(binding->aor)) < 0 ? -ENOSPC : 0;
    if (!err)
        err = map_put(&table->names, &binding->by_name, span_of(binding->name));
    if (!err)
        err = join_group(&binding->user, &binding->user_link, &table->users, span_of(binding->aor));
    if (err) {
        mem_unref(binding);
        return err;
    }
    *bindingp = binding;
    return 0;
}

/* What a user has lost is bounded as well: the first to go is what was lost first, which is the first in the list. */
static void make_room(struct pbx_table *table, struct span aor)
{
    struct pbx_group *user = find_group(&table->users, aor);
    struct list *link, *tmp;

    if (!user || user->count < table->calls->conf->sip.max_bindings)
        return;
    list_each (link, tmp, &user->members) {
        struct pbx_binding *binding = container_of(link, struct pbx_binding, user_link);

        if (binding->is_lost) {
            pbx_binding_drop(binding);
            return;
        }
    }
}

/* A new one, or one that was lost and is back. */
static int let_in(struct pbx_binding **bindingp, struct pbx_table *table, const struct pbx_login *login)
{
    int err = 0;

    if (pbx_table_check(table, login) ||
        count_user(table->calls->store, login->trunk->name, 1, login->trunk->max_users))
        return -EBUSY;
    if (*bindingp) {
        (*bindingp)->is_lost = false;
    } else {
        make_room(table, login->aor);
        err = new_binding(bindingp, table, login);
    }
    if (err)
        count_user(table->calls->store, login->trunk->name, -1, 0);
    else
        stats_add(STAT_PBX_USERS, 1);
    return err;
}

int pbx_table_put(struct pbx_binding **bindingp, struct pbx_table *table, const struct pbx_login *login)
{
    struct pbx_binding *binding = pbx_table_find(table, span_of(login->name));
    int err = 0;

    if (binding && !span_eq(span_of(binding->aor), login->aor))
        return -EEXIST;
    if (!binding || binding->is_lost)
        err = let_in(&binding, table, login);
    if (err)
        return err;
    err = set_texts(binding, login);
    if (!err)
        err = set_flow(binding, login->device);
    if (err) {
        pbx_binding_drop(binding);
        return err;
    }
    binding->expires_ms = clock_now_us() / 1000 + login->expires_s * 1000ull;
    timer_start(table->calls->stack->wheel, &binding->expiry, login->expires_s * 1000ull, on_expiry, binding);
    *bindingp = binding;
    return 0;
}

void pbx_table_drop_user(struct pbx_table *table, struct span aor)
{
    struct pbx_group *group;

    while ((group = find_group(&table->users, aor)))
        pbx_binding_drop(container_of(list_first(&group->members), struct pbx_binding, user_link));
}

void pbx_table_review(struct pbx_table *table, bool (*is_still)(const struct pbx_binding *binding, void *arg),
                      void *arg)
{
    struct map_node *node, *next;

    for (node = map_next(&table->names, NULL); node; node = next) {
        struct pbx_binding *binding = container_of(node, struct pbx_binding, by_name);

        next = map_next(&table->names, node);
        if (!is_still(binding, arg))
            pbx_binding_drop(binding);
    }
}

void pbx_table_lose_flow(struct pbx_table *table, const struct sip_flow *flow,
                         void (*fn)(struct pbx_binding *binding, void *arg), void *arg)
{
    char key[FLOW_KEY_MAX];
    struct pbx_group *group;

    while ((group = find_group(&table->flows, flow_key(key, flow)))) {
        struct pbx_binding *binding = container_of(list_first(&group->members), struct pbx_binding, flow_link);

        leave_group(&binding->connection, &binding->flow_link);
        discount(binding);
        binding->is_lost = true;
        list_remove(&binding->user_link);
        list_append(&binding->user->members, &binding->user_link);
        fn(binding, arg);
    }
}
