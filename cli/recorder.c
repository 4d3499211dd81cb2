/* SPDX-License-Identifier: MIT */
#include "recorder.h"

#include "capture_file.h"
#include "cli.h"
#include "files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EVENTS_AT_ONCE 512

/* A frame may reach the capture so much later than its time says. */
#define HOLD_NS ((int64_t)200 * NS_PER_MS)
/* A system clock that moved further against event time than steering does was set. */
#define STEP_NS NS_PER_MS

#define FLUSH_NS ((uint64_t)NS_PER_S)
/* How often the files are measured. */
#define MEASURE_NS ((uint64_t)100 * NS_PER_MS)

#define DRAIN_WAIT_MS 5

struct recorded {
    const char *name;
    ptpmon_monitor *monitor;
    ptpmon_capture *capture; /* NULL = events alone */
    bool running;
    bool events_ended, frames_ended;
    uint64_t events, frames, dropped_frames;
    uint64_t last_event, delivered_until;
    int64_t cut_at; /* capture time where the previous set ended */
    int64_t capture_began_at, capture_ended_at;
};

struct recorder {
    const struct recorder_options *options;
    struct recorded *interfaces;
    size_t count;
    unsigned number;               /* of the current set */
    struct capture_file *file;     /* of it; NULL = events alone */
    struct capture_file *previous; /* of the set before, until its last frames have come; else NULL */
    uint64_t previous_until;       /* event time */
    struct rotation rotation;
    uint64_t finished_bytes; /* of the sets before */
    uint64_t set_bytes;      /* of the current one, when last measured */
    uint64_t measured_at, flushed_at;
    uint64_t started_at, stopped_at;
    PTP_CLOCKS_RECORD now; /* of this round */
    bool knows_offset;
    int64_t offset; /* CLOCK_REALTIME - event time */
    ptpmon_status interface_failure;
    bool failed; /* nothing is written any more */
};

/* ---- Opening and closing ---- */

static ptpmon_status open_interface(struct recorder *recorder, struct recorded *interface, const char *name)
{
    const struct session_options *session = &recorder->options->session;
    interface->name = name;
    interface->cut_at = INT64_MIN;
    return ptpmon_monitor_open(name, &session->monitor, &interface->monitor);
}

ptpmon_status recorder_open(const struct recorder_options *options, struct recorder **recorder)
{
    struct recorder *opened = cli_allocate(1, sizeof *opened);
    opened->options = options;
    opened->count = options->names.interface_count;
    opened->interfaces = cli_allocate(opened->count, sizeof *opened->interfaces);
    opened->rotation.limits = options->rotation;
    ptpmon_status status = PTPMON_OK;
    for (size_t i = 0; status == PTPMON_OK && i < opened->count; i++)
        status = open_interface(opened, &opened->interfaces[i], options->names.interfaces[i]);
    if (status != PTPMON_OK) {
        recorder_close(opened);
        return status;
    }
    *recorder = opened;
    return PTPMON_OK;
}

/* All is written by now, or cannot be: the failure was told. */
void recorder_close(struct recorder *recorder)
{
    if (recorder == NULL)
        return;
    (void)capture_file_close(recorder->previous);
    (void)capture_file_close(recorder->file);
    for (size_t i = 0; i < recorder->count; i++) {
        ptpmon_capture_close(recorder->interfaces[i].capture);
        ptpmon_monitor_close(recorder->interfaces[i].monitor);
    }
    free(recorder->interfaces);
    free(recorder);
}

ptpmon_status recorder_interface_failure(const struct recorder *recorder)
{
    return recorder->interface_failure;
}

/* ---- Files ---- */

static ptpmon_status open_capture_file(struct recorder *recorder, struct capture_file **file)
{
    char path[RECORDING_PATH_SIZE];
    ptpmon_capture_interface *about = cli_allocate(recorder->count, sizeof *about);
    ptpmon_status status = PTPMON_OK;
    for (size_t i = 0; status == PTPMON_OK && i < recorder->count; i++)
        status = ptpmon_capture_interface_get(recorder->interfaces[i].capture, 0, &about[i]);
    if (status == PTPMON_OK)
        status = capture_file_open(recording_names_capture(&recorder->options->names, recorder->number, path), about,
                                   recorder->count, file);
    free(about);
    return status;
}

static ptpmon_status record_events(const struct recorder *recorder, size_t i)
{
    char path[RECORDING_PATH_SIZE];
    return ptpmon_monitor_record(recorder->interfaces[i].monitor,
                                 recording_names_events(&recorder->options->names, recorder->number, i, path));
}

static uint64_t size_of_events(const struct recorder *recorder, unsigned number)
{
    char path[RECORDING_PATH_SIZE];
    uint64_t bytes = 0;
    for (size_t i = 0; i < recorder->count; i++)
        bytes += files_size(recording_names_events(&recorder->options->names, number, i, path));
    return bytes;
}

/* What the current set has on disk, and of the capture also what waits to be written. */
static uint64_t measure_set(const struct recorder *recorder)
{
    uint64_t bytes = recorder->file != NULL ? capture_file_bytes(recorder->file) : 0;
    return bytes + size_of_events(recorder, recorder->number);
}

/* The set before the current one is complete now; with it the oldest may go. */
static ptpmon_status end_previous_set(struct recorder *recorder)
{
    char path[RECORDING_PATH_SIZE];
    const struct recording_names *names = &recorder->options->names;
    unsigned keep = recorder->options->keep;
    ptpmon_status status = capture_file_close(recorder->previous);
    recorder->previous = NULL;
    recorder->previous_until = 0;
    recorder->finished_bytes += size_of_events(recorder, recorder->number - 1);
    if (names->captures)
        recorder->finished_bytes += files_size(recording_names_capture(names, recorder->number - 1, path));
    if (keep != 0 && recorder->number > keep && !recording_names_remove(names, recorder->number - keep, path))
        cli_message("%s: cannot remove it, and it stays: %s", path, strerror(errno));
    return status;
}

/* ---- Start ---- */

ptpmon_status recorder_capture(struct recorder *recorder)
{
    ptpmon_status status = PTPMON_OK;
    for (size_t i = 0; status == PTPMON_OK && i < recorder->count; i++)
        status = ptpmon_capture_open_live(recorder->interfaces[i].name, &recorder->interfaces[i].capture);
    return status;
}

static ptpmon_status begin_capture_of(struct recorder *recorder, size_t i)
{
    ptpmon_capture_statistics statistics;
    ptpmon_status status = ptpmon_capture_statistics_get(recorder->interfaces[i].capture, &statistics);
    if (status != PTPMON_OK)
        return status;
    recorder->interfaces[i].capture_began_at = statistics.started_at;
    capture_file_begin(recorder->file, i, statistics.started_at);
    return PTPMON_OK;
}

static ptpmon_status start_interface(struct recorder *recorder, size_t i)
{
    struct recorded *interface = &recorder->interfaces[i];
    ptpmon_status status = recorder->file != NULL ? begin_capture_of(recorder, i) : PTPMON_OK;
    if (status == PTPMON_OK)
        status = record_events(recorder, i);
    if (status == PTPMON_OK)
        status = ptpmon_monitor_enable(interface->monitor);
    interface->running = status == PTPMON_OK;
    interface->frames_ended = interface->capture == NULL;
    return status;
}

ptpmon_status recorder_start(struct recorder *recorder)
{
    char path[RECORDING_PATH_SIZE];
    recorder->number = 1;
    recorder->started_at = cli_now();
    ptpmon_status status = recorder->options->names.captures ? open_capture_file(recorder, &recorder->file) : PTPMON_OK;
    for (size_t i = 0; status == PTPMON_OK && i < recorder->count; i++)
        status = start_interface(recorder, i);
    if (status != PTPMON_OK)
        (void)recording_names_remove(&recorder->options->names, recorder->number, path);
    rotation_begin(&recorder->rotation, recorder->started_at);
    return status;
}

/* ---- Taking what there is ---- */

static ptpmon_status stop_interface(struct recorder *recorder, struct recorded *interface)
{
    ptpmon_capture_statistics statistics;
    ptpmon_status status = PTPMON_OK;
    if (!interface->running)
        return status;
    interface->running = false;
    if (interface->capture != NULL) {
        status = ptpmon_capture_stop(interface->capture);
        interface->capture_ended_at = (int64_t)recorder->now.realtime_ns;
        if (ptpmon_capture_statistics_get(interface->capture, &statistics) == PTPMON_OK)
            interface->capture_ended_at = statistics.stopped_at;
    }
    return cli_first_failure(status, ptpmon_monitor_disable(interface->monitor));
}

/* Said at once: the recording may go on for long. */
static void fail_interface(struct recorder *recorder, struct recorded *interface, ptpmon_status status)
{
    if (interface->running)
        cli_library_error(status);
    recorder->interface_failure = cli_first_failure(recorder->interface_failure, status);
    stop_interface(recorder, interface);
}

static void count_event(struct recorded *interface, const PTP_TIMESTAMP_EVENT *event)
{
    if (event->direction > AVB_DIRECTION_TX)
        return;
    interface->events++;
    if (event->system_timestamp > interface->last_event)
        interface->last_event = event->system_timestamp;
}

/* The reading of the clocks that lies in this interval, if it is among the events. */
static void look_for_clocks(const PTP_TIMESTAMP_EVENT *event, const PTP_CLOCKS_RECORD interval[2],
                            PTP_CLOCKS_RECORD *found)
{
    if (event->direction == AVB_DIRECTION_CLOCKS && event->system_timestamp >= interval[0].system_timestamp &&
        event->system_timestamp <= interval[1].system_timestamp)
        memcpy(found, event, sizeof *found);
}

/* Reading the events is what writes them. OK with nothing: none now. */
static ptpmon_status read_events(struct recorded *interface, const PTP_CLOCKS_RECORD interval[2],
                                 PTP_CLOCKS_RECORD *found, size_t *count)
{
    PTP_TIMESTAMP_EVENT events[EVENTS_AT_ONCE];
    ptpmon_status status = ptpmon_events_read(interface->monitor, events, EVENTS_AT_ONCE, count);
    for (size_t i = 0; status == PTPMON_OK && i < *count; i++) {
        count_event(interface, &events[i]);
        if (interval != NULL)
            look_for_clocks(&events[i], interval, found);
    }
    return status;
}

static ptpmon_status take_events(struct recorder *recorder, struct recorded *interface)
{
    ptpmon_monitor_info info;
    ptpmon_status status = PTPMON_OK;
    size_t count = 1;
    while (status == PTPMON_OK && count > 0)
        status = read_events(interface, NULL, NULL, &count);
    interface->events_ended = status != PTPMON_OK;
    if (status == PTPMON_NO_INTERFACE)
        fail_interface(recorder, interface, status);
    else if (status != PTPMON_OK && status != PTPMON_END)
        return status;
    if (ptpmon_monitor_info_get(interface->monitor, &info) == PTPMON_OK)
        interface->delivered_until = info.delivered_until;
    return PTPMON_OK;
}

static struct capture_file *file_at(const struct recorder *recorder, const struct recorded *interface, int64_t time_ns)
{
    return recorder->previous != NULL && time_ns <= interface->cut_at ? recorder->previous : recorder->file;
}

static void take_frames(struct recorder *recorder, size_t i)
{
    struct recorded *interface = &recorder->interfaces[i];
    ptpmon_frame frame;
    ptpmon_status status;
    while ((status = ptpmon_capture_next(interface->capture, &frame)) == PTPMON_OK) {
        interface->frames++;
        capture_file_frame(file_at(recorder, interface, frame.time_ns), i, &frame);
    }
    if (status == PTPMON_NOTHING)
        return;
    interface->frames_ended = true;
    if (status != PTPMON_END)
        fail_interface(recorder, interface, status);
    capture_file_end(recorder->file, i, interface->capture_ended_at);
}

/* A loss around a cut may be of either set, and stands in both. */
static void note_loss(struct recorder *recorder, size_t i, ptpmon_capture_loss loss)
{
    struct recorded *interface = &recorder->interfaces[i];
    interface->dropped_frames += loss.frames;
    if (recorder->previous != NULL && loss.from < interface->cut_at) {
        ptpmon_capture_loss before = loss;
        before.to = loss.to < interface->cut_at ? loss.to : interface->cut_at;
        capture_file_loss(recorder->previous, i, &before);
        if (loss.to <= interface->cut_at)
            return;
        loss.from = interface->cut_at;
    }
    capture_file_loss(recorder->file, i, &loss);
}

static void take_capture(struct recorder *recorder, size_t i)
{
    struct recorded *interface = &recorder->interfaces[i];
    ptpmon_capture_loss loss;
    while (ptpmon_capture_next_loss(interface->capture, &loss) == PTPMON_OK)
        note_loss(recorder, i, loss);
    take_frames(recorder, i);
}

static ptpmon_status take_all(struct recorder *recorder)
{
    ptpmon_status status = PTPMON_OK;
    for (size_t i = 0; status == PTPMON_OK && i < recorder->count; i++) {
        struct recorded *interface = &recorder->interfaces[i];
        if (!interface->events_ended)
            status = take_events(recorder, interface);
        if (!interface->frames_ended)
            take_capture(recorder, i);
    }
    return status;
}

/* ---- Writing ---- */

/* When the system clock is set, what came before has nothing to wait for: its times say nothing about later ones. */
static bool was_set(struct recorder *recorder)
{
    int64_t offset = (int64_t)(recorder->now.realtime_ns - recorder->now.system_timestamp);
    bool set = recorder->knows_offset && llabs(offset - recorder->offset) > STEP_NS;
    recorder->offset = offset;
    recorder->knows_offset = true;
    return set;
}

static ptpmon_status write_frames(struct recorder *recorder)
{
    int64_t until = was_set(recorder) ? INT64_MAX : (int64_t)recorder->now.realtime_ns - HOLD_NS;
    ptpmon_status status = PTPMON_OK;
    if (recorder->previous != NULL)
        status = capture_file_write(recorder->previous, until);
    return status == PTPMON_OK ? capture_file_write(recorder->file, until) : status;
}

static ptpmon_status flush(struct recorder *recorder)
{
    if (recorder->now.system_timestamp < recorder->flushed_at + FLUSH_NS)
        return PTPMON_OK;
    recorder->flushed_at = recorder->now.system_timestamp;
    return capture_file_flush(recorder->file);
}

static ptpmon_status write_all(struct recorder *recorder)
{
    uint64_t now = recorder->now.system_timestamp;
    ptpmon_status status = PTPMON_OK;
    if (recorder->file != NULL) {
        status = write_frames(recorder);
        if (status == PTPMON_OK)
            status = flush(recorder);
    }
    if (status == PTPMON_OK && recorder->previous_until != 0 && now >= recorder->previous_until)
        status = end_previous_set(recorder);
    if (now >= recorder->measured_at + MEASURE_NS) {
        recorder->measured_at = now;
        recorder->set_bytes = measure_set(recorder);
    }
    return status;
}

/* ---- The next set ---- */

static struct rotation_view rotation_view(const struct recorder *recorder)
{
    struct rotation_view view = {
        .now = recorder->now.system_timestamp,
        .bytes = recorder->set_bytes,
        .complete_until = UINT64_MAX,
    };
    for (size_t i = 0; i < recorder->count; i++) {
        const struct recorded *interface = &recorder->interfaces[i];
        if (!interface->running)
            continue;
        view.last_event = interface->last_event > view.last_event ? interface->last_event : view.last_event;
        if (interface->delivered_until < view.complete_until)
            view.complete_until = interface->delivered_until;
    }
    return view;
}

/*
 * The events go on to the next file at a reading of the clocks that the library makes; it is known by
 * when it was made, and found among the events, that is, before anything newer is read.
 */
static ptpmon_status cut_interface(struct recorder *recorder, size_t i)
{
    struct recorded *interface = &recorder->interfaces[i];
    PTP_CLOCKS_RECORD interval[2], cut;
    size_t count = 1;
    ptpmon_status status = ptpmon_clocks_now(&interval[0]);
    if (status == PTPMON_OK)
        status = record_events(recorder, i);
    if (status == PTPMON_OK)
        status = ptpmon_clocks_now(&interval[1]);
    if (status != PTPMON_OK)
        return status;
    cut = interval[1];
    while (status == PTPMON_OK && count > 0 && cut.system_timestamp == interval[1].system_timestamp)
        status = read_events(interface, interval, &cut, &count);
    interface->cut_at = (int64_t)cut.realtime_ns;
    if (recorder->file != NULL) {
        capture_file_end(recorder->previous, i, interface->cut_at);
        capture_file_begin(recorder->file, i, interface->cut_at);
    }
    return status;
}

static ptpmon_status cut(struct recorder *recorder)
{
    struct capture_file *next = NULL;
    ptpmon_status status = PTPMON_OK;
    recorder->number++;
    if (recorder->file != NULL)
        status = open_capture_file(recorder, &next);
    if (status != PTPMON_OK)
        return status;
    recorder->previous = recorder->file;
    recorder->file = next;
    recorder->previous_until = recorder->now.system_timestamp + (uint64_t)HOLD_NS;
    for (size_t i = 0; i < recorder->count; i++)
        recorder->interfaces[i].cut_at = INT64_MAX; /* until it is cut all is of the set before */
    for (size_t i = 0; status == PTPMON_OK && i < recorder->count; i++)
        status = recorder->interfaces[i].running ? cut_interface(recorder, i) : PTPMON_OK;
    recorder->set_bytes = measure_set(recorder);
    rotation_begin(&recorder->rotation, recorder->now.system_timestamp);
    return status;
}

static bool all_run(const struct recorder *recorder)
{
    bool any = false;
    for (size_t i = 0; i < recorder->count; i++) {
        const struct recorded *interface = &recorder->interfaces[i];
        bool ended = interface->events_ended && interface->frames_ended;
        if (!interface->running && !ended)
            return false;
        any = any || interface->running;
    }
    return any;
}

static ptpmon_status rotate(struct recorder *recorder)
{
    struct rotation_view view = rotation_view(recorder);
    /* One set at a time is on its way out, and what ends shall end in one piece. */
    if (recorder->previous_until != 0 || !all_run(recorder) || !rotation_cuts(&recorder->rotation, &view))
        return PTPMON_OK;
    return cut(recorder);
}

/* ---- Rounds ---- */

static bool is_over(const struct recorder *recorder)
{
    for (size_t i = 0; i < recorder->count; i++) {
        if (!recorder->interfaces[i].events_ended || !recorder->interfaces[i].frames_ended)
            return false;
    }
    return true;
}

/* Only the first running interface is waited for, the others are looked at. */
static void wait_for_more(struct recorder *recorder, int wait_ms)
{
    const struct timespec pause = {.tv_nsec = (long)DRAIN_WAIT_MS * NS_PER_MS};
    bool waited = false;
    for (size_t i = 0; i < recorder->count; i++) {
        struct recorded *interface = &recorder->interfaces[i];
        if (!interface->running)
            continue;
        ptpmon_status status = ptpmon_monitor_wait(interface->monitor, waited ? 0 : wait_ms);
        waited = true;
        if (status != PTPMON_OK && status != PTPMON_NOTHING)
            fail_interface(recorder, interface, status);
    }
    if (!waited)
        nanosleep(&pause, NULL);
}

static ptpmon_status write_rest(struct recorder *recorder)
{
    ptpmon_status status = recorder->previous_until != 0 ? end_previous_set(recorder) : PTPMON_OK;
    if (status != PTPMON_OK || recorder->file == NULL)
        return status;
    status = capture_file_write(recorder->file, INT64_MAX);
    return status == PTPMON_OK ? capture_file_flush(recorder->file) : status;
}

static ptpmon_status take_and_write(struct recorder *recorder)
{
    ptpmon_status status = ptpmon_clocks_now(&recorder->now);
    if (status == PTPMON_OK)
        status = take_all(recorder);
    if (status != PTPMON_OK || recorder->failed)
        return status;
    if (is_over(recorder))
        return write_rest(recorder);
    status = write_all(recorder);
    return status == PTPMON_OK ? rotate(recorder) : status;
}

ptpmon_status recorder_round(struct recorder *recorder, int wait_ms)
{
    wait_for_more(recorder, wait_ms);
    ptpmon_status status = take_and_write(recorder);
    if (status != PTPMON_OK && !recorder->failed) {
        recorder->failed = true;
        return status;
    }
    return is_over(recorder) ? PTPMON_END : PTPMON_OK;
}

ptpmon_status recorder_stop(struct recorder *recorder)
{
    ptpmon_status status = PTPMON_OK;
    for (size_t i = 0; i < recorder->count; i++)
        status = cli_first_failure(status, stop_interface(recorder, &recorder->interfaces[i]));
    recorder->stopped_at = cli_now();
    return status;
}

/* ---- Counts ---- */

static uint64_t elapsed(const struct recorder *recorder)
{
    uint64_t until = recorder->stopped_at != 0 ? recorder->stopped_at : cli_now();
    return until > recorder->started_at ? until - recorder->started_at : 0;
}

ptpmon_status recorder_info(struct recorder *recorder, size_t i, struct session_info *info)
{
    const struct recorded *interface = &recorder->interfaces[i];
    *info = (struct session_info){
        .interface = interface->name,
        .captures = interface->capture != NULL,
        .elapsed_ns = elapsed(recorder),
    };
    if (info->captures) /* those of the capture itself are not to be had any more where the interface has vanished */
        info->capture = (ptpmon_capture_statistics){
            .frames = interface->frames,
            .dropped = interface->dropped_frames,
            .started_at = interface->capture_began_at,
            .stopped_at = interface->capture_ended_at,
        };
    ptpmon_status status = ptpmon_monitor_info_get(interface->monitor, &info->monitor);
    return cli_first_failure(status, ptpmon_monitor_statistics(interface->monitor, &info->statistics));
}

void recorder_interface_counts(struct recorder *recorder, size_t i, struct recorder_counts *counts)
{
    const struct recorded *interface = &recorder->interfaces[i];
    ptpmon_statistics statistics;
    *counts = (struct recorder_counts){
        .events = interface->events,
        .frames = interface->frames,
        .dropped_frames = interface->dropped_frames,
        .elapsed_ns = elapsed(recorder),
    };
    if (ptpmon_monitor_statistics(interface->monitor, &statistics) == PTPMON_OK)
        counts->dropped_events = statistics.events_dropped;
}

uint64_t recorder_events(const struct recorder *recorder)
{
    uint64_t events = 0;
    for (size_t i = 0; i < recorder->count; i++)
        events += recorder->interfaces[i].events;
    return events;
}

void recorder_counts(struct recorder *recorder, struct recorder_counts *counts)
{
    *counts = (struct recorder_counts){
        .bytes = recorder->finished_bytes + measure_set(recorder),
        .sets = recorder->number,
        .elapsed_ns = elapsed(recorder),
    };
    if (recorder->previous_until != 0)
        counts->bytes += size_of_events(recorder, recorder->number - 1);
    if (recorder->previous != NULL)
        counts->bytes += capture_file_bytes(recorder->previous);
    for (size_t i = 0; i < recorder->count; i++) {
        struct recorder_counts one;
        recorder_interface_counts(recorder, i, &one);
        counts->events += one.events;
        counts->frames += one.frames;
        counts->dropped_events += one.dropped_events;
        counts->dropped_frames += one.dropped_frames;
    }
}
