/* SPDX-License-Identifier: MIT */
#include "clock_tracker.h"

#include "frame_key.h"
#include "instant.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_NS 1000000000

/* What lies further than this from what was foretold is doubted; for each ns since the last block, the drift that
 * nobody has seen yet may have added to it. */
#define TOLERANCE_NS 10000000
#define UNSEEN_DRIFT 500e-6

/* Of the first two blocks, the second counts if it lies this close to the first. */
#define LATE_NS 2000000

/* Pairs that make a step of two blocks; a third block is waited for where there are fewer. */
#define STEP_PAIRS 6

/* The level is taken from this many blocks, none of them much older than the newest. */
#define LEVEL_BLOCKS 5
#define LEVEL_AGE_NS INT64_C(60000000000)

/* Over less, jitter is mistaken for drift. */
#define SLOPE_BLOCKS  3
#define SLOPE_SPAN_NS INT64_C(4000000000)
/* From this long after the last block on, the slope of the whole counts, which is the finer one. */
#define LONG_GAP_NS INT64_C(30000000000)

#define COARSE_POINTS 32

/* No clock that runs at all drifts more. */
#define DRIFT_LIMIT 1e-3

/* Differences stay below 2^61 (73 years), so that those of damaged files overflow nothing. */
static int64_t bounded(int64_t difference)
{
    const int64_t limit = INT64_C(1) << 61;
    if (difference > limit)
        return limit;
    return difference < -limit ? -limit : difference;
}

static int compare_numbers(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts the values. count > 0 */
static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare_numbers);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static int64_t span_of(const struct ptpmon_tracker_point *points, size_t count)
{
    return count > 0 ? llabs(points[count - 1].time - points[0].time) : 0;
}

/* Theil and Sen: the median of the slopes between any two points; a quarter of the points may be wrong. 0: too few. */
static double slope_of(const struct ptpmon_tracker_point *points, size_t count)
{
    double slopes[PTPMON_TRACKER_HISTORY * (PTPMON_TRACKER_HISTORY + 1) / 2];
    size_t found = 0;
    if (count < SLOPE_BLOCKS || span_of(points, count) < SLOPE_SPAN_NS)
        return 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i + 1; j < count; j++) {
            int64_t apart = points[j].time - points[i].time;
            if (apart != 0)
                slopes[found++] = (double)(points[j].difference - points[i].difference) / (double)apart;
        }
    }
    if (found == 0)
        return 0;
    double slope = median(slopes, found);
    if (slope > DRIFT_LIMIT)
        return DRIFT_LIMIT;
    return slope < -DRIFT_LIMIT ? -DRIFT_LIMIT : slope;
}

/* The median of the points, moved along the slope to `time`, relative to `base`. 0 < count <= history */
static double level_of(const struct ptpmon_tracker_point *points, size_t count, double slope, int64_t time,
                       int64_t base)
{
    double levels[PTPMON_TRACKER_HISTORY + 1] = {0};
    for (size_t i = 0; i < count; i++)
        levels[i] = (double)(points[i].difference - base) + slope * (double)(time - points[i].time);
    return median(levels, count);
}

static struct ptpmon_tracker_point median_point(const struct ptpmon_tracker_point *points, size_t count, uint64_t pairs)
{
    double values[PTPMON_TRACKER_OPEN] = {0};
    int64_t time = points[0].time, difference = points[0].difference;
    struct ptpmon_tracker_point middle = {.blocks = 1, .pairs = pairs < UINT32_MAX ? (uint32_t)pairs : UINT32_MAX};
    for (size_t i = 0; i < count; i++)
        values[i] = (double)(points[i].time - time);
    middle.time = time + (int64_t)median(values, count);
    for (size_t i = 0; i < count; i++)
        values[i] = (double)(points[i].difference - difference);
    middle.difference = difference + (int64_t)median(values, count);
    return middle;
}

/* A random choice of `size` out of all that come; `seen` came before this one. */
static void choose(struct ptpmon_tracker_point *points, size_t size, uint64_t seen, int64_t time, int64_t difference)
{
    uint64_t slot = seen < size ? seen : ptpmon_hash_mix(seen) % (seen + 1);
    if (slot < size)
        points[slot] = (struct ptpmon_tracker_point){time, difference, 1, 1};
}

static size_t kept(uint64_t seen, size_t size)
{
    return seen < size ? (size_t)seen : size;
}

/* ---- Foretelling --------------------------------------------------------------------------- */

/* Of the whole, by few of its points: it may be asked for every second of a long pause. */
static double coarse_slope(const struct ptpmon_clock_tracker *tracker)
{
    struct ptpmon_tracker_point points[COARSE_POINTS];
    size_t count = 0, every = 1 + tracker->history_count / COARSE_POINTS;
    for (size_t i = 0; i < tracker->history_count; i += every)
        points[count++] = tracker->history[i];
    return slope_of(points, count);
}

static double foretold_slope(const struct ptpmon_clock_tracker *tracker, int64_t since_newest)
{
    int64_t recent_span = span_of(tracker->recent, tracker->recent_count);
    int64_t history_span = span_of(tracker->history, tracker->history_count);
    if (history_span > recent_span && (since_newest > LONG_GAP_NS || recent_span < SLOPE_SPAN_NS))
        return coarse_slope(tracker);
    return tracker->recent_slope;
}

/* How far a point may lie from what was foretold for it from what is `since` older. */
static int64_t tolerance(int64_t since)
{
    return TOLERANCE_NS + (int64_t)(UNSEEN_DRIFT * (double)llabs(since));
}

/* Of two blocks no median tells which one is wrong. */
static bool is_late(const struct ptpmon_tracker_point *first, const struct ptpmon_tracker_point *second)
{
    int64_t apart = llabs(second->difference - first->difference);
    return apart > LATE_NS + (int64_t)(UNSEEN_DRIFT * (double)llabs(second->time - first->time));
}

/* The difference at a capture time. */
static int64_t foretell(const struct ptpmon_clock_tracker *tracker, int64_t time)
{
    size_t count = tracker->recent_count, first = count;
    if (count == 0)
        return tracker->start_offset;
    const struct ptpmon_tracker_point *newest = &tracker->recent[count - 1];
    while (first > 0 && count - first < LEVEL_BLOCKS && newest->time - tracker->recent[first - 1].time <= LEVEL_AGE_NS)
        first--;
    if (count - first == 2) {
        if (is_late(&newest[-1], newest))
            newest--;
        first = (size_t)(newest - tracker->recent);
        count = first + 1;
    }
    double slope = foretold_slope(tracker, time - newest->time);
    return bounded(newest->difference +
                   (int64_t)level_of(&tracker->recent[first], count - first, slope, time, newest->difference));
}

int64_t ptpmon_clock_tracker_offset(const struct ptpmon_clock_tracker *tracker, int64_t realtime_ns)
{
    size_t count = tracker->recent_count;
    int64_t about = (count > 0 ? tracker->recent[count - 1].difference : tracker->start_offset) - tracker->system_steps;
    return foretell(tracker, ptpmon_instant_add(ptpmon_instant_clamp(realtime_ns), about)) - tracker->system_steps;
}

/* ---- Following ----------------------------------------------------------------------------- */

static void merge_point(struct ptpmon_tracker_point *into, const struct ptpmon_tracker_point *other)
{
    double share = (double)other->blocks / (double)(into->blocks + other->blocks);
    into->time += (int64_t)(share * (double)(other->time - into->time));
    into->difference += (int64_t)(share * (double)(other->difference - into->difference));
    into->blocks += other->blocks;
}

static void halve_history(struct ptpmon_clock_tracker *tracker)
{
    for (size_t i = 0; i < PTPMON_TRACKER_HISTORY / 2; i++) {
        tracker->history[i] = tracker->history[2 * i];
        merge_point(&tracker->history[i], &tracker->history[2 * i + 1]);
    }
    tracker->history_count = PTPMON_TRACKER_HISTORY / 2;
    tracker->history_merged *= 2;
}

static void add_to_history(struct ptpmon_clock_tracker *tracker, struct ptpmon_tracker_point block)
{
    block.difference -= tracker->capture_steps;
    if (tracker->history_count > 0) {
        struct ptpmon_tracker_point *last = &tracker->history[tracker->history_count - 1];
        if (last->blocks < tracker->history_merged) {
            merge_point(last, &block);
            return;
        }
    }
    if (tracker->history_count == PTPMON_TRACKER_HISTORY)
        halve_history(tracker);
    tracker->history[tracker->history_count++] = block;
}

static void accept(struct ptpmon_clock_tracker *tracker, const struct ptpmon_tracker_point *block)
{
    if (tracker->recent_count == PTPMON_TRACKER_RECENT)
        memmove(tracker->recent, tracker->recent + 1, --tracker->recent_count * sizeof *tracker->recent);
    tracker->recent[tracker->recent_count++] = *block;
    tracker->recent_slope = slope_of(tracker->recent, tracker->recent_count);
    add_to_history(tracker, *block);
}

/* What the doubted blocks agree to lie off from what was foretold. False: they do not agree, or are too few. */
static bool doubted_agree(const struct ptpmon_clock_tracker *tracker, int64_t *shift)
{
    double shifts[PTPMON_TRACKER_DOUBT] = {0};
    size_t count = tracker->doubted_count;
    uint64_t pairs = 0;
    for (size_t i = 0; i < count; i++) {
        shifts[i] = (double)(tracker->doubted[i].difference - foretell(tracker, tracker->doubted[i].time));
        pairs += tracker->doubted[i].pairs;
    }
    *shift = (int64_t)median(shifts, count);
    bool agree =
        shifts[count - 1] - shifts[0] <= (double)tolerance(tracker->doubted[count - 1].time - tracker->doubted[0].time);
    return agree && (count == PTPMON_TRACKER_DOUBT || (count > 1 && pairs >= STEP_PAIRS));
}

/* The blocks before the step go on to tell the slope. */
static void take_step(struct ptpmon_clock_tracker *tracker, int64_t shift)
{
    for (size_t i = 0; i < tracker->recent_count; i++)
        tracker->recent[i].difference = bounded(tracker->recent[i].difference + shift);
    if (tracker->history_count > 0)
        tracker->capture_steps = bounded(tracker->capture_steps + shift);
    for (size_t i = 0; i < tracker->doubted_count; i++)
        accept(tracker, &tracker->doubted[i]);
    tracker->doubted_count = 0;
}

static void doubt(struct ptpmon_clock_tracker *tracker, const struct ptpmon_tracker_point *block)
{
    int64_t shift;
    if (tracker->doubted_count == PTPMON_TRACKER_DOUBT)
        memmove(tracker->doubted, tracker->doubted + 1, --tracker->doubted_count * sizeof *tracker->doubted);
    tracker->doubted[tracker->doubted_count++] = *block;
    if (doubted_agree(tracker, &shift))
        take_step(tracker, shift);
}

static void close_block(struct ptpmon_clock_tracker *tracker)
{
    struct ptpmon_tracker_point block =
        median_point(tracker->open, kept(tracker->open_count, PTPMON_TRACKER_OPEN), tracker->open_count);
    const struct ptpmon_tracker_point *newest = &tracker->recent[tracker->recent_count - 1];
    int64_t off = block.difference - foretell(tracker, block.time);
    tracker->open_count = 0;
    if (llabs(off) > tolerance(block.time - newest->time)) {
        doubt(tracker, &block);
        return;
    }
    tracker->doubted_count = 0;
    accept(tracker, &block);
}

void ptpmon_clock_tracker_start(struct ptpmon_clock_tracker *tracker, int64_t offset_ns)
{
    memset(tracker, 0, sizeof *tracker);
    tracker->start_offset = bounded(offset_ns);
    tracker->history_merged = 1;
}

/* A pair from before the last step of the system clock comes with the difference from before it. */
static int64_t without_system_steps(const struct ptpmon_clock_tracker *tracker, int64_t difference)
{
    int64_t after = bounded(difference + tracker->system_steps);
    int64_t before = bounded(after - tracker->last_system_step);
    int64_t expected =
        tracker->recent_count > 0 ? tracker->recent[tracker->recent_count - 1].difference : tracker->start_offset;
    return llabs(before - expected) < llabs(after - expected) ? before : after;
}

void ptpmon_clock_tracker_add(struct ptpmon_clock_tracker *tracker, int64_t capture_time_ns, int64_t difference_ns)
{
    int64_t time = ptpmon_instant_clamp(capture_time_ns);
    int64_t difference = bounded(difference_ns);
    if (tracker->last_system_step != 0)
        difference = without_system_steps(tracker, difference);
    if (tracker->pairs == 0) {
        tracker->first_time = time;
        /* Stands in for a block until there are some. */
        tracker->recent[tracker->recent_count++] = (struct ptpmon_tracker_point){time, tracker->start_offset, 1, 0};
    }
    if (tracker->open_count > 0 && llabs(time - tracker->open[0].time) >= BLOCK_NS)
        close_block(tracker);
    choose(tracker->open, PTPMON_TRACKER_OPEN, tracker->open_count++, time, difference);
    choose(tracker->sample, PTPMON_TRACKER_SAMPLE, tracker->pairs++, time, difference - tracker->capture_steps);
}

void ptpmon_clock_tracker_system_stepped(struct ptpmon_clock_tracker *tracker, int64_t by_ns)
{
    tracker->last_system_step = bounded(by_ns);
    tracker->system_steps = bounded(tracker->system_steps + bounded(by_ns));
}

/* ---- Summing up ---------------------------------------------------------------------------- */

/* Nine of ten pairs of the sample lie this close to the line through (time, difference). */
static uint64_t residual(const struct ptpmon_clock_tracker *tracker, double slope, int64_t time, int64_t difference)
{
    double distances[PTPMON_TRACKER_SAMPLE] = {0};
    size_t count = kept(tracker->pairs, PTPMON_TRACKER_SAMPLE);
    for (size_t i = 0; i < count; i++) {
        const struct ptpmon_tracker_point *pair = &tracker->sample[i];
        double distance = (double)(pair->difference - difference) - slope * (double)(pair->time - time);
        distances[i] = distance < 0 ? -distance : distance;
    }
    qsort(distances, count, sizeof *distances, compare_numbers);
    return (uint64_t)(distances[(count * 9 + 9) / 10 - 1] + 0.5);
}

void ptpmon_clock_tracker_summary(const struct ptpmon_clock_tracker *tracker, ptpmon_alignment *alignment)
{
    struct ptpmon_tracker_point points[PTPMON_TRACKER_HISTORY + 1];
    size_t count = tracker->history_count;
    alignment->pairs = tracker->pairs;
    alignment->at_ns = tracker->first_time;
    alignment->offset_ns = tracker->start_offset;
    alignment->drift_ppm = 0;
    alignment->residual_ns = 0;
    if (tracker->pairs == 0)
        return;
    memcpy(points, tracker->history, count * sizeof *points);
    if (count == 0)
        points[count++] =
            median_point(tracker->open, kept(tracker->open_count, PTPMON_TRACKER_OPEN), tracker->open_count);
    double slope = slope_of(points, count);
    int64_t base = points[0].difference;
    int64_t offset = base + (int64_t)level_of(points, count, slope, tracker->first_time, base);
    alignment->offset_ns = offset;
    alignment->drift_ppm = slope / (1 - slope) * 1e6; /* the slope is over the capture's clock */
    alignment->residual_ns = residual(tracker, slope, tracker->first_time, offset);
}
