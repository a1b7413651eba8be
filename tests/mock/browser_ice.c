/* SPDX-License-Identifier: Apache-2.0 */
/* browser_ice.c: checks, nomination and consent between one pair of candidates. RFC 8445, RFC 7675.
 * Knows nothing of what runs over the pair. */
#include "browser_ice.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#include "peer_sip.h"

enum { CHECK_MS = 20, CHECKS_MAX = 500, CONSENT_MS = 5000, NS_PER_MS = 1000000 };
static const uint64_t consent_lost_ns = 30000ull * NS_PER_MS;
/* host candidate, one interface: RFC 8445 section 5.1.2.1 */
static const uint32_t check_priority = 110u << 24 | 65535u << 8 | 255;

void browser_ice_init(struct browser_ice *ice, struct peer_udp *udp)
{
    ice->udp = udp;
    peer_random_hex(ice->ufrag, 9);
    peer_random_hex(ice->password, 25);
    RAND_bytes((unsigned char *)&ice->tie_breaker, sizeof(ice->tie_breaker));
}

static void send_check(struct browser_ice *ice)
{
    char username[2 * ICE_UFRAG_BYTES];
    uint8_t bytes[STUN_MAX_BYTES * 2];
    struct stun_check check = {
        .id = ice->id,
        .username = username,
        .password = ice->remote_password,
        .priority = check_priority,
        .tie_breaker = ice->tie_breaker,
        .is_controlling = ice->is_controlling,
        .use_candidate = ice->is_controlling,
    };

    snprintf(username, sizeof(username), "%s:%s", ice->remote_ufrag, ice->ufrag);
    peer_udp_send(ice->udp, &ice->remote, bytes, stun_write_check(bytes, &check));
}

static void check_again(struct browser_ice *ice)
{
    uint64_t now_ns = peer_loop_now_ns(ice->udp->loop);
    bool is_lost = ice->is_selected ? now_ns - ice->heard_ns > consent_lost_ns : ++ice->check_count > CHECKS_MAX;

    if (is_lost) {
        ice->on_lost(ice->ctx);
        return;
    }
    RAND_bytes(ice->id, sizeof(ice->id));
    if (!ice->is_mute)
        send_check(ice);
    peer_timer_start_ms(ice->udp->loop, &ice->timer, ice->is_selected ? CONSENT_MS : CHECK_MS);
}

static void timer_due(void *ctx)
{
    check_again(ctx);
}

void browser_ice_start(struct browser_ice *ice, const struct sockaddr_in *remote, bool is_controlling)
{
    ice->remote = *remote;
    ice->is_controlling = is_controlling;
    ice->timer.on_due = timer_due;
    ice->timer.ctx = ice;
    check_again(ice);
}

void browser_ice_stop(struct browser_ice *ice)
{
    if (ice->udp)
        peer_timer_stop(ice->udp->loop, &ice->timer);
}

static void select_pair(struct browser_ice *ice)
{
    if (ice->is_selected)
        return;
    ice->is_selected = true;
    peer_timer_start_ms(ice->udp->loop, &ice->timer, CONSENT_MS);
    ice->on_selected(ice->ctx);
}

static void answer_check(struct browser_ice *ice, const struct stun_view *view, const struct peer_packet *packet)
{
    bool is_conflict = ice->is_controlling ? view->is_controlling : view->is_controlled;
    uint8_t bytes[STUN_MAX_BYTES];
    size_t size = strlen(ice->ufrag);

    if (!view->is_proved || strncmp(view->username, ice->ufrag, size) != 0 || view->username[size] != ':')
        return;
    peer_udp_send(ice->udp, &packet->from, bytes,
                  stun_write_reply(bytes, view, &packet->from, ice->password, is_conflict ? 487 : 0));
    if (view->use_candidate && !ice->is_controlling && ice->check_count) {
        ice->remote = packet->from;
        ice->heard_ns = peer_loop_now_ns(ice->udp->loop);
        select_pair(ice);
    }
}

static void take_answer(struct browser_ice *ice, const struct stun_view *view)
{
    if (memcmp(view->id, ice->id, sizeof(ice->id)) != 0)
        return;
    if (view->kind == STUN_FAILURE && view->error_code == 487) {
        ice->is_controlling = !ice->is_controlling; /* RFC 8445 section 7.2.5.1 */
        return;
    }
    if (view->kind != STUN_SUCCESS || !view->is_proved)
        return;
    ice->heard_ns = peer_loop_now_ns(ice->udp->loop);
    if (ice->is_controlling)
        select_pair(ice);
}

void browser_ice_receive(struct browser_ice *ice, const struct peer_packet *packet)
{
    bool is_request = packet->size > 1 && packet->bytes[0] == 0 && packet->bytes[1] == 1;
    struct stun_view view;

    if (stun_read(&view, packet->bytes, packet->size, is_request ? ice->password : ice->remote_password))
        return;
    if (view.kind == STUN_REQUEST)
        answer_check(ice, &view, packet);
    else
        take_answer(ice, &view);
}
