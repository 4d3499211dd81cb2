/* SPDX-License-Identifier: MIT */
/* A monitor: a source of records, and its two doors. The same for all systems. */
#include <ptpmon.h>

#include "error.h"
#include "join.h"
#include "source.h"

#include <stdlib.h>
#include <string.h>

#define CLOCKS_INTERVAL_NS 1000000000u

struct ptpmon_monitor {
    struct ptpmon_source *source;
    bool enabled, ran;
    uint64_t enabled_at, disabled_at;
    /* The events door. */
    struct ptpmon_join *join;
    bool finished;             /* nothing will come into `join` any more */
    uint64_t clocks_at;        /* event time of the last CLOCKS record */
    uint64_t counters_at;      /* event time of the last look at the drop counters */
    uint64_t frames_dropped, stamps_dropped; /* as of then */
};

ptpmon_status ptpmon_monitor_open(const char *interface_name, const ptpmon_monitor_options *options,
                                  ptpmon_monitor **opened)
{
    static const ptpmon_monitor_options defaults = {0};
    if (!interface_name || !opened)
        return ptpmon_fail(PTPMON_INVALID, "ptpmon_monitor_open: interface_name and monitor must not be NULL");
    ptpmon_monitor *monitor = calloc(1, sizeof *monitor);
    if (!monitor)
        return ptpmon_fail(PTPMON_NO_MEMORY, "%s: no memory for a monitor", interface_name);
    ptpmon_status status = ptpmon_source_open(interface_name, options ? options : &defaults, &monitor->source);
    if (status != PTPMON_OK) {
        free(monitor);
        return status;
    }
    *opened = monitor;
    return PTPMON_OK;
}

/* Puts a reading of the clocks among the events. */
static ptpmon_status join_clocks(ptpmon_monitor *monitor)
{
    PTP_CLOCKS_RECORD clocks;
    ptpmon_status status = monitor->source->operations->clocks(monitor->source, &clocks);
    if (status != PTPMON_OK)
        return status;
    PTP_TIMESTAMP_EVENT record;
    memcpy(&record, &clocks, sizeof record);
    monitor->clocks_at = clocks.system_timestamp;
    return ptpmon_join_record(monitor->join, &record);
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
    monitor->frames_dropped = monitor->stamps_dropped = 0;
    ptpmon_status status = join_clocks(monitor);
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
    monitor->disabled_at = 0;
    monitor->enabled_at = event_time_now(monitor);
    return PTPMON_OK;
}

ptpmon_status ptpmon_monitor_disable(ptpmon_monitor *monitor)
{
    if (!monitor->enabled)
        return PTPMON_OK;
    monitor->enabled = false;
    monitor->disabled_at = event_time_now(monitor);
    return monitor->source->operations->disable(monitor->source);
}

void ptpmon_monitor_close(ptpmon_monitor *monitor)
{
    if (!monitor)
        return;
    monitor->source->operations->close(monitor->source);
    ptpmon_join_close(monitor->join);
    free(monitor);
}

ptpmon_status ptpmon_monitor_info_get(const ptpmon_monitor *monitor, ptpmon_monitor_info *info)
{
    monitor->source->operations->info(monitor->source, info);
    info->enabled_at = monitor->enabled_at;
    info->disabled_at = monitor->disabled_at;
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
static ptpmon_status join_loss(ptpmon_monitor *monitor)
{
    ptpmon_statistics now = {0};
    ptpmon_status status = monitor->source->operations->statistics(monitor->source, &now);
    PTP_LOSS_RECORD loss = {
        .system_timestamp = event_time_now(monitor),
        .direction = AVB_DIRECTION_LOSS,
        .since = monitor->counters_at,
    };
    if (status != PTPMON_OK)
        return status;
    loss.frames_dropped = now.frames_dropped - monitor->frames_dropped;
    loss.stamps_dropped = now.stamps_dropped - monitor->stamps_dropped;
    monitor->counters_at = loss.system_timestamp;
    monitor->frames_dropped = now.frames_dropped;
    monitor->stamps_dropped = now.stamps_dropped;
    if (loss.frames_dropped == 0 && loss.stamps_dropped == 0)
        return PTPMON_OK;
    PTP_TIMESTAMP_EVENT record;
    memcpy(&record, &loss, sizeof record);
    return ptpmon_join_record(monitor->join, &record);
}

static ptpmon_status join_batch(ptpmon_monitor *monitor, const ptpmon_batch *batch)
{
    ptpmon_status status = PTPMON_OK;
    size_t taken = 0;
    while (taken < batch->count && status == PTPMON_OK) {
        status = ptpmon_join_record(monitor->join, ptpmon_batch_at(batch, taken));
        taken += status == PTPMON_OK;
    }
    monitor->source->operations->release(monitor->source, taken);
    return status;
}

/* Takes what the source has, and what is due of clocks and losses, into the join. */
static ptpmon_status fill_join(ptpmon_monitor *monitor)
{
    if (monitor->finished)
        return PTPMON_OK;
    bool last = !monitor->enabled;
    ptpmon_batch batch;
    ptpmon_status status = ptpmon_records_peek(monitor, &batch);
    if (status == PTPMON_OK)
        status = join_batch(monitor, &batch);
    if (status == PTPMON_OK && (batch.count > 0 || last))
        status = join_loss(monitor);
    if (status == PTPMON_OK && (last || event_time_now(monitor) - monitor->clocks_at >= CLOCKS_INTERVAL_NS))
        status = join_clocks(monitor);
    if (status == PTPMON_OK && last && batch.count == 0) {
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
    if (taken == 0) {
        ptpmon_status status = fill_join(monitor);
        if (status != PTPMON_OK)
            return status;
        taken = ptpmon_join_take(monitor->join, events, capacity);
        if (taken == 0 && monitor->finished)
            return PTPMON_END;
    }
    *count = taken;
    return PTPMON_OK;
}
