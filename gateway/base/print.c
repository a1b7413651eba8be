/* SPDX-License-Identifier: Apache-2.0 */
/* print.c: formatted text without stdio, whose start alone costs more than most lines of a message: a tenth of a call's
 * signalling was vsnprintf(). Knows %s %c %d %i %u %x %X with 0, width, l, ll, z and the precision of strings; leaves
 * every other text whole to vsnprintf(). */
#include "base/print.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define WIDTH_MAX     32 /* more is left to stdio */
#define PRECISION_MAX 10000

struct sink {
    char *out;
    size_t room; /* bytes that fit, without the NUL */
    size_t len;  /* bytes wanted */
};

struct piece { /* one conversion */
    char kind;
    char size; /* 'l', 'L' for ll, 'z', 0 */
    bool has_zeros, is_precision_given;
    unsigned width;
    int precision; /* negative: none */
};

static void put(struct sink *sink, const char *bytes, size_t n)
{
    size_t fits = sink->len < sink->room ? sink->room - sink->len : 0;

    if (n && fits)
        memcpy(sink->out + sink->len, bytes, n < fits ? n : fits);
    sink->len += n;
}

static void put_padding(struct sink *sink, char c, size_t n, unsigned width)
{
    while (n++ < width)
        put(sink, &c, 1);
}

/* @return false: not one of ours */
static bool read_piece(struct piece *piece, const char **format)
{
    const char *at = *format;
    bool has_precision;

    *piece = (struct piece){.precision = -1};
    if (*at == '0') {
        piece->has_zeros = true;
        at++;
    }
    for (; *at >= '0' && *at <= '9' && piece->width <= WIDTH_MAX; at++)
        piece->width = piece->width * 10 + (unsigned)(*at - '0');
    if (at[0] == '.' && at[1] == '*') {
        piece->is_precision_given = true;
        at += 2;
    } else if (at[0] == '.') {
        piece->precision = 0;
        for (at++; *at >= '0' && *at <= '9' && piece->precision < PRECISION_MAX; at++)
            piece->precision = piece->precision * 10 + (*at - '0');
    }
    if (*at == 'l' || *at == 'z')
        piece->size = *at++;
    if (piece->size == 'l' && *at == 'l') {
        piece->size = 'L';
        at++;
    }
    piece->kind = *at;
    *format = *at ? at + 1 : at;
    has_precision = piece->is_precision_given || piece->precision >= 0;
    return piece->width <= WIDTH_MAX && (!has_precision || piece->kind == 's');
}

static void put_string(struct sink *sink, const struct piece *piece, const char *text)
{
    size_t n;

    if (!text)
        text = "(null)";
    n = piece->precision >= 0 ? strnlen(text, (size_t)piece->precision) : strlen(text);
    put_padding(sink, ' ', n, piece->width);
    put(sink, text, n);
}

/* Each base on its own: a division by a known number is a multiplication. @return where the digits begin */
static char *write_digits(char *end, uint64_t value, char kind)
{
    const char *names = kind == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";

    if (kind == 'x' || kind == 'X') {
        do
            *--end = names[value & 15];
        while (value >>= 4);
    } else {
        do
            *--end = (char)('0' + value % 10);
        while (value /= 10);
    }
    return end;
}

static void put_number(struct sink *sink, const struct piece *piece, uint64_t value, bool is_negative)
{
    char digits[24], *end = digits + sizeof(digits);
    const char *begin = write_digits(end, value, piece->kind);
    size_t n = (size_t)(end - begin) + is_negative;

    if (!piece->has_zeros)
        put_padding(sink, ' ', n, piece->width);
    if (is_negative)
        put(sink, "-", 1);
    if (piece->has_zeros)
        put_padding(sink, '0', n, piece->width);
    put(sink, begin, (size_t)(end - begin));
}

static int64_t take_signed(char size, va_list *args)
{
    if (size == 'l')
        return va_arg(*args, long);
    if (size == 'L')
        return va_arg(*args, long long);
    return size == 'z' ? va_arg(*args, ssize_t) : va_arg(*args, int);
}

static uint64_t take_unsigned(char size, va_list *args)
{
    if (size == 'l')
        return va_arg(*args, unsigned long);
    if (size == 'L')
        return va_arg(*args, unsigned long long);
    return size == 'z' ? va_arg(*args, size_t) : va_arg(*args, unsigned);
}

/* @return false: not one of ours */
static bool put_piece(struct sink *sink, struct piece *piece, va_list *args)
{
    int64_t number;
    char c;

    switch (piece->kind) {
    case 's':
        if (piece->is_precision_given)
            piece->precision = va_arg(*args, int);
        put_string(sink, piece, va_arg(*args, const char *));
        break;
    case 'c':
        c = (char)va_arg(*args, int);
        put_padding(sink, ' ', 1, piece->width);
        put(sink, &c, 1);
        break;
    case 'd':
    case 'i':
        number = take_signed(piece->size, args);
        put_number(sink, piece, number < 0 ? -(uint64_t)number : (uint64_t)number, number < 0);
        break;
    case '%':
        put(sink, "%", 1);
        break;
    case 'u':
    case 'x':
    case 'X':
        put_number(sink, piece, take_unsigned(piece->size, args), false);
        break;
    default:
        return false;
    }
    return true;
}

/* @return false: there is a piece that is not ours */
static bool put_all(struct sink *sink, const char *format, va_list *args)
{
    struct piece piece;

    for (;;) {
        const char *percent = strchrnul(format, '%');

        put(sink, format, (size_t)(percent - format));
        if (!*percent)
            return true;
        format = percent + 1;
        if (*format == 's') { /* most are */
            const char *text = va_arg(*args, const char *);

            put(sink, text ? text : "(null)", text ? strlen(text) : 6);
            format++;
        } else if (!read_piece(&piece, &format) || !put_piece(sink, &piece, args)) {
            return false;
        }
    }
}

int print_args_into(char *out, size_t size_bytes, const char *format, va_list args)
{
    struct sink sink = {.out = out, .room = size_bytes ? size_bytes - 1 : 0};
    va_list own;
    bool is_done;

    va_copy(own, args);
    is_done = put_all(&sink, format, &own);
    va_end(own);
    if (!is_done || sink.len > INT32_MAX)
        return vsnprintf(out, size_bytes, format, args);
    if (size_bytes)
        out[sink.len < sink.room ? sink.len : sink.room] = '\0';
    return (int)sink.len;
}

int print_into(char *out, size_t size_bytes, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = print_args_into(out, size_bytes, format, args);
    va_end(args);
    return n;
}
