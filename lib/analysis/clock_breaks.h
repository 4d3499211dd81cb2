/* SPDX-License-Identifier: MIT */
/*
 * The stretches of event time in which a clock did not run through, in order; the newest PTPMON_BREAKS_KEPT are kept.
 *
 * A break lies between two readings of the clock. A jump that is far above what stamps are late by is narrowed down by
 * the stamps of that stretch, before and after the readings have shown it: stamps may be told before or after their
 * readings.
 */
#ifndef PTPMON_LIB_ANALYSIS_CLOCK_BREAKS_H
#define PTPMON_LIB_ANALYSIS_CLOCK_BREAKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PTPMON_BREAKS_KEPT   1024
#define PTPMON_BREAK_STAMPS  256 /* of the stretch since the newest reading; of more, neighbours are put together */
#define PTPMON_LOCATE_AT_ALL 1e6 /* ns: smaller jumps are not looked for in stamps */

/* Clock - event time, ns, as a straight line. */
struct ptpmon_clock_line {
    uint64_t at; /* event time */
    int64_t difference;
    double rate;
};

/* How far above the line a stamp at this event time is, ns. */
static inline double ptpmon_clock_line_distance(const struct ptpmon_clock_line *line, uint64_t event_time,
                                                int64_t stamp_ns)
{
    int64_t difference = (int64_t)((uint64_t)stamp_ns - event_time - (uint64_t)line->difference);
    return (double)difference - line->rate * (double)(int64_t)(event_time - line->at);
}

/* Neighbouring stamps. How late: the time between clock and driver side, if the clock kept to the line; never negative
 * then, but for what the line is wrong by. */
struct ptpmon_stamp_group {
    uint64_t first, last;                                                /* event time */
    double least_received, greatest_received, least_sent, greatest_sent; /* distance; least > greatest: none */
};

struct ptpmon_stamp_groups {
    struct ptpmon_stamp_group groups[PTPMON_BREAK_STAMPS];
    size_t count;
    uint32_t stamps_each, stamps_last; /* in a full group, in the last one */
};

void ptpmon_stamp_groups_clear(struct ptpmon_stamp_groups *groups);
void ptpmon_stamp_groups_add(struct ptpmon_stamp_groups *groups, uint64_t event_time, double distance, bool received);
/* The greatest |distance|; 0 without stamps. */
double ptpmon_stamp_groups_noise(const struct ptpmon_stamp_groups *groups);

struct ptpmon_clock_break {
    uint64_t begin, end;           /* it lies between them: readings */
    uint32_t segment;              /* what comes after it */
    bool located;                  /* one jump, which stamps may narrow down: */
    uint64_t located_end;          /* of its own stretch, where the break goes on after it */
    struct ptpmon_clock_line line; /* before the jump */
    double jump, early, late;      /* ns; how far a stamp may seem off the line on either side */
    uint64_t before, after;        /* all stamps up to, from there are on one side of it */
    uint64_t first_not_before, last_not_after;
};

struct ptpmon_clock_breaks {
    struct ptpmon_clock_break kept[PTPMON_BREAKS_KEPT];
    size_t first, count;
    uint64_t forgotten_until; /* event time; 0 = nothing was forgotten */
    uint32_t forgotten_segment;
};

/* A break from begin to end, after all others. It stays valid until the next is added. */
struct ptpmon_clock_break *ptpmon_clock_breaks_add(struct ptpmon_clock_breaks *breaks, uint64_t begin, uint64_t end,
                                                   uint32_t segment);
/* The newest; NULL: none. */
static inline struct ptpmon_clock_break *ptpmon_clock_breaks_newest(struct ptpmon_clock_breaks *breaks)
{
    return breaks->count > 0 ? &breaks->kept[(breaks->first + breaks->count - 1) % PTPMON_BREAKS_KEPT] : NULL;
}

/* The break is a jump off this line, and a stamp on either side of it is late by less than `late`, or early by less
 * than `early`, ns. `stamps`: of this stretch, as far as they have come. */
void ptpmon_clock_break_locate(struct ptpmon_clock_break *broken, const struct ptpmon_clock_line *line, double jump,
                               double early, double late, const struct ptpmon_stamp_groups *stamps);
/* The break goes on to `end`. */
void ptpmon_clock_break_extend(struct ptpmon_clock_break *broken, uint64_t end);

/* A stamp within some break; what is in none is passed over. */
void ptpmon_clock_breaks_stamp(struct ptpmon_clock_breaks *breaks, uint64_t event_time, int64_t stamp_ns,
                               bool received);

/* Where stamps are of neither side: after `from`, before `to`. */
uint64_t ptpmon_clock_break_from(const struct ptpmon_clock_break *broken);
uint64_t ptpmon_clock_break_to(const struct ptpmon_clock_break *broken);

/* The newest break that begins before this event time; NULL: none. */
const struct ptpmon_clock_break *ptpmon_clock_breaks_before(const struct ptpmon_clock_breaks *breaks,
                                                            uint64_t event_time);

#endif
