/* SPDX-License-Identifier: Apache-2.0 */
/* numbers.c: the carrier's directory. A new behaviour that is made of these parts is a new row. */
#include "numbers.h"

#include "tunes.h"

#define CONFIRM_MS 1300 /* the confirmation bells of tunes.c */

static const struct number numbers[] = {
    {.digits = "600", .what = "echo", .is_echo = true},
    {.digits = "601", .what = "music", .answer_ms = 400, .tune = tune_music},
    {.digits = "602", .what = "reads digits back", .answer_ms = 400, .reads_digits = true},
    {.digits = "603", .what = "busy", .refuse_status = 486},
    {.digits = "604", .what = "never answers", .answer_ms = -1},
    {.digits = "605", .what = "calls back", .answer_ms = 400, .calls_back = true, .hangup_ms = CONFIRM_MS},
    {.digits = "606",
     .what = "early media, then music",
     .answer_ms = 3000,
     .has_early_media = true,
     .tune = tune_music},
    {.digits = "607", .what = "declines", .refuse_status = 603},
    {.digits = "608", .what = "hangs up after 5 s", .answer_ms = 400, .tune = tune_music, .hangup_ms = 5000},
    {.digits = "609", .what = "tone of 1000 Hz", .tune = tune_1000_hz},
};

const struct number number_back = {.digits = "605", .what = "call back with music", .tune = tune_music};

const struct number *number_find(struct span digits)
{
    for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (span_eq(digits, span_of(numbers[i].digits)))
            return &numbers[i];
    }
    return NULL;
}

const struct number *number_at(unsigned index)
{
    return index < sizeof(numbers) / sizeof(numbers[0]) ? &numbers[index] : NULL;
}
