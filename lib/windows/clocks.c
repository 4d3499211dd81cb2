/* SPDX-License-Identifier: MIT */
#include "windows/clocks.h"

#include "timebase.h"

#include <string.h>
#include <windows.h>

#define BRACKETS 10 /* per reading */

/* From the beginning of 1601, where FILETIME counts from, to that of 1970, in its units of 100 ns. */
#define UNITS_TO_1970 UINT64_C(116444736000000000)
#define NS_PER_UNIT   100u

uint64_t ptpmon_counter_hz(void)
{
    LARGE_INTEGER hz;
    QueryPerformanceFrequency(&hz);
    return (uint64_t)hz.QuadPart;
}

uint64_t ptpmon_counter_now(void)
{
    LARGE_INTEGER ticks;
    QueryPerformanceCounter(&ticks);
    return (uint64_t)ticks.QuadPart;
}

static uint64_t realtime_now(void)
{
    FILETIME time;
    GetSystemTimePreciseAsFileTime(&time);
    uint64_t units = (uint64_t)time.dwHighDateTime << 32 | time.dwLowDateTime;
    return (units - UNITS_TO_1970) * NS_PER_UNIT;
}

/* UTC lies somewhere in its unit, and in the bracket. */
static uint32_t uncertainty(uint64_t width_ns)
{
    uint64_t half = width_ns / 2 + 1 + NS_PER_UNIT;
    return half > UINT32_MAX ? UINT32_MAX : (uint32_t)half;
}

void ptpmon_counter_clocks(PTP_CLOCKS_RECORD *clocks)
{
    const uint64_t hz = ptpmon_counter_hz();
    uint64_t narrowest = UINT64_MAX;
    *clocks = (PTP_CLOCKS_RECORD){.direction = AVB_DIRECTION_CLOCKS};
    for (int i = 0; i < BRACKETS; i++) {
        uint64_t before = ptpmon_counter_now();
        uint64_t realtime = realtime_now();
        uint64_t width = ptpmon_counter_now() - before;
        if (width >= narrowest)
            continue;
        narrowest = width;
        clocks->system_timestamp = before + width / 2;
        clocks->realtime_ns = realtime;
    }
    clocks->realtime_uncertainty_ns = uncertainty(ptpmon_ticks_to_ns(narrowest, hz));
}

ptpmon_status ptpmon_clocks_now(PTP_CLOCKS_RECORD *clocks)
{
    const struct ptpmon_timebase timebase = {.hz = ptpmon_counter_hz()};
    PTP_TIMESTAMP_EVENT event;
    ptpmon_counter_clocks(clocks);
    memcpy(&event, clocks, sizeof event);
    ptpmon_timebase_to_event(&timebase, &event);
    memcpy(clocks, &event, sizeof *clocks);
    return PTPMON_OK;
}
