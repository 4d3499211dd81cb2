/* SPDX-License-Identifier: MIT */
/*
 * Feeds events and frames to a correlator, one item at a time, and tells what comes out.
 *
 * Live, in rounds: what the monitor has, what the capture has, then a promise up to when both are
 * complete. Recorded, by event time: a frame follows when the events are ahead of it by a reading of
 * the clocks, so that memory stays flat however long the files are, and the promise trails behind.
 */
#include <ptpmon.h>

#include "alignment.h"
#include "capture.h"
#include "clock_relation.h"
#include "clock_tracker.h"
#include "correlator.h"
#include "error.h"
#include "instant.h"
#include "monitor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS_PER_MS INT64_C(1000000)

#define EVENTS_AT_ONCE 256

/* Live: a captured frame, or a record that was being made, may be this late. */
#define CAPTURE_DELAY_NS (200 * NS_PER_MS)

/* Recorded: how far events are ahead of frames, so that the reading of the clocks after a frame is known. */
#define AHEAD_NS (1100 * NS_PER_MS)
/* Recorded: how much older than the newest before it an item may be: an event that waited for its stamp, a frame or
 * a loss of a capture that was written late. */
#define DISORDER_NS (1500 * NS_PER_MS)
/* Recorded: so many items are fed between two looks at what else there is. */
#define ITEMS_AT_ONCE 32
/* The promise is renewed in steps of event time. */
#define PROMISE_STEP_NS (50 * NS_PER_MS)

/* Windows: as fine as captures tell times. */
#define CAPTURE_RESOLUTION_NS 1000u

/* What the tracker wants to know of steps of the system clock. */
#define LEAST_STEP_NS NS_PER_MS

/* After a stop, how long to wait between two looks at what is still under way. */
#define STOP_WAIT_NS (5 * NS_PER_MS)

struct ptpmon_observer {
    ptpmon_monitor *monitor;
    ptpmon_capture *capture; /* NULL = events alone */
    ptpmon_correlator *correlator;
    char interface[PTPMON_NAME_MAX];
    bool is_live; /* the monitor */
    bool stopped, finished;
    bool in_round;                     /* live */
    bool events_drained, events_ended; /* drained: in this round */
    bool frames_drained, frames_ended; /* drained: in this round, or none are given now */
    bool has_frame, has_notice;        /* `frame`, `notice` */
    bool knows_clocks;                 /* a reading was fed */
    bool follows;                      /* the capture has a clock of its own, whose offset is followed */
    ptpmon_status outcome;             /* of the last step, to be told after what it brought */

    PTP_TIMESTAMP_EVENT events[EVENTS_AT_ONCE];
    size_t event_count, event_next;
    ptpmon_instant events_front; /* the latest event time so far */

    ptpmon_frame frame;          /* read, but not fed yet */
    ptpmon_instant frame_at;     /* its event time, by the last reading of the clocks */
    ptpmon_instant frames_front; /* event time of the last frame fed */

    uint64_t round_began; /* event time */
    ptpmon_instant promised;

    ptpmon_observation notice; /* to be told next */
    ptpmon_alignment alignment;
    struct ptpmon_timebase timebase; /* of the monitor's records */
    int64_t shift;                   /* capture times are those of the system clock, moved by so much */
    /* Of the capture's clock and the system's, against event time, by the last reading. */
    int64_t capture_offset, realtime_offset;
    struct ptpmon_clock_tracker tracker; /* of another clock's offset */
    struct ptpmon_clock_relation clocks;
};

/* ---- Life --------------------------------------------------------------------------------- */

static ptpmon_status check_arguments(const ptpmon_monitor *monitor, const ptpmon_capture *capture)
{
    ptpmon_monitor_info info;
    ptpmon_monitor_info_get(monitor, &info);
    bool is_live = ptpmon_monitor_recording_header(monitor) == NULL;
    if (is_live && info.enabled_at == 0)
        return ptpmon_fail(PTPMON_INVALID, "%s: enable the monitor before it is observed",
                           ptpmon_monitor_name(monitor));
    if (!is_live && capture && ptpmon_capture_kind_of(capture) == PTPMON_CAPTURE_LIVE)
        return ptpmon_fail(PTPMON_INVALID,
                           "%s: a recording cannot meet a live capture; give the capture file of its time",
                           ptpmon_monitor_name(monitor));
    return PTPMON_OK;
}

/* Only files can be read twice: once to see what clock they tell. */
static ptpmon_status align(ptpmon_observer *observer, const ptpmon_observer_options *options)
{
    ptpmon_capture *capture = observer->capture;
    enum ptpmon_capture_kind kind = capture ? ptpmon_capture_kind_of(capture) : PTPMON_CAPTURE_LIVE;
    observer->alignment.clock = kind == PTPMON_CAPTURE_LIVE ? PTPMON_CLOCK_SYSTEM : PTPMON_CLOCK_ASSUMED;
    if (observer->is_live || kind != PTPMON_CAPTURE_FILE)
        return PTPMON_OK;
    ptpmon_alignment *alignment = &observer->alignment;
    ptpmon_status status = ptpmon_align(observer->monitor, capture, options, alignment);
    if (status != PTPMON_OK || alignment->clock != PTPMON_CLOCK_OTHER)
        return status;
    observer->follows = alignment->equal_stamps == 0;
    if (observer->follows)
        ptpmon_clock_tracker_start(&observer->tracker, alignment->offset_ns);
    else
        observer->shift = alignment->offset_ns;
    return PTPMON_OK;
}

/* From what the file says to what the correlator is told; 0 = not known stays 0. */
static int64_t without_shift(const ptpmon_observer *observer, int64_t capture_time)
{
    return capture_time == 0 ? 0 : capture_time - observer->shift;
}

/* Tells the correlator in which intervals monitor and capture saw everything. */
static ptpmon_status tell_intervals(ptpmon_observer *observer)
{
    ptpmon_monitor_info info;
    ptpmon_capture_statistics capture;
    ptpmon_status status = ptpmon_monitor_info_get(observer->monitor, &info);
    if (status != PTPMON_OK)
        return status;
    ptpmon_correlator_monitor_ran(observer->correlator, info.enabled_at, info.disabled_at);
    if (!observer->capture)
        return PTPMON_OK;
    status = ptpmon_capture_statistics_get(observer->capture, &capture);
    if (status == PTPMON_OK)
        ptpmon_correlator_capture_ran(observer->correlator, without_shift(observer, capture.started_at),
                                      without_shift(observer, capture.stopped_at));
    return status;
}

static ptpmon_instant event_time_of(const ptpmon_observer *observer, int64_t capture_time)
{
    return ptpmon_instant_add(ptpmon_instant_clamp(capture_time), -ptpmon_instant_clamp(observer->capture_offset));
}

/* Due when a frame has come, and when the clocks were read. */
static void place_frame(ptpmon_observer *observer)
{
    observer->frame_at = event_time_of(observer, observer->frame.time_ns);
}

/* Sees to it that there is a frame: OK, NOTHING, END. */
static ptpmon_status read_frame(ptpmon_observer *observer)
{
    if (observer->has_frame)
        return PTPMON_OK;
    ptpmon_status status = ptpmon_capture_next(observer->capture, &observer->frame);
    if (status != PTPMON_OK)
        return status;
    observer->has_frame = true;
    observer->frame.time_ns -= observer->shift;
    place_frame(observer);
    return PTPMON_OK;
}

static ptpmon_status start(ptpmon_observer *observer, const ptpmon_observer_options *options)
{
    ptpmon_correlator_options correlator = {.window_ns = options->window_ns, .messages = options->messages};
    ptpmon_status status = align(observer, options);
    if (status == PTPMON_OK)
        status = ptpmon_correlator_open(&correlator, &observer->correlator);
    if (status != PTPMON_OK)
        return status;
    if (observer->timebase.software_ticks)
        ptpmon_correlator_ignore_stamps(observer->correlator);
    /* When a file began, its first frame tells. A failure to read it is told in its turn. */
    if (observer->capture && ptpmon_capture_kind_of(observer->capture) == PTPMON_CAPTURE_FILE)
        (void)read_frame(observer);
    return tell_intervals(observer);
}

ptpmon_status ptpmon_observer_open(ptpmon_monitor *monitor, ptpmon_capture *capture,
                                   const ptpmon_observer_options *options, ptpmon_observer **opened)
{
    static const ptpmon_observer_options defaults = {0};
    if (!monitor || !opened)
        return ptpmon_fail(PTPMON_INVALID, "ptpmon_observer_open: monitor and observer must not be NULL");
    ptpmon_status status = check_arguments(monitor, capture);
    if (status != PTPMON_OK)
        return status;
    ptpmon_observer *observer = calloc(1, sizeof *observer);
    if (!observer)
        return ptpmon_fail(PTPMON_NO_MEMORY, "%s: no memory to observe it", ptpmon_monitor_name(monitor));
    const PTP_RECORDING_HEADER *header = ptpmon_monitor_recording_header(monitor);
    observer->monitor = monitor;
    observer->capture = capture;
    observer->is_live = header == NULL;
    observer->timebase = *ptpmon_monitor_timebase(monitor);
    observer->frames_ended = capture == NULL;
    observer->events_front = observer->frames_front = observer->promised = PTPMON_INSTANT_MIN;
    snprintf(observer->interface, sizeof observer->interface, "%s",
             header ? header->interface_name : ptpmon_monitor_name(monitor));
    status = start(observer, options ? options : &defaults);
    if (status != PTPMON_OK) {
        ptpmon_observer_close(observer);
        return status;
    }
    *opened = observer;
    return PTPMON_OK;
}

void ptpmon_observer_close(ptpmon_observer *observer)
{
    if (!observer)
        return;
    ptpmon_correlator_close(observer->correlator);
    free(observer);
}

static ptpmon_status first_failure(ptpmon_status first, ptpmon_status then)
{
    return first != PTPMON_OK ? first : then;
}

ptpmon_status ptpmon_observer_stop(ptpmon_observer *observer)
{
    ptpmon_status status = PTPMON_OK;
    if (observer->stopped)
        return status;
    observer->stopped = true;
    if (observer->capture)
        status = ptpmon_capture_stop(observer->capture);
    if (observer->is_live)
        status = first_failure(status, ptpmon_monitor_disable(observer->monitor));
    return first_failure(status, tell_intervals(observer));
}

void ptpmon_observer_counts(const ptpmon_observer *observer, ptpmon_correlation *counts)
{
    ptpmon_correlator_counts(observer->correlator, counts);
}

void ptpmon_observer_alignment(const ptpmon_observer *observer, ptpmon_alignment *alignment)
{
    *alignment = observer->alignment;
    if (observer->follows)
        ptpmon_clock_tracker_summary(&observer->tracker, alignment);
}

/* ---- Telling ------------------------------------------------------------------------------ */

const char *ptpmon_latency_name(ptpmon_latency_kind kind)
{
    static const char *const names[PTPMON_LATENCIES] = {
        [PTPMON_RX_DRIVER] = "rx_driver",
        [PTPMON_NIC_TO_HOST] = "nic_to_host",
        [PTPMON_TX_SOFTWARE] = "tx_software",
        [PTPMON_TX_HARDWARE] = "tx_hardware",
    };
    return (unsigned)kind < PTPMON_LATENCIES ? names[kind] : "unknown";
}

/* Both are on one clock: nothing but its resolution comes between them. */
static bool since_ticks(const struct ptpmon_timebase *timebase, const PTP_TIMESTAMP_EVENT *event,
                        ptpmon_latency *latency)
{
    latency->ns = (int64_t)(event->system_timestamp - event->software_timestamp);
    latency->bound = ptpmon_tick_ns(timebase);
    return true;
}

/* How much later than its stamp an event is; false: not known, or it has none. */
static bool since_software(const ptpmon_observer *observer, const struct ptpmon_clock_moment *seen,
                           const PTP_TIMESTAMP_EVENT *event, ptpmon_latency *latency)
{
    if (event->software_timestamp == 0)
        return false;
    if (observer->timebase.software_ticks)
        return since_ticks(&observer->timebase, event, latency);
    return ptpmon_clock_moment_since_realtime(seen, event->software_timestamp, &latency->ns, &latency->bound);
}

static bool since_hardware(const struct ptpmon_clock_moment *seen, const PTP_TIMESTAMP_EVENT *event,
                           ptpmon_latency *latency)
{
    return event->hw_timestamp_ns != 0 &&
           ptpmon_clock_moment_since_hardware(seen, event->hw_timestamp_ns, &latency->ns, &latency->bound);
}

static void turn(ptpmon_latency *latency)
{
    latency->ns = (int64_t)(0 - (uint64_t)latency->ns);
}

/* One by one: compilers clear a block of this size with an instruction that takes longer than all that fills it. */
static void clear_latencies(ptpmon_latency latencies[PTPMON_LATENCIES])
{
    const ptpmon_latency none = {0};
    latencies[PTPMON_RX_DRIVER] = none;
    latencies[PTPMON_NIC_TO_HOST] = none;
    latencies[PTPMON_TX_SOFTWARE] = none;
    latencies[PTPMON_TX_HARDWARE] = none;
}

/* From a stamp to the instant at which the driver side saw the frame; for TX the other way round. */
static void describe_latencies(const ptpmon_observer *observer, const struct ptpmon_clock_moment *seen,
                               const PTP_TIMESTAMP_EVENT *event, ptpmon_latency latencies[PTPMON_LATENCIES])
{
    bool received = event->direction == AVB_DIRECTION_RX;
    ptpmon_latency *software = &latencies[received ? PTPMON_RX_DRIVER : PTPMON_TX_SOFTWARE];
    ptpmon_latency *hardware = &latencies[received ? PTPMON_NIC_TO_HOST : PTPMON_TX_HARDWARE];
    software->known = since_software(observer, seen, event, software);
    hardware->known = since_hardware(seen, event, hardware);
    if (!received) {
        turn(software);
        turn(hardware);
    }
}

static bool realtime_at(const ptpmon_observer *observer, uint64_t event_time, int64_t *realtime_ns)
{
    struct ptpmon_clock_moment moment = ptpmon_clock_relation_at(&observer->clocks, event_time);
    return ptpmon_clock_moment_realtime(&moment, realtime_ns);
}

/* UTC of the software stamp; 0: there is none, or no reading of the clocks to know it by. */
static int64_t software_realtime(const ptpmon_observer *observer, const PTP_TIMESTAMP_EVENT *event)
{
    int64_t realtime = 0;
    if (event->software_timestamp == 0 || !observer->timebase.software_ticks)
        return (int64_t)event->software_timestamp;
    (void)realtime_at(observer, event->software_timestamp, &realtime);
    return realtime;
}

static void describe_event(const ptpmon_observer *observer, ptpmon_observation *told)
{
    const PTP_TIMESTAMP_EVENT *event = &told->result.event;
    struct ptpmon_clock_moment seen = ptpmon_clock_relation_at(&observer->clocks, event->system_timestamp);
    told->has_realtime = ptpmon_clock_moment_realtime(&seen, &told->realtime_ns);
    told->software_realtime_ns = software_realtime(observer, event);
    describe_latencies(observer, &seen, event, told->latencies);
}

static void describe_frame(const ptpmon_observer *observer, ptpmon_observation *told)
{
    told->software_realtime_ns = 0;
    told->has_realtime = true;
    told->realtime_ns = told->result.frame_time_ns;
    if (observer->follows)
        told->has_realtime = realtime_at(observer, told->result.frame.system_timestamp, &told->realtime_ns);
}

/*
 * On Windows the filter lies below what captures. Frames and events are never joined by that: it only shows where the
 * times cannot be right. Of files nobody knows where they were captured.
 */
static bool contradicts_order(const ptpmon_observer *observer, const ptpmon_result *result)
{
    int64_t later; /* the event than its frame */
    uint64_t bound;
    if (!observer->timebase.software_ticks || observer->alignment.clock != PTPMON_CLOCK_SYSTEM ||
        result->outcome != PTPMON_MATCHED || result->frame_time_ns < 0)
        return false;
    struct ptpmon_clock_moment seen = ptpmon_clock_relation_at(&observer->clocks, result->event.system_timestamp);
    if (!ptpmon_clock_moment_since_realtime(&seen, (uint64_t)result->frame_time_ns, &later, &bound))
        return false;
    if (result->event.direction == AVB_DIRECTION_TX)
        later = (int64_t)(0 - (uint64_t)later);
    return later > 0 && (uint64_t)later > bound + CAPTURE_RESOLUTION_NS;
}

static bool take_result(ptpmon_observer *observer, ptpmon_observation *told)
{
    ptpmon_result *result = &told->result;
    if (ptpmon_correlator_next(observer->correlator, result) != PTPMON_OK)
        return false;
    told->kind = PTPMON_OBSERVED_MESSAGE;
    told->interface = observer->interface;
    told->compared = observer->capture != NULL;
    clear_latencies(told->latencies);
    if (result->has_event)
        describe_event(observer, told);
    else
        describe_frame(observer, told);
    if (contradicts_order(observer, result))
        result->cross_check |= PTPMON_TIME_ORDER_DIFFERS;
    if (observer->follows && result->outcome == PTPMON_MATCHED && told->has_realtime)
        ptpmon_clock_tracker_add(&observer->tracker, result->frame_time_ns, result->frame_time_ns - told->realtime_ns);
    if (result->has_frame)
        result->frame_time_ns += observer->shift;
    return true;
}

static void notice(ptpmon_observer *observer, ptpmon_observation_kind kind)
{
    observer->has_notice = true;
    observer->notice.kind = kind;
    observer->notice.interface = observer->interface;
}

/* ---- Feeding ------------------------------------------------------------------------------ */

/* CLOCK_REALTIME and event time are steered alike: where their difference changes, the former was set. */
static void note_step(ptpmon_observer *observer, const PTP_CLOCKS_RECORD *clocks)
{
    int64_t offset = (int64_t)(clocks->realtime_ns - clocks->system_timestamp);
    if (observer->knows_clocks && llabs(offset - observer->realtime_offset) >= LEAST_STEP_NS)
        ptpmon_clock_tracker_system_stepped(&observer->tracker, offset - observer->realtime_offset);
    observer->realtime_offset = offset;
}

/* What the correlator takes for CLOCK_REALTIME is the capture's clock, whichever that is. */
static PTP_CLOCKS_RECORD as_capture_clock(ptpmon_observer *observer, PTP_CLOCKS_RECORD clocks)
{
    if (observer->follows) {
        note_step(observer, &clocks);
        clocks.realtime_ns += (UINT64)ptpmon_clock_tracker_offset(&observer->tracker, (int64_t)clocks.realtime_ns);
    }
    return clocks;
}

static ptpmon_status feed_clocks(ptpmon_observer *observer, const PTP_TIMESTAMP_EVENT *record)
{
    PTP_CLOCKS_RECORD *clocks = &observer->notice.clocks;
    memcpy(clocks, record, sizeof *clocks);
    notice(observer, PTPMON_OBSERVED_CLOCKS);
    ptpmon_clock_relation_add(&observer->clocks, clocks);

    PTP_TIMESTAMP_EVENT fed;
    PTP_CLOCKS_RECORD moved = as_capture_clock(observer, *clocks);
    observer->knows_clocks = true;
    observer->capture_offset = (int64_t)(moved.realtime_ns - moved.system_timestamp);
    place_frame(observer);
    memcpy(&fed, &moved, sizeof fed);
    return ptpmon_correlator_event(observer->correlator, &fed);
}

static ptpmon_status feed_event(ptpmon_observer *observer, const PTP_TIMESTAMP_EVENT *event)
{
    ptpmon_instant time = ptpmon_instant_from_unsigned(event->system_timestamp);
    if (time > observer->events_front)
        observer->events_front = time;
    if (event->direction == AVB_DIRECTION_CLOCKS)
        return feed_clocks(observer, event);
    if (event->direction == AVB_DIRECTION_LOSS) {
        memcpy(&observer->notice.loss, event, sizeof observer->notice.loss);
        notice(observer, PTPMON_OBSERVED_LOSS);
    }
    return ptpmon_correlator_event(observer->correlator, event);
}

static ptpmon_status feed_frame(ptpmon_observer *observer)
{
    observer->has_frame = false;
    observer->frames_front = observer->frame_at;
    return ptpmon_correlator_frame(observer->correlator, &observer->frame);
}

static UINT64 unsigned_event_time(const ptpmon_observer *observer, int64_t capture_time)
{
    ptpmon_instant time = event_time_of(observer, capture_time);
    return time > 0 ? (UINT64)time : 0;
}

/* The next thing that the capture lost; NOTHING: nothing more. */
static ptpmon_status feed_loss(ptpmon_observer *observer)
{
    ptpmon_capture_loss lost;
    if (!observer->capture || !observer->knows_clocks)
        return PTPMON_NOTHING;
    ptpmon_status status = ptpmon_capture_next_loss(observer->capture, &lost);
    if (status != PTPMON_OK)
        return status;
    lost.from -= observer->shift;
    lost.to -= observer->shift;
    observer->notice.loss = (PTP_LOSS_RECORD){
        .direction = AVB_DIRECTION_LOSS,
        .since = unsigned_event_time(observer, lost.from),
        .system_timestamp = unsigned_event_time(observer, lost.to),
        .frames_dropped = lost.frames,
    };
    notice(observer, PTPMON_OBSERVED_CAPTURE_LOSS);
    return ptpmon_correlator_capture_lost(observer->correlator, lost.from, lost.to);
}

/* OK: an event was fed. NOTHING: none now. END: none any more. */
static ptpmon_status next_event(ptpmon_observer *observer)
{
    if (observer->event_next == observer->event_count) {
        observer->event_next = observer->event_count = 0;
        ptpmon_status status =
            ptpmon_events_read(observer->monitor, observer->events, EVENTS_AT_ONCE, &observer->event_count);
        if (status != PTPMON_OK)
            return status;
        if (observer->event_count == 0)
            return PTPMON_NOTHING;
    }
    ptpmon_status status = feed_event(observer, &observer->events[observer->event_next]);
    observer->event_next += status == PTPMON_OK;
    return status;
}

/* A side that fails has ended; the failure is told, and what is left comes with the next calls. */
static ptpmon_status note_end(ptpmon_status status, bool *drained, bool *ended)
{
    if (status == PTPMON_NOTHING)
        *drained = true;
    else if (status != PTPMON_OK)
        *ended = true;
    return status == PTPMON_NOTHING || status == PTPMON_END ? PTPMON_OK : status;
}

static ptpmon_status take_event(ptpmon_observer *observer)
{
    return note_end(next_event(observer), &observer->events_drained, &observer->events_ended);
}

/* OK without a frame: the capture has none now, or none any more. */
static ptpmon_status take_frame(ptpmon_observer *observer)
{
    ptpmon_status status = note_end(read_frame(observer), &observer->frames_drained, &observer->frames_ended);
    return observer->frames_ended ? first_failure(status, tell_intervals(observer)) : status;
}

static ptpmon_status promise(ptpmon_observer *observer, ptpmon_instant until)
{
    if (until <= 0 || until < ptpmon_instant_add(observer->promised, PROMISE_STEP_NS))
        return PTPMON_OK;
    observer->promised = until;
    return ptpmon_correlator_advance(observer->correlator, (uint64_t)until);
}

static ptpmon_status finish(ptpmon_observer *observer)
{
    ptpmon_status status = first_failure(tell_intervals(observer), ptpmon_correlator_finish(observer->correlator));
    observer->finished = status == PTPMON_OK;
    return status;
}

/* ---- Live --------------------------------------------------------------------------------- */

/* END is no end here: events and frames tell. */
static ptpmon_status wait_for_more(ptpmon_observer *observer, int timeout_ms)
{
    struct timespec pause = {.tv_nsec = STOP_WAIT_NS};
    if (observer->stopped) {
        if (timeout_ms != 0)
            nanosleep(&pause, NULL);
        return PTPMON_OK;
    }
    ptpmon_status status = ptpmon_monitor_wait(observer->monitor, timeout_ms);
    if (status == PTPMON_OK || status == PTPMON_NOTHING || status == PTPMON_END)
        return PTPMON_OK;
    ptpmon_observer_stop(observer);
    return status;
}

static ptpmon_status begin_round(ptpmon_observer *observer, int timeout_ms)
{
    PTP_CLOCKS_RECORD now;
    ptpmon_status status = wait_for_more(observer, timeout_ms);
    if (status == PTPMON_OK)
        status = ptpmon_clocks_now(&now);
    if (status != PTPMON_OK)
        return status;
    observer->round_began = now.system_timestamp;
    observer->events_drained = observer->frames_drained = false;
    observer->in_round = true;
    return PTPMON_OK;
}

static bool has_live_capture(const ptpmon_observer *observer)
{
    return observer->capture && ptpmon_capture_kind_of(observer->capture) == PTPMON_CAPTURE_LIVE;
}

/* Up to when both sides are complete. */
static ptpmon_instant complete_until(const ptpmon_observer *observer, const ptpmon_monitor_info *info)
{
    uint64_t until = info->delivered_until < observer->round_began ? info->delivered_until : observer->round_began;
    ptpmon_instant complete = ptpmon_instant_add(ptpmon_instant_from_unsigned(until), -CAPTURE_DELAY_NS);
    if (!observer->capture || has_live_capture(observer))
        return complete;
    ptpmon_instant frames = ptpmon_instant_add(observer->frames_front, -DISORDER_NS);
    return frames < complete ? frames : complete;
}

/* Both sides have given what there was. */
static ptpmon_status end_round(ptpmon_observer *observer)
{
    observer->in_round = false;
    /* Frames that do not come live are what ends: later events have no counterpart any more. */
    bool is_last = observer->events_ended || (observer->capture && !has_live_capture(observer));
    if (observer->frames_ended && is_last)
        return finish(observer);
    ptpmon_monitor_info info;
    ptpmon_status status = ptpmon_monitor_info_get(observer->monitor, &info);
    return status == PTPMON_OK ? promise(observer, complete_until(observer, &info)) : status;
}

static ptpmon_status step_live(ptpmon_observer *observer)
{
    if (!observer->events_drained && !observer->events_ended)
        return take_event(observer);
    if (!observer->frames_drained && !observer->frames_ended && observer->knows_clocks) {
        ptpmon_status status = take_frame(observer);
        return status == PTPMON_OK && observer->has_frame ? feed_frame(observer) : status;
    }
    ptpmon_status status = feed_loss(observer);
    return status == PTPMON_NOTHING ? end_round(observer) : status;
}

/* A round a call; NOTHING: it gave nothing. */
static ptpmon_status step_or_wait(ptpmon_observer *observer, int timeout_ms, bool *has_begun)
{
    if (observer->in_round)
        return step_live(observer);
    if (*has_begun)
        return PTPMON_NOTHING;
    *has_begun = true;
    return begin_round(observer, timeout_ms);
}

/* ---- Recorded ----------------------------------------------------------------------------- */

static bool is_due(const ptpmon_observer *observer)
{
    if (observer->events_ended)
        return true;
    return observer->knows_clocks && ptpmon_instant_add(observer->frame_at, AHEAD_NS) <= observer->events_front;
}

static ptpmon_instant frames_front(const ptpmon_observer *observer)
{
    if (observer->frames_ended)
        return PTPMON_INSTANT_MAX;
    return observer->has_frame && observer->knows_clocks ? observer->frame_at : observer->frames_front;
}

static ptpmon_status keep_promise(ptpmon_observer *observer)
{
    ptpmon_instant events = observer->events_ended ? PTPMON_INSTANT_MAX : observer->events_front;
    ptpmon_instant frames = frames_front(observer);
    ptpmon_instant front = events < frames ? events : frames;
    return front < PTPMON_INSTANT_MAX ? promise(observer, ptpmon_instant_add(front, -DISORDER_NS)) : PTPMON_OK;
}

/* Feeds what comes next in event time. */
static ptpmon_status feed_next(ptpmon_observer *observer)
{
    if (observer->has_frame && is_due(observer))
        return feed_frame(observer);
    return observer->events_ended ? finish(observer) : take_event(observer);
}

/* Feeds one item. NOTHING: more frames must be given first. */
static ptpmon_status feed_one(ptpmon_observer *observer)
{
    observer->frames_drained = false;
    if (!observer->frames_ended && !observer->has_frame) {
        ptpmon_status status = take_frame(observer);
        if (status != PTPMON_OK || observer->frames_drained)
            return status != PTPMON_OK ? status : PTPMON_NOTHING;
    }
    return feed_next(observer);
}

/* Feeds some items, and promises what follows from them: nothing is decided in between. */
static ptpmon_status step_recorded(ptpmon_observer *observer)
{
    ptpmon_status status = PTPMON_OK;
    for (int i = 0; i < ITEMS_AT_ONCE && status == PTPMON_OK && !observer->has_notice && !observer->finished; i++)
        status = feed_one(observer);
    if (observer->finished || observer->has_notice || (status != PTPMON_OK && status != PTPMON_NOTHING))
        return status;
    ptpmon_status lost = feed_loss(observer);
    if (lost != PTPMON_OK && lost != PTPMON_NOTHING)
        return lost;
    return first_failure(keep_promise(observer), status);
}

/* ---- Next --------------------------------------------------------------------------------- */

static bool take_observation(ptpmon_observer *observer, ptpmon_observation *told)
{
    if (!observer->has_notice)
        return take_result(observer, told);
    observer->has_notice = false;
    *told = observer->notice;
    return true;
}

ptpmon_status ptpmon_observer_next(ptpmon_observer *observer, int timeout_ms, ptpmon_observation *observation)
{
    bool has_begun = false;
    while (!take_observation(observer, observation)) {
        ptpmon_status status = observer->outcome;
        observer->outcome = PTPMON_OK;
        if (status != PTPMON_OK)
            return status;
        if (observer->finished)
            return PTPMON_END;
        observer->outcome =
            observer->is_live ? step_or_wait(observer, timeout_ms, &has_begun) : step_recorded(observer);
    }
    return PTPMON_OK;
}
