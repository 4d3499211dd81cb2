/* SPDX-License-Identifier: MIT */
/*
 * Percentiles of any number of values in bounded memory: nearest rank, the least value that at least p of all values
 * do not exceed.
 *
 * Up to PTPMON_PERCENTILES_EXACT values are kept, and the result is exact. Then they are counted in classes around the
 * median of those first ones: an error is at most `resolution`, or 1/128 of the distance to that median, whichever is
 * more, for values less than 2^64 resolutions from it. Memory: 32 KiB at most before, then 512 bytes for each power of
 * two (times the resolution) of that distance that occurs, at most 61 KiB.
 */
#ifndef PTPMON_LIB_ANALYSIS_PERCENTILES_H
#define PTPMON_LIB_ANALYSIS_PERCENTILES_H

#include <ptpmon.h>

#define PTPMON_PERCENTILES_EXACT 4096
#define PTPMON_PERCENTILES_WIDE  59 /* classes' widths: the least, then doubled from row to row */

struct ptpmon_percentiles {
    double resolution;
    uint64_t count;
    double least, greatest;
    double *values; /* NULL once they are counted in classes */
    size_t capacity;
    double centre;
    uint64_t *rows[2][PTPMON_PERCENTILES_WIDE]; /* below, above the centre; NULL: nothing counted there */
};

/* resolution > 0, in the values' unit. Nothing is allocated. */
void ptpmon_percentiles_init(struct ptpmon_percentiles *percentiles, double resolution);
void ptpmon_percentiles_close(struct ptpmon_percentiles *percentiles);

/* `value` is finite. NO_MEMORY: it was not taken. */
ptpmon_status ptpmon_percentiles_add(struct ptpmon_percentiles *percentiles, double value);

/* The values at several parts of all, 0 < parts[i] <= 1, ascending; all 0 if there are no values. */
void ptpmon_percentiles_at(const struct ptpmon_percentiles *percentiles, const double *parts, size_t count,
                           double *values);

#endif
