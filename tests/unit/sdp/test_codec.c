/* SPDX-License-Identifier: Apache-2.0 */
#include "sdp_test.h"

static struct sdp_codec codec(unsigned pt, const char *name, unsigned clock_hz, unsigned channels, const char *fmtp)
{
    return (struct sdp_codec){(uint8_t)pt, span_of(name), clock_hz, (uint8_t)channels, span_of(fmtp)};
}

static void add(struct sdp_codecs *codecs, struct sdp_codec item)
{
    codecs->items[codecs->count++] = item;
}

static bool same(struct sdp_codec left, struct sdp_codec right)
{
    return codec_same(&left, &right);
}

static enum codec_id find(struct sdp_codec item)
{
    return codec_find(&item);
}

/* "PCMA 8, telephone-event 101" */
static const char *list(const struct sdp_codecs *codecs)
{
    static char buf[1024];
    struct text text;

    text_init_fixed(&text, buf, sizeof(buf));
    for (unsigned i = 0; i < codecs->count; i++)
        text_addf(&text, "%s%.*s/%u %u", i ? ", " : "", SPAN_ARG(codecs->items[i].name), codecs->items[i].clock_hz,
                  codecs->items[i].pt);
    return buf;
}

static void test_a_format_is_found_by_name_clock_and_channels(void **state)
{
    assert_int_equal(find(codec(0, "pcmu", 8000, 1, "")), CODEC_PCMU);
    assert_int_equal(find(codec(111, "OPUS", 48000, 2, "")), CODEC_OPUS);
    assert_int_equal(find(codec(111, "opus", 48000, 1, "")), CODEC_NONE);
    assert_int_equal(find(codec(9, "G722", 16000, 1, "")), CODEC_G722);
    assert_int_equal(find(codec(0, "PCMU", 16000, 1, "")), CODEC_NONE);
    assert_int_equal(find(codec(126, "telephone-event", 8000, 1, "")), CODEC_EVENT_8000);
    assert_int_equal(find(codec(126, "telephone-event", 16000, 1, "")), CODEC_NONE);
    assert_int_equal(find(codec(126, "", 0, 1, "")), CODEC_NONE);
    assert_string_equal(codec_name(CODEC_H264), "H264");
    assert_string_equal(codec_name(CODEC_NONE), "unknown");
}

static void test_h264_is_the_same_by_mode_and_profile_not_by_level(void **state)
{
    struct sdp_codec mode_1 = codec(96, "H264", 90000, 1, "packetization-mode=1;profile-level-id=42e01f");

    assert_true(same(mode_1, codec(97, "h264", 90000, 1, "profile-level-id=42E034; packetization-mode=1")));
    assert_true(same(mode_1, codec(97, "H264", 90000, 1, "profile-level-id=4d801f;packetization-mode=1")));
    assert_false(same(mode_1, codec(97, "H264", 90000, 1, "profile-level-id=42e01f")));
    assert_false(same(mode_1, codec(97, "H264", 90000, 1, "packetization-mode=1;profile-level-id=42001f")));
    assert_false(same(mode_1, codec(97, "H264", 90000, 1, "packetization-mode=1;profile-level-id=640c1f")));
    assert_true(same(codec(96, "H264", 90000, 1, ""), codec(97, "H264", 90000, 1, "profile-level-id=42001f")));
    assert_false(same(mode_1, codec(97, "H264", 90000, 1, "packetization-mode=1;profile-level-id=")));
}

static void test_allowed_names_give_the_order_of_an_offer(void **state)
{
    char pcma[] = "PCMA", pcmu[] = "PCMU", *names[] = {pcma, pcmu};
    struct conf_strings allowed = {names, 2};
    struct sdp_codecs offered = {.count = 0}, out;

    add(&offered, codec(111, "opus", 48000, 2, ""));
    add(&offered, codec(63, "red", 48000, 2, ""));
    add(&offered, codec(0, "PCMU", 8000, 1, ""));
    add(&offered, codec(8, "PCMA", 8000, 1, ""));
    add(&offered, codec(110, "telephone-event", 48000, 1, ""));
    assert_int_equal(codecs_to_offer(&out, &offered, &allowed), 2);
    assert_string_equal(list(&out), "PCMA/8000 8, PCMU/8000 0, telephone-event/8000 101");
    assert_span(out.items[2].fmtp, "0-16");
    assert_int_equal(codecs_to_offer(&out, &offered, NULL), 3);
    assert_string_equal(list(&out), "opus/48000 111, PCMU/8000 0, PCMA/8000 8, telephone-event/48000 110, "
                                    "telephone-event/8000 101");
}

static void test_numbers_below_the_dynamic_range_are_not_carried_over(void **state)
{
    struct sdp_codecs offered = {.count = 0}, out;

    add(&offered, codec(35, "opus", 48000, 2, ""));
    add(&offered, codec(108, "PCMU", 8000, 1, ""));
    add(&offered, codec(96, "telephone-event", 48000, 1, ""));
    codecs_to_offer(&out, &offered, NULL);
    assert_string_equal(list(&out), "opus/48000 96, PCMU/8000 0, telephone-event/48000 97, telephone-event/8000 101");
}

static void test_an_offer_without_known_codecs_is_empty(void **state)
{
    struct sdp_codecs offered = {.count = 0}, out;

    add(&offered, codec(18, "G729", 8000, 1, ""));
    add(&offered, codec(101, "telephone-event", 8000, 1, ""));
    assert_int_equal(codecs_to_offer(&out, &offered, NULL), 0);
    assert_int_equal(out.count, 0);
}

static void test_full_lists_stay_within_their_maximum(void **state)
{
    char profiles[SDP_CODEC_MAX][64];
    struct sdp_codecs offered = {.count = 0}, out;

    for (unsigned i = 0; i < SDP_CODEC_MAX; i++) {
        snprintf(profiles[i], sizeof(profiles[i]), "profile-level-id=42e0%02x", i);
        add(&offered, codec(96 + i % 32, "H264", 90000, 1, profiles[i]));
    }
    assert_int_equal(codecs_to_offer(&out, &offered, NULL), SDP_CODEC_MAX);
    for (unsigned i = 0; i < SDP_CODEC_MAX; i++)
        offered.items[i] = codec(111, "opus", 48000, 2, "");
    assert_in_range(codecs_to_offer(&out, &offered, NULL), 31, SDP_CODEC_MAX);
    assert_in_range(out.count, 31, SDP_CODEC_MAX);
}

static void test_an_answer_has_the_offerers_numbers_and_the_takers_order(void **state)
{
    struct sdp_codecs offered = {.count = 0}, taken = {.count = 0}, out;

    add(&offered, codec(107, "opus", 48000, 2, "a=1"));
    add(&offered, codec(8, "PCMA", 8000, 1, ""));
    add(&offered, codec(100, "telephone-event", 48000, 1, ""));
    add(&offered, codec(102, "telephone-event", 8000, 1, "0-15"));
    add(&taken, codec(101, "telephone-event", 8000, 1, ""));
    add(&taken, codec(8, "PCMA", 8000, 1, ""));
    add(&taken, codec(96, "OPUS", 48000, 2, "b=2"));
    assert_int_equal(codecs_to_answer(&out, &offered, &taken), 2);
    assert_string_equal(list(&out), "PCMA/8000 8, opus/48000 107, telephone-event/8000 102");
    assert_span(out.items[1].fmtp, "a=1");
    assert_span(out.items[2].fmtp, "0-15");
}

static void test_an_answer_has_no_event_that_was_not_offered(void **state)
{
    struct sdp_codecs offered = {.count = 0}, taken = {.count = 0}, out;

    add(&offered, codec(8, "PCMA", 8000, 1, ""));
    add(&offered, codec(110, "telephone-event", 48000, 1, ""));
    add(&taken, codec(8, "PCMA", 8000, 1, ""));
    add(&taken, codec(101, "telephone-event", 8000, 1, ""));
    assert_int_equal(codecs_to_answer(&out, &offered, &taken), 1);
    assert_string_equal(list(&out), "PCMA/8000 8");
}

static void test_nothing_in_common_is_an_empty_answer(void **state)
{
    struct sdp_codecs offered = {.count = 0}, taken = {.count = 0}, out;

    add(&offered, codec(8, "PCMA", 8000, 1, ""));
    add(&offered, codec(18, "G729", 8000, 1, ""));
    add(&offered, codec(101, "telephone-event", 8000, 1, ""));
    add(&taken, codec(0, "PCMU", 8000, 1, ""));
    add(&taken, codec(18, "G729", 8000, 1, "")); /* the same, but nothing we relay */
    add(&taken, codec(101, "telephone-event", 8000, 1, ""));
    assert_int_equal(codecs_to_answer(&out, &offered, &taken), 0);
    assert_int_equal(out.count, 0);
}

static void test_all_codecs_of_a_kind_are_numbered_without_conflict(void **state)
{
    char pcma[] = "PCMA", opus[] = "OPUS", *names[] = {pcma, opus};
    struct conf_strings allowed = {names, 2};
    struct sdp_codecs out;

    codecs_all(&out, SDP_AUDIO, NULL);
    assert_string_equal(list(&out), "opus/48000 96, G722/8000 9, PCMU/8000 0, PCMA/8000 8, telephone-event/48000 97, "
                                    "telephone-event/8000 101");
    codecs_all(&out, SDP_AUDIO, &allowed);
    assert_string_equal(list(&out), "PCMA/8000 8, opus/48000 96, telephone-event/48000 97, telephone-event/8000 101");
    codecs_all(&out, SDP_VIDEO, NULL);
    assert_string_equal(list(&out), "VP8/90000 96, H264/90000 97");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_format_is_found_by_name_clock_and_channels),
        cmocka_unit_test(test_h264_is_the_same_by_mode_and_profile_not_by_level),
        cmocka_unit_test(test_allowed_names_give_the_order_of_an_offer),
        cmocka_unit_test(test_numbers_below_the_dynamic_range_are_not_carried_over),
        cmocka_unit_test(test_an_offer_without_known_codecs_is_empty),
        cmocka_unit_test(test_full_lists_stay_within_their_maximum),
        cmocka_unit_test(test_an_answer_has_the_offerers_numbers_and_the_takers_order),
        cmocka_unit_test(test_an_answer_has_no_event_that_was_not_offered),
        cmocka_unit_test(test_nothing_in_common_is_an_empty_answer),
        cmocka_unit_test(test_all_codecs_of_a_kind_are_numbered_without_conflict),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
