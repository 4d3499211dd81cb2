/* SPDX-License-Identifier: MIT */
/*
 * From records, as a driver side made them, to events, whose times are ns: the one place where ticks become ns. Files
 * and the records door have records; all that joins, relates and shows has events.
 */
#ifndef PTPMON_LIB_TIMEBASE_H
#define PTPMON_LIB_TIMEBASE_H

#include <avb/avb_ptp_events.h>
#include <stdbool.h>
#include <stdint.h>

#define PTPMON_NS_PER_SECOND UINT64_C(1000000000)

/* Up to here the conversion needs no more than 64 bits: a rest of less than 2^34 ticks, times 10^9 < 2^30. */
#define PTPMON_HZ_MAX (UINT64_C(1) << 34)

/* On which clocks the times of records are. Zeroed: ns, and software stamps of UTC, as on Linux. */
struct ptpmon_timebase {
    uint64_t hz;         /* ticks per second of system_timestamp, at most PTPMON_HZ_MAX; 0 = ns */
    bool software_ticks; /* software_timestamp is on the same clock, in the same ticks */
};

/* Rounded down; as exact after years as at the start. UINT64_MAX: more than there are. */
static inline uint64_t ptpmon_ticks_to_ns(uint64_t ticks, uint64_t hz)
{
    if (hz == 0 || hz == PTPMON_NS_PER_SECOND)
        return ticks;
    uint64_t seconds = ticks / hz, rest = ticks % hz, ns;
    if (__builtin_mul_overflow(seconds, PTPMON_NS_PER_SECOND, &ns) ||
        __builtin_add_overflow(ns, rest * PTPMON_NS_PER_SECOND / hz, &ns))
        return UINT64_MAX;
    return ns;
}

/* What a tick may hide, ns, rounded up. */
static inline uint64_t ptpmon_tick_ns(const struct ptpmon_timebase *timebase)
{
    return timebase->hz == 0 ? 1 : (PTPMON_NS_PER_SECOND + timebase->hz - 1) / timebase->hz;
}

/* Makes an event of a record of any kind. */
void ptpmon_timebase_to_event(const struct ptpmon_timebase *timebase, PTP_TIMESTAMP_EVENT *record);

#endif
