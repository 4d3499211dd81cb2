/* SPDX-License-Identifier: MIT */
/*
 * Instants as signed ns, kept below 2^62 in size so that neither the sum nor the difference of two
 * overflows, whatever a damaged record or file says.
 */
#ifndef PTPMON_LIB_INSTANT_H
#define PTPMON_LIB_INSTANT_H

#include <stdint.h>

typedef int64_t ptpmon_instant;

#define PTPMON_INSTANT_MAX (((ptpmon_instant)1 << 62) - 1)
#define PTPMON_INSTANT_MIN (-PTPMON_INSTANT_MAX)

static inline ptpmon_instant ptpmon_instant_clamp(int64_t ns)
{
    if (ns > PTPMON_INSTANT_MAX)
        return PTPMON_INSTANT_MAX;
    return ns < PTPMON_INSTANT_MIN ? PTPMON_INSTANT_MIN : ns;
}

static inline ptpmon_instant ptpmon_instant_from_unsigned(uint64_t ns)
{
    return ns > (uint64_t)PTPMON_INSTANT_MAX ? PTPMON_INSTANT_MAX : (ptpmon_instant)ns;
}

static inline ptpmon_instant ptpmon_instant_add(ptpmon_instant instant, int64_t ns)
{
    return ptpmon_instant_clamp(instant + ptpmon_instant_clamp(ns));
}

#endif
