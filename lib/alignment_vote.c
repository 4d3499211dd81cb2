/* SPDX-License-Identifier: MIT */
#include "alignment_vote.h"

#include "error.h"

#include <stdlib.h>
#include <string.h>

/* By one step of the drift a line moves so far at the ends of the stretch. */
#define DRIFT_STEP_NS  5000000
#define DRIFTS_AT_MOST 500 /* to either side */

/* Streams of fewer frames have no say of their own. */
#define STREAM_ENOUGH 8
#define STREAMS       64

/* So many messages in a row without an event, in so long a time, are no losses of single ones. */
#define HOLE_MESSAGES 16
#define HOLE_NS       INT64_C(1000000000)

/* Other distances that are looked at, and how many frames on such a line make it a rival. */
#define OTHER_PEAKS  6
#define OTHER_ENOUGH 16

/* A frame's distance from one of its candidates. */
struct ballot {
    int64_t time; /* of the frame, since the middle of the stretch */
    int64_t distance;
    uint32_t frame;
};

struct voting {
    const struct ptpmon_probe *probe;
    int64_t middle; /* of the stretch */
    struct ballot *ballots;
    size_t count;
    /* For one drift: the distances at the middle, in order, and whose they are. */
    struct moved {
        int64_t distance;
        uint32_t frame;
    } * moved;
    uint32_t *seen;        /* by frame: how often it is in the interval, or whether it is on the line */
    struct moved *by_time; /* all frames; distance is their time */
};

/* The densest interval. */
struct peak {
    size_t frames;
    int64_t distance; /* the median in it, at the middle of the stretch */
    double drift;
};

static int64_t distance_of(const struct ptpmon_probe *probe, const struct ptpmon_candidate *candidate)
{
    return probe->frames[candidate->frame].time - probe->events[candidate->event].time;
}

static int compare_moved(const void *a, const void *b)
{
    const struct moved *x = a, *y = b;
    return (x->distance > y->distance) - (x->distance < y->distance);
}

static void move_ballots(struct voting *voting, double drift)
{
    for (size_t i = 0; i < voting->count; i++) {
        const struct ballot *ballot = &voting->ballots[i];
        voting->moved[i].distance = ballot->distance - (int64_t)(drift * (double)ballot->time);
        voting->moved[i].frame = ballot->frame;
    }
    qsort(voting->moved, voting->count, sizeof *voting->moved, compare_moved);
}

/* The interval in which most frames have a candidate, of the first `count` moved distances. */
static struct peak densest(struct voting *voting, size_t count)
{
    struct peak best = {0};
    size_t frames = 0, oldest = 0;
    for (size_t i = 0; i < count; i++) {
        const struct moved *newest = &voting->moved[i];
        frames += voting->seen[newest->frame]++ == 0;
        for (; newest->distance - voting->moved[oldest].distance > PTPMON_VOTE_WIDTH; oldest++)
            frames -= --voting->seen[voting->moved[oldest].frame] == 0;
        if (frames > best.frames)
            best = (struct peak){.frames = frames, .distance = voting->moved[oldest + (i - oldest) / 2].distance};
    }
    for (; oldest < count; oldest++)
        voting->seen[voting->moved[oldest].frame] = 0;
    return best;
}

/* ---- Looking for the line ------------------------------------------------------------------ */

static int64_t stretch_length(const struct ptpmon_probe *probe)
{
    return probe->stretch.to - probe->stretch.from;
}

/* Steps of the drift to either side. */
static int drift_steps(const struct ptpmon_probe *probe)
{
    double farthest = PTPMON_VOTE_DRIFT * (double)stretch_length(probe) / 2;
    return farthest < DRIFTS_AT_MOST * (double)DRIFT_STEP_NS ? 1 + (int)(farthest / DRIFT_STEP_NS) : DRIFTS_AT_MOST;
}

/* All candidates of every n-th frame. */
static void fill_ballots(struct voting *voting)
{
    const struct ptpmon_probe *probe = voting->probe;
    size_t drifts = 2 * (size_t)drift_steps(probe) + 1;
    size_t every = 1 + probe->candidate_count * drifts / PTPMON_VOTE_WORK;
    for (size_t i = 0; i < probe->candidate_count; i++) {
        const struct ptpmon_candidate *candidate = &probe->candidates[i];
        if (candidate->frame % every != 0)
            continue;
        voting->ballots[voting->count++] = (struct ballot){
            .time = probe->frames[candidate->frame].time - voting->middle,
            .distance = distance_of(probe, candidate),
            .frame = candidate->frame,
        };
    }
}

static void sort_frames(struct voting *voting)
{
    for (uint32_t i = 0; i < voting->probe->frame_count; i++)
        voting->by_time[i] = (struct moved){voting->probe->frames[i].time, i};
    qsort(voting->by_time, voting->probe->frame_count, sizeof *voting->by_time, compare_moved);
}

static struct peak find_peak(struct voting *voting)
{
    int steps = drift_steps(voting->probe);
    struct peak best = {0};
    for (int i = 0; i <= 2 * steps; i++) {
        /* 0, 1, -1, 2, -2...: of equals the smallest drift */
        int step = i % 2 ? (i + 1) / 2 : -(i / 2);
        double drift = step * PTPMON_VOTE_DRIFT / steps;
        move_ballots(voting, drift);
        struct peak peak = densest(voting, voting->count);
        if (peak.frames > best.frames) {
            best = peak;
            best.drift = drift;
        }
    }
    return best;
}

/* ---- Judging it ---------------------------------------------------------------------------- */

int64_t ptpmon_vote_line(const struct ptpmon_vote *vote, int64_t time)
{
    return vote->distance + (int64_t)(vote->drift * (double)(time - vote->at));
}

static bool lies_among_events(const struct ptpmon_probe *probe, const struct ptpmon_vote *vote, uint32_t frame)
{
    int64_t time = probe->frames[frame].time;
    int64_t moved = time - ptpmon_vote_line(vote, time);
    return moved >= probe->events_span.from && moved <= probe->events_span.to;
}

const struct ptpmon_candidate *ptpmon_vote_on_line(const struct ptpmon_probe *probe, const struct ptpmon_vote *vote,
                                                   size_t first, size_t *next)
{
    const struct ptpmon_candidate *nearest = NULL;
    uint32_t frame = probe->candidates[first].frame;
    int64_t line = ptpmon_vote_line(vote, probe->frames[frame].time), least = PTPMON_VOTE_WIDTH;
    size_t i = first;
    for (; i < probe->candidate_count && probe->candidates[i].frame == frame; i++) {
        int64_t off = llabs(distance_of(probe, &probe->candidates[i]) - line);
        if (off <= least) {
            least = off;
            nearest = &probe->candidates[i];
        }
    }
    *next = i;
    return nearest;
}

/* How many frames of each stream an event lies on the line of, and how many should. */
struct support {
    size_t on_line[PTPMON_PROBE_STREAMS + 1], of[PTPMON_PROBE_STREAMS + 1];
};

/* Frames that the line puts among the events, also those without a candidate: where both files have the stream, they
 * have its messages. */
static bool should_be_on_line(const struct ptpmon_probe *probe, const struct ptpmon_vote *vote, uint32_t i)
{
    const struct ptpmon_probe_frame *frame = &probe->frames[i];
    bool in_both = frame->stream < probe->stream_count && probe->streams[frame->stream].events >= STREAM_ENOUGH;
    return in_both && !frame->names_nothing && lies_among_events(probe, vote, i);
}

static void count_streams(const struct voting *voting, const struct ptpmon_vote *vote, struct support *support)
{
    const struct ptpmon_probe *probe = voting->probe;
    for (uint32_t i = 0; i < probe->frame_count; i++) {
        if (should_be_on_line(probe, vote, i))
            support->of[probe->frames[i].stream]++;
    }
}

static void count_support(const struct voting *voting, struct ptpmon_vote *vote, struct support *support)
{
    const struct ptpmon_probe *probe = voting->probe;
    *support = (struct support){0};
    vote->on_line = vote->of = 0;
    count_streams(voting, vote, support);
    for (size_t i = 0, next; i < probe->candidate_count; i = next) {
        uint32_t frame = probe->candidates[i].frame;
        bool on_line = ptpmon_vote_on_line(probe, vote, i, &next) != NULL;
        if (!lies_among_events(probe, vote, frame))
            continue;
        vote->of++;
        if (on_line) {
            int64_t time = probe->frames[frame].time;
            vote->first = vote->on_line == 0 || time < vote->first ? time : vote->first;
            vote->last = vote->on_line == 0 || time > vote->last ? time : vote->last;
            vote->on_line++;
        }
        support->on_line[probe->frames[frame].stream] += on_line;
    }
}

/* A line by which the sequenceIds of one kind of message fit after they have wrapped fits no other kind. */
static bool streams_agree(const struct ptpmon_probe *probe, const struct support *support)
{
    for (size_t i = 0; i < probe->stream_count; i++) {
        if (support->of[i] >= STREAM_ENOUGH && support->on_line[i] * 4 < support->of[i])
            return false;
    }
    return true;
}

static void mark_on_line(struct voting *voting, const struct ptpmon_vote *vote)
{
    const struct ptpmon_probe *probe = voting->probe;
    memset(voting->seen, 0, probe->frame_count * sizeof *voting->seen);
    for (size_t i = 0, next; i < probe->candidate_count; i = next) {
        uint32_t frame = probe->candidates[i].frame;
        voting->seen[frame] = ptpmon_vote_on_line(probe, vote, i, &next) != NULL;
    }
}

/* Looks for a time in which no frame is on the line. */
static bool has_hole(struct voting *voting, struct ptpmon_vote *vote)
{
    const struct ptpmon_probe *probe = voting->probe;
    size_t frames = 0;
    bool found = false;
    int64_t from = 0;
    mark_on_line(voting, vote);
    for (size_t i = 0; i < probe->frame_count && !found; i++) {
        const struct moved *frame = &voting->by_time[i];
        if (!should_be_on_line(probe, vote, frame->frame))
            continue;
        if (voting->seen[frame->frame]) {
            frames = 0;
            continue;
        }
        if (frames++ == 0)
            from = frame->distance;
        vote->hole = from;
        vote->hole_ns = frame->distance - from;
        found = frames >= HOLE_MESSAGES && vote->hole_ns >= HOLE_NS;
    }
    memset(voting->seen, 0, probe->frame_count * sizeof *voting->seen);
    return found;
}

static bool is_near(const struct ptpmon_vote *vote)
{
    return llabs(vote->distance) <= PTPMON_VOTE_NEAR_NS;
}

static enum ptpmon_verdict judge_line(struct voting *voting, struct ptpmon_vote *vote, const struct support *support)
{
    if (vote->on_line * 5 < vote->of * 3 || !streams_agree(voting->probe, support))
        return PTPMON_VOTE_SCATTERED;
    if (!is_near(vote) && has_hole(voting, vote))
        return PTPMON_VOTE_BROKEN;
    bool enough = vote->on_line >= PTPMON_VOTE_ENOUGH && vote->last - vote->first >= PTPMON_VOTE_ENOUGH_NS;
    return enough || (is_near(vote) && vote->on_line > 0) ? PTPMON_VOTE_STEADY : PTPMON_VOTE_TOO_FEW;
}

static void judge_peak(struct voting *voting, const struct peak *peak, struct ptpmon_vote *vote)
{
    struct support support;
    *vote = (struct ptpmon_vote){.at = voting->middle, .distance = peak->distance, .drift = peak->drift};
    count_support(voting, vote, &support);
    vote->verdict = judge_line(voting, vote, &support);
}

/* Takes the interval and what lies around it out of the moved distances, of which there are `count`. Returns how many
 * are left. */
static size_t take_out(struct voting *voting, const struct peak *peak, size_t count)
{
    size_t left = 0;
    for (size_t i = 0; i < count; i++) {
        if (llabs(voting->moved[i].distance - peak->distance) > PTPMON_VOTE_WIDTH)
            voting->moved[left++] = voting->moved[i];
    }
    return left;
}

/*
 * Another line that explains what it should, even if it is less or of a short time, speaks against the
 * first: the files may overlap by little, and the larger part of them be of two runs of a daemon. What
 * is near to no distance at all is right in any case.
 */
static void compare_lines(struct ptpmon_vote *vote, const struct ptpmon_vote *other, size_t enough)
{
    bool found = vote->verdict == PTPMON_VOTE_STEADY || vote->verdict == PTPMON_VOTE_SPLIT;
    bool steady = other->verdict == PTPMON_VOTE_STEADY;
    if (steady && (is_near(other) || (!found && other->on_line * 4 >= vote->on_line * 3))) {
        *vote = *other;
    } else if (found && (steady || other->verdict == PTPMON_VOTE_TOO_FEW) && other->on_line >= enough) {
        vote->verdict = PTPMON_VOTE_SPLIT;
        vote->other = other->distance;
    }
}

/* Looks at the next best distances, of the same drift. */
static void compare_peaks(struct voting *voting, const struct peak *best, struct ptpmon_vote *vote)
{
    size_t enough = vote->on_line / 2 < OTHER_ENOUGH ? vote->on_line / 2 : OTHER_ENOUGH;
    struct peak peak = *best;
    move_ballots(voting, best->drift);
    size_t count = voting->count;
    for (int i = 0; i < OTHER_PEAKS && !is_near(vote); i++) {
        struct ptpmon_vote other;
        count = take_out(voting, &peak, count);
        peak = densest(voting, count);
        peak.drift = best->drift;
        if (peak.frames == 0)
            return;
        judge_peak(voting, &peak, &other);
        compare_lines(vote, &other, enough);
    }
}

ptpmon_status ptpmon_vote_count(const struct ptpmon_probe *probe, struct ptpmon_vote *vote)
{
    struct voting voting = {
        .probe = probe,
        .middle = probe->stretch.from + stretch_length(probe) / 2,
        .ballots = calloc(probe->candidate_count, sizeof *voting.ballots),
        .moved = calloc(probe->candidate_count, sizeof *voting.moved),
        .seen = calloc(probe->frame_count, sizeof *voting.seen),
        .by_time = calloc(probe->frame_count, sizeof *voting.by_time),
    };
    ptpmon_status status = PTPMON_OK;
    *vote = (struct ptpmon_vote){0};
    if (voting.ballots == NULL || voting.moved == NULL || voting.seen == NULL || voting.by_time == NULL) {
        status = ptpmon_fail(PTPMON_NO_MEMORY, "no memory for comparing events and capture; close other programs");
    } else {
        fill_ballots(&voting);
        sort_frames(&voting);
        struct peak peak = find_peak(&voting);
        judge_peak(&voting, &peak, vote);
        compare_peaks(&voting, &peak, vote);
    }
    free(voting.ballots);
    free(voting.moved);
    free(voting.seen);
    free(voting.by_time);
    return status;
}
