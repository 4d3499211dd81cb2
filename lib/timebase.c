/* SPDX-License-Identifier: MIT */
#include "timebase.h"

#include <string.h>

/* 0 stays 0, for it says that there is no stamp; and nothing else becomes 0. */
static uint64_t stamp_to_ns(uint64_t ticks, uint64_t hz)
{
    uint64_t ns = ptpmon_ticks_to_ns(ticks, hz);
    return ns == 0 && ticks != 0 ? 1 : ns;
}

static void loss_to_event(uint64_t hz, PTP_TIMESTAMP_EVENT *record)
{
    PTP_LOSS_RECORD loss;
    memcpy(&loss, record, sizeof loss);
    loss.since = ptpmon_ticks_to_ns(loss.since, hz);
    memcpy(record, &loss, sizeof loss);
}

void ptpmon_timebase_to_event(const struct ptpmon_timebase *timebase, PTP_TIMESTAMP_EVENT *record)
{
    const uint64_t hz = timebase->hz;
    if (hz == 0)
        return;
    record->system_timestamp = ptpmon_ticks_to_ns(record->system_timestamp, hz);
    if (record->direction == AVB_DIRECTION_LOSS)
        loss_to_event(hz, record);
    else if (record->direction <= AVB_DIRECTION_TX && timebase->software_ticks)
        record->software_timestamp = stamp_to_ns(record->software_timestamp, hz);
}
