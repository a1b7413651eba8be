/* SPDX-License-Identifier: Apache-2.0 */
/* judge_media.c: is the sound of a trunk good enough, and what is to be done where it is not. Limits: ITU-T G.114 (150
 * ms one way is not felt), and 1 % loss, which G.711 without concealment lets hear. */
#include "probe/judge_media.h"

#include <math.h>

#define LOSS_WARN      0.005
#define LOSS_FAIL      0.03
#define JITTER_WARN_MS 30
#define JITTER_FAIL_MS 100
#define TRIP_WARN_MS   300
#define TRIP_FAIL_MS   800
#define SILENT_DBOV    (-60)
#define ENOUGH_PACKETS 20

static const char name[] = "media";

static enum finding_level level_of(double value, double warn, double fail)
{
    return value >= fail ? FINDING_FAIL : value >= warn ? FINDING_WARN : FINDING_OK;
}

static void report_nothing(struct report *report, const struct media_result *result, const struct judge_media *about)
{
    char told[ADDR_TEXT_MAX];

    report_add(report, FINDING_FAIL, name, "one-way: %u packets were sent to %s and none came back", result->sent,
               addr_text(&about->told, told));
    report_value(report, "sent", result->sent);
    report_value(report, "received", 0);
    report_advise(report,
                  result->other        ? "packets of another codec came than was agreed: ask the carrier"
                  : result->unreadable ? "packets came that cannot be read: compare `srtp` with what the carrier wants"
                                       : "let UDP %u-%u in; is the address in our SDP (NAT, media.advertise) reachable "
                                         "for the carrier, and the one in its SDP for us?",
                  about->conf->media.rtp_port_min, about->conf->media.rtp_port_max);
}

/* ---- loss ---- */

static void advise_loss(struct report *report, enum finding_level level)
{
    if (level != FINDING_OK)
        report_advise(
            report,
            "is the line full (see bandwidth), or a firewall or Wi-Fi on the way? Ask for the DSCP mark to be kept");
}

static void report_loss_in(struct report *report, const struct media_result *result)
{
    unsigned lost = result->expected - result->received;
    double share = result->expected ? (double)lost / result->expected : 0;
    enum finding_level level = level_of(share, LOSS_WARN, LOSS_FAIL);

    report_add(report, level, name, "%u packets came, %u lost on the way to us (%.1f %%)", result->received, lost,
               share * 100);
    report_value(report, "sent", result->sent);
    report_value(report, "received", result->received);
    report_value(report, "lost_percent", share * 100);
    advise_loss(report, level);
}

/* Both ways together, as the far end writes new sequence numbers; or our way alone, as its reports say. */
static void report_loss_out(struct report *report, const struct media_result *result)
{
    double share, in = result->expected ? 1 - (double)result->received / result->expected : 0;
    enum finding_level level;

    if (result->has_report) {
        level = level_of(result->report_lost, LOSS_WARN, LOSS_FAIL);
        report_add(report, level, name, "the trunk says that %.1f %% of ours were lost, jitter %.0f ms",
                   result->report_lost * 100, result->report_jitter_ms);
        report_value(report, "sent_lost_percent", result->report_lost * 100);
        advise_loss(report, level);
    }
    if (result->echoed <= ENOUGH_PACKETS)
        return;
    share = 1 - (double)result->echoed / result->echo_wanted;
    if (share < LOSS_WARN || share <= in + LOSS_WARN)
        return; /* told already */
    level = level_of(share, LOSS_WARN, LOSS_FAIL);
    report_add(report, level, name, "of %u packets sent to the echo %u did not come back (%.1f %%)",
               result->echo_wanted, result->echo_wanted - result->echoed, share * 100);
    report_value(report, "echo_lost_percent", share * 100);
    advise_loss(report, level);
}

/* ---- time ---- */

static void report_trip(struct report *report, const struct media_result *result)
{
    bool has_echo = result->echoed > ENOUGH_PACKETS;
    double ms = has_echo ? result->echo_ms : result->report_ms;
    enum finding_level level = level_of(ms, TRIP_WARN_MS, TRIP_FAIL_MS);

    if (ms < 0) {
        report_add(report, FINDING_OK, name,
                   "round trip not known: the number does not echo, and its RTCP does not tell");
        return;
    }
    report_add(report, level, name, "round trip %.1f ms (%s)", ms,
               has_echo ? "our packets came back as an echo" : "by RTCP");
    report_value(report, "round_trip_ms", ms);
    if (level != FINDING_OK)
        report_advise(report, "people will talk into each other: is there a nearer site of the carrier?");
}

static void report_jitter(struct report *report, const struct media_result *result)
{
    enum finding_level level = level_of(result->jitter_ms, JITTER_WARN_MS, JITTER_FAIL_MS);

    report_add(report, level, name, "jitter %.1f ms, first packet after %.0f ms", result->jitter_ms, result->first_ms);
    report_value(report, "jitter_ms", result->jitter_ms);
    report_value(report, "first_ms", result->first_ms);
    if (level != FINDING_OK)
        report_advise(report, "packets come unevenly: is voice put before other traffic on the line?");
}

static void report_sound(struct report *report, const struct media_result *result)
{
    if (result->level_dbov > SILENT_DBOV)
        return;
    report_add(report, FINDING_WARN, name, "only silence came (%.0f dBov)", result->level_dbov);
    report_value(report, "level_dbov", result->level_dbov);
    report_advise(report, "call a number that echoes or plays something: silence does not show that sound arrives");
}

/* ---- addresses and marks ---- */

static void report_source(struct report *report, const struct media_result *result, const struct judge_media *about)
{
    char told[ADDR_TEXT_MAX], source[ADDR_TEXT_MAX];

    if (addr_eq(&result->source, &about->told))
        return;
    report_add(report, FINDING_WARN, name, "packets come from %s, the SDP said %s", addr_text(&result->source, source),
               addr_text(&about->told, told));
    report_advise(report,
                  "an address translator is on the carrier's side; the gateway follows the source for the first "
                  "seconds (media.latch)");
}

static void report_dscp(struct report *report, const struct media_result *result, const struct judge_media *about)
{
    unsigned ours = about->conf->media.dscp_audio;

    if (!result->is_dscp_set)
        report_add(report, FINDING_WARN, "DSCP", "this system does not let us mark packets with %u", ours);
    else if (result->dscp < 0)
        report_add(report, FINDING_OK, "DSCP", "ours leave with %u; theirs cannot be seen", ours);
    else if ((unsigned)result->dscp == ours)
        report_add(report, FINDING_OK, "DSCP", "ours leave with %u, theirs arrive with the same", ours);
    else
        report_add(report, FINDING_OK, "DSCP", "ours leave with %u, theirs arrive with %d%s", ours, result->dscp,
                   result->dscp ? "" : ": not marked, as is usual over the internet");
    report_value(report, "sent_dscp", result->is_dscp_set ? ours : 0);
    report_value(report, "received_dscp", result->dscp);
}

void judge_media(struct report *report, const struct media_result *result, const struct judge_media *about)
{
    if (!result->received) {
        report_nothing(report, result, about);
        return;
    }
    report_loss_in(report, result);
    report_loss_out(report, result);
    report_jitter(report, result);
    report_trip(report, result);
    report_sound(report, result);
    report_source(report, result, about);
    report_dscp(report, result, about);
}
