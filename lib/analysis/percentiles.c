/* SPDX-License-Identifier: MIT */
#include "analysis/percentiles.h"

#include "error.h"

#include <float.h>
#include <stdlib.h>

#define FIRST_CAPACITY 64
#define ROW            PTPMON_PERCENTILES_ROW
#define PARTITIONS     16 /* at most, lest values that were made for it cost more than sorting */
#define FEW            16 /* values, which are sorted rather than divided further */

void ptpmon_percentiles_init(struct ptpmon_percentiles *percentiles, double resolution)
{
    *percentiles = (struct ptpmon_percentiles){.resolution = resolution, .least = INFINITY, .greatest = -INFINITY};
}

static void free_classes(struct ptpmon_percentiles *percentiles)
{
    for (size_t row = 0; row < PTPMON_PERCENTILES_WIDE; row++)
        for (int side = 0; side < 2; side++) {
            free(percentiles->rows[row][side]);
            percentiles->rows[row][side] = NULL;
        }
}

void ptpmon_percentiles_close(struct ptpmon_percentiles *percentiles)
{
    free(percentiles->values);
    free_classes(percentiles);
}

static ptpmon_status no_memory(void)
{
    return ptpmon_fail(PTPMON_NO_MEMORY, "statistics: out of memory; close other programs");
}

static int compare(const void *a, const void *b)
{
    const double *one = a, *other = b;
    return (*one > *other) - (*one < *other);
}

/* From 0: how many values lie before the one that is asked for. */
static uint64_t rank_of(const struct ptpmon_percentiles *percentiles, double part)
{
    double rank = ceil(part * (double)percentiles->count);
    uint64_t from_one = rank < 1 ? 1 : rank >= (double)percentiles->count ? percentiles->count : (uint64_t)rank;
    return from_one - 1;
}

static double middle_one(double a, double b, double c)
{
    return fmax(fmin(a, b), fmin(fmax(a, b), c));
}

/* Puts those of values[*low] to values[*high - 1] that are less than one of them before those that are greater, and
 * narrows the range to the side that `rank` is in; to nothing where that one has its place there. */
static void narrow(double *values, size_t rank, size_t *low, size_t *high)
{
    size_t up = *low, down = *high;
    double pivot = middle_one(values[up], values[up + (down - up) / 2], values[down - 1]);
    while (up < down) {
        while (values[up] < pivot)
            up++;
        while (values[down - 1] > pivot)
            down--;
        if (up < down) {
            double value = values[up];
            values[up++] = values[--down];
            values[down] = value;
        }
    }
    if (rank < down)
        *high = down;
    else if (rank >= up)
        *low = up;
    else
        *low = *high;
}

/*
 * The value that would be at `rank` if values[low] to values[count - 1] were sorted; then it is there, with none
 * greater before it and none less behind it. After C. A. R. Hoare, Algorithm 65: Find.
 */
static double find_value(double *values, size_t low, size_t count, size_t rank)
{
    size_t high = count;
    for (int i = 0; i < PARTITIONS && high - low > FEW; i++)
        narrow(values, rank, &low, &high);
    qsort(values + low, high - low, sizeof *values, compare);
    return values[rank];
}

/* ---- Taking values ------------------------------------------------------------------------ */

static ptpmon_status make_room(struct ptpmon_percentiles *percentiles)
{
    size_t capacity = percentiles->capacity ? percentiles->capacity * 2 : FIRST_CAPACITY;
    double *values = realloc(percentiles->values, capacity * sizeof *values);
    if (!values)
        return no_memory();
    percentiles->values = values;
    percentiles->capacity = capacity;
    return PTPMON_OK;
}

static ptpmon_status add_row(struct ptpmon_percentiles *percentiles, struct ptpmon_percentiles_class its)
{
    uint64_t **row = &percentiles->rows[its.row][its.below];
    if (!*row)
        *row = calloc(ROW, sizeof **row);
    return *row ? PTPMON_OK : no_memory();
}

/* Out of memory half way, the classes begin anew: the values are still there. */
static ptpmon_status begin_classes(struct ptpmon_percentiles *percentiles)
{
    size_t count = (size_t)percentiles->count;
    percentiles->centre = find_value(percentiles->values, 0, count, (size_t)rank_of(percentiles, 0.5));
    for (size_t i = 0; i < count; i++) {
        struct ptpmon_percentiles_class its = ptpmon_percentiles_class_of(percentiles, percentiles->values[i]);
        if (add_row(percentiles, its) != PTPMON_OK) {
            free_classes(percentiles);
            return PTPMON_NO_MEMORY;
        }
        percentiles->rows[its.row][its.below][its.place]++;
    }
    free(percentiles->values);
    percentiles->values = NULL;
    percentiles->capacity = 0;
    return PTPMON_OK;
}

ptpmon_status ptpmon_percentiles_make_way(struct ptpmon_percentiles *percentiles, double value)
{
    if (percentiles->count < percentiles->capacity)
        return PTPMON_OK;
    if (percentiles->count < PTPMON_PERCENTILES_EXACT)
        return make_room(percentiles);
    if (percentiles->values && begin_classes(percentiles) != PTPMON_OK)
        return PTPMON_NO_MEMORY;
    return add_row(percentiles, ptpmon_percentiles_class_of(percentiles, value));
}

ptpmon_status ptpmon_percentiles_add(struct ptpmon_percentiles *percentiles, double value)
{
    if (ptpmon_percentiles_take(percentiles, value, DBL_MAX))
        return PTPMON_OK;
    ptpmon_status status = ptpmon_percentiles_make_way(percentiles, value);
    if (status == PTPMON_OK)
        (void)ptpmon_percentiles_take(percentiles, value, DBL_MAX);
    return status;
}

/* ---- Asking for them ---------------------------------------------------------------------- */

static double middle_of(size_t row, size_t place)
{
    if (row == 0)
        return 2 * (double)place + 1;
    return ldexp((double)(ROW + place) + 0.5, (int)row);
}

/* Going through the classes from the least value to the greatest. */
struct walk {
    const struct ptpmon_percentiles *percentiles;
    uint64_t before; /* values in the classes before this one */
    size_t step;     /* classes gone through */
};

#define SIDE_STEPS ((size_t)PTPMON_PERCENTILES_WIDE * ROW)

/* The class at this step: below the centre from far to near, above it from near to far. */
static struct ptpmon_percentiles_class class_at(size_t step)
{
    bool below = step < SIDE_STEPS;
    size_t at = below ? SIDE_STEPS - 1 - step : step - SIDE_STEPS;
    return (struct ptpmon_percentiles_class){at / ROW, at % ROW, below};
}

static double value_at(struct walk *walk, uint64_t rank)
{
    const struct ptpmon_percentiles *percentiles = walk->percentiles;
    struct ptpmon_percentiles_class its = {0};
    for (; walk->step < 2 * SIDE_STEPS; walk->step++) {
        its = class_at(walk->step);
        const uint64_t *row = percentiles->rows[its.row][its.below];
        if (!row) {
            walk->step |= ROW - 1; /* its last */
            continue;
        }
        if (rank < walk->before + row[its.place])
            break;
        walk->before += row[its.place];
    }
    double distance = middle_of(its.row, its.place) * percentiles->resolution;
    double value = its.below ? percentiles->centre - distance : percentiles->centre + distance;
    return fmin(fmax(value, percentiles->least), percentiles->greatest);
}

void ptpmon_percentiles_at(const struct ptpmon_percentiles *percentiles, const double *parts, size_t count,
                           double *values)
{
    struct walk walk = {.percentiles = percentiles};
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t rank = percentiles->count > 0 ? rank_of(percentiles, parts[i]) : 0;
        if (percentiles->count == 0) {
            values[i] = 0;
        } else if (percentiles->values) {
            values[i] = find_value(percentiles->values, found, (size_t)percentiles->count, (size_t)rank);
            found = (size_t)rank;
        } else {
            values[i] = value_at(&walk, rank);
        }
    }
}
