/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/* log.h: event lines with fields, one write() each, to stderr. Text or JSON. Any thread.
 * Form: log_info("call 7f3a: trunk \"acme\" rejected (status=486 after_ms=812)"). What comes from outside goes through
 * text_add_escaped() or is cut by the format's precision; the sink escapes control bytes as a last line of defence.
 * A peer must not be able to fill the log: its mistakes go through log_peer(), which is sampled (10 a second in all,
 * the rest counted in STAT_LOG_SUPPRESSED and told in one line when it ends). */

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_TEXT, LOG_JSON };

void log_set(enum log_level level, enum log_format format);
bool log_wants(enum log_level level);
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_peer(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Test hook: lines go to this function instead of stderr; NULL gives stderr back. */
void log_set_sink(void (*sink)(enum log_level level, const char *line));

#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...)                                                                                                 \
    do {                                                                                                               \
        if (log_wants(LOG_DEBUG))                                                                                      \
            log_line(LOG_DEBUG, __VA_ARGS__);                                                                          \
    } while (0)
