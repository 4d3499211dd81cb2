/* SPDX-License-Identifier: MIT */
#include "alignment_stamps.h"

#include "error.h"
#include "instant.h"

#include <stdlib.h>

#define MICROSECOND 1000

/* Equal stamps that are no accident: in ns one is enough to tell the same clock, which it shows no other offset of; an
 * offset must be found at the same time. */
#define SAME_BY_NS  1
#define SAME_BY_US  3
#define MOVED_BY_NS 3
#define MOVED_BY_US 8

struct distance {
    int64_t ns;
    uint32_t event;
};

struct comparing {
    const struct ptpmon_probe *probe;
    enum ptpmon_stamp_kind kind;
    int64_t resolution;
    struct distance *distances; /* of candidates whose event has a stamp, in order */
    size_t count;
    uint32_t *seen; /* by event */
};

static int64_t stamp_of(const struct ptpmon_probe_event *event, enum ptpmon_stamp_kind kind)
{
    return ptpmon_instant_from_unsigned(kind == PTPMON_STAMPS_SOFTWARE ? event->software_stamp : event->hardware_stamp);
}

/* Times in ns may come from a file that had only us. */
static int64_t resolution_of(const struct ptpmon_probe *probe)
{
    int64_t resolution = 1;
    bool whole = true;
    for (size_t i = 0; i < probe->frame_count; i++) {
        if (probe->frames[i].resolution_ns > resolution)
            resolution = probe->frames[i].resolution_ns;
        whole = whole && probe->frames[i].time % MICROSECOND == 0;
    }
    return whole && resolution < MICROSECOND ? MICROSECOND : resolution;
}

static int compare_distances(const void *a, const void *b)
{
    const struct distance *x = a, *y = b;
    return (x->ns > y->ns) - (x->ns < y->ns);
}

static bool start_comparing(struct comparing *comparing, const struct ptpmon_probe *probe, enum ptpmon_stamp_kind kind)
{
    *comparing = (struct comparing){.probe = probe, .kind = kind, .resolution = resolution_of(probe)};
    comparing->distances = calloc(probe->candidate_count + 1, sizeof *comparing->distances);
    comparing->seen = calloc(probe->event_count + 1, sizeof *comparing->seen);
    if (comparing->distances == NULL || comparing->seen == NULL)
        return false;
    for (size_t i = 0; i < probe->candidate_count; i++) {
        const struct ptpmon_candidate *candidate = &probe->candidates[i];
        int64_t stamp = stamp_of(&probe->events[candidate->event], kind);
        if (stamp != 0)
            comparing->distances[comparing->count++] =
                (struct distance){probe->frames[candidate->frame].time - stamp, candidate->event};
    }
    qsort(comparing->distances, comparing->count, sizeof *comparing->distances, compare_distances);
    return true;
}

static void end_comparing(struct comparing *comparing)
{
    free(comparing->distances);
    free(comparing->seen);
}

static ptpmon_status no_memory(void)
{
    return ptpmon_fail(PTPMON_NO_MEMORY, "no memory for comparing events and capture; close other programs");
}

static size_t count_comparable(const struct comparing *comparing, int64_t offset)
{
    const struct ptpmon_probe *probe = comparing->probe;
    size_t compared = 0;
    for (size_t i = 0; i < comparing->count; i++) {
        uint32_t event = comparing->distances[i].event;
        int64_t time = ptpmon_instant_add(stamp_of(&probe->events[event], comparing->kind), offset);
        if (time > probe->stretch.from - comparing->resolution && time < probe->stretch.to + comparing->resolution)
            compared += comparing->seen[event]++ == 0;
    }
    for (size_t i = 0; i < comparing->count; i++)
        comparing->seen[comparing->distances[i].event] = 0;
    return compared;
}

static size_t count_unmoved(const struct comparing *comparing)
{
    size_t equal = 0;
    for (size_t i = 0; i < comparing->count; i++) {
        if (llabs(comparing->distances[i].ns) < comparing->resolution)
            equal += comparing->seen[comparing->distances[i].event]++ == 0;
    }
    for (size_t i = 0; i < comparing->count; i++)
        comparing->seen[comparing->distances[i].event] = 0;
    return equal;
}

/* The interval as wide as the resolution in which the distances of most events lie. */
static size_t count_moved(const struct comparing *comparing, int64_t *offset)
{
    size_t oldest = 0, events = 0, best = 0;
    for (size_t i = 0; i < comparing->count; i++) {
        const struct distance *newest = &comparing->distances[i];
        events += comparing->seen[newest->event]++ == 0;
        for (; newest->ns - comparing->distances[oldest].ns >= comparing->resolution; oldest++)
            events -= --comparing->seen[comparing->distances[oldest].event] == 0;
        if (events > best) {
            best = events;
            *offset = comparing->distances[oldest].ns + (newest->ns - comparing->distances[oldest].ns) / 2;
        }
    }
    for (size_t i = 0; i < comparing->count; i++)
        comparing->seen[comparing->distances[i].event] = 0;
    return best;
}

static bool proves(const struct comparing *comparing, size_t equal, size_t compared, size_t by_ns, size_t by_us)
{
    if (comparing->resolution > MICROSECOND)
        return false;
    size_t enough = comparing->resolution == 1 ? by_ns : by_us;
    return equal >= enough && equal * 10 >= compared * PTPMON_STAMPS_TENTHS;
}

ptpmon_status ptpmon_stamps_compare(const struct ptpmon_probe *probe, enum ptpmon_stamp_kind kind,
                                    struct ptpmon_stamps *stamps)
{
    struct comparing comparing;
    bool started = start_comparing(&comparing, probe, kind);
    *stamps = (struct ptpmon_stamps){0};
    if (started) {
        stamps->equal = count_unmoved(&comparing);
        stamps->compared = count_comparable(&comparing, 0);
        stamps->proved = proves(&comparing, stamps->equal, stamps->compared, SAME_BY_NS, SAME_BY_US);
    }
    if (started && !stamps->proved) {
        struct ptpmon_stamps moved = {0};
        moved.equal = count_moved(&comparing, &moved.offset);
        moved.compared = count_comparable(&comparing, moved.offset);
        moved.proved = proves(&comparing, moved.equal, moved.compared, MOVED_BY_NS, MOVED_BY_US);
        if (moved.proved)
            *stamps = moved;
    }
    stamps->resolution = comparing.resolution;
    end_comparing(&comparing);
    return started ? PTPMON_OK : no_memory();
}

bool ptpmon_stamps_equal(const struct ptpmon_probe *probe, enum ptpmon_stamp_kind kind,
                         const struct ptpmon_candidate *candidate, const struct ptpmon_stamps *stamps)
{
    int64_t stamp = stamp_of(&probe->events[candidate->event], kind);
    return stamp != 0 && llabs(probe->frames[candidate->frame].time - stamp - stamps->offset) < stamps->resolution;
}

ptpmon_status ptpmon_stamps_comparable(const struct ptpmon_probe *probe, enum ptpmon_stamp_kind kind, int64_t offset,
                                       size_t *compared)
{
    struct comparing comparing;
    bool started = start_comparing(&comparing, probe, kind);
    if (started)
        *compared = count_comparable(&comparing, offset);
    end_comparing(&comparing);
    return started ? PTPMON_OK : no_memory();
}
