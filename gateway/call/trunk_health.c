/* SPDX-License-Identifier: Apache-2.0 */
/* trunk_health.c: asks one trunk by OPTIONS whether it is there. RFC 3261 11. Any final answer says yes, a 404 or 405
 * as well; one question without answer, until the next is due, says no. Knows nothing of calls: call_dial.c reads the
 * result. */
#include "call/trunk_health.h"

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "call/trunk_duty.h"
#include "sip/client_tx.h"
#include "sip/outside.h"

#define FIRST_WITHIN_MS 2000 /* the first questions of many trunks do not leave at once */

struct trunk_health {
    struct trunk_duty *duty;
    struct locate *locate;
    struct locate_tries tries;
    struct sip_flow flow; /* of the question */
    struct client_tx *tx;
    struct timer timer;
    bool is_asking;
    uint32_t cseq;
    char call_id[SIP_CALL_ID_MAX], tag[SIP_TAG_MAX];
};

static void drop_question(struct trunk_health *health)
{
    health->is_asking = false;
    client_tx_detach(health->tx);
    health->tx = mem_unref(health->tx);
    health->locate = mem_unref(health->locate);
}

static void trunk_health_destroy(void *self)
{
    struct trunk_health *health = self;

    timer_stop(&health->timer);
    drop_question(health);
}

static void set_state(struct trunk_health *health, enum trunk_health_state state, const char *error)
{
    struct trunk_duty *duty = health->duty;
    struct trunk_status *status = &duty->status;
    bool was_known = status->health != TRUNK_UNKNOWN;

    health->is_asking = false;
    if (status->health == state)
        return;
    status->health = state;
    status->health_since_ms = clock_wall_us() / 1000;
    if (*error)
        snprintf(status->health_error, sizeof(status->health_error), "%s", error);
    trunk_duty_publish(duty);
    if (state == TRUNK_DOWN)
        log_warn("trunk \"%s\": down: %s", duty->trunk->conf->name, error);
    else
        log_line(was_known ? LOG_INFO : LOG_DEBUG, "trunk \"%s\": up", duty->trunk->conf->name);
}

/* ---- one question ---- */

static bool ask_next(struct trunk_health *health);

static void on_response(struct client_tx *tx, const struct sip_msg *response, void *arg)
{
    struct trunk_health *health = arg;

    locate_note(health->duty->calls->stack, &health->flow, false);
    if (response->status >= 200 && !(response->status == 503 && ask_next(arg)))
        set_state(arg, TRUNK_UP, "");
}

static void on_fail(struct client_tx *tx, unsigned status, const char *why, void *arg)
{
    struct trunk_health *health = arg;

    locate_note(health->duty->calls->stack, &health->flow, true);
    if (!ask_next(health))
        set_state(arg, TRUNK_DOWN, status == 408 ? "OPTIONS is not answered" : "the trunk cannot be reached");
}

static const struct client_tx_user tx_user = {.on_response = on_response, .on_fail = on_fail};

static void write_options(struct text *out, struct trunk_health *health, const struct sip_flow *flow,
                          char branch[static SIP_BRANCH_MAX])
{
    const struct conf_trunk *conf = health->duty->trunk->conf;
    const char *user = conf->username ? conf->username : "sipway";
    struct text from, to;

    text_init(&from, 1024);
    text_init(&to, 1024);
    text_add_str(&from, "<sip:");
    uri_write_user(&from, span_of(user));
    text_addf(&from, "@%s>", health->duty->calls->conf->domain);
    text_addf(&to, "<%s>", conf->uri);
    outside_write_head(out,
                       &(struct outside){.stack = health->duty->calls->stack,
                                         .flow = *flow,
                                         .method = SIP_OPTIONS,
                                         .uri = span_of(conf->uri),
                                         .from = text_span(&from),
                                         .to = text_span(&to),
                                         .contact_user = span_of(user),
                                         .call_id = health->call_id,
                                         .tag = health->tag,
                                         .cseq = ++health->cseq},
                       branch);
    text_add_str(out, "Accept: application/sdp\r\n");
    sip_write_body(out, SPAN_NULL, SPAN_NULL);
    text_free(&from);
    text_free(&to);
}

static int send_question(struct trunk_health *health, const struct sip_flow *flow, unsigned wait_ms)
{
    char branch[SIP_BRANCH_MAX];
    struct text out;
    int err;

    text_init(&out, 8192);
    write_options(&out, health, flow, branch);
    err = text_err(&out);
    if (!err)
        err = client_tx_new(&health->tx, &(struct client_tx_options){.stack = health->duty->calls->stack,
                                                                     .flow = *flow,
                                                                     .method = SIP_OPTIONS,
                                                                     .branch = branch,
                                                                     .request = text_span(&out),
                                                                     .wait_ms = wait_ms,
                                                                     .user = &tx_user,
                                                                     .arg = health});
    text_free(&out);
    return err;
}

/* All targets have to have had their turn when the next question is due; the last one waits for that. */
static unsigned wait_ms(const struct trunk_health *health)
{
    unsigned fair_ms = health->duty->trunk->conf->options_every_s * 1000 / (health->tries.count + 1);

    if (!locate_tries_has_more(&health->tries))
        return 0;
    return fair_ms < LOCATE_SILENT_MS ? fair_ms : LOCATE_SILENT_MS;
}

/* The next target that can be asked: RFC 3263 4.3. @return false: none is left */
static bool ask_next(struct trunk_health *health)
{
    struct trunk_duty *duty = health->duty;

    client_tx_detach(health->tx);
    health->tx = mem_unref(health->tx);
    while (locate_tries_open(&health->tries, &health->flow, duty->calls->stack, &duty->trunk->peer))
        if (!send_question(health, &health->flow, wait_ms(health)))
            return true;
    return false;
}

static void on_located(int err, const struct locate_target *targets, unsigned count, void *arg)
{
    struct trunk_health *health = arg;
    const char *why = trunk_duty_located(health->duty, err, targets, count);

    locate_tries_begin(&health->tries, health->duty->calls->stack, targets, count);
    if (!why && !ask_next(health))
        why = trunk_no_way;
    if (why)
        set_state(health, TRUNK_DOWN, why);
}

static void on_timer(void *arg)
{
    struct trunk_health *health = arg;
    const struct trunk *trunk = health->duty->trunk;
    struct calls *calls = health->duty->calls;

    if (health->is_asking)
        set_state(health, TRUNK_DOWN, "OPTIONS is not answered");
    drop_question(health);
    timer_start(calls->stack->wheel, &health->timer, trunk->conf->options_every_s * 1000ull, on_timer, health);
    health->is_asking = true;
    if (locate_begin(&health->locate, calls->stack, calls->dns, &trunk->wish, on_located, health))
        set_state(health, TRUNK_DOWN, "no memory to resolve the trunk's name");
}

int trunk_health_new(struct trunk_health **healthp, struct trunk_duty *duty)
{
    struct trunk_health *health = mem_new(sizeof(*health), trunk_health_destroy);
    uint64_t within_ms = duty->trunk->conf->options_every_s * 1000ull;

    if (!health)
        return -ENOMEM;
    health->duty = duty;
    health->cseq = rand_u32() % 10000;
    outside_make_names(duty->calls->stack, health->call_id, health->tag);
    within_ms = within_ms < FIRST_WITHIN_MS ? within_ms : FIRST_WITHIN_MS;
    timer_start(duty->calls->stack->wheel, &health->timer, rand_u32() % within_ms, on_timer, health);
    *healthp = health;
    return 0;
}
