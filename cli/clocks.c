/* SPDX-License-Identifier: MIT */
#include "clocks.h"

#include "cli.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void clocks_add(struct clocks *clocks, const PTP_CLOCKS_RECORD *record)
{
    if (clocks->count > 0 && record->system_timestamp <= clocks->records[clocks->count - 1].system_timestamp)
        return;
    if (clocks->count == CLOCKS_KEPT) {
        memmove(clocks->records, clocks->records + 1, (CLOCKS_KEPT - 1) * sizeof *clocks->records);
        clocks->count--;
    }
    clocks->records[clocks->count++] = *record;
}

/* How many records are not later than the instant. */
static size_t records_until(const struct clocks *clocks, uint64_t event_time)
{
    size_t count = clocks->count;
    while (count > 0 && clocks->records[count - 1].system_timestamp > event_time)
        count--;
    return count;
}

/* The interval of two neighbouring records that holds the instant: records [i] and [i + 1]. */
static bool interval_of(const struct clocks *clocks, uint64_t event_time, size_t *i)
{
    size_t until = records_until(clocks, event_time);
    if (until == 0 || until == clocks->count)
        return false;
    *i = until - 1;
    return true;
}

static int64_t realtime_offset(const PTP_CLOCKS_RECORD *record)
{
    return (int64_t)(record->realtime_ns - record->system_timestamp);
}

bool clocks_realtime_at(const struct clocks *clocks, uint64_t event_time, int64_t *realtime_ns)
{
    if (clocks->count == 0)
        return false;
    size_t until = records_until(clocks, event_time);
    const PTP_CLOCKS_RECORD *record = &clocks->records[until > 0 ? until - 1 : 0];
    *realtime_ns = (int64_t)event_time + realtime_offset(record);
    return true;
}

/* CLOCK_MONOTONIC and CLOCK_REALTIME are steered alike, so their difference is constant but for steps. */
bool clocks_since_realtime(const struct clocks *clocks, uint64_t event_time, uint64_t stamp, int64_t *ns,
                           uint64_t *bound)
{
    size_t i;
    if (!interval_of(clocks, event_time, &i))
        return false;
    const PTP_CLOCKS_RECORD *before = &clocks->records[i], *after = before + 1;
    uint64_t tolerance = (uint64_t)before->realtime_uncertainty_ns + after->realtime_uncertainty_ns;
    int64_t change = realtime_offset(after) - realtime_offset(before);
    if (change < -(int64_t)tolerance || change > (int64_t)tolerance)
        return false;
    const PTP_CLOCKS_RECORD *better = after->realtime_uncertainty_ns < before->realtime_uncertainty_ns ? after : before;
    *ns = (int64_t)(event_time - stamp) + realtime_offset(better);
    *bound = better->realtime_uncertainty_ns;
    return true;
}

/* How much slower than event time the NIC's clock runs from one record to the next; 1e-6 = 1 ppm. */
static bool hardware_slope(const PTP_CLOCKS_RECORD *from, const PTP_CLOCKS_RECORD *to, double *slope)
{
    if (from->hw_timestamp_ns == 0 || to->hw_timestamp_ns <= from->hw_timestamp_ns)
        return false;
    int64_t hardware = (int64_t)(to->hw_timestamp_ns - from->hw_timestamp_ns);
    int64_t system = (int64_t)(to->system_timestamp - from->system_timestamp);
    *slope = (double)(system - hardware) / (double)hardware;
    return true;
}

/*
 * What a straight line through records [i] and [i + 1] may be wrong by between them: how far
 * [i + 1] is from where the slope of the interval beside it would have put it. A step or a change
 * of rate inside the interval shows there in full. Of two neighbours the kinder one counts, since a step in
 * the neighbour is no fault of this interval.
 */
static uint64_t line_error(const struct clocks *clocks, size_t i, double slope)
{
    const PTP_CLOCKS_RECORD *records = clocks->records;
    double length = (double)(records[i + 1].hw_timestamp_ns - records[i].hw_timestamp_ns);
    double beside, error = fabs(slope) * length;
    if (i > 0 && hardware_slope(&records[i - 1], &records[i], &beside))
        error = fmin(error, fabs(slope - beside) * length);
    if (i + 2 < clocks->count && hardware_slope(&records[i + 1], &records[i + 2], &beside))
        error = fmin(error, fabs(slope - beside) * length);
    return (uint64_t)ceil(error);
}

static uint64_t hardware_uncertainty(const PTP_CLOCKS_RECORD *record)
{
    return (uint64_t)record->hw_uncertainty_ns + record->realtime_uncertainty_ns;
}

bool clocks_since_hardware(const struct clocks *clocks, uint64_t event_time, uint64_t stamp, int64_t *ns,
                           uint64_t *bound)
{
    size_t i;
    double slope;
    if (!interval_of(clocks, event_time, &i))
        return false;
    const PTP_CLOCKS_RECORD *before = &clocks->records[i], *after = before + 1;
    if (!hardware_slope(before, after, &slope))
        return false;
    /* A stamp far outside the interval is of another time scale or from before a step. */
    int64_t into = (int64_t)(stamp - before->hw_timestamp_ns);
    int64_t length = (int64_t)(after->hw_timestamp_ns - before->hw_timestamp_ns);
    if (into < -NS_PER_S || into > length + NS_PER_S)
        return false;
    int64_t stamp_after_before = into + llround((double)into * slope);
    *ns = (int64_t)(event_time - before->system_timestamp) - stamp_after_before;
    uint64_t first = hardware_uncertainty(before), second = hardware_uncertainty(after);
    *bound = (first > second ? first : second) + line_error(clocks, i, slope);
    return true;
}
