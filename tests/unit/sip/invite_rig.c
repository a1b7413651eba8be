/* SPDX-License-Identifier: Apache-2.0 */
/* invite_rig.c: both roles of an INVITE usage against a peer that the test plays. Knows no particular test. */
#include "invite_rig.h"

#include <stdio.h>

struct invite_seen told;
char rig_our_tag[SIP_TAG_MAX];

static void on_progress(struct invite *invite, const struct sip_msg *response, void *arg)
{
    told.progress[told.progress_count++ % 8] = response->status;
    told.status = response->status;
}

static void on_answered(struct invite *invite, const struct sip_msg *response, void *arg)
{
    told.answered_count++;
}

static void on_rejected(struct invite *invite, unsigned status, const struct sip_msg *response, const char *why,
                        void *arg)
{
    told.rejected_count++;
    told.status = status;
}

static void on_confirmed(struct invite *invite, const struct sip_msg *ack, void *arg)
{
    told.confirmed_count++;
}

static void on_cancelled(struct invite *invite, const struct sip_msg *cancel, void *arg)
{
    told.cancelled_count++;
}

static void on_modify(struct invite *invite, const struct sip_msg *request, void *arg)
{
    told.modify_count++;
}

static void on_modify_cancelled(struct invite *invite, void *arg)
{
    told.modify_cancelled_count++;
}

static void on_modify_confirmed(struct invite *invite, const struct sip_msg *ack, void *arg)
{
    told.modify_confirmed_count++;
    span_copy(ack->body, told.ack_body, sizeof(told.ack_body));
}

static void on_modified_late(struct invite *invite, void *arg)
{
    told.modified_late_count++;
}

static void on_refresh(struct invite *invite, void *arg)
{
    told.refresh_count++;
    invite_modify(invite, SPAN("application/sdp"), SPAN(RIG_SDP));
}

static void on_modified(struct invite *invite, unsigned status, const struct sip_msg *response, void *arg)
{
    told.modified_count++;
    told.status = status;
}

static void on_info(struct invite *invite, struct server_tx *tx, const struct sip_msg *info, void *arg)
{
    told.info_count++;
    server_tx_reply(tx, &(struct sip_reply){.status = 200});
}

static void on_ended(struct invite *invite, enum invite_end_cause cause, const struct sip_msg *bye, const char *why,
                     void *arg)
{
    told.ended_count++;
    told.cause = cause;
    snprintf(told.why, sizeof(told.why), "%s", why ? why : "");
}

static bool allows(struct invite *invite, const struct sip_flow *flow, struct span account, void *arg)
{
    return told.allows_anybody || !sip_flow_same(flow, &rig.stranger);
}

static void choose_flow(struct invite *invite, struct span next_hop, struct sip_flow *flow, void *arg)
{
    span_copy(next_hop, told.next_hop, sizeof(told.next_hop));
    if (told.choice)
        *flow = *told.choice;
}

const struct invite_user invite_rig_user = {.on_progress = on_progress,
                                            .on_answered = on_answered,
                                            .on_rejected = on_rejected,
                                            .on_confirmed = on_confirmed,
                                            .on_cancelled = on_cancelled,
                                            .on_modify = on_modify,
                                            .on_modify_cancelled = on_modify_cancelled,
                                            .on_modify_confirmed = on_modify_confirmed,
                                            .on_modified = on_modified,
                                            .on_modified_late = on_modified_late,
                                            .on_refresh = on_refresh,
                                            .on_info = on_info,
                                            .on_ended = on_ended,
                                            .allows = allows,
                                            .choose_flow = choose_flow};

struct invite *rig_call_as(const struct sip_flow *flow, const char *username, const char *password,
                           struct rig_sent **sentp)
{
    struct invite *invite = NULL;

    memset(&told, 0, sizeof(told));
    assert_int_equal(
        invite_out_new(&invite, &(struct invite_out_options){.stack = rig.stack,
                                                             .user = &invite_rig_user,
                                                             .flow = *flow,
                                                             .request_uri = SPAN("sip:100@192.0.2.10"),
                                                             .from = SPAN("\"Us\" <sip:us@sip.example.com>"),
                                                             .to = SPAN("<sip:100@192.0.2.10>"),
                                                             .contact_user = SPAN("us"),
                                                             .content_type = SPAN("application/sdp"),
                                                             .body = SPAN(RIG_SDP),
                                                             .username = username,
                                                             .password = password}),
        0);
    *sentp = rig_expect_request(SIP_INVITE);
    return invite;
}

struct invite *rig_call(const struct sip_flow *flow, struct rig_sent **sentp)
{
    return rig_call_as(flow, NULL, NULL, sentp);
}

void rig_invite(const struct sip_flow *flow, const char *branch)
{
    rig_receivef(flow,
                 "INVITE sip:100@203.0.113.10 SIP/2.0\nVia: SIP/2.0/%s 192.0.2.10:5060;branch=%s;rport\n"
                 "Max-Forwards: 70\nFrom: <sip:a@192.0.2.10>;tag=peer\nTo: <sip:100@203.0.113.10>\n"
                 "Call-ID: in1@192.0.2.10\nCSeq: 1 INVITE\nContact: <sip:a@192.0.2.10:5060>\n"
                 "Content-Type: application/sdp\n\n" RIG_SDP,
                 sip_transport_text((enum sip_transport)flow->transport), branch);
}

struct invite *rig_called(const struct sip_flow *flow, const char *branch)
{
    struct invite *invite = NULL;

    memset(&told, 0, sizeof(told));
    rig_invite(flow, branch);
    assert_int_equal(invite_in_new(&invite, rig.tx, &invite_rig_user, NULL, SPAN("us")), 0);
    span_copy(server_tx_tag(rig.tx), rig_our_tag, sizeof(rig_our_tag));
    return invite;
}

void rig_within(const struct sip_flow *flow, const char *method, const char *branch, unsigned cseq)
{
    rig_within_more(flow, method, branch, cseq, "");
}

void rig_within_more(const struct sip_flow *flow, const char *method, const char *branch, unsigned cseq,
                     const char *more)
{
    rig_receivef(flow,
                 "%s sip:us@203.0.113.10 SIP/2.0\nVia: SIP/2.0/%s 192.0.2.10:5060;branch=%s;rport\nMax-Forwards: 70\n"
                 "From: <sip:a@192.0.2.10>;tag=peer\nTo: <sip:100@203.0.113.10>;tag=%s\nCall-ID: in1@192.0.2.10\n"
                 "CSeq: %u %s\nContact: <sip:a@192.0.2.10:5060>\n%s%s",
                 method, sip_transport_text((enum sip_transport)flow->transport), branch, rig_our_tag, cseq, method,
                 more, strstr(more, "\n\n") ? "" : "\n");
}
