/* SPDX-License-Identifier: Apache-2.0 */
/* locate.c: from a SIP URI to targets in order. RFC 3263 section 4, RFC 2782. Asks through net/dns.h, which keeps the
 * answers; knows neither trunks nor what is sent to the targets.
 *
 *   numeric host -----------------------------------------------------------> done
 *   no port, no transport: NAPTR --> names of SRV --\
 *   no port: names of SRV by transport -------------> SRV of each --> hosts --> addresses of each --> done
 *   port, or nobody has SRV: the host itself ----------------------/                                             */
#include "sip/locate.h"

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rand.h"
#include "net/dns.h"
#include "sip/stack.h"

#define ALL_MS      10000 /* for all questions together; then what is known has to do */
#define SERVICE_MAX 8

/* The name of SRV records, and which transport they are about. */
struct service {
    enum sip_transport transport;
    char name[DNS_HOST_MAX];
};

/* A host whose addresses are asked for. */
struct place {
    enum sip_transport transport;
    uint16_t port;
    char name[DNS_HOST_MAX];
};

enum phase { ASK_NAPTR, ASK_SRV, ASK_ADDRS };

struct locate {
    struct sip_stack *stack;
    struct dns *dns;
    struct dns_query *query;
    struct timer deadline;
    locate_fn *fn;
    void *arg;
    struct locate_wish wish; /* host points to name */
    char name[DNS_HOST_MAX];
    enum phase phase;
    bool is_asking, is_running, is_timed_out, is_unusable;
    bool has_srv; /* somebody has such records: then the host itself is not asked for */
    struct service services[SERVICE_MAX];
    unsigned service_count, service_at;
    struct place places[LOCATE_TARGET_MAX];
    unsigned place_count, place_at;
    struct locate_target targets[LOCATE_TARGET_MAX];
    unsigned target_count;
};

static uint16_t default_port(enum sip_transport transport)
{
    return transport == SIP_TLS ? 5061 : 5060;
}

/* ---- the URI ---- */

int locate_read(struct locate_wish *wish, const struct uri *uri)
{
    struct span named;

    if (uri->scheme != URI_SIP && uri->scheme != URI_SIPS)
        return -EINVAL;
    *wish = (struct locate_wish){.host = uri->host, .port = uri->port, .is_sips = uri->scheme == URI_SIPS};
    if (!uri_param(uri, SPAN("transport"), &named))
        return 0;
    wish->has_transport = true;
    if (span_ieq(named, SPAN("tls")) || (span_ieq(named, SPAN("tcp")) && wish->is_sips))
        wish->transport = SIP_TLS;
    else if (span_ieq(named, SPAN("tcp")))
        wish->transport = SIP_TCP;
    else if (span_ieq(named, SPAN("udp")) && !wish->is_sips)
        wish->transport = SIP_UDP;
    else
        return -EAFNOSUPPORT;
    return 0;
}

/* RFC 3263 section 4.1, where nothing else says it. */
static enum sip_transport default_transport(const struct locate_wish *wish)
{
    return wish->has_transport ? wish->transport : wish->is_sips ? SIP_TLS : SIP_UDP;
}

/* ---- targets ---- */

static void add_target(struct locate *locate, enum sip_transport transport, const struct addr *addr)
{
    if (!transport_has_way(locate->stack->transports, transport, addr)) {
        locate->is_unusable = true;
        return;
    }
    for (unsigned i = 0; i < locate->target_count; i++)
        if (locate->targets[i].transport == transport && addr_eq(&locate->targets[i].addr, addr))
            return;
    if (locate->target_count < LOCATE_TARGET_MAX)
        locate->targets[locate->target_count++] = (struct locate_target){.transport = transport, .addr = *addr};
}

static void add_place(struct locate *locate, enum sip_transport transport, uint16_t port, const char *name)
{
    struct place *place = &locate->places[locate->place_count];

    if (locate->place_count == LOCATE_TARGET_MAX)
        return;
    locate->place_count++;
    place->transport = transport;
    place->port = port;
    snprintf(place->name, sizeof(place->name), "%s", name);
}

static void run(struct locate *locate);

/* An answer is here: within the question, run() goes on by itself. */
static void go_on(struct locate *locate)
{
    locate->is_asking = false;
    if (!locate->is_running)
        run(locate);
}

static void on_addrs(int err, const struct addr *addrs, unsigned count, void *arg)
{
    struct locate *locate = arg;
    const struct place *place = &locate->places[locate->place_at++];

    locate->is_timed_out |= err == -ETIMEDOUT;
    for (unsigned i = 0; i < count; i++)
        add_target(locate, place->transport, &addrs[i]);
    go_on(locate);
}

/* ---- SRV ---- */

/* One of those of the same priority, by chance in proportion to weight: RFC 2782. Those without weight stand first, so
 * that they have a small chance. @param count at least 1 */
static unsigned pick_srv(const struct dns_srv *srvs, unsigned count)
{
    uint32_t sum = 0, chance, reached = 0;

    for (unsigned i = 0; i < count; i++)
        sum += srvs[i].weight;
    chance = rand_u32() % (sum + 1);
    for (unsigned i = 0; i < count; i++) {
        reached += srvs[i].weight;
        if (reached >= chance)
            return i;
    }
    return count - 1;
}

static bool is_before(const struct dns_srv *left, const struct dns_srv *right)
{
    return left->priority != right->priority ? left->priority < right->priority : !left->weight && right->weight;
}

static void move_to(struct dns_srv *srvs, unsigned from, unsigned to)
{
    struct dns_srv moved = srvs[from];

    memmove(&srvs[to + 1], &srvs[to], (from - to) * sizeof(*srvs));
    srvs[to] = moved;
}

/* In the order in which they are to be tried. */
static void order_srvs(struct dns_srv *srvs, unsigned count)
{
    for (unsigned i = 1; i < count; i++) {
        unsigned to = i;

        while (to && is_before(&srvs[i], &srvs[to - 1]))
            to--;
        move_to(srvs, i, to);
    }
    for (unsigned i = 0; i < count; i++) {
        unsigned same = 1;

        while (i + same < count && srvs[i + same].priority == srvs[i].priority)
            same++;
        move_to(srvs, i + pick_srv(&srvs[i], same), i);
    }
}

static void on_srvs(int err, const struct dns_srv *records, unsigned count, void *arg)
{
    struct locate *locate = arg;
    const struct service *service = &locate->services[locate->service_at++];
    struct dns_srv srvs[DNS_RECORD_MAX];

    locate->is_timed_out |= err == -ETIMEDOUT;
    locate->has_srv |= count > 0;
    if (count)
        memcpy(srvs, records, count * sizeof(*srvs));
    order_srvs(srvs, count);
    for (unsigned i = 0; i < count; i++)
        if (srvs[i].target[0])
            add_place(locate, service->transport, srvs[i].port, srvs[i].target);
    go_on(locate);
}

static void add_service(struct locate *locate, enum sip_transport transport, const char *name)
{
    struct service *service = &locate->services[locate->service_count];

    if (locate->service_count == SERVICE_MAX || (locate->wish.is_sips && transport != SIP_TLS))
        return;
    locate->service_count++;
    service->transport = transport;
    snprintf(service->name, sizeof(service->name), "%s", name);
}

/* The name that goes without NAPTR: RFC 3263 section 4.2. */
static void add_usual_service(struct locate *locate, enum sip_transport transport)
{
    static const char *const prefixes[] = {
        [SIP_UDP] = "_sip._udp.", [SIP_TCP] = "_sip._tcp.", [SIP_TLS] = "_sips._tcp."};
    char name[DNS_HOST_MAX + 16];

    snprintf(name, sizeof(name), "%s%s", prefixes[transport], locate->name);
    if (strlen(name) < DNS_HOST_MAX)
        add_service(locate, transport, name);
}

static void add_usual_services(struct locate *locate)
{
    if (locate->wish.has_transport) {
        add_usual_service(locate, locate->wish.transport);
        return;
    }
    add_usual_service(locate, SIP_UDP);
    add_usual_service(locate, SIP_TCP);
    add_usual_service(locate, SIP_TLS);
}

/* ---- NAPTR ---- */

/* @return the transport of a service field (RFC 3263 section 4.1), -1: none of ours */
static int service_transport(const struct dns_naptr *naptr)
{
    struct span service = span_of(naptr->service);

    if (!span_ieq(span_of(naptr->flags), SPAN("s")) || !naptr->replacement[0])
        return -1;
    return span_ieq(service, SPAN("SIP+D2U"))    ? (int)SIP_UDP
           : span_ieq(service, SPAN("SIP+D2T"))  ? (int)SIP_TCP
           : span_ieq(service, SPAN("SIPS+D2T")) ? (int)SIP_TLS
                                                 : -1;
}

static bool comes_before(const struct dns_naptr *left, const struct dns_naptr *right)
{
    return left->order != right->order ? left->order < right->order : left->preference < right->preference;
}

static void on_naptrs(int err, const struct dns_naptr *records, unsigned count, void *arg)
{
    struct locate *locate = arg;
    const struct dns_naptr *sorted[DNS_RECORD_MAX];

    locate->is_timed_out |= err == -ETIMEDOUT;
    for (unsigned i = 0; i < count; i++) {
        unsigned to = i;

        for (; to && comes_before(&records[i], sorted[to - 1]); to--)
            sorted[to] = sorted[to - 1];
        sorted[to] = &records[i];
    }
    for (unsigned i = 0; i < count; i++) {
        int transport = service_transport(sorted[i]);

        if (transport >= 0)
            add_service(locate, (enum sip_transport)transport, sorted[i]->replacement);
    }
    if (!locate->service_count)
        add_usual_services(locate);
    locate->phase = ASK_SRV;
    go_on(locate);
}

/* ---- one question after the other ---- */

static void finish(struct locate *locate)
{
    int err = locate->target_count   ? 0
              : locate->is_unusable  ? -EAFNOSUPPORT
              : locate->is_timed_out ? -ETIMEDOUT
                                     : -ENOENT;
    locate_fn *fn = locate->fn;

    timer_stop(&locate->deadline);
    locate->query = mem_unref(locate->query);
    locate->fn = NULL;
    if (fn)
        fn(err, locate->targets, locate->target_count, locate->arg);
}

static int ask_addrs(struct locate *locate)
{
    const struct place *place = &locate->places[locate->place_at];

    return dns_resolve(&locate->query, locate->dns, span_of(place->name), place->port, on_addrs, locate);
}

static int ask_srv(struct locate *locate)
{
    return dns_find_srv(&locate->query, locate->dns, span_of(locate->services[locate->service_at].name), on_srvs,
                        locate);
}

/* All services were asked about; where none has records the host itself is meant. */
static void begin_addrs(struct locate *locate)
{
    enum sip_transport transport = default_transport(&locate->wish);

    locate->phase = ASK_ADDRS;
    if (!locate->has_srv)
        add_place(locate, transport, locate->wish.port ? locate->wish.port : default_port(transport), locate->name);
}

/* Put the next question. @return false: there is none */
static bool ask(struct locate *locate)
{
    locate->query = mem_unref(locate->query);
    locate->is_asking = true;
    if (locate->phase == ASK_NAPTR) {
        if (dns_find_naptr(&locate->query, locate->dns, span_of(locate->name), on_naptrs, locate))
            on_naptrs(-ENOENT, NULL, 0, locate);
        return true;
    }
    if (locate->phase == ASK_SRV && locate->service_at < locate->service_count) {
        if (ask_srv(locate))
            on_srvs(-ENOENT, NULL, 0, locate);
        return true;
    }
    if (locate->phase == ASK_SRV)
        begin_addrs(locate);
    if (locate->place_at == locate->place_count || locate->target_count == LOCATE_TARGET_MAX)
        return false;
    if (ask_addrs(locate))
        on_addrs(-ENOENT, NULL, 0, locate);
    return true;
}

static void run(struct locate *locate)
{
    bool is_more = true;

    mem_ref(locate);
    locate->is_running = true;
    while (is_more && !(locate->is_asking && locate->query))
        is_more = ask(locate);
    locate->is_running = false;
    if (!is_more)
        finish(locate);
    mem_unref(locate);
}

static void on_deadline(void *arg)
{
    struct locate *locate = arg;

    locate->is_timed_out = true;
    mem_ref(locate);
    finish(locate);
    mem_unref(locate);
}

/* ---- birth and end ---- */

static void locate_destroy(void *self)
{
    struct locate *locate = self;

    timer_stop(&locate->deadline);
    mem_unref(locate->query);
}

static void answer_numeric(struct sip_stack *stack, const struct locate_wish *wish, struct addr *addr, locate_fn *fn,
                           void *arg)
{
    struct locate_target target = {.transport = default_transport(wish), .addr = *addr};
    bool has_way;

    addr_set_port(&target.addr, wish->port ? wish->port : default_port(target.transport));
    has_way = transport_has_way(stack->transports, target.transport, &target.addr);
    fn(has_way ? 0 : -EAFNOSUPPORT, &target, has_way, arg);
}

int locate_begin(struct locate **locatep, struct sip_stack *stack, struct dns *dns, const struct locate_wish *wish,
                 locate_fn *fn, void *arg)
{
    struct locate *locate;
    struct addr numeric;

    *locatep = NULL;
    if (!addr_parse(&numeric, wish->host, 0)) {
        answer_numeric(stack, wish, &numeric, fn, arg);
        return 0;
    }
    locate = mem_new(sizeof(*locate), locate_destroy);
    if (!locate)
        return -ENOMEM;
    locate->stack = stack;
    locate->dns = dns;
    locate->fn = fn;
    locate->arg = arg;
    locate->wish = *wish;
    span_copy(wish->host, locate->name, sizeof(locate->name));
    locate->wish.host = span_of(locate->name);
    locate->phase = wish->port ? ASK_ADDRS : wish->has_transport ? ASK_SRV : ASK_NAPTR;
    if (locate->phase == ASK_SRV)
        add_usual_services(locate);
    if (locate->phase == ASK_ADDRS)
        begin_addrs(locate);
    timer_start(stack->wheel, &locate->deadline, ALL_MS, on_deadline, locate);
    run(locate);
    if (locate->fn)
        *locatep = locate;
    else
        mem_unref(locate);
    return 0;
}

/* ---- one target after the other ---- */

static bool is_target(const struct locate_target *left, const struct locate_target *right)
{
    return left->transport == right->transport && addr_eq(&left->addr, &right->addr);
}

static bool is_silent(const struct sip_stack *stack, const struct locate_target *target)
{
    for (unsigned i = 0; i < LOCATE_SILENT_MAX; i++)
        if (stack->silent[i].until_ms > clock_now_ms() && is_target(&stack->silent[i].target, target))
            return true;
    return false;
}

void locate_note(struct sip_stack *stack, const struct sip_flow *flow, bool is_silent)
{
    struct locate_target target = {.transport = (enum sip_transport)flow->transport, .addr = flow->remote};
    struct locate_silent *row = &stack->silent[0];

    for (unsigned i = 0; i < LOCATE_SILENT_MAX; i++) {
        struct locate_silent *one = &stack->silent[i];

        if (one->until_ms && is_target(&one->target, &target)) {
            row = one;
            break;
        }
        if (one->until_ms < row->until_ms)
            row = one;
    }
    if (is_silent)
        *row = (struct locate_silent){.target = target, .until_ms = clock_now_ms() + LOCATE_SILENT_KEPT_MS};
    else if (row->until_ms && is_target(&row->target, &target))
        row->until_ms = 0;
}

void locate_tries_begin(struct locate_tries *tries, struct sip_stack *stack, const struct locate_target *targets,
                        unsigned count)
{
    *tries = (struct locate_tries){0};
    for (unsigned turn = 0; turn < 2; turn++)
        for (unsigned i = 0; i < count && i < LOCATE_TARGET_MAX; i++)
            if (is_silent(stack, &targets[i]) == (turn == 1))
                tries->targets[tries->count++] = targets[i];
}

void locate_tries_prefer(struct locate_tries *tries, const struct sip_flow *flow)
{
    for (unsigned i = 0; i < tries->count; i++) {
        struct locate_target target = tries->targets[i];

        if (target.transport != (enum sip_transport)flow->transport || !addr_eq(&target.addr, &flow->remote))
            continue;
        memmove(&tries->targets[1], &tries->targets[0], i * sizeof(target));
        tries->targets[0] = target;
        return;
    }
}

bool locate_tries_open(struct locate_tries *tries, struct sip_flow *flow, struct sip_stack *stack,
                       const struct sip_peer *peer)
{
    while (tries->next < tries->count) {
        const struct locate_target *target = &tries->targets[tries->next++];

        if (!transport_flow_to(flow, stack->transports, target->transport, &target->addr, peer))
            return true;
    }
    return false;
}
