/* SPDX-License-Identifier: MIT */
/*
 * The rules by which events and frames of one key, of about one time, are paired; see the
 * correlator in ptpmon.h.
 *
 * What can be promised. A pair by software time is right: the stack wrote one number to two places.
 * Where the capture rounded it, it is as right as a pair by order: times within what the capture resolves
 * are compared only where every event has a stamp and nothing was cut short, and what may have the same
 * time is paired in order if there are as many events as frames, and if they are several, neither side lost
 * anything.
 * A pair by key or by order is right where both sides saw the same messages. A loss that makes the
 * numbers unequal is always noticed. One that keeps them equal, an event of one message and a frame
 * of another of the same key within the window, is noticed where either side told of a loss there and
 * a side still has more than one item; of two single items, where both sides told, or the group was
 * decided early, and the two are more than edge_ns apart. What nobody told, or what leaves two single
 * items that close, cannot be noticed.
 */
#ifndef PTPMON_LIB_PAIRING_H
#define PTPMON_LIB_PAIRING_H

#include "coverage.h"
#include "item.h"

/* Items that may pair with one another, each list in order of time. */
struct ptpmon_pool {
    struct ptpmon_item_list events, frames;
    ptpmon_instant first, last; /* of the group, which may be more than this pool */
    bool decided_early;         /* more of it may still come */
    bool is_remainder;          /* some of it was decided before */
    bool has_guess;             /* the time of a frame is a guess, so the order of the frames is */
};

struct ptpmon_pairing {
    const struct ptpmon_coverage *monitor, *capture;
    int64_t edge_ns; /* how far the times of a message on both sides may lie apart at an edge or a loss */
};

/* Gives each item of the pool its outcome, reason and partner. Takes O(n log n), needs no memory. */
void ptpmon_pair(const struct ptpmon_pairing *pairing, struct ptpmon_pool *pool);

#endif
