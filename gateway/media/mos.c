/* SPDX-License-Identifier: Apache-2.0 */
/* mos.c: the E-model in its short form: R = 93.2 - Id(delay) - Ie,eff(codec, loss), then ITU-T G.107 annex B from R to
 * MOS. Ie and Bpl are those of G.113 appendix I; Opus is taken as a good wideband codec with concealment. */
#include "media/mos.h"

#define FRAME_MS 20.0

static const struct {
    const char *codec;
    double impairment; /* Ie */
    double robustness; /* Bpl: how much random loss it bears */
} codecs[] = {
    {"PCMU", 0, 25.1}, {"PCMA", 0, 25.1}, {"G722", 0, 25.1}, {"opus", 0, 30}, {"G729", 11, 19}, {"GSM", 20, 10},
};

static double effective_impairment(const struct mos_input *input, double loss_percent)
{
    double impairment = 0, robustness = 25.1;

    for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
        if (!span_ieq(input->codec, span_of(codecs[i].codec)))
            continue;
        impairment = codecs[i].impairment;
        robustness = codecs[i].robustness;
    }
    return impairment + (95 - impairment) * loss_percent / (loss_percent + robustness);
}

/* G.107's Id by the usual two straight lines: a delay above 177 ms is heard as such. */
static double delay_impairment(double delay_ms)
{
    return 0.024 * delay_ms + (delay_ms > 177.3 ? 0.11 * (delay_ms - 177.3) : 0);
}

static double from_r(double r)
{
    if (r <= 0)
        return 1;
    if (r >= 100)
        return 4.5;
    return 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6;
}

unsigned mos_x100(const struct mos_input *input)
{
    double all = (double)input->packet_count + (double)input->lost_count, delay_ms, mos;

    if (!input->packet_count)
        return 0;
    delay_ms = FRAME_MS + 2.0 * input->jitter_us / 1000 + input->rtt_us / 2000.0;
    mos =
        from_r(93.2 - delay_impairment(delay_ms) - effective_impairment(input, 100 * (double)input->lost_count / all));
    return (unsigned)((mos < 1 ? 1 : mos) * 100 + 0.5);
}
