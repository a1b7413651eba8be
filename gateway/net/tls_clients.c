/* SPDX-License-Identifier: Apache-2.0 */
/* tls_clients.c: one TLS context for each trunk with settings of its own. Entries are added, never taken away, while
 * workers read: a trunk that is gone leaves its entry unused. Knows names and files. */
#include "net/tls_clients.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

struct entry {
    struct entry *next;
    char *name;
    struct tls *tls; /* read by any thread */
    unsigned generation;
    bool is_used;
    struct tls *former; /* a worker may just take a connection from it */
    char *certificate, *key, *ca;
    bool verifies;
};

struct tls_clients {
    struct entry *first;
};

static _Thread_local char why_text[320];

static void entry_destroy(void *self)
{
    struct entry *entry = self;

    mem_unref(entry->tls);
    mem_unref(entry->former);
    mem_unref(entry->name);
    mem_unref(entry->certificate);
    mem_unref(entry->key);
    mem_unref(entry->ca);
}

static void tls_clients_destroy(void *self)
{
    struct tls_clients *clients = self;

    for (struct entry *entry = clients->first, *next; entry; entry = next) {
        next = entry->next;
        mem_unref(entry);
    }
}

static bool has_settings(const struct conf_trunk *trunk)
{
    return trunk->certificate || trunk->ca || !trunk->verifies;
}

static bool is_same(const char *left, const char *right)
{
    return span_eq(span_of(left), span_of(right));
}

static bool is_unchanged(const struct entry *entry, const struct conf_trunk *trunk)
{
    return entry->is_used && entry->tls && entry->verifies == trunk->verifies &&
           is_same(entry->certificate, trunk->certificate) && is_same(entry->key, trunk->key) &&
           is_same(entry->ca, trunk->ca);
}

static struct entry *find(const struct tls_clients *clients, const char *name)
{
    struct entry *entry = __atomic_load_n(&clients->first, __ATOMIC_ACQUIRE);

    while (entry && strcmp(entry->name, name) != 0)
        entry = entry->next;
    return entry;
}

static int replace(char **textp, const char *text)
{
    char *copy = text ? mem_text(text, strlen(text)) : NULL;

    if (text && !copy)
        return -ENOMEM;
    mem_unref(*textp);
    *textp = copy;
    return 0;
}

/* The former context lives until the next change: SSL objects made of it hold it, but one may be just about to be. */
static int set_settings(struct entry *entry, const struct conf_trunk *trunk, const char **why_out)
{
    struct tls_client_options options = {trunk->certificate, trunk->key, trunk->ca, trunk->verifies};
    struct tls *tls = NULL;
    int err = tls_client_open(&tls, &options, why_out);

    mem_unref(entry->former);
    entry->former = entry->tls;
    if (replace(&entry->certificate, trunk->certificate) || replace(&entry->key, trunk->key) ||
        replace(&entry->ca, trunk->ca))
        err = -ENOMEM;
    entry->verifies = trunk->verifies;
    if (err)
        tls = mem_unref(tls);
    __atomic_store_n(&entry->tls, tls, __ATOMIC_RELEASE);
    __atomic_add_fetch(&entry->generation, 1, __ATOMIC_RELEASE);
    __atomic_store_n(&entry->is_used, true, __ATOMIC_RELEASE);
    return err;
}

static int add(struct tls_clients *clients, struct entry **entryp, const char *name)
{
    struct entry *entry = mem_new(sizeof(*entry), entry_destroy);

    if (!entry)
        return -ENOMEM;
    entry->name = mem_text(name, strlen(name));
    if (!entry->name) {
        mem_unref(entry);
        return -ENOMEM;
    }
    entry->next = clients->first;
    __atomic_store_n(&clients->first, entry, __ATOMIC_RELEASE);
    *entryp = entry;
    return 0;
}

static void warn_unverified(const struct conf_trunk *trunk)
{
    if (!trunk->verifies)
        log_warn(
            "trunk \"%s\": verify is false: ITS CERTIFICATE IS NOT CHECKED, whoever is between can read and change "
            "every call",
            trunk->name);
}

/* @return 0; -EINVAL, -ENOMEM with a sentence */
static int take(struct tls_clients *clients, const struct conf_trunk *trunk, const char **why_out)
{
    struct entry *entry = find(clients, trunk->name);
    int err;

    *why_out = "out of memory";
    warn_unverified(trunk);
    if (entry && is_unchanged(entry, trunk))
        return tls_reload(entry->tls, why_out);
    err = entry ? 0 : add(clients, &entry, trunk->name);
    return err ? err : set_settings(entry, trunk, why_out);
}

int tls_clients_new(struct tls_clients **clientsp, const struct conf *conf, const char **why_out)
{
    struct tls_clients *clients = mem_new(sizeof(*clients), tls_clients_destroy);
    int err = clients ? 0 : -ENOMEM;
    const char *why = "";

    for (size_t i = 0; !err && i < conf->trunk_count; i++) {
        if (!has_settings(&conf->trunks[i]))
            continue;
        err = take(clients, &conf->trunks[i], &why);
        if (err) {
            snprintf(why_text, sizeof(why_text), "trunk \"%s\": %s", conf->trunks[i].name, why);
            *why_out = why_text;
        }
    }
    if (err)
        mem_unref(clients);
    else
        *clientsp = clients;
    return err;
}

void tls_clients_reload(struct tls_clients *clients, const struct conf *conf)
{
    const char *why = "";

    for (size_t i = 0; i < conf->trunk_count; i++)
        if (has_settings(&conf->trunks[i]) && take(clients, &conf->trunks[i], &why))
            log_error("reload: trunk \"%s\": %s", conf->trunks[i].name, why ? why : "out of memory");
    for (struct entry *entry = clients->first; entry; entry = entry->next) {
        const struct conf_trunk *trunk = conf_find_trunk(conf, span_of(entry->name));

        if (!trunk || !has_settings(trunk))
            __atomic_store_n(&entry->is_used, false, __ATOMIC_RELEASE);
    }
}

bool tls_clients_find(struct tls_choice *choice, const struct tls_clients *clients, const char *trunk)
{
    const struct entry *entry = clients && trunk ? find(clients, trunk) : NULL;

    if (!entry || !__atomic_load_n(&entry->is_used, __ATOMIC_ACQUIRE))
        return false;
    choice->generation = __atomic_load_n(&entry->generation, __ATOMIC_ACQUIRE);
    choice->tls = __atomic_load_n(&entry->tls, __ATOMIC_ACQUIRE);
    return true;
}
