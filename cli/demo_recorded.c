/* SPDX-License-Identifier: MIT */
#include "demo_recorded.h"

#include "cli.h"
#include "demo_ptp4l.h"
#include "format.h"
#include "replay.h"

#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Room for a directory, a file's name and what lies between. */
#define PATH_SIZE 4096

/* The installed place first, then the build tree; both relative to the program. */
static const char *const directories[] = {"../share/ptpmon/demo", "share/ptpmon/demo"};

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

/* Where NAME.events lies; NAME.pcapng lies beside it. */
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

static bool go_on(void *context)
{
    (void)context;
    return !cli_stop_requested() && !cli_output_failed();
}

static int show_replay(const char *capture, const char *events, struct view_part *part)
{
    struct replay *replay;
    ptpmon_status status = replay_open(capture, events, NULL, &replay);
    if (status != PTPMON_OK)
        return cli_library_error(status);
    status = replay_run(replay, &part->sink, go_on, NULL);
    view_part_end_replay(part, replay);
    replay_close(replay);
    view_summarize_part(part);
    return cli_exit_code(status);
}

static int show_recording(struct view *view, const struct demo_profile *profile)
{
    char base[PATH_SIZE], capture[PATH_SIZE + 128], events[PATH_SIZE + 128];
    if (!find_recording(profile->name, base, sizeof base)) {
        cli_message("demo: the recording %s.events is not installed beside this program; reinstall ptpmon",
                    profile->name);
        return CLI_FAILED;
    }
    struct view_part *part = view_add_part(view, profile->name);
    report_set_profile(view->report, profile->name);
    report_text(view->report, "\n%s%s (recorded)%s\n", format_style(STYLE_BOLD), profile->description,
                format_style(STYLE_PLAIN));
    snprintf(capture, sizeof capture, "%s.pcapng", base);
    snprintf(events, sizeof events, "%s.events", base);
    return show_replay(capture, events, part);
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
