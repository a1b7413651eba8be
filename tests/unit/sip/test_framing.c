/* SPDX-License-Identifier: Apache-2.0 */
#include "../unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sip/framing.h"
#include "sip/msg.h"

#define OPTIONS_HEAD(id)                                                                                               \
    "OPTIONS sip:203.0.113.10 SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.10:5060;branch=z9hG4bK" id "\r\n"                    \
    "Max-Forwards: 70\r\nFrom: <sip:192.0.2.10>;tag=c06\r\nTo: <sip:203.0.113.10>\r\nCall-ID: " id "\r\n"              \
    "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
#define STREAM                                                                                                         \
    "\r\n\r\n" OPTIONS_HEAD("c06a") "MESSAGE sip:+12025550123@203.0.113.10 SIP/2.0\r\n"                                \
                                    "Via: SIP/2.0/TCP 192.0.2.10:5060;branch=z9hG4bKc06b\r\nMax-Forwards: 70\r\n"      \
                                    "From: <sip:+12025550199@192.0.2.10>;tag=c06\r\n"                                  \
                                    "To: <sip:+12025550123@203.0.113.10>\r\nCall-ID: c06b\r\nCSeq: 1 MESSAGE\r\n"      \
                                    "Content-Type: text/plain;charset=utf-8\r\nContent-Length: 40\r\n\r\n"             \
                                    "line 1\r\n\r\nOPTIONS sip:x SIP/2.0\r\n\r\ncaf\xc3\xa9" OPTIONS_HEAD(             \
                                        "c06c") "\r\n\r\n"

/* What a reader of the stream saw: one letter for an event, and the Call-ID of each message. */
struct reader {
    char buffer[8192];
    size_t n;
    char log[200];
    struct framing_hint hint;
};

static void note(struct reader *reader, struct span what)
{
    size_t n = strlen(reader->log);

    assert_true(span_copy(what, reader->log + n, sizeof(reader->log) - n) >= 0);
}

static void note_message(struct reader *reader, struct span message)
{
    static struct sip_msg msg;
    char *copy = malloc(message.n);
    unsigned status;
    const char *why;

    assert_non_null(copy);
    memcpy(copy, message.p, message.n);
    assert_int_equal(sip_msg_parse(&msg, copy, message.n, &status, &why), 0);
    note(reader, msg.call_id);
    if (msg.body.n == 40)
        note(reader, SPAN("+40"));
    note(reader, SPAN(" "));
    free(copy);
}

static void feed(struct reader *reader, struct span bytes)
{
    struct span message;
    size_t used;
    enum framing framing;

    assert_true(reader->n + bytes.n <= sizeof(reader->buffer));
    memcpy(reader->buffer + reader->n, bytes.p, bytes.n);
    reader->n += bytes.n;
    while ((framing = framing_next_hinted(span_make(reader->buffer, reader->n), &reader->hint, &message, &used)) !=
           FRAMING_MORE) {
        if (framing == FRAMING_MESSAGE)
            note_message(reader, message);
        else
            note(reader, framing == FRAMING_PING   ? SPAN("ping ")
                         : framing == FRAMING_PONG ? SPAN("pong ")
                                                   : SPAN("? "));
        assert_true(used > 0 && used <= reader->n);
        reader->n -= used;
        memmove(reader->buffer, reader->buffer + used, reader->n);
    }
    assert_int_equal(used, 0);
}

#define SEEN "ping c06a c06b+40 c06c ping "

static void test_any_cut_of_the_stream_gives_the_same_messages(void **state)
{
    struct span all = SPAN(STREAM);

    for (size_t cut = 0; cut <= all.n; cut++) {
        struct reader reader = {.n = 0};

        feed(&reader, span_sub(all, 0, cut));
        feed(&reader, span_sub(all, cut, all.n - cut));
        assert_string_equal(reader.log, SEEN);
        assert_int_equal(reader.n, 0);
    }
}

static void test_byte_by_byte_gives_the_same_messages(void **state)
{
    struct span all = SPAN(STREAM);
    struct reader reader = {.n = 0};

    for (size_t i = 0; i < all.n; i++)
        feed(&reader, span_sub(all, i, 1));
    assert_string_equal(reader.log, SEEN);
}

static enum framing frame(struct span bytes, struct span *message, size_t *used)
{
    char *exact = malloc(bytes.n ? bytes.n : 1);
    enum framing framing;

    assert_non_null(exact);
    if (bytes.n)
        memcpy(exact, bytes.p, bytes.n);
    framing = framing_next(span_make(exact, bytes.n), message, used);
    if (message->n)
        message->p = bytes.p + (message->p - exact);
    free(exact);
    return framing;
}

static void test_a_lone_crlf_is_a_pong_once_something_else_follows(void **state)
{
    struct span message;
    size_t used;

    assert_int_equal(frame(SPAN("\r\nOPT"), &message, &used), FRAMING_PONG);
    assert_int_equal(used, 2);
    assert_int_equal(frame(SPAN("\r\n\r\nOPT"), &message, &used), FRAMING_PING);
    assert_int_equal(used, 4);
    assert_int_equal(frame(SPAN("\r\n\rX"), &message, &used), FRAMING_PONG);
    for (size_t n = 0; n < 4; n++)
        assert_int_equal(frame(span_sub(SPAN("\r\n\r\n"), 0, n), &message, &used), FRAMING_MORE);
}

static void assert_bad_length(const char *length_lines)
{
    struct span message;
    struct text text;
    size_t used;

    text_init(&text, 10000);
    text_addf(&text, "OPTIONS sip:x SIP/2.0\r\nCall-ID: x\r\n%s\r\nbody", length_lines);
    if (frame(text_span(&text), &message, &used) != FRAMING_BAD_LENGTH)
        fail_msg("taken: %s", length_lines);
    assert_int_equal(used, text.len - 4);
    assert_int_equal(message.n, used);
    text_free(&text);
}

static void test_missing_and_bad_lengths_give_the_head(void **state)
{
    assert_bad_length("");
    assert_bad_length("Content-Length: -1\r\n");
    assert_bad_length("Content-Length: 4x\r\n");
    assert_bad_length("Content-Length:\r\n");
    assert_bad_length("Content-Length 4\r\n");
    assert_bad_length("Content-Length\r\n : 4\r\n");
    assert_bad_length("Content-Length: 65536\r\n");
    assert_bad_length("Content-Length: 65500\r\n"); /* fits alone, not with the head */
    assert_bad_length("Content-Length: 99999999999999999999\r\n");
    assert_bad_length("Content-Length: 4\r\nl: 5\r\n");
    assert_bad_length("Content-Length: 4,\r\n 4\r\n");
    assert_bad_length("Subject: x\r\n Content-Length: 4\r\n"); /* a fold, not a header */
}

static void test_good_lengths_in_all_their_forms(void **state)
{
    static const char *const good[] = {"Content-Length: 4\r\n",          "l:4\r\n",
                                       "CONTENT-LENGTH \t:  4 \r\n",     "L:\r\n\t4\r\n",
                                       "l: 4\r\nContent-Length: 04\r\n", "Subject: l: 9\r\nl: 4\r\n"};

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct span message;
        struct text text;
        size_t used;

        text_init(&text, 10000);
        text_addf(&text, "OPTIONS sip:x SIP/2.0\r\n%s\r\nbodynext", good[i]);
        assert_int_equal(frame(text_span(&text), &message, &used), FRAMING_MESSAGE);
        assert_true(span_ends(message, SPAN("body")));
        assert_int_equal(used, message.n);
        text_free(&text);
    }
}

static void test_a_head_without_an_end_is_too_long(void **state)
{
    struct span message;
    struct text text;
    size_t used;

    text_init(&text, 2 * SIP_MSG_MAX);
    text_add_str(&text, "OPTIONS sip:x SIP/2.0\r\n");
    while (text.len < SIP_MSG_MAX - 1)
        text_add_char(&text, 'x');
    assert_int_equal(frame(text_span(&text), &message, &used), FRAMING_MORE);
    text_add_str(&text, "xxxx\r\n\r\n");
    assert_int_equal(frame(text_span(&text), &message, &used), FRAMING_TOO_LONG);
    text_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_cut_of_the_stream_gives_the_same_messages),
        cmocka_unit_test(test_byte_by_byte_gives_the_same_messages),
        cmocka_unit_test(test_a_lone_crlf_is_a_pong_once_something_else_follows),
        cmocka_unit_test(test_missing_and_bad_lengths_give_the_head),
        cmocka_unit_test(test_good_lengths_in_all_their_forms),
        cmocka_unit_test(test_a_head_without_an_end_is_too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
