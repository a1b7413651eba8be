/* SPDX-License-Identifier: Apache-2.0 */
/* conf_number.c: the kinds of configuration value that are numbers: counts, durations, DSCP, port ranges. */
#include <errno.h>
#include <string.h>

#include "base/conf_row.h"

int conf_parse_uint(struct conf_reader *reader, const struct conf_row *row, struct span text, void *field)
{
    uint64_t value;

    if (span_to_u64(text, UINT64_MAX, &value))
        return conf_fail(reader, "\"%.*s\" is not a whole number", SPAN_ARG(text));
    if (value < (uint64_t)row->min || value > (uint64_t)row->max)
        return conf_fail(reader, "%.*s is not within %d..%d", SPAN_ARG(text), (int)row->min, (int)row->max);
    *(unsigned *)field = (unsigned)value;
    return 0;
}

static const struct unit {
    const char *name;
    uint64_t us;
} units[] = {{"us", 1}, {"ms", 1000}, {"s", 1000000}, {"m", 60000000}, {"h", 3600000000}, {"d", 86400000000}};

static uint64_t unit_us(struct span name)
{
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (span_eq(span_of(units[i].name), name))
            return units[i].us;
    }
    return 0;
}

/* The unit of the field itself. */
static const char *field_unit(const struct conf_row *row)
{
    return row->kind == KIND_MICROSECONDS ? "us" : row->kind == KIND_MILLISECONDS ? "ms" : "s";
}

int conf_parse_duration(struct conf_reader *reader, const struct conf_row *row, struct span text, void *field)
{
    uint64_t value, us, field_us = unit_us(span_of(field_unit(row)));
    size_t digit_count = 0;
    struct span unit;

    while (digit_count < text.n && text.p[digit_count] >= '0' && text.p[digit_count] <= '9')
        digit_count++;
    unit = span_trim(span_sub(text, digit_count, text.n));
    us = unit_us(unit.n ? unit : span_of(row->unit));
    if (!us || span_to_u64(span_sub(text, 0, digit_count), UINT32_MAX, &value))
        return conf_fail(reader, "\"%.*s\" is not a duration such as 500ms, 30s, 5m, 1h", SPAN_ARG(text));
    if (value * us % field_us)
        return conf_fail(reader, "%.*s is not a whole number of %s", SPAN_ARG(text), field_unit(row));
    value = value * us / field_us;
    if (value < (uint64_t)row->min || value > (uint64_t)row->max)
        return conf_fail(reader, "%.*s is not within %d..%d %s", SPAN_ARG(text), (int)row->min, (int)row->max,
                         field_unit(row));
    *(unsigned *)field = (unsigned)value;
    return 0;
}

/* RFC 2474 (CS), RFC 2597 (AF), RFC 3246 (EF). @return -1: no such name */
static int dscp_by_name(struct span name)
{
    if (span_ieq(name, SPAN("EF")))
        return 46;
    if (span_ieq(name, SPAN("BE")) || span_ieq(name, SPAN("DF")))
        return 0;
    if (name.n == 3 && span_istarts(name, SPAN("CS")) && name.p[2] >= '0' && name.p[2] <= '7')
        return (name.p[2] - '0') * 8;
    if (name.n == 4 && span_istarts(name, SPAN("AF")) && name.p[2] >= '1' && name.p[2] <= '4' && name.p[3] >= '1' &&
        name.p[3] <= '3')
        return (name.p[2] - '0') * 8 + (name.p[3] - '0') * 2;
    return -1;
}

int conf_parse_dscp(struct conf_reader *reader, const struct conf_row *row, struct span text, void *field)
{
    int code = dscp_by_name(text);
    uint64_t number;

    if (code >= 0)
        number = (uint64_t)code;
    else if (span_to_u64(text, (uint64_t)row->max, &number))
        return conf_fail(reader, "\"%.*s\" is not a DSCP: EF, AF11..AF43, CS0..CS7 or 0..63", SPAN_ARG(text));
    *(unsigned *)field = (unsigned)number;
    return 0;
}

int conf_parse_ports(struct conf_reader *reader, const struct conf_row *row, struct span text, void *field)
{
    struct conf *conf = reader->conf;
    struct span rest = text, low = span_cut(&rest, '-');
    uint64_t min, max;

    if (span_to_u64(span_trim(low), UINT16_MAX, &min) || span_to_u64(span_trim(rest), UINT16_MAX, &max))
        return conf_fail(reader, "\"%.*s\" is not a range of ports such as 20000-29999", SPAN_ARG(text));
    if (min < (uint64_t)row->min || max > (uint64_t)row->max)
        return conf_fail(reader, "%.*s is not within %d..%d", SPAN_ARG(text), (int)row->min, (int)row->max);
    if (max < min + 1 + (min & 1)) /* the even port below the odd one must fit */
        return conf_fail(reader, "%.*s holds no pair of an even and an odd port", SPAN_ARG(text));
    conf->media.rtp_port_min = (uint16_t)min;
    conf->media.rtp_port_max = (uint16_t)max;
    return 0;
}
