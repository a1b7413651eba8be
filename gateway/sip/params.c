/* SPDX-License-Identifier: Apache-2.0 */
/* params.c: ;name=value lists, and the comma lists around them. RFC 3261 section 25.1 generic-param, uri-parameter,
 * section 7.3.1 for lists. Does not know what a parameter means. */
#include "sip/params.h"

#include "sip/grammar.h"

/* What stands up to the next ';', '=' or quote, without blanks at its ends. */
static struct span take_word(struct span *rest)
{
    struct span word;
    size_t i = 0;

    grammar_skip_blanks(rest);
    while (i < rest->n && rest->p[i] != ';' && rest->p[i] != '=' && rest->p[i] != '"')
        i++;
    word = span_make(rest->p, i);
    *rest = span_make(rest->p + i, rest->n - i);
    while (word.n && grammar_is(word.p[word.n - 1], GRAMMAR_BLANK))
        word.n--;
    return word;
}

static bool has_inner_blank(struct span word)
{
    for (size_t i = 0; i < word.n; i++) {
        if (grammar_is(word.p[i], GRAMMAR_BLANK))
            return true;
    }
    return false;
}

/* What stands behind '='; SPAN_NULL if it cannot be read. */
static struct span take_value(struct span *rest)
{
    struct span value = SPAN_NULL;
    size_t i = 0;

    grammar_skip_blanks(rest);
    if (rest->n && *rest->p == '"') {
        if (grammar_take_quoted(rest, &value))
            return SPAN_NULL;
        grammar_skip_blanks(rest);
        return value;
    }
    /* '=' is not in a token, but base64 in the field has it; a quote in the middle cannot be read. */
    while (i < rest->n && rest->p[i] != ';' && rest->p[i] != '"')
        i++;
    value = span_make(rest->p, i);
    *rest = span_make(rest->p + i, rest->n - i);
    while (value.n && grammar_is(value.p[value.n - 1], GRAMMAR_BLANK))
        value.n--;
    return has_inner_blank(value) ? SPAN_NULL : value;
}

bool params_next(struct span *rest, struct span *name, struct span *value)
{
    struct span after = *rest, found_name, found_value = SPAN_NULL;

    do {
        grammar_skip_blanks(&after);
    } while (grammar_take_char(&after, ';'));
    if (!after.n) {
        *rest = after;
        return false;
    }
    found_name = take_word(&after);
    if (grammar_take_char(&after, '=')) {
        found_value = take_value(&after);
        if (!found_value.p)
            return false;
    }
    if (!found_name.n || has_inner_blank(found_name) || (after.n && *after.p != ';'))
        return false;
    *name = found_name;
    *value = found_value;
    *rest = after;
    return true;
}

bool params_get(struct span params, struct span name, struct span *valuep)
{
    struct span found, value;

    while (params_next(&params, &found, &value)) {
        if (!span_ieq(found, name))
            continue;
        if (valuep)
            *valuep = value;
        return true;
    }
    return false;
}

bool params_are_readable(struct span params)
{
    struct span name, value;

    while (params_next(&params, &name, &value))
        ;
    return params.n == 0;
}

bool list_next(struct span *rest, struct span *value)
{
    struct span all = *rest;
    bool is_quoted = false, is_in_angle = false;
    size_t i = 0;

    if (!all.n)
        return false;
    if (!memchr(all.p, ',', all.n))
        i = all.n; /* one value, as most have it */
    for (; i < all.n; i++) {
        char c = all.p[i];

        if (is_quoted && c == '\\')
            i++;
        else if (c == '"' && !is_in_angle)
            is_quoted = !is_quoted;
        else if (c == '<' && !is_quoted)
            is_in_angle = true;
        else if (c == '>' && !is_quoted)
            is_in_angle = false;
        else if (c == ',' && !is_quoted && !is_in_angle)
            break;
    }
    if (i > all.n)
        i = all.n;
    *value = span_trim(span_make(all.p, i));
    *rest = i < all.n ? span_make(all.p + i + 1, all.n - i - 1) : span_make(all.p + all.n, 0);
    grammar_skip_blanks(rest);
    return true;
}

bool list_has_token(struct span list, struct span token)
{
    struct span item;

    while (list.n) {
        item = span_trim(span_cut(&list, ','));
        if (span_ieq(item, token))
            return true;
    }
    return false;
}
