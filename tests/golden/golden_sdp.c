/* SPDX-License-Identifier: Apache-2.0 */
/* golden_sdp.c: runs the cases of tests/golden/sdp/: a description in, "----", the text that must come out. Format: see
 * tests/golden/README.md. TAP output. With the argument --accept it writes what came out into the files instead. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "sdp/negotiation.h"

#define FILE_MAX   65536
#define FORMAT_MAX 8

/* What the command line of a case says. */
struct job {
    struct span verb; /* parse, answer, offer */
    bool is_webrtc, wants_video;
    enum conf_srtp srtp;
    struct span taken, codecs; /* lists by comma */
    enum sdp_setup first;      /* DTLS role of before */
    struct span ufrag, pwd;    /* the peer's of before */
    struct span eol;           /* crlf, lf, cr */
    bool has_no_last_eol;
    enum sdp_dir dir;
    struct sdp_codecs taken_codecs;
};

static const char fingerprint[] = "99:88:77:66:55:44:33:22:11:00:FF:EE:DD:CC:BB:AA:"
                                  "99:88:77:66:55:44:33:22:11:00:FF:EE:DD:CC:BB:AA";

static enum sdp_dir dir_of(struct span word)
{
    if (span_eq(word, SPAN("sendonly")))
        return SDP_SENDONLY;
    if (span_eq(word, SPAN("recvonly")))
        return SDP_RECVONLY;
    return span_eq(word, SPAN("inactive")) ? SDP_INACTIVE : SDP_SENDRECV;
}

static bool read_option(struct job *job, struct span option)
{
    struct span value = option, name = span_cut(&value, '=');

    if (span_eq(name, SPAN("webrtc")))
        job->is_webrtc = true;
    else if (span_eq(name, SPAN("trunk")))
        job->is_webrtc = false;
    else if (span_eq(name, SPAN("video")))
        job->wants_video = true;
    else if (span_eq(name, SPAN("srtp")))
        job->srtp = value.p[0] == 'r'                   ? CONF_SRTP_REQUIRE
                    : value.p[1] == 'f' && value.n == 3 ? CONF_SRTP_OFF
                                                        : CONF_SRTP_OFFER;
    else if (span_eq(name, SPAN("taken")))
        job->taken = value;
    else if (span_eq(name, SPAN("codecs")))
        job->codecs = value;
    else if (span_eq(name, SPAN("first")))
        job->first = span_eq(value, SPAN("active")) ? SDP_SETUP_ACTIVE : SDP_SETUP_PASSIVE;
    else if (span_eq(name, SPAN("ufrag")))
        job->ufrag = value;
    else if (span_eq(name, SPAN("pwd")))
        job->pwd = value;
    else if (span_eq(name, SPAN("eol")))
        job->eol = value;
    else if (span_eq(name, SPAN("no-last-eol")))
        job->has_no_last_eol = true;
    else if (span_eq(name, SPAN("dir")))
        job->dir = dir_of(value);
    else
        return false;
    return true;
}

static bool read_command(struct job *job, struct span line)
{
    *job = (struct job){.dir = SDP_SENDRECV, .eol = SPAN("crlf"), .srtp = CONF_SRTP_OFF};
    job->verb = span_cut(&line, ' ');
    while (line.n) {
        struct span option = span_cut(&line, ' ');

        if (option.n && !read_option(job, option))
            return false;
    }
    return true;
}

/* "opus/48000/2" */
static void add_taken(struct sdp_codecs *codecs, struct span text)
{
    struct sdp_codec *codec = &codecs->items[codecs->count];
    uint32_t channels = 1;

    *codec = (struct sdp_codec){.pt = (uint8_t)(96 + codecs->count), .name = span_cut(&text, '/'), .clock_hz = 8000};
    if (text.n)
        span_to_u32(span_cut(&text, '/'), UINT32_MAX, &codec->clock_hz);
    if (text.n)
        span_to_u32(text, 255, &channels);
    codec->channels = (uint8_t)channels;
    codecs->count++;
}

/* Our side of the leg: one transport, the same texts in each case. */
static struct sdp_transport our_transport(const struct job *job, bool is_restart)
{
    struct sdp_transport transport = {.address = SPAN("203.0.113.10"), .port = 20000, .rtcp_port = 20001};

    if (!job->is_webrtc)
        return transport;
    transport.port = 10000;
    transport.rtcp_port = 0;
    transport.ufrag = is_restart ? SPAN("gwNEW") : SPAN("gw01");
    transport.pwd = is_restart ? SPAN("gatewayNEWgatewayNEWgateway") : SPAN("gatewaypasswordgatewaypassw");
    transport.fingerprint = span_of(fingerprint);
    transport.is_ice_lite = true;
    transport.candidates[0] = (struct sdp_candidate){.foundation = SPAN("1"),
                                                     .component = 1,
                                                     .transport = SPAN("UDP"),
                                                     .priority = 2130706431,
                                                     .address = SPAN("203.0.113.10"),
                                                     .port = 10000,
                                                     .type = SPAN("host")};
    transport.candidate_count = 1;
    return transport;
}

static const struct sdp_session our_session = {.id = SPAN("7001"), .version = 1, .address = SPAN("203.0.113.10")};

/* "*" takes all that we know; nothing takes nothing. */
static void read_taken(struct job *job, enum sdp_kind kind)
{
    struct span rest = job->taken;

    job->taken_codecs.count = 0;
    if (span_eq(rest, SPAN("*")))
        codecs_all(&job->taken_codecs, kind, NULL);
    else
        while (rest.n)
            add_taken(&job->taken_codecs, span_cut(&rest, ','));
}

static void fill_line(struct sdp_line *line, struct job *job, const struct sdp_media *offered)
{
    enum sdp_kind kind = offered->kind;

    read_taken(job, kind);
    line->is_refused = codecs_to_answer(&line->codecs, &offered->codecs, &job->taken_codecs) == 0;
    line->kind = kind;
    line->dir = job->dir;
    line->setup = sdp_answer_setup(offered->setup, job->first);
    line->ssrc = kind == SDP_VIDEO ? 2002 : 2001;
    line->cname = SPAN("gwcname");
    line->msid = kind == SDP_VIDEO ? SPAN("gw video") : SPAN("gw audio");
    line->has_rtcp_mux = true;
    line->wants_feedback = true;
}

static void take_line(struct job *job, const struct sdp *offer, enum sdp_kind kind, struct sdp_line *lines,
                      struct sdp_transport *transport, const char **whyp)
{
    struct sdp_policy policy = {.is_webrtc = job->is_webrtc, .srtp = job->srtp};
    int index = sdp_pick_line(offer, kind, &policy, whyp);
    const struct sdp_media *offered;
    int crypto;

    if (index < 0)
        return;
    offered = &offer->media[index];
    if (job->ufrag.n && sdp_is_ice_restart(offered, job->ufrag, job->pwd))
        *transport = our_transport(job, true);
    fill_line(&lines[index], job, offered);
    if (lines[index].is_refused)
        *whyp = "nothing in common";
    lines[index].transport = transport;
    lines[index].profile = job->is_webrtc ? SDP_PROFILE_WEBRTC : SDP_PROFILE_PLAIN;
    crypto = sdp_pick_crypto(offered);
    if (job->is_webrtc || span_find_span(offered->proto, SPAN("SAVP")) < 0 || crypto < 0)
        return;
    lines[index].profile = SDP_PROFILE_SDES;
    transport->crypto = offered->crypto[crypto];
    transport->crypto.keys = span_starts(transport->crypto.suite, SPAN("AEAD_AES_128"))
                                 ? SPAN("inline:R0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHRw==")
                                 : SPAN("inline:R0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dH");
    transport->crypto.session_params = SPAN_NULL;
}

static void run_answer(struct job *job, const struct sdp *offer, struct sdp *out, const char **whyp)
{
    static struct sdp_line lines[SDP_MEDIA_MAX];
    static struct sdp_transport transport;

    memset(lines, 0, sizeof(lines));
    for (unsigned i = 0; i < SDP_MEDIA_MAX; i++)
        lines[i].is_refused = true;
    transport = our_transport(job, false);
    take_line(job, offer, SDP_AUDIO, lines, &transport, whyp);
    if (!*whyp && job->wants_video)
        take_line(job, offer, SDP_VIDEO, lines, &transport, whyp);
    if (!*whyp)
        sdp_make_answer(out, &our_session, offer, lines, offer->media_count);
}

static size_t split(struct span list, char texts[FORMAT_MAX][32], char *items[FORMAT_MAX])
{
    size_t n = 0;

    for (; list.n && n < FORMAT_MAX; n++) {
        span_copy(span_cut(&list, ','), texts[n], sizeof(texts[n]));
        items[n] = texts[n];
    }
    return n;
}

/* An offer to one side for the offer of the other: which lines it has, and all that stands in them. */
static void run_offer(struct job *job, const struct sdp *offered, struct sdp *out, const char **whyp)
{
    static struct sdp_line lines[2];
    static struct sdp_transport transport;
    char texts[FORMAT_MAX][32], *items[FORMAT_MAX];
    struct conf_strings allowed = {.items = items, .count = split(job->codecs, texts, items)};
    unsigned count = 0;

    memset(lines, 0, sizeof(lines));
    transport = our_transport(job, false);
    for (unsigned i = 0; i < offered->media_count && count < 2; i++) {
        const struct sdp_media *media = &offered->media[i];
        struct sdp_line *line = &lines[count];

        if (media->kind != SDP_AUDIO && (media->kind != SDP_VIDEO || !job->wants_video))
            continue;
        fill_line(line, job, media);
        line->is_refused = false;
        line->transport = &transport;
        line->setup = SDP_SETUP_ACTPASS;
        line->mid = count ? SPAN("1") : SPAN("0");
        line->profile = job->is_webrtc ? SDP_PROFILE_WEBRTC : job->srtp ? SDP_PROFILE_SDES : SDP_PROFILE_PLAIN;
        line->has_rtcp_mux = false;
        if (job->srtp)
            transport.crypto = (struct sdp_crypto){1, SPAN("AES_CM_128_HMAC_SHA1_80"),
                                                   SPAN("inline:R0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dH"), SPAN_NULL};
        if (!job->is_webrtc) {
            line->mid = SPAN_NULL;
            line->ptime_ms = media->kind == SDP_AUDIO ? 20 : 0;
        }
        if (!codecs_to_offer(&line->codecs, &media->codecs, media->kind == SDP_AUDIO ? &allowed : NULL))
            *whyp = "nothing to offer";
        count++;
    }
    sdp_make_offer(out, &our_session, lines, count);
}

static void run_job(struct text *out, struct job *job, struct span input)
{
    static struct sdp in, made;
    const char *why = NULL;
    int err = sdp_parse(&in, input, &why);

    if (!err && span_eq(job->verb, SPAN("answer")))
        run_answer(job, &in, &made, &why);
    else if (!err && span_eq(job->verb, SPAN("offer")))
        run_offer(job, &in, &made, &why);
    if (why)
        text_addf(out, "error: %s\r\n", why);
    else
        sdp_write(out, span_eq(job->verb, SPAN("parse")) ? &in : &made);
}

/* The files have LF; the case says what stands on the wire. */
static void to_wire(struct text *out, const struct job *job, struct span lines)
{
    while (lines.n) {
        text_add(out, span_cut(&lines, '\n'));
        if (lines.n == 0 && job->has_no_last_eol)
            break;
        if (job->eol.p[0] == 'c')
            text_add_char(out, '\r');
        if (!span_eq(job->eol, SPAN("cr")))
            text_add_char(out, '\n');
    }
}

/* @return false when a line does not end in CRLF */
static bool from_wire(struct text *out, struct span wire)
{
    while (wire.n) {
        ptrdiff_t at = span_find_span(wire, SPAN("\r\n"));

        if (at < 0 || memchr(wire.p, '\n', (size_t)at))
            return false;
        text_add(out, span_sub(wire, 0, (size_t)at));
        text_add_char(out, '\n');
        wire = span_sub(wire, (size_t)at + 2, wire.n);
    }
    return true;
}

struct golden {
    struct span head; /* comments and command, with the line ends */
    struct job job;
    struct span input, expected;
};

static bool read_golden(struct golden *golden, struct span file)
{
    struct span rest = file, command = SPAN_NULL;
    ptrdiff_t at;

    do
        command = span_cut(&rest, '\n');
    while (rest.n && (command.n == 0 || command.p[0] == '#'));
    golden->head = span_sub(file, 0, file.n - rest.n);
    at = span_find_span(rest, SPAN("----\n"));
    if (at < 0 || !read_command(&golden->job, command))
        return false;
    golden->input = span_sub(rest, 0, (size_t)at);
    golden->expected = span_sub(rest, (size_t)at + 5, rest.n);
    return true;
}

static void accept_result(const char *path, const struct golden *golden, struct span result)
{
    FILE *file = fopen(path, "wb");

    if (!file)
        return;
    fprintf(file, "%.*s%.*s----\n%.*s", SPAN_ARG(golden->head), SPAN_ARG(golden->input), SPAN_ARG(result));
    fclose(file);
}

static void show(const char *title, struct span lines)
{
    printf("# %s\n", title);
    while (lines.n)
        printf("#   %.*s\n", SPAN_ARG(span_cut(&lines, '\n')));
}

static bool run_file(const char *path, bool is_accepting)
{
    static char bytes[FILE_MAX];
    FILE *file = fopen(path, "rb");
    struct text wire, made, result;
    struct golden golden;
    bool is_right = false;
    size_t size;

    if (!file)
        return false;
    size = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    text_init(&wire, FILE_MAX * 2);
    text_init(&made, FILE_MAX * 2);
    text_init(&result, FILE_MAX * 2);
    if (!read_golden(&golden, span_make(bytes, size))) {
        printf("# not of the form: comments, command, description, ----, expected\n");
    } else {
        to_wire(&wire, &golden.job, golden.input);
        run_job(&made, &golden.job, text_span(&wire));
        is_right = from_wire(&result, text_span(&made)) && span_eq(text_span(&result), golden.expected);
        if (is_accepting)
            accept_result(path, &golden, text_span(&result));
        else if (!is_right)
            show("expected", golden.expected), show("but it was", text_span(&result));
    }
    text_free(&wire);
    text_free(&made);
    text_free(&result);
    return is_right;
}

static int is_case(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name);

    return n > 4 && strcmp(entry->d_name + n - 4, ".txt") == 0;
}

int main(int argc, char **argv)
{
    const char *src = getenv("SIPWAY_SRC");
    bool is_accepting = argc > 1 && strcmp(argv[1], "--accept") == 0;
    struct dirent **entries;
    char folder[1024], path[2048];
    int count, failed = 0;

    snprintf(folder, sizeof(folder), "%s/tests/golden/sdp", src ? src : ".");
    count = scandir(folder, &entries, is_case, alphasort);
    if (count <= 0) {
        printf("1..1\nnot ok 1 - no case in %s\n", folder);
        return 1;
    }
    printf("1..%d\n", count);
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
        bool is_right = run_file(path, is_accepting);

        failed += !is_right;
        printf("%sok %d - %s\n", is_right ? "" : "not ", i + 1, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return failed && !is_accepting;
}
