/* SPDX-License-Identifier: Apache-2.0 */
/* log.c: one event, one line, one write(). Levels, text or JSON, the sampling of what peers cause.
 * Allocates nothing, so that it still speaks when memory is out. Does not know what the lines are about. */
#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/stats.h"
#include "base/text.h"

#define MESSAGE_BYTES    2048
#define LINE_BYTES       (MESSAGE_BYTES * 6 + 128) /* JSON may write one byte as six */
#define PEER_LINES_PER_S 10

typedef void log_sink_fn(enum log_level level, const char *line);

static const char *const level_names[] = {"error", "warn", "info", "debug"};
static int wanted_level = LOG_INFO;
static int wanted_format = LOG_TEXT;
static log_sink_fn *sink;

static pthread_mutex_t peer_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t peer_second; /* the second that is being counted */
static unsigned peer_count;
static unsigned peer_suppressed;

void log_set(enum log_level level, enum log_format format)
{
    __atomic_store_n(&wanted_level, (int)level, __ATOMIC_RELAXED);
    __atomic_store_n(&wanted_format, (int)format, __ATOMIC_RELAXED);
}

bool log_wants(enum log_level level)
{
    return (int)level <= __atomic_load_n(&wanted_level, __ATOMIC_RELAXED);
}

void log_set_sink(log_sink_fn *fn)
{
    __atomic_store_n(&sink, fn, __ATOMIC_RELEASE);
}

static void add_time(struct text *line)
{
    uint64_t now_us = clock_wall_us();
    time_t seconds = (time_t)(now_us / 1000000);
    struct tm tm;

    gmtime_r(&seconds, &tm);
    text_addf(line, "%04d-%02d-%02dT%02d:%02d:%02d.%03uZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
              tm.tm_min, tm.tm_sec, (unsigned)(now_us / 1000 % 1000));
}

/* Control bytes and broken UTF-8 as \xNN; quotes, backslashes and real text stay as they are. */
static void add_message_text(struct text *line, struct span message)
{
    while (message.n) {
        size_t n = span_utf8_length(message);
        unsigned char byte = (unsigned char)message.p[0];
        bool is_c1 = n == 2 && byte == 0xc2 && (unsigned char)message.p[1] < 0xa0;

        if (n == 0 || byte < 0x20 || byte == 0x7f || is_c1) {
            n = n ? n : 1;
            text_add_escaped(line, span_sub(message, 0, n));
        } else {
            text_add(line, span_sub(message, 0, n));
        }
        message = span_sub(message, n, message.n);
    }
}

static void write_line(enum log_level level, struct span message)
{
    log_sink_fn *to = __atomic_load_n(&sink, __ATOMIC_ACQUIRE);
    char buf[LINE_BYTES];
    struct text line;

    text_init_fixed(&line, buf, sizeof(buf));
    if (__atomic_load_n(&wanted_format, __ATOMIC_RELAXED) == LOG_JSON) {
        text_add(&line, SPAN("{\"time\":\""));
        add_time(&line);
        text_addf(&line, "\",\"level\":\"%s\",\"message\":", level_names[level]);
        text_add_json(&line, message);
        text_add_char(&line, '}');
    } else {
        add_time(&line);
        text_addf(&line, " %-5s ", level_names[level]);
        add_message_text(&line, message);
    }
    if (to) {
        to(level, line.data);
        return;
    }
    text_add_char(&line, '\n');
    if (write(STDERR_FILENO, line.data, line.len) < 0)
        return; /* nowhere left to say so */
}

static void write_formatted(enum log_level level, const char *format, va_list args)
{
    char message[MESSAGE_BYTES];
    int n = vsnprintf(message, sizeof(message), format, args);

    if (n < 0)
        return;
    if ((size_t)n >= sizeof(message)) {
        n = sizeof(message) - 1;
        memcpy(message + n - 3, "...", 3);
    }
    write_line(level, span_make(message, (size_t)n));
}

/* @return lines to own up to, when the second in which they were held back is over */
static unsigned take_suppressed(uint64_t second)
{
    unsigned suppressed;

    if (second == peer_second)
        return 0;
    suppressed = peer_suppressed;
    peer_second = second;
    peer_count = 0;
    __atomic_store_n(&peer_suppressed, 0, __ATOMIC_RELAXED);
    return suppressed;
}

static void tell_suppressed(unsigned suppressed)
{
    char message[64];

    if (!suppressed || !log_wants(LOG_INFO))
        return;
    snprintf(message, sizeof(message), "lines about peers held back (count=%u)", suppressed);
    write_line(LOG_INFO, span_of(message));
}

static void tell_when_over(void)
{
    unsigned suppressed;

    if (!__atomic_load_n(&peer_suppressed, __ATOMIC_RELAXED))
        return;
    pthread_mutex_lock(&peer_lock);
    suppressed = take_suppressed(clock_now_ms() / 1000);
    pthread_mutex_unlock(&peer_lock);
    tell_suppressed(suppressed);
}

void log_line(enum log_level level, const char *format, ...)
{
    va_list args;

    if (!log_wants(level))
        return;
    tell_when_over();
    va_start(args, format);
    write_formatted(level, format, args);
    va_end(args);
}

void log_peer(const char *format, ...)
{
    unsigned suppressed;
    bool is_held_back;
    va_list args;

    if (!log_wants(LOG_INFO))
        return;
    pthread_mutex_lock(&peer_lock);
    suppressed = take_suppressed(clock_now_ms() / 1000);
    is_held_back = peer_count >= PEER_LINES_PER_S;
    if (is_held_back)
        __atomic_store_n(&peer_suppressed, peer_suppressed + 1, __ATOMIC_RELAXED);
    else
        peer_count++;
    pthread_mutex_unlock(&peer_lock);

    tell_suppressed(suppressed);
    if (is_held_back) {
        stats_count(STAT_LOG_SUPPRESSED);
        return;
    }
    va_start(args, format);
    write_formatted(LOG_INFO, format, args);
    va_end(args);
}
