/* SPDX-License-Identifier: Apache-2.0 */
/* ice_lite.c: ICE lite for all peer connections of a worker on its one UDP port. A source is known only after a check
 * that was authenticated with a password of ours; whatever else comes from unknown sources is dropped and counted, and
 * gets no answer. RFC 8445 section 2.5, 7.3, RFC 7675, RFC 7983. STUN messages are lite_stun.c's job; DTLS and RTP are
 * not known here. */
#include "media/ice.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/stats.h"
#include "base/warm.h"
#include "base/worker.h"
#include "media/demux.h"
#include "media/lite_stun.h"
#include "media/media_house.h"

#define PAIR_MAX       8
#define UFRAG_CHARS    8
#define PWD_CHARS      26 /* 134 bits; RFC 8445 5.3 asks for 128 */
#define FIRST_CHECK_MS 10000
#define HELD_US        10000000u /* browsers check about every 2.5 s */
#define CONSENT_US     30000000u /* RFC 7675 5.1 */
#define NEVER_US       120000000u
#define WATCH_MS       5000
#define RECEIVE_BYTES  (4 << 20)
#define BATCH_MAX      64 /* packets that the socket hands over at once */

struct lite_port {
    struct udp *udp;
    struct map by_addr, by_ufrag;
    struct lite_stun stun;
};

struct lite;

/* A 5-tuple that a valid check has proved. */
struct pair {
    struct map_node node;
    struct lite *lite;
    const struct warm *warm;
    char key[ADDR_KEY_MAX];
    struct addr peer;
    uint64_t checked_us;
};

struct credential {
    struct map_node node;
    struct lite *lite;
    char ufrag[UFRAG_CHARS + 1], pwd[PWD_CHARS + 1];
};

struct lite {
    struct ice ice;
    struct media_house *house;
    struct lite_port *port;
    struct credential credentials[2];
    unsigned newest; /* index of the credential that is told to the peer */
    struct pair pairs[PAIR_MAX];
    struct pair *selected;
    bool is_nominated;    /* the selected one was, by the peer */
    uint64_t checked_us;  /* last valid check; 0: none yet */
    uint64_t awaited_us;  /* since when checks are awaited; 0: not yet */
    uint64_t answered_us; /* 0: it rings, and may ring as long as it likes */
    bool was_told;        /* that no check came */
    struct timer watch;
};

/* ---- pairs ---- */

static size_t hash_of(const struct addr *peer)
{
    char key[ADDR_KEY_MAX];

    return map_hash(addr_key(peer, key));
}

static struct pair *find_hashed(const struct lite_port *port, const struct addr *peer, size_t hash)
{
    char key[ADDR_KEY_MAX];
    struct map_node *node = map_find_hashed(&port->by_addr, addr_key(peer, key), hash);

    return node ? container_of(node, struct pair, node) : NULL;
}

static struct pair *find_pair(const struct lite_port *port, const struct addr *peer)
{
    return find_hashed(port, peer, hash_of(peer));
}

static void drop_pair(struct pair *pair)
{
    map_remove(&pair->node);
    if (pair->lite && pair->lite->selected == pair)
        pair->lite->selected = NULL;
    pair->lite = NULL;
}

/* A free slot, else the one whose last check is the oldest; never the selected one. */
static struct pair *pick_slot(struct lite *lite)
{
    struct pair *oldest = NULL;

    for (unsigned i = 0; i < PAIR_MAX; i++) {
        struct pair *pair = &lite->pairs[i];

        if (!pair->lite)
            return pair;
        if (pair != lite->selected && (!oldest || pair->checked_us < oldest->checked_us))
            oldest = pair;
    }
    drop_pair(oldest);
    return oldest;
}

static struct pair *add_pair(struct lite *lite, const struct addr *peer)
{
    struct pair *pair = pick_slot(lite);

    if (map_put(&lite->port->by_addr, &pair->node, addr_key(peer, pair->key)))
        return NULL;
    pair->lite = lite;
    pair->warm = lite->ice.warm;
    pair->peer = *peer;
    return pair;
}

/* ---- checks ---- */

static void retire(struct credential *credential)
{
    map_remove(&credential->node);
    explicit_bzero(credential->pwd, sizeof(credential->pwd));
}

static void select_pair(struct lite *lite, struct pair *pair, bool is_nominated)
{
    char text[160], peer[ADDR_TEXT_MAX];

    if (lite->selected == pair && (lite->is_nominated || !is_nominated))
        return;
    lite->selected = pair;
    lite->is_nominated = is_nominated;
    snprintf(text, sizeof(text), "ICE check from %s %s", addr_text(&pair->peer, peer),
             is_nominated ? "nominated" : "valid");
    lite->ice.user->on_event(text, lite->ice.arg);
    lite->ice.user->on_selected(&pair->peer, is_nominated, lite->ice.arg);
}

static void on_watch(void *arg);

/* Its owner still uses this 5-tuple: somebody with a call of his own and a forged source could take it away otherwise.
 */
static bool is_held_by_another(const struct lite *lite, const struct addr *from)
{
    const struct pair *pair = find_pair(lite->port, from);

    return pair && pair->lite != lite && clock_now_us() - pair->checked_us < HELD_US;
}

/* An authenticated check came in: its source is proved, and chosen where the peer nominates it or there is no other. */
static void take_check(struct credential *credential, const struct addr *from, bool is_nominated)
{
    struct lite *lite = credential->lite;
    struct pair *pair = find_pair(lite->port, from);

    if (pair && pair->lite != lite) {
        drop_pair(pair); /* the same NAT binding, used by another peer connection now */
        pair = NULL;
    }
    if (!pair)
        pair = add_pair(lite, from);
    if (!pair)
        return;
    pair->checked_us = lite->checked_us = clock_now_us();
    if (!timer_is_running(&lite->watch))
        worker_timer(&lite->watch, WATCH_MS, on_watch, lite);
    if (is_nominated && credential == &lite->credentials[lite->newest])
        retire(&lite->credentials[!lite->newest]);
    if (is_nominated || !lite->selected)
        select_pair(lite, pair, is_nominated);
}

static struct credential *find_credential(struct lite_port *port, struct span ufrag)
{
    struct map_node *node = map_find(&port->by_ufrag, ufrag);

    return node ? container_of(node, struct credential, node) : NULL;
}

static struct span password_of(void *arg, struct span ufrag, void **owner)
{
    struct credential *credential = find_credential(arg, ufrag);

    *owner = credential;
    return credential ? span_of(credential->pwd) : SPAN_NULL;
}

static void on_stun(struct lite_port *port, const struct pkt *pkt)
{
    struct lite_check check;

    stats_count(STAT_STUN_RECEIVED);
    if (lite_stun_receive(&port->stun, pkt->data, pkt->len, &pkt->addr, &check))
        stats_count(STAT_STUN_REFUSED);
    if (check.is_valid && is_held_by_another(((struct credential *)check.owner)->lite, &pkt->addr)) {
        stats_count(STAT_STUN_REFUSED);
        return;
    }
    if (check.reply_bytes)
        udp_send(port->udp, &pkt->addr, check.reply, check.reply_bytes);
    if (check.is_valid)
        take_check(check.owner, &pkt->addr, check.is_nominated);
}

/* ---- packets ---- */

static void hand_up(struct lite *lite, struct pkt **pkts, unsigned n)
{
    if (lite && n)
        lite->ice.user->on_batch(pkts, n, lite->ice.arg);
}

/* Fetch the pairs of all packets, then the lists of what their users will touch. */
static void fetch_pairs(const struct lite_port *port, struct pkt **pkts, unsigned n, size_t *hashes)
{
    for (unsigned i = 0; i < n; i++) {
        hashes[i] = hash_of(&pkts[i]->addr);
        map_fetch(&port->by_addr, hashes[i]);
    }
    for (unsigned i = 0; i < n; i++) {
        const struct pair *pair = find_hashed(port, &pkts[i]->addr, hashes[i]);

        if (pair)
            warm_fetch_object(pair->warm, sizeof(*pair->warm));
    }
}

static void fetch_user(const struct lite_port *port, const struct pkt *pkt, size_t hash)
{
    const struct pair *pair = find_hashed(port, &pkt->addr, hash);

    if (pair)
        warm_fetch(pair->warm);
}

/* The peer connection that a packet belongs to; NULL: none, and it was dealt with. */
static struct lite *sort(struct lite_port *port, const struct pkt *pkt, size_t hash)
{
    struct pair *pair;

    switch (demux_kind_of(pkt->data, pkt->len)) {
    case DEMUX_STUN:
        on_stun(port, pkt);
        return NULL;
    case DEMUX_NONE:
        stats_count(STAT_RTP_MALFORMED);
        return NULL;
    default:
        break;
    }
    pair = find_hashed(port, &pkt->addr, hash);
    if (!pair)
        stats_count(STAT_DTLS_UNPROVED);
    return pair ? pair->lite : NULL;
}

/* Neighbours of one peer connection go up together. What goes up may end it, so nothing is sorted ahead. */
static void on_batch(struct udp *udp, struct pkt **pkts, unsigned n, void *arg)
{
    struct lite_port *port = arg;
    uint64_t arrived_us = pkts[0]->arrived_us;
    struct lite *run_of = NULL;
    size_t hashes[BATCH_MAX] = {0};
    unsigned run_at = 0;

    fetch_pairs(port, pkts, n, hashes);
    fetch_user(port, pkts[0], hashes[0]);
    for (unsigned i = 0; i < n; i++) {
        struct lite *lite = sort(port, pkts[i], hashes[i]);

        if (i + 1 < n)
            fetch_user(port, pkts[i + 1], hashes[i + 1]);
        if (lite == run_of)
            continue;
        hand_up(run_of, pkts + run_at, i - run_at);
        run_of = lite;
        run_at = i;
    }
    hand_up(run_of, pkts + run_at, n - run_at);
    stats_observe(HIST_MEDIA_HELD_US, clock_now_us() - arrived_us);
}

static void lite_send(struct ice *ice, struct pkt *pkt)
{
    struct lite *lite = (struct lite *)ice;

    if (!lite->selected) {
        pkt_put(lite->house->pool, pkt);
        return;
    }
    pkt->addr = lite->selected->peer;
    udp_queue(lite->port->udp, pkt);
}

static void lite_warm_out(const struct ice *ice, struct warm *warm)
{
    const struct lite *lite = (const struct lite *)ice;

    warm_add(warm, ice, sizeof(*ice));
    warm_add(warm, &lite->selected, sizeof(lite->selected));
    if (lite->selected)
        warm_add(warm, &lite->selected->peer, sizeof(lite->selected->peer));
}

/* ---- the watch ---- */

static void tell_no_check(struct lite *lite)
{
    char text[128];

    lite->was_told = true;
    snprintf(text, sizeof(text), "no ICE check arrived on UDP port %u: blocked?",
             addr_port(udp_local(lite->port->udp)));
    lite->ice.user->on_event(text, lite->ice.arg);
}

static uint64_t later(uint64_t left_us, uint64_t right_us)
{
    return left_us > right_us ? left_us : right_us;
}

static void fail_by_silence(struct lite *lite, const char *since)
{
    char why[128];

    snprintf(why, sizeof(why), "no valid ICE check on UDP port %u %s", addr_port(udp_local(lite->port->udp)), since);
    lite->ice.user->on_failed(why, lite->ice.arg);
}

/* A peer that was never heard gets more time: a browser that ignores early media begins only with the final answer.
 * While it rings, a missing check is told but ends nothing: how long it rings is the call's business. */
static void on_watch(void *arg)
{
    struct lite *lite = arg;
    uint64_t now_us = clock_now_us(), answered_us = lite->answered_us;

    if (!lite->checked_us && !lite->was_told)
        tell_no_check(lite);
    if (answered_us && lite->checked_us && now_us - later(lite->checked_us, answered_us) >= CONSENT_US)
        fail_by_silence(lite, "for 30 s");
    else if (answered_us && !lite->checked_us && now_us - later(lite->awaited_us, answered_us) >= NEVER_US)
        fail_by_silence(lite, "in 120 s");
    else
        worker_timer(&lite->watch, WATCH_MS, on_watch, lite);
}

/* ---- one peer connection ---- */

static int add_credential(struct lite *lite, unsigned i)
{
    struct credential *credential = &lite->credentials[i];
    int err;

    retire(credential);
    credential->lite = lite;
    do {
        rand_text(credential->ufrag, UFRAG_CHARS);
        rand_text(credential->pwd, PWD_CHARS);
        err = map_put(&lite->port->by_ufrag, &credential->node, span_make(credential->ufrag, UFRAG_CHARS));
    } while (err == -EEXIST);
    if (!err)
        lite->newest = i;
    return err;
}

static void lite_stop(struct ice *ice)
{
    struct lite *lite = (struct lite *)ice;

    timer_stop(&lite->watch);
    for (unsigned i = 0; i < PAIR_MAX; i++)
        if (lite->pairs[i].lite)
            drop_pair(&lite->pairs[i]);
    retire(&lite->credentials[0]);
    retire(&lite->credentials[1]);
}

static void lite_destroy(void *self)
{
    struct lite *lite = self;

    if (lite->port)
        lite_stop(&lite->ice);
    mem_unref(lite->port);
    mem_unref(lite->house);
}

static int lite_make(struct ice **icep, struct media_house *house, const struct ice_user *user, const struct warm *warm,
                     void *arg)
{
    struct lite *lite = mem_new(sizeof(*lite), lite_destroy);
    int err;

    if (!lite)
        return -ENOMEM;
    lite->ice = (struct ice){&ice_lite, user, warm, arg};
    lite->house = mem_ref(house);
    lite->port = mem_ref(house->lite);
    err = add_credential(lite, 0);
    if (err) {
        mem_unref(lite);
        return err;
    }
    *icep = &lite->ice;
    return 0;
}

static void lite_local(const struct ice *ice, struct webrtc_local *out)
{
    const struct lite *lite = (const struct lite *)ice;
    const struct credential *credential = &lite->credentials[lite->newest];

    memcpy(out->ufrag, credential->ufrag, sizeof(credential->ufrag));
    memcpy(out->pwd, credential->pwd, sizeof(credential->pwd));
    out->candidate_count = lite->house->candidate_count;
    memcpy(out->candidates, lite->house->candidates, sizeof(out->candidates));
    out->is_ice_lite = true;
}

/* A lite agent sends no checks, so the peer's credentials are not needed. */
static int lite_remote(struct ice *ice, struct span ufrag, struct span pwd)
{
    return 0;
}

static void lite_await(struct ice *ice)
{
    struct lite *lite = (struct lite *)ice;

    if (lite->checked_us)
        return;
    lite->awaited_us = clock_now_us();
    worker_timer(&lite->watch, FIRST_CHECK_MS, on_watch, lite);
}

static void lite_answered(struct ice *ice)
{
    struct lite *lite = (struct lite *)ice;

    if (!lite->answered_us)
        lite->answered_us = clock_now_us();
}

static int lite_restart(struct ice *ice)
{
    struct lite *lite = (struct lite *)ice;

    return add_credential(lite, !lite->newest);
}

const struct ice_kind ice_lite = {
    .make = lite_make,
    .local = lite_local,
    .remote = lite_remote,
    .restart = lite_restart,
    .await = lite_await,
    .answered = lite_answered,
    .send = lite_send,
    .warm_out = lite_warm_out,
    .stop = lite_stop,
};

/* ---- the port ---- */

static void port_destroy(void *self)
{
    struct lite_port *port = self;

    mem_unref(port->udp);
    map_free(&port->by_addr);
    map_free(&port->by_ufrag);
}

int lite_port_new(struct lite_port **portp, struct udp_house *udp_house, const struct addr *local, uint8_t dscp)
{
    struct lite_port *port = mem_new(sizeof(*port), port_destroy);
    struct udp_options options = {
        .local = *local, .dscp = dscp, .receive_bytes = RECEIVE_BYTES, .on_batch = on_batch, .arg = port};
    int err;

    if (!port)
        return -ENOMEM;
    map_init(&port->by_addr);
    map_init(&port->by_ufrag);
    lite_stun_init(&port->stun, password_of, port);
    err = udp_new(&port->udp, udp_house, &options);
    if (err) {
        mem_unref(port);
        return err;
    }
    *portp = port;
    return 0;
}

const struct addr *lite_port_local(const struct lite_port *port)
{
    return udp_local(port->udp);
}
