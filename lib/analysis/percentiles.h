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

#include <math.h>
#include <ptpmon.h>
#include <string.h>

#define PTPMON_PERCENTILES_EXACT 4096
#define PTPMON_PERCENTILES_WIDE  59 /* classes' widths: the least, then doubled from row to row */

struct ptpmon_percentiles {
    double resolution;
    double least, greatest; /* INFINITY, -INFINITY: no values yet */
    double centre;          /* the median of the first PTPMON_PERCENTILES_EXACT values */
    uint64_t count;
    double *values;  /* NULL once they are counted in classes */
    size_t capacity; /* of values; 0 then */
    /* [][0] from the centre up, [][1] below it; NULL: nothing counted there */
    uint64_t *rows[PTPMON_PERCENTILES_WIDE][2];
};

/* resolution > 0, in the values' unit. Nothing is allocated. */
void ptpmon_percentiles_init(struct ptpmon_percentiles *percentiles, double resolution);
void ptpmon_percentiles_close(struct ptpmon_percentiles *percentiles);

/* `value` is finite. NO_MEMORY: it was not taken. */
ptpmon_status ptpmon_percentiles_add(struct ptpmon_percentiles *percentiles, double value);

/*
 * A class holds distances from the centre of [row][place]. Row 0: places are 2 resolutions wide. Row r: from 64 * 2^r
 * resolutions to twice that, places 2^r wide: 1/64 of the distance or less.
 */
#define PTPMON_PERCENTILES_ROW            64             /* classes */
#define PTPMON_PERCENTILES_FIRST_EXPONENT (1023 + 7 - 1) /* of row 0, as in a double; row 1 begins with 2^7 */

struct ptpmon_percentiles_class {
    size_t row, place;
    bool below; /* the centre */
};

static inline struct ptpmon_percentiles_class ptpmon_percentiles_class_of(const struct ptpmon_percentiles *percentiles,
                                                                          double value)
{
    double distance = (value - percentiles->centre) / percentiles->resolution;
    uint64_t bits;
    memcpy(&bits, &distance, sizeof bits);
    /* Exponent and the highest bits of the fraction are row and place (IEEE 754 binary64). */
    int row = (int)(bits >> 52 & 0x7FF) - PTPMON_PERCENTILES_FIRST_EXPONENT;
    size_t place = (size_t)(bits >> 46) % PTPMON_PERCENTILES_ROW;
    if (row <= 0) {
        row = 0;
        place = (size_t)(int)(fabs(distance) / 2);
    } else if (row >= PTPMON_PERCENTILES_WIDE) {
        row = PTPMON_PERCENTILES_WIDE - 1;
        place = PTPMON_PERCENTILES_ROW - 1;
    }
    return (struct ptpmon_percentiles_class){(size_t)row, place, bits >> 63};
}

/* Sees to it that there is memory for this value. Errors: NO_MEMORY. */
ptpmon_status ptpmon_percentiles_make_way(struct ptpmon_percentiles *percentiles, double value);
/* Takes a value where that needs no memory. False, and it was not taken: it does, as the first one always; or it is not
 * within +-at_most. */
static inline bool ptpmon_percentiles_take(struct ptpmon_percentiles *percentiles, double value, double at_most)
{
    uint64_t *counter = NULL;
    if (percentiles->count >= percentiles->capacity) {
        struct ptpmon_percentiles_class its = ptpmon_percentiles_class_of(percentiles, value);
        uint64_t *row = percentiles->rows[its.row][its.below];
        if (!row)
            return false;
        counter = &row[its.place];
    }
    /* What lies between two that were taken is within +-at_most as they are. */
    if (!(value >= percentiles->least && value <= percentiles->greatest)) {
        if (!(fabs(value) <= at_most))
            return false;
        if (value < percentiles->least)
            percentiles->least = value;
        if (value > percentiles->greatest)
            percentiles->greatest = value;
    }
    if (counter)
        ++*counter;
    else
        percentiles->values[percentiles->count] = value;
    percentiles->count++;
    return true;
}

/* The values at several parts of all, 0 < parts[i] <= 1, ascending; all 0 if there are no values. */
void ptpmon_percentiles_at(const struct ptpmon_percentiles *percentiles, const double *parts, size_t count,
                           double *values);

#endif
