/* SPDX-License-Identifier: MIT */
#include "histogram.h"

#include <math.h>
#include <stddef.h>

/* Below 2 * STEPS a bucket holds one value; above, the leading eight bits and the exponent choose it. */
static size_t bucket_of(uint64_t magnitude)
{
    unsigned shift = 0;
    while (magnitude >> shift >= 2 * HISTOGRAM_STEPS)
        shift++;
    return shift * HISTOGRAM_STEPS + (size_t)(magnitude >> shift);
}

static uint64_t bucket_middle(size_t bucket)
{
    if (bucket < 2 * HISTOGRAM_STEPS)
        return bucket;
    size_t shift = bucket / HISTOGRAM_STEPS - 1;
    uint64_t leading = bucket - shift * HISTOGRAM_STEPS;
    uint64_t middle = (leading << shift) + ((1ull << shift) >> 1);
    return middle < INT64_MAX ? middle : INT64_MAX; /* the last bucket holds INT64_MIN alone */
}

void histogram_add(struct histogram *histogram, int64_t value)
{
    if (value < 0)
        histogram->negative[bucket_of(0 - (uint64_t)value)]++;
    else
        histogram->positive[bucket_of((uint64_t)value)]++;
    if (histogram->count == 0 || value < histogram->minimum)
        histogram->minimum = value;
    if (histogram->count == 0 || value > histogram->maximum)
        histogram->maximum = value;
    histogram->count++;
}

static int64_t within(const struct histogram *histogram, int64_t value)
{
    if (value < histogram->minimum)
        return histogram->minimum;
    return value > histogram->maximum ? histogram->maximum : value;
}

int64_t histogram_quantile(const struct histogram *histogram, double share)
{
    uint64_t rank = (uint64_t)ceil(share * (double)histogram->count);
    uint64_t passed = 0;
    for (size_t i = HISTOGRAM_BUCKETS; i-- > 0;) {
        passed += histogram->negative[i];
        if (passed > 0 && passed >= rank)
            return within(histogram, -(int64_t)bucket_middle(i));
    }
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        passed += histogram->positive[i];
        if (passed > 0 && passed >= rank)
            return within(histogram, (int64_t)bucket_middle(i));
    }
    return histogram->maximum;
}
