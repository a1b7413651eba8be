/* SPDX-License-Identifier: Apache-2.0 */
/* export.c: the thread that carries call records to a file and to an HTTP endpoint (libcurl). Each target goes on from
 * its own mark; one in trouble is tried again after 1, 2, 4 ... 60 s and does not hold up the other. Knows no columns
 * (export_rows.c). */
#include "store/export.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stats.h"
#include "base/text.h"
#include "store/export_rows.h"
#include "store/wake.h"

#define BATCH_MAX      200
#define HTTP_SECONDS   10
#define RETRY_FIRST_MS 1000
#define RETRY_LAST_MS  60000
#define WHY_BYTES      200

struct target {
    const char *name; /* in the table of marks; NULL: not used */
    int (*send)(struct export *export, const struct export_batch *batch, char why[static WHY_BYTES]);
    unsigned batch_max; /* 1 while looking for the record that is refused */
    uint64_t retry_ms, due_ms;
    bool is_failing;
};

enum { TARGET_FILE, TARGET_HTTP, TARGET_COUNT };

struct export
{
    struct export_rows *rows;
    char *file, *url, *token;
    CURL *curl;
    struct target targets[TARGET_COUNT];
    pthread_t thread;
    struct wake wake;
    bool has_news, is_closing; /* under lock; is_closing is also read by curl's progress call-back */
};

/* ---- the targets ---- */

/* Opened for each batch: a file that was moved away is made anew. A line is whole or not there. */
static int send_to_file(struct export *export, const struct export_batch *batch, char why[static WHY_BYTES])
{
    int fd = open(export->file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    ssize_t n = fd < 0 ? -1 : write(fd, batch->lines.data, batch->lines.len);
    int err = n < 0 ? -errno : 0;

    if (!err && (size_t)n < batch->lines.len)
        err = ftruncate(fd, lseek(fd, 0, SEEK_END) - n) ? -errno : -ENOSPC;
    if (fd >= 0)
        close(fd);
    if (err)
        snprintf(why, WHY_BYTES, "%s: %s", export->file, err_text(err));
    return err;
}

static int on_progress(void *arg, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
    return __atomic_load_n(&((struct export *)arg)->is_closing, __ATOMIC_RELAXED);
}

static size_t ignore_body(char *bytes, size_t size, size_t count, void *arg)
{
    return size * count;
}

/* What the endpoint will never take, however often it is sent. */
static bool is_refused_for_good(long status)
{
    return status == 400 || status == 413 || status == 415 || status == 422;
}

static void set_request(struct export *export, const struct export_batch *batch, struct curl_slist *headers)
{
    curl_easy_reset(export->curl);
    curl_easy_setopt(export->curl, CURLOPT_URL, export->url);
    curl_easy_setopt(export->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(export->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(export->curl, CURLOPT_TIMEOUT, (long)HTTP_SECONDS);
    curl_easy_setopt(export->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(export->curl, CURLOPT_POSTFIELDS, batch->lines.data);
    curl_easy_setopt(export->curl, CURLOPT_POSTFIELDSIZE, (long)batch->lines.len);
    curl_easy_setopt(export->curl, CURLOPT_WRITEFUNCTION, ignore_body);
    curl_easy_setopt(export->curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(export->curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(export->curl, CURLOPT_XFERINFODATA, export);
    if (export->token) {
        curl_easy_setopt(export->curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        curl_easy_setopt(export->curl, CURLOPT_XOAUTH2_BEARER, export->token);
    }
}

static int send_by_http(struct export *export, const struct export_batch *batch, char why[static WHY_BYTES])
{
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/x-ndjson");
    CURLcode result;
    long status = 0;

    set_request(export, batch, headers);
    result = curl_easy_perform(export->curl);
    curl_easy_getinfo(export->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(headers);
    if (result == CURLE_OK && status >= 200 && status < 300)
        return 0;
    if (result != CURLE_OK)
        snprintf(why, WHY_BYTES, "%s", curl_easy_strerror(result));
    else
        snprintf(why, WHY_BYTES, "it answered %ld", status);
    return result == CURLE_OK && is_refused_for_good(status) ? -EBADMSG : -EIO;
}

/* ---- one round ---- */

static void note_failure(struct target *target, const char *why, uint64_t now_ms)
{
    if (!target->is_failing)
        log_error("call records cannot be exported to the %s, trying again (reason=\"%s\")", target->name, why);
    target->is_failing = true;
    target->retry_ms = target->retry_ms ? target->retry_ms * 2 : RETRY_FIRST_MS;
    if (target->retry_ms > RETRY_LAST_MS)
        target->retry_ms = RETRY_LAST_MS;
    target->due_ms = now_ms + target->retry_ms;
    stats_count(STAT_CDR_EXPORT_FAILED);
}

static void note_success(struct target *target, unsigned count)
{
    if (target->is_failing)
        log_info("call records are exported to the %s again", target->name);
    target->is_failing = false;
    target->retry_ms = target->due_ms = 0;
    stats_add(STAT_CDR_EXPORTED, count);
}

/* One record in a batch is refused: they go one by one from here on, and the one is passed over. */
static int handle_refusal(struct export *export, struct target *target, const struct export_batch *batch,
                          const char *why)
{
    if (batch->count > 1) {
        target->batch_max = 1;
        return 0;
    }
    log_error("a call record is refused by the %s and passed over (reason=\"%s\" record=%lld)", target->name, why,
              (long long)batch->last_rowid);
    stats_count(STAT_CDR_EXPORT_REFUSED);
    target->batch_max = BATCH_MAX;
    return export_rows_done(export->rows, target->name, batch->last_rowid);
}

static int send_batch(struct export *export, struct target *target, const struct export_batch *batch,
                      char why[static WHY_BYTES])
{
    int err = target->send(export, batch, why);

    if (err == -EBADMSG)
        return handle_refusal(export, target, batch, why);
    if (!err)
        err = export_rows_done(export->rows, target->name, batch->last_rowid);
    if (!err)
        note_success(target, batch->count);
    return err;
}

/* @return is there more to do for it now? */
static bool serve(struct export *export, struct target *target, uint64_t now_ms)
{
    struct export_batch batch;
    char why[WHY_BYTES] = "the database cannot be read";
    int err = export_rows_next(export->rows, target->name, target->batch_max, &batch);
    bool has_rows = batch.count > 0;

    if (!err && has_rows)
        err = send_batch(export, target, &batch, why);
    text_free(&batch.lines);
    if (err)
        note_failure(target, why, now_ms);
    return !err && has_rows;
}

/* @return when to look again; WAKE_NEVER: at the next record */
static uint64_t serve_all(struct export *export)
{
    uint64_t now_ms = wake_in_ms(0), next_ms = WAKE_NEVER;

    for (unsigned i = 0; i < TARGET_COUNT; i++) {
        struct target *target = &export->targets[i];

        if (!target->name)
            continue;
        if (target->due_ms <= now_ms && serve(export, target, now_ms))
            next_ms = now_ms;
        else if (target->is_failing && target->due_ms < next_ms)
            next_ms = target->due_ms;
    }
    return next_ms;
}

/* Until there is news, the time has come, or it is closing. @return is it closing? */
static bool wait_until(struct export *export, uint64_t at_ms)
{
    bool is_closing;

    wake_lock(&export->wake);
    while (!export->has_news && !export->is_closing && wake_wait(&export->wake, at_ms))
        ;
    export->has_news = false;
    is_closing = export->is_closing;
    wake_unlock(&export->wake);
    return is_closing;
}

static void *run_export(void *arg)
{
    struct export *export = arg;

    while (!wait_until(export, serve_all(export)))
        ;
    while (export->file && serve(export, &export->targets[TARGET_FILE], wake_in_ms(0)))
        ;
    return NULL;
}

/* ---- birth and end ---- */

static void export_destroy(void *self)
{
    struct export *export = self;

    export_rows_close(export->rows);
    if (export->curl)
        curl_easy_cleanup(export->curl);
    mem_unref(export->file);
    mem_unref(export->url);
    if (export->token)
        explicit_bzero(export->token, strlen(export->token));
    mem_unref(export->token);
    wake_free(&export->wake);
}

/* @return 0, also when it is not wanted; -ENOMEM */
static int keep(char **kept, const char *text)
{
    if (!text || !*text)
        return 0;
    *kept = mem_text(text, strlen(text));
    return *kept ? 0 : -ENOMEM;
}

static int add_target(struct export *export, unsigned index, const char *name,
                      int (*send)(struct export *, const struct export_batch *, char *))
{
    export->targets[index] = (struct target){.name = name, .send = send, .batch_max = BATCH_MAX};
    return export_rows_begin(export->rows, name);
}

static int build(struct export *export, const struct export_options *options, struct text *err_out)
{
    int err = keep(&export->file, options->file);

    if (!err)
        err = keep(&export->url, options->url);
    if (!err)
        err = keep(&export->token, options->token);
    if (!err)
        err = export_rows_open(&export->rows, options->folder, err_out);
    if (!err && export->file)
        err = add_target(export, TARGET_FILE, "file", send_to_file);
    if (!err && export->url) {
        export->curl = curl_easy_init();
        err = export->curl ? add_target(export, TARGET_HTTP, "endpoint", send_by_http) : -ENOMEM;
    }
    if (!err)
        err = -pthread_create(&export->thread, NULL, run_export, export);
    return err;
}

int export_open(struct export **exportp, const struct export_options *options, struct text *err_out)
{
    struct export *export = mem_new(sizeof(*export), export_destroy);
    int err;

    if (!export)
        return -ENOMEM;
    curl_global_init(CURL_GLOBAL_DEFAULT); /* counted; before there is a second thread of ours */
    wake_init(&export->wake);
    err = build(export, options, err_out);
    if (err) {
        mem_unref(export);
        return err;
    }
    *exportp = export;
    return 0;
}

void export_wake(struct export *export)
{
    wake_lock(&export->wake);
    export->has_news = true;
    wake_signal(&export->wake);
    wake_unlock(&export->wake);
}

void export_close(struct export *export)
{
    if (!export)
        return;
    wake_lock(&export->wake);
    __atomic_store_n(&export->is_closing, true, __ATOMIC_RELAXED);
    wake_signal(&export->wake);
    wake_unlock(&export->wake);
    pthread_join(export->thread, NULL);
    mem_unref(export);
}
