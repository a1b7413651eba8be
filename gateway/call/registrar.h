/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "call/calls.h"
#include "sip/server_tx.h"

/** REGISTER of a proved account: RFC 3261 10.3, RFC 5626. Answers tx when the store has. */
void registrar_receive(struct calls *calls, struct server_tx *tx, const char *account);
