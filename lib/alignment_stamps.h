/* SPDX-License-Identifier: MIT */
/* Whether the times in a capture are the stamps that the events carry: the same numbers, perhaps all moved alike. */
#ifndef PTPMON_LIB_ALIGNMENT_STAMPS_H
#define PTPMON_LIB_ALIGNMENT_STAMPS_H

#include "alignment_probe.h"

/* The share of equal stamps that proves, in tenths. */
#define PTPMON_STAMPS_TENTHS 9
/* So many that are not equal tell that it is another clock: of one's own stack all are equal. */
#define PTPMON_STAMPS_TELL 3

enum ptpmon_stamp_kind {
    PTPMON_STAMPS_SOFTWARE,
    PTPMON_STAMPS_HARDWARE,
};

struct ptpmon_stamps {
    size_t equal;    /* received events whose stamp, moved by `offset`, is the time of a frame of their key... */
    size_t compared; /* ...of so many that have both, at a time which the capture has */
    int64_t offset;  /* capture time - stamp */
    int64_t resolution;
    bool proved; /* enough, and almost all are equal */
};

/* Finds the offset at which most are equal; 0 where that is proved. Times are equal within the capture's resolution;
 * one coarser than 1 us proves nothing. Error: NO_MEMORY. */
ptpmon_status ptpmon_stamps_compare(const struct ptpmon_probe *probe, enum ptpmon_stamp_kind kind,
                                    struct ptpmon_stamps *stamps);

/* Whether the candidate is such a pair. */
bool ptpmon_stamps_equal(const struct ptpmon_probe *probe, enum ptpmon_stamp_kind kind,
                         const struct ptpmon_candidate *candidate, const struct ptpmon_stamps *stamps);

/* Events with a stamp and a frame of their key, as in ptpmon_stamps.compared, were this the offset. Error: NO_MEMORY.
 */
ptpmon_status ptpmon_stamps_comparable(const struct ptpmon_probe *probe, enum ptpmon_stamp_kind kind, int64_t offset,
                                       size_t *compared);

#endif
