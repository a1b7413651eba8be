/* SPDX-License-Identifier: Apache-2.0 */
/* loader.c: opens the plugins of the configuration, checks their ABI number, creates and destroys them.
 * Knows no calls: nothing here gives a plugin one. */
#include "plugin/loader.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "sipway/plugin.h"

struct loaded {
    struct sipway_host host; /* first: the plugin's log lines find their plugin by it */
    char name[64];
    void *library;
    const struct sipway_plugin *plugin; /* NULL until created */
    void *self;
};

struct plugins {
    struct loaded *items;
    size_t count;
};

static void host_log(const struct sipway_host *host, enum sipway_log_level level, const char *line)
{
    static const enum log_level levels[] = {LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG};
    const struct loaded *one = (const struct loaded *)host;
    char buf[1024];
    struct text text;

    text_init_fixed(&text, buf, sizeof(buf));
    text_add_escaped(&text, span_sub(span_of(line), 0, 240)); /* one byte becomes four at most */
    log_line(levels[level <= SIPWAY_LOG_DEBUG ? level : SIPWAY_LOG_DEBUG], "plugin %s: %s", one->name, buf);
}

static void unload(struct loaded *one)
{
    if (one->plugin)
        one->plugin->destroy(one->self);
    if (one->library)
        dlclose(one->library);
}

static void plugins_destroy(void *self)
{
    struct plugins *plugins = self;

    for (size_t i = plugins->count; i-- > 0;)
        unload(&plugins->items[i]);
    mem_unref(plugins->items);
}

/* A name becomes a file name: letters, digits, '-' and '_' only. */
static bool is_plain(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

    return n && !name[n] && n < sizeof(((struct loaded *)0)->name);
}

static int check(const struct sipway_plugin *plugin, const char *name, struct text *err_out)
{
    if (plugin->abi_major != SIPWAY_ABI_MAJOR || plugin->abi_minor > SIPWAY_ABI_MINOR) {
        text_addf(err_out, "plugin %s was built for ABI %u.%u, this gateway has %u.%u", name, plugin->abi_major,
                  plugin->abi_minor, SIPWAY_ABI_MAJOR, SIPWAY_ABI_MINOR);
        return -EPROTO;
    }
    if (!plugin->name || strcmp(plugin->name, name) || !plugin->create || !plugin->destroy) {
        text_addf(err_out, "plugin %s calls itself \"%.40s\" or lacks a function", name,
                  plugin->name ? plugin->name : "");
        return -EPROTO;
    }
    return 0;
}

static int open_library(struct loaded *one, const char *folder, struct text *err_out)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof(path), "%s/%s.so", folder, one->name) >= (int)sizeof(path) || access(path, F_OK)) {
        text_addf(err_out, "plugin %s: there is no %s/%s.so", one->name, folder, one->name);
        return -ENOENT;
    }
    one->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!one->library) {
        text_addf(err_out, "plugin %s cannot be loaded: %s", one->name, dlerror());
        return -EPROTO;
    }
    return 0;
}

static int load(struct loaded *one, const char *name, const char *folder, struct text *err_out)
{
    const struct sipway_plugin *plugin;
    int err;

    if (!is_plain(name)) {
        text_addf(err_out, "plugin \"%.64s\": a name is letters, digits, '-' and '_', at most 63", name);
        return -EPROTO;
    }
    span_copy(span_of(name), one->name, sizeof(one->name));
    err = open_library(one, folder, err_out);
    if (err)
        return err;
    plugin = dlsym(one->library, "sipway_plugin");
    if (!plugin) {
        text_addf(err_out, "plugin %s: %s.so is no plugin of Sipway: it has no symbol sipway_plugin", name, name);
        return -EPROTO;
    }
    err = check(plugin, name, err_out);
    if (err)
        return err;
    one->host.log = host_log;
    err = plugin->create(&one->self, &one->host);
    if (err) {
        text_addf(err_out, "plugin %s does not start: %s", name, err_text(err));
        return err < 0 ? err : -EPROTO;
    }
    one->plugin = plugin;
    return 0;
}

int plugin_load_all(struct plugins **pluginsp, const struct conf *conf, const char *folder, struct text *err_out)
{
    struct plugins *plugins = mem_new(sizeof(*plugins), plugins_destroy);
    int err = 0;

    if (!plugins)
        return -ENOMEM;
    if (conf->plugins.count)
        plugins->items = mem_new(conf->plugins.count * sizeof(*plugins->items), NULL);
    if (conf->plugins.count && !plugins->items)
        err = -ENOMEM;
    for (size_t i = 0; i < conf->plugins.count && !err; i++) {
        plugins->count = i + 1;
        err = load(&plugins->items[i], conf->plugins.items[i], folder ? folder : SIPWAY_PLUGINDIR, err_out);
    }
    if (err) {
        mem_unref(plugins);
        return err;
    }
    *pluginsp = plugins;
    return 0;
}
