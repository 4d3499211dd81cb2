/* SPDX-License-Identifier: MIT */
#include "advice.h"
#include "analysis_arguments.h"
#include "analysis_live.h"
#include "cli.h"
#include "commands.h"
#include "format.h"
#include "options.h"
#include "system.h"
#include "view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: ptpmon watch [OPTION...] INTERFACE...\n"
    "\n"
    "Shows a line for each PTP frame that passes: when the driver side saw it, its\n"
    "stamps and latencies, and whether the captured frame agrees. Ctrl-C ends it with\n"
    "a summary; a second Ctrl-C at once.\n"
    "\n" OPTIONS_HELP_FILTER
    "\n"
    "How long:\n"
    "      --duration=TIME     end after 10 (seconds), 500ms, 2m, 1h\n"
    "      --count=N           end after N frames shown\n"
    "\n" OPTIONS_HELP_SHOWN
    "\n"
    "What it says about the clocks:\n"
    "      --analyze           a line for each exchange too, with offset and delay, and\n"
    "                          at the end what `ptpmon analyze` would say; its options\n"
    "                          --stamps ... --tau0 may be given here: they include\n"
    "                          --analyze\n"
    "\n"
    "How it is seen:\n" SYSTEM_HELP_HW_STAMPS
    "      --no-capture        events only, nothing to compare with\n" SYSTEM_HELP_NO_TRACING SYSTEM_HELP_RING
        OPTIONS_HELP_HELP
    "\n"
    "Exit codes: 0 ended as asked, 1 failed, 2 usage, 3 no such interface,\n"
    "4 no rights, 5 not supported here; all: " SYSTEM_HELP_EXIT_CODES "\n";

struct watch_options {
    struct shared_options shared;
    struct analysis_options analysis;
    bool analyze;
    char **interfaces;
    size_t interface_count;
};

/* One interface's share of the run. */
struct watched {
    const char *name;
    const ptpmon_interface *interface; /* NULL = not listed */
    struct session *session;
    struct view_part *part;
    struct sink sink; /* the part's, and before it the analysis */
    struct watch *watch;
    uint32_t point; /* of the analysis */
};

struct watch {
    const struct watch_options *options;
    struct report *report;
    struct view *view;
    struct analysis_live *analysis; /* NULL = none */
    struct watched watched[OPTIONS_INTERFACES_MAX];
    size_t count;
};

static void on_observed(void *context, const ptpmon_observation *observation)
{
    struct watched *watched = context;
    watched->part->sink.observed(watched->part->sink.context, observation);
    if (watched->watch->analysis != NULL)
        analysis_live_observe(watched->watch->analysis, watched->point, observation);
}

static void warn_of_session(struct watch *watch, const struct watched *watched, const struct session_info *info)
{
    const char *refusal = session_capture_refusal(watched->session);
    advise_running(watch->report, watched->name, watched->interface, &watch->options->shared.session.monitor,
                   &info->monitor);
    if (refusal != NULL)
        report_warning(watch->report, watched->name, "events only, nothing to compare them with (%s)", refusal);
}

static int open_sessions(struct watch *watch, const ptpmon_interface *list, size_t list_count)
{
    const struct watch_options *options = watch->options;
    for (size_t i = 0; i < options->interface_count; i++) {
        struct watched *watched = &watch->watched[i];
        watched->name = options->interfaces[i];
        watched->interface = advice_find(list, list_count, watched->name);
        watched->part = view_add_part(watch->view, watched->name);
        watched->watch = watch;
        watched->sink = (struct sink){.context = watched, .observed = on_observed};
        watch->count++;
        ptpmon_status status = session_open(watched->name, &options->shared.session, &watched->sink, &watched->session);
        if (status != PTPMON_OK)
            return cli_library_error(status);
    }
    return CLI_OK;
}

static int start_sessions(struct watch *watch)
{
    bool compared = false;
    for (size_t i = 0; i < watch->count; i++)
        advise_before(watch->report, watch->watched[i].name, watch->watched[i].interface,
                      &watch->options->shared.session.monitor);
    for (size_t i = 0; i < watch->count; i++) {
        struct session_info info = {0};
        struct watched *watched = &watch->watched[i];
        ptpmon_status status = session_start(watched->session);
        if (status == PTPMON_OK)
            status = session_info_get(watched->session, &info);
        if (status == PTPMON_OK && watch->analysis != NULL)
            status =
                analysis_live_add(watch->analysis, watched->name, info.captures,
                                  watched->interface != NULL ? watched->interface->phc_index : -1, &watched->point);
        if (status != PTPMON_OK)
            return cli_library_error(status);
        warn_of_session(watch, watched, &info);
        report_start(watch->report, &info);
        compared = compared || info.captures;
    }
    report_set_compared(watch->report, compared);
    return CLI_OK;
}

static bool go_on(void *context)
{
    struct watch *watch = context;
    uint64_t now = cli_now();
    view_release(watch->view, now);
    if (watch->analysis != NULL)
        analysis_live_release(watch->analysis, now);
    return !cli_stop_requested() && !cli_output_failed() && !view_is_full(watch->view);
}

static int run_sessions(struct watch *watch)
{
    struct session *sessions[OPTIONS_INTERFACES_MAX];
    for (size_t i = 0; i < watch->count; i++)
        sessions[i] = watch->watched[i].session;
    return cli_exit_code(sessions_run(sessions, watch->count, watch->options->shared.duration_ns, go_on, watch));
}

static int stop_sessions(struct watch *watch)
{
    int code = CLI_OK;
    for (size_t i = 0; i < watch->count; i++) {
        ptpmon_status status = session_stop(watch->watched[i].session);
        if (status != PTPMON_OK && code == CLI_OK)
            code = cli_library_error(status);
        view_part_end(watch->watched[i].part, watch->watched[i].session);
    }
    view_release(watch->view, UINT64_MAX);
    ptpmon_status analyzed = watch->analysis != NULL ? analysis_live_finish(watch->analysis) : PTPMON_OK;
    return code == CLI_OK ? cli_exit_code(analyzed) : code;
}

/* What a first look at the terminal should tell: nothing hangs, and how to end it. */
static void invite(struct watch *watch)
{
    if (watch->options->shared.duration_ns == 0 && watch->options->shared.count == 0)
        report_text(watch->report,
                    "%sFrames follow some two seconds after they passed; Ctrl-C ends with a summary.%s\n",
                    format_style(STYLE_DIM), format_style(STYLE_PLAIN));
}

static void summarize(const struct watch *watch)
{
    static const struct report_parts_name interfaces = {"interfaces", "interface"};
    uint64_t longest = 0;
    for (size_t i = 0; i < watch->count; i++) {
        const struct view_part *part = watch->watched[i].part;
        longest = part->elapsed_ns > longest ? part->elapsed_ns : longest;
        view_summarize_part(part);
    }
    if (watch->count > 1)
        view_summarize_total(watch->view, longest);
    if (watch->analysis != NULL)
        analysis_live_report(watch->analysis);
    view_end(watch->view, &interfaces, longest);
}

static int open_analysis(struct watch *watch)
{
    const struct watch_options *options = watch->options;
    if (!options->analyze)
        return CLI_OK;
    ptpmon_status status = analysis_live_open(&options->analysis, &options->shared.filter,
                                              options->interface_count > 1 ? VIEW_HOLD_NS : 0, &watch->analysis);
    return status == PTPMON_OK ? CLI_OK : cli_library_error(status);
}

static int run(struct watch *watch, const ptpmon_interface *list, size_t list_count)
{
    int code = open_analysis(watch);
    if (code == CLI_OK)
        code = open_sessions(watch, list, list_count);
    if (code == CLI_OK)
        code = start_sessions(watch);
    if (code != CLI_OK)
        return code;
    invite(watch);
    code = run_sessions(watch);
    int stopped = stop_sessions(watch);
    summarize(watch);
    return code != CLI_OK ? code : stopped;
}

/* Only a NIC with a clock that stamps, or is told to, fills the columns for it. */
static bool any_nic_stamps(const struct watch_options *options, const ptpmon_interface *list, size_t list_count)
{
    for (size_t i = 0; i < options->interface_count; i++) {
        const ptpmon_interface *interface = advice_find(list, list_count, options->interfaces[i]);
        if (interface == NULL || interface->phc_index < 0)
            continue;
        if ((interface->stamping & (PTPMON_ON_RX_HARDWARE | PTPMON_ON_TX_HARDWARE)) != 0 ||
            (options->shared.session.monitor.flags & PTPMON_HW_STAMPS) != 0)
            return true;
    }
    return false;
}

/* One interface needs no column. */
static size_t widest_name(const struct watch_options *options)
{
    size_t widest = 0;
    char name[PTPMON_NAME_MAX];
    for (size_t i = 0; options->interface_count > 1 && i < options->interface_count; i++) {
        size_t width = format_width(format_printable(options->interfaces[i], name, sizeof name));
        widest = width > widest ? width : widest;
    }
    return widest;
}

static int watch_interfaces(struct watch_options *options)
{
    ptpmon_interface *list;
    size_t list_count;
    ptpmon_status status = ptpmon_interfaces(&list, &list_count);
    if (status != PTPMON_OK)
        return cli_library_error(status);
    options->shared.report.interface_width = widest_name(options);
    options->shared.report.nic_stamps = any_nic_stamps(options, list, list_count);

    struct watch *watch = cli_allocate(1, sizeof *watch);
    watch->options = options;
    watch->report = report_open(&options->shared.report);
    watch->view = view_open(watch->report, &options->shared.filter, options->shared.count);
    if (options->interface_count > 1)
        view_hold(watch->view);
    int code = run(watch, list, list_count);
    for (size_t i = 0; i < watch->count; i++)
        session_close(watch->watched[i].session);
    analysis_live_close(watch->analysis);
    view_close(watch->view);
    report_close(watch->report);
    free(watch);
    ptpmon_interfaces_free(list);
    return code;
}

enum { OPTION_ANALYZE = OPTION_OWN };

static int take_option(void *context, int option)
{
    struct watch_options *options = context;
    options->analyze = options->analyze || option == OPTION_ANALYZE || analysis_takes(option);
    if (option == OPTION_ANALYZE)
        return CLI_OK;
    if (analysis_takes(option))
        return analysis_take_option(&options->analysis, option);
    return options_take_shared(&options->shared, option);
}

/* Exchanges are computed from what messages say. */
static void settle(struct watch_options *options)
{
    const struct report_options *report = &options->shared.report;
    options->shared.session.messages = options->analyze;
    options->analysis.exchanges = report->json ? ANALYSIS_JSON : ANALYSIS_LINES;
    options->analysis.json = report->json;
    options->analysis.wide = report->wide;
    options->analysis.time = report->time;
}

int command_watch(int argc, char **argv)
{
    static const struct option table[] = {
        OPTIONS_FILTER,   OPTIONS_DURATION,
        OPTIONS_COUNT,    OPTIONS_SCALES,
        OPTIONS_WIDE,     OPTIONS_COLOR,
        OPTIONS_JSON,     OPTIONS_SEEN,
        OPTIONS_ANALYSIS, {"analyze", no_argument, NULL, OPTION_ANALYZE},
        OPTIONS_END,
    };
    static const struct command_line line = {table, ":h", help, take_option};
    struct watch_options *options = cli_allocate(1, sizeof *options);
    int code = CLI_OK;
    if (options_read(&line, argc, argv, options, &code)) {
        options->interfaces = argv + optind;
        options->interface_count = (size_t)(argc - optind);
        settle(options);
        code = options_check_interfaces(options->interfaces, options->interface_count);
        if (code == CLI_OK) {
            format_colour_setup((enum format_colour)options->shared.colour, stdout);
            cli_signals_setup();
            code = watch_interfaces(options);
        }
    }
    free(options);
    return code;
}
