/* SPDX-License-Identifier: Apache-2.0 */
/* check_bandwidth.c: what `max_calls` of this trunk take of the line, for each codec it may use. Asks nobody. */
#include "probe/bandwidth.h"
#include "probe/check.h"

static bool is_allowed(const struct conf_trunk *trunk, const char *codec)
{
    for (size_t i = 0; i < trunk->codecs.count; i++)
        if (span_ieq(span_of(trunk->codecs.items[i]), span_of(codec)))
            return true;
    return trunk->codecs.count == 0;
}

static void add_codec(struct text *list, const struct bandwidth *codec, double mbit)
{
    if (mbit < 1)
        text_addf(list, "%s%s %.0f kbit/s", list->len ? ", " : "", codec->codec, mbit * 1000);
    else
        text_addf(list, "%s%s %.1f Mbit/s", list->len ? ", " : "", codec->codec, mbit);
}

static void start(struct probe *probe)
{
    const struct conf_trunk *trunk = probe->trunk;
    bool is_v6 = probe->target_count && addr_is_v6(&probe_target(probe)->addr);
    unsigned calls = trunk->max_calls ? trunk->max_calls : 1;
    const struct bandwidth *codec;
    double most = 0;
    char buf[256];
    struct text list;

    text_init_fixed(&list, buf, sizeof(buf));
    for (unsigned i = 0; (codec = bandwidth_at(i)); i++) {
        double mbit = (double)bandwidth_of_call(codec, is_v6, trunk->srtp != CONF_SRTP_OFF) * calls / 1e6;

        if (!is_allowed(trunk, codec->codec))
            continue;
        add_codec(&list, codec, mbit);
        most = mbit > most ? mbit : most;
    }
    report_add(probe->report, FINDING_OK, check_bandwidth.name, "%u call%s%s take each way: %s", calls,
               calls == 1 ? "" : "s", trunk->max_calls ? " (max_calls)" : " (max_calls is not set)", buf);
    report_value(probe->report, "calls", calls);
    report_value(probe->report, "mbit_per_s", most);
    probe_next(probe);
}

const struct probe_check check_bandwidth = {.name = "bandwidth", .limit_ms = 1000, .start = start, .late = probe_next};
