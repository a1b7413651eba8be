/* SPDX-License-Identifier: Apache-2.0 */
/* load_phones.c: phones over UDP behind a NAT that register with digest and refresh at half of their time, each on a
 * socket of its own, and the registrar at which the gateway's trunks do the same. Judges nothing but time: a refresh is
 * late when the registration has run out before its 200 comes. Marks: empty, registered (everybody is), start, end
 * (`seconds` later). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"
#include "peer_sip.h"
#include "peer_udp.h"

enum { T1_MS = 500, NAME_BYTES = 16, TRUNK_MAX = 1000, PING_BYTES = 4 };

struct phones;

struct phone {
    struct phones *all;
    struct peer_udp udp;
    struct peer_timer timer; /* next refresh, or next repetition */
    struct peer_login login;
    char name[NAME_BYTES], tag[11], call_id[21], branch[17];
    char *authorization; /* of what is being sent; NULL: none yet */
    unsigned cseq, again_ms;
    bool is_asking;
    uint64_t asked_ns, ends_ns; /* ends_ns 0: not registered */
};

struct trunk_account {
    uint64_t ends_ns;
};

struct phones {
    struct peer_loop *loop;
    const struct options *options;
    struct sockaddr_in gateway;
    struct metronome pace;
    struct phone *phone;
    struct peer_udp registrar;
    struct trunk_account trunks[TRUNK_MAX];
    struct peer_timer end;
    struct peer_histogram answer_us;
    unsigned registered_count, trunk_count;
    unsigned refreshed_count, late_count, repeated_count, refused_count, ping_count;
    unsigned trunk_refreshed_count, trunk_late_count;
    bool has_started;
};

static uint64_t life_ns(const struct phones *all)
{
    return all->options->expires * 1000000000ull;
}

/* --- the phones --- */

static void send_register(struct phone *phone)
{
    const struct options *o = phone->all->options;
    struct peer_text text = {.size = 0};

    peer_text_add(&text, "REGISTER sip:%s SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.5:5060;branch=z9hG4bK%s;rport\r\n",
                  o->domain, phone->branch);
    peer_text_add(&text, "Max-Forwards: 70\r\nFrom: <sip:%s@%s>;tag=%s\r\nTo: <sip:%s@%s>\r\nCall-ID: %s\r\n",
                  phone->name, o->domain, phone->tag, phone->name, o->domain, phone->call_id);
    peer_text_add(&text, "CSeq: %u REGISTER\r\nContact: <sip:%s@10.0.0.5:5060>\r\nExpires: %u\r\n%s", phone->cseq,
                  phone->name, o->expires, phone->authorization ? phone->authorization : "");
    peer_text_end(&text, NULL, NULL);
    peer_udp_send(&phone->udp, &phone->all->gateway, text.bytes, text.size);
}

static void ask(struct phone *phone);

static void phone_due(void *ctx)
{
    struct phone *phone = ctx;

    if (!phone->is_asking) {
        ask(phone);
        return;
    }
    phone->all->repeated_count += phone->all->has_started;
    if (phone->again_ms < 8 * T1_MS)
        phone->again_ms *= 2;
    send_register(phone);
    peer_timer_start_ms(phone->all->loop, &phone->timer, phone->again_ms);
}

static void send_next(struct phone *phone)
{
    phone->cseq++;
    phone->again_ms = T1_MS;
    peer_random_hex(phone->branch, sizeof(phone->branch));
    send_register(phone);
    peer_timer_start_ms(phone->all->loop, &phone->timer, phone->again_ms);
}

static void ask(struct phone *phone)
{
    free(phone->authorization);
    phone->authorization = NULL;
    phone->is_asking = true;
    phone->asked_ns = peer_loop_now_ns(phone->all->loop);
    send_next(phone);
}

static void all_are_there(struct phones *all);

static void phone_registered(struct phone *phone)
{
    struct phones *all = phone->all;
    uint64_t now_ns = peer_loop_now_ns(all->loop);

    phone->is_asking = false;
    if (all->has_started) {
        all->refreshed_count++;
        all->late_count += now_ns > phone->ends_ns;
        peer_histogram_add(&all->answer_us, (now_ns - phone->asked_ns) / 1000);
    }
    all->registered_count += !phone->ends_ns;
    phone->ends_ns = now_ns + life_ns(all);
    peer_timer_start(all->loop, &phone->timer, now_ns + life_ns(all) / 2);
    all_are_there(all);
}

static void answer_challenge(struct phone *phone, const struct peer_sip *msg)
{
    char uri[128], value[1024], line[1100];

    snprintf(uri, sizeof(uri), "sip:%s", phone->all->options->domain);
    if (peer_digest_answer(value, sizeof(value), &phone->login, peer_sip_header(msg, "WWW-Authenticate", 0), "REGISTER",
                           uri))
        die("a challenge that cannot be answered");
    snprintf(line, sizeof(line), "Authorization: %s\r\n", value);
    phone->authorization = strdup(line);
    send_next(phone);
}

static void phone_received(void *ctx, struct peer_packet *packet)
{
    struct phone *phone = ctx;
    struct peer_sip msg;

    if (packet->size == PING_BYTES) {
        phone->all->ping_count += phone->all->has_started;
        return;
    }
    if (peer_sip_parse(&msg, (const char *)packet->bytes, packet->size) || !phone->is_asking || msg.cseq != phone->cseq)
        return;
    if (msg.status == 401 && !phone->authorization) {
        answer_challenge(phone, &msg);
    } else if (msg.status == 200) {
        phone_registered(phone);
    } else if (msg.status >= 300) {
        phone->all->refused_count++;
        if (phone->all->options->is_verbose)
            fprintf(stderr, "%s: %d\n", phone->name, msg.status);
    }
}

static void phone_begin(void *ctx, unsigned turn)
{
    struct phones *all = ctx;
    struct phone *phone = &all->phone[turn];

    phone->all = all;
    snprintf(phone->name, sizeof(phone->name), "u%05u", turn);
    peer_random_hex(phone->tag, sizeof(phone->tag));
    peer_random_hex(phone->call_id, sizeof(phone->call_id));
    phone->login = (struct peer_login){.user = phone->name, .password = "secret"};
    phone->udp.on_packet = phone_received;
    phone->udp.ctx = phone;
    phone->timer.on_due = phone_due;
    phone->timer.ctx = phone;
    if (peer_udp_open(&phone->udp, all->loop, "127.0.0.6", 0))
        die("no socket for phone %u", turn);
    ask(phone);
}

/* --- the registrar of the trunks --- */

static struct trunk_account *find_trunk(struct phones *all, const struct peer_sip *msg)
{
    const char *at = peer_span_find(peer_sip_header(msg, "To", 0), "sip:t");
    unsigned long index = at ? strtoul(at + 5, NULL, 10) : TRUNK_MAX;

    return index < TRUNK_MAX ? &all->trunks[index] : NULL;
}

static void grant(struct phones *all, struct trunk_account *trunk)
{
    uint64_t now_ns = peer_loop_now_ns(all->loop);

    if (all->has_started) {
        all->trunk_refreshed_count++;
        all->trunk_late_count += now_ns > trunk->ends_ns;
    }
    all->trunk_count += !trunk->ends_ns;
    trunk->ends_ns = now_ns + life_ns(all);
}

static void registrar_received(void *ctx, struct peer_packet *packet)
{
    struct phones *all = ctx;
    bool is_proved;
    struct trunk_account *trunk;
    struct peer_text text = {.size = 0};
    struct peer_sip msg;

    if (peer_sip_parse(&msg, (const char *)packet->bytes, packet->size) || msg.status)
        return;
    is_proved = peer_sip_header(&msg, "Authorization", 0).size || !peer_span_is(msg.method, "REGISTER");
    peer_text_add(&text, "SIP/2.0 %s\r\n", is_proved ? "200 OK" : "401 Unauthorized");
    for (const char *const *name = (const char *const[]){"Via", "From", "To", "Call-ID", "CSeq", NULL}; *name; name++)
        peer_text_copy_header(&text, &msg, *name);
    if (!is_proved)
        peer_text_add(&text,
                      "WWW-Authenticate: Digest realm=\"bench\", nonce=\"%llx\", algorithm=MD5, qop=\"auth\"\r\n",
                      (unsigned long long)peer_loop_now_ns(all->loop));
    trunk = find_trunk(all, &msg);
    if (is_proved && trunk && peer_span_is(msg.method, "REGISTER")) {
        peer_text_copy_header(&text, &msg, "Contact");
        peer_text_add(&text, "Expires: %u\r\n", all->options->expires);
        grant(all, trunk);
    }
    peer_text_end(&text, NULL, NULL);
    peer_udp_send(&all->registrar, &packet->from, text.bytes, text.size);
    all_are_there(all);
}

/* --- the course --- */

static void end_due(void *ctx)
{
    struct phones *all = ctx;
    uint64_t now_ns = peer_loop_now_ns(all->loop);
    char times[128];

    for (unsigned i = 0; i < all->options->users; i++)
        all->late_count += all->phone[i].ends_ns < now_ns;
    for (unsigned i = 0; i < all->options->calls; i++)
        all->trunk_late_count += all->trunks[i].ends_ns < now_ns;
    mark("end",
         "\"refreshed\":%u,\"late\":%u,\"repeated\":%u,\"refused\":%u,\"pings\":%u,\"trunk_refreshed\":%u,"
         "\"trunk_late\":%u,%s",
         all->refreshed_count, all->late_count, all->repeated_count, all->refused_count, all->ping_count,
         all->trunk_refreshed_count, all->trunk_late_count, histogram_json(times, "answer_ms", &all->answer_us, 1000));
    peer_loop_stop(all->loop);
}

static void all_are_there(struct phones *all)
{
    if (all->has_started || all->registered_count < all->options->users || all->trunk_count < all->options->calls)
        return;
    mark_plain("registered");
    all->has_started = true;
    all->end.on_due = end_due;
    all->end.ctx = all;
    mark_plain("start");
    peer_timer_start_ms(all->loop, &all->end, all->options->seconds * 1000);
}

int run_phones(struct peer_loop *loop, const struct options *options)
{
    static struct phones all;

    all = (struct phones){.loop = loop, .options = options};
    all.phone = calloc(options->users, sizeof(*all.phone));
    all.registrar.on_packet = registrar_received;
    all.registrar.ctx = &all;
    if (!all.phone || options->calls > TRUNK_MAX ||
        peer_address(&all.gateway, options->gateway_ip, (uint16_t)options->sip_port) ||
        peer_udp_open(&all.registrar, loop, options->trunk_ip, (uint16_t)options->trunk_port))
        die("phones: no memory, too many trunks, or the registrar's port is taken");
    peer_loop_set_round(loop, options->round_us, options->slack_us);
    mark_plain("empty");
    all.pace = (struct metronome){
        .loop = loop, .rate = options->rate, .count = options->users, .on_turn = phone_begin, .ctx = &all};
    metronome_start(&all.pace);
    peer_loop_run(loop);
    return 0;
}
