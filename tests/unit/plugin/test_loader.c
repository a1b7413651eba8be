/* SPDX-License-Identifier: Apache-2.0 */
/* test_loader.c: plugins are loaded by name, refused by ABI, and every refusal says why. */
#include <errno.h>
#include <stdio.h>

#include "../unit.h"

#include "base/log.h"
#include "base/mem.h"
#include "plugin/loader.h"

static char said[512];

static void listen(enum log_level level, const char *line)
{
    size_t n = strlen(said);

    snprintf(said + n, sizeof(said) - n, "%s\n", line);
}

/* Load one plugin; the texts of errors and log lines are left in `said`. */
static int load(const char *name, const char *folder)
{
    char *names[] = {(char *)name};
    struct conf conf = {.plugins = {names, 1}};
    struct plugins *plugins = NULL;
    struct text why;
    char buf[512] = "";
    size_t live = mem_live_count();
    int err;

    said[0] = '\0';
    text_init_fixed(&why, buf, sizeof(buf));
    log_set_sink(listen);
    err = plugin_load_all(&plugins, &conf, folder, &why);
    mem_unref(plugins);
    log_set_sink(NULL);
    assert_int_equal(mem_live_count(), live);
    if (err)
        snprintf(said, sizeof(said), "%s", buf);
    return err;
}

static void test_a_plugin_is_created_and_destroyed(void **state)
{
    assert_int_equal(load("echo", "plugins/echo/.libs"), 0);
    assert_non_null(strstr(said, "plugin echo: here"));
    assert_non_null(strstr(said, "plugin echo: gone"));
}

static void test_a_missing_file_is_named(void **state)
{
    assert_int_equal(load("nobody", "plugins/echo/.libs"), -ENOENT);
    assert_string_equal(said, "plugin nobody: there is no plugins/echo/.libs/nobody.so");
}

static void test_a_plugin_of_another_abi_is_refused_unrun(void **state)
{
    assert_int_equal(load("future", "tests/unit/plugin/.libs"), -EPROTO);
    assert_non_null(strstr(said, "was built for ABI 1.0, this gateway has 0.1"));
}

static void test_a_name_is_no_path(void **state)
{
    assert_int_equal(load("../echo", "plugins/echo/.libs"), -EPROTO);
    assert_int_equal(load("", "plugins/echo/.libs"), -EPROTO);
}

static void test_a_library_without_our_symbol_is_refused(void **state)
{
    assert_int_equal(load("stranger", "tests/unit/plugin/.libs"), -EPROTO);
    assert_non_null(strstr(said, "no symbol sipway_plugin"));
}

static void test_without_memory_nothing_is_loaded(void **state)
{
    for (int i = 0; i < 2; i++) {
        mem_fail_after(i);
        assert_int_equal(load("echo", "plugins/echo/.libs"), -ENOMEM);
        mem_fail_after(-1);
    }
}

static void test_no_plugins_is_fine(void **state)
{
    struct conf conf = {0};
    struct plugins *plugins = NULL;
    struct text why;

    text_init(&why, 100);
    assert_int_equal(plugin_load_all(&plugins, &conf, NULL, &why), 0);
    mem_unref(plugins);
    text_free(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_plugin_is_created_and_destroyed),
        cmocka_unit_test(test_a_missing_file_is_named),
        cmocka_unit_test(test_a_plugin_of_another_abi_is_refused_unrun),
        cmocka_unit_test(test_a_name_is_no_path),
        cmocka_unit_test(test_a_library_without_our_symbol_is_refused),
        cmocka_unit_test(test_without_memory_nothing_is_loaded),
        cmocka_unit_test(test_no_plugins_is_fine),
    };

    log_set(LOG_INFO, LOG_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
