/* SPDX-License-Identifier: MIT */
/* A monitor: a source of records, and its two doors. The same for all systems. */
#include "monitor.h"

#include "error.h"
#include "join.h"
#include "recording.h"
#include "source.h"

#include <stdlib.h>
#include <string.h>

#define CLOCKS_INTERVAL_NS 1000000000u

/* At most this many records are taken at once, so that a full ring does not become one batch. */
#define RECORDS_AT_ONCE 16384u

struct ptpmon_monitor {
    struct ptpmon_source *source;
    bool enabled, ran;
    uint64_t enabled_at, disabled_at; /* event time */
    bool has_last_clocks;
    PTP_CLOCKS_RECORD last_clocks;    /* record, read as a live monitor was disabled; it ends the events */
    struct ptpmon_recorder *recorder; /* NULL = not recorded */
    /* The events door. */
    struct ptpmon_join *join;
    bool finished;                           /* nothing will come into `join` any more */
    uint64_t taken_until;                    /* event time of the last look that left nothing in a live source */
    uint64_t delivered_until;                /* as in ptpmon_monitor_info */
    uint64_t clocks_at;                      /* event time of the last CLOCKS record */
    uint64_t counters_at;                    /* of the last look at the drop counters, as in records */
    uint64_t frames_dropped, stamps_dropped; /* as of then */
    bool unseen;                             /* since then something passed that nobody counted... */
    bool blind;                              /* ...and it goes on */
    char name[];
};

/* A recording brings its own CLOCKS and LOSS records, and its times are past. */
static bool is_live(const ptpmon_monitor *monitor)
{
    return monitor->source->operations->clocks != NULL;
}

static ptpmon_status make_monitor(const char *name, struct ptpmon_source *source, ptpmon_monitor **made)
{
    ptpmon_monitor *monitor = calloc(1, sizeof *monitor + strlen(name) + 1);
    if (!monitor) {
        source->operations->close(source);
        return ptpmon_fail(PTPMON_NO_MEMORY, "%s: no memory for a monitor", name);
    }
    monitor->source = source;
    strcpy(monitor->name, name);
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
    return status == PTPMON_OK ? make_monitor(interface_name, source, monitor) : status;
}

ptpmon_status ptpmon_monitor_open_recording(const char *path, ptpmon_monitor **monitor)
{
    if (!path || !monitor)
        return ptpmon_fail(PTPMON_INVALID, "ptpmon_monitor_open_recording: path and monitor must not be NULL");
    struct ptpmon_source *source;
    ptpmon_status status = ptpmon_recorded_source_open(path, &source);
    return status == PTPMON_OK ? make_monitor(path, source, monitor) : status;
}

const char *ptpmon_monitor_name(const ptpmon_monitor *monitor)
{
    return monitor->name;
}

const PTP_RECORDING_HEADER *ptpmon_monitor_recording_header(const ptpmon_monitor *monitor)
{
    return is_live(monitor) ? NULL : monitor->source->operations->recording_header(monitor->source);
}

const struct ptpmon_timebase *ptpmon_monitor_timebase(const ptpmon_monitor *monitor)
{
    return &monitor->source->timebase;
}

/* A time of a record as event time. */
static uint64_t event_time(const ptpmon_monitor *monitor, uint64_t record_time)
{
    return ptpmon_ticks_to_ns(record_time, monitor->source->timebase.hz);
}

static uint64_t record_time_now(ptpmon_monitor *monitor)
{
    return monitor->source->operations->now(monitor->source);
}

static uint64_t event_time_now(ptpmon_monitor *monitor)
{
    return event_time(monitor, record_time_now(monitor));
}

static ptpmon_status read_clocks(ptpmon_monitor *monitor, PTP_CLOCKS_RECORD *clocks)
{
    return monitor->source->operations->clocks(monitor->source, clocks);
}

/* Where the times of records are ns already, there is nothing to make of one. */
static ptpmon_status join_record(ptpmon_monitor *monitor, const PTP_TIMESTAMP_EVENT *record)
{
    const struct ptpmon_timebase *timebase = &monitor->source->timebase;
    if (timebase->hz == 0)
        return ptpmon_join_record(monitor->join, record);
    PTP_TIMESTAMP_EVENT event = *record;
    ptpmon_timebase_to_event(timebase, &event);
    return ptpmon_join_record(monitor->join, &event);
}

/* Every record that the events door sees goes this way. The join comes first: it may fail for want of memory, and then
 * the record comes again. */
static ptpmon_status take_record(ptpmon_monitor *monitor, const PTP_TIMESTAMP_EVENT *record)
{
    ptpmon_status status = join_record(monitor, record);
    return status == PTPMON_OK && monitor->recorder ? ptpmon_recorder_write(monitor->recorder, record) : status;
}

/* CLOCKS and LOSS have structs of their own. */
static PTP_TIMESTAMP_EVENT as_record(const void *other)
{
    PTP_TIMESTAMP_EVENT record;
    memcpy(&record, other, sizeof record);
    return record;
}

static ptpmon_status take_other(ptpmon_monitor *monitor, const void *other)
{
    PTP_TIMESTAMP_EVENT record = as_record(other);
    return take_record(monitor, &record);
}

/* Puts a reading of the clocks among the events. */
static ptpmon_status take_clocks(ptpmon_monitor *monitor, const PTP_CLOCKS_RECORD *clocks)
{
    ptpmon_status status = take_other(monitor, clocks);
    if (status == PTPMON_OK && monitor->recorder)
        status = ptpmon_recorder_flush(monitor->recorder);
    if (status == PTPMON_OK)
        monitor->clocks_at = event_time(monitor, clocks->system_timestamp);
    return status;
}

/* Takes of what the source has at once at most RECORDS_AT_ONCE records, and none whose time is later than `until`. */
static ptpmon_status take_batch(ptpmon_monitor *monitor, uint64_t until, size_t *taken)
{
    ptpmon_batch batch;
    *taken = 0;
    ptpmon_status status = ptpmon_records_peek(monitor, &batch);
    if (status != PTPMON_OK)
        return status;
    size_t count = batch.count < RECORDS_AT_ONCE ? batch.count : RECORDS_AT_ONCE;
    while (*taken < count && status == PTPMON_OK) {
        const PTP_TIMESTAMP_EVENT *record = ptpmon_batch_at(&batch, *taken);
        if (record->system_timestamp > until)
            break;
        status = take_record(monitor, record);
        *taken += status == PTPMON_OK;
    }
    monitor->source->operations->release(monitor->source, *taken);
    return status;
}

static void look_at_sight(ptpmon_monitor *monitor)
{
    enum ptpmon_sight (*sight)(struct ptpmon_source * source) = monitor->source->operations->sight;
    enum ptpmon_sight now = sight ? sight(monitor->source) : PTPMON_SEES;
    monitor->unseen = monitor->unseen || now != PTPMON_SEES;
    monitor->blind = now == PTPMON_BLIND;
}

/* A LOSS record without numbers. What comes after it is related to the clocks anew. */
static ptpmon_status take_unseen(ptpmon_monitor *monitor, PTP_LOSS_RECORD loss)
{
    loss.frames_dropped = loss.stamps_dropped = 0;
    ptpmon_status status = take_other(monitor, &loss);
    if (status != PTPMON_OK)
        return status;
    monitor->unseen = false;
    if (!monitor->blind)
        monitor->clocks_at = 0;
    return PTPMON_OK;
}

/* Puts a LOSS record among the events where the drop counters have grown since the last look; and one where something
 * passed unseen: while that goes on, only if it is `due`. */
static ptpmon_status take_loss(ptpmon_monitor *monitor, bool due)
{
    ptpmon_statistics now = {0};
    ptpmon_status status = monitor->source->operations->statistics(monitor->source, &now);
    if (status != PTPMON_OK)
        return status;
    look_at_sight(monitor);
    PTP_LOSS_RECORD loss = {
        .system_timestamp = record_time_now(monitor),
        .direction = AVB_DIRECTION_LOSS,
        .frames_dropped = now.frames_dropped - monitor->frames_dropped,
        .stamps_dropped = now.stamps_dropped - monitor->stamps_dropped,
        .since = monitor->counters_at,
    };
    if (loss.frames_dropped || loss.stamps_dropped)
        status = take_other(monitor, &loss);
    if (status != PTPMON_OK)
        return status;
    monitor->frames_dropped = now.frames_dropped;
    monitor->stamps_dropped = now.stamps_dropped;
    if (monitor->blind && !due)
        return PTPMON_OK;
    if (monitor->unseen)
        status = take_unseen(monitor, loss);
    if (status == PTPMON_OK)
        monitor->counters_at = loss.system_timestamp;
    return status;
}

/* ---- Recording ---- */

/* The file's header and its first record. */
static ptpmon_status begin_recording(ptpmon_monitor *monitor, struct ptpmon_recorder *recorder,
                                     const PTP_CLOCKS_RECORD *clocks)
{
    PTP_RECORDING_HEADER header = {.tool_version = PTPMON_VERSION};
    monitor->source->operations->describe(monitor->source, &header);
    ptpmon_status status = ptpmon_recorder_begin(recorder, &header);
    if (status == PTPMON_OK)
        status = ptpmon_recorder_write(recorder, clocks);
    return status == PTPMON_OK ? ptpmon_recorder_flush(recorder) : status;
}

/* Takes what has happened until the clocks were read, and the reading: that ends the file so far. */
static ptpmon_status take_until(ptpmon_monitor *monitor, const PTP_CLOCKS_RECORD *clocks)
{
    size_t taken;
    ptpmon_status status;
    do {
        status = take_batch(monitor, clocks->system_timestamp, &taken);
    } while (status == PTPMON_OK && taken > 0);
    if (status == PTPMON_OK)
        status = take_loss(monitor, true);
    return status == PTPMON_OK ? take_clocks(monitor, clocks) : status;
}

/*
 * From one file to the next: both hold the same reading of the clocks, one as its last record, the
 * other as its first. `next` is begun before anything else is done, so that its failure changes nothing.
 */
static ptpmon_status rotate(ptpmon_monitor *monitor, struct ptpmon_recorder *next)
{
    PTP_CLOCKS_RECORD clocks;
    ptpmon_status status = read_clocks(monitor, &clocks);
    if (status == PTPMON_OK && next)
        status = begin_recording(monitor, next, &clocks);
    return status == PTPMON_OK ? take_until(monitor, &clocks) : status;
}

static ptpmon_status check_recordable(const ptpmon_monitor *monitor)
{
    if (!is_live(monitor))
        return ptpmon_fail(PTPMON_INVALID, "%s: a recording itself cannot be recorded; copy the file", monitor->name);
    if (!monitor->recorder || !ptpmon_recorder_has_begun(monitor->recorder))
        return PTPMON_OK;
    if (!monitor->enabled && !monitor->finished)
        return ptpmon_fail(PTPMON_INVALID, "%s: read the events until PTPMON_END before the next recording begins",
                           monitor->name);
    return monitor->enabled ? ptpmon_recorder_status(monitor->recorder) : PTPMON_OK;
}

ptpmon_status ptpmon_monitor_record(ptpmon_monitor *monitor, const char *path)
{
    struct ptpmon_recorder *next = NULL;
    ptpmon_status status = check_recordable(monitor);
    if (status == PTPMON_OK && path)
        status = ptpmon_recorder_open(path, monitor->enabled ? monitor->recorder : NULL, &next);
    if (status == PTPMON_OK && monitor->enabled && (next || monitor->recorder))
        status = rotate(monitor, next);
    if (status != PTPMON_OK) {
        ptpmon_recorder_discard(next);
        return status;
    }
    status = ptpmon_recorder_close(monitor->recorder);
    monitor->recorder = next;
    return status;
}

/* ---- Life ---- */

static ptpmon_status start_events_door(ptpmon_monitor *monitor)
{
    ptpmon_join_close(monitor->join);
    monitor->join = ptpmon_join_open(0, 0);
    if (!monitor->join)
        return ptpmon_fail(PTPMON_NO_MEMORY, "%s: no memory for joining late stamps", monitor->name);
    monitor->finished = false;
    monitor->taken_until = monitor->delivered_until = 0;
    monitor->frames_dropped = monitor->stamps_dropped = 0;
    monitor->has_last_clocks = monitor->unseen = monitor->blind = false;
    return PTPMON_OK;
}

/* The first reading of the clocks is also the instant from which everything is seen: so a recording tells it, too. */
static ptpmon_status start_clocks(ptpmon_monitor *monitor)
{
    PTP_CLOCKS_RECORD clocks;
    ptpmon_status status = read_clocks(monitor, &clocks);
    if (status == PTPMON_OK && monitor->recorder)
        status = begin_recording(monitor, monitor->recorder, &clocks);
    if (status != PTPMON_OK)
        return status;
    PTP_TIMESTAMP_EVENT record = as_record(&clocks);
    status = join_record(monitor, &record);
    if (status != PTPMON_OK)
        return status;
    monitor->enabled_at = monitor->clocks_at = event_time(monitor, clocks.system_timestamp);
    monitor->counters_at = clocks.system_timestamp;
    monitor->disabled_at = 0;
    return PTPMON_OK;
}

/* A recording holds one run: of the time between two nobody could say what passed. */
static ptpmon_status check_recorder(const ptpmon_monitor *monitor)
{
    if (!monitor->recorder || !ptpmon_recorder_has_begun(monitor->recorder))
        return PTPMON_OK;
    return ptpmon_fail(PTPMON_INVALID,
                       "%s: its recording holds one run already; ptpmon_monitor_record() takes the name of the next "
                       "file, or NULL for none",
                       monitor->name);
}

ptpmon_status ptpmon_monitor_enable(ptpmon_monitor *monitor)
{
    if (monitor->enabled)
        return ptpmon_fail(PTPMON_INVALID, "%s: the monitor is enabled already", monitor->name);
    ptpmon_status status = check_recorder(monitor);
    if (status == PTPMON_OK)
        status = start_events_door(monitor);
    if (status == PTPMON_OK)
        status = monitor->source->operations->enable(monitor->source);
    if (status != PTPMON_OK)
        return status;
    if (is_live(monitor) && (status = start_clocks(monitor)) != PTPMON_OK) {
        monitor->source->operations->disable(monitor->source);
        monitor->finished = true;
        return status;
    }
    monitor->enabled = monitor->ran = true;
    return PTPMON_OK;
}

ptpmon_status ptpmon_monitor_disable(ptpmon_monitor *monitor)
{
    if (!monitor->enabled)
        return PTPMON_OK;
    monitor->enabled = false;
    if (is_live(monitor)) {
        /* Where they cannot be read, reading the events to their end tries again, and says so. */
        monitor->has_last_clocks = read_clocks(monitor, &monitor->last_clocks) == PTPMON_OK;
        monitor->disabled_at = event_time(monitor, monitor->has_last_clocks ? monitor->last_clocks.system_timestamp
                                                                            : record_time_now(monitor));
    }
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
    const struct ptpmon_timebase *timebase = &monitor->source->timebase;
    *info = (ptpmon_monitor_info){
        .enabled_at = monitor->enabled_at,
        .disabled_at = monitor->disabled_at,
        .delivered_until = monitor->delivered_until,
        .system_clock_hz = timebase->hz != 0 ? timebase->hz : PTPMON_NS_PER_SECOND,
        .software_is_system_clock = timebase->software_ticks,
    };
    monitor->source->operations->info(monitor->source, info);
    if (!is_live(monitor)) {
        info->enabled_at = event_time(monitor, info->enabled_at);
        info->disabled_at = event_time(monitor, info->disabled_at);
    }
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

static bool clocks_are_due(const ptpmon_monitor *monitor)
{
    uint64_t now = event_time(monitor, monitor->source->operations->now(monitor->source));
    return monitor->enabled && now - monitor->clocks_at >= CLOCKS_INTERVAL_NS;
}

/* What is due of losses and clocks in a live source. */
static ptpmon_status take_what_is_due(ptpmon_monitor *monitor, bool last)
{
    PTP_CLOCKS_RECORD clocks = monitor->last_clocks;
    ptpmon_status status = take_loss(monitor, last || clocks_are_due(monitor));
    if (status != PTPMON_OK || !(last || clocks_are_due(monitor)))
        return status;
    if (!last || !monitor->has_last_clocks)
        status = read_clocks(monitor, &clocks);
    return status == PTPMON_OK ? take_clocks(monitor, &clocks) : status;
}

/* Takes what the source has, and of a live one what is due besides. */
static ptpmon_status fill_join(ptpmon_monitor *monitor)
{
    bool live = is_live(monitor);
    uint64_t looked_at = live ? event_time_now(monitor) : 0;
    size_t taken;
    ptpmon_status status = monitor->recorder ? ptpmon_recorder_status(monitor->recorder) : PTPMON_OK;
    if (status == PTPMON_OK)
        status = take_batch(monitor, UINT64_MAX, &taken);
    if (status != PTPMON_OK)
        return status;
    bool last = taken == 0 && !(live && monitor->enabled);
    if (live)
        status = take_what_is_due(monitor, last);
    if (status == PTPMON_OK && taken < RECORDS_AT_ONCE)
        monitor->taken_until = monitor->blind ? event_time(monitor, monitor->counters_at) : looked_at;
    if (status == PTPMON_OK && last) {
        status = ptpmon_join_finish(monitor->join);
        monitor->finished = status == PTPMON_OK;
    }
    return status;
}

ptpmon_status ptpmon_events_read(ptpmon_monitor *monitor, PTP_TIMESTAMP_EVENT *events, size_t capacity, size_t *count)
{
    *count = 0;
    if (!monitor->ran)
        return ptpmon_fail(PTPMON_INVALID, "%s: the monitor has never been enabled", monitor->name);
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
