/* SPDX-License-Identifier: MIT */
/*
 * The floors of both directions between two ports, and what they say of the path's asymmetry.
 *
 * Times come in bins, each long enough to hold several of either direction; a bin's floors are its least masterToSlave
 * and slaveToMaster. The local clock's drift against the master tilts the two by the same amount, one up and one down.
 * It is estimated from bin to bin and taken out, so that of each bin remain
 *
 *     sum         forward + reverse: no clock is in it, the delays alone
 *     difference  (forward - reverse) / 2: the clock's offset and half the difference of the delays
 *
 * When the path of one direction changes by d, the sum moves by d and the difference by d/2 (forward) or -d/2
 * (reverse); when the clock steps, the difference alone.
 */
#ifndef PTPMON_LIB_ANALYSIS_FLOORS_H
#define PTPMON_LIB_ANALYSIS_FLOORS_H

#include <ptpmon_analysis.h>

#define PTPMON_FLOOR_BIN_VALUES 4                   /* of either direction at least */
#define PTPMON_FLOOR_BIN_NS     INT64_C(1000000000) /* and so long */
#define PTPMON_FLOOR_BINS       16                  /* kept */
#define PTPMON_FLOOR_AFTER      4                   /* bins that a change must last */
#define PTPMON_FLOOR_BEFORE     6                   /* bins that it is held against, at least */
#define PTPMON_FLOOR_LEAST      10.0                /* ns: smaller changes are not looked for */

struct ptpmon_floor_bin {
    int64_t from_ns, to_ns;            /* local time */
    double forward, reverse;           /* least, as they came */
    double flat_forward, flat_reverse; /* least, drift taken out: as if at from_ns */
    double flat_sync;                  /* likewise, of ptpmon_floors_sync(); INFINITY: none */
    double sum, difference;            /* of the flat ones; the difference moved to the middle of the bin */
    uint64_t forward_count, reverse_count;
};

struct ptpmon_floors {
    bool begun, rate_known;
    int64_t base_ns;
    double rate; /* local clock against master, as of the bins before */
    struct ptpmon_floor_bin open;
    struct ptpmon_floor_bin bins[PTPMON_FLOOR_BINS];
    size_t count, steady; /* closed ones kept; of these, since the last change, and with the drift known */
    bool change_found;
    double change, change_bound; /* of delayAsymmetry, since the beginning */
};

/* Begins anew; changes found before are kept. base_ns: what is taken from masterToSlave and added to slaveToMaster. */
void ptpmon_floors_begin(struct ptpmon_floors *floors, int64_t base_ns);

/* Values less the base, in order of local time, about. True: a bin is full; see ptpmon_floors_change(). */
bool ptpmon_floors_forward(struct ptpmon_floors *floors, int64_t local_ns, double masterToSlave);
bool ptpmon_floors_reverse(struct ptpmon_floors *floors, int64_t local_ns, double slaveToMaster);

/* masterToSlave of a Sync that came the same way as the forward values, by another clock of its sender, perhaps. It is
 * kept beside them and changes nothing. */
void ptpmon_floors_sync(struct ptpmon_floors *floors, int64_t local_ns, double masterToSlave);

/* To be called once for each full bin: whether a change of one direction can be told now. `size` and `bound` are ns of
 * that direction's delay, local_ns is when it had happened. */
bool ptpmon_floors_change(struct ptpmon_floors *floors, ptpmon_finding_kind *kind, double *size, double *bound,
                          int64_t *local_ns);

struct ptpmon_floor_summary {
    double forward, reverse; /* least of the last window */
    double window_s;
    double sum, sum_bound;       /* median over the window, drift taken out; +- ns */
    double offset, offset_bound; /* the difference at at_ns; +- ns */
    double rate;                 /* of it */
    int64_t at_ns;               /* local time */
    bool has_sync;               /* there were Syncs in every bin: */
    double sync, sync_bound;     /* by how much theirs lie above the forward values; +- ns */
};

/* From the bin that is open, if none is full yet. False: not both directions yet. */
bool ptpmon_floors_summarize(const struct ptpmon_floors *floors, struct ptpmon_floor_summary *summary);

#endif
