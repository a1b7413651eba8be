/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/span.h"
#include "sound.h"

/* numbers.h: who lives at which number of the carrier, as a table. */

struct number {
    const char *digits;
    const char *what;       /* for the log and the help */
    unsigned refuse_status; /* answered with this, at once; 0: taken */
    int answer_ms;          /* after this time; -1: never */
    bool has_early_media;   /* 183 with ringback until then, else 180 */
    bool is_echo;
    bool reads_digits;
    bool calls_back;
    tune_fn *tune;      /* played after the answer */
    unsigned hangup_ms; /* after the answer; 0: never */
};

/** NULL: nobody there. */
const struct number *number_find(struct span digits);
/** What a called-back person hears. */
extern const struct number number_back;
/** All rows, one after the other; NULL at the end. */
const struct number *number_at(unsigned index);
