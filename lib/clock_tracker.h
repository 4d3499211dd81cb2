/* SPDX-License-Identifier: MIT */
/*
 * Follows the offset of a capture's clock against the system clock through pairs that the correlator
 * matched, and sums it up. One pass, fixed size, no allocation.
 *
 * Single pairs are late by whatever the scheduler does, so medians over blocks of about a second
 * stand for them. What comes next is foretold from the last blocks: their median level, and a robust
 * slope. Several blocks in a row that lie elsewhere, but agree with one another, are a step of the
 * capture's clock; one that does not is forgotten.
 *
 * Steps of the system clock are told by the caller, who sees them in the CLOCKS records. Pairs tell
 * of them only if they are smaller than the correlator's window.
 *
 * Units: ns; offsets are capture clock - system clock.
 */
#ifndef PTPMON_LIB_CLOCK_TRACKER_H
#define PTPMON_LIB_CLOCK_TRACKER_H

#include <ptpmon.h>

#define PTPMON_TRACKER_OPEN    64   /* pairs of the block that is being filled; of more, a random choice */
#define PTPMON_TRACKER_RECENT  16   /* blocks from which the future is foretold */
#define PTPMON_TRACKER_DOUBT   3    /* blocks that make a step */
#define PTPMON_TRACKER_HISTORY 128  /* blocks that stand for the whole; neighbours are merged to make room */
#define PTPMON_TRACKER_SAMPLE  1024 /* pairs by which the line is judged, a random choice of all */

struct ptpmon_tracker_point {
    int64_t time; /* capture time */
    int64_t difference;
    uint32_t blocks; /* in the history: how many were merged */
    uint32_t pairs;
};

struct ptpmon_clock_tracker {
    int64_t start_offset;
    uint64_t pairs;
    int64_t first_time;
    /* Differences are kept as if the system clock had never been stepped. */
    int64_t system_steps, last_system_step;
    int64_t capture_steps; /* taken out of history and sample */
    struct ptpmon_tracker_point open[PTPMON_TRACKER_OPEN];
    uint64_t open_count; /* pairs seen, also those not kept */
    struct ptpmon_tracker_point recent[PTPMON_TRACKER_RECENT], doubted[PTPMON_TRACKER_DOUBT];
    size_t recent_count, doubted_count;
    double recent_slope;
    struct ptpmon_tracker_point history[PTPMON_TRACKER_HISTORY];
    size_t history_count;
    uint32_t history_merged; /* blocks in a full point of the history */
    struct ptpmon_tracker_point sample[PTPMON_TRACKER_SAMPLE];
};

/* offset_ns: where the capture begins; from ptpmon_align(). */
void ptpmon_clock_tracker_start(struct ptpmon_clock_tracker *tracker, int64_t offset_ns);

/* difference_ns: capture time - CLOCK_REALTIME of the event. Pairs come about in order of time; after a long pause,
 * or a step, as they come. */
void ptpmon_clock_tracker_add(struct ptpmon_clock_tracker *tracker, int64_t capture_time_ns, int64_t difference_ns);

/* The system clock was set forward by so much. What is asked from now on is about the time after it; pairs may still
 * come from before. Need not be called for less than 1 ms. */
void ptpmon_clock_tracker_system_stepped(struct ptpmon_clock_tracker *tracker, int64_t by_ns);

/* The offset at this instant, seconds after the last pairs. */
int64_t ptpmon_clock_tracker_offset(const struct ptpmon_clock_tracker *tracker, int64_t realtime_ns);

/* Fills what alignment says of the pairs; the rest is left alone. Steps are taken out of the drift. */
void ptpmon_clock_tracker_summary(const struct ptpmon_clock_tracker *tracker, ptpmon_alignment *alignment);

#endif
