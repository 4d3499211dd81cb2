/* SPDX-License-Identifier: MIT */
#include "analysis/series.h"

#include "error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RESOLUTION_NS  1.0
#define RESOLUTION_PPM 1e-4

void ptpmon_one_series_init(struct ptpmon_one_series *one, const ptpmon_series *key)
{
    bool ppm = strcmp(ptpmon_quantity_unit(key->quantity), "ppm") == 0;
    *one = (struct ptpmon_one_series){.series = *key};
    one->series.base_ns = 0;
    one->series.mean = one->series.last = 0;
    ptpmon_percentiles_init(&one->percentiles, ppm ? RESOLUTION_PPM : RESOLUTION_NS);
}

void ptpmon_one_series_close(struct ptpmon_one_series *one)
{
    ptpmon_percentiles_close(&one->percentiles);
    free(one->rate);
}

ptpmon_status ptpmon_one_series_add(struct ptpmon_one_series *one, double value)
{
    if (!(fabs(value) <= PTPMON_VALUE_AT_MOST) || ptpmon_one_series_take(one, value))
        return PTPMON_OK;
    ptpmon_status status = ptpmon_percentiles_make_way(&one->percentiles, value);
    if (status == PTPMON_OK)
        (void)ptpmon_one_series_take(one, value);
    return status;
}

ptpmon_status ptpmon_one_series_add_time(struct ptpmon_one_series *one, ptpmon_time value)
{
    if (one->percentiles.count == 0)
        one->series.base_ns = value.ns > PTPMON_BASE_BEYOND || value.ns < -PTPMON_BASE_BEYOND ? value.ns : 0;
    return ptpmon_one_series_add(one, ptpmon_time_to_double(ptpmon_time_less_ns(value, one->series.base_ns)));
}

void ptpmon_one_series_summarize(const struct ptpmon_one_series *one, ptpmon_series *series)
{
    static const double parts[] = {0.5, 0.95, 0.99, 0.999};
    double values[4];
    *series = one->series;
    ptpmon_percentiles_at(&one->percentiles, parts, 4, values);
    series->p50 = values[0];
    series->p95 = values[1];
    series->p99 = values[2];
    series->p999 = values[3];
    series->count = one->percentiles.count;
    series->minimum = series->count > 0 ? one->percentiles.least : 0;
    series->maximum = series->count > 0 ? one->percentiles.greatest : 0;
    series->standard_deviation = series->count > 1 ? sqrt(one->squares / (double)(series->count - 1)) : 0;
    series->rate_1s = one->rate ? ptpmon_message_rate_1s(one->rate) : 0;
    series->rate_60s = one->rate ? ptpmon_message_rate_60s(one->rate) : 0;
}

ptpmon_status ptpmon_one_series_begin_rate(struct ptpmon_one_series *one)
{
    one->rate = calloc(1, sizeof *one->rate);
    return one->rate ? PTPMON_OK : ptpmon_fail(PTPMON_NO_MEMORY, "statistics: out of memory; close other programs");
}

/* ---- Message rate ---- */

#define NS_PER_SECOND UINT64_C(1000000000)
#define NS_PER_SLOT   (NS_PER_SECOND / PTPMON_RATE_SLOTS)
#define SECONDS_BELOW UINT64_C(9223372036) /* 0: so far do 64 bits of ns reach */

/* The first is so far below 0 that all others are numbers above 0, and rounded down as such. */
static uint64_t slot_of(int64_t time_ns)
{
    return ((uint64_t)time_ns + SECONDS_BELOW * NS_PER_SECOND) / NS_PER_SLOT;
}

static void begin_slot(struct ptpmon_message_rate *rate, uint64_t slot)
{
    size_t newest = rate->end++ % PTPMON_RATE_RING;
    rate->slots[newest].slot = slot;
    rate->slots[newest].before = rate->messages;
    while (slot - rate->slots[rate->oldest % PTPMON_RATE_RING].slot >= PTPMON_RATE_SLOTS)
        rate->oldest++;

    uint64_t second = slot / PTPMON_RATE_SLOTS;
    size_t i = second % PTPMON_RATE_MINUTE;
    if (rate->seconds[i].second != second) {
        rate->seconds[i].second = second;
        rate->seconds[i].before = rate->messages;
        rate->seconds[i].first_ns = rate->newest_ns;
    }
}

void ptpmon_message_rate_add(struct ptpmon_message_rate *rate, int64_t time_ns)
{
    if (rate->messages == 0 || time_ns > rate->newest_ns)
        rate->newest_ns = time_ns;
    uint64_t slot = slot_of(rate->newest_ns);
    if (rate->slots[(rate->end - 1) % PTPMON_RATE_RING].slot != slot)
        begin_slot(rate, slot);
    rate->messages++;
    uint64_t in_second = rate->messages - rate->slots[rate->oldest % PTPMON_RATE_RING].before;
    if (in_second > rate->most_in_second)
        rate->most_in_second = in_second;
}

double ptpmon_message_rate_1s(const struct ptpmon_message_rate *rate)
{
    return (double)rate->most_in_second;
}

double ptpmon_message_rate_60s(const struct ptpmon_message_rate *rate)
{
    uint64_t before = rate->messages, newest = slot_of(rate->newest_ns) / PTPMON_RATE_SLOTS;
    int64_t first_ns = rate->newest_ns;
    for (size_t i = 0; i < PTPMON_RATE_MINUTE; i++)
        if (newest - rate->seconds[i].second < PTPMON_RATE_SECONDS && rate->seconds[i].before < before) {
            before = rate->seconds[i].before;
            first_ns = rate->seconds[i].first_ns;
        }
    uint64_t messages = rate->messages - before;
    double length = (double)(rate->newest_ns - first_ns);
    return messages > 1 && length > 0 ? (double)(messages - 1) * 1e9 / length : 0;
}
