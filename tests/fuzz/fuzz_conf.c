/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_conf.c: any bytes as a configuration file. What is accepted must have its names in place. */
#include <assert.h>
#include <stdint.h>

#include "base/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct conf *conf = NULL;
    struct text errors;

    text_init(&errors, 65536);
    if (conf_parse(&conf, "fuzz", span_make(data, size), &errors) == 0) {
        assert(errors.len == 0);
        for (size_t i = 0; i < conf->account_count; i++)
            assert(conf_find_account(conf, span_of(conf->accounts[i].name)) == &conf->accounts[i]);
        for (size_t i = 0; i < conf->trunk_count; i++)
            assert(conf->trunks[i].uri);
        conf_unref(conf);
    } else {
        assert(errors.len > 0);
    }
    text_free(&errors);
    return 0;
}
