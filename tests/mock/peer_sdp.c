/* SPDX-License-Identifier: Apache-2.0 */
/* peer_sdp.c: reads SDP line by line; a line of the media section goes before one of the session. */
#include "peer_sdp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer_udp.h"

struct sections {
    struct peer_span session, audio;
};

static struct peer_span none(void)
{
    return (struct peer_span){"", 0};
}

/* The rest of the @p index th line that starts with @p prefix. */
static struct peer_span find_line(struct peer_span text, const char *prefix, unsigned index)
{
    const char *at = text.at, *end = text.at + text.size;
    size_t size = strlen(prefix);

    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        const char *last = stop ? stop : end;

        while (last > at && last[-1] == '\r')
            last--;
        if ((size_t)(last - at) >= size && !memcmp(at, prefix, size) && index-- == 0)
            return (struct peer_span){at + size, (size_t)(last - at) - size};
        at = stop ? stop + 1 : end;
    }
    return none();
}

static struct sections split(struct peer_span text)
{
    const char *end = text.at + text.size;
    const char *first = peer_span_find(text, "\nm=");
    const char *audio = peer_span_find(text, "\nm=audio ");
    struct sections sections = {text, none()};

    if (first)
        sections.session.size = (size_t)(first + 1 - text.at);
    if (audio) {
        const char *next = memmem(audio + 1, (size_t)(end - audio - 1), "\nm=", 3);

        sections.audio = (struct peer_span){audio + 1, (size_t)((next ? next + 1 : end) - audio - 1)};
    }
    return sections;
}

static struct peer_span either(const struct sections *sections, const char *prefix)
{
    struct peer_span line = find_line(sections->audio, prefix, 0);

    return line.size ? line : find_line(sections->session, prefix, 0);
}

/* "49170 RTP/AVP 0 8 101" */
static uint16_t read_media_line(struct peer_sdp *sdp, struct peer_span line)
{
    char text[256], profile[64] = "";
    unsigned port = 0;
    int used = 0;
    char *at;

    peer_span_copy(text, sizeof(text), line);
    if (sscanf(text, "%u %63s%n", &port, profile, &used) < 2)
        return 0;
    sdp->is_webrtc = !strcmp(profile, "UDP/TLS/RTP/SAVPF");
    at = text + used;
    while (sdp->type_count < PEER_SDP_TYPES_MAX) {
        char *next;
        long type = strtol(at, &next, 10);

        if (next == at)
            break;
        sdp->types[sdp->type_count++] = (int)type;
        at = next;
    }
    return (uint16_t)port;
}

static void read_candidates(struct peer_sdp *sdp, struct peer_span audio)
{
    unsigned long best = 0;

    for (unsigned i = 0;; i++) {
        struct peer_span line = find_line(audio, "a=candidate:", i);
        char text[256], transport[16], ip[64];
        unsigned component, port;
        unsigned long priority;
        struct sockaddr_in address;

        if (!line.size)
            return;
        peer_span_copy(text, sizeof(text), line);
        if (sscanf(text, "%*s %u %15s %lu %63s %u", &component, transport, &priority, ip, &port) != 5)
            continue;
        if (component != 1 || strcasecmp(transport, "udp") != 0 || priority <= best)
            continue;
        if (!peer_address(&address, ip, (uint16_t)port)) {
            sdp->candidate = address;
            best = priority;
        }
    }
}

static void read_events(struct peer_sdp *sdp, struct peer_span audio)
{
    sdp->event_type = -1;
    for (unsigned i = 0;; i++) {
        struct peer_span line = find_line(audio, "a=rtpmap:", i);
        char text[128], name[64] = "";
        int type;

        if (!line.size)
            return;
        peer_span_copy(text, sizeof(text), line);
        if (sscanf(text, "%d %63s", &type, name) == 2 && !strcasecmp(name, "telephone-event/8000"))
            sdp->event_type = type;
    }
}

static void read_security(struct peer_sdp *sdp, const struct sections *sections)
{
    struct peer_span setup = either(sections, "a=setup:");
    struct peer_span fingerprint = either(sections, "a=fingerprint:");
    const char *space = fingerprint.size ? memchr(fingerprint.at, ' ', fingerprint.size) : NULL;

    sdp->is_active = peer_span_is(setup, "active");
    sdp->is_passive = peer_span_is(setup, "passive");
    if (space)
        peer_span_copy(sdp->fingerprint, sizeof(sdp->fingerprint),
                       (struct peer_span){space + 1, fingerprint.size - (size_t)(space + 1 - fingerprint.at)});
    peer_span_copy(sdp->ufrag, sizeof(sdp->ufrag), either(sections, "a=ice-ufrag:"));
    peer_span_copy(sdp->password, sizeof(sdp->password), either(sections, "a=ice-pwd:"));
    sdp->is_lite = peer_span_find(sections->session, "a=ice-lite") || peer_span_find(sections->audio, "a=ice-lite");
}

int peer_sdp_read(struct peer_sdp *sdp, struct peer_span text)
{
    struct sections sections = split(text);
    char ip[64];
    uint16_t port;

    memset(sdp, 0, sizeof(*sdp));
    port = read_media_line(sdp, find_line(sections.audio, "m=audio ", 0));
    peer_span_copy(ip, sizeof(ip), either(&sections, "c=IN IP4 "));
    if (!port || peer_address(&sdp->address, ip, port))
        return -EBADMSG;
    peer_span_copy(sdp->mid, sizeof(sdp->mid), find_line(sections.audio, "a=mid:", 0));
    read_candidates(sdp, sections.audio);
    read_events(sdp, sections.audio);
    read_security(sdp, &sections);
    return 0;
}

int peer_sdp_pick(const struct peer_sdp *sdp)
{
    static const int wanted[] = {0, 8};

    for (unsigned w = 0; w < 2; w++) {
        for (int i = 0; i < sdp->type_count; i++) {
            if (sdp->types[i] == wanted[w])
                return wanted[w];
        }
    }
    return sdp->type_count ? sdp->types[0] : -1;
}
