/* SPDX-License-Identifier: MIT */
/*
 * Arithmetic on ptpmon_time: ns and 2^-16 ns. Times and differences of times in PTP's range (a signed 64-bit number of
 * ns) neither overflow nor round, but where a function says so.
 */
#ifndef PTPMON_LIB_ANALYSIS_TIME_H
#define PTPMON_LIB_ANALYSIS_TIME_H

#include <math.h>
#include <ptpmon.h>

#define PTPMON_FRACTIONS 65536 /* of a ns */

static inline ptpmon_time ptpmon_time_of_ns(int64_t ns)
{
    return (ptpmon_time){ns, 0};
}

/* Of a correctionField and the like: 2^-16 ns. */
static inline ptpmon_time ptpmon_time_of_scaled(int64_t scaled)
{
    return (ptpmon_time){scaled >> 16, (uint32_t)(scaled & 0xFFFF)};
}

/* What does not fit wraps: of stamps of two clocks in PTP's range nothing does. */
static inline ptpmon_time ptpmon_time_add(ptpmon_time a, ptpmon_time b)
{
    uint32_t fraction = a.fraction + b.fraction;
    return (ptpmon_time){(int64_t)((uint64_t)a.ns + (uint64_t)b.ns + (fraction >> 16)), fraction & 0xFFFF};
}

static inline ptpmon_time ptpmon_time_minus(ptpmon_time a)
{
    uint32_t fraction = (PTPMON_FRACTIONS - a.fraction) & 0xFFFF;
    return (ptpmon_time){(int64_t)(0 - (uint64_t)a.ns - (a.fraction != 0)), fraction};
}

static inline ptpmon_time ptpmon_time_subtract(ptpmon_time a, ptpmon_time b)
{
    uint32_t fraction = a.fraction - b.fraction; /* less than 0: its highest bit is set */
    return (ptpmon_time){(int64_t)((uint64_t)a.ns - (uint64_t)b.ns - (fraction >> 31)), fraction & 0xFFFF};
}

static inline ptpmon_time ptpmon_time_less_ns(ptpmon_time a, int64_t ns)
{
    return (ptpmon_time){(int64_t)((uint64_t)a.ns - (uint64_t)ns), a.fraction};
}

/* Half, rounded down to 2^-16 ns. */
static inline ptpmon_time ptpmon_time_half(ptpmon_time a)
{
    return (ptpmon_time){a.ns >> 1, ((uint32_t)(a.ns & 1) * PTPMON_FRACTIONS + a.fraction) >> 1};
}

static inline int ptpmon_time_compare(ptpmon_time a, ptpmon_time b)
{
    if (a.ns != b.ns)
        return a.ns < b.ns ? -1 : 1;
    return (a.fraction > b.fraction) - (a.fraction < b.fraction);
}

/* ns in floating point: for differences, not for absolute times. */
static inline double ptpmon_time_to_double(ptpmon_time a)
{
    return (double)a.ns + a.fraction / (double)PTPMON_FRACTIONS;
}

/* The nearest 2^-16 ns; |ns| < 2^62. */
static inline ptpmon_time ptpmon_time_of_double(double ns)
{
    double whole = floor(ns);
    int64_t fraction = llrint((ns - whole) * PTPMON_FRACTIONS);
    return (ptpmon_time){(int64_t)whole + (fraction >> 16), (uint32_t)(fraction & 0xFFFF)};
}

/* a * ratio, for ratios near 1 and differences of seconds: only the small part a * (ratio - 1) is rounded. */
static inline ptpmon_time ptpmon_time_scale(ptpmon_time a, double ratio)
{
    return ptpmon_time_add(a, ptpmon_time_of_double(ptpmon_time_to_double(a) * (ratio - 1)));
}

#endif
