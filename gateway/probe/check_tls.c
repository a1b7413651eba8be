/* SPDX-License-Identifier: Apache-2.0 */
/* check_tls.c: a TLS connection to the trunk that lets anybody in, to say each thing that is wrong with its
 * certificate: dates, name, chain. The gateway's own connections verify (net/tls.c). RFC 5922, RFC 3261 26.3.1. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/stream.h"
#include "net/tls.h"
#include "net/tls_peer.h"
#include "probe/check.h"

#define DAY_S       86400
#define SOON_DAYS   21
#define CERTIFICATE "certificate"

struct tls_state {
    struct tls *tls;
    struct stream *stream;
    uint64_t started_us;
};

static void tls_state_destroy(void *self)
{
    struct tls_state *state = self;

    mem_unref(state->stream);
    mem_unref(state->tls);
}

/* ---- dates, of theirs and of ours ---- */

static void report_dates(struct report *report, const char *whose, int64_t starts_s, int64_t ends_s)
{
    int64_t now_s = (int64_t)(clock_wall_us() / 1000000);
    long days = (long)((ends_s - now_s) / DAY_S);

    if (now_s >= ends_s) {
        report_add(report, FINDING_FAIL, CERTIFICATE, "%s has expired %ld day(s) ago", whose,
                   (long)((now_s - ends_s) / DAY_S));
        report_advise(report, "it must be renewed; is the clock of this machine right?");
    } else if (now_s < starts_s) {
        report_add(report, FINDING_FAIL, CERTIFICATE, "%s is not valid yet, in %ld day(s)", whose,
                   (long)((starts_s - now_s) / DAY_S));
        report_advise(report, "is the clock of this machine right?");
    } else {
        report_add(report, days < SOON_DAYS ? FINDING_WARN : FINDING_OK, CERTIFICATE, "%s is valid for %ld more day(s)",
                   whose, days);
        if (days < SOON_DAYS)
            report_advise(report, "see that it is renewed in time");
    }
    report_value(report, "days_left", (double)days);
}

static void report_own(struct probe *probe)
{
    const char *file = probe->house->conf->sip.certificate;
    int64_t starts_s, ends_s;

    if (file && file[0] && !tls_file_dates(&starts_s, &ends_s, file))
        report_dates(probe->report, "our own (sip.certificate)", starts_s, ends_s);
}

/* ---- theirs ---- */

static void report_name(struct probe *probe, const struct tls_peer *peer)
{
    if (peer->is_name_right) {
        report_add(probe->report, FINDING_OK, CERTIFICATE, "the trunk's names %s", probe->host);
        return;
    }
    report_add(probe->report, FINDING_FAIL, CERTIFICATE, "the trunk's is for %.200s, not for %s", peer->names,
               probe->host);
    report_advise(probe->report, "write the name that stands in the certificate into `uri`, if that is the carrier's");
    probe->is_unreachable = true;
}

static void report_chain(struct probe *probe, const struct tls_peer *peer)
{
    if (peer->is_chain_right) {
        report_add(probe->report, FINDING_OK, CERTIFICATE, "the trunk's is vouched for by %s", peer->issuer);
        return;
    }
    report_add(probe->report, FINDING_FAIL, CERTIFICATE,
               "the trunk's is not vouched for by anybody this machine trusts (%s)", peer->chain_error);
    report_advise(probe->report,
                  peer->is_self_signed
                      ? "it is self-signed: put it into this machine's certificate store, or SSL_CERT_FILE"
                      : "put the carrier's authority into this machine's certificate store; does the "
                        "carrier send its whole chain?");
    probe->is_unreachable = true;
}

static void on_open(struct stream *stream, void *arg)
{
    struct probe *probe = arg;
    struct tls_state *state = probe->state;
    double took_ms = probe_ms_since(state->started_us);
    struct tls_peer peer;

    if (tls_peer_look(&peer, stream, probe->host) || !peer.has_certificate) {
        report_add(probe->report, FINDING_FAIL, check_tls.name, "the trunk shows no certificate");
        probe_next(probe);
        return;
    }
    report_add(probe->report, FINDING_OK, check_tls.name, "%s, %s, handshake %.0f ms", peer.version, peer.cipher,
               took_ms);
    report_value(probe->report, "handshake_ms", took_ms);
    report_dates(probe->report, "the trunk's", peer.starts_s, peer.ends_s);
    if (clock_wall_us() / 1000000 >= (uint64_t)peer.ends_s)
        probe->is_unreachable = true;
    report_name(probe, &peer);
    report_chain(probe, &peer);
    report_own(probe);
    probe_next(probe);
}

static size_t on_bytes(struct stream *stream, char *bytes, size_t n, void *arg)
{
    return n;
}

static void fail(struct probe *probe, const char *how)
{
    report_add(probe->report, FINDING_FAIL, check_tls.name, "%s", how);
    report_advise(probe->report, "does the carrier take TLS on port %u? Else compare `uri` with what it gave",
                  addr_port(&probe_target(probe)->addr));
    probe->is_unreachable = true;
    report_own(probe);
    probe_next(probe);
}

static void on_close(struct stream *stream, int err, void *arg)
{
    struct probe *probe = arg;

    if (probe->is_moving)
        return;
    fail(probe, err == -ECONNREFUSED ? "nothing listens there: the connection is refused"
                : err == -EPROTO     ? "the handshake fails: no TLS 1.2 or later there"
                                     : "the connection is closed before the handshake is over");
}

static const struct stream_user user = {.on_open = on_open, .on_bytes = on_bytes, .on_close = on_close};

static void start(struct probe *probe)
{
    struct tls_state *state = mem_new(sizeof(*state), tls_state_destroy);
    const char *why = "out of memory";

    probe->state = state;
    if (!state || tls_client_new(&state->tls, NULL, false, &why)) {
        fail(probe, why);
        return;
    }
    state->started_us = clock_now_us();
    if (stream_connect(&state->stream, &probe_target(probe)->addr, state->tls, probe->host)) {
        fail(probe, "no connection can be made");
        return;
    }
    stream_set_user(state->stream, &user, probe);
}

static void late(struct probe *probe)
{
    fail(probe, "no connection within the time");
}

static bool applies(const struct probe *probe)
{
    return probe->target_count && probe_target(probe)->transport == SIP_TLS;
}

const struct probe_check check_tls = {
    .name = "TLS", .limit_ms = 4000, .needs_address = true, .applies = applies, .start = start, .late = late};
