/* SPDX-License-Identifier: MIT */
#include "analysis/percentiles.h"

#include "error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 64
#define ROW            64             /* classes */
#define BEYOND         0x1p65         /* resolutions: the end of the last row */
#define FIRST_EXPONENT (1023 + 7 - 1) /* of row 0, as it stands in a double; row 1 begins with 2^7 */
#define PARTITIONS     16             /* at most, lest values that were made for it cost more than sorting */
#define FEW            16             /* values, which are sorted rather than divided further */

void ptpmon_percentiles_init(struct ptpmon_percentiles *percentiles, double resolution)
{
    *percentiles = (struct ptpmon_percentiles){.resolution = resolution};
}

void ptpmon_percentiles_close(struct ptpmon_percentiles *percentiles)
{
    free(percentiles->values);
    for (int side = 0; side < 2; side++)
        for (size_t row = 0; row < PTPMON_PERCENTILES_WIDE; row++)
            free(percentiles->rows[side][row]);
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

/*
 * A class holds distances from the centre of [row][place]. Row 0: places are 2 resolutions wide. Row r: from 64 * 2^r
 * resolutions to twice that, places 2^r wide: 1/64 of the distance or less.
 */
struct slot {
    size_t row, place;
};

static struct slot class_of(double distance)
{
    uint64_t bits;
    if (distance < 2 * ROW)
        return (struct slot){0, (size_t)(distance / 2)};
    if (!(distance < BEYOND))
        return (struct slot){PTPMON_PERCENTILES_WIDE - 1, ROW - 1};
    /* Exponent and the highest bits of the fraction are row and place (IEEE 754 binary64). */
    memcpy(&bits, &distance, sizeof bits);
    return (struct slot){(size_t)(bits >> 52) - FIRST_EXPONENT, (size_t)(bits >> 46) % ROW};
}

static double middle_of(struct slot slot)
{
    if (slot.row == 0)
        return 2 * (double)slot.place + 1;
    return ldexp((double)(ROW + slot.place) + 0.5, (int)slot.row);
}

/* Apart, as what follows below, so that the usual way of a value saves no registers. */
__attribute__((noinline)) static bool add_row(uint64_t **row)
{
    *row = calloc(ROW, sizeof **row);
    return *row;
}

static inline ptpmon_status count_in_class(struct ptpmon_percentiles *percentiles, double value)
{
    double distance = (value - percentiles->centre) / percentiles->resolution;
    struct slot slot = class_of(fabs(distance));
    uint64_t **row = &percentiles->rows[distance >= 0][slot.row];
    if (!*row && !add_row(row))
        return no_memory();
    (*row)[slot.place]++;
    return PTPMON_OK;
}

/* Out of memory half way, the classes begin anew: the values are still there. */
__attribute__((noinline)) static ptpmon_status begin_classes(struct ptpmon_percentiles *percentiles)
{
    size_t count = (size_t)percentiles->count;
    percentiles->centre = find_value(percentiles->values, 0, count, (size_t)rank_of(percentiles, 0.5));
    for (size_t i = 0; i < count; i++) {
        if (count_in_class(percentiles, percentiles->values[i]) == PTPMON_OK)
            continue;
        for (int side = 0; side < 2; side++)
            for (size_t row = 0; row < PTPMON_PERCENTILES_WIDE; row++) {
                free(percentiles->rows[side][row]);
                percentiles->rows[side][row] = NULL;
            }
        return PTPMON_NO_MEMORY;
    }
    free(percentiles->values);
    percentiles->values = NULL;
    return PTPMON_OK;
}

__attribute__((noinline)) static ptpmon_status make_room(struct ptpmon_percentiles *percentiles)
{
    size_t capacity = percentiles->capacity ? percentiles->capacity * 2 : FIRST_CAPACITY;
    double *values = realloc(percentiles->values, capacity * sizeof *values);
    if (!values)
        return no_memory();
    percentiles->values = values;
    percentiles->capacity = capacity;
    return PTPMON_OK;
}

static ptpmon_status take(struct ptpmon_percentiles *percentiles, double value)
{
    if (percentiles->count == PTPMON_PERCENTILES_EXACT && percentiles->values &&
        begin_classes(percentiles) != PTPMON_OK)
        return PTPMON_NO_MEMORY;
    if (percentiles->count >= PTPMON_PERCENTILES_EXACT)
        return count_in_class(percentiles, value);
    if (percentiles->count == percentiles->capacity && make_room(percentiles) != PTPMON_OK)
        return PTPMON_NO_MEMORY;
    percentiles->values[percentiles->count] = value;
    return PTPMON_OK;
}

ptpmon_status ptpmon_percentiles_add(struct ptpmon_percentiles *percentiles, double value)
{
    ptpmon_status status = take(percentiles, value);
    if (status != PTPMON_OK)
        return status;
    if (percentiles->count == 0 || value < percentiles->least)
        percentiles->least = value;
    if (percentiles->count == 0 || value > percentiles->greatest)
        percentiles->greatest = value;
    percentiles->count++;
    return PTPMON_OK;
}

/* Going through the classes from the least value to the greatest. */
struct walk {
    const struct ptpmon_percentiles *percentiles;
    uint64_t before; /* values in the classes before this one */
    size_t step;     /* classes gone through */
};

#define SIDE_STEPS ((size_t)PTPMON_PERCENTILES_WIDE * ROW)

/* The class at this step: below the centre from far to near, above it from near to far. */
static uint64_t class_at(const struct walk *walk, int *side, struct slot *slot)
{
    *side = walk->step >= SIDE_STEPS;
    size_t at = *side ? walk->step - SIDE_STEPS : SIDE_STEPS - 1 - walk->step;
    *slot = (struct slot){at / ROW, at % ROW};
    const uint64_t *row = walk->percentiles->rows[*side][slot->row];
    return row ? row[slot->place] : 0;
}

static double value_at(struct walk *walk, uint64_t rank)
{
    int side = 0;
    struct slot slot = {0};
    const struct ptpmon_percentiles *percentiles = walk->percentiles;
    for (; walk->step < 2 * SIDE_STEPS; walk->step++) {
        uint64_t here = class_at(walk, &side, &slot);
        if (rank < walk->before + here)
            break;
        walk->before += here;
    }
    double distance = middle_of(slot) * percentiles->resolution;
    double value = side ? percentiles->centre + distance : percentiles->centre - distance;
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
