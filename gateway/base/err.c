/* SPDX-License-Identifier: Apache-2.0 */
/* err.c: the text of an error number. */
#include "base/err.h"

#include <uv.h>

const char *err_text(int err)
{
    return err ? uv_strerror(err) : "ok";
}
