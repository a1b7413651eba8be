/* SPDX-License-Identifier: Apache-2.0 */
/* Ports of a leg whose negotiation runs out of memory: none is kept that no open line has. Where a phone's media is
 * looked for when it names an address that only it can see. What can be told of a leg. */
#include "../media/media_rig.h"

#include <errno.h>

#include "base/mem.h"
#include "call/negotiate_private.h"

#include "call/negotiate_apply.c" /* its statics */

static const char offer[] = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
                            "m=audio 4000 RTP/AVP 0\r\n";

static struct leg_media *make_leg(bool is_webrtc)
{
    struct leg_media *media;

    assert_int_equal(
        leg_media_new(&media,
                      &(struct leg_media_options){.house = rig.house, .conf = rig.conf, .is_webrtc = is_webrtc}),
        0);
    return media;
}

static unsigned open_count(const struct leg_media *media)
{
    unsigned count = 0;

    for (unsigned kind = 0; kind < MEDIA_KINDS; kind++)
        count += media->is_open[kind];
    return count;
}

static void try_without_memory(bool is_webrtc, enum stat_id sessions)
{
    struct leg_media *in = make_leg(false);
    unsigned failed_count = 0;
    const char *why = "";
    int err = -1;

    assert_int_equal(leg_media_take_offer(in, span_of(offer), &why), 0);
    for (int n = 0; err; n++) {
        struct leg_media *out = make_leg(is_webrtc);
        uint64_t before = rig_stat(sessions);
        struct text text;

        text_init(&text, 65536);
        mem_fail_after(n);
        err = leg_media_make_offer(out, in, &text, &why);
        mem_fail_after(-1);
        failed_count += err != 0;
        assert_int_equal(rig_stat(sessions) - before, open_count(out)); /* while the leg is still there */
        mem_unref(out);
        assert_int_equal(rig_stat(sessions), before);
        text_free(&text);
    }
    assert_true(failed_count > 3);
    mem_unref(in);
}

static void test_an_rtp_port_is_given_back_at_once(void **state)
{
    try_without_memory(false, STAT_RTP_SESSIONS);
}

static void test_a_peer_connection_is_given_back_at_once(void **state)
{
    try_without_memory(true, STAT_PEERS);
}

static int setup(void **state)
{
    rig_start("");
    return 0;
}

static int teardown(void **state)
{
    rig_stop();
    return 0;
}

static struct addr seen(bool is_device, const char *towards, const char *said)
{
    struct leg_media media = {.is_device = is_device};
    struct addr addr;

    assert_int_equal(addr_parse(&media.towards, span_of(towards), 31000), 0);
    assert_int_equal(addr_parse(&addr, span_of(said), 4000), 0);
    see_through_nat(&media, &addr);
    return addr;
}

static void test_a_phone_behind_a_nat_is_sent_media_at_the_address_that_it_signals_from(void **state)
{
    static const struct {
        bool is_device;
        const char *towards, *said, *used;
    } cases[] = {
        {true, "198.51.100.9", "192.168.1.10", "198.51.100.9"}, {true, "10.0.0.1", "192.168.1.10", "10.0.0.1"},
        {true, "192.168.1.10", "192.168.1.10", "192.168.1.10"}, {true, "198.51.100.9", "203.0.113.5", "203.0.113.5"},
        {true, "2001:db8::1", "192.168.1.10", "192.168.1.10"},  {false, "198.51.100.9", "192.168.1.10", "192.168.1.10"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct addr used = seen(cases[i].is_device, cases[i].towards, cases[i].said);
        char host[ADDR_TEXT_MAX];

        assert_string_equal(addr_host_text(&used, host), cases[i].used);
        assert_int_equal(addr_port(&used), 4000);
    }
}

/* What a call record and /calls say of a leg. */
static void test_codecs_and_addresses_of_a_leg_can_be_told(void **state)
{
    static const char many[] = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n"
                               "m=audio 4000 RTP/AVP 8 101 0 96 97\r\na=rtpmap:96 opus/48000/2\r\n"
                               "a=rtpmap:97 pcma/8000\r\na=rtpmap:101 telephone-event/8000\r\n";
    struct leg_media *in = make_leg(false), *browser = make_leg(true), *out = make_leg(false);
    char host[ADDR_TEXT_MAX];
    struct text text;
    struct addr addr;
    const char *why;

    text_init(&text, 65536);
    assert_int_equal(leg_media_peer_address(out, &addr), -1);
    assert_int_equal(leg_media_told_address(out, &addr), -1);
    assert_int_equal(leg_media_take_offer(in, span_of(many), &why), 0);
    leg_media_write_codecs(in, &text); /* each once, no events */
    assert_string_equal(text.data, "PCMA, PCMU, opus");
    text_reset(&text);
    assert_int_equal(leg_media_make_offer(browser, in, &text, &why), 0);
    assert_int_equal(leg_media_told_address(browser, &addr), 0);
    assert_true(addr_is_loopback(&addr));
    assert_int_equal(leg_media_peer_address(browser, &addr), -1); /* a browser's is found by ICE */
    text_reset(&text);
    assert_int_equal(leg_media_make_offer(out, in, &text, &why), 0);
    assert_int_equal(leg_media_take_answer(out, span_of(offer), &why), 0);
    text_reset(&text);
    assert_int_equal(leg_media_make_answer(in, out, &text, &why), 0);
    assert_int_equal(leg_media_peer_address(in, &addr), 0);
    assert_string_equal(addr_host_text(&addr, host), "192.0.2.7");
    assert_int_equal(addr_port(&addr), 4000);
    assert_int_equal(leg_media_told_address(in, &addr), 0);
    assert_true(addr_is_loopback(&addr) && addr_port(&addr) != 4000);
    text_free(&text);
    mem_unref(in);
    mem_unref(browser);
    mem_unref(out);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_an_rtp_port_is_given_back_at_once),
        T(test_a_peer_connection_is_given_back_at_once),
        T(test_codecs_and_addresses_of_a_leg_can_be_told),
        T(test_a_phone_behind_a_nat_is_sent_media_at_the_address_that_it_signals_from),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
