/* SPDX-License-Identifier: MIT */
#include "advice.h"
#include "cli.h"
#include "commands.h"
#include "files.h"
#include "format.h"
#include "options.h"
#include "progress.h"
#include "recorder.h"
#include "report_json.h"
#include "system.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_MS     20
#define PROGRESS_NS ((uint64_t)NS_PER_S / 2)
#define KEEP_MAX    1000000

static const char help[] =
    "Usage: ptpmon record [OPTION...] INTERFACE...\n"
    "\n"
    "Writes what passes to files: the frames of all interfaces to NAME.pcapng, the\n"
    "events to NAME.events, or NAME.INTERFACE.events for each of several. Ctrl-C ends\n"
    "it with a summary; a second Ctrl-C at once. `ptpmon correlate` shows what is in\n"
    "them, Wireshark reads the pcapng.\n"
    "\n"
    "Where to:\n"
    "  -o, --output=NAME       the files' name; ptpmon-DATE-TIME by default\n"
    "      --force             replace files of this name\n"
    "      --no-capture        events only, no pcapng\n"
    "\n"
    "How long:\n"
    "      --duration=TIME     end after 10 (seconds), 500ms, 2m, 1h\n"
    "      --count=N           end once N frames have passed\n"
    "      --rotate=SIZE|TIME  go on to NAME-0001, NAME-0002 ... after so many bytes\n"
    "                          (500K, 100M, 2G) or so long (10s, 10m, 24h);\n"
    "                          given twice: whichever comes first\n"
    "      --keep=N            with --rotate: leave N sets of files, remove older ones\n"
    "\n"
    "How it is seen:\n" SYSTEM_HELP_HW_STAMPS SYSTEM_HELP_NO_TRACING SYSTEM_HELP_RING
    "\n"
    "What it says:\n"
    "      --color=WHEN        auto (only on a terminal), always, never\n"
    "      --json              one JSON object per line; the last is the summary\n"
    "  -q, --quiet             errors and warnings only\n" OPTIONS_HELP_HELP
    "\n"
    "Exit codes: 0 ended as asked, 1 failed (disk full), 2 usage,\n"
    "3 no such interface, 4 no rights, 5 not supported here; all: " SYSTEM_HELP_EXIT_CODES "\n";

struct record_options {
    struct shared_options shared;
    struct recorder_options recorder;
    const char *output;
    uint64_t keep;
    bool force, quiet;
};

struct record {
    const struct record_options *options;
    struct report *report;
    struct recorder *recorder;
    struct progress_rate rate;
    uint64_t until; /* event time; 0 = no limit */
    uint64_t shown_at;
    unsigned told_sets; /* whose files were named */
};

/* ---- What it says ---- */

static bool tells_people(const struct record *record)
{
    return !record->options->shared.report.json && !record->options->quiet;
}

static const struct recording_names *names_of(const struct record *record)
{
    return &record->options->recorder.names;
}

static void print_path(const char *before, const char *path)
{
    char text[RECORDING_PATH_SIZE];
    cli_write(before, strlen(before));
    format_printable(path, text, sizeof text);
    cli_write(text, strlen(text));
}

/* "a.pcapng, a.events" of the first set. */
static void print_files(const struct record *record)
{
    char path[RECORDING_PATH_SIZE];
    const struct recording_names *names = names_of(record);
    const char *before = "";
    if (names->captures) {
        print_path("", recording_names_capture(names, 1, path));
        before = ", ";
    }
    for (size_t i = 0; i < names->interface_count; i++) {
        print_path(before, recording_names_events(names, 1, i, path));
        before = ", ";
    }
}

static void announce(struct record *record)
{
    if (!tells_people(record))
        return;
    const struct recording_names *names = names_of(record);
    for (size_t i = 0; i < names->interface_count; i++)
        print_path(i == 0 ? "Recording " : ", ", names->interfaces[i]);
    report_text(record->report, " to ");
    print_files(record);
    report_text(record->report, "%s.\n", names->numbered ? " and so on" : "");
    if (record->until == 0 && record->options->shared.count == 0)
        report_text(record->report, "%sCtrl-C ends it with a summary.%s\n", format_style(STYLE_DIM),
                    format_style(STYLE_PLAIN));
}

/* Programs are told the files of each set. */
static void tell_sets(struct record *record, unsigned sets)
{
    if (record->options->quiet || !record->options->shared.report.json)
        return;
    while (record->told_sets < sets)
        report_json_files(names_of(record), ++record->told_sets);
}

static void show_progress(struct record *record, uint64_t now)
{
    char text[PROGRESS_LINE_SIZE];
    struct recorder_counts counts;
    if (now < record->shown_at + PROGRESS_NS)
        return;
    record->shown_at = now;
    recorder_counts(record->recorder, &counts);
    tell_sets(record, counts.sets);
    progress_rate_add(&record->rate, now, counts.bytes);
    if (!tells_people(record))
        return;
    struct progress_recording shown = {
        .elapsed_ns = counts.elapsed_ns,
        .events = counts.events,
        .frames = counts.frames,
        .dropped = counts.dropped_events + counts.dropped_frames,
        .bytes = counts.bytes,
        .captures = names_of(record)->captures,
        .bytes_per_second = progress_rate_get(&record->rate),
        .is_bounded = record->options->recorder.keep != 0,
    };
    shown.free_known = files_room(names_of(record)->base, &shown.free_bytes);
    cli_progress(progress_recording_text(&shown, cli_progress_width(), text));
}

static void summarize_interface(struct record *record, size_t i)
{
    struct recorder_counts counts;
    char name[PTPMON_NAME_MAX];
    recorder_interface_counts(record->recorder, i, &counts);
    bool bad = counts.dropped_events + counts.dropped_frames > 0;
    report_text(record->report, "  %-15s %s%10" PRIu64 " %10" PRIu64,
                format_printable(names_of(record)->interfaces[i], name, sizeof name),
                format_style(bad ? STYLE_BAD : STYLE_GOOD), counts.events, counts.dropped_events);
    if (names_of(record)->captures)
        report_text(record->report, " %10" PRIu64 " %10" PRIu64, counts.frames, counts.dropped_frames);
    report_text(record->report, "%s\n", format_style(STYLE_PLAIN));
}

/* "in a.pcapng, a.events", or "in 12 sets of files, the last 3 kept: a-0010 to a-0012" */
static void say_where(struct record *record, unsigned sets)
{
    char path[RECORDING_PATH_SIZE];
    unsigned keep = record->options->recorder.keep;
    unsigned kept = keep != 0 && keep < sets ? keep : sets;
    report_text(record->report, " in ");
    if (sets == 1) {
        print_files(record);
        return;
    }
    report_text(record->report, "%u sets of files", sets);
    if (kept < sets)
        report_text(record->report, ", the last %u kept", kept);
    print_path(": ", recording_names_set(names_of(record), sets - kept + 1, path));
    if (kept > 1)
        print_path(" to ", recording_names_set(names_of(record), sets, path));
}

static void summarize_json(struct record *record, const struct recorder_counts *total)
{
    size_t count = names_of(record)->interface_count;
    struct session_info infos[OPTIONS_INTERFACES_MAX];
    struct report_recorded parts[OPTIONS_INTERFACES_MAX];
    for (size_t i = 0; i < count; i++) {
        (void)recorder_info(record->recorder, i, &infos[i]); /* what it cannot tell stays 0 */
        recorder_interface_counts(record->recorder, i, &parts[i].counts);
        parts[i].info = &infos[i];
    }
    report_json_recorded(total, parts, count);
}

static void summarize(struct record *record)
{
    struct recorder_counts counts;
    char bytes[PROGRESS_WORD_SIZE];
    cli_progress(NULL);
    recorder_counts(record->recorder, &counts);
    tell_sets(record, counts.sets);
    if (record->options->quiet)
        return;
    if (!tells_people(record)) {
        summarize_json(record, &counts);
        return;
    }
    report_text(record->report, "\n%sSummary: %.1f s, %s%s", format_style(STYLE_BOLD),
                (double)counts.elapsed_ns / NS_PER_S, progress_bytes((double)counts.bytes, bytes),
                format_style(STYLE_PLAIN));
    say_where(record, counts.sets);
    report_text(record->report, "\n  %s%-15s %10s %10s%s%s\n", format_style(STYLE_BOLD), "INTERFACE", "EVENTS",
                "DROPPED", names_of(record)->captures ? "   CAPTURED    DROPPED" : "", format_style(STYLE_PLAIN));
    for (size_t i = 0; i < names_of(record)->interface_count; i++)
        summarize_interface(record, i);
}

/* ---- The run ---- */

static void advise_all_before(struct record *record, const ptpmon_interface *list, size_t list_count)
{
    const struct recording_names *names = names_of(record);
    for (size_t i = 0; i < names->interface_count; i++)
        advise_before(record->report, names->interfaces[i], advice_find(list, list_count, names->interfaces[i]),
                      &record->options->shared.session.monitor);
}

static int tell_started(struct record *record, const ptpmon_interface *list, size_t list_count)
{
    const struct recording_names *names = names_of(record);
    for (size_t i = 0; i < names->interface_count; i++) {
        struct session_info info;
        ptpmon_status status = recorder_info(record->recorder, i, &info);
        if (status != PTPMON_OK)
            return cli_library_error(status);
        advise_running(record->report, names->interfaces[i], advice_find(list, list_count, names->interfaces[i]),
                       &record->options->shared.session.monitor, &info.monitor);
        if (record->options->shared.report.json && !record->options->quiet)
            report_start(record->report, &info);
    }
    tell_sets(record, 1);
    announce(record);
    return CLI_OK;
}

static bool goes_on(struct record *record)
{
    uint64_t now = cli_now(), count = record->options->shared.count;
    show_progress(record, now);
    return !cli_stop_requested() && (record->until == 0 || now < record->until) &&
           (count == 0 || recorder_events(record->recorder) < count);
}

/* Short enough for the end to come in time. */
static int wait_ms(const struct record *record)
{
    uint64_t now = cli_now();
    if (record->until == 0 || record->until > now + (uint64_t)WAIT_MS * NS_PER_MS)
        return WAIT_MS;
    return record->until > now ? (int)((record->until - now) / NS_PER_MS) + 1 : 0;
}

static int first_code(int first, int then)
{
    return first != CLI_OK ? first : then;
}

static int run(struct record *record)
{
    ptpmon_status status = PTPMON_OK;
    int code = CLI_OK;
    while (status == PTPMON_OK && goes_on(record))
        status = recorder_round(record->recorder, wait_ms(record));
    while (status != PTPMON_END) {
        if (status != PTPMON_OK)
            code = first_code(code, cli_library_error(status));
        status = recorder_stop(record->recorder);
        if (status == PTPMON_OK)
            status = recorder_round(record->recorder, 0);
    }
    recorder_stop(record->recorder);
    summarize(record);
    return first_code(code, cli_exit_code(recorder_interface_failure(record->recorder)));
}

/* A recording is not to be had again: it is replaced only when that was asked for. */
static int make_way(const struct record *record)
{
    char path[RECORDING_PATH_SIZE];
    if (!record->options->force && recording_names_in_use(names_of(record), path)) {
        cli_message("%s: is there already; give another name with --output, or replace it with --force", path);
        return CLI_FAILED;
    }
    if (record->options->force && !recording_names_remove_all(names_of(record), path)) {
        cli_message("%s: cannot remove it: %s", path, strerror(errno));
        return CLI_FAILED;
    }
    return CLI_OK;
}

static int begin_to_capture(const struct record *record)
{
    ptpmon_status status = names_of(record)->captures ? recorder_capture(record->recorder) : PTPMON_OK;
    if (status != PTPMON_NO_PERMISSION)
        return status == PTPMON_OK ? CLI_OK : cli_library_error(status);
    cli_message("%s; --no-capture records the events alone", ptpmon_error_message());
    return cli_exit_code(status);
}

static int record_interfaces(struct record *record, const ptpmon_interface *list, size_t list_count)
{
    ptpmon_status status = recorder_open(&record->options->recorder, &record->recorder);
    if (status != PTPMON_OK)
        return cli_library_error(status);
    int code = make_way(record);
    if (code != CLI_OK)
        return code;
    advise_all_before(record, list, list_count);
    code = begin_to_capture(record);
    if (code != CLI_OK)
        return code;
    status = recorder_start(record->recorder);
    if (status != PTPMON_OK)
        return cli_library_error(status);
    if (record->options->shared.duration_ns != 0)
        record->until = cli_now() + record->options->shared.duration_ns;
    code = tell_started(record, list, list_count);
    return code == CLI_OK ? run(record) : code;
}

/* ---- Command line ---- */

enum { OPTION_FORCE = OPTION_OWN, OPTION_ROTATE, OPTION_KEEP };

static int take_option(void *context, int option)
{
    struct record_options *options = context;
    switch (option) {
    case 'o':
        options->output = optarg;
        return options_check_output(optarg);
    case 'q':
        options->quiet = true;
        return CLI_OK;
    case OPTION_FORCE:
        options->force = true;
        return CLI_OK;
    case OPTION_ROTATE:
        options->recorder.names.numbered = true;
        return options_expect(rotation_parse(optarg, &options->recorder.rotation), "rotate", optarg,
                              "a size of 64K or more with K, M or G, or a time of 1s or more with s, m, h or d");
    case OPTION_KEEP:
        return options_expect(cli_parse_number(optarg, 1, KEEP_MAX, &options->keep), "keep", optarg,
                              "a number of sets of files from 1 on");
    default:
        return options_take_shared(&options->shared, option);
    }
}

static int settle_options(struct record_options *options, char **interfaces, size_t count)
{
    struct recorder_options *recorder = &options->recorder;
    if (options->keep != 0 && !recorder->names.numbered)
        return cli_usage_error("--keep goes with --rotate: without it there is one set of files");
    int code = options_check_interfaces(interfaces, count);
    if (code != CLI_OK)
        return code;
    recorder->session = options->shared.session;
    recorder->keep = (unsigned)options->keep;
    recorder->names.interfaces = interfaces;
    recorder->names.interface_count = count;
    recorder->names.captures = !options->shared.session.no_capture;
    if (!recording_names_set_base(&recorder->names, options->output))
        return cli_usage_error("--output: `%s` cannot be the name of a file", options->output);
    return CLI_OK;
}

static int record_with(const struct record_options *options)
{
    ptpmon_interface *list;
    size_t list_count;
    ptpmon_status status = ptpmon_interfaces(&list, &list_count);
    if (status != PTPMON_OK)
        return cli_library_error(status);
    struct record record = {.options = options, .report = report_open(&options->shared.report)};
    int code = record_interfaces(&record, list, list_count);
    recorder_close(record.recorder);
    report_close(record.report);
    ptpmon_interfaces_free(list);
    return code;
}

int command_record(int argc, char **argv)
{
    static const struct option table[] = {
        {"output", required_argument, NULL, 'o'},
        {"force", no_argument, NULL, OPTION_FORCE},
        {"rotate", required_argument, NULL, OPTION_ROTATE},
        {"keep", required_argument, NULL, OPTION_KEEP},
        {"quiet", no_argument, NULL, 'q'},
        OPTIONS_DURATION,
        OPTIONS_COUNT,
        OPTIONS_SEEN,
        OPTIONS_COLOR,
        OPTIONS_JSON,
        OPTIONS_END,
    };
    static const struct command_line line = {table, ":ho:q", help, take_option};
    struct record_options *options = cli_allocate(1, sizeof *options);
    int code = CLI_OK;
    if (options_read(&line, argc, argv, options, &code)) {
        code = settle_options(options, argv + optind, (size_t)(argc - optind));
        if (code == CLI_OK) {
            format_colour_setup((enum format_colour)options->shared.colour, stdout);
            cli_signals_setup();
            code = record_with(options);
        }
    }
    free(options);
    return code;
}
