/* SPDX-License-Identifier: MIT */
/*
 * The statistics of one quantity: count, extremes, mean, standard deviation, percentiles; in bounded memory, O(1) for
 * each value. And how often messages come.
 */
#ifndef PTPMON_LIB_ANALYSIS_SERIES_H
#define PTPMON_LIB_ANALYSIS_SERIES_H

#include "analysis/percentiles.h"
#include "analysis/time.h"

#include <ptpmon_analysis.h>

/* ---- Message rate ---- */

#define PTPMON_RATE_SLOTS   100 /* of 10 ms: one second */
#define PTPMON_RATE_RING    128 /* has room for these; a power of two */
#define PTPMON_RATE_SECONDS 60
#define PTPMON_RATE_MINUTE  64 /* has room for these; a power of two */

/* Times are those of one clock, of PTP's range. What is before the newest counts as of its time. */
struct ptpmon_message_rate {
    int64_t newest_ns;
    uint64_t messages, most_in_second;
    struct {
        uint64_t slot, before; /* messages before its first */
    } slots[PTPMON_RATE_RING]; /* a ring: those 10 ms of the last second that have messages */
    unsigned oldest, end;      /* of the ring, counted on and on */
    struct {
        uint64_t second, before;
        int64_t first_ns;
    } seconds[PTPMON_RATE_MINUTE]; /* of each that has messages the newest, at its place */
};

void ptpmon_message_rate_add(struct ptpmon_message_rate *rate, int64_t time_ns);
/* The most messages in any 100 successive hundredths of a second (those of the clock's own count). */
double ptpmon_message_rate_1s(const struct ptpmon_message_rate *rate);
/* Messages per second from the first to the newest of the last 60 s; 0: fewer than two. */
double ptpmon_message_rate_60s(const struct ptpmon_message_rate *rate);

/* ---- Values ---- */

#define PTPMON_BASE_BEYOND   INT64_C(10000000000) /* ns */
#define PTPMON_VALUE_AT_MOST 1e19                 /* beyond all times; squares of what is more would not fit */

struct ptpmon_one_series {
    ptpmon_series series; /* key, base_ns, last, mean; the rest is made of what follows */
    double squares;       /* sum of squared deviations from the mean */
    struct ptpmon_percentiles percentiles;
    struct ptpmon_message_rate *rate; /* NULL: messages are not counted */
};

/* What identifies it is in `key`; the rest is ignored. */
void ptpmon_one_series_init(struct ptpmon_one_series *one, const ptpmon_series *key);
void ptpmon_one_series_close(struct ptpmon_one_series *one);

/* Takes a value; one that is not finite, or beyond 10^19, is passed over. NO_MEMORY: it was not taken. */
ptpmon_status ptpmon_one_series_add(struct ptpmon_one_series *one, double value);
/* The same; the first one decides about the base. */
ptpmon_status ptpmon_one_series_add_time(struct ptpmon_one_series *one, ptpmon_time value);

/* The same where it needs no memory, as most values. False, and it was not taken: it does, as the first one always; or
 * it has to be passed over. */
static inline bool ptpmon_one_series_take(struct ptpmon_one_series *one, double value)
{
    ptpmon_series *series = &one->series;
    if (!ptpmon_percentiles_take(&one->percentiles, value, PTPMON_VALUE_AT_MOST))
        return false;
    /* After B. P. Welford, Note on a Method for Calculating Corrected Sums of Squares and Products. */
    double delta = value - series->mean, count = (double)(int64_t)one->percentiles.count; /* signed is quicker */
    series->mean += delta / count;
    one->squares += delta * (value - series->mean);
    series->last = value;
    return true;
}

static inline bool ptpmon_one_series_take_time(struct ptpmon_one_series *one, ptpmon_time value)
{
    return ptpmon_one_series_take(one, ptpmon_time_to_double(ptpmon_time_less_ns(value, one->series.base_ns)));
}

/* Messages are counted as well, in one->rate: for rate_1s and rate_60s. Errors: NO_MEMORY. */
ptpmon_status ptpmon_one_series_begin_rate(struct ptpmon_one_series *one);

void ptpmon_one_series_summarize(const struct ptpmon_one_series *one, ptpmon_series *series);

#endif
