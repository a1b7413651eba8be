/* SPDX-License-Identifier: Apache-2.0 */
/* test_msg_golden.c: every message of tests/golden/sip through the parser; what is expected stands behind its ----
 * line. tests/golden/sip/README.md tells the format. Adding a case needs no C. */
#include "../unit.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sip/msg.h"
#include "sip/msg_write.h"

#define FILE_MAX (128 * 1024)

struct golden {
    const char *name;
    char bytes[FILE_MAX];
    size_t n;
    char work[FILE_MAX]; /* what the parser may unfold in */
    struct sip_msg msg;
    int err;
    unsigned status;
    const char *why;
};

static struct golden golden;

/* -- the message: LF becomes CRLF, {{hex ..}}, {{length}}, {{fill N}}, {{end}} -- */

static void add_byte(char c)
{
    assert_true(golden.n < FILE_MAX);
    golden.bytes[golden.n++] = c;
}

static void add_hex(const char *digits)
{
    unsigned value;
    int used;

    while (sscanf(digits, "%2x%n", &value, &used) == 1) {
        add_byte((char)value);
        digits += used;
        digits += strspn(digits, " ");
    }
}

/* @return false for {{end}} */
static bool add_macro(const char *text, size_t *length_at)
{
    unsigned count;

    if (strncmp(text, "hex ", 4) == 0)
        add_hex(text + 4);
    else if (sscanf(text, "fill %u", &count) == 1)
        while (count--)
            add_byte('x');
    else if (strncmp(text, "length}}", 8) == 0)
        *length_at = golden.n;
    else if (strncmp(text, "end}}", 5) == 0)
        return false;
    else
        fail_msg("%s: unknown macro {{%.20s", golden.name, text);
    return true;
}

static void fill_length_in(size_t length_at)
{
    static const char end[] = "\r\n\r\n";
    char *body = memmem(golden.bytes + length_at, golden.n - length_at, end, 4);
    char digits[24];
    int n;

    assert_non_null(body);
    n = snprintf(digits, sizeof(digits), "%zu", golden.n - (size_t)(body + 4 - golden.bytes));
    memmove(golden.bytes + length_at + n, golden.bytes + length_at, golden.n - length_at);
    memcpy(golden.bytes + length_at, digits, (size_t)n);
    golden.n += (size_t)n;
}

static void build_message(char *text)
{
    size_t length_at = 0;

    golden.n = 0;
    for (char *p = text; *p; p++) {
        if (p[0] == '{' && p[1] == '{') {
            if (!add_macro(p + 2, &length_at))
                break;
            p = strstr(p, "}}");
            assert_non_null(p);
            p++;
        } else {
            if (*p == '\n')
                add_byte('\r');
            add_byte(*p);
        }
    }
    if (length_at)
        fill_length_in(length_at);
}

/* -- the expectations -- */

static const char *describe_result(void)
{
    static char text[16];

    if (!golden.err)
        return "ok";
    if (!golden.status)
        return "drop";
    snprintf(text, sizeof(text), "%u", golden.status);
    return text;
}

static const char *count_addresses(enum sip_header_id id)
{
    static char text[16];
    struct sip_walk walk = {0};
    struct name_addr addr;
    unsigned count = 0;
    int next;

    while ((next = sip_msg_next_addr(&golden.msg, id, &walk, &addr)) == 1)
        count++;
    snprintf(text, sizeof(text), "%u", count);
    return next < 0 ? "bad" : text;
}

static const char *nth_address(enum sip_header_id id, unsigned n)
{
    static char text[4096];
    struct sip_walk walk = {0};
    struct name_addr addr;

    while (sip_msg_next_addr(&golden.msg, id, &walk, &addr) == 1) {
        if (n-- == 0)
            return span_copy(addr.uri_text, text, sizeof(text)) < 0 ? "too long" : text;
    }
    return "none";
}

static const char *text_of(struct span s)
{
    static char text[4096];

    return span_copy(s, text, sizeof(text)) < 0 ? "too long" : text;
}

static const char *number(unsigned value)
{
    static char text[16];

    snprintf(text, sizeof(text), "%u", value);
    return text;
}

static const char *display_of(const struct name_addr *addr)
{
    static char text[512];

    return name_addr_display(addr, text, sizeof(text)) < 0 ? "bad" : text;
}

static const char *decoded_user(void)
{
    static char text[512];

    return uri_decode(golden.msg.uri.user, text, sizeof(text)) < 0 ? "bad" : text;
}

static const char *scheme_of(const struct uri *uri)
{
    static const char *const names[] = {"sip", "sips", "tel", "other"};

    return names[uri->scheme];
}

static const char *header_value(const char *name)
{
    enum sip_header_id id = sip_header_find(span_of(name));
    const struct sip_header *header =
        id == SIP_H_OTHER ? sip_msg_other(&golden.msg, span_of(name)) : sip_msg_header(&golden.msg, id);

    return header ? text_of(header->value) : "none";
}

/* The seen value for an expectation's key; a key is a field, or "header Name", "count Name", "Name 0". */
static const char *see(const char *key)
{
    const struct sip_msg *msg = &golden.msg;
    char name[64];
    unsigned n;

#define FIELD(text, value)                                                                                             \
    if (strcmp(key, text) == 0)                                                                                        \
        return value;
    FIELD("result", describe_result())
    FIELD("why", golden.why)
    FIELD("method", msg->is_request ? text_of(msg->method_text) : sip_method_text(msg->method))
    FIELD("known-method", sip_method_text(msg->method))
    FIELD("uri", text_of(msg->request_uri))
    FIELD("uri.scheme", scheme_of(&msg->uri))
    FIELD("uri.user", text_of(msg->uri.user))
    FIELD("uri.decoded-user", decoded_user())
    FIELD("uri.host", text_of(msg->uri.host))
    FIELD("uri.port", number(msg->uri.port))
    FIELD("uri.params", text_of(msg->uri.params))
    FIELD("status", number(msg->status))
    FIELD("reason", text_of(msg->reason))
    FIELD("headers", number(msg->header_count))
    FIELD("body-bytes", number((unsigned)msg->body.n))
    FIELD("raw-bytes", number((unsigned)msg->raw.n))
    FIELD("via.transport", text_of(msg->via.transport))
    FIELD("via.host", text_of(msg->via.host))
    FIELD("via.port", number(msg->via.port))
    FIELD("via.branch", text_of(msg->via.branch))
    FIELD("via.received", text_of(msg->via.received))
    FIELD("via.has-rport", msg->via.has_rport ? "yes" : "no")
    FIELD("via.rport", number(msg->via.rport))
    FIELD("vias", number(msg->via_count))
    FIELD("from.display", display_of(&msg->from))
    FIELD("from.uri", text_of(msg->from.uri_text))
    FIELD("from.tag", text_of(msg->from_tag))
    FIELD("to.display", display_of(&msg->to))
    FIELD("to.uri", text_of(msg->to.uri_text))
    FIELD("to.scheme", scheme_of(&msg->to.uri))
    FIELD("to.tag", text_of(msg->to_tag))
    FIELD("call-id", text_of(msg->call_id))
    FIELD("cseq", number(msg->cseq))
    FIELD("max-forwards", number(msg->max_forwards))
#undef FIELD
    if (strncmp(key, "header ", 7) == 0)
        return header_value(key + 7);
    if (strncmp(key, "count ", 6) == 0)
        return count_addresses(sip_header_find(span_of(key + 6)));
    if (sscanf(key, "%63s %u", name, &n) == 2)
        return nth_address(sip_header_find(span_of(name)), n);
    fail_msg("%s: unknown key \"%s\"", golden.name, key);
    return "";
}

static void check_expectations(char *text)
{
    char *line, *next;
    unsigned count = 0;

    for (line = text; *line; line = next) {
        char *colon, *value;

        next = line + strcspn(line, "\n");
        if (*next)
            *next++ = '\0';
        if (!*line || *line == '#')
            continue;
        colon = strstr(line, ": ");
        if (!colon && strlen(line) > 0 && line[strlen(line) - 1] == ':')
            colon = line + strlen(line) - 1;
        if (!colon)
            fail_msg("%s: not \"key: value\": %s", golden.name, line);
        *colon = '\0';
        value = colon + 1 + strspn(colon + 1, " ");
        if (strcmp(see(line), value) != 0)
            fail_msg("%s: %s is \"%s\", not \"%s\" (why: %s)", golden.name, line, see(line), value, golden.why);
        count++;
    }
    assert_true(count > 0);
}

/* -- what holds for every message -- */

static void parse(size_t n)
{
    memcpy(golden.work, golden.bytes, n);
    golden.err = sip_msg_parse(&golden.msg, golden.work, n, &golden.status, &golden.why);
}

static void check_that_parsing_again_gives_the_same(void)
{
    static struct sip_msg again;
    const struct sip_msg *msg = &golden.msg;
    unsigned status;
    const char *why;

    if (golden.err)
        return;
    assert_int_equal(sip_msg_parse(&again, golden.work, golden.n, &status, &why), 0);
    assert_int_equal(again.header_count, msg->header_count);
    for (unsigned i = 0; i < msg->header_count; i++) {
        assert_int_equal(again.header[i].id, msg->header[i].id);
        assert_true(span_eq(again.header[i].value, msg->header[i].value));
    }
    assert_true(span_eq(again.body, msg->body));
}

/* A request that can be answered has a response that we read ourselves, with the same Via, From, Call-ID and CSeq. */
static void check_that_the_answer_can_be_read(void)
{
    static struct sip_msg answer;
    struct text out;
    unsigned status;
    const char *why;

    if (!golden.msg.is_request || golden.err)
        return;
    text_init(&out, SIP_MSG_MAX);
    sip_write_response_head(&out, &golden.msg, 486, NULL, SPAN("gw-tag"));
    sip_write_body(&out, SPAN_NULL, SPAN_NULL);
    assert_int_equal(text_err(&out), 0);
    if (sip_msg_parse(&answer, out.data, out.len, &status, &why))
        fail_msg("%s: our answer cannot be read: %s\n%s", golden.name, why, out.data);
    assert_int_equal(answer.via_count, golden.msg.via_count);
    assert_true(span_eq(answer.via.branch, golden.msg.via.branch));
    assert_true(span_eq(answer.from_tag, golden.msg.from_tag));
    assert_true(span_eq(answer.call_id, golden.msg.call_id));
    assert_int_equal(answer.cseq, golden.msg.cseq);
    if (golden.msg.to_tag.n)
        assert_true(span_eq(answer.to_tag, golden.msg.to_tag));
    else
        assert_span_equal(answer.to_tag, "gw-tag");
    text_free(&out);
}

static void run_file(const char *path, const char *name)
{
    static char text[FILE_MAX];
    char *begin = text, *expectations;
    FILE *file = fopen(path, "rb");
    size_t n;

    golden.name = name;
    assert_non_null(file);
    n = fread(text, 1, sizeof(text) - 1, file);
    text[n] = '\0';
    fclose(file);
    while (*begin == '#')
        begin = strchr(begin, '\n') + 1;
    expectations = strstr(begin, "\n----\n");
    if (!expectations)
        fail_msg("%s: no ---- line", name);
    expectations[1] = '\0';
    build_message(begin);
    for (size_t i = 0; i < golden.n; i++) {
        parse(i);
        assert_true(golden.err == 0 || golden.err == -EBADMSG);
    }
    parse(golden.n);
    check_expectations(expectations + 6);
    check_that_parsing_again_gives_the_same();
    check_that_the_answer_can_be_read();
}

static void test_every_golden_message_gives_what_its_file_says(void **state)
{
    const char *src = getenv("SIPWAY_SRC");
    char folder[1024], path[2048];
    struct dirent **entries;
    unsigned count = 0;
    int n;

    snprintf(folder, sizeof(folder), "%s/tests/golden/sip", src ? src : ".");
    n = scandir(folder, &entries, NULL, alphasort);
    assert_true(n > 0);
    for (int i = 0; i < n; i++) {
        const char *dot = strrchr(entries[i]->d_name, '.');

        snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
        if (dot && strcmp(dot, ".sip") == 0) {
            run_file(path, entries[i]->d_name);
            count++;
        }
        free(entries[i]);
    }
    free(entries);
    assert_true(count > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_golden_message_gives_what_its_file_says)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
