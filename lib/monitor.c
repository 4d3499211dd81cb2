/* SPDX-License-Identifier: MIT */
/* A monitor: a source of records, and its two doors. The same for all systems. */
#include <ptpmon.h>

#include "error.h"
#include "join.h"
#include "recording.h"
#include "source.h"

#include <stdlib.h>
#include <string.h>

#define CLOCKS_INTERVAL_NS 1000000000u

struct ptpmon_monitor {
    struct ptpmon_source *source;
    bool enabled, ran;
    uint64_t enabled_at, disabled_at;
    struct ptpmon_recorder *recorder; /* NULL = not recorded */
    /* The events door. */
    struct ptpmon_join *join;
    bool finished;                           /* nothing will come into `join` any more */
    uint64_t taken_until;                    /* event time of the last look that left nothing in a live source */
    uint64_t delivered_until;                /* as in ptpmon_monitor_info */
    uint64_t clocks_at;                      /* event time of the last CLOCKS record */
    uint64_t counters_at;                    /* event time of the last look at the drop counters */
    uint64_t frames_dropped, stamps_dropped; /* as of then */
};

/* A recording brings its own CLOCKS and LOSS records, and its times are past. */
static bool is_live(const ptpmon_monitor *monitor)
{
    return monitor->source->operations->clocks != NULL;
}

static ptpmon_status make_monitor(struct ptpmon_source *source, ptpmon_monitor **made)
{
    ptpmon_monitor *monitor = calloc(1, sizeof *monitor);
    if (!monitor) {
        source->operations->close(source);
        return ptpmon_fail(PTPMON_NO_MEMORY, "no memory for a monitor");
    }
    monitor->source = source;
    *made = monitor;
    return PTPMON_OK;
}

ptpmon_status ptpmon_monitor_open(const char *interface_name, const ptpmon_monitor_options *options,
                                  ptpmon_monitor **monitor)
{
    static const ptpmon_monitor_options defaults = {0};
    if (!interface_name || !monitor)
        return ptpmon_fail(PTPMON_INVALID, "ptpmon_monitor_open: interface_name and monitor must not be NULL");
    struct ptpmon_source *source;
    ptpmon_status status = ptpmon_source_open(interface_name, options ? options : &defaults, &source);
    return status == PTPMON_OK ? make_monitor(source, monitor) : status;
}

ptpmon_status ptpmon_monitor_open_recording(const char *path, ptpmon_monitor **monitor)
{
    if (!path || !monitor)
        return ptpmon_fail(PTPMON_INVALID, "ptpmon_monitor_open_recording: path and monitor must not be NULL");
    struct ptpmon_source *source;
    ptpmon_status status = ptpmon_recorded_source_open(path, &source);
    return status == PTPMON_OK ? make_monitor(source, monitor) : status;
}

ptpmon_status ptpmon_monitor_record(ptpmon_monitor *monitor, const char *path)
{
    if (monitor->enabled || !is_live(monitor))
        return ptpmon_fail(PTPMON_INVALID, "%s: only a live monitor that is not enabled yet can be recorded", path);
    PTP_RECORDING_HEADER header = {
        .byte_order = AVB_RECORDING_BYTE_ORDER,
        .format_version = AVB_RECORDING_FORMAT_VERSION,
        .abi_version = AVB_PTP_EVENT_ABI_VERSION,
        .header_bytes = sizeof header,
        .record_bytes = sizeof(PTP_TIMESTAMP_EVENT),
        .tool_version = PTPMON_VERSION,
    };
    memcpy(header.magic, AVB_RECORDING_MAGIC, sizeof header.magic);
    monitor->source->operations->describe(monitor->source, &header);
    ptpmon_recorder_close(monitor->recorder);
    monitor->recorder = NULL;
    return ptpmon_recorder_open(path, &header, &monitor->recorder);
}

/* Every record that the events door sees goes this way. */
static ptpmon_status take_record(ptpmon_monitor *monitor, const void *record)
{
    PTP_TIMESTAMP_EVENT copy;
    memcpy(&copy, record, sizeof copy);
    if (monitor->recorder) {
        ptpmon_status status = ptpmon_recorder_write(monitor->recorder, &copy);
        if (status != PTPMON_OK)
            return status;
    }
    return ptpmon_join_record(monitor->join, &copy);
}

/* Puts a reading of the clocks among the events. */
static ptpmon_status take_clocks(ptpmon_monitor *monitor)
{
    PTP_CLOCKS_RECORD clocks;
    ptpmon_status status = monitor->source->operations->clocks(monitor->source, &clocks);
    if (status != PTPMON_OK)
        return status;
    monitor->clocks_at = clocks.system_timestamp;
    status = take_record(monitor, &clocks);
    if (status == PTPMON_OK && monitor->recorder)
        status = ptpmon_recorder_flush(monitor->recorder);
    return status;
}

static uint64_t event_time_now(ptpmon_monitor *monitor)
{
    return monitor->source->operations->now(monitor->source);
}

static ptpmon_status start_events_door(ptpmon_monitor *monitor)
{
    ptpmon_join_close(monitor->join);
    monitor->join = ptpmon_join_open(0, 0);
    if (!monitor->join)
        return ptpmon_fail(PTPMON_NO_MEMORY, "no memory for joining late stamps");
    monitor->finished = false;
    monitor->taken_until = monitor->delivered_until = 0;
    if (!is_live(monitor))
        return PTPMON_OK;
    monitor->frames_dropped = monitor->stamps_dropped = 0;
    ptpmon_status status = take_clocks(monitor);
    monitor->counters_at = monitor->clocks_at;
    return status;
}

ptpmon_status ptpmon_monitor_enable(ptpmon_monitor *monitor)
{
    if (monitor->enabled)
        return ptpmon_fail(PTPMON_INVALID, "the monitor is enabled already");
    ptpmon_status status = start_events_door(monitor);
    if (status == PTPMON_OK)
        status = monitor->source->operations->enable(monitor->source);
    if (status != PTPMON_OK)
        return status;
    monitor->enabled = monitor->ran = true;
    if (is_live(monitor)) {
        monitor->enabled_at = event_time_now(monitor);
        monitor->disabled_at = 0;
    }
    return PTPMON_OK;
}

ptpmon_status ptpmon_monitor_disable(ptpmon_monitor *monitor)
{
    if (!monitor->enabled)
        return PTPMON_OK;
    monitor->enabled = false;
    if (is_live(monitor))
        monitor->disabled_at = event_time_now(monitor);
    return monitor->source->operations->disable(monitor->source);
}

void ptpmon_monitor_close(ptpmon_monitor *monitor)
{
    if (!monitor)
        return;
    monitor->source->operations->close(monitor->source);
    ptpmon_recorder_close(monitor->recorder);
    ptpmon_join_close(monitor->join);
    free(monitor);
}

ptpmon_status ptpmon_monitor_info_get(const ptpmon_monitor *monitor, ptpmon_monitor_info *info)
{
    *info = (ptpmon_monitor_info){
        .enabled_at = monitor->enabled_at,
        .disabled_at = monitor->disabled_at,
        .delivered_until = monitor->delivered_until,
    };
    monitor->source->operations->info(monitor->source, info);
    return PTPMON_OK;
}

ptpmon_status ptpmon_monitor_statistics(ptpmon_monitor *monitor, ptpmon_statistics *statistics)
{
    ptpmon_statistics sum = {0};
    ptpmon_status status = monitor->source->operations->statistics(monitor->source, &sum);
    if (status != PTPMON_OK)
        return status;
    sum.events_emitted = sum.frames_emitted + sum.stamps_emitted;
    sum.events_dropped = sum.frames_dropped + sum.stamps_dropped;
    if (monitor->join) {
        struct ptpmon_join_counts counts;
        ptpmon_join_counts_get(monitor->join, &counts);
        sum.stamps_joined = counts.joined;
        sum.stamps_missing = counts.missing;
        sum.stamps_orphaned = counts.orphaned;
        sum.stamps_ambiguous = counts.ambiguous;
    }
    *statistics = sum;
    return PTPMON_OK;
}

ptpmon_status ptpmon_monitor_wait(ptpmon_monitor *monitor, int timeout_ms)
{
    if (monitor->enabled)
        return monitor->source->operations->wait(monitor->source, timeout_ms);
    ptpmon_batch batch;
    ptpmon_status status = ptpmon_records_peek(monitor, &batch);
    if (status != PTPMON_OK)
        return status;
    return batch.count > 0 ? PTPMON_OK : PTPMON_END;
}

ptpmon_status ptpmon_records_peek(ptpmon_monitor *monitor, ptpmon_batch *batch)
{
    return monitor->source->operations->peek(monitor->source, batch);
}

ptpmon_status ptpmon_records_release(ptpmon_monitor *monitor, size_t count)
{
    monitor->source->operations->release(monitor->source, count);
    return PTPMON_OK;
}

/* Puts a LOSS record among the events where the drop counters have grown since the last look. */
static ptpmon_status take_loss(ptpmon_monitor *monitor)
{
    ptpmon_statistics now = {0};
    ptpmon_status status = monitor->source->operations->statistics(monitor->source, &now);
    if (status != PTPMON_OK)
        return status;
    PTP_LOSS_RECORD loss = {
        .system_timestamp = event_time_now(monitor),
        .direction = AVB_DIRECTION_LOSS,
        .frames_dropped = now.frames_dropped - monitor->frames_dropped,
        .stamps_dropped = now.stamps_dropped - monitor->stamps_dropped,
        .since = monitor->counters_at,
    };
    monitor->counters_at = loss.system_timestamp;
    monitor->frames_dropped = now.frames_dropped;
    monitor->stamps_dropped = now.stamps_dropped;
    return loss.frames_dropped || loss.stamps_dropped ? take_record(monitor, &loss) : PTPMON_OK;
}

/* At most this many records are taken at once, so that a long recording does not become one batch. */
#define RECORDS_AT_ONCE 16384

static ptpmon_status take_batch(ptpmon_monitor *monitor, size_t *taken)
{
    ptpmon_batch batch;
    ptpmon_status status = ptpmon_records_peek(monitor, &batch);
    size_t count = batch.count < RECORDS_AT_ONCE ? batch.count : RECORDS_AT_ONCE;
    *taken = 0;
    while (*taken < count && status == PTPMON_OK) {
        status = take_record(monitor, ptpmon_batch_at(&batch, *taken));
        *taken += status == PTPMON_OK;
    }
    monitor->source->operations->release(monitor->source, *taken);
    return status;
}

/* Takes what the source has, and of a live one what is due of clocks and losses. */
static ptpmon_status fill_join(ptpmon_monitor *monitor)
{
    bool live = is_live(monitor), last = !live || !monitor->enabled;
    uint64_t looked_at = live ? event_time_now(monitor) : 0;
    size_t taken;
    ptpmon_status status = take_batch(monitor, &taken);
    if (taken < RECORDS_AT_ONCE)
        monitor->taken_until = looked_at;
    if (status == PTPMON_OK && live)
        status = take_loss(monitor);
    if (status == PTPMON_OK && live && (last || event_time_now(monitor) - monitor->clocks_at >= CLOCKS_INTERVAL_NS))
        status = take_clocks(monitor);
    if (status == PTPMON_OK && last && taken == 0) {
        status = ptpmon_join_finish(monitor->join);
        monitor->finished = status == PTPMON_OK;
    }
    return status;
}

ptpmon_status ptpmon_events_read(ptpmon_monitor *monitor, PTP_TIMESTAMP_EVENT *events, size_t capacity, size_t *count)
{
    *count = 0;
    if (!monitor->ran)
        return ptpmon_fail(PTPMON_INVALID, "the monitor has never been enabled");
    /* What the last call had no room for comes first, so the join never holds more than one batch. */
    size_t taken = ptpmon_join_take(monitor->join, events, capacity);
    if (taken == 0 && monitor->finished)
        return PTPMON_END;
    if (taken == 0) {
        ptpmon_status status = fill_join(monitor);
        if (status != PTPMON_OK)
            return status;
        taken = ptpmon_join_take(monitor->join, events, capacity);
    }
    if (taken < capacity) { /* the rest waits for stamps */
        uint64_t waiting = ptpmon_join_oldest_waiting(monitor->join);
        monitor->delivered_until = waiting < monitor->taken_until ? waiting : monitor->taken_until;
    }
    *count = taken;
    return PTPMON_OK;
}
