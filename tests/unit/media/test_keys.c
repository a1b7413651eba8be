/* SPDX-License-Identifier: Apache-2.0 */
/* Pressed keys as telephone-event, to the peer and from it. RFC 4733. */
#include "media_rig.h"

#include <errno.h>
#include <string.h>

#include "media/keys.h"

static struct {
    struct peer phone;
    struct endpoint *endpoint;
    struct media_stream *stream;
    unsigned key_count, event, duration_ms;
} call;

static void on_key(struct endpoint *endpoint, unsigned event, unsigned duration_ms, void *arg)
{
    call.key_count++;
    call.event = event;
    call.duration_ms = duration_ms;
}

static void call_start(bool has_events)
{
    static const struct endpoint_user user = {.on_key = on_key};
    struct stream_config config = {
        .formats = {{.codec = 1, .pt_in = 0, .pt_out = 0, .clock_hz = 8000},
                    {.codec = 2, .pt_in = 101, .pt_out = 96, .clock_hz = 8000, .is_event = true}},
        .format_count = has_events ? 2 : 1,
        .receives = true,
        .sends = true,
        .tells_keys = true};
    struct rtp_remote remote = {.has_rtcp_mux = true};
    struct rtp_local local;

    memset(&call, 0, sizeof(call));
    rig_start("");
    peer_start(&call.phone);
    assert_int_equal(endpoint_new_rtp(&call.endpoint, rig.house, &(struct rtp_options){.user = &user}), 0);
    assert_int_equal(media_stream_new(&call.stream, call.endpoint), 0);
    assert_int_equal(media_stream_set(call.stream, &config), 0);
    endpoint_rtp_local(call.endpoint, &local);
    call.phone.gateway = local.rtp;
    remote.rtp = *udp_local(call.phone.udp);
    assert_int_equal(endpoint_rtp_remote(call.endpoint, &remote), 0);
}

static void call_stop(void)
{
    mem_unref(call.stream);
    mem_unref(call.endpoint);
    peer_stop(&call.phone);
    rig_stop();
}

static void test_a_key_is_one_event_that_grows_and_ends_three_times(void **state)
{
    call_start(true);
    assert_int_equal(media_stream_press(call.stream, 11, 100), 0);
    rig_until(call.phone.rtp_count == 4 + 3);
    for (unsigned i = 0; i < 7; i++) {
        assert_int_equal(call.phone.log[i].pt, 96);
        assert_int_equal(call.phone.log[i].marker, i == 0);
        assert_int_equal(call.phone.log[i].seq, (uint16_t)(call.phone.log[0].seq + i));
        assert_int_equal(call.phone.log[i].timestamp, call.phone.log[0].timestamp);
    }
    assert_int_equal(call.phone.payload[0], 11);
    assert_int_equal(call.phone.payload[1] & 0x80, 0x80);
    assert_int_equal(rtp_get_u16(call.phone.payload + 2), 800);
    call_stop();
}

static void test_keys_wait_for_each_other_and_too_many_are_refused(void **state)
{
    unsigned taken = 0;

    call_start(true);
    while (!media_stream_press(call.stream, taken % 10, 40))
        taken++;
    assert_int_equal(taken, 32);
    assert_int_equal(media_stream_press(call.stream, 1, 40), -EBUSY);
    rig_until(call.phone.rtp_count == 8);
    assert_int_not_equal(call.phone.log[7].timestamp, call.phone.log[0].timestamp);
    call_stop();
}

static void test_without_telephone_event_there_is_none(void **state)
{
    call_start(false);
    assert_int_equal(media_stream_press(call.stream, 1, 100), -ENOENT);
    call_stop();
}

static void test_only_the_sixteen_keys_can_be_pressed(void **state)
{
    call_start(true);
    assert_int_equal(media_stream_press(call.stream, 16, 100), -ENOENT);
    assert_int_equal(media_stream_press(call.stream, 15, 100), 0);
    call_stop();
}

static void press_at_phone(struct rtp *rtp, unsigned event, bool is_end, unsigned units)
{
    uint8_t bytes[16];

    rtp_write(bytes, rtp);
    bytes[12] = (uint8_t)event;
    bytes[13] = is_end ? 0x8a : 0x0a;
    rtp_put_u16(bytes + 14, (uint16_t)units);
    peer_send(&call.phone, bytes, sizeof(bytes));
    rtp->seq++;
}

static void test_a_key_of_the_peer_is_told_once_at_its_end(void **state)
{
    struct rtp rtp = {.pt = 101, .seq = 7, .timestamp = 1000, .ssrc = 0x1234};

    call_start(true);
    press_at_phone(&rtp, 5, false, 160);
    rig_settle();
    assert_int_equal(call.key_count, 0);
    for (unsigned i = 0; i < 3; i++)
        press_at_phone(&rtp, 5, true, 1600);
    rig_until(call.key_count == 1);
    assert_int_equal(call.event, 5);
    assert_int_equal(call.duration_ms, 200);
    rtp.timestamp += 4000;
    press_at_phone(&rtp, 77, true, 160); /* no key */
    rtp.timestamp += 4000;
    press_at_phone(&rtp, 5, true, 160);
    rig_until(call.key_count == 2);
    rig_settle();
    assert_int_equal(call.key_count, 2);
    call_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_key_is_one_event_that_grows_and_ends_three_times),
        cmocka_unit_test(test_keys_wait_for_each_other_and_too_many_are_refused),
        cmocka_unit_test(test_without_telephone_event_there_is_none),
        cmocka_unit_test(test_only_the_sixteen_keys_can_be_pressed),
        cmocka_unit_test(test_a_key_of_the_peer_is_told_once_at_its_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
