/* SPDX-License-Identifier: MIT */
#include "clock_relation.h"

#include <math.h>
#include <string.h>

/* Event time over the NIC's time from one record to the next, taken as a straight line. */
struct line {
    double slope;       /* how much slower than event time the NIC's clock runs; 1e-6 = 1 ppm */
    double length;      /* ns of the NIC's clock */
    double uncertainty; /* ns; of the end against the beginning, +- */
};

/* Clocks that are only steered stay within 1000 ppm of each other; what is beyond was set. */
#define STEERED_AT_MOST 1e-3
/* The rate of a clock that is not steered (IEEE 802.1AS-2020, B.1.1). */
#define UNSTEERED_AT_MOST 1e-4

static double hardware_uncertainty(const PTP_CLOCKS_RECORD *record)
{
    return (double)record->hw_uncertainty_ns + record->realtime_uncertainty_ns;
}

/* The line from records [i] to [i + 1]; false: there is none, or a clock was set between them. */
static bool line_from(const struct ptpmon_clock_relation *relation, size_t i, struct line *line)
{
    const PTP_CLOCKS_RECORD *from = &relation->records[i], *to = from + 1;
    if (from->hw_timestamp_ns == 0 || to->hw_timestamp_ns <= from->hw_timestamp_ns)
        return false;
    line->length = (double)(to->hw_timestamp_ns - from->hw_timestamp_ns);
    line->slope = ((double)(to->system_timestamp - from->system_timestamp) - line->length) / line->length;
    line->uncertainty = hardware_uncertainty(from) + hardware_uncertainty(to);
    return fabs(line->slope) <= STEERED_AT_MOST;
}

/* How far from the end of a line the line beside it would have led, at most. */
static double bend(const struct line *line, const struct line *beside)
{
    return fabs(line->slope - beside->slope) * line->length + line->uncertainty +
           beside->uncertainty * line->length / beside->length;
}

/*
 * How far the clock may have been from the line between records [i] and [i + 1], at most. A step or
 * a change of rate between them shows in the bend to the line before it or to the one after it:
 * until the change the clock kept to the one, from then on to the other. Without neighbours the
 * rate of an unsteered clock is the measure. False: a clock was set beside it, and a stamp from
 * there may look like one from here.
 */
static bool line_error(const struct ptpmon_clock_relation *relation, size_t i, const struct line *line, double *error)
{
    struct line beside;
    bool has_before = i > 0, has_after = i + 2 < relation->count;
    *error = 0;
    if (!has_before && !has_after)
        *error = (fabs(line->slope) + UNSTEERED_AT_MOST) * line->length + line->uncertainty;
    if (has_before) {
        if (!line_from(relation, i - 1, &beside))
            return false;
        *error = bend(line, &beside);
    }
    if (has_after) {
        if (!line_from(relation, i + 1, &beside))
            return false;
        *error = fmax(*error, bend(line, &beside));
    }
    return true;
}

/* Works out the drift between records [i] and [i + 1]. */
static void work_out_drift(struct ptpmon_clock_relation *relation, size_t i)
{
    const PTP_CLOCKS_RECORD *before = &relation->records[i], *after = before + 1;
    struct ptpmon_clock_drift *drift = &relation->drifts[i];
    struct line line = {0};
    drift->known = line_from(relation, i, &line) && line_error(relation, i, &line, &drift->error);
    drift->slope = line.slope;
    drift->uncertainty = fmax(hardware_uncertainty(before), hardware_uncertainty(after));
}

static void drop_oldest(struct ptpmon_clock_relation *relation)
{
    relation->count--;
    memmove(relation->records, relation->records + 1, relation->count * sizeof *relation->records);
    memmove(relation->drifts, relation->drifts + 1, relation->count * sizeof *relation->drifts);
    work_out_drift(relation, 0);
}

void ptpmon_clock_relation_add(struct ptpmon_clock_relation *relation, const PTP_CLOCKS_RECORD *record)
{
    if (relation->count > 0 && record->system_timestamp <= relation->records[relation->count - 1].system_timestamp)
        return;
    if (relation->count == PTPMON_CLOCK_RELATION_KEPT)
        drop_oldest(relation);
    relation->records[relation->count++] = *record;
    /* The new interval, and the one that it is the neighbour of. */
    for (size_t i = relation->count > 3 ? relation->count - 3 : 0; i + 1 < relation->count; i++)
        work_out_drift(relation, i);
}

/* The interval of two neighbouring records that holds the moment: records [i] and [i + 1]. */
static bool interval_of(const struct ptpmon_clock_moment *moment, size_t *i)
{
    if (moment->until == 0 || moment->until == moment->relation->count)
        return false;
    *i = moment->until - 1;
    return true;
}

/* Wraps around like its operands: a damaged record may hold anything. */
static uint64_t realtime_offset(const PTP_CLOCKS_RECORD *record)
{
    return record->realtime_ns - record->system_timestamp;
}

bool ptpmon_clock_moment_realtime(const struct ptpmon_clock_moment *moment, int64_t *realtime_ns)
{
    if (moment->relation->count == 0)
        return false;
    const PTP_CLOCKS_RECORD *record = &moment->relation->records[moment->until > 0 ? moment->until - 1 : 0];
    *realtime_ns = (int64_t)(moment->event_time + realtime_offset(record));
    return true;
}

/*
 * CLOCK_MONOTONIC and CLOCK_REALTIME are steered alike, so their difference is constant but for steps. A step that the
 * uncertainties hide is no larger than the two records leave room for, and the bound holds that.
 */
bool ptpmon_clock_moment_since_realtime(const struct ptpmon_clock_moment *moment, uint64_t stamp, int64_t *ns,
                                        uint64_t *bound)
{
    const struct ptpmon_clock_relation *relation = moment->relation;
    size_t i;
    if (!interval_of(moment, &i))
        return false;
    const PTP_CLOCKS_RECORD *better = &relation->records[i], *other = better + 1;
    if (other->realtime_uncertainty_ns < better->realtime_uncertainty_ns) {
        better = other;
        other = &relation->records[i];
    }
    uint64_t difference = realtime_offset(other) - realtime_offset(better);
    uint64_t change = (int64_t)difference < 0 ? 0 - difference : difference;
    if (change > (uint64_t)better->realtime_uncertainty_ns + other->realtime_uncertainty_ns)
        return false;
    *ns = (int64_t)(moment->event_time - stamp + realtime_offset(better));
    *bound = change + other->realtime_uncertainty_ns;
    return true;
}

/* The interval that holds a stamp taken around the instants of interval [i]: itself or one beside it. */
static bool interval_of_stamp(const struct ptpmon_clock_relation *relation, size_t i, uint64_t stamp, size_t *holder)
{
    const PTP_CLOCKS_RECORD *records = relation->records;
    *holder = i;
    if (stamp < records[i].hw_timestamp_ns && i > 0)
        *holder = i - 1;
    else if (stamp > records[i + 1].hw_timestamp_ns && i + 2 < relation->count)
        *holder = i + 1;
    return stamp >= records[*holder].hw_timestamp_ns && stamp <= records[*holder + 1].hw_timestamp_ns;
}

bool ptpmon_clock_moment_since_hardware(const struct ptpmon_clock_moment *moment, uint64_t stamp, int64_t *ns,
                                        uint64_t *bound)
{
    const struct ptpmon_clock_relation *relation = moment->relation;
    size_t i, holder;
    if (!interval_of(moment, &i) || !interval_of_stamp(relation, i, stamp, &holder))
        return false;
    const struct ptpmon_clock_drift *beside = &relation->drifts[i], *drift = &relation->drifts[holder];
    if (!beside->known || !drift->known)
        return false;
    const PTP_CLOCKS_RECORD *before = &relation->records[holder];
    uint64_t into = stamp - before->hw_timestamp_ns;
    uint64_t slower = (uint64_t)llround((double)into * drift->slope);
    /* A clock steered between stamp and event was steered in one of the two intervals. */
    double error = (drift->error > beside->error ? drift->error : beside->error) + drift->uncertainty;
    *ns = (int64_t)(moment->event_time - before->system_timestamp - into - slower);
    *bound = (uint64_t)ceil(error + 0.5); /* *ns is rounded */
    return true;
}
