/* SPDX-License-Identifier: Apache-2.0 */
/* cause.c: from the facts of a call to one sentence. A table of rules, the first that applies wins: first what was
 * decided before anybody rang, then what the called side did, then what happened to the talk. Pure; knows no call. */
#include "call/cause.h"

#include <stddef.h>

#define ONE_SIDED_S  3  /* a talk shorter than that proves nothing about its media */
#define LOSS_PERCENT 10 /* from here on loss is a cause by itself */
#define LOSS_PACKETS 50 /* and not before so many packets */

/* One rule: does it apply to this leg of the call? Then it writes its sentence. */
typedef bool cause_rule(const struct cause_facts *facts, const struct cause_leg *leg, struct text *out);

/* ---- words ---- */

static void who(struct text *out, const struct cause_leg *leg)
{
    if (leg->peer == CAUSE_TRUNK)
        text_addf(out, "trunk %s", leg->name);
    else
        text_addf(out, "%s's %s", leg->name, leg->peer == CAUSE_BROWSER ? "browser" : "phone");
}

static bool say(struct text *out, const struct cause_leg *leg, const char *rest)
{
    who(out, leg);
    text_add_str(out, rest);
    return true;
}

static bool say_why(struct text *out, const struct cause_facts *facts)
{
    text_add_str(out, facts->why);
    return true;
}

static bool is_trunk(const struct cause_leg *leg)
{
    return leg->peer == CAUSE_TRUNK;
}

static bool is_refused(const struct cause_leg *leg, unsigned status)
{
    return leg->trouble == LEG_REFUSES && leg->status == status;
}

/* Its own words, in brackets: "(404 Not Found)". */
static void say_status(struct text *out, const struct cause_leg *leg)
{
    text_addf(out, " (%u%s%.60s)", leg->status, *leg->reason ? " " : "", leg->reason);
}

static void say_target(struct text *out, const struct cause_leg *leg)
{
    if (*leg->target)
        text_addf(out, " at %s", leg->target);
}

/* ---- before anybody rang ---- */

static bool no_route(const struct cause_facts *facts, const struct cause_leg *leg, struct text *out)
{
    if (facts->has_route || facts->end != CAUSE_BY_GATEWAY || facts->status != 404)
        return false;
    text_addf(
        out,
        "no route leads to %s: no rule of `routes` for this caller matches it, and no account has this name or number",
        facts->dialled);
    return true;
}

static bool not_allowed(const struct cause_facts *facts, const struct cause_leg *leg, struct text *out)
{
    if (facts->has_route || facts->end != CAUSE_BY_GATEWAY || facts->status != 403)
        return false;
    text_addf(out, "%s may not call %s: a route matches, but it is not among the account's `routes`", facts->in.name,
              facts->dialled);
    return true;
}

static bool not_registered(const struct cause_facts *facts, const struct cause_leg *leg, struct text *out)
{
    if (!facts->has_route || !*facts->callee || facts->devices || facts->status != 480)
        return false;
    text_addf(out, "account %s is not registered: neither a browser nor a phone of it is connected", facts->callee);
    return true;
}

/* ---- the called side ---- */

static bool no_name(const struct cause_facts *facts, const struct cause_leg *leg, struct text *out)
{
    if (leg->trouble != LEG_NO_NAME)
        return false;
    return say(out, leg, " cannot be found: the host name of its `uri` does not resolve (DNS)");
}

static bool no_connection(const struct cause_facts *facts, const struct cause_leg *leg, struct text *out)
{
    if (leg->trouble != LEG_NO_CONNECTION)
        return false;
    who(out, leg);
    say_target(out, leg);
    if (is_trunk(leg))
        text_add_str(out, " cannot be reached: the connection is refused, or `sip.listen` has no socket of that kind");
    else
        text_add_str(out, " is not connected any more");
    return true;
}

static bool no_response(const struct cause_facts *facts, const struct cause_leg *leg, struct text *out)
{
    if (leg->trouble != LEG_NO_RESPONSE || facts->end == CAUSE_BY_CALLER)
        return false;
    who(out, leg);
    say_target(out, leg);
    text_add_str(out, " did not answer the INVITE at all: is it up, and do firewalls on the way let SIP through?");
    return true;
}

static bool bad_credentials(const struct cause_facts *facts, const struct cause_leg *leg, struct text *out)
{
    if (!is_refused(leg, 401) && !is_refused(leg, 407))
        return false;
    who(out, leg);
    if (*leg->username)
        text_addf(out, " does not take our credentials (username %s)", leg->username);
    else
        text_add_str(out, " asks for credentials, and none are configured (`username`, `password`)");
    return true;
}

static bool forbidden(const struct cause_facts *facts, const struct cause_leg *leg, struct text *out)
{
    if (!is_refused(leg, 403))
        return false;
    say(out, leg, " forbids the call");
    say_status(out, leg);
    if (is_trunk(leg))
        text_add_str(out, ": our address, the caller's number or this destination is not allowed there");
    return true;
}

static bool unknown_number(const struct cause_facts *facts, const struct cause_leg *leg, struct text *out)
{
    if (!is_refused(leg, 404) && !is_refused(leg, 484) && !is_refused(leg, 604) && !is_refused(leg, 410))
        return false;
    who(out, leg);
    text_addf(out, " does not know the number %s", is_trunk(leg) ? facts->number : facts->dialled);
    say_status(out, leg);
    if (is_trunk(leg))
        text_add_str(out, ": does the route's `number` write it as the trunk wants it?");
    return true;
}

static bool busy(const struct cause_facts *facts, const struct cause_leg *leg, struct text *out)
{
    return (is_refused(leg, 486) || is_refused(leg, 600)) && say(out, leg, " is busy");
}

static bool declined(const struct cause_facts *facts, const struct cause_leg *leg, struct text *out)
{
    return is_refused(leg, 603) && say(out, leg, " declined the call");
}

static bool unavailable(const struct cause_facts *facts, const struct cause_leg *leg, struct text *out)
{
    if (!is_refused(leg, 480) && !is_refused(leg, 408))
        return false;
    say(out, leg, is_trunk(leg) ? " says that nobody can be reached there now" : " cannot be reached now");
    say_status(out, leg);
    return true;
}

static bool not_acceptable(const struct cause_facts *facts, const struct cause_leg *leg, struct text *out)
{
    if (!is_refused(leg, 488) && !is_refused(leg, 606) && !is_refused(leg, 415))
        return false;
    say(out, leg, " takes none of the codecs offered to it");
    say_status(out, leg);
    if (*facts->in.codecs)
        text_addf(out, ": the caller offers %s", facts->in.codecs);
    return true;
}

static bool overloaded(const struct cause_facts *facts, const struct cause_leg *leg, struct text *out)
{
    if (!is_refused(leg, 503))
        return false;
    say(out, leg, " is overloaded or takes no more calls of ours");
    say_status(out, leg);
    return true;
}

static bool redirected(const struct cause_facts *facts, const struct cause_leg *leg, struct text *out)
{
    if (leg->trouble != LEG_REFUSES || leg->status < 300 || leg->status >= 400)
        return false;
    say(out, leg, " redirects the call");
    say_status(out, leg);
    text_add_str(out, ", which is not followed");
    return true;
}

static bool looped(const struct cause_facts *facts, const struct cause_leg *leg, struct text *out)
{
    if (!is_refused(leg, 482) && !is_refused(leg, 483))
        return false;
    say(out, leg, " saw the call come round in a loop");
    say_status(out, leg);
    text_add_str(out, ": does a route send it back to where it came from?");
    return true;
}

static bool peer_failed(const struct cause_facts *facts, const struct cause_leg *leg, struct text *out)
{
    if (leg->trouble != LEG_REFUSES || leg->status < 500 || leg->status >= 600)
        return false;
    say(out, leg, " failed");
    say_status(out, leg);
    return true;
}

static bool peer_refused(const struct cause_facts *facts, const struct cause_leg *leg, struct text *out)
{
    if (leg->trouble != LEG_REFUSES)
        return false;
    say(out, leg, " refused the call");
    say_status(out, leg);
    return true;
}

/* ---- nobody came to the phone ---- */

static bool no_common_codec(const struct cause_facts *facts, const struct cause_leg *leg, struct text *out)
{
    if (leg->trouble != LEG_NO_CODEC)
        return false;
    text_add_str(out, "no common codec: ");
    who(out, &facts->in);
    text_addf(out, " offers %s, ", *facts->in.codecs ? facts->in.codecs : "none that is known");
    who(out, &facts->out);
    text_addf(out, " takes %s", *facts->out.codecs ? facts->out.codecs : "none of them");
    return true;
}

static bool gave_up(const struct cause_facts *facts, const struct cause_leg *leg, struct text *out)
{
    if (facts->stage == CAUSE_TALKING || facts->end != CAUSE_BY_CALLER)
        return false;
    text_addf(out, "the caller hung up before the answer, after %u s", facts->ring_s);
    if (facts->out.is_there && !facts->out.has_rung) {
        text_add_str(out, "; ");
        say(out, &facts->out, facts->out.status ? " had not said yet that it rings" : " had not answered anything yet");
        say_target(out, &facts->out);
    }
    return true;
}

static bool no_answer(const struct cause_facts *facts, const struct cause_leg *leg, struct text *out)
{
    if (facts->stage != CAUSE_RINGING || facts->end != CAUSE_BY_GATEWAY || facts->status != 480 || leg->trouble)
        return false;
    text_addf(out, "nobody answered within %u s (`sip.ring_timeout`)", facts->ring_s);
    return true;
}

static bool refused_here(const struct cause_facts *facts, const struct cause_leg *leg, struct text *out)
{
    return facts->stage != CAUSE_TALKING && facts->end != CAUSE_ALIVE && *facts->why && say_why(out, facts);
}

/* ---- the talk ---- */

static bool no_ack(const struct cause_facts *facts, const struct cause_leg *leg, struct text *out)
{
    if (leg->trouble != LEG_NO_ACK)
        return false;
    say(out, leg, " never ACKed our 200");
    if (leg->is_contact_private)
        text_addf(out, "; its Contact names the private address %s", leg->contact_host);
    else if (*leg->our_contact)
        text_addf(out, "; it should send the ACK to our %s: can that be reached from there?", leg->our_contact);
    return true;
}

static bool no_prack(const struct cause_facts *facts, const struct cause_leg *leg, struct text *out)
{
    if (leg->trouble != LEG_NO_PRACK)
        return false;
    say(out, leg, " requires 100rel and never sent the PRACK for our ringing");
    if (leg->is_contact_private)
        text_addf(out, "; its Contact names the private address %s", leg->contact_host);
    else if (*leg->our_contact)
        text_addf(out, "; it should go to our %s: can that be reached from there?", leg->our_contact);
    return true;
}

static bool lost(const struct cause_facts *facts, const struct cause_leg *leg, struct text *out)
{
    if (leg->trouble != LEG_LOST)
        return false;
    who(out, leg);
    text_addf(out, " lost its connection and did not come back within %u s (`sip.reconnect`)", facts->reconnect_s);
    return true;
}

static bool forgot(const struct cause_facts *facts, const struct cause_leg *leg, struct text *out)
{
    if (leg->trouble != LEG_FORGOT_CALL)
        return false;
    say(out, leg, " does not know the call any more: ");
    text_add_str(out, *facts->why ? facts->why : "a request within it was refused");
    return true;
}

static bool ice_never(const struct cause_facts *facts, const struct cause_leg *leg, struct text *out)
{
    if (leg->peer != CAUSE_BROWSER || leg->is_checked || facts->stage != CAUSE_TALKING ||
        (leg->trouble != LEG_MEDIA_FAILED && facts->talk_s < ONE_SIDED_S))
        return false;
    say(out, leg, " never reached us with an ICE check");
    if (*leg->media_told)
        text_addf(out, ": it was told UDP %s; is that blocked, or `media.advertise` wrong?", leg->media_told);
    return true;
}

static bool dtls_failed(const struct cause_facts *facts, const struct cause_leg *leg, struct text *out)
{
    if (leg->peer != CAUSE_BROWSER || !leg->is_checked || leg->is_ready ||
        (leg->trouble != LEG_MEDIA_FAILED && facts->talk_s < ONE_SIDED_S))
        return false;
    say(out, leg,
        leg->trouble == LEG_MEDIA_FAILED ? " and we could not agree on keys" : " never finished the DTLS handshake");
    if (*leg->media_why)
        text_addf(out, ": %s", leg->media_why);
    return true;
}

static bool ice_lost(const struct cause_facts *facts, const struct cause_leg *leg, struct text *out)
{
    if (leg->trouble != LEG_MEDIA_FAILED)
        return false;
    say(out, leg, " dropped out of the media");
    if (*leg->media_why)
        text_addf(out, ": %s", leg->media_why);
    return true;
}

static bool is_one_sided(const struct cause_facts *facts, const struct cause_leg *leg)
{
    return facts->talk_s >= ONE_SIDED_S && leg->expects_rtp && !leg->packets_in;
}

static bool unknown_payload(const struct cause_facts *facts, const struct cause_leg *leg, struct text *out)
{
    if (!is_one_sided(facts, leg) || !leg->unknown_payload)
        return false;
    who(out, leg);
    text_addf(out, " sends payload types that were not agreed (%llu packets dropped)",
              (unsigned long long)leg->unknown_payload);
    if (*leg->codecs)
        text_addf(out, "; agreed: %s", leg->codecs);
    return true;
}

static bool no_rtp(const struct cause_facts *facts, const struct cause_leg *leg, struct text *out)
{
    if (!is_one_sided(facts, leg))
        return false;
    say(out, leg, " sent no RTP");
    if (leg->peer == CAUSE_BROWSER)
        text_add_str(out, ": its media path works, so the page sends no sound (microphone refused or muted?)");
    else if (leg->is_media_private)
        text_addf(out, "; its SDP names the private address %s: NAT without a helper?", leg->media_host);
    else if (*leg->media_told)
        text_addf(out, ": it was told UDP %s; is that blocked, or `media.advertise` wrong?", leg->media_told);
    return true;
}

static bool rtp_stopped(const struct cause_facts *facts, const struct cause_leg *leg, struct text *out)
{
    if (facts->stage != CAUSE_TALKING || !leg->expects_rtp || !leg->packets_in || !facts->timeout_s ||
        leg->silent_s < facts->timeout_s)
        return false;
    who(out, leg);
    text_addf(out, " sent RTP until %u s before the end, and then nothing: was its BYE lost on the way?",
              leg->silent_s);
    return true;
}

static bool longest(const struct cause_facts *facts, const struct cause_leg *leg, struct text *out)
{
    if (facts->end != CAUSE_BY_GATEWAY || !facts->max_duration_s || facts->talk_s < facts->max_duration_s)
        return false;
    text_addf(out, "the call reached its longest duration, %u s (`max_duration`)", facts->max_duration_s);
    return true;
}

static bool ended_here(const struct cause_facts *facts, const struct cause_leg *leg, struct text *out)
{
    return facts->stage == CAUSE_TALKING && facts->end == CAUSE_BY_GATEWAY && *facts->why && say_why(out, facts);
}

static bool lossy(const struct cause_facts *facts, const struct cause_leg *leg, struct text *out)
{
    uint64_t all = leg->packets_in + leg->lost_in;

    if (all < LOSS_PACKETS || leg->lost_in * 100 < all * LOSS_PERCENT)
        return false;
    who(out, leg);
    text_addf(out, " was hard to understand: %u%% of its packets were lost on the way",
              (unsigned)(leg->lost_in * 100 / all));
    return true;
}

/* ---- the table ---- */

/* Each is asked about the called side first, then about the calling one: most trouble is at the trunk's. */
static const struct {
    const char *id;
    cause_rule *rule;
} rules[] = {
    {"no-route", no_route},
    {"not-allowed", not_allowed},
    {"not-registered", not_registered},
    {"no-prack", no_prack},
    {"gave-up", gave_up},
    {"dns", no_name},
    {"no-connection", no_connection},
    {"no-response", no_response},
    {"bad-credentials", bad_credentials},
    {"forbidden", forbidden},
    {"unknown-number", unknown_number},
    {"busy", busy},
    {"declined", declined},
    {"unavailable", unavailable},
    {"not-acceptable", not_acceptable},
    {"overloaded", overloaded},
    {"redirected", redirected},
    {"loop", looped},
    {"peer-failed", peer_failed},
    {"peer-refused", peer_refused},
    {"no-common-codec", no_common_codec},
    {"no-answer", no_answer},
    {"no-ack", no_ack},
    {"connection-lost", lost},
    {"ice-never", ice_never},
    {"dtls-failed", dtls_failed},
    {"ice-lost", ice_lost},
    {"unknown-payload", unknown_payload},
    {"no-rtp", no_rtp},
    {"rtp-stopped", rtp_stopped},
    {"call-forgotten", forgot},
    {"max-duration", longest},
    {"refused-here", refused_here},
    {"ended-here", ended_here},
    {"loss", lossy},
};

#define RULE_COUNT (sizeof(rules) / sizeof(rules[0]))

const char *cause_id(unsigned index)
{
    return index < RULE_COUNT ? rules[index].id : NULL;
}

const char *cause_find(const struct cause_facts *facts, struct text *out)
{
    const struct cause_leg *legs[] = {&facts->out, &facts->in};

    for (size_t i = 0; i < RULE_COUNT; i++)
        for (size_t side = 0; side < 2; side++)
            if ((legs[side]->is_there || !side) && rules[i].rule(facts, legs[side], out))
                return rules[i].id;
    return "";
}
