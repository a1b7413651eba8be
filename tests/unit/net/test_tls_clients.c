/* SPDX-License-Identifier: Apache-2.0 */
/* TLS settings of single trunks, over reloads. */
#include "../unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/tls_clients.h"
#include "net_tls.h"

static struct net_pair pair;

static struct conf *conf_of(const char *trunks)
{
    struct conf *conf = NULL;
    struct text errors;
    char yaml[2048];

    text_init(&errors, 10000);
    snprintf(yaml, sizeof(yaml), "trunks:\n%s", trunks);
    if (conf_parse(&conf, "t", span_of(yaml), &errors))
        fail_msg("%s", errors.data);
    text_free(&errors);
    return conf;
}

static int setup(void **state)
{
    log_set(LOG_ERROR, LOG_TEXT);
    net_pair_make(&pair);
    return 0;
}

static int teardown(void **state)
{
    net_pair_remove(&pair);
    return 0;
}

static const char *trunk(const char *keys)
{
    static char text[1024];

    snprintf(text, sizeof(text), "  - {name: carrier, uri: \"sip:a;transport=tls\"%s}\n", keys);
    return text;
}

static const char *own_pair(void)
{
    static char text[512];

    snprintf(text, sizeof(text), ", certificate: %s, key: %s, ca: %s", pair.certificate, pair.key, pair.certificate);
    return text;
}

static void reload(struct tls_clients *clients, const char *trunks)
{
    struct conf *conf = conf_of(trunks);

    tls_clients_reload(clients, conf);
    conf_unref(conf);
}

static struct tls_clients *clients_of(const char *trunks)
{
    struct conf *conf = conf_of(trunks);
    struct tls_clients *clients = NULL;
    const char *why = "";

    if (tls_clients_new(&clients, conf, &why))
        fail_msg("%s", why);
    conf_unref(conf);
    return clients;
}

static void test_only_trunks_with_settings_have_their_own(void **state)
{
    struct tls_clients *clients = clients_of(trunk(""));
    struct tls_choice choice;

    assert_false(tls_clients_find(&choice, clients, "carrier"));
    assert_false(tls_clients_find(&choice, clients, NULL));
    assert_false(tls_clients_find(&choice, NULL, "carrier"));
    mem_unref(clients);
    clients = clients_of(trunk(own_pair()));
    assert_true(tls_clients_find(&choice, clients, "carrier"));
    assert_non_null(SSL_CTX_get0_certificate(tls_context(choice.tls)));
    assert_int_equal(SSL_CTX_get_verify_mode(tls_context(choice.tls)), SSL_VERIFY_PEER);
    mem_unref(clients);
    clients = clients_of(trunk(", verify: false"));
    assert_true(tls_clients_find(&choice, clients, "carrier"));
    assert_int_equal(SSL_CTX_get_verify_mode(tls_context(choice.tls)), SSL_VERIFY_NONE);
    mem_unref(clients);
}

static void test_files_that_cannot_be_read_are_told_with_the_trunks_name(void **state)
{
    struct conf *conf = conf_of(trunk(", ca: /nonexistent"));
    struct tls_clients *clients = NULL;
    const char *why = "";

    assert_int_equal(tls_clients_new(&clients, conf, &why), -EINVAL);
    assert_null(clients);
    assert_non_null(strstr(why, "carrier"));
    conf_unref(conf);
}

static void test_a_reload_takes_new_files_and_settings(void **state)
{
    struct tls_clients *clients = clients_of(trunk(own_pair()));
    struct tls_choice before, after;
    SSL_CTX *context;

    assert_true(tls_clients_find(&before, clients, "carrier"));
    context = tls_context(before.tls);
    net_pair_write(&pair);
    reload(clients, trunk(own_pair()));
    assert_true(tls_clients_find(&after, clients, "carrier"));
    assert_ptr_not_equal(tls_context(after.tls), context); /* read again, and connections go on */
    assert_int_equal(after.generation, before.generation);
    reload(clients, trunk(", verify: false"));
    assert_true(tls_clients_find(&after, clients, "carrier"));
    assert_int_not_equal(after.generation, before.generation); /* connections of before are not for it any more */
    assert_int_equal(SSL_CTX_get_verify_mode(tls_context(after.tls)), SSL_VERIFY_NONE);
    reload(clients, trunk(""));
    assert_false(tls_clients_find(&after, clients, "carrier"));
    mem_unref(clients);
}

static void test_what_cannot_be_read_any_more_stays_and_what_was_never_read_lets_nobody_out(void **state)
{
    struct tls_clients *clients = clients_of(trunk(own_pair()));
    struct tls_choice before, after;

    assert_true(tls_clients_find(&before, clients, "carrier"));
    assert_int_equal(truncate(pair.certificate, 10), 0);
    reload(clients, trunk(own_pair()));
    assert_true(tls_clients_find(&after, clients, "carrier"));
    assert_ptr_equal(after.tls, before.tls);
    reload(clients, trunk(", ca: /nonexistent"));
    assert_true(tls_clients_find(&after, clients, "carrier"));
    assert_null(after.tls);
    reload(clients, trunk(", verify: false"));
    assert_true(tls_clients_find(&after, clients, "carrier"));
    assert_non_null(after.tls);
    mem_unref(clients);
}

static void test_the_lowest_version_holds_for_new_contexts(void **state)
{
    struct tls *tls;
    const char *why;

    assert_int_equal(tls_client_new(&tls, NULL, true, &why), 0);
    assert_int_equal(SSL_CTX_get_min_proto_version(tls_context(tls)), TLS1_2_VERSION);
    tls_set_modern(true);
    assert_int_equal(tls_reload(tls, &why), 0);
    assert_int_equal(SSL_CTX_get_min_proto_version(tls_context(tls)), TLS1_3_VERSION);
    tls_set_modern(false);
    mem_unref(tls);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_only_trunks_with_settings_have_their_own),
        T(test_files_that_cannot_be_read_are_told_with_the_trunks_name),
        T(test_a_reload_takes_new_files_and_settings),
        T(test_what_cannot_be_read_any_more_stays_and_what_was_never_read_lets_nobody_out),
        T(test_the_lowest_version_holds_for_new_contexts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
