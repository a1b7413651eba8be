/* SPDX-License-Identifier: Apache-2.0 */
/* static_formats.c: the table of RFC 3551 section 6, tables 4 and 5. Knows formats that Sipway cannot relay too, so
 * that they are told apart from the unnamed. */
#include "sdp/static_formats.h"

static const struct sdp_codec formats[] = {
    {.pt = 0, .name = SPAN("PCMU"), .clock_hz = 8000, .channels = 1},
    {.pt = 3, .name = SPAN("GSM"), .clock_hz = 8000, .channels = 1},
    {.pt = 4, .name = SPAN("G723"), .clock_hz = 8000, .channels = 1},
    {.pt = 5, .name = SPAN("DVI4"), .clock_hz = 8000, .channels = 1},
    {.pt = 6, .name = SPAN("DVI4"), .clock_hz = 16000, .channels = 1},
    {.pt = 7, .name = SPAN("LPC"), .clock_hz = 8000, .channels = 1},
    {.pt = 8, .name = SPAN("PCMA"), .clock_hz = 8000, .channels = 1},
    {.pt = 9, .name = SPAN("G722"), .clock_hz = 8000, .channels = 1},
    {.pt = 10, .name = SPAN("L16"), .clock_hz = 44100, .channels = 2},
    {.pt = 11, .name = SPAN("L16"), .clock_hz = 44100, .channels = 1},
    {.pt = 12, .name = SPAN("QCELP"), .clock_hz = 8000, .channels = 1},
    {.pt = 13, .name = SPAN("CN"), .clock_hz = 8000, .channels = 1},
    {.pt = 14, .name = SPAN("MPA"), .clock_hz = 90000, .channels = 1},
    {.pt = 15, .name = SPAN("G728"), .clock_hz = 8000, .channels = 1},
    {.pt = 16, .name = SPAN("DVI4"), .clock_hz = 11025, .channels = 1},
    {.pt = 17, .name = SPAN("DVI4"), .clock_hz = 22050, .channels = 1},
    {.pt = 18, .name = SPAN("G729"), .clock_hz = 8000, .channels = 1},
    {.pt = 25, .name = SPAN("CelB"), .clock_hz = 90000, .channels = 1},
    {.pt = 26, .name = SPAN("JPEG"), .clock_hz = 90000, .channels = 1},
    {.pt = 28, .name = SPAN("nv"), .clock_hz = 90000, .channels = 1},
    {.pt = 31, .name = SPAN("H261"), .clock_hz = 90000, .channels = 1},
    {.pt = 32, .name = SPAN("MPV"), .clock_hz = 90000, .channels = 1},
    {.pt = 33, .name = SPAN("MP2T"), .clock_hz = 90000, .channels = 1},
    {.pt = 34, .name = SPAN("H263"), .clock_hz = 90000, .channels = 1},
};

struct sdp_codec static_format(uint8_t pt)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (formats[i].pt == pt)
            return formats[i];
    }
    return (struct sdp_codec){.pt = pt, .channels = 1};
}
