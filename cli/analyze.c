/* SPDX-License-Identifier: MIT */
#include "analysis_arguments.h"
#include "analysis_files.h"
#include "analysis_source.h"
#include "cli.h"
#include "commands.h"
#include "format.h"
#include "options.h"
#include "progress.h"
#include "system.h"
#include "terminal.h"

#include <stdlib.h>

/* So many frames are analyzed between two looks at the time, and at whether to stop. */
#define LOOK_EVERY 512

static const char help[] =
    "Usage: ptpmon analyze [OPTION...] FILE...\n"
    "\n"
    "Computes from recordings what the clocks do: offset from the master, delay of\n"
    "the path, rate, jitter, asymmetry; what was counted that should not be; and of\n"
    "all that cannot be computed why not. A FILE is a capture (pcap, pcapng), the\n"
    "events that `ptpmon record` wrote, or the NAME of a recording, with all its sets\n"
    "if it was rotated; - is a capture on standard input. A capture and the events\n"
    "of its time are one observation point; several may be given.\n"
    "\n" OPTIONS_HELP_ANALYSIS
    "\n"
    "Which messages:\n"
    "      --domain=LIST       domainNumber: 0,24\n"
    "      --max-offset=TIME   capture clock and system clock lie at most so far apart:\n"
    "                          60s (default)\n"
    "      --other-clock       the capture was stamped by a clock of its own (adapter\n"
    "                          stamps, a tap), even where it looks like the system's\n"
    "\n"
    "How it is shown:\n"
    "      --json              the report as JSON objects, one per line\n"
    "      --exchanges         each exchange as a JSON object, and no report but with\n"
    "                          --json\n"
    "      --csv               each exchange as a line of CSV, and no report\n"
    "      --time=FORM         of findings: local (default), utc, monotonic, or relative\n"
    "                          to the first exchange\n"
    "      --wide              all columns, even where the terminal is too narrow\n"
    "      --color=WHEN        auto (only on a terminal), always, never\n"
    "      --strict            exit code 1 unless something was computed, nothing was\n"
    "                          found or counted that should not be, and all limits of\n"
    "                          --mask could be judged and are kept\n" OPTIONS_HELP_HELP
    "\n"
    "Exit codes: 0 done, 1 failed, 2 usage, 4 no rights, 7 a file is damaged or of\n"
    "another kind, or two do not belong together; all: " SYSTEM_HELP_EXIT_CODES "\n";

struct analyze_options {
    struct shared_options shared;
    struct analysis_options analysis;
    struct analysis_source_options source;
    bool exchanges, csv, strict;
};

struct analyze {
    struct analysis *analysis;
    struct analysis_source *sources[ANALYSIS_POINTS_MAX];
    size_t count;
    struct progress_pace pace;
    bool shows_progress;
};

/* ---- Reading ---- */

static int open_sources(struct analyze *analyze, const struct analyze_options *options,
                        const struct analysis_pair *pairs, size_t count)
{
    int code = CLI_OK;
    for (size_t i = 0; i < count && code == CLI_OK; i++) {
        if (pairs[i].continues)
            continue;
        code = analysis_source_open(&pairs[i], &options->source, analyze->analysis, &analyze->sources[analyze->count]);
        analyze->count += code == CLI_OK;
    }
    return code;
}

/* The one that is furthest behind, the first of several; *until_ns: as long as its time is not beyond this, it remains
 * so. NULL: all have ended. */
static struct analysis_source *next_source(const struct analyze *analyze, int64_t *until_ns)
{
    struct analysis_source *first = NULL;
    int64_t earliest = 0, time_ns;
    *until_ns = INT64_MAX;
    for (size_t i = 0; i < analyze->count; i++) {
        if (!analysis_source_time(analyze->sources[i], &time_ns))
            continue;
        if (first != NULL && time_ns >= earliest) {
            *until_ns = time_ns < *until_ns ? time_ns : *until_ns;
            continue;
        }
        if (first != NULL) /* at equal times it has precedence */
            *until_ns = earliest - 1;
        first = analyze->sources[i];
        earliest = time_ns;
    }
    return first;
}

static void show_progress(struct analyze *analyze)
{
    char text[PROGRESS_LINE_SIZE];
    double share = 0;
    uint64_t messages = 0;
    if (!progress_is_due(&analyze->pace, cli_now()))
        return;
    for (size_t i = 0; i < analyze->count; i++) {
        share += analysis_source_share(analyze->sources[i]) / (double)analyze->count;
        messages += analysis_source_count(analyze->sources[i]);
    }
    cli_progress(progress_reading_text(share, messages, text));
}

/* What was read until a file turns out to be damaged is analyzed all the same. */
static int read_all(struct analyze *analyze)
{
    struct analysis_source *source;
    ptpmon_status status = PTPMON_OK;
    int64_t until_ns;
    size_t room = 0;
    while (status == PTPMON_OK && !cli_stop_requested() && !cli_output_failed() &&
           (source = next_source(analyze, &until_ns)) != NULL) {
        if (room == 0) {
            room = LOOK_EVERY;
            if (analyze->shows_progress)
                show_progress(analyze);
        }
        status = analysis_source_pass(source, analyze->analysis, until_ns, &room);
    }
    cli_progress(NULL);
    analyze->analysis->stopped = cli_stop_requested();
    if (analyze->analysis->stopped)
        cli_message("stopped: the report is of what was read until then");
    int code = status != PTPMON_OK ? cli_library_error(status) : CLI_OK;
    for (size_t i = 0; i < analyze->count; i++) {
        int ended = analysis_source_end(analyze->sources[i], analyze->analysis);
        code = code == CLI_OK ? ended : code;
    }
    return code;
}

static int run(struct analyze *analyze, bool strict)
{
    int code = read_all(analyze);
    ptpmon_status status = analysis_finish(analyze->analysis);
    if (status != PTPMON_OK && code == CLI_OK)
        code = cli_library_error(status);
    analysis_report(analyze->analysis);
    if (code == CLI_OK && strict && !analysis_is_clean(analyze->analysis))
        code = CLI_FAILED;
    return code;
}

static size_t count_points(const struct analysis_pair *pairs, size_t count)
{
    size_t points = 0;
    for (size_t i = 0; i < count; i++)
        points += !pairs[i].continues;
    return points;
}

static int analyze_pairs(const struct analyze_options *options, const struct analysis_pair *pairs, size_t count)
{
    struct analyze analyze = {.shows_progress =
                                  options->analysis.exchanges == ANALYSIS_NO_EXCHANGES || !terminal_is(stdout)};
    size_t points = count_points(pairs, count);
    if (points > ANALYSIS_POINTS_MAX)
        return cli_usage_error("%zu observation points are too many, %d at most", points, ANALYSIS_POINTS_MAX);
    progress_begin(&analyze.pace, cli_now());
    ptpmon_status status = analysis_open(&options->analysis, &analyze.analysis);
    if (status != PTPMON_OK)
        return cli_library_error(status);
    int code = open_sources(&analyze, options, pairs, count);
    if (code == CLI_OK)
        code = run(&analyze, options->strict);
    for (size_t i = 0; i < analyze.count; i++)
        analysis_source_close(analyze.sources[i]);
    analysis_close(analyze.analysis);
    return code;
}

static int analyze_files(struct analyze_options *options, char **arguments, size_t count)
{
    struct analysis_files files = {0};
    int code = analysis_files_find(&files, arguments, count);
    if (code == CLI_OK) {
        struct analysis_pair *pairs = cli_allocate(files.count, sizeof *pairs);
        size_t found = analysis_pair_files(files.files, files.count, pairs);
        code = analyze_pairs(options, pairs, found);
        free(pairs);
    }
    analysis_files_free(&files);
    return code;
}

/* ---- Command line ---- */

enum { OPTION_MAX_OFFSET = OPTION_OWN, OPTION_OTHER_CLOCK, OPTION_EXCHANGES, OPTION_CSV, OPTION_STRICT };

static int take_option(void *context, int option)
{
    struct analyze_options *options = context;
    if (analysis_takes(option))
        return analysis_take_option(&options->analysis, option);
    switch (option) {
    case OPTION_MAX_OFFSET:
        return options_expect(cli_parse_duration(optarg, &options->source.observer.max_offset_ns), "max-offset", optarg,
                              "a time such as 60s, 10m, 2h");
    case OPTION_OTHER_CLOCK:
        options->source.observer.other_clock = true;
        return CLI_OK;
    case OPTION_EXCHANGES:
        options->exchanges = true;
        return CLI_OK;
    case OPTION_CSV:
        options->csv = true;
        return CLI_OK;
    case OPTION_STRICT:
        options->strict = true;
        return CLI_OK;
    default:
        return options_take_shared(&options->shared, option);
    }
}

/* What the options mean together. */
static int settle(struct analyze_options *options, int files)
{
    struct analysis_options *analysis = &options->analysis;
    bool json = options->shared.report.json;
    if (files == 0)
        return cli_usage_error("name a capture (pcap, pcapng), the events of its time, or both");
    if (options->csv && (options->exchanges || json))
        return cli_usage_error("--csv does not go with --json and --exchanges: its lines would be among theirs");
    analysis->no_report = options->csv || (options->exchanges && !json);
    if (analysis->te && analysis->no_report)
        return cli_usage_error("--te and --mask are of the report: --exchanges goes with them only beside --json");
    analysis->exchanges = options->csv ? ANALYSIS_CSV : options->exchanges ? ANALYSIS_JSON : ANALYSIS_NO_EXCHANGES;
    analysis->json = json || options->exchanges;
    analysis->wide = options->shared.report.wide;
    analysis->time = options->shared.report.time;
    options->source.observer.messages = true;
    options->source.filter = options->shared.filter.by_domain ? &options->shared.filter : NULL;
    return CLI_OK;
}

int command_analyze(int argc, char **argv)
{
    static const struct option table[] = {
        OPTIONS_ANALYSIS,
        OPTIONS_WIDE,
        OPTIONS_COLOR,
        OPTIONS_JSON,
        {"domain", required_argument, NULL, OPTION_DOMAIN},
        {"time", required_argument, NULL, OPTION_TIME},
        {"max-offset", required_argument, NULL, OPTION_MAX_OFFSET},
        {"other-clock", no_argument, NULL, OPTION_OTHER_CLOCK},
        {"exchanges", no_argument, NULL, OPTION_EXCHANGES},
        {"csv", no_argument, NULL, OPTION_CSV},
        {"strict", no_argument, NULL, OPTION_STRICT},
        OPTIONS_END,
    };
    static const struct command_line line = {table, ":h", help, take_option};
    struct analyze_options *options = cli_allocate(1, sizeof *options);
    int code = CLI_OK;
    if (options_read(&line, argc, argv, options, &code)) {
        code = settle(options, argc - optind);
        if (code == CLI_OK) {
            format_colour_setup((enum format_colour)options->shared.colour, stdout);
            cli_signals_setup();
            cli_write_at_leisure();
            code = analyze_files(options, argv + optind, (size_t)(argc - optind));
        }
    }
    free(options);
    return code;
}
