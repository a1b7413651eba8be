/* SPDX-License-Identifier: Apache-2.0 */
#include "conf_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../oom.h"
#include "base/log.h"

static void test_an_empty_file_is_the_default_gateway(void **state)
{
    struct conf *conf = parse_ok("");

    assert_string_equal(conf->domain, "localhost");
    assert_string_equal(conf->state, "/var/lib/sipway");
    assert_int_equal(conf->workers, 0);
    assert_int_equal(conf->log.level, LOG_INFO);
    assert_int_equal(conf->log.format, LOG_TEXT);
    assert_int_equal(conf->web.listen.count, 1);
    assert_string_equal(conf->web.listen.items[0].scheme, "http");
    assert_string_equal(conf->web.listen.items[0].host, "0.0.0.0");
    assert_int_equal(conf->web.listen.items[0].port, 8080);
    assert_int_equal(conf->web.max_per_address, 200);
    assert_int_equal(conf->web.idle_s, 30);
    assert_string_equal(conf->web.html, "");
    assert_null(conf->web.certificate);
    assert_string_equal(conf->admin.listen.host, "127.0.0.1");
    assert_int_equal(conf->admin.listen.port, 8088);
    assert_int_equal(conf->sip.listen.count, 2);
    assert_string_equal(conf->sip.listen.items[1].scheme, "tcp");
    assert_int_equal(conf->sip.t1_ms, 500);
    assert_int_equal(conf->sip.max_duration_s, 14400);
    assert_string_equal(conf->media.webrtc_host, "0.0.0.0");
    assert_int_equal(conf->media.webrtc_port, 10000);
    assert_string_equal(conf->media.rtp_address, "0.0.0.0");
    assert_int_equal(conf->media.rtp_port_min, 20000);
    assert_int_equal(conf->media.rtp_port_max, 29999);
    assert_int_equal(conf->media.dscp_audio, 46);
    assert_int_equal(conf->media.dscp_video, 34);
    assert_int_equal(conf->media.dscp_sip, 24);
    assert_int_equal(conf->media.gather_us, 1000);
    assert_false(conf->media.is_ice_full);
    assert_int_equal(conf->account_count + conf->trunk_count + conf->route_count + conf->plugins.count, 0);
    conf_unref(conf);
    conf_unref(parse_ok("# only a comment\n"));
    conf_unref(parse_ok("~\n"));
    conf_unref(parse_ok("web:\nlog: {level: }\n"));
}

/* The example of the design, with every key it promises. */
static const char promised[] =
    "domain: example.com\n"
    "workers: 0\n"
    "state: /var/lib/sipway\n"
    "log: {level: debug, format: json}\n"
    "web:\n"
    "  listen: [\"http://0.0.0.0:8080\", \"https://[::]:8443\"]\n"
    "  certificate: fullchain.pem\n"
    "  key: key.pem\n"
    "  origins: [\"https://phone.example.com\"]\n"
    "  html: \"\"\n"
    "admin:\n"
    "  listen: \"http://0.0.0.0:8088\"\n"
    "  token: ${SIPWAY_ADMIN_TOKEN}\n"
    "sip:\n"
    "  listen: [\"udp://0.0.0.0:5060\", \"tcp://0.0.0.0:5060\", \"tls://0.0.0.0:5061\"]\n"
    "  certificate: fullchain.pem\n"
    "  key: key.pem\n"
    "media:\n"
    "  webrtc: \"0.0.0.0:10000\"\n"
    "  rtp: {address: 0.0.0.0, ports: 20000-29999}\n"
    "  dscp: {audio: EF, video: AF41, sip: CS3}\n"
    "  gather: 1ms\n"
    "  advertise: {\"0.0.0.0/0\": 203.0.113.10}\n"
    "  ice: full\n"
    "tokens:\n"
    "  - {issuer: \"https://login.example.com\", key: jwt-public.pem, algorithms: [ES256, RS256]}\n"
    "accounts:\n"
    "  - {name: alice, password: \"${ALICE_PASSWORD}\", numbers: [\"+12025550123\"], display: Alice}\n"
    "  - {name: bob, ha1: 0123456789ABCDEF0123456789abcdef, routes: [national]}\n"
    "trunks:\n"
    "  - name: carrier\n"
    "    uri: \"sip:sip.carrier.net;transport=udp\"\n"
    "    username: acme\n"
    "    password: \"${CARRIER_PASSWORD}\"\n"
    "    register: false\n"
    "    accept: [\"203.0.113.0/24\", \"2001:db8::/32\"]\n"
    "    max_calls: 100\n"
    "    max_cps: 10\n"
    "    codecs: [pcma, PCMU]\n"
    "    srtp: off\n"
    "    dtmf: rfc4733\n"
    "    options_every: 30\n"
    "  - name: pbx\n"
    "    uri: \"sip:10.0.0.5\"\n"
    "    registrar: pbx.example.com\n"
    "    caller_id: false\n"
    "    srtp: require\n"
    "routes:\n"
    "  - {name: national, from: accounts, to: \"^\\\\+?([0-9]{7,15})$\", trunks: [carrier, pbx], number: \"+\\\\1\"}\n"
    "  - {from: \"trunk:carrier\", to: \"^\\\\+12025550123$\", account: alice}\n"
    "  - {to: \"^8([0-9]{3})$\", plugin: audioroom, room: \"\\\\1\"}\n"
    "plugins:\n"
    "  audioroom: {}\n"
    "demo: {account: alice, numbers: [\"600=Echo\"]}\n";

static void set_environment(void)
{
    setenv("SIPWAY_ADMIN_TOKEN", "0123456789", 1);
    setenv("ALICE_PASSWORD", "s3cr3t", 1);
    setenv("CARRIER_PASSWORD", "carr", 1);
}

static void test_the_promised_keys_are_read(void **state)
{
    struct conf *conf;
    regmatch_t match[2];

    set_environment();
    conf = parse_ok(promised);
    assert_string_equal(conf->domain, "example.com");
    assert_int_equal(conf->log.level, LOG_DEBUG);
    assert_int_equal(conf->log.format, LOG_JSON);
    assert_int_equal(conf->web.listen.count, 2);
    assert_string_equal(conf->web.listen.items[1].scheme, "https");
    assert_string_equal(conf->web.listen.items[1].host, "::");
    assert_string_equal(conf->web.origins.items[0], "https://phone.example.com");
    assert_string_equal(conf->admin.token, "0123456789");
    assert_int_equal(conf->sip.listen.count, 3);
    assert_int_equal(conf->media.advertise_count, 1);
    assert_string_equal(conf->media.advertise[0].network, "0.0.0.0/0");
    assert_string_equal(conf->media.advertise[0].address, "203.0.113.10");
    assert_true(conf->media.is_ice_full);
    assert_int_equal(conf->token_count, 1);
    assert_int_equal(conf->tokens[0].algorithms.count, 2);
    assert_int_equal(conf->account_count, 2);
    assert_string_equal(conf->accounts[0].password, "s3cr3t");
    assert_string_equal(conf->accounts[0].display, "Alice");
    assert_string_equal(conf->accounts[1].ha1, "0123456789abcdef0123456789abcdef");
    assert_int_equal(conf->accounts[1].line, 29);
    assert_string_equal(conf->trunks[0].password, "carr");
    assert_false(conf->trunks[0].is_register);
    assert_int_equal(conf->trunks[0].accept.count, 2);
    assert_int_equal(conf->trunks[0].max_cps, 10);
    assert_string_equal(conf->trunks[0].codecs.items[0], "PCMA");
    assert_int_equal(conf->trunks[0].srtp, CONF_SRTP_OFF);
    assert_int_equal(conf->trunks[0].dtmf, CONF_DTMF_RFC4733);
    assert_int_equal(conf->trunks[0].options_every_s, 30);
    assert_false(conf->trunks[0].hides_number);
    assert_string_equal(conf->trunks[1].registrar, "pbx.example.com");
    assert_true(conf->trunks[1].hides_number);
    assert_int_equal(conf->trunks[1].srtp, CONF_SRTP_REQUIRE);
    assert_string_equal(conf->routes[0].number, "+\\1");
    assert_int_equal(regexec(&conf->routes[0].to_regex, "12025550123", 2, match, 0), 0);
    assert_int_equal(match[1].rm_so, 0);
    assert_string_equal(conf->routes[1].from, "trunk:carrier");
    assert_string_equal(conf->routes[2].from, "accounts");
    assert_string_equal(conf->routes[2].plugin, "audioroom");
    assert_string_equal(conf->plugins.items[0], "audioroom");
    assert_string_equal(conf->demo.numbers.items[0], "600=Echo");
    assert_ptr_equal(conf_find_account(conf, SPAN("bob")), &conf->accounts[1]);
    assert_null(conf_find_account(conf, SPAN("Bob")));
    assert_ptr_equal(conf_find_trunk(conf, SPAN("pbx")), &conf->trunks[1]);
    assert_ptr_equal(conf_ref(conf), conf);
    conf_unref(conf);
    conf_unref(conf);
}

static void test_a_certificate_brings_the_secure_listeners(void **state)
{
    struct conf *conf = parse_ok("web: {certificate: c, key: k}\nsip: {certificate: c, key: k}\n");

    assert_int_equal(conf->web.listen.count, 2);
    assert_string_equal(conf->web.listen.items[1].scheme, "https");
    assert_int_equal(conf->web.listen.items[1].port, 8443);
    assert_int_equal(conf->sip.listen.count, 3);
    assert_string_equal(conf->sip.listen.items[2].scheme, "tls");
    conf_unref(conf);
    conf = parse_ok("web: {listen: [\"http://0.0.0.0:80\"], certificate: c, key: k}\n");
    assert_int_equal(conf->web.listen.count, 1);
    conf_unref(conf);
    refuse("web: {listen: [\"https://0.0.0.0:443\"]}\nsip: {certificate: c}\n",
           "t:1: web.listen: https needs a certificate and a key\n"
           "t:2: sip.certificate: needs a key beside it\n");
}

static void test_name_servers_are_addresses_with_or_without_a_port(void **state)
{
    struct conf *conf = parse_ok("dns: {servers: [192.0.2.53, \"192.0.2.54:5353\", \"2001:db8::53\", \"[::1]:53\"]}\n");

    assert_int_equal(conf->dns.servers.count, 4);
    assert_string_equal(conf->dns.servers.items[1], "192.0.2.54:5353");
    conf_unref(conf);
    refuse("dns:\n  servers:\n  - ns.example.com:53\n  - \"192.0.2.53:dns\"\n",
           "t:3: dns.servers: \"ns.example.com\" is not a numeric address\n"
           "t:4: dns.servers: \"dns\" is not a port\n");
}

static void test_durations_take_units(void **state)
{
    struct conf *conf = parse_ok("sip: {t1: 1s, ring_timeout: 2m, max_duration: 1d, drain: 90, reconnect: 1000ms}\n"
                                 "media: {gather: 500us, timeout: 0}\n");

    assert_int_equal(conf->sip.t1_ms, 1000);
    assert_int_equal(conf->sip.ring_timeout_s, 120);
    assert_int_equal(conf->sip.max_duration_s, 86400);
    assert_int_equal(conf->sip.drain_s, 90);
    assert_int_equal(conf->sip.reconnect_s, 1);
    assert_int_equal(conf->media.gather_us, 500);
    assert_int_equal(conf->media.timeout_s, 0);
    conf_unref(conf);
    conf = parse_ok("media: {gather: 2}\n");
    assert_int_equal(conf->media.gather_us, 2000);
    conf_unref(conf);
    refuse("sip: {t1: 5, drain: 1500ms, reconnect: soon, ring_timeout: 4294967296s}",
           "t:1: sip.t1: 5 is not within 50..5000 ms\n"
           "t:1: sip.drain: 1500ms is not a whole number of s\n"
           "t:1: sip.reconnect: \"soon\" is not a duration such as 500ms, 30s, 5m, 1h\n"
           "t:1: sip.ring_timeout: \"4294967296s\" is not a duration such as 500ms, 30s, 5m, 1h\n");
}

static void test_unknown_keys_are_named_with_what_was_meant(void **state)
{
    refuse(
        "domian: x\nweb:\n  lissten: []\n  banana: 1\nmedia: {rtp: {port: 1-2}}\ntrunks:\n  - {name: a, uri: \"sip:a\","
        " acept: []}\n",
        "t:1: domian: unknown key; did you mean \"domain\"?\n"
        "t:3: web.lissten: unknown key; did you mean \"listen\"?\n"
        "t:4: web.banana: unknown key\n"
        "t:5: media.rtp.port: unknown key; did you mean \"ports\"?\n"
        "t:7: trunks[0].acept: unknown key; did you mean \"accept\"?\n");
}

static void test_keys_stand_once(void **state)
{
    refuse("workers: 1\nlog: {level: info}\nworkers: 2\n", "t:3: workers: stands twice, first in line 1\n");
    refuse("accounts:\n  - {name: a, password: b, name: c}\n",
           "t:2: accounts[0].name: stands twice, first in line 2\n");
    refuse("plugins: {x: {}, x: {}}\nmedia: {advertise: {\"10.0.0.0/8\": 1.2.3.4, \"10.0.0.0/8\": 1.2.3.5}}\n",
           "t:1: plugins.x: stands twice\nt:2: media.advertise.10.0.0.0/8: stands twice\n");
}

static void test_wrong_types_are_refused(void **state)
{
    refuse("workers: [1]\nweb: 5\nsip: {listen: \"udp://0.0.0.0:1\"}\nlog: {level: {a: b}}\naccounts: {name: x}\n"
           "trunks: none\nroutes: [x]\nplugins: [a]\n? [a]\n: 1\n",
           "t:1: workers: is a list, but should be a whole number\n"
           "t:2: web: is not a mapping\n"
           "t:3: sip.listen: is a single value, but should be a list of SCHEME://ADDRESS:PORT\n"
           "t:4: log.level: is a mapping, but should be one word\n"
           "t:5: accounts: is a mapping, but should be a list of mappings\n"
           "t:6: trunks: is a single value, but should be a list of mappings\n"
           "t:7: routes[0]: is not a mapping\n"
           "t:8: plugins: is not a mapping of plugins to their options\n"
           "t:9: has a key that is not a word\n"
           "t:7: routes[0]: needs exactly one of trunks, account and plugin\n");
    refuse("just a text\n", "t:1: is not a mapping\n");
}

static void test_wrong_values_are_refused(void **state)
{
    refuse(
        "workers: many\nlog: {level: loud}\nmedia:\n  webrtc: \"localhost:1\"\n  rtp: {ports: 20001-20002}\n"
        "  dscp: {audio: AF44, video: 64}\n  ice: maybe\n  advertise: {\"1.2.3.4/33\": 1.2.3.4, \"::/0\": nowhere}\n",
        "t:1: workers: \"many\" is not a whole number\n"
        "t:2: log.level: \"loud\" is none of error|warn|info|debug\n"
        "t:4: media.webrtc: \"localhost\" is not a numeric address\n"
        "t:5: media.rtp.ports: 20001-20002 holds no pair of an even and an odd port\n"
        "t:6: media.dscp.audio: \"AF44\" is not a DSCP: EF, AF11..AF43, CS0..CS7 or 0..63\n"
        "t:6: media.dscp.video: \"64\" is not a DSCP: EF, AF11..AF43, CS0..CS7 or 0..63\n"
        "t:7: media.ice: \"maybe\" is none of lite|full\n"
        "t:8: media.advertise.1.2.3.4/33: is not a network: ADDRESS/BITS\n"
        "t:8: media.advertise.::/0: \"nowhere\" is not a numeric address\n");
    refuse("sip:\n  listen:\n  - \"udp://0.0.0.0:70000\"\n  - \"http://0.0.0.0:1\"\n  - \"udp://host:1\"\n"
           "  - \"udp://::1:5060\"\n  - [x]\n",
           "t:3: sip.listen: \"70000\" is not a port\n"
           "t:4: sip.listen: \"http://0.0.0.0:1\" is not udp|tcp|tls://ADDRESS:PORT\n"
           "t:5: sip.listen: \"host\" is not a numeric address\n"
           "t:6: sip.listen: \"\" is not a numeric address\n"
           "t:7: sip.listen: has an item that is not a single value\n");
    refuse("accounts:\n  - {name: \"a b\", ha1: xyz}\ntrunks:\n  - {name: t, uri: \"http://x\", accept: "
           "[\"10.0.0.0/99\"]}\n"
           "  - {name: u, uri: \"sip:a b\"}\n  - {name: v, uri: \"sip:a:0\", codecs: [\"a/b\"]}\n",
           "t:2: accounts[0].name: \"a b\" is not a name: letters, digits and -_.+~!*'&=$\n"
           "t:2: accounts[0].ha1: is not 32 hex digits\n"
           "t:4: trunks[0].uri: \"http://x\" is not a SIP URI such as sip:HOST:PORT;transport=tcp\n"
           "t:4: trunks[0].accept: \"10.0.0.0/99\" is not a network: ADDRESS or ADDRESS/BITS\n"
           "t:5: trunks[1].uri: \"sip:a b\" is not a SIP URI such as sip:HOST:PORT;transport=tcp\n"
           "t:6: trunks[2].uri: \"sip:a:0\" is not a SIP URI such as sip:HOST:PORT;transport=tcp\n"
           "t:6: trunks[2].codecs: \"a/b\" is not the name of a codec\n");
    refuse("accounts:\n  - {name: a, password: b, display: \"x\\r\\ny\", numbers: [\"+1x\", \"+\"]}\n"
           "web: {origins: [\"phone.example.com\", \"https://a/b\"]}\n",
           "t:2: accounts[0].display: contains a control character\n"
           "t:2: accounts[0].numbers: \"+1x\" is not a number: digits, * and #, perhaps after a +\n"
           "t:2: accounts[0].numbers: \"+\" is not a number of 1 to 64 digits\n"
           "t:3: web.origins: \"phone.example.com\" is not an origin: SCHEME://HOST[:PORT], nothing behind it\n"
           "t:3: web.origins: \"https://a/b\" is not an origin: SCHEME://HOST[:PORT], nothing behind it\n");
}

static void test_watchers_are_accounts_or_all_of_them(void **state)
{
    struct conf *conf =
        parse_ok("accounts:\n  - {name: a, password: b, watchers: [c, '*']}\n  - {name: c, password: d}\n");

    assert_int_equal(conf->accounts[0].watchers.count, 2);
    assert_string_equal(conf->accounts[0].watchers.items[1], "*");
    assert_int_equal(conf->accounts[1].watchers.count, 0);
    assert_int_equal(conf->messages.keep_s, 7 * 86400);
    assert_int_equal(conf->presence.max_per_watcher, 500);
    conf_unref(conf);
    refuse("accounts:\n  - {name: a, password: b, watchers: [ghost]}\n",
           "t:2: accounts[0].watchers: there is no account \"ghost\"\n");
}

static void test_dangling_names_are_refused(void **state)
{
    refuse("accounts:\n  - {name: a, password: b, routes: [nowhere]}\nroutes:\n  - {trunks: [ghost]}\n"
           "  - {account: nobody}\n  - {plugin: none}\n  - {from: \"trunk:x\", account: a}\n"
           "  - {from: \"account:y\", account: a}\n  - {from: everybody, account: a}\ndemo: {account: z}\n",
           "t:9: routes[5].from: \"everybody\" is none of accounts, any, trunk:NAME, account:NAME\n"
           "t:10: demo.account: names no account\n"
           "t:2: accounts[0].routes: there is no route \"nowhere\"\n"
           "t:4: routes[0].trunks: there is no trunk \"ghost\"\n"
           "t:5: routes[1].account: there is no account \"nobody\"\n"
           "t:6: routes[2].plugin: \"none\" does not stand in plugins\n"
           "t:7: routes[3].from: there is no trunk \"x\"\n"
           "t:8: routes[4].from: there is no account \"y\"\n");
}

static void test_routes_must_make_sense(void **state)
{
    refuse("accounts: [{name: a, password: b}]\ntrunks: [{name: t, uri: \"sip:t\"}]\nplugins: {p: }\nroutes:\n"
           "  - {to: \"(\", account: a}\n  - {to: \"(a)\\\\1\", account: a}\n  - {to: \"((a{200}){200}){200}\", "
           "account: a}\n"
           "  - {to: \"^(.*)$\", account: \"\\\\2\"}\n  - {number: \"\\\\1\", trunks: [t]}\n  - {account: a, trunks: "
           "[t]}\n"
           "  - {account: a, room: x}\n  - {name: n, plugin: p}\n  - {name: n, plugin: p, room: \"x\\\\y\"}\n",
           "t:5: routes[0].to: is not a POSIX extended expression: Unmatched ( or \\(\n"
           "t:6: routes[1].to: a pattern cannot refer to its own groups\n"
           "t:7: routes[2].to: has too many repetitions\n"
           "t:8: routes[3].account: \\2: `to` has only 1 groups\n"
           "t:9: routes[4].number: \\1: `to` has only 0 groups\n"
           "t:10: routes[5]: needs exactly one of trunks, account and plugin\n"
           "t:11: routes[6].room: needs a plugin\n"
           "t:13: routes[8].name: \"n\" stands twice\n"
           "t:13: routes[8].room: a \\ must be followed by 1 to 9\n");
}

static void test_secrets_are_needed_where_they_guard(void **state)
{
    unsetenv("NO_SUCH_VARIABLE");
    refuse("admin: {listen: \"http://192.0.2.1:8088\"}\naccounts:\n  - {name: a}\n"
           "  - {name: b, password: x, ha1: 0123456789abcdef0123456789abcdef}\n  - {name: c, password: "
           "\"${NO_SUCH_VARIABLE}\"}\n"
           "  - {name: d, password: \"${\"}\ntrunks:\n  - {name: t, uri: \"sip:t\", register: true}\n"
           "  - {name: t, uri: \"sip:t\", password: x}\n",
           "t:5: accounts[2].password: environment variable NO_SUCH_VARIABLE is not set\n"
           "t:6: accounts[3].password: ${ without a name and a }\n"
           "t:9: trunks[1].name: \"t\" stands twice\n"
           "t:1: admin.listen: is not loopback, so admin.token is needed\n"
           "t:3: accounts[0]: needs a password or ha1\n"
           "t:4: accounts[1].ha1: stands beside a password\n"
           "t:8: trunks[0].register: needs a username and a password\n"
           "t:9: trunks[1].password: needs a username\n");
    refuse("cdr: {http: \"http://billing.example.com/calls\", token: secret}\n",
           "t:1: cdr.http: is not https, so cdr.token would be readable on the way\n");
    refuse("admin: {listen: \"http://[::]:8088\", token: short}\n", "t:1: admin.token: is shorter than 8 characters\n");
}

static void test_needed_keys_are_missed(void **state)
{
    refuse("accounts:\n  - {password: x}\ntrunks:\n  -\n  - {name: b}\ntokens: [{issuer: x, key: k}]\n",
           "t:2: accounts[0]: name is missing\n"
           "t:4: trunks[0]: name is missing\n"
           "t:4: trunks[0]: uri is missing\n"
           "t:5: trunks[1]: uri is missing\n"
           "t:6: tokens[0].algorithms: is missing\n");
}

static void test_numbers_of_the_file_must_fit_together(void **state)
{
    refuse("workers: 10\nsip: {min_expires: 2h, session_expires: 60}\nmedia: {webrtc: \"0.0.0.0:65530\"}\n",
           "t:2: sip.min_expires: is more than sip.max_expires\n"
           "t:2: sip.session_expires: is less than the 90 seconds of RFC 4028\n"
           "t:3: media.webrtc: has no port for each worker: they go past 65535\n");
    refuse("media:\n  webrtc: \"0.0.0.0:20100\"\n  rtp:\n    ports: 20000-20200\n",
           "t:4: media.rtp.ports: overlaps the ports of media.webrtc\n");
    refuse("sip: {listen: [\"udp://0.0.0.0:5060\", \"tcp://0.0.0.0:5060\", \"udp://0.0.0.0:5060\"]}\n",
           "t:1: sip.listen: 0.0.0.0 port 5060 stands twice\n");
}

static void test_the_environment_fills_in(void **state)
{
    struct conf *conf;

    setenv("SIPWAY_TEST_A", "one", 1);
    conf = parse_ok("domain: \"${SIPWAY_TEST_A}.x.${SIPWAY_TEST_A}\"\n"
                    "accounts: [{name: a, password: \"a$${b}$c${SIPWAY_TEST_A}\"}]\n");
    assert_string_equal(conf->domain, "one.x.one");
    assert_string_equal(conf->accounts[0].password, "a${b}$cone");
    conf_unref(conf);
}

static void test_anchors_and_merges_are_followed(void **state)
{
    struct conf *conf = parse_ok("trunks:\n"
                                 "  - &base {name: one, uri: \"sip:one\", max_calls: 7, codecs: &c [PCMA]}\n"
                                 "  - {<<: *base, name: two}\n"
                                 "  - {name: three, uri: \"sip:three\", codecs: *c}\n");

    assert_string_equal(conf->trunks[1].name, "two");
    assert_string_equal(conf->trunks[1].uri, "sip:one");
    assert_int_equal(conf->trunks[1].max_calls, 7);
    assert_string_equal(conf->trunks[2].codecs.items[0], "PCMA");
    conf_unref(conf);
    refuse("log: &l {<<: *l}\nweb: {<<: 5}\n", "t:1: log.<<.<<.<<.<<.<<: << points on too often\n"
                                               "t:2: web.<<: << should point at a mapping\n");
}

static void test_what_is_not_yaml_names_the_line(void **state)
{
    struct conf *conf = NULL;

    assert_int_equal(conf_parse(&conf, "t", SPAN("a: b\nc: [\n"), &errors), -EINVAL);
    assert_non_null(strstr(errors.data, "t:3: is not YAML: "));
    text_reset(&errors);
    assert_int_equal(conf_parse(&conf, "t", SPAN("a: \xff\n"), &errors), -EINVAL);
    assert_non_null(strstr(errors.data, "is not YAML: "));
    refuse("workers: 1\n---\nworkers: 2\n", "t:3: has a second document\n");
}

static void test_errors_are_bounded(void **state)
{
    struct conf *conf = NULL;
    struct text yaml;
    int lines = 0;

    text_init(&yaml, 100000);
    for (int i = 0; i < 1000; i++)
        text_addf(&yaml, "key%d: 1\n", i);
    assert_int_equal(conf_parse(&conf, "t", text_span(&yaml), &errors), -EINVAL);
    for (char *c = errors.data; *c; c++)
        lines += *c == '\n';
    assert_int_equal(lines, 51);
    assert_non_null(strstr(errors.data, "t: more errors are not shown\n"));
    text_free(&yaml);
}

static void test_the_example_is_valid(void **state)
{
    const char *src = getenv("SIPWAY_SRC");
    struct conf *conf = NULL;
    char path[1024];
    int err;

    snprintf(path, sizeof(path), "%s/gateway/sipway.yaml.example", src ? src : ".");
    err = conf_load(&conf, path, &errors);
    if (err)
        fail_msg("%d: %s", err, errors.data ? errors.data : "");
    assert_int_equal(conf->account_count, 2);
    conf_unref(conf);
}

static void test_a_file_that_cannot_be_read_is_named(void **state)
{
    struct conf *conf = NULL;

    assert_int_equal(conf_load(&conf, "/nonexistent/x.yaml", &errors), -ENOENT);
    assert_string_equal(errors.data, "/nonexistent/x.yaml: no such file or directory\n");
    text_reset(&errors);
    assert_int_equal(conf_load(&conf, "/", &errors), -EISDIR);
}

static void test_paths_start_at_the_files_folder_and_must_be_readable(void **state)
{
    char folder[] = "/tmp/sipway-test-XXXXXX", file[64], wanted[256];
    struct conf *conf = NULL;
    FILE *out;

    assert_non_null(mkdtemp(folder));
    snprintf(file, sizeof(file), "%s/a.yaml", folder);
    out = fopen(file, "w");
    fputs("web: {certificate: a.yaml, key: /no/key.pem, html: pages}\n", out);
    fclose(out);
    assert_int_equal(conf_load(&conf, file, &errors), -EINVAL);
    snprintf(wanted, sizeof(wanted), "%s:1: web.key: /no/key.pem: no such file or directory\n", file);
    assert_string_equal(errors.data, wanted);
    text_reset(&errors);
    out = fopen(file, "w");
    fputs("web: {certificate: a.yaml, key: a.yaml, html: pages}\n", out);
    fclose(out);
    assert_int_equal(conf_load(&conf, file, &errors), 0);
    assert_string_equal(conf->web.certificate, file);
    snprintf(wanted, sizeof(wanted), "%s/pages", folder);
    assert_string_equal(conf->web.html, wanted);
    conf_unref(conf);
    unlink(file);
    rmdir(folder);
}

static void test_the_help_tells_every_key(void **state)
{
    conf_write_help(&errors);
    assert_int_equal(text_err(&errors), 0);
    assert_non_null(strstr(errors.data, "media.gather: under load packets are taken"));
    assert_non_null(
        strstr(errors.data,
               "sip.t1: T1 of RFC 3261: the estimated round trip (a duration, a bare number is in ms; default 500)\n"));
    assert_non_null(strstr(errors.data, "trunks[].uri: next hop, found by RFC 3263 (a SIP URI; needed)\n"));
    text_reset(&errors);
}

static int parse_promised(void *arg)
{
    struct conf *conf = NULL;
    char buf[256];
    struct text fixed;
    int err;

    text_init_fixed(&fixed, buf, sizeof(buf));
    err = conf_parse(&conf, "t", span_of(promised), &fixed);
    if (!err)
        conf_unref(conf);
    return err;
}

static void test_no_memory_is_an_error_that_leaks_nothing(void **state)
{
    set_environment();
    assert_true(oom_run(parse_promised, NULL) > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_empty_file_is_the_default_gateway),
        TEST(test_the_promised_keys_are_read),
        TEST(test_a_certificate_brings_the_secure_listeners),
        TEST(test_name_servers_are_addresses_with_or_without_a_port),
        TEST(test_watchers_are_accounts_or_all_of_them),
        TEST(test_durations_take_units),
        TEST(test_unknown_keys_are_named_with_what_was_meant),
        TEST(test_keys_stand_once),
        TEST(test_wrong_types_are_refused),
        TEST(test_wrong_values_are_refused),
        TEST(test_dangling_names_are_refused),
        TEST(test_routes_must_make_sense),
        TEST(test_secrets_are_needed_where_they_guard),
        TEST(test_needed_keys_are_missed),
        TEST(test_numbers_of_the_file_must_fit_together),
        TEST(test_the_environment_fills_in),
        TEST(test_anchors_and_merges_are_followed),
        TEST(test_what_is_not_yaml_names_the_line),
        TEST(test_errors_are_bounded),
        TEST(test_the_example_is_valid),
        TEST(test_a_file_that_cannot_be_read_is_named),
        TEST(test_paths_start_at_the_files_folder_and_must_be_readable),
        TEST(test_the_help_tells_every_key),
        TEST(test_no_memory_is_an_error_that_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
