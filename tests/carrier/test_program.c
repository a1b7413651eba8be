/* SPDX-License-Identifier: Apache-2.0 */
/* test_program.c: the carrier as a process, called by a caller made of two plain sockets: what each number answers,
 * what is heard, and that SIGTERM ends it cleanly. Waits for packets and lines, never for time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "g711.h"

#define WAIT_MS   10000
#define BYTES_MAX 65536
#define PROGRAM   "./sipway-carrier"

static pid_t carrier_pid;
static FILE *carrier_output;
static char line[1024];
static int gateway_fd; /* where the carrier calls back */

/* One call: SIP on one socket, RTP on another. */
struct caller {
    int sip, rtp;
    struct sockaddr_in to, media;
    const char *number;
    unsigned id, cseq;
    char to_tag[64], branch[32];
    char message[BYTES_MAX];
};
static struct caller one;

/* ---- sockets ---- */

static int open_udp(void)
{
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&local, sizeof(local)), 0);
    return fd;
}

static unsigned port_of(int fd)
{
    struct sockaddr_in local;
    socklen_t len = sizeof(local);

    assert_int_equal(getsockname(fd, (struct sockaddr *)&local, &len), 0);
    return ntohs(local.sin_port);
}

static struct sockaddr_in loopback(unsigned port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
}

static ssize_t receive(int fd, void *bytes, size_t size, struct sockaddr_in *from)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    socklen_t len = sizeof(*from);

    if (poll(&ready, 1, WAIT_MS) != 1)
        fail_msg("nothing came within %d ms", WAIT_MS);
    return recvfrom(fd, bytes, size, 0, (struct sockaddr *)from, from ? &len : NULL);
}

/* ---- the caller ---- */

static void request(const char *method, unsigned cseq, const char *body)
{
    char text[4096];
    int n = snprintf(
        text, sizeof(text),
        "%s sip:%s@127.0.0.1:%u SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%u;branch=%s;rport\r\n"
        "Max-Forwards: 70\r\nFrom: <sip:12025550123@127.0.0.1>;tag=me\r\nTo: <sip:%s@127.0.0.1>%s%s\r\n"
        "Call-ID: test-%u-%u\r\nCSeq: %u %s\r\nContact: <sip:me@127.0.0.1:%u>\r\n%sContent-Length: %zu\r\n\r\n%s",
        method, one.number, ntohs(one.to.sin_port), port_of(one.sip), one.branch, one.number,
        one.to_tag[0] ? ";tag=" : "", one.to_tag, one.id, (unsigned)getpid(), cseq, method, port_of(one.sip),
        body[0] ? "Content-Type: application/sdp\r\n" : "", strlen(body), body);

    assert_int_equal(sendto(one.sip, text, (size_t)n, 0, (struct sockaddr *)&one.to, sizeof(one.to)), n);
}

static void new_branch(void)
{
    static unsigned count;

    snprintf(one.branch, sizeof(one.branch), "z9hG4bKtest%u", ++count);
}

static const char *description(const char *formats)
{
    static char text[512];

    snprintf(text, sizeof(text),
             "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %u RTP/AVP %s\r\n"
             "a=rtpmap:101 telephone-event/8000\r\na=rtpmap:111 opus/48000/2\r\n",
             port_of(one.rtp), formats);
    return text;
}

static unsigned next_status(void)
{
    ssize_t n = receive(one.sip, one.message, sizeof(one.message) - 1, NULL);
    const char *tag, *audio;
    unsigned status = 0, port;

    assert_true(n > 0);
    one.message[n] = '\0';
    sscanf(one.message, "SIP/2.0 %u", &status);
    tag = strstr(one.message, "To: <sip:");
    tag = tag ? strstr(tag, ";tag=") : NULL;
    if (tag && status > 100)
        sscanf(tag, ";tag=%63[^\r;]", one.to_tag);
    audio = strstr(one.message, "m=audio ");
    if (audio && sscanf(audio, "m=audio %u", &port) == 1)
        one.media = loopback(port);
    return status;
}

static void invite(const char *number, const char *formats)
{
    one.number = number;
    one.id++;
    one.cseq = 1;
    one.to_tag[0] = '\0';
    new_branch();
    request("INVITE", one.cseq, description(formats));
}

/* Until the final answer; ACKs it. */
static unsigned final_status(void)
{
    unsigned status;

    do
        status = next_status();
    while (status < 200);
    if (status < 300)
        new_branch();
    request("ACK", one.cseq, "");
    return status;
}

static void hang_up(void)
{
    new_branch();
    request("BYE", ++one.cseq, "");
    assert_int_equal(next_status(), 200);
}

static void send_rtp(uint8_t pt, uint16_t seq, uint32_t timestamp, const void *payload, size_t n)
{
    uint8_t packet[256] = {0x80, pt, (uint8_t)(seq >> 8),       (uint8_t)seq,
                           0,    0,  (uint8_t)(timestamp >> 8), (uint8_t)timestamp};

    memcpy(packet + 12, payload, n);
    assert_true(sendto(one.rtp, packet, 12 + n, 0, (struct sockaddr *)&one.media, sizeof(one.media)) > 0);
}

static void send_digit(unsigned digit, uint32_t timestamp)
{
    for (unsigned i = 0; i < 5; i++)
        send_rtp(101, (uint16_t)i, timestamp, (uint8_t[]){(uint8_t)digit, i > 2 ? 0x8a : 0x0a, 0, 160}, 4);
}

/* The next n packets as samples. */
static void hear(int16_t *pcm, unsigned packets, bool is_alaw)
{
    uint8_t bytes[2048];

    for (unsigned i = 0; i < packets; i++) {
        assert_int_equal(receive(one.rtp, bytes, sizeof(bytes), NULL), 172);
        for (unsigned k = 0; k < 160; k++)
            pcm[i * 160 + k] = g711_decode(bytes[12 + k], is_alaw);
    }
}

static double amplitude(const int16_t *pcm, size_t n, double hz)
{
    double re = 0, im = 0;

    for (size_t i = 0; i < n; i++) {
        re += pcm[i] * cos(2 * M_PI * hz * (double)i / 8000);
        im += pcm[i] * sin(2 * M_PI * hz * (double)i / 8000);
    }
    return 2 * hypot(re, im) / (double)n;
}

static const char *next_line(void)
{
    assert_non_null(fgets(line, sizeof(line), carrier_output));
    return line;
}

/* ---- the tests ---- */

static void test_refusals_have_their_status(void **state)
{
    static const struct {
        const char *number;
        unsigned status;
    } refused[] = {{"603", 486}, {"607", 603}, {"12345", 404}};

    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        invite(refused[i].number, "0 101");
        assert_int_equal(final_status(), refused[i].status);
        assert_non_null(strstr(next_line(), refused[i].number));
    }
}

static void test_an_offer_without_g711_is_488_but_for_the_echo(void **state)
{
    invite("601", "111 101");
    assert_int_equal(final_status(), 488);
    assert_non_null(strstr(next_line(), "PCMU"));
}

static void test_the_tone_is_heard_in_both_laws(void **state)
{
    static int16_t pcm[25 * 160];

    for (int is_alaw = 0; is_alaw < 2; is_alaw++) {
        invite("609", is_alaw ? "8 101" : "0 101");
        assert_int_equal(final_status(), 200);
        hear(pcm, 25, is_alaw);
        assert_in_range(amplitude(pcm, 25 * 160, 1000), 9500, 10600);
        hang_up();
        assert_non_null(strstr(next_line(), is_alaw ? "PCMA" : "PCMU"));
    }
}

static void test_the_echo_gives_payloads_back_untouched(void **state)
{
    uint8_t bytes[256];

    invite("600", "111 101");
    assert_int_equal(final_status(), 200);
    for (unsigned i = 0; i < 5; i++) {
        send_rtp(111, (uint16_t)i, 960 * i, "opus bytes", 10);
        assert_int_equal(receive(one.rtp, bytes, sizeof(bytes), NULL), 22);
        assert_int_equal(bytes[1] & 0x7f, 111);
        assert_memory_equal(bytes + 12, "opus bytes", 10);
    }
    hang_up();
    assert_non_null(strstr(next_line(), "opus"));
}

static void test_digits_are_read_back_once_each(void **state)
{
    static int16_t pcm[250 * 160];
    unsigned at = 0;

    invite("602", "8 101");
    assert_int_equal(final_status(), 200);
    hear(pcm, 40, true); /* the welcome */
    send_digit(5, 1000);
    hear(pcm, 5, true);
    send_digit(2, 3000);
    hear(pcm, 250, true); /* 1.2 s until the reading begins, 0.5 s, then "5" */
    while (at < 240 * 160 && (amplitude(pcm + at, 800, 770) < 4000 || amplitude(pcm + at, 800, 1336) < 4000))
        at += 160;
    assert_true(at < 240 * 160);
    hang_up();
    assert_non_null(strstr(next_line(), "digits \"52\""));
}

static void test_early_media_comes_before_the_answer(void **state)
{
    static int16_t pcm[10 * 160];

    invite("606", "0 101");
    assert_int_equal(next_status(), 183);
    hear(pcm, 10, false);
    assert_true(amplitude(pcm, 10 * 160, 400) > 3000);
    new_branch(); /* the branch of the ACK; the INVITE's is done with */
    assert_int_equal(final_status(), 200);
    hang_up();
    next_line();
}

static void test_the_one_who_never_answers_can_be_cancelled(void **state)
{
    unsigned first, second;

    invite("604", "0 101");
    assert_int_equal(next_status(), 180);
    one.to_tag[0] = '\0';
    request("CANCEL", one.cseq, "");
    first = next_status();
    second = next_status();
    assert_true((first == 200 && second == 487) || (first == 487 && second == 200));
    request("ACK", one.cseq, "");
    assert_non_null(strstr(next_line(), "cancelled"));
}

/* 605 hangs up by itself, then calls; the gateway is us. */
static void test_the_caller_is_called_back(void **state)
{
    struct sockaddr_in from;
    ssize_t n;

    invite("605", "0 101");
    assert_int_equal(final_status(), 200);
    assert_int_equal(next_status(), 0);
    assert_memory_equal(one.message, "BYE ", 4);
    assert_non_null(strstr(next_line(), "calls back"));
    n = receive(gateway_fd, one.message, sizeof(one.message) - 1, &from);
    one.message[n > 0 ? n : 0] = '\0';
    assert_memory_equal(one.message, "INVITE sip:12025550123@127.0.0.1:", 33);
    assert_non_null(strstr(one.message, "m=audio "));
    assert_non_null(strstr(one.message, " RTP/AVP 8 0 101\r\n"));
}

/* It still calls us: CANCEL (nobody has answered), then its end. */
static void test_sigterm_ends_calls_and_the_program(void **state)
{
    int status;

    invite("601", "0 101");
    assert_int_equal(final_status(), 200);
    assert_int_equal(kill(carrier_pid, SIGTERM), 0);
    assert_int_equal(next_status(), 0);
    assert_memory_equal(one.message, "BYE ", 4);
    assert_int_equal(waitpid(carrier_pid, &status, 0), carrier_pid);
    carrier_pid = 0;
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static int start(void **state)
{
    char gateway[32];
    unsigned port;
    int out[2];

    gateway_fd = open_udp();
    snprintf(gateway, sizeof(gateway), "127.0.0.1:%u", port_of(gateway_fd));
    if (pipe(out))
        return -1;
    carrier_pid = fork();
    if (carrier_pid == 0) {
        dup2(out[1], STDOUT_FILENO);
        execl(PROGRAM, PROGRAM, "--listen", "udp://127.0.0.1:0", "--gateway", gateway, "--rtp", "41000-41999",
              (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    carrier_output = fdopen(out[0], "r");
    if (!carrier_output || !fgets(line, sizeof(line), carrier_output) ||
        sscanf(line, "sipway-carrier: listening on udp://127.0.0.1:%u", &port) != 1)
        return -1;
    one.to = loopback(port);
    one.sip = open_udp();
    one.rtp = open_udp();
    return 0;
}

static int stop(void **state)
{
    if (carrier_pid > 0) {
        kill(carrier_pid, SIGKILL);
        waitpid(carrier_pid, NULL, 0);
    }
    return 0;
}

/* Packets of the call before must not be heard in the next one. */
static int fresh_rtp(void **state)
{
    close(one.rtp);
    one.rtp = open_udp();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals_have_their_status),
        cmocka_unit_test(test_an_offer_without_g711_is_488_but_for_the_echo),
        cmocka_unit_test_setup(test_the_tone_is_heard_in_both_laws, fresh_rtp),
        cmocka_unit_test_setup(test_the_echo_gives_payloads_back_untouched, fresh_rtp),
        cmocka_unit_test_setup(test_digits_are_read_back_once_each, fresh_rtp),
        cmocka_unit_test_setup(test_early_media_comes_before_the_answer, fresh_rtp),
        cmocka_unit_test_setup(test_the_one_who_never_answers_can_be_cancelled, fresh_rtp),
        cmocka_unit_test_setup(test_the_caller_is_called_back, fresh_rtp),
        cmocka_unit_test_setup(test_sigterm_ends_calls_and_the_program, fresh_rtp),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
