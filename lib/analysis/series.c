/* SPDX-License-Identifier: MIT */
#include "analysis/series.h"

#include "analysis/time.h"
#include "error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RESOLUTION_NS  1.0
#define RESOLUTION_PPM 1e-4
#define VALUE_AT_MOST  1e19 /* beyond all times; squares of what is more would not fit */

void ptpmon_one_series_init(struct ptpmon_one_series *one, const ptpmon_series *key)
{
    bool ppm = strcmp(ptpmon_quantity_unit(key->quantity), "ppm") == 0;
    *one = (struct ptpmon_one_series){.series = *key};
    one->series.count = 0;
    one->series.base_ns = 0;
    ptpmon_percentiles_init(&one->percentiles, ppm ? RESOLUTION_PPM : RESOLUTION_NS);
}

void ptpmon_one_series_close(struct ptpmon_one_series *one)
{
    ptpmon_percentiles_close(&one->percentiles);
    free(one->rate);
}

ptpmon_status ptpmon_one_series_add(struct ptpmon_one_series *one, double value)
{
    if (!(fabs(value) <= VALUE_AT_MOST))
        return PTPMON_OK;
    ptpmon_status status = ptpmon_percentiles_add(&one->percentiles, value);
    if (status != PTPMON_OK)
        return status;
    ptpmon_series *series = &one->series;
    series->count++;
    double delta = value - series->mean, count = (double)(int64_t)series->count; /* signed is quicker */
    series->mean = series->count == 1 ? value : series->mean + delta / count;
    if (series->count > 1)
        one->squares += delta * (value - series->mean);
    series->last = value;
    return PTPMON_OK;
}

ptpmon_status ptpmon_one_series_add_time(struct ptpmon_one_series *one, ptpmon_time value)
{
    ptpmon_series *series = &one->series;
    if (series->count == 0 && (value.ns > PTPMON_BASE_BEYOND || value.ns < -PTPMON_BASE_BEYOND))
        series->base_ns = value.ns;
    ptpmon_time base = ptpmon_time_of_ns(series->base_ns);
    return ptpmon_one_series_add(one, ptpmon_time_to_double(ptpmon_time_subtract(value, base)));
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
    series->minimum = one->percentiles.least;
    series->maximum = one->percentiles.greatest;
    series->standard_deviation = series->count > 1 ? sqrt(one->squares / (double)(series->count - 1)) : 0;
    series->rate_1s = one->rate ? ptpmon_message_rate_1s(one->rate) : 0;
    series->rate_60s = one->rate ? ptpmon_message_rate_60s(one->rate) : 0;
}

ptpmon_status ptpmon_one_series_count_message(struct ptpmon_one_series *one, int64_t time_ns)
{
    if (!one->rate && !(one->rate = calloc(1, sizeof *one->rate)))
        return ptpmon_fail(PTPMON_NO_MEMORY, "statistics: out of memory; close other programs");
    ptpmon_message_rate_add(one->rate, time_ns);
    return PTPMON_OK;
}

/* ---- Message rate ---- */

#define NS_PER_SLOT   INT64_C(10000000)
#define NS_PER_SECOND INT64_C(1000000000)

/* Rounded down. */
static int64_t part_of_time(int64_t time_ns, int64_t ns_each)
{
    return time_ns / ns_each - (time_ns % ns_each < 0);
}

static size_t index_of(int64_t number, int64_t of)
{
    int64_t index = number % of;
    return (size_t)(index < 0 ? index + of : index);
}

/* Up to and with this one. */
static void forget_slots(struct ptpmon_message_rate *rate, int64_t until)
{
    while (rate->slots_count > 0 && rate->slots[rate->slots_first].slot <= until) {
        rate->in_second -= rate->slots[rate->slots_first].messages;
        rate->slots_first = (rate->slots_first + 1) % PTPMON_RATE_RING;
        rate->slots_count--;
    }
}

static void count_in_slot(struct ptpmon_message_rate *rate, int64_t slot)
{
    forget_slots(rate, slot - PTPMON_RATE_SLOTS);
    size_t newest = (rate->slots_first + rate->slots_count - 1) % PTPMON_RATE_RING;
    if (rate->slots_count == 0 || rate->slots[newest].slot != slot) {
        newest = (rate->slots_first + rate->slots_count++) % PTPMON_RATE_RING;
        rate->slots[newest].slot = slot;
        rate->slots[newest].messages = 0;
    }
    rate->slots[newest].messages++;
    rate->in_second++;
    if (rate->in_second > rate->most_in_second)
        rate->most_in_second = rate->in_second;
}

void ptpmon_message_rate_add(struct ptpmon_message_rate *rate, int64_t time_ns)
{
    if (rate->slots_count == 0 || time_ns > rate->newest_ns)
        rate->newest_ns = time_ns;
    count_in_slot(rate, part_of_time(rate->newest_ns, NS_PER_SLOT));

    int64_t second = part_of_time(rate->newest_ns, NS_PER_SECOND);
    size_t i = index_of(second, PTPMON_RATE_SECONDS);
    if (rate->seconds[i].messages == 0 || rate->seconds[i].second != second) {
        rate->seconds[i].second = second;
        rate->seconds[i].first_ns = rate->newest_ns;
        rate->seconds[i].messages = 0;
    }
    rate->seconds[i].messages++;
}

double ptpmon_message_rate_1s(const struct ptpmon_message_rate *rate)
{
    return (double)rate->most_in_second;
}

double ptpmon_message_rate_60s(const struct ptpmon_message_rate *rate)
{
    uint64_t messages = 0;
    int64_t newest = part_of_time(rate->newest_ns, NS_PER_SECOND), first_ns = rate->newest_ns;
    for (size_t i = 0; i < PTPMON_RATE_SECONDS; i++) {
        if (rate->seconds[i].messages == 0 || rate->seconds[i].second <= newest - PTPMON_RATE_SECONDS)
            continue;
        messages += rate->seconds[i].messages;
        if (rate->seconds[i].first_ns < first_ns)
            first_ns = rate->seconds[i].first_ns;
    }
    double length = (double)(rate->newest_ns - first_ns);
    return messages > 1 && length > 0 ? (double)(messages - 1) * 1e9 / length : 0;
}
