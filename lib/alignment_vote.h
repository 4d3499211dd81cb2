/* SPDX-License-Identifier: MIT */
/*
 * At what distance in time the frames of a capture lie from the events with their keys, if it is a
 * steady one.
 *
 * Each candidate votes for its distance. For every drift that clocks may have, the densest interval of
 * PTPMON_VOTE_WIDTH is looked for; the best of all is the line. It is taken if most frames that it
 * puts among the events have an event at that distance, in every stream of messages on its own, if
 * there is no second or more without any, and if no other distance does the same for the frames that
 * it puts among the events, be they fewer.
 *
 * What cannot be told: two runs of daemons that begin with the same sequenceIds, in the same rhythm to
 * a few ms, of which one file has the one and the other file the other.
 */
#ifndef PTPMON_LIB_ALIGNMENT_VOTE_H
#define PTPMON_LIB_ALIGNMENT_VOTE_H

#include "alignment_probe.h"

#define PTPMON_VOTE_WIDTH INT64_C(20000000) /* ns */
#define PTPMON_VOTE_DRIFT 500e-6
/* Candidates times drifts that are looked at: about half a second. Of more candidates a part votes. */
#define PTPMON_VOTE_WORK 4000000
/* What is this close to no distance at all needs no further proof: two messages of one key are never that close. */
#define PTPMON_VOTE_NEAR_NS INT64_C(10000000)
/* Frames that must lie on a line which is not that close, and over what time: what the end of one run of a daemon has
 * in common with the end of another may be short. */
#define PTPMON_VOTE_ENOUGH    5
#define PTPMON_VOTE_ENOUGH_NS INT64_C(10000000000)

enum ptpmon_verdict {
    PTPMON_VOTE_STEADY,
    PTPMON_VOTE_TOO_FEW,   /* there is a line, but too few frames, or too short a time, tell of it */
    PTPMON_VOTE_SCATTERED, /* the distances differ */
    PTPMON_VOTE_BROKEN,    /* all messages of some time have no event at that distance */
    PTPMON_VOTE_SPLIT,     /* two distances are about equally likely */
};

struct ptpmon_vote {
    enum ptpmon_verdict verdict;
    int64_t at, distance;  /* capture time - time of the event on the axis, at this capture time */
    double drift;          /* of the distance, ns for each ns */
    int64_t other;         /* SPLIT: the second distance */
    int64_t hole, hole_ns; /* BROKEN: capture time from which on, and for how long */
    int64_t first, last;   /* capture times of such frames */
    size_t on_line;        /* frames of which an event lies on the line... */
    size_t of;             /* ...of so many that have candidates, and lie among the events by that line */
};

/* The probe has candidates. Error: NO_MEMORY. */
ptpmon_status ptpmon_vote_count(const struct ptpmon_probe *probe, struct ptpmon_vote *vote);

/* The line at a capture time. */
int64_t ptpmon_vote_line(const struct ptpmon_vote *vote, int64_t time);

/* The frame's candidate that is nearest to the line, if it is on it; `first` is the frame's first candidate, *next is
 * set to that of the next frame. NULL: none is. */
const struct ptpmon_candidate *ptpmon_vote_on_line(const struct ptpmon_probe *probe, const struct ptpmon_vote *vote,
                                                   size_t first, size_t *next);

#endif
