/* SPDX-License-Identifier: MIT */
#include "demo_recorded.h"

#include "cli.h"
#include "demo_ptp4l.h"
#include "format.h"

#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Room for a directory, a file's name and what lies between. */
#define PATH_SIZE 4096

/* The installed place first, then the build tree; both relative to the program. */
static const char *const directories[] = {"../share/ptpmon/demo", "share/ptpmon/demo"};

struct recording {
    ptpmon_monitor *monitor;
    ptpmon_capture *capture;
    struct observer *observer;
};

static bool program_directory(char *directory)
{
    char path[PATH_SIZE];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length <= 0)
        return false;
    path[length] = 0;
    snprintf(directory, PATH_SIZE, "%s", dirname(path));
    return true;
}

/* Where NAME.events lies; NAME.pcap lies beside it. */
static bool find_recording(const char *name, char *base, size_t size)
{
    char program[PATH_SIZE], events[PATH_SIZE + 128];
    if (!program_directory(program))
        return false;
    for (size_t i = 0; i < sizeof directories / sizeof *directories; i++) {
        int length = snprintf(base, size, "%s/%s/%s", program, directories[i], name);
        if (length < 0 || (size_t)length >= size)
            continue;
        snprintf(events, sizeof events, "%s.events", base);
        if (access(events, R_OK) == 0)
            return true;
    }
    return false;
}

static ptpmon_status open_recording(struct recording *recording, const char *base, const struct view_part *part)
{
    char path[PATH_SIZE + 128];
    snprintf(path, sizeof path, "%s.events", base);
    ptpmon_status status = ptpmon_monitor_open_recording(path, &recording->monitor);
    if (status == PTPMON_OK)
        status = ptpmon_monitor_enable(recording->monitor);
    snprintf(path, sizeof path, "%s.pcap", base);
    if (status == PTPMON_OK)
        status = ptpmon_capture_open_file(path, &recording->capture);
    if (status == PTPMON_OK)
        status = observer_open(part->name, true, &part->sink, &recording->observer);
    return status;
}

static void close_recording(struct recording *recording)
{
    observer_close(recording->observer);
    ptpmon_capture_close(recording->capture);
    ptpmon_monitor_close(recording->monitor);
}

static ptpmon_status replay_events(struct recording *recording)
{
    PTP_TIMESTAMP_EVENT events[256];
    size_t count;
    ptpmon_status status;
    while ((status = ptpmon_events_read(recording->monitor, events, 256, &count)) == PTPMON_OK) {
        for (size_t i = 0; i < count && status == PTPMON_OK; i++)
            status = observer_event(recording->observer, &events[i]);
        if (status != PTPMON_OK)
            return status;
    }
    return status == PTPMON_END ? PTPMON_OK : status;
}

static ptpmon_status replay_frames(struct recording *recording)
{
    ptpmon_frame frame;
    ptpmon_status status;
    while ((status = ptpmon_capture_next(recording->capture, &frame)) == PTPMON_OK) {
        status = observer_frame(recording->observer, &frame);
        if (status != PTPMON_OK)
            return status;
    }
    return status == PTPMON_END ? PTPMON_OK : status;
}

/* The clocks come with the events, so events go first; the outcome does not depend on the order. */
static ptpmon_status replay(struct recording *recording, struct view_part *part)
{
    ptpmon_monitor_info info;
    ptpmon_status status = ptpmon_monitor_info_get(recording->monitor, &info);
    if (status != PTPMON_OK)
        return status;
    observer_monitor_ran(recording->observer, info.enabled_at, info.disabled_at);
    part->compared = true;
    part->elapsed_ns = info.disabled_at - info.enabled_at;
    status = replay_events(recording);
    if (status == PTPMON_OK)
        status = replay_frames(recording);
    return status == PTPMON_OK ? observer_finish(recording->observer) : status;
}

static int show_recording(struct view *view, const struct demo_profile *profile)
{
    char base[PATH_SIZE];
    struct recording recording = {0};
    if (!find_recording(profile->name, base, sizeof base)) {
        cli_message("demo: the recording %s.events is not installed beside this program; reinstall ptpmon",
                    profile->name);
        return CLI_FAILED;
    }
    struct view_part *part = view_add_part(view, profile->name);
    report_set_profile(view->report, profile->name);
    report_text(view->report, "\n%s%s (recorded)%s\n", format_style(STYLE_BOLD), profile->description,
                format_style(STYLE_PLAIN));
    ptpmon_status status = open_recording(&recording, base, part);
    if (status == PTPMON_OK)
        status = replay(&recording, part);
    close_recording(&recording);
    if (status != PTPMON_OK)
        return cli_library_error(status);
    view_summarize_part(part);
    return CLI_OK;
}

int demo_recorded(struct view *view, const char *only)
{
    int code = CLI_OK;
    for (const struct demo_profile *profile = demo_profiles; profile->name != NULL && code == CLI_OK; profile++) {
        if (only == NULL || strcmp(only, profile->name) == 0)
            code = show_recording(view, profile);
    }
    return code;
}
