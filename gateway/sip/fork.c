/* SPDX-License-Identifier: Apache-2.0 */
/* fork.c: the early dialogs of one INVITE of ours that was forked on its way: one per To tag. RFC
 * 3261 12.1.2, 13.2.2.4. The one that counts is invite->dialog: the first, until another one brings a description, and
 * in the end the one whose 2xx came first. Knows no media. */
#include <errno.h>

#include "base/mem.h"
#include "sip/invite_private.h"

#define RINGING_MAX 8  /* further ones that are heard */
#define FORK_MAX    16 /* and that are hung up when they answer */

static struct dialog *find(struct invite *invite, struct span tag)
{
    struct list *link, *tmp;

    if (invite->dialog->remote_tag && span_eq(span_of(invite->dialog->remote_tag), tag))
        return invite->dialog;
    list_each (link, tmp, &invite->forks) {
        struct dialog *dialog = container_of(link, struct dialog, link);

        if (span_eq(span_of(dialog->remote_tag), tag))
            return dialog;
    }
    return NULL;
}

static struct dialog *begin(struct invite *invite, const struct sip_msg *response)
{
    struct dialog *dialog;

    if (!invite->dialog->remote_tag)
        return invite->dialog;
    if (invite->fork_count >= (response->status < 200 ? RINGING_MAX : FORK_MAX) ||
        dialog_new_fork(&dialog, invite->dialog, response->to_tag, request_cseq(invite->request)))
        return NULL;
    if (!invite->forks.next)
        list_init(&invite->forks);
    list_append(&invite->forks, &dialog->link);
    invite->fork_count++;
    return dialog;
}

/* The reference that the list has becomes the invite's, and the other way round. */
static void take_over(struct invite *invite, struct dialog *dialog)
{
    if (dialog == invite->dialog)
        return;
    list_remove(&dialog->link);
    list_append(&invite->forks, &invite->dialog->link);
    invite->dialog = dialog;
}

static bool has_sdp(const struct sip_msg *msg)
{
    return msg->body.n && span_istarts(sip_msg_value(msg, SIP_H_CONTENT_TYPE), SPAN("application/sdp"));
}

struct dialog *fork_progress(struct invite *invite, const struct sip_msg *response)
{
    struct dialog *dialog = find(invite, response->to_tag);

    if (!dialog)
        dialog = begin(invite, response);
    if (!dialog || dialog_update_uac(dialog, response))
        return NULL;
    return dialog;
}

void fork_keep_sdp(struct invite *invite, struct dialog *dialog, const struct sip_msg *response)
{
    if (!has_sdp(response))
        return;
    mem_unref(dialog->early_sdp);
    dialog->early_sdp = mem_text(response->body.p, response->body.n);
    take_over(invite, dialog);
}

int fork_win(struct invite *invite, const struct sip_msg *response)
{
    struct dialog *dialog = response->to_tag.n ? fork_progress(invite, response) : NULL;

    if (!dialog)
        return -EBADMSG;
    take_over(invite, dialog);
    return 0;
}

/* Another branch's 2xx: it must be ACKed, and is not wanted (RFC 3261 13.2.2.4). */
void fork_end_other(struct invite *invite, const struct sip_msg *response)
{
    struct dialog *dialog = fork_progress(invite, response);
    uint32_t cseq = request_cseq(invite->request);
    struct text out;

    if (!dialog)
        return;
    invite_choose_flow_of(invite, dialog);
    text_init(&out, SIP_MSG_MAX);
    invite_write_ack(&out, dialog, cseq, request_authorization(invite->request));
    transport_send(invite->stack->transports, &dialog->flow, text_span(&out));
    text_free(&out);
    if (dialog->is_ended)
        return; /* the BYE is on its way: this was the 2xx once more */
    dialog->is_ended = true;
    request_send(NULL,
                 &(struct request_options){
                     .dialog = dialog, .method = SIP_BYE, .username = invite->username, .password = invite->password});
}

void fork_stop(struct invite *invite)
{
    struct list *link, *tmp;

    list_each (link, tmp, &invite->forks) {
        struct dialog *dialog = container_of(link, struct dialog, link);

        map_remove(&dialog->node); /* a BYE that still runs holds it, but nothing finds us by it any more */
        list_remove(link);
        mem_unref(dialog);
    }
}
