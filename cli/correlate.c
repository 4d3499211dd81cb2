/* SPDX-License-Identifier: MIT */
#include "cli.h"
#include "commands.h"
#include "files.h"
#include "format.h"
#include "options.h"
#include "progress.h"
#include "replay.h"
#include "system.h"
#include "terminal.h"
#include "view.h"

#include <avb/avb_ptp_recording.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW_MAX_NS ((uint64_t)30 * NS_PER_S)
/* Looking at the time for each frame would take longer than the frame. */
#define LOOK_EVERY 4096

static const char help[] =
    "Usage: ptpmon correlate [OPTION...] CAPTURE EVENTS\n"
    "\n"
    "Shows what `ptpmon watch` would have shown, from files: the events that `ptpmon\n"
    "record` wrote, and a capture of their time, pcap or pcapng, its own, tcpdump's\n"
    "or Wireshark's. Finds out which clock the capture used, and refuses files that\n"
    "do not belong together.\n"
    "\n" OPTIONS_HELP_FILTER
    "\n"
    "How files are related:\n"
    "      --window=TIME       event and frame of a message lie at most so far apart:\n"
    "                          1s (default), 30s at most\n"
    "      --max-offset=TIME   capture clock and system clock do: 60s (default)\n"
    "      --other-clock       the capture was stamped by a clock of its own (adapter\n"
    "                          stamps, a tap), even where it looks like the system's\n"
    "      --strict            exit code 1 unless all was matched and nothing lost;\n"
    "                          what is outside of the other file's time is left out\n"
    "\n" OPTIONS_HELP_SHOWN
    "      --count=N           end after N frames shown\n"
    "      --summary           the summary only\n" OPTIONS_HELP_HELP
    "\n"
    "Exit codes: 0 done, 1 failed, 2 usage, 4 no rights, 7 a file is damaged or of\n"
    "another kind, or the two do not belong together; all: " SYSTEM_HELP_EXIT_CODES "\n";

struct correlate_options {
    struct shared_options shared;
    ptpmon_observer_options observer;
    bool strict, only_summary;
    const char *capture, *events;
};

struct correlate {
    const struct correlate_options *options;
    struct report *report;
    struct view *view;
    struct view_part *part;
    struct replay *replay;
    struct sink sink; /* looks at the time, passes on to the part's */
    struct replay_counts counts;
    uint64_t seen_until; /* event time */
    uint64_t looks;
    struct progress_pace pace;
    bool shows_progress;
};

/* ---- Progress ---- */

static void on_observed(void *context, const ptpmon_observation *observation)
{
    struct correlate *correlate = context;
    correlate->seen_until = ptpmon_observation_event_time(observation);
    correlate->part->sink.observed(correlate->part->sink.context, observation);
}

static void show_progress(struct correlate *correlate)
{
    char text[PROGRESS_LINE_SIZE];
    const struct replay_counts *counts = &correlate->counts;
    if (!progress_is_due(&correlate->pace, cli_now()))
        return;
    uint64_t seen = correlate->seen_until;
    seen = seen < counts->from ? counts->from : seen > counts->to ? counts->to : seen;
    uint64_t all = counts->to - counts->from;
    cli_progress(progress_reading_text(all != 0 ? (double)(seen - counts->from) / (double)all : 1,
                                       correlate->part->tally.observations, text));
}

static bool go_on(void *context)
{
    struct correlate *correlate = context;
    if (correlate->shows_progress && correlate->looks++ % LOOK_EVERY == 0)
        show_progress(correlate);
    return !cli_stop_requested() && !cli_output_failed() && !view_is_full(correlate->view);
}

/* ---- The run ---- */

/* All that ran at the same time on both sides has found its counterpart; and there was something. */
static bool is_complete(const struct tally *tally)
{
    uint64_t wrong = tally_unmatched_events(tally) + tally_unmatched_frames(tally) +
                     tally_both(tally, PTPMON_AMBIGUOUS) + tally_both(tally, PTPMON_DUPLICATE);
    return wrong == 0 && tally->dropped_events + tally->dropped_frames == 0 && tally_matched(tally) > 0;
}

static ptpmon_status begin(struct correlate *correlate)
{
    const struct correlate_options *options = correlate->options;
    struct report_recording recording = {
        .capture_path = options->capture,
        .events_path = options->events,
        .header = replay_header(correlate->replay),
    };
    ptpmon_status status = replay_counts(correlate->replay, &correlate->counts);
    if (status != PTPMON_OK)
        return status;
    recording.from = correlate->counts.from;
    recording.to = correlate->counts.to;
    replay_alignment(correlate->replay, &recording.alignment);
    report_recording(correlate->report, &recording);
    return PTPMON_OK;
}

static void summarize(struct correlate *correlate)
{
    static const struct report_parts_name interfaces = {"interfaces", "interface"};
    ptpmon_alignment alignment;
    replay_alignment(correlate->replay, &alignment);
    view_part_end_replay(correlate->part, correlate->replay);
    report_alignment(correlate->report, &alignment);
    view_summarize_part(correlate->part);
    view_end(correlate->view, &interfaces, correlate->part->elapsed_ns);
}

/* What was read until a file turns out to be damaged is shown and summed up all the same. */
static int run(struct correlate *correlate)
{
    const struct correlate_options *options = correlate->options;
    correlate->sink = (struct sink){.context = correlate, .observed = on_observed};
    progress_begin(&correlate->pace, cli_now());
    correlate->shows_progress = options->only_summary || !terminal_is(stdout);
    ptpmon_status status = begin(correlate);
    if (status != PTPMON_OK)
        return cli_library_error(status);
    int code = cli_exit_code(replay_run(correlate->replay, &correlate->sink, go_on, correlate));
    cli_progress(NULL);
    summarize(correlate);
    if (code == CLI_OK && options->strict && !is_complete(&correlate->part->tally))
        code = CLI_FAILED;
    return code;
}

/* Columns for what only a NIC's clock gives, where one stamped. */
static bool has_nic_stamps(const PTP_RECORDING_HEADER *header)
{
    return header->hw_clock == AVB_CLOCK_PHC &&
           (header->stamping & (PTPMON_ON_RX_HARDWARE | PTPMON_ON_TX_HARDWARE)) != 0;
}

static int correlate_files(struct correlate_options *options)
{
    struct correlate correlate = {.options = options};
    ptpmon_status status = replay_open(options->capture, options->events, &options->observer, &correlate.replay);
    if (status != PTPMON_OK)
        return cli_library_error(status);
    const PTP_RECORDING_HEADER *header = replay_header(correlate.replay);
    options->shared.report.nic_stamps = has_nic_stamps(header);
    correlate.report = report_open(&options->shared.report);
    correlate.view = view_open(correlate.report, &options->shared.filter, options->shared.count);
    correlate.view->only_counts = options->only_summary;
    correlate.part = view_add_part(correlate.view, header->interface_name);
    int code = run(&correlate);
    view_close(correlate.view);
    report_close(correlate.report);
    replay_close(correlate.replay);
    return code;
}

/* ---- Command line ---- */

enum { OPTION_WINDOW = OPTION_OWN, OPTION_MAX_OFFSET, OPTION_OTHER_CLOCK, OPTION_STRICT, OPTION_SUMMARY };

static int take_option(void *context, int option)
{
    struct correlate_options *options = context;
    uint64_t *window_ns = &options->observer.window_ns;
    switch (option) {
    case OPTION_WINDOW:
        return options_expect(cli_parse_duration(optarg, window_ns) && *window_ns <= WINDOW_MAX_NS, "window", optarg,
                              "a time of 30s at most, such as 1s or 200ms");
    case OPTION_MAX_OFFSET:
        return options_expect(cli_parse_duration(optarg, &options->observer.max_offset_ns), "max-offset", optarg,
                              "a time such as 60s, 10m, 2h");
    case OPTION_OTHER_CLOCK:
        options->observer.other_clock = true;
        return CLI_OK;
    case OPTION_STRICT:
        options->strict = true;
        return CLI_OK;
    case OPTION_SUMMARY:
        options->only_summary = true;
        return CLI_OK;
    default:
        return options_take_shared(&options->shared, option);
    }
}

/* What each file is, it says itself: the order does not matter. */
static int take_files(struct correlate_options *options, char **files, int count)
{
    if (count < 2)
        return cli_usage_error("name two files: a capture (pcap, pcapng) and the events of its time");
    if (count > 2)
        return cli_usage_error("`%s` is too much: correlate takes two files", files[2]);
    for (int i = 0; i < count; i++) {
        if (strcmp(files[i], "-") == 0 || files_is_stream(files[i]))
            return cli_usage_error(
                "%s: a pipe can be read once only, and correlate reads its files more than once; "
                "write it to a file and name that",
                files[i]);
    }
    bool swapped = replay_is_events_file(files[0]) && !replay_is_events_file(files[1]);
    options->capture = files[swapped];
    options->events = files[!swapped];
    return CLI_OK;
}

int command_correlate(int argc, char **argv)
{
    static const struct option table[] = {
        OPTIONS_FILTER,
        OPTIONS_COUNT,
        OPTIONS_SCALES,
        OPTIONS_WIDE,
        OPTIONS_COLOR,
        OPTIONS_JSON,
        {"window", required_argument, NULL, OPTION_WINDOW},
        {"max-offset", required_argument, NULL, OPTION_MAX_OFFSET},
        {"other-clock", no_argument, NULL, OPTION_OTHER_CLOCK},
        {"strict", no_argument, NULL, OPTION_STRICT},
        {"summary", no_argument, NULL, OPTION_SUMMARY},
        OPTIONS_END,
    };
    static const struct command_line line = {table, ":h", help, take_option};
    struct correlate_options *options = cli_allocate(1, sizeof *options);
    int code = CLI_OK;
    if (options_read(&line, argc, argv, options, &code)) {
        code = take_files(options, argv + optind, argc - optind);
        if (code == CLI_OK) {
            format_colour_setup((enum format_colour)options->shared.colour, stdout);
            cli_signals_setup();
            cli_write_at_leisure();
            code = correlate_files(options);
        }
    }
    free(options);
    return code;
}
