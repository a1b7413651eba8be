/* SPDX-License-Identifier: Apache-2.0 */
#include "sdp_test.h"

static const char offer[] = HEAD "m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=rtcp:4001\r\n"
                                 "m=video 0 RTP/AVP 96 97\r\na=mid:v\r\na=rtpmap:96 VP8/90000\r\n";

static void test_lines_end_in_crlf_and_a_refused_line_is_short(void **state)
{
    struct text out;

    parse(offer);
    text_init(&out, SDP_TEXT_MAX);
    assert_int_equal(sdp_write(&out, &parsed), 0);
    assert_string_equal(out.data, "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nt=0 0\r\n"
                                  "m=audio 4000 RTP/AVP 8 101\r\nc=IN IP4 192.0.2.20\r\na=sendrecv\r\n"
                                  "a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
                                  "m=video 0 RTP/AVP 96\r\nc=IN IP4 192.0.2.20\r\na=mid:v\r\n");
    text_free(&out);
}

static void test_a_full_text_is_an_error(void **state)
{
    char buf[64];
    struct text out;

    parse(offer);
    text_init_fixed(&out, buf, sizeof(buf));
    assert_int_equal(sdp_write(&out, &parsed), -ENOSPC);
}

static void test_each_failing_allocation_is_enomem_and_no_leak(void **state)
{
    size_t live = mem_live_count();
    int err = -ENOMEM;

    parse(offer);
    for (int n = 0; err == -ENOMEM && n < 100; n++) {
        struct text out;

        text_init(&out, SDP_TEXT_MAX);
        mem_fail_after(n);
        err = sdp_write(&out, &parsed);
        mem_fail_after(-1);
        text_free(&out);
        assert_int_equal(mem_live_count(), live);
        assert_true(err == 0 || err == -ENOMEM);
    }
    assert_int_equal(err, 0);
}

static void test_sixty_four_full_lines_can_be_written(void **state)
{
    struct text out, text;

    text_init(&text, SDP_TEXT_MAX);
    text_add_str(&text, HEAD);
    for (unsigned i = 0; i < SDP_MEDIA_MAX; i++)
        text_add_str(&text, "m=audio 4000 RTP/AVP 0 8 9\r\na=mid:x\r\na=ptime:20\r\n");
    assert_int_equal(sdp_parse(&parsed, text_span(&text), &why), 0);
    text_init(&out, SDP_TEXT_MAX);
    assert_int_equal(sdp_write(&out, &parsed), 0);
    text_free(&text);
    text_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_end_in_crlf_and_a_refused_line_is_short),
        cmocka_unit_test(test_a_full_text_is_an_error),
        cmocka_unit_test(test_each_failing_allocation_is_enomem_and_no_leak),
        cmocka_unit_test(test_sixty_four_full_lines_can_be_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
