/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "net/addr.h"

/* guesses.h: how many wrong passwords came lately: by (address, account), by address, by account. One for all workers,
 * any thread; a fixed size, whatever comes. The rule is written down in docs/ARCHITECTURE.md, "Guessed passwords". */

struct guesses;

/** Leave with mem_unref() when no worker runs any more. @return 0; -ENOMEM */
int guesses_new(struct guesses **guessesp);

/** May these credentials be looked at now? false only while wrong ones pour in: from this address, or for this account
 *  unless it has proved itself from this address before. IPv6 addresses count by their /64. */
bool guesses_may_try(struct guesses *guesses, const struct addr *source, struct span account);

/** What a wrong password costs. */
struct guess_price {
    unsigned hold_ms; /* the refusal is to be held back that long; 0: not at all */
    bool closes;      /* and its connection is closed then */
};
struct guess_price guesses_note_wrong(struct guesses *guesses, const struct addr *source, struct span account);

/** This account has proved itself from this address. */
void guesses_note_right(struct guesses *guesses, const struct addr *source, struct span account);
