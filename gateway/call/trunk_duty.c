/* SPDX-License-Identifier: Apache-2.0 */
/* trunk_duty.c: which trunks this worker looks after, over reloads and until the drain. Knows when, not how: that is
 * trunk_register.c and trunk_health.c. */
#include "call/trunk_duty.h"

#include <errno.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/stats.h"
#include "base/worker.h"
#include "call/trunk_health.h"
#include "call/trunk_register.h"

#define BEGIN_AFTER_MS 100 /* other workers take no mail before they run */

struct trunk_duties {
    struct calls *calls;
    struct list list;
    struct timer timer;
    bool has_begun, is_draining;
};

/* ---- one duty ---- */

static void trunk_duty_destroy(void *self)
{
    struct trunk_duty *duty = self;

    list_remove(&duty->link);
    timer_stop(&duty->end_timer);
    mem_unref(duty->registration);
    mem_unref(duty->health);
    stats_add(STAT_TRUNKS_REGISTERED, -duty->is_counted_registered);
    stats_add(STAT_TRUNKS_DOWN, -duty->is_counted_down);
    mem_unref(duty->directory);
}

static void count(enum stat_id gauge, bool *is_counted, bool is_now)
{
    stats_add(gauge, (int)is_now - (int)*is_counted);
    *is_counted = is_now;
}

void trunk_duty_publish(struct trunk_duty *duty)
{
    const struct trunk_status *status = &duty->status;

    count(STAT_TRUNKS_REGISTERED, &duty->is_counted_registered, status->registration == TRUNK_REGISTRATION_REGISTERED);
    count(STAT_TRUNKS_DOWN, &duty->is_counted_down, status->health == TRUNK_DOWN && !duty->is_leaving);
    if (!duty->is_leaving)
        trunk_board_publish(duty->calls->store, span_of(duty->trunk->conf->name), status);
}

static bool has_addr(const struct addr *addrs, unsigned addr_count, const struct addr *addr)
{
    for (unsigned i = 0; i < addr_count; i++)
        if (addr_same_host(&addrs[i], addr))
            return true;
    return false;
}

/* In a standing order: the locator's is a matter of chance, and would be news each time. */
static void insert_addr(struct addr *addrs, unsigned addr_count, const struct addr *addr)
{
    unsigned to = addr_count;

    for (; to && memcmp(addr, &addrs[to - 1], sizeof(*addr)) < 0; to--)
        addrs[to] = addrs[to - 1];
    addrs[to] = *addr;
}

static void note_addresses(struct trunk_duty *duty, const struct locate_target *targets, unsigned target_count)
{
    struct trunk_status *status = &duty->status;
    struct addr addrs[TRUNK_RESOLVED_MAX] = {0};
    unsigned addr_count = 0;

    for (unsigned i = 0; i < target_count && addr_count < TRUNK_RESOLVED_MAX; i++)
        if (!has_addr(addrs, addr_count, &targets[i].addr))
            insert_addr(addrs, addr_count++, &targets[i].addr);
    if (addr_count == status->addr_count && !memcmp(addrs, status->addrs, sizeof(addrs)))
        return;
    memcpy(status->addrs, addrs, sizeof(addrs));
    status->addr_count = addr_count;
    trunk_duty_publish(duty);
}

const char trunk_no_way[] = "no connection to the trunk could be made: is there a sip.listen of that kind?";

const char *trunk_duty_located(struct trunk_duty *duty, int err, const struct locate_target *targets, unsigned count)
{
    if (err)
        return err == -EAFNOSUPPORT ? trunk_no_way : "the trunk's name cannot be resolved";
    note_addresses(duty, targets, count);
    return NULL;
}

static void on_end_timer(void *arg)
{
    mem_unref(arg);
}

void trunk_duty_has_left(struct trunk_duty *duty)
{
    if (duty->is_leaving)
        timer_start(duty->calls->stack->wheel, &duty->end_timer, 0, on_end_timer, duty);
}

static void begin(struct trunk_duties *duties, const struct trunk *trunk)
{
    struct trunk_duty *duty = mem_new(sizeof(*duty), trunk_duty_destroy);
    int err = duty ? 0 : -ENOMEM;

    if (duty) {
        duty->calls = duties->calls;
        duty->directory = mem_ref(duties->calls->directory);
        duty->trunk = trunk;
        list_append(&duties->list, &duty->link);
    }
    if (!err && trunk->conf->is_register)
        err = trunk_register_new(&duty->registration, duty);
    if (!err && trunk->conf->options_every_s)
        err = trunk_health_new(&duty->health, duty);
    if (err) {
        log_error("trunk \"%s\": no memory to look after it", trunk->conf->name);
        mem_unref(duty);
    }
}

/* Its registration is taken back before it goes. */
static void leave(struct trunk_duty *duty)
{
    duty->is_leaving = true;
    duty->health = mem_unref(duty->health);
    trunk_duty_publish(duty);
    if (duty->registration)
        trunk_register_end(duty->registration);
    else
        mem_unref(duty);
}

/* ---- all of them ---- */

static bool is_ours(const struct trunk_duties *duties, const struct trunk *trunk)
{
    return map_hash(span_of(trunk->conf->name)) % worker_count() == duties->calls->worker &&
           (trunk->conf->is_register || trunk->conf->options_every_s);
}

static bool is_same_text(const char *left, const char *right)
{
    return span_eq(span_of(left), span_of(right));
}

/* Would both bind the same contact at the same registrar? Then the new one takes the binding over. */
static bool is_same_binding(const struct conf_trunk *left, const struct conf_trunk *right)
{
    return left->is_register && right->is_register && is_same_text(left->uri, right->uri) &&
           is_same_text(left->username, right->username);
}

static bool is_same_duty(const struct conf_trunk *left, const struct conf_trunk *right)
{
    return left->is_register == right->is_register && left->options_every_s == right->options_every_s &&
           is_same_text(left->uri, right->uri) && is_same_text(left->username, right->username) &&
           is_same_text(left->password, right->password);
}

static void review(struct trunk_duties *duties, struct trunk_duty *duty)
{
    const struct conf_trunk *former = duty->trunk->conf;
    const struct trunk *now = directory_trunk(duties->calls->directory, span_of(former->name));

    if (now && is_same_duty(former, now->conf)) {
        mem_unref(duty->directory);
        duty->directory = mem_ref(duties->calls->directory);
        duty->trunk = now;
        return;
    }
    trunk_board_publish(duties->calls->store, span_of(former->name), NULL);
    if (now && is_same_binding(former, now->conf))
        mem_unref(duty);
    else
        leave(duty);
}

static bool is_looked_after(struct trunk_duties *duties, const struct trunk *trunk)
{
    struct list *link, *tmp;

    list_each (link, tmp, &duties->list) {
        const struct trunk_duty *duty = container_of(link, struct trunk_duty, link);

        if (!duty->is_leaving && duty->trunk == trunk)
            return true;
    }
    return false;
}

void trunk_duties_reload(struct trunk_duties *duties)
{
    const struct trunk *trunk;
    struct list *link, *tmp;

    if (!duties->has_begun || duties->is_draining)
        return;
    list_each (link, tmp, &duties->list) {
        struct trunk_duty *duty = container_of(link, struct trunk_duty, link);

        if (!duty->is_leaving)
            review(duties, duty);
    }
    for (size_t i = 0; (trunk = directory_trunk_at(duties->calls->directory, i)); i++)
        if (is_ours(duties, trunk) && !is_looked_after(duties, trunk))
            begin(duties, trunk);
}

static void on_begin(void *arg)
{
    struct trunk_duties *duties = arg;

    duties->has_begun = true;
    trunk_duties_reload(duties);
}

void trunk_duties_flow_lost(struct trunk_duties *duties, const struct sip_flow *flow)
{
    struct list *link, *tmp;

    list_each (link, tmp, &duties->list) {
        struct trunk_duty *duty = container_of(link, struct trunk_duty, link);

        if (duty->registration)
            trunk_register_flow_lost(duty->registration, flow);
    }
}

void trunk_duties_drain(struct trunk_duties *duties)
{
    struct list *link, *tmp;

    if (duties->is_draining)
        return;
    duties->is_draining = true;
    timer_stop(&duties->timer);
    list_each (link, tmp, &duties->list) {
        struct trunk_duty *duty = container_of(link, struct trunk_duty, link);

        if (duty->registration && !duty->is_leaving)
            trunk_register_end(duty->registration);
    }
}

static void trunk_duties_destroy(void *self)
{
    struct trunk_duties *duties = self;
    struct list *link, *tmp;

    timer_stop(&duties->timer);
    list_each (link, tmp, &duties->list)
        mem_unref(container_of(link, struct trunk_duty, link));
}

int trunk_duties_new(struct trunk_duties **dutiesp, struct calls *calls)
{
    struct trunk_duties *duties = mem_new(sizeof(*duties), trunk_duties_destroy);

    if (!duties)
        return -ENOMEM;
    duties->calls = calls;
    list_init(&duties->list);
    timer_start(calls->stack->wheel, &duties->timer, BEGIN_AFTER_MS, on_begin, duties);
    *dutiesp = duties;
    return 0;
}
