/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

/* print.h: snprintf() for the formats that messages are made of, several times as fast. Any thread. */

/** As snprintf(): at most size_bytes - 1 bytes and a NUL. What it does not know itself (floating point, flags but 0,
 *  precision of numbers) it leaves to vsnprintf().
 *  @return bytes that the whole text needs, negative where vsnprintf() fails */
int print_into(char *out, size_t size_bytes, const char *format, ...) __attribute__((format(printf, 3, 4)));
int print_args_into(char *out, size_t size_bytes, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));
