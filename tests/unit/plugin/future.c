/* SPDX-License-Identifier: Apache-2.0 */
/* future.c: a plugin of an ABI that this gateway does not have, for test_loader. */
#include <stdlib.h>

#include "sipway/plugin.h"

static int create(void **selfp, const struct sipway_host *host)
{
    abort();
}

static void destroy(void *self)
{
    abort();
}

const struct sipway_plugin sipway_plugin = {
    .abi_major = SIPWAY_ABI_MAJOR + 1, .name = "future", .create = create, .destroy = destroy};
