/* SPDX-License-Identifier: MIT */
/*
 * What one side, the monitor or the capture, cannot have seen: when it did not run yet or any more,
 * and when it lost something. Each side tells this in its own clock.
 */
#ifndef PTPMON_LIB_COVERAGE_H
#define PTPMON_LIB_COVERAGE_H

#include "clock_map.h"

/* Beyond this many, a loss and the nearest to it count as one, with what lies between them. */
#define PTPMON_LOSSES 256

enum ptpmon_coverage_at {
    PTPMON_COVERED,
    PTPMON_COVERAGE_BEFORE, /* it did not run yet */
    PTPMON_COVERAGE_AFTER,  /* it did not run any more */
    PTPMON_COVERAGE_LOST,   /* it lost something there */
};

struct ptpmon_bound {
    ptpmon_instant told;     /* in the side's own clock; PTPMON_INSTANT_MIN, PTPMON_INSTANT_MAX: open end */
    ptpmon_instant earliest; /* event time before which it cannot lie */
    ptpmon_instant event;    /* in event time, as known at the last settling */
    bool settled;            /* `event` will not change any more */
};

struct ptpmon_interval {
    struct ptpmon_bound from, to;
};

struct ptpmon_coverage {
    const struct ptpmon_clock_map *clocks; /* of a side that tells capture time; NULL: it tells event time */
    struct ptpmon_interval ran;
    struct ptpmon_interval losses[PTPMON_LOSSES];
    size_t loss_count;
};

void ptpmon_coverage_init(struct ptpmon_coverage *coverage, const struct ptpmon_clock_map *clocks);

/* 0: open end. */
void ptpmon_coverage_ran(struct ptpmon_coverage *coverage, ptpmon_instant from, ptpmon_instant to);

/* earliest: event time before which neither end can lie, as far as known; it tells where an end belongs when the clock
 * of capture time was set back. */
void ptpmon_coverage_lost(struct ptpmon_coverage *coverage, ptpmon_instant from, ptpmon_instant to,
                          ptpmon_instant earliest);

/* Moves what was told in capture time to event time, as far as the clocks are known; due after each reading. */
void ptpmon_coverage_settle(struct ptpmon_coverage *coverage);

/* What, first of all, there is within `from`..`to`, event time. */
enum ptpmon_coverage_at ptpmon_coverage_at(const struct ptpmon_coverage *coverage, ptpmon_instant from,
                                           ptpmon_instant to);

/* Drops the losses that ended before `event_time`. */
void ptpmon_coverage_forget(struct ptpmon_coverage *coverage, ptpmon_instant event_time);

#endif
