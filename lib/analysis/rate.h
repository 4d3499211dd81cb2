/* SPDX-License-Identifier: MIT */
/* How fast another clock runs against ours, and the median of the newest delays. */
#ifndef PTPMON_LIB_ANALYSIS_RATE_H
#define PTPMON_LIB_ANALYSIS_RATE_H

#include <ptpmon_analysis.h>

#define PTPMON_RATE_WINDOW 8
/* Clocks of PTP are within 100 ppm (IEEE 802.1AS-2020 B.1.1): two of them differ by twice as much at most. */
#define PTPMON_RATE_MAX 200e-6

/* Pairs of times at which the two clocks were seen together, but for a delay that hardly changes. */
struct ptpmon_rate {
    struct {
        int64_t remote, local;
    } at[PTPMON_RATE_WINDOW];
    uint8_t first, count;
    uint16_t sequenceId; /* of the newest */
    uint32_t segment;
};

/*
 * Adds a pair; ns. What came before is dropped where a sequence began anew, a clock was stepped (segment; or the two
 * clocks went apart by more than slack_ns beyond PTPMON_RATE_MAX) or time went backwards.
 */
void ptpmon_rate_add(struct ptpmon_rate *rate, int64_t remote, int64_t local, uint16_t sequenceId, uint32_t segment,
                     int64_t slack_ns);

/* remote clock / local clock: the median of the ratios between pairs that lie half a window apart; one jump between two
 * neighbours, by more than four times what all others are off and 100 ns, is taken out. False: not known yet, beyond
 * PTPMON_RATE_MAX, or lost in noise: the ratios of the window differ by more than they are off 1, and than 1 ppm. */
bool ptpmon_rate_ratio(const struct ptpmon_rate *rate, double *ratio);

/* One instant by both clocks, but for a delay; ns. */
struct ptpmon_clock_pair {
    int64_t remote, local;
    int64_t way; /* the end of an exchange: by so much more its begin had the remote clock ahead, for the delay */
};

/*
 * Do the times of an exchange contradict one another? Its begin and end are held against each other (twice_delay, ns,
 * is far below 0), and against the newest exchange before it, as far as that is known: the clocks cannot have gone on
 * alike to the one and not to the other. Then a clock was stepped within the exchange, or a stamp is another message's.
 * Where neither fits what was before, a clock was stepped in between, which does no harm. slack_ns as above. Keeps the
 * end for the next one.
 */
bool ptpmon_times_contradict(struct ptpmon_clock_pair *newest, bool *newest_known, struct ptpmon_clock_pair begin,
                             struct ptpmon_clock_pair end, double twice_delay, int64_t slack_ns);

/* The moving median of `size` delays: `newest` by arrival, `sorted`; both have room for `size`. */
struct ptpmon_median {
    uint32_t count, next;
};

/* Adds a delay and returns the median; of an even number the mean of the two in the middle. */
ptpmon_time ptpmon_median_add(struct ptpmon_median *median, ptpmon_time *newest, ptpmon_time *sorted, uint32_t size,
                              ptpmon_time delay);

#endif
