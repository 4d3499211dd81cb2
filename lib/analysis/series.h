/* SPDX-License-Identifier: MIT */
/*
 * The statistics of one quantity: count, extremes, mean, standard deviation, percentiles; in bounded memory, O(1) for
 * each value. And how often messages come.
 */
#ifndef PTPMON_LIB_ANALYSIS_SERIES_H
#define PTPMON_LIB_ANALYSIS_SERIES_H

#include "analysis/percentiles.h"

#include <ptpmon_analysis.h>

/* ---- Message rate ---- */

#define PTPMON_RATE_SLOTS   100 /* of 10 ms: one second */
#define PTPMON_RATE_RING    128 /* has room for these; a power of two */
#define PTPMON_RATE_SECONDS 60

/* Times are those of one clock. What is before the newest counts as of its time. */
struct ptpmon_message_rate {
    int64_t newest_ns;
    struct {
        int64_t slot;
        uint64_t messages;
    } slots[PTPMON_RATE_RING]; /* a ring: those 10 ms of the last second that have messages, the oldest first */
    size_t slots_first, slots_count;
    uint64_t in_second, most_in_second;
    struct {
        int64_t second, first_ns;
        uint64_t messages;
    } seconds[PTPMON_RATE_SECONDS];
};

void ptpmon_message_rate_add(struct ptpmon_message_rate *rate, int64_t time_ns);
/* The most messages in any 100 successive hundredths of a second (those of the clock's own count). */
double ptpmon_message_rate_1s(const struct ptpmon_message_rate *rate);
/* Messages per second from the first to the newest of the last 60 s; 0: fewer than two. */
double ptpmon_message_rate_60s(const struct ptpmon_message_rate *rate);

/* ---- Values ---- */

#define PTPMON_BASE_BEYOND INT64_C(10000000000) /* ns */

struct ptpmon_one_series {
    ptpmon_series series; /* key, base_ns, last; count, minimum, maximum, mean, as far as values have come */
    double squares;       /* sum of squared deviations from the mean */
    struct ptpmon_percentiles percentiles;
    struct ptpmon_message_rate *rate; /* NULL: not counted */
};

/* What identifies it is in `key`; the rest is ignored. */
void ptpmon_one_series_init(struct ptpmon_one_series *one, const ptpmon_series *key);
void ptpmon_one_series_close(struct ptpmon_one_series *one);

/* Takes a value; one that is not finite, or beyond 10^19, is passed over. NO_MEMORY: it was not taken. */
ptpmon_status ptpmon_one_series_add(struct ptpmon_one_series *one, double value);
/* The same; the first one decides about the base. */
ptpmon_status ptpmon_one_series_add_time(struct ptpmon_one_series *one, ptpmon_time value);

/* A message came: for rate_1s and rate_60s. NO_MEMORY: it was not counted. */
ptpmon_status ptpmon_one_series_count_message(struct ptpmon_one_series *one, int64_t time_ns);

void ptpmon_one_series_summarize(const struct ptpmon_one_series *one, ptpmon_series *series);

#endif
