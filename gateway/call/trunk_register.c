/* SPDX-License-Identifier: Apache-2.0 */
/* trunk_register.c: keeps a trunk's registration by sip/register_out.c: finds the way there, tells what came of it.
 * The Contact's user is the trunk's username: that is what calls to us are addressed to. Knows no REGISTER. */
#include "call/trunk_register.h"

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "call/trunk_duty.h"
#include "sip/register_out.h"

struct trunk_register {
    struct trunk_duty *duty;
    struct register_out *out;
    struct locate *locate;
    struct locate_tries tries;
    struct sip_flow flow; /* of the last try */
    bool is_known;        /* it was registered over flow */
};

static void trunk_register_destroy(void *self)
{
    struct trunk_register *reg = self;

    mem_unref(reg->locate);
    mem_unref(reg->out);
}

/* ---- where to: one target after the other, RFC 3263 4.3 ---- */

static bool try_next(struct register_out *out, void *arg)
{
    struct trunk_register *reg = arg;
    struct sip_flow flow;

    if (!locate_tries_open(&reg->tries, &flow, reg->duty->calls->stack, &reg->duty->trunk->peer))
        return false;
    reg->flow = flow;
    register_out_send(out, &flow, locate_tries_has_more(&reg->tries) ? LOCATE_SILENT_MS : 0);
    return true;
}

static bool on_silent(struct register_out *out, void *arg)
{
    struct trunk_register *reg = arg;

    locate_note(reg->duty->calls->stack, &reg->flow, true);
    return try_next(out, reg);
}

static void on_located(int err, const struct locate_target *targets, unsigned count, void *arg)
{
    struct trunk_register *reg = arg;
    const char *why = trunk_duty_located(reg->duty, err, targets, count);

    locate_tries_begin(&reg->tries, reg->duty->calls->stack, targets, count);
    if (reg->is_known)
        locate_tries_prefer(&reg->tries, &reg->flow); /* the binding stands there: it is refreshed there */
    if (!why && !try_next(reg->out, reg))
        why = trunk_no_way;
    if (why)
        register_out_fail(reg->out, why);
}

static void on_due(struct register_out *out, void *arg)
{
    struct trunk_register *reg = arg;
    struct calls *calls = reg->duty->calls;

    reg->locate = mem_unref(reg->locate);
    if (locate_begin(&reg->locate, calls->stack, calls->dns, &reg->duty->trunk->wish, on_located, reg))
        register_out_fail(out, "no memory to resolve the trunk's name");
}

/* ---- what came of it ---- */

static void set_state(struct trunk_duty *duty, enum trunk_registration state, const char *error, unsigned expires_s)
{
    struct trunk_status *status = &duty->status;

    if (status->registration != state)
        status->registration_since_ms = clock_wall_us() / 1000;
    status->registration = state;
    status->registration_expires_s = expires_s;
    snprintf(status->registration_error, sizeof(status->registration_error), "%s", error);
    trunk_duty_publish(duty);
}

/* A registration that fails in the same way for hours is one line, not one each minute. */
static void tell_failure(struct trunk_duty *duty, const struct register_out_news *news)
{
    const struct trunk_status *status = &duty->status;
    bool is_news =
        status->registration != TRUNK_REGISTRATION_FAILED || strcmp(status->registration_error, news->why) != 0;

    log_line(is_news ? LOG_WARN : LOG_DEBUG, "trunk \"%s\": not registered: %s (again_in_ms=%u)",
             duty->trunk->conf->name, news->why, news->retry_ms);
}

static void on_outcome(struct register_out *out, const struct register_out_news *news, void *arg)
{
    struct trunk_register *reg = arg;
    struct trunk_duty *duty = reg->duty;
    const char *name = duty->trunk->conf->name;

    reg->is_known = news->state == REGISTER_OUT_REGISTERED;
    switch (news->state) {
    case REGISTER_OUT_REGISTERED:
        log_line(duty->status.registration != TRUNK_REGISTRATION_REGISTERED ? LOG_INFO : LOG_DEBUG,
                 "trunk \"%s\": registered (expires_s=%u)", name, news->expires_s);
        set_state(duty, TRUNK_REGISTRATION_REGISTERED, "", news->expires_s);
        break;
    case REGISTER_OUT_FAILED:
        tell_failure(duty, news);
        set_state(duty, TRUNK_REGISTRATION_FAILED, news->why, 0);
        break;
    default:
        log_info("trunk \"%s\": the registration was taken back", name);
        set_state(duty, TRUNK_REGISTRATION_NONE, "", 0);
        trunk_duty_has_left(duty);
    }
}

static const struct register_out_user user = {.on_due = on_due, .on_outcome = on_outcome, .on_silent = on_silent};

/* ---- names ---- */

static void write_uri(struct text *out, const struct trunk *trunk, const char *user_part)
{
    text_add_str(out, "sip:");
    if (user_part) {
        uri_write_user(out, span_of(user_part));
        text_add_char(out, '@');
    }
    uri_write_host(out, span_of(trunk->host));
    if (!user_part && trunk->port != (trunk->transport == SIP_TLS ? 5061 : 5060))
        text_addf(out, ":%u", trunk->port);
}

int trunk_register_new(struct trunk_register **regp, struct trunk_duty *duty)
{
    struct trunk_register *reg = mem_new(sizeof(*reg), trunk_register_destroy);
    const struct conf_trunk *conf = duty->trunk->conf;
    const char *name = conf->username ? conf->username : "sipway";
    struct text uri, aor;
    int err;

    if (!reg)
        return -ENOMEM;
    reg->duty = duty;
    text_init(&uri, 1024);
    text_init(&aor, 1024);
    write_uri(&uri, duty->trunk, NULL);
    write_uri(&aor, duty->trunk, name);
    err = text_err(&uri) ? text_err(&uri) : text_err(&aor);
    if (!err)
        err = register_out_new(&reg->out,
                               &(struct register_out_options){.stack = duty->calls->stack,
                                                              .registrar_uri = text_span(&uri),
                                                              .aor = text_span(&aor),
                                                              .contact_user = span_of(name),
                                                              .contact_param = span_of(duty->trunk->contact_param),
                                                              .username = conf->username,
                                                              .password = conf->password,
                                                              .user = &user,
                                                              .arg = reg});
    text_free(&uri);
    text_free(&aor);
    if (err) {
        mem_unref(reg);
        return err;
    }
    *regp = reg;
    set_state(duty, TRUNK_REGISTRATION_TRYING, "", 0);
    return 0;
}

void trunk_register_flow_lost(struct trunk_register *reg, const struct sip_flow *flow)
{
    register_out_flow_lost(reg->out, flow);
}

void trunk_register_end(struct trunk_register *reg)
{
    reg->locate = mem_unref(reg->locate);
    register_out_end(reg->out);
}
