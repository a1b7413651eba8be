/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/conf.h"
#include "net/tls.h"

/* tls_clients.h: TLS settings of single trunks (certificate, key, ca, verify). Built and reloaded on the main thread,
 * read by all workers without a lock. */

struct tls_clients;

/** @return 0; -EINVAL with a sentence that names the trunk; -ENOMEM */
int tls_clients_new(struct tls_clients **clientsp, const struct conf *conf, const char **why_out);

/** Read the files again and take over what has changed. A pair that cannot be read any more stays as it was; new
 * settings that cannot be read let nobody connect. Both are logged. */
void tls_clients_reload(struct tls_clients *clients, const struct conf *conf);

struct tls_choice {
    struct tls *tls;     /* NULL: these settings cannot be used */
    unsigned generation; /* another one: the settings were others before */
};
/** @return false: the trunk has none of its own. clients and trunk may be NULL */
bool tls_clients_find(struct tls_choice *choice, const struct tls_clients *clients, const char *trunk);
