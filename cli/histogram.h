/* SPDX-License-Identifier: MIT */
/*
 * Quantiles of any number of values in bounded memory: buckets of equal relative width. Minimum and
 * maximum are exact, quantiles are within 0.4 % (exact below 256 ns).
 */
#ifndef PTPMON_CLI_HISTOGRAM_H
#define PTPMON_CLI_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_STEPS   128 /* buckets per power of two */
#define HISTOGRAM_BUCKETS ((64 - 7) * HISTOGRAM_STEPS + HISTOGRAM_STEPS)

struct histogram {
    uint64_t count;
    int64_t minimum, maximum; /* meaningless while count is 0 */
    uint64_t negative[HISTOGRAM_BUCKETS], positive[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, int64_t value);

/* The value below which the given share (0 to 1) of all lies; count must not be 0. */
int64_t histogram_quantile(const struct histogram *histogram, double share);

#endif
