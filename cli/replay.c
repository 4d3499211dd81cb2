/* SPDX-License-Identifier: MIT */
#include "replay.h"

#include "cli.h"
#include "files.h"

#include <avb/avb_ptp_recording.h>
#include <stdlib.h>
#include <string.h>

/* A side that fails has ended; then the other one may. */
#define FAILURES_MAX 2

struct replay {
    ptpmon_monitor *monitor;
    ptpmon_capture *capture;
    ptpmon_observer *observer;
    int failures;
};

bool replay_is_events_file(const char *path)
{
    char magic[sizeof AVB_RECORDING_MAGIC - 1];
    FILE *file = files_is_stream(path) ? NULL : files_open(path);
    if (file == NULL)
        return false;
    bool is =
        fread(magic, 1, sizeof magic, file) == sizeof magic && memcmp(magic, AVB_RECORDING_MAGIC, sizeof magic) == 0;
    fclose(file);
    return is;
}

static ptpmon_status open_all(struct replay *replay, const char *capture_path, const char *events_path,
                              const ptpmon_observer_options *options)
{
    ptpmon_status status = ptpmon_monitor_open_recording(events_path, &replay->monitor);
    if (status == PTPMON_OK)
        status = ptpmon_monitor_enable(replay->monitor);
    if (status == PTPMON_OK && capture_path != NULL)
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
    ptpmon_capture_statistics capture = {0};
    ptpmon_status status = ptpmon_monitor_info_get(replay->monitor, &info);
    if (status == PTPMON_OK)
        status = ptpmon_monitor_statistics(replay->monitor, &statistics);
    if (status == PTPMON_OK && replay->capture != NULL)
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

ptpmon_status replay_next(struct replay *replay, ptpmon_observation *observation)
{
    if (replay->failures >= FAILURES_MAX)
        return PTPMON_END;
    ptpmon_status status = ptpmon_observer_next(replay->observer, 0, observation);
    if (status != PTPMON_OK && status != PTPMON_END) {
        cli_library_error(status);
        replay->failures++;
    }
    return status;
}

ptpmon_status replay_run(struct replay *replay, const struct sink *sink, bool (*go_on)(void *context), void *context)
{
    ptpmon_observation observation;
    ptpmon_status status = PTPMON_OK, failure = PTPMON_OK;
    while (status != PTPMON_END && go_on(context)) {
        status = replay_next(replay, &observation);
        if (status == PTPMON_OK)
            sink->observed(sink->context, &observation);
        else if (status != PTPMON_END)
            failure = cli_first_failure(failure, status);
    }
    return failure;
}
