/* SPDX-License-Identifier: Apache-2.0 */
/* http_pages.c: the static pages, read once into memory: a path of a request is a key, never a file name, so there is
 * nothing to climb out of. Knows nothing of HTTP. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/ws_house.h"

#define PAGE_BYTES_MAX  (8u << 20)
#define PAGES_BYTES_MAX (32u << 20)
#define DEPTH_MAX       3
#define PATH_BYTES      512

struct http_pages {
    struct map map;
    size_t total_bytes;
};

static const struct {
    const char *suffix, *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".map", "application/json"},
    {".webmanifest", "application/manifest+json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".jpg", "image/jpeg"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".wav", "audio/wav"},
    {".mp3", "audio/mpeg"},
    {".ogg", "audio/ogg"},
    {".wasm", "application/wasm"},
    {".txt", "text/plain; charset=utf-8"},
};

static const char *find_type(struct span path)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
        if (span_ends(path, span_of(types[i].suffix)))
            return types[i].type;
    return "application/octet-stream";
}

static void page_destroy(void *self)
{
    struct http_page *page = self;

    map_remove(&page->node);
    mem_unref(page->path);
    mem_unref(page->bytes);
}

static void pages_destroy(void *self)
{
    struct http_pages *pages = self;
    struct map_node *node;

    while ((node = map_next(&pages->map, NULL)))
        mem_unref(container_of(node, struct http_page, node));
    map_free(&pages->map);
}

static int read_all(int fd, char *bytes, size_t n)
{
    size_t at = 0;

    while (at < n) {
        ssize_t got = read(fd, bytes + at, n - at);

        if (got <= 0)
            return got < 0 ? -errno : -EIO;
        at += (size_t)got;
    }
    return 0;
}

static int page_load(struct http_page *page, int fd, size_t n, struct span path)
{
    page->path = mem_text(path.p, path.n);
    page->bytes = mem_new(n + 1, NULL);
    if (!page->path || !page->bytes)
        return -ENOMEM;
    page->n = n;
    page->type = find_type(path);
    return read_all(fd, page->bytes, n);
}

/* FNV-1a: the tag must be the same on every worker and after a restart. */
static void set_etag(struct http_page *page)
{
    uint64_t hash = 14695981039346656037u;

    for (size_t i = 0; i < page->n; i++)
        hash = (hash ^ (unsigned char)page->bytes[i]) * 1099511628211u;
    snprintf(page->etag, sizeof(page->etag), "\"%016llx\"", (unsigned long long)hash);
}

static int add_file(struct http_pages *pages, int fd, size_t n, struct span path)
{
    struct http_page *page;
    int err;

    if (n > PAGE_BYTES_MAX || pages->total_bytes + n > PAGES_BYTES_MAX)
        return -EFBIG;
    page = mem_new(sizeof(*page), page_destroy);
    if (!page)
        return -ENOMEM;
    err = page_load(page, fd, n, path);
    if (!err)
        err = map_put(&pages->map, &page->node, span_of(page->path));
    if (err) {
        mem_unref(page);
        return err;
    }
    set_etag(page);
    pages->total_bytes += n;
    return 0;
}

static int add_folder(struct http_pages *pages, int fd_taken, const char *prefix, int depth);

static int add_entry(struct http_pages *pages, int folder_fd, const char *prefix, const char *name, int depth)
{
    char path[PATH_BYTES];
    struct stat info;
    int fd, err = 0;

    if (name[0] == '.' || snprintf(path, sizeof(path), "%s/%s", prefix, name) >= (int)sizeof(path))
        return 0;
    fd = openat(folder_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &info)) {
        err = -errno;
        if (fd >= 0)
            close(fd);
        return err;
    }
    if (S_ISDIR(info.st_mode) && depth < DEPTH_MAX)
        return add_folder(pages, fd, path, depth + 1);
    if (S_ISREG(info.st_mode))
        err = add_file(pages, fd, (size_t)info.st_size, span_of(path));
    close(fd);
    return err;
}

static int add_folder(struct http_pages *pages, int fd_taken, const char *prefix, int depth)
{
    DIR *dir = fdopendir(fd_taken);
    struct dirent *entry;
    int err = 0;

    if (!dir) {
        close(fd_taken);
        return -errno;
    }
    while (!err && (entry = readdir(dir))) {
        err = add_entry(pages, dirfd(dir), prefix, entry->d_name, depth);
        if (err && err != -ENOMEM) {
            log_warn("page \"%s/%s\" is left out (error=\"%s\")", prefix, entry->d_name, strerror(-err));
            err = 0;
        }
    }
    closedir(dir);
    return err;
}

int http_pages_new(struct http_pages **pagesp, const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;
    struct http_pages *pages;

    if (fd < 0)
        return -errno;
    pages = mem_new(sizeof(*pages), pages_destroy);
    if (!pages) {
        close(fd);
        return -ENOMEM;
    }
    map_init(&pages->map);
    err = add_folder(pages, fd, "", 0);
    if (err) {
        mem_unref(pages);
        return err;
    }
    *pagesp = pages;
    return 0;
}

const struct http_page *http_pages_find(const struct http_pages *pages, struct span path)
{
    struct map_node *node;

    if (!pages)
        return NULL;
    node = map_find(&pages->map, span_eq(path, SPAN("/")) ? SPAN("/index.html") : path);
    return node ? container_of(node, struct http_page, node) : NULL;
}
