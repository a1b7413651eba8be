/* SPDX-License-Identifier: Apache-2.0 */
/* media.c: the media house of one worker, built from the configuration: ports, addresses, and what to write in SDP
 * about them. Knows no packets. */
#include "media/media.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/worker.h"
#include "media/media_house.h"
#include "media/sound.h"
#include "media/srtp_ctx.h"

static _Thread_local char why_text[160];

static void media_house_destroy(void *self)
{
    struct media_house *house = self;

    mem_unref(house->hold_sound);
    mem_unref(house->hold_path);
    mem_unref(house->lite);
    mem_unref(house->ports);
    mem_unref(house->udp);
    conf_unref(house->conf);
}

static int open_webrtc(struct media_house *house)
{
    const struct conf *conf = house->conf;
    struct addr local;
    unsigned port = conf->media.webrtc_port + worker_current()->id;
    int err;

    /* Port 0 (tests): any. */
    if (!conf->media.webrtc_port)
        port = 0;
    err = port > UINT16_MAX ? -EINVAL : addr_parse(&local, span_of(conf->media.webrtc_host), (uint16_t)port);
    if (!err)
        err = lite_port_new(&house->lite, house->udp, &local, (uint8_t)conf->media.dscp_audio);
    if (err)
        snprintf(why_text, sizeof(why_text), "media.webrtc: UDP port %u on %s cannot be opened: %s", port,
                 conf->media.webrtc_host, err_text(err));
    return err;
}

static int open_rtp(struct media_house *house)
{
    const struct conf *conf = house->conf;
    struct ports_range range = {.min = conf->media.rtp_port_min,
                                .max = conf->media.rtp_port_max,
                                .id = worker_current()->id,
                                .count = worker_count()};
    int err = addr_parse(&house->rtp_local, span_of(conf->media.rtp_address), 0);

    if (!err)
        err = ports_new(&house->ports, &range);
    if (err)
        snprintf(why_text, sizeof(why_text), "media.rtp: ports %u-%u on %s cannot be shared out among %u workers",
                 range.min, range.max, conf->media.rtp_address, range.count);
    return err;
}

static bool is_silence(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;

    return !path || !strcmp(slash ? slash + 1 : path, "silence");
}

/* Reading it takes longer than a packet may wait, so it is not read again for nothing. */
static bool is_hold_sound_loaded(struct media_house *house, const char *path)
{
    struct timespec before = house->hold_mtime;
    struct stat now;

    if (is_silence(path) || stat(path, &now))
        return false;
    house->hold_mtime = now.st_mtim;
    return house->hold_sound && house->hold_path && !strcmp(path, house->hold_path) &&
           before.tv_sec == now.st_mtim.tv_sec && before.tv_nsec == now.st_mtim.tv_nsec;
}

static int load_hold_sound(struct media_house *house, const struct conf *conf)
{
    struct sound *sound = NULL;
    const char *why = "";
    int err;

    if (is_hold_sound_loaded(house, conf->media.hold))
        return 0;
    err = is_silence(conf->media.hold) ? 0 : sound_load(&sound, conf->media.hold, &why);
    if (err) {
        snprintf(why_text, sizeof(why_text), "media.hold: %s: %s", conf->media.hold, why);
        return err;
    }
    mem_unref(house->hold_sound);
    house->hold_sound = sound;
    mem_unref(house->hold_path);
    house->hold_path = sound ? mem_text(conf->media.hold, strlen(conf->media.hold)) : NULL;
    return 0;
}

struct sound *media_house_hold_sound(const struct media_house *house)
{
    return house->hold_sound;
}

struct candidates {
    struct addr *out;
    unsigned count, max;
};

static void add_candidate(struct candidates *candidates, const struct addr *addr)
{
    for (unsigned i = 0; i < candidates->count; i++)
        if (addr_same_host(&candidates->out[i], addr))
            return;
    if (candidates->count < candidates->max)
        candidates->out[candidates->count++] = *addr;
}

static bool is_useful(const struct ifaddrs *interface)
{
    return interface->ifa_addr && interface->ifa_flags & IFF_UP;
}

/* The machine's own addresses of the family that is listened on: loopback only where there is no other. */
static void add_interfaces(struct candidates *candidates, bool is_v6, bool is_loopback)
{
    struct ifaddrs *interfaces, *interface;
    struct addr addr;

    if (getifaddrs(&interfaces))
        return;
    for (interface = interfaces; interface; interface = interface->ifa_next) {
        socklen_t len = is_v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);

        if (!is_useful(interface) || interface->ifa_addr->sa_family != (is_v6 ? AF_INET6 : AF_INET) ||
            addr_from_sockaddr(&addr, interface->ifa_addr, len))
            continue;
        if (addr_is_loopback(&addr) == is_loopback && !(is_v6 && IN6_IS_ADDR_LINKLOCAL(&addr.in6.sin6_addr)))
            add_candidate(candidates, &addr);
    }
    freeifaddrs(interfaces);
}

/* Looked for once: asking the kernel for its interfaces takes longer than the rest of a call's set-up. */
static void find_candidates(struct media_house *house)
{
    struct candidates candidates = {.out = house->candidates, .max = HOUSE_CANDIDATE_MAX};
    const struct addr *local = lite_port_local(house->lite);
    struct addr addr;

    for (size_t i = 0; i < house->conf->media.advertise_count; i++)
        if (!addr_parse(&addr, span_of(house->conf->media.advertise[i].address), 0) &&
            addr_is_v6(&addr) == addr_is_v6(local))
            add_candidate(&candidates, &addr);
    if (!candidates.count && !addr_is_any(local))
        add_candidate(&candidates, local);
    if (!candidates.count)
        add_interfaces(&candidates, addr_is_v6(local), false);
    if (!candidates.count)
        add_interfaces(&candidates, addr_is_v6(local), true);
    for (unsigned i = 0; i < candidates.count; i++)
        addr_set_port(&candidates.out[i], addr_port(local));
    house->candidate_count = candidates.count;
}

int media_house_new(struct media_house **housep, struct conf *conf, struct udp_house *udp,
                    struct dtls_identity *identity, const char **why_out)
{
    struct media_house *house = mem_new(sizeof(*house), media_house_destroy);
    int err;

    if (!house)
        return -ENOMEM;
    why_text[0] = '\0';
    *why_out = why_text;
    house->conf = conf_ref(conf);
    house->udp = mem_ref(udp);
    house->pool = udp_house_pool(udp);
    house->identity = identity;
    srtp_ctx_start_library();
    err = open_webrtc(house);
    if (!err)
        err = open_rtp(house);
    if (!err)
        err = load_hold_sound(house, conf);
    if (err)
        goto out;
    find_candidates(house);
    *housep = house;
    house = NULL;
out:
    mem_unref(house);
    return err;
}

void media_house_reload(struct media_house *house, struct conf *conf)
{
    struct conf *old = house->conf;

    house->conf = conf_ref(conf);
    conf_unref(old);
    find_candidates(house);
    if (load_hold_sound(house, conf)) /* the old one goes on */
        log_warn("%s", why_text);
}

/* ---- what to write in SDP ---- */

static bool find_advertised(struct addr *out, const struct conf *conf, const struct addr *towards)
{
    for (size_t i = 0; i < conf->media.advertise_count; i++) {
        struct cidr network;

        if (cidr_parse(&network, span_of(conf->media.advertise[i].network)) || !cidr_has(&network, towards))
            continue;
        if (!addr_parse(out, span_of(conf->media.advertise[i].address), 0))
            return true;
    }
    return false;
}

void media_advertised(struct addr *out, const struct conf *conf, const struct addr *local, const struct addr *towards)
{
    struct addr chosen;
    bool has_towards = addr_is_set(towards) && !addr_is_any(towards);

    if (has_towards && find_advertised(&chosen, conf, towards))
        *out = chosen;
    else if (addr_is_any(local) && has_towards && !addr_local_towards(&chosen, towards))
        *out = chosen;
    else
        *out = *local;
    addr_set_port(out, addr_port(local));
}
