/* SPDX-License-Identifier: Apache-2.0 */
/* leg_wait.c: a leg without a peer, in whose place somebody comes later. Has no sockets. Knows nothing of why. */
#include "call/leg_wait.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "call/call.h"

struct leg_wait {
    struct leg leg; /* first */
    const struct leg_wait_user *user;
    void *arg;
};

static struct leg_wait *wait_of(const struct leg *leg)
{
    return container_of(leg, struct leg_wait, leg);
}

static void progress(struct leg *leg, unsigned status, struct span sdp)
{
    if (!leg->is_over)
        wait_of(leg)->user->on_progress(status, wait_of(leg)->arg);
}

static int answer(struct leg *leg, struct span sdp)
{
    return -EPROTO;
}

static void end(struct leg *leg, unsigned status, unsigned cause, const char *why)
{
    if (leg->is_over)
        return;
    leg->is_over = true;
    leg->status = status;
    wait_of(leg)->user->on_end(status, why, wait_of(leg)->arg);
}

static int modify(struct leg *leg, struct span sdp)
{
    return -EPROTO;
}

static void modify_cancel(struct leg *leg)
{
}

static void modify_reply(struct leg *leg, unsigned status, const char *why, struct span sdp)
{
}

static void destroy(struct leg *leg)
{
    mem_unref(wait_of(leg));
}

static const struct leg_ops ops = {.name = "wait",
                                   .progress = progress,
                                   .answer = answer,
                                   .end = end,
                                   .modify = modify,
                                   .modify_cancel = modify_cancel,
                                   .modify_reply = modify_reply,
                                   .destroy = destroy};

static void leg_wait_destroy(void *self)
{
    struct leg_wait *wait = self;

    list_remove(&wait->leg.link);
    mem_unref(wait->leg.media);
}

static int make_media(struct leg_wait *wait, const struct leg *whom)
{
    static const struct endpoint_user nobody;
    struct call *call = wait->leg.call;
    int err = leg_media_new(&wait->leg.media, &(struct leg_media_options){.house = call->calls->media,
                                                                          .conf = call->conf,
                                                                          .is_webrtc = leg_media_is_webrtc(whom->media),
                                                                          .user = &nobody});

    return err ? err : leg_media_stand_for(wait->leg.media, whom->media);
}

int leg_wait_new(struct leg **legp, struct call *call, const struct leg *whom, const struct leg_wait_user *user,
                 void *arg)
{
    struct leg_wait *wait = mem_new(sizeof(*wait), leg_wait_destroy);
    int err;

    if (!wait)
        return -ENOMEM;
    wait->leg.ops = &ops;
    wait->leg.call = call;
    wait->leg.side = LEG_IN;
    wait->user = user;
    wait->arg = arg;
    memcpy(wait->leg.peer, whom->peer, sizeof(wait->leg.peer));
    err = make_media(wait, whom);
    if (err) {
        mem_unref(wait);
        return err;
    }
    *legp = &wait->leg;
    return 0;
}

void *leg_wait_arg(const struct leg *leg)
{
    return leg->ops == &ops ? wait_of(leg)->arg : NULL;
}
