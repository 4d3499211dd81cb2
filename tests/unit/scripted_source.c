/* SPDX-License-Identifier: MIT */
#include "scripted_source.h"

#include "error.h"
#include "source.h"

#include <stdlib.h>
#include <string.h>

struct script script;

/* CLOCK_REALTIME is this far ahead of event time. */
#define REALTIME_AHEAD 1700000000000000000u

static ptpmon_status as_told(ptpmon_status status)
{
    return status == PTPMON_OK ? PTPMON_OK : ptpmon_fail(status, "script0: as the script says");
}

static ptpmon_status enable(struct ptpmon_source *source)
{
    (void)source;
    script.enabled = script.enable_status == PTPMON_OK;
    script.frames_dropped = script.stamps_dropped = 0;
    script.first = script.end = 0;
    return as_told(script.enable_status);
}

static ptpmon_status disable(struct ptpmon_source *source)
{
    (void)source;
    script.enabled = false;
    return PTPMON_OK;
}

static void close_source(struct ptpmon_source *source)
{
    script.closed++;
    free(source);
}

static ptpmon_status peek(struct ptpmon_source *source, ptpmon_batch *batch)
{
    (void)source;
    *batch = (ptpmon_batch){script.ring + script.first, sizeof *script.ring, script.end - script.first};
    return PTPMON_OK;
}

static void release(struct ptpmon_source *source, size_t count)
{
    (void)source;
    script.first += count;
}

static ptpmon_status wait_for_records(struct ptpmon_source *source, int timeout_ms)
{
    (void)source;
    (void)timeout_ms;
    return script.first < script.end ? PTPMON_OK : PTPMON_NOTHING;
}

static ptpmon_status statistics(struct ptpmon_source *source, ptpmon_statistics *sum)
{
    (void)source;
    sum->frames_dropped = script.frames_dropped;
    sum->stamps_dropped = script.stamps_dropped;
    return PTPMON_OK;
}

static void info(const struct ptpmon_source *source, ptpmon_monitor_info *about)
{
    (void)source;
    about->rx_frames = about->tx_frames = about->tx_stamps = "script";
}

static uint64_t now(struct ptpmon_source *source)
{
    (void)source;
    return script.now;
}

static ptpmon_status clocks(struct ptpmon_source *source, PTP_CLOCKS_RECORD *record)
{
    (void)source;
    *record = (PTP_CLOCKS_RECORD){
        .system_timestamp = script.now,
        .direction = AVB_DIRECTION_CLOCKS,
        .realtime_ns = ptpmon_ticks_to_ns(script.now, script.hz) + REALTIME_AHEAD,
        .realtime_uncertainty_ns = 25,
    };
    return as_told(script.clocks_status);
}

static enum ptpmon_sight sight(struct ptpmon_source *source)
{
    enum ptpmon_sight now = (enum ptpmon_sight)script.sight;
    (void)source;
    if (now == PTPMON_WAS_BLIND)
        script.sight = PTPMON_SEES;
    return now;
}

static void describe(struct ptpmon_source *source, PTP_RECORDING_HEADER *header)
{
    (void)source;
    header->stamping = script.stamping;
    header->phc_index = -1;
    header->system_clock = script.hz != 0 ? AVB_CLOCK_QPC : AVB_CLOCK_MONOTONIC;
    header->system_clock_hz = script.hz != 0 ? script.hz : 1000000000u;
    header->software_clock = script.hz != 0 ? AVB_CLOCK_QPC : AVB_CLOCK_REALTIME;
    memcpy(header->mac, (const UCHAR[6]){2, 0, 0, 0, 0, 1}, sizeof header->mac);
    strcpy(header->host, "bench-7");
    strcpy(header->boot_id, "01234567-89ab-cdef-0123-456789abcdef");
    strcpy(header->interface_name, "script0");
}

static const struct ptpmon_source_operations operations = {
    .enable = enable,
    .disable = disable,
    .close = close_source,
    .peek = peek,
    .release = release,
    .wait = wait_for_records,
    .statistics = statistics,
    .info = info,
    .now = now,
    .clocks = clocks,
    .sight = sight,
    .describe = describe,
};

ptpmon_status __wrap_ptpmon_source_open(const char *interface_name, const ptpmon_monitor_options *options,
                                        struct ptpmon_source **opened);

ptpmon_status __wrap_ptpmon_source_open(const char *interface_name, const ptpmon_monitor_options *options,
                                        struct ptpmon_source **opened)
{
    (void)options;
    struct ptpmon_source *source = calloc(1, sizeof *source);
    if (!source)
        return ptpmon_fail(PTPMON_NO_MEMORY, "%s: no memory for a source", interface_name);
    source->operations = &operations;
    source->timebase = (struct ptpmon_timebase){.hz = script.hz, .software_ticks = script.hz != 0};
    script.opened++;
    *opened = source;
    return PTPMON_OK;
}

void script_reset(void)
{
    script.hz = 0;
    script.now = 1000000000;
    script.frames_dropped = script.stamps_dropped = 0;
    script.stamping = 0;
    script.enable_status = script.clocks_status = PTPMON_OK;
    script.enabled = false;
    script.sight = PTPMON_SEES;
    script.opened = script.closed = 0;
    script.first = script.end = 0;
}

void script_give(const PTP_TIMESTAMP_EVENT *record)
{
    if (script.end == SCRIPT_RING_RECORDS)
        abort();
    script.ring[script.end++] = *record;
}
