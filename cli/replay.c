/* SPDX-License-Identifier: MIT */
#include "replay.h"

#include "cli.h"

#include <stdlib.h>

struct replay {
    ptpmon_monitor *monitor;
    ptpmon_capture *capture;
    ptpmon_observer *observer;
};

static ptpmon_status open_all(struct replay *replay, const char *capture_path, const char *events_path,
                              const ptpmon_observer_options *options)
{
    ptpmon_status status = ptpmon_monitor_open_recording(events_path, &replay->monitor);
    if (status == PTPMON_OK)
        status = ptpmon_monitor_enable(replay->monitor);
    if (status == PTPMON_OK)
        status = ptpmon_capture_open_file(capture_path, &replay->capture);
    if (status == PTPMON_OK)
        status = ptpmon_observer_open(replay->monitor, replay->capture, options, &replay->observer);
    return status;
}

ptpmon_status replay_open(const char *capture_path, const char *events_path, const ptpmon_observer_options *options,
                          struct replay **replay)
{
    struct replay *opened = cli_allocate(1, sizeof *opened);
    ptpmon_status status = open_all(opened, capture_path, events_path, options);
    if (status == PTPMON_OK)
        *replay = opened;
    else
        replay_close(opened);
    return status;
}

void replay_close(struct replay *replay)
{
    if (replay == NULL)
        return;
    ptpmon_observer_close(replay->observer);
    ptpmon_capture_close(replay->capture);
    ptpmon_monitor_close(replay->monitor);
    free(replay);
}

const PTP_RECORDING_HEADER *replay_header(const struct replay *replay)
{
    return ptpmon_monitor_recording_header(replay->monitor);
}

void replay_alignment(const struct replay *replay, ptpmon_alignment *alignment)
{
    ptpmon_observer_alignment(replay->observer, alignment);
}

ptpmon_status replay_counts(const struct replay *replay, struct replay_counts *counts)
{
    ptpmon_monitor_info info;
    ptpmon_statistics statistics;
    ptpmon_capture_statistics capture;
    ptpmon_status status = ptpmon_monitor_info_get(replay->monitor, &info);
    if (status == PTPMON_OK)
        status = ptpmon_monitor_statistics(replay->monitor, &statistics);
    if (status == PTPMON_OK)
        status = ptpmon_capture_statistics_get(replay->capture, &capture);
    if (status == PTPMON_OK)
        *counts = (struct replay_counts){
            .from = info.enabled_at,
            .to = info.disabled_at,
            .dropped_events = statistics.events_dropped,
            .dropped_frames = capture.dropped,
        };
    return status;
}

/* A side that fails has ended, and what is left of both is still told. */
ptpmon_status replay_run(struct replay *replay, const struct sink *sink, bool (*go_on)(void *context), void *context)
{
    ptpmon_observation observation;
    ptpmon_status status = PTPMON_OK, failure = PTPMON_OK;
    int failures_left = 2;
    while (status != PTPMON_END && failures_left > 0 && go_on(context)) {
        status = ptpmon_observer_next(replay->observer, 0, &observation);
        if (status == PTPMON_OK) {
            sink->observed(sink->context, &observation);
        } else if (status != PTPMON_END) {
            cli_library_error(status);
            failure = failure != PTPMON_OK ? failure : status;
            failures_left--;
        }
    }
    return failure;
}
