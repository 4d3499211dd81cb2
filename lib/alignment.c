/* SPDX-License-Identifier: MIT */
#include "alignment.h"

#include "alignment_interface.h"
#include "alignment_probe.h"
#include "alignment_stamps.h"
#include "alignment_vote.h"
#include "capture.h"
#include "clock_tracker.h"
#include "error.h"
#include "instant.h"
#include "monitor.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#define NS_PER_SECOND  INT64_C(1000000000)
#define DEFAULT_OFFSET (60 * NS_PER_SECOND)

/* Files by the NIC's clock lie side by side: both name the very same stamps. */
#define HARDWARE_OFFSET NS_PER_SECOND

/* Mostly the capture is of the host's own stack, and a short look proves it: then the long one is spared. */
#define FIRST_OFFSET NS_PER_SECOND
#define FIRST_LENGTH (2 * NS_PER_SECOND)
#define FIRST_ENOUGH 32 /* equal stamps */

/* A clock is not set wrongly by more. */
#define TEN_YEARS (INT64_C(3653) * 86400 * NS_PER_SECOND)

/* A drift that is no accident: so large, and so much over the stretch. */
#define DRIFT_SEEN_PPM 10.0
#define DRIFT_SEEN_NS  2000000.0

/* A kind of message whose median lies further beside the line does not lie on it. It must have enough messages. */
#define STREAM_BESIDE_NS 3000000.0
#define STREAM_ENOUGH    8

/* Of frames whose key is among the events, one in so many may go the right way by chance in a capture of the other
 * end. */
#define REVERSED_EACH 10

struct aligning {
    ptpmon_monitor *recording;
    ptpmon_capture *file;
    const char *events, *capture; /* names */
    int64_t max_offset;
    bool other_clock;
    size_t interface;
    ptpmon_alignment found;
};

/* Why the two files do not belong together. NONE: they do. */
enum refusal {
    REFUSED_NONE,
    REFUSED_NO_CLOCKS,   /* the recording has no reading of the clocks */
    REFUSED_NO_MESSAGE,  /* the capture has no PTP message */
    REFUSED_OTHER_TIME,  /* the files are of different times */
    REFUSED_NONE_COMMON, /* no message in common */
    REFUSED_OTHER_END,   /* the directions contradict */
    REFUSED_BY_VOTE,     /* no steady distance */
    REFUSED_NOT_STAMPED, /* the times should be the events' stamps, but are not */
};

/* What is known when they are refused. */
struct verdict {
    enum refusal refusal;
    struct ptpmon_vote vote;
    struct ptpmon_stamps stamps;
};

/* ---- Messages ------------------------------------------------------------------------------ */

struct date {
    char text[32];
};

static struct date date_of(int64_t realtime_ns)
{
    struct date date;
    struct tm parts;
    time_t seconds = (time_t)(realtime_ns / NS_PER_SECOND);
    if (gmtime_r(&seconds, &parts) == NULL || strftime(date.text, sizeof date.text, "%Y-%m-%d %H:%M:%S", &parts) == 0)
        return (struct date){"(no date)"};
    return date;
}

/* How far the one span lies from the other; 0: they touch. */
static int64_t gap(const struct ptpmon_probe_span *a, const struct ptpmon_probe_span *b)
{
    if (a->from > b->to)
        return a->from - b->to;
    return b->from > a->to ? b->from - a->to : 0;
}

static ptpmon_status refuse_other_time(const struct aligning *files, const struct ptpmon_probe *probe)
{
    const struct ptpmon_probe_span *capture = &probe->capture_span, *events = &probe->events_span;
    int64_t apart = gap(capture, events);
    if (apart > files->max_offset && apart < TEN_YEARS)
        return ptpmon_fail(
            PTPMON_BAD_FILE,
            "%s: its PTP messages are of %s to %s UTC, the events of %s of %s to %s: captured at another "
            "time, or a clock was wrong by more than --max-offset allows: give one of %" PRId64 " s or more then",
            files->capture, date_of(capture->from).text, date_of(capture->to).text, files->events,
            date_of(events->from).text, date_of(events->to).text, apart / NS_PER_SECOND + 60);
    return ptpmon_fail(PTPMON_BAD_FILE,
                       "%s: its PTP messages are of %s to %s UTC, the events of %s of %s to %s: captured at another "
                       "time; give files of the same time",
                       files->capture, date_of(capture->from).text, date_of(capture->to).text, files->events,
                       date_of(events->from).text, date_of(events->to).text);
}

static ptpmon_status refuse_by_vote(const struct aligning *files, const struct ptpmon_vote *vote)
{
    switch (vote->verdict) {
    case PTPMON_VOTE_TOO_FEW:
        return ptpmon_fail(
            PTPMON_BAD_FILE,
            "%s: only %zu PTP messages, of %.1f s, are at a steady distance (%.3f s) from events of %s: too few to "
            "tell the offset of its clock by; capture for %d s or longer",
            files->capture, vote->on_line, (double)(vote->last - vote->first) / 1e9, (double)vote->distance / 1e9,
            files->events, (int)(PTPMON_VOTE_ENOUGH_NS / NS_PER_SECOND));
    case PTPMON_VOTE_SPLIT:
        return ptpmon_fail(PTPMON_BAD_FILE,
                           "%s: its PTP messages fit the events of %s at two distances, %.3f s and %.3f s: a "
                           "--max-offset below the larger decides, or files without a restart of the PTP daemon",
                           files->capture, files->events, (double)vote->distance / 1e9, (double)vote->other / 1e9);
    case PTPMON_VOTE_BROKEN:
        return ptpmon_fail(PTPMON_BAD_FILE,
                           "%s: its PTP messages fit the events of %s at a distance of %.3f s, but none of those from "
                           "%s UTC on, for %.1f s or more: of another run of the PTP daemon? Give files of the same "
                           "time",
                           files->capture, files->events, (double)vote->distance / 1e9, date_of(vote->hole).text,
                           (double)vote->hole_ns / 1e9);
    default:
        return ptpmon_fail(PTPMON_BAD_FILE,
                           "%s: messages with the sequenceIds of events of %s are there, but at no steady distance in "
                           "time (at best %zu of %zu): recorded at another time? Give files of the same time and link",
                           files->capture, files->events, vote->on_line, vote->of);
    }
}

static ptpmon_status refuse(const struct aligning *files, const struct ptpmon_probe *probe,
                            const struct verdict *verdict)
{
    switch (verdict->refusal) {
    case REFUSED_NO_CLOCKS:
        return ptpmon_fail(PTPMON_BAD_FILE,
                           "%s: no reading of the clocks is in it, so %s cannot be compared with it: record anew",
                           files->events, files->capture);
    case REFUSED_NO_MESSAGE:
        return ptpmon_fail(PTPMON_BAD_FILE, "%s: no PTP message is in it: give the capture that belongs to %s",
                           files->capture, files->events);
    case REFUSED_OTHER_TIME:
        return refuse_other_time(files, probe);
    case REFUSED_NONE_COMMON:
        return ptpmon_fail(PTPMON_BAD_FILE,
                           "%s: none of its %" PRIu64
                           " PTP messages around that time is among the events of %s: "
                           "another link or host; give the capture of the same interface",
                           files->capture, probe->stretch_messages, files->events);
    case REFUSED_OTHER_END:
        return ptpmon_fail(PTPMON_BAD_FILE,
                           "%s: what it sent, the events of %s received, and the other way round: captured at the "
                           "other end of the link; give the capture of the same end",
                           files->capture, files->events);
    case REFUSED_NOT_STAMPED:
        return ptpmon_fail(PTPMON_BAD_FILE,
                           "%s: not stamped by the host that recorded the events of %s: %zu of %zu received messages "
                           "have the stamp of their event; for a capture by adapter stamps or a tap give --other-clock",
                           files->capture, files->events, verdict->stamps.equal, verdict->stamps.compared);
    default:
        return refuse_by_vote(files, &verdict->vote);
    }
}

/* ---- Estimating ---------------------------------------------------------------------------- */

struct pair {
    int64_t time, difference;
    uint8_t stream;
};

static int compare_pairs(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    return (x->time > y->time) - (x->time < y->time);
}

/* Which candidates are pairs. */
struct pair_test {
    const struct ptpmon_vote *vote;     /* those on its line, or, if it is NULL: */
    const struct ptpmon_stamps *stamps; /* those with equal hardware stamps */
};

static size_t collect_pairs(const struct ptpmon_probe *probe, const struct pair_test *test, struct pair *pairs)
{
    size_t count = 0;
    for (size_t i = 0, next; i < probe->candidate_count; i = next) {
        const struct ptpmon_candidate *pair = &probe->candidates[i];
        if (test->vote != NULL) {
            pair = ptpmon_vote_on_line(probe, test->vote, i, &next);
        } else {
            next = i + 1;
            if (!ptpmon_stamps_equal(probe, PTPMON_STAMPS_HARDWARE, pair, test->stamps))
                pair = NULL;
        }
        if (pair != NULL) {
            int64_t time = probe->frames[pair->frame].time;
            pairs[count++] = (struct pair){
                .time = time,
                .difference = time - probe->events[pair->event].realtime,
                .stream = probe->frames[pair->frame].stream,
            };
        }
    }
    qsort(pairs, count, sizeof *pairs, compare_pairs);
    return count;
}

/* Whether each stream lies on the line, half of its messages at least. Of another run of the same daemons all may be
 * steady, but each kind of message at a distance of its own, a little beside the others. */
static bool streams_agree(const struct pair *pairs, size_t count, const ptpmon_alignment *line)
{
    size_t above[PTPMON_PROBE_STREAMS + 1] = {0}, below[PTPMON_PROBE_STREAMS + 1] = {0};
    size_t all[PTPMON_PROBE_STREAMS + 1] = {0};
    for (size_t i = 0; i < count; i++) {
        double off = (double)(pairs[i].difference - line->offset_ns) -
                     line->drift_ppm * 1e-6 * (double)(pairs[i].time - line->at_ns);
        all[pairs[i].stream]++;
        above[pairs[i].stream] += off > STREAM_BESIDE_NS;
        below[pairs[i].stream] += off < -STREAM_BESIDE_NS;
    }
    for (size_t i = 0; i < PTPMON_PROBE_STREAMS; i++) {
        if (all[i] >= STREAM_ENOUGH && (above[i] * 2 > all[i] || below[i] * 2 > all[i]))
            return false;
    }
    return true;
}

/* Sums the pairs up as the observer will do with those that it matches. *agree: all streams lie on one line. */
static bool estimate(const struct ptpmon_probe *probe, const struct pair_test *test, ptpmon_alignment *alignment,
                     bool *agree)
{
    struct pair *pairs = calloc(probe->candidate_count, sizeof *pairs);
    struct ptpmon_clock_tracker *tracker = malloc(sizeof *tracker);
    bool there = pairs != NULL && tracker != NULL;
    size_t count = there ? collect_pairs(probe, test, pairs) : 0;
    if (count > 0) {
        ptpmon_clock_tracker_start(tracker, test->vote != NULL ? ptpmon_vote_line(test->vote, pairs[0].time)
                                                               : pairs[0].difference);
        for (size_t i = 0; i < count; i++)
            ptpmon_clock_tracker_add(tracker, pairs[i].time, pairs[i].difference);
        ptpmon_clock_tracker_summary(tracker, alignment);
    }
    *agree = streams_agree(pairs, count, alignment);
    free(pairs);
    free(tracker);
    return there;
}

static ptpmon_status no_memory(const struct aligning *files)
{
    return ptpmon_fail(PTPMON_NO_MEMORY, "%s: no memory for comparing it with %s; close other programs", files->capture,
                       files->events);
}

/* ---- Deciding ------------------------------------------------------------------------------ */

static size_t frames_with_candidates(const struct ptpmon_probe *probe)
{
    size_t frames = 0;
    for (size_t i = 0; i < probe->candidate_count; i++)
        frames += i == 0 || probe->candidates[i].frame != probe->candidates[i - 1].frame;
    return frames;
}

/* What the probe shows before any candidate is looked at. */
static enum refusal judge_probe(const struct ptpmon_probe *probe)
{
    if (!probe->events_span.any)
        return REFUSED_NO_CLOCKS;
    if (probe->capture_messages == 0)
        return REFUSED_NO_MESSAGE;
    if (probe->reversed > 0 && probe->reversed >= (REVERSED_EACH - 1) * frames_with_candidates(probe))
        return REFUSED_OTHER_END;
    if (probe->candidate_count > 0)
        return REFUSED_NONE;
    return probe->frame_count == 0 || gap(&probe->stretch, &probe->events_span) > 0 ? REFUSED_OTHER_TIME
                                                                                    : REFUSED_NONE_COMMON;
}

/* Taken for the system clock: nothing to tell it by, and nothing that speaks against it. */
static bool passes_for_system(const struct ptpmon_probe *probe, const ptpmon_alignment *found)
{
    double stretch = (double)(probe->stretch.to - probe->stretch.from);
    double drift = found->drift_ppm < 0 ? -found->drift_ppm : found->drift_ppm;
    bool drifts = drift > DRIFT_SEEN_PPM && drift * 1e-6 * stretch > DRIFT_SEEN_NS;
    return !drifts && llabs(found->offset_ns) <= PTPMON_VOTE_NEAR_NS;
}

/* No stamps decide: the messages' distances must. */
static ptpmon_status decide_by_vote(struct aligning *files, const struct ptpmon_probe *probe, struct verdict *verdict)
{
    size_t compared = 0;
    ptpmon_alignment *found = &files->found;
    ptpmon_status status = ptpmon_vote_count(probe, &verdict->vote);
    if (status == PTPMON_OK)
        status = ptpmon_stamps_comparable(probe, PTPMON_STAMPS_SOFTWARE, verdict->vote.distance, &compared);
    if (status != PTPMON_OK)
        return status;
    verdict->stamps.compared = compared;
    if (verdict->vote.verdict != PTPMON_VOTE_STEADY)
        verdict->refusal = REFUSED_BY_VOTE;
    else if (!files->other_clock && compared >= PTPMON_STAMPS_TELL)
        verdict->refusal = REFUSED_NOT_STAMPED;
    if (verdict->refusal != REFUSED_NONE)
        return PTPMON_OK;
    const struct pair_test test = {.vote = &verdict->vote};
    bool agree;
    if (!estimate(probe, &test, found, &agree))
        return no_memory(files);
    if (!agree) {
        verdict->vote.verdict = PTPMON_VOTE_SCATTERED;
        verdict->refusal = REFUSED_BY_VOTE;
    }
    found->clock = PTPMON_CLOCK_OTHER;
    if (!files->other_clock && passes_for_system(probe, found))
        *found = (ptpmon_alignment){
            .clock = PTPMON_CLOCK_ASSUMED,
            .equal_stamps = verdict->stamps.equal,
            .compared_stamps = compared,
        };
    return PTPMON_OK;
}

static void decide_by_software_stamps(const struct ptpmon_probe *probe, const struct ptpmon_stamps *stamps,
                                      ptpmon_alignment *found)
{
    found->equal_stamps = stamps->equal;
    found->compared_stamps = stamps->compared;
    found->clock = PTPMON_CLOCK_SYSTEM;
    if (stamps->offset == 0)
        return;
    found->clock = PTPMON_CLOCK_OTHER;
    found->pairs = stamps->equal;
    found->at_ns = probe->stretch.from;
    found->offset_ns = stamps->offset;
}

/* *decided: the capture has the NIC's stamps. */
static ptpmon_status decide_by_hardware_stamps(struct aligning *files, const struct ptpmon_probe *probe, bool *decided)
{
    struct ptpmon_stamps stamps;
    ptpmon_status status = ptpmon_stamps_compare(probe, PTPMON_STAMPS_HARDWARE, &stamps);
    const struct pair_test test = {.stamps = &stamps};
    *decided = status == PTPMON_OK && stamps.proved && stamps.offset == 0 && stamps.equal >= PTPMON_STAMPS_TELL;
    if (!*decided)
        return status;
    bool agree; /* not asked: the stamps are equal */
    if (!estimate(probe, &test, &files->found, &agree))
        return no_memory(files);
    files->found.clock = PTPMON_CLOCK_OTHER;
    return PTPMON_OK;
}

/* The files side by side by UTC. */
static ptpmon_status decide(struct aligning *files, const struct ptpmon_probe *probe, struct verdict *verdict)
{
    bool decided;
    verdict->refusal = judge_probe(probe);
    if (verdict->refusal != REFUSED_NONE)
        return PTPMON_OK;
    ptpmon_status status = ptpmon_stamps_compare(probe, PTPMON_STAMPS_SOFTWARE, &verdict->stamps);
    if (status != PTPMON_OK)
        return status;
    if (verdict->stamps.proved) {
        decide_by_software_stamps(probe, &verdict->stamps, &files->found);
        return PTPMON_OK;
    }
    status = decide_by_hardware_stamps(files, probe, &decided);
    if (status != PTPMON_OK || decided)
        return status;
    return decide_by_vote(files, probe, verdict);
}

/* The files side by side by the NIC's clock, which may be decades off: only stamps that are equal count. */
static ptpmon_status decide_by_hardware_clock(struct aligning *files, bool *decided)
{
    struct ptpmon_probe probe;
    *decided = false;
    ptpmon_status status = ptpmon_capture_rewind(files->file);
    if (status != PTPMON_OK)
        return status;
    status = ptpmon_probe_read(&probe, files->recording, files->file, PTPMON_PROBE_HARDWARE, HARDWARE_OFFSET,
                               PTPMON_PROBE_NS);
    if (status == PTPMON_OK && judge_probe(&probe) == REFUSED_NONE)
        status = decide_by_hardware_stamps(files, &probe, decided);
    ptpmon_probe_free(&probe);
    return status;
}

/* *decided: the capture's times are the events' stamps. If not, nothing is known yet. */
static ptpmon_status look_first(struct aligning *files, bool *decided)
{
    struct ptpmon_probe probe;
    struct ptpmon_stamps stamps = {0};
    ptpmon_status status =
        ptpmon_probe_read(&probe, files->recording, files->file, PTPMON_PROBE_REALTIME, FIRST_OFFSET, FIRST_LENGTH);
    if (status == PTPMON_OK && judge_probe(&probe) == REFUSED_NONE)
        status = ptpmon_stamps_compare(&probe, PTPMON_STAMPS_SOFTWARE, &stamps);
    *decided = status == PTPMON_OK && stamps.proved && stamps.offset == 0 && stamps.equal >= FIRST_ENOUGH;
    if (*decided)
        decide_by_software_stamps(&probe, &stamps, &files->found);
    ptpmon_probe_free(&probe);
    return status;
}

static ptpmon_status look_closely(struct aligning *files)
{
    struct ptpmon_probe probe;
    struct verdict verdict = {0};
    bool decided = true;
    ptpmon_status status = ptpmon_probe_read(&probe, files->recording, files->file, PTPMON_PROBE_REALTIME,
                                             files->max_offset, PTPMON_PROBE_NS);
    if (status == PTPMON_OK)
        status = decide(files, &probe, &verdict);
    if (status == PTPMON_OK && verdict.refusal != REFUSED_NONE)
        status = decide_by_hardware_clock(files, &decided);
    if (status == PTPMON_OK && !decided)
        status = refuse(files, &probe, &verdict);
    ptpmon_probe_free(&probe);
    return status;
}

/* Both files at their start, and only the chosen interface of the capture. */
static ptpmon_status start_over(const struct aligning *files)
{
    ptpmon_status status = ptpmon_monitor_disable(files->recording);
    if (status == PTPMON_OK)
        status = ptpmon_monitor_enable(files->recording);
    if (status == PTPMON_OK)
        status = ptpmon_capture_rewind(files->file);
    if (status == PTPMON_OK)
        status = ptpmon_capture_select(files->file, files->interface);
    return status;
}

static ptpmon_status relate(struct aligning *files)
{
    bool decided;
    ptpmon_status status = look_first(files, &decided);
    if (status != PTPMON_OK || decided)
        return status;
    status = start_over(files);
    return status == PTPMON_OK ? look_closely(files) : status;
}

ptpmon_status ptpmon_align(ptpmon_monitor *recording, ptpmon_capture *file, const ptpmon_observer_options *options,
                           ptpmon_alignment *alignment)
{
    struct aligning files = {
        .recording = recording,
        .file = file,
        .events = ptpmon_monitor_name(recording),
        .capture = ptpmon_capture_name(file),
        .max_offset = DEFAULT_OFFSET,
        .other_clock = options != NULL && options->other_clock,
    };
    if (options != NULL && options->max_offset_ns > 0)
        files.max_offset = ptpmon_instant_from_unsigned(options->max_offset_ns);
    if (ptpmon_monitor_recording_header(recording) == NULL)
        return ptpmon_fail(PTPMON_INVALID, "%s: the interface is live; a capture file is compared with a recording",
                           files.events);
    ptpmon_status status = ptpmon_align_interface(recording, file, &files.interface);
    if (status == PTPMON_OK)
        status = start_over(&files);
    if (status == PTPMON_OK)
        status = relate(&files);
    if (status == PTPMON_OK)
        status = start_over(&files);
    if (status == PTPMON_OK)
        *alignment = files.found;
    return status;
}
