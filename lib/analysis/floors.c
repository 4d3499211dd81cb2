/* SPDX-License-Identifier: MIT */
#include "analysis/floors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BIN_AT_MOST_NS INT64_C(600000000000) /* a longer one says nothing of the clock in between */
#define SLOPES         7                     /* between neighbouring bins, from which the drift is known */
#define RESOLUTION     1.0                   /* ns, of stamps at best */
#define WINDOW         8                     /* bins */
#define TREND_LEAST    3                     /* bins that show how far they are off it */

static double sooner_by(int64_t later, int64_t sooner)
{
    return (double)(int64_t)((uint64_t)later - (uint64_t)sooner);
}

static int64_t middle_of(const struct ptpmon_floor_bin *bin)
{
    return bin->from_ns + (int64_t)(((uint64_t)bin->to_ns - (uint64_t)bin->from_ns) / 2);
}

static int compare(const void *a, const void *b)
{
    const double *one = a, *other = b;
    return (*one > *other) - (*one < *other);
}

/* Puts the values in order. */
static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* ---- Bins --------------------------------------------------------------------------------- */

static void open_bin(struct ptpmon_floors *floors, int64_t from_ns)
{
    floors->open = (struct ptpmon_floor_bin){
        .from_ns = from_ns,
        .to_ns = from_ns,
        .forward = INFINITY,
        .reverse = INFINITY,
        .flat_forward = INFINITY,
        .flat_reverse = INFINITY,
        .flat_sync = INFINITY,
    };
}

void ptpmon_floors_begin(struct ptpmon_floors *floors, int64_t base_ns)
{
    bool change_found = floors->change_found;
    double change = floors->change, change_bound = floors->change_bound;
    *floors = (struct ptpmon_floors){.base_ns = base_ns};
    floors->change_found = change_found;
    floors->change = change;
    floors->change_bound = change_bound;
}

/* The drift, from the slopes between neighbours: their median, so that a jump of the clock does not count. */
static void estimate_rate(struct ptpmon_floors *floors)
{
    double slopes[SLOPES];
    size_t count = 0;
    for (size_t i = floors->count; i-- > 1 && count < SLOPES;) {
        const struct ptpmon_floor_bin *bin = &floors->bins[i], *before = bin - 1;
        slopes[count++] = (bin->difference - before->difference) / sooner_by(middle_of(bin), middle_of(before));
    }
    if (count > 0)
        floors->rate = median(slopes, count);
}

static void close_bin(struct ptpmon_floors *floors)
{
    struct ptpmon_floor_bin bin = floors->open;
    bin.sum = bin.flat_forward + bin.flat_reverse;
    bin.difference = (bin.flat_forward - bin.flat_reverse) / 2 + floors->rate * sooner_by(middle_of(&bin), bin.from_ns);
    if (floors->count == PTPMON_FLOOR_BINS)
        memmove(floors->bins, floors->bins + 1, --floors->count * sizeof bin);
    floors->bins[floors->count++] = bin;
    /* The first two show the drift, and have it in them. */
    if (floors->rate_known && floors->steady < floors->count)
        floors->steady++;
    estimate_rate(floors);
    floors->rate_known = floors->count > 1;
}

static bool is_full(const struct ptpmon_floor_bin *bin, int64_t now_ns)
{
    return bin->forward_count >= PTPMON_FLOOR_BIN_VALUES && bin->reverse_count >= PTPMON_FLOOR_BIN_VALUES &&
           sooner_by(now_ns, bin->from_ns) >= (double)PTPMON_FLOOR_BIN_NS;
}

/* Makes the open bin fit for a value of this time. True: one was closed for it. */
static bool reach(struct ptpmon_floors *floors, int64_t local_ns)
{
    double since = floors->begun ? sooner_by(local_ns, floors->open.from_ns) : 0;
    bool lost = since > (double)BIN_AT_MOST_NS || since < -(double)BIN_AT_MOST_NS;
    if (lost)
        ptpmon_floors_begin(floors, floors->base_ns);
    bool full = floors->begun && is_full(&floors->open, local_ns);
    if (full)
        close_bin(floors);
    if (full || !floors->begun)
        open_bin(floors, local_ns);
    floors->begun = true;
    if (sooner_by(local_ns, floors->open.to_ns) > 0)
        floors->open.to_ns = local_ns;
    return full;
}

bool ptpmon_floors_forward(struct ptpmon_floors *floors, int64_t local_ns, double masterToSlave)
{
    bool full = reach(floors, local_ns);
    struct ptpmon_floor_bin *bin = &floors->open;
    double flat = masterToSlave - floors->rate * sooner_by(local_ns, bin->from_ns);
    bin->forward = fmin(bin->forward, masterToSlave);
    bin->flat_forward = fmin(bin->flat_forward, flat);
    bin->forward_count++;
    return full;
}

bool ptpmon_floors_reverse(struct ptpmon_floors *floors, int64_t local_ns, double slaveToMaster)
{
    bool full = reach(floors, local_ns);
    struct ptpmon_floor_bin *bin = &floors->open;
    double flat = slaveToMaster + floors->rate * sooner_by(local_ns, bin->from_ns);
    bin->reverse = fmin(bin->reverse, slaveToMaster);
    bin->flat_reverse = fmin(bin->flat_reverse, flat);
    bin->reverse_count++;
    return full;
}

void ptpmon_floors_sync(struct ptpmon_floors *floors, int64_t local_ns, double masterToSlave)
{
    struct ptpmon_floor_bin *bin = &floors->open;
    if (floors->begun)
        bin->flat_sync = fmin(bin->flat_sync, masterToSlave - floors->rate * sooner_by(local_ns, bin->from_ns));
}

/* ---- Changes ------------------------------------------------------------------------------ */

/* Values of bins: least and greatest, of many without the outermost two, and the median. */
struct spread {
    double least, greatest, median;
};

static struct spread spread_of(double *values, size_t count)
{
    struct spread spread = {.median = median(values, count)};
    size_t cut = count >= 8;
    spread.least = values[cut];
    spread.greatest = values[count - 1 - cut];
    return spread;
}

static struct spread sums_of(const struct ptpmon_floor_bin *bins, size_t count)
{
    double sums[PTPMON_FLOOR_BINS];
    for (size_t i = 0; i < count; i++)
        sums[i] = bins[i].sum;
    return spread_of(sums, count);
}

/* The differences as a straight line over time: robust, and how far off the bins are. */
struct trend {
    int64_t at_ns;
    double level, slope, off, most_off; /* off: of many bins without the outermost two */
};

static double off_trend(const struct trend *trend, const struct ptpmon_floor_bin *bin)
{
    return bin->difference - trend->level - trend->slope * sooner_by(middle_of(bin), trend->at_ns);
}

static struct trend trend_of(const struct ptpmon_floor_bin *bins, size_t count)
{
    double values[PTPMON_FLOOR_BINS * PTPMON_FLOOR_BINS / 2] = {0};
    struct trend trend = {.at_ns = middle_of(&bins[count - 1])};
    size_t slopes = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++)
            values[slopes++] =
                (bins[j].difference - bins[i].difference) / sooner_by(middle_of(&bins[j]), middle_of(&bins[i]));
    if (slopes > 0)
        trend.slope = median(values, slopes);
    for (size_t i = 0; i < count; i++)
        values[i] = off_trend(&trend, &bins[i]);
    trend.level = median(values, count);
    for (size_t i = 0; i < count; i++)
        values[i] = off_trend(&trend, &bins[i]);
    struct spread spread = spread_of(values, count);
    trend.off = fmax(-spread.least, spread.greatest);
    trend.most_off = fmax(-values[0], values[count - 1]); /* they are in order now */
    return trend;
}

/* By which direction the sum changed: the difference tells, as far as the clock kept to its trend. */
static bool direction_of(const struct ptpmon_floor_bin *before, size_t count, double size, double *off,
                         ptpmon_finding_kind *kind)
{
    double moved[PTPMON_FLOOR_AFTER];
    struct trend trend = trend_of(before, count);
    for (size_t i = 0; i < PTPMON_FLOOR_AFTER; i++)
        moved[i] = off_trend(&trend, &before[count + i]);
    double change = median(moved, PTPMON_FLOOR_AFTER), tolerance = 3 * trend.off + fabs(size) / 8;
    double as_forward = fabs(change - size / 2), as_reverse = fabs(change + size / 2);
    *kind = as_forward < as_reverse ? PTPMON_FOUND_FORWARD_CHANGE : PTPMON_FOUND_REVERSE_CHANGE;
    *off = fmin(as_forward, as_reverse);
    return *off <= tolerance && fmax(as_forward, as_reverse) > 2 * tolerance;
}

bool ptpmon_floors_change(struct ptpmon_floors *floors, ptpmon_finding_kind *kind, double *size, double *bound,
                          int64_t *local_ns)
{
    double off;
    if (floors->steady < PTPMON_FLOOR_BEFORE + PTPMON_FLOOR_AFTER)
        return false;
    size_t count = floors->steady - PTPMON_FLOOR_AFTER;
    const struct ptpmon_floor_bin *bins = &floors->bins[floors->count - floors->steady];
    struct spread before = sums_of(bins, count), after = sums_of(bins + count, PTPMON_FLOOR_AFTER);
    double noise = 3 * (before.greatest - before.least) + 2 * (after.greatest - after.least);
    double gap = fmax(after.least - before.greatest, before.least - after.greatest);
    if (gap <= PTPMON_FLOOR_LEAST + noise)
        return false;
    floors->steady = PTPMON_FLOOR_AFTER;
    *size = after.median - before.median;
    if (!direction_of(bins, count, *size, &off, kind))
        return false;
    *local_ns = bins[count].from_ns;
    *bound = before.greatest - before.least + after.greatest - after.least + off + RESOLUTION;
    floors->change_found = true;
    floors->change += *kind == PTPMON_FOUND_FORWARD_CHANGE ? *size / 2 : -*size / 2;
    floors->change_bound += *bound / 2;
    return true;
}

/* ---- Summing up --------------------------------------------------------------------------- */

static void summarize_syncs(const struct ptpmon_floor_bin *bins, size_t count, struct ptpmon_floor_summary *summary)
{
    double above[PTPMON_FLOOR_BINS] = {0};
    summary->has_sync = true;
    for (size_t i = 0; i < count; i++) {
        above[i] = bins[i].flat_sync - bins[i].flat_forward;
        summary->has_sync = summary->has_sync && fabs(above[i]) < INFINITY;
    }
    if (!summary->has_sync)
        return;
    struct spread spread = spread_of(above, count);
    summary->sync = spread.median;
    summary->sync_bound = fmax(above[count - 1] - spread.median, spread.median - above[0]); /* they are in order now */
}

/* One bin does not show how steady the floors are; but no delay is negative, so that the offset is not further off than
 * half of both. */
static bool summarize_open(const struct ptpmon_floor_bin *bin, struct ptpmon_floor_summary *summary)
{
    if (bin->forward_count == 0 || bin->reverse_count == 0)
        return false;
    double sum = bin->flat_forward + bin->flat_reverse;
    *summary = (struct ptpmon_floor_summary){
        .forward = bin->forward,
        .reverse = bin->reverse,
        .window_s = sooner_by(bin->to_ns, bin->from_ns) / 1e9,
        .sum = sum,
        .sum_bound = fabs(sum),
        .offset = (bin->flat_forward - bin->flat_reverse) / 2,
        .offset_bound = fabs(sum) / 2,
        .at_ns = middle_of(bin),
    };
    summarize_syncs(bin, 1, summary);
    return true;
}

bool ptpmon_floors_summarize(const struct ptpmon_floors *floors, struct ptpmon_floor_summary *summary)
{
    size_t count = floors->steady > 0 ? floors->steady : floors->count;
    if (floors->count == 0)
        return summarize_open(&floors->open, summary);
    count = count < WINDOW ? count : WINDOW;
    const struct ptpmon_floor_bin *bins = &floors->bins[floors->count - count];
    struct trend trend = trend_of(bins, count);
    *summary = (struct ptpmon_floor_summary){
        .forward = INFINITY,
        .reverse = INFINITY,
        .window_s = sooner_by(bins[count - 1].to_ns, bins[0].from_ns) / 1e9,
        .offset = trend.level,
        .offset_bound = trend.most_off,
        .rate = trend.slope,
        .at_ns = trend.at_ns,
    };
    for (size_t i = 0; i < count; i++) {
        summary->forward = fmin(summary->forward, bins[i].forward);
        summary->reverse = fmin(summary->reverse, bins[i].reverse);
    }
    summarize_syncs(bins, count, summary);
    struct spread sums = sums_of(bins, count);
    summary->sum = sums.median;
    summary->sum_bound = (sums.greatest - sums.least) / 2;
    if (count < TREND_LEAST)
        summary->offset_bound = fmax(trend.most_off, fabs(summary->sum) / 2);
    return true;
}
