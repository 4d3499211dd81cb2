/* SPDX-License-Identifier: MIT */
#include "cli.h"
#include "commands.h"
#include "demo_network.h"
#include "demo_ptp4l.h"
#include "demo_record.h"
#include "demo_recorded.h"
#include "format.h"
#include "options.h"
#include "view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_DURATION_NS ((uint64_t)8 * NS_PER_S)
#define LEAST_DURATION_NS   ((uint64_t)3 * NS_PER_S) /* what ptp4l needs to begin */

const char command_demo_summary[] = "a grandmaster and a client of its own, watched: try this first";

static const char help[] =
    "Usage: ptpmon demo [OPTION...]\n"
    "\n"
    "Joins two network namespaces of its own by a veth pair, runs ptp4l as grandmaster\n"
    "in one and as client in the other, and watches the client's end: every frame\n"
    "should have its event. No clock is set, no interface of the host is touched, and\n"
    "nothing stays behind. Where that is not possible, it says what is missing and\n"
    "shows a recording instead. Needs root, ptp4l (linuxptp) and ip (iproute2).\n"
    "\n"
    "      --profile=NAME   default, gptp, or both (default)\n"
    "      --duration=TIME  per profile: 8s (default), 1m; 3s at least\n"
    "      --record=NAME    keep what is shown in NAME-default.pcapng and .events,\n"
    "                       NAME-gptp.pcapng and .events, in place of older ones\n"
    "      --wide           all columns, even where the terminal is too narrow\n"
    "      --color=WHEN     auto (only on a terminal), always, never\n"
    "      --json           one JSON object per line; the last is the summary\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit codes: 0 every event matched its frame, 1 one did not or something failed,\n"
    "2 usage; all: man ptpmon\n";

struct demo {
    uint64_t duration_ns;
    const char *profile; /* of the only one to show; NULL = all */
    const char *record;  /* name of the files to keep it in; NULL = not kept */
    struct report *report;
    struct view *view;
    char program[PROCESS_PATH_SIZE]; /* ptp4l */
    struct demo_network network;
    uint64_t elapsed_ns;
};

/* The outcome of a step: what the live demo lacks is no failure, it has a recording instead. */
enum demo_outcome { DEMO_DONE, DEMO_FAILED, DEMO_LACKING };

struct run {
    struct demo_ptp4l ptp4l;
    struct demo_record record;
    struct session *session;
    struct view_part *part;
};

static bool is_interrupted(void)
{
    return cli_stop_requested() || cli_output_failed();
}

static bool go_on(void *context)
{
    struct run *run = context;
    return !is_interrupted() && demo_ptp4l_is_running(&run->ptp4l);
}

static enum demo_outcome session_problem(ptpmon_status status, char *why, size_t size)
{
    bool lacking = status == PTPMON_NO_PERMISSION || status == PTPMON_NOT_SUPPORTED;
    if (lacking)
        snprintf(why, size, "%s", ptpmon_error_message());
    else
        cli_library_error(status);
    return lacking ? DEMO_LACKING : DEMO_FAILED;
}

static enum demo_outcome start_session(struct demo *demo, struct run *run, char *why, size_t size)
{
    static const struct session_options options = {0};
    struct session_info info;
    ptpmon_status status = session_open(DEMO_CLIENT, &options, &run->part->sink, &run->session);
    if (status == PTPMON_OK)
        status = session_start(run->session);
    if (status == PTPMON_OK)
        status = session_info_get(run->session, &info);
    if (status != PTPMON_OK)
        return session_problem(status, why, size);
    const char *refusal = session_capture_refusal(run->session);
    if (refusal != NULL) {
        snprintf(why, size, "%s", refusal);
        return DEMO_LACKING;
    }
    report_start(demo->report, &info);
    return DEMO_DONE;
}

/* Seeing nothing at all proves nothing, unless the demo was cut short. */
static bool is_good(const struct tally *tally)
{
    uint64_t matched = tally_matched(tally);
    bool all = matched == tally->events && matched == tally->frames && tally->dropped_events == 0;
    return all && (matched > 0 || is_interrupted());
}

/* One sentence for what was seen. */
static void conclude(struct demo *demo, const struct demo_profile *profile, const struct tally *tally)
{
    bool good = is_good(tally);
    report_text(demo->report, "\n%s%s: %" PRIu64 " of %" PRIu64 " events matched with their frames%s%s\n",
                format_style(good ? STYLE_GOOD : STYLE_BAD), profile->name, tally_matched(tally), tally->events,
                good ? "." : ", and not every frame had one event.", format_style(STYLE_PLAIN));
}

/* ptp4l starts after monitor and capture and ends before them: so nothing may lie outside. */
static enum demo_outcome run_ptp4l(struct demo *demo, struct run *run, const struct demo_profile *profile)
{
    char why[512];
    enum demo_outcome outcome = DEMO_DONE;
    bool started =
        demo->record == NULL || demo_record_start(&run->record, demo->record, profile->name, why, sizeof why);
    if (started)
        started = demo_ptp4l_start(&run->ptp4l, demo->program, profile, &demo->network, why, sizeof why);
    if (!started)
        cli_message("%s", why);
    if (!started || sessions_run(&run->session, 1, demo->duration_ns, go_on, run) != PTPMON_OK)
        outcome = DEMO_FAILED;
    bool ended_alone = started && !demo_ptp4l_is_running(&run->ptp4l);
    demo_ptp4l_stop(&run->ptp4l);
    if (!demo_record_stop(&run->record, why, sizeof why)) {
        cli_message("%s", why);
        outcome = DEMO_FAILED;
    }
    if (ended_alone)
        cli_message("ptp4l ended by itself; its own words follow");
    return ended_alone ? DEMO_FAILED : outcome;
}

static enum demo_outcome run_profile(struct demo *demo, struct run *run, const struct demo_profile *profile, char *why,
                                     size_t size)
{
    enum demo_outcome outcome = start_session(demo, run, why, size);
    if (outcome != DEMO_DONE)
        return outcome;
    outcome = run_ptp4l(demo, run, profile);
    ptpmon_status status = session_stop(run->session);
    if (status != PTPMON_OK) {
        cli_library_error(status);
        outcome = DEMO_FAILED;
    }
    view_part_end(run->part, run->session);
    view_summarize_part(run->part);
    conclude(demo, profile, &run->part->tally);
    if (!is_good(&run->part->tally))
        outcome = DEMO_FAILED;
    if (!demo_ptp4l_client_follows(&run->ptp4l) && !is_interrupted())
        report_warning(demo->report, NULL, "%s: the client did not choose the grandmaster within the time",
                       profile->name);
    if (outcome == DEMO_FAILED)
        demo_ptp4l_print_logs(&run->ptp4l);
    return outcome;
}

static enum demo_outcome show_profile(struct demo *demo, const struct demo_profile *profile, char *why, size_t size)
{
    struct run run = {.part = view_add_part(demo->view, profile->name)};
    report_set_profile(demo->report, profile->name);
    report_text(demo->report, "\n%s%s%s\n", format_style(STYLE_BOLD), profile->description, format_style(STYLE_PLAIN));
    enum demo_outcome outcome = run_profile(demo, &run, profile, why, size);
    session_close(run.session);
    demo->elapsed_ns += run.part->elapsed_ns;
    return outcome;
}

/* DEMO_LACKING: `why` says what the live demo lacks. */
static enum demo_outcome show_live(struct demo *demo, char *why, size_t size)
{
    enum demo_outcome outcome = DEMO_DONE;
    if (!demo_ptp4l_find(demo->program, why, size) || !demo_network_create(&demo->network, why, size))
        return DEMO_LACKING;
    report_text(demo->report,
                "Two network namespaces, a veth pair between them; ptp4l as grandmaster at one\n"
                "end and as client at the other. No clock is set. ptpmon watches the client's end.\n");
    for (const struct demo_profile *profile = demo_profiles; profile->name != NULL; profile++) {
        if (demo->profile != NULL && strcmp(demo->profile, profile->name) != 0)
            continue;
        enum demo_outcome shown = show_profile(demo, profile, why, size);
        if (shown == DEMO_LACKING)
            return shown;
        if (shown == DEMO_FAILED)
            outcome = shown;
        if (is_interrupted())
            break;
    }
    return outcome;
}

static int show_recorded(struct demo *demo, const char *why)
{
    report_warning(demo->report, NULL, "%s; what follows is a recording%s", why,
                   demo->record != NULL ? ", and --record keeps nothing" : "");
    report_set_profile(demo->report, NULL);
    view_close(demo->view); /* it may hold a part that could not begin */
    demo->view = view_open(demo->report, NULL, 0);
    return demo_recorded(demo->view, demo->profile);
}

static int show(struct demo *demo)
{
    static const struct report_parts_name profiles = {"profiles", "profile"};
    char why[1024];
    enum demo_outcome outcome = show_live(demo, why, sizeof why);
    int code = outcome == DEMO_LACKING ? show_recorded(demo, why) : outcome == DEMO_DONE ? CLI_OK : CLI_FAILED;
    for (size_t i = 0; outcome == DEMO_LACKING && i < demo->view->count; i++)
        demo->elapsed_ns += demo->view->parts[i]->elapsed_ns;
    view_end(demo->view, &profiles, demo->elapsed_ns);
    if (code == CLI_OK)
        report_text(demo->report,
                    "\nNext: `ptpmon list` shows the interfaces, `sudo ptpmon watch NAME` watches one,\n"
                    "`sudo ptpmon watch --analyze NAME` says what its clocks do.\n");
    return code;
}

static const struct demo_profile *find_profile(const char *name)
{
    for (const struct demo_profile *profile = demo_profiles; profile->name != NULL; profile++) {
        if (strcmp(profile->name, name) == 0)
            return profile;
    }
    return NULL;
}

enum { OPTION_PROFILE = OPTION_OWN, OPTION_RECORD };

struct demo_options {
    struct shared_options shared;
    const char *profile, *record;
};

static int take_option(void *context, int option)
{
    struct demo_options *options = context;
    if (option == OPTION_PROFILE) {
        const struct demo_profile *profile = find_profile(optarg);
        options->profile = profile != NULL ? profile->name : NULL;
        return options_expect(profile != NULL || strcmp(optarg, "both") == 0, "profile", optarg,
                              "one of default, gptp, both");
    }
    if (option == OPTION_RECORD) {
        options->record = optarg;
        return options_expect(optarg[0] != 0 && strlen(optarg) < PROCESS_PATH_SIZE - 16, "record", optarg,
                              "the name of files, such as trace or /tmp/trace");
    }
    if (option != OPTION_DURATION)
        return options_take_shared(&options->shared, option);
    uint64_t *ns = &options->shared.duration_ns;
    return options_expect(cli_parse_duration(optarg, ns) && *ns >= LEAST_DURATION_NS, "duration", optarg,
                          "a time of 3s or more, such as 8s or 1m");
}

static int run_demo(const struct demo_options *options)
{
    struct demo demo = {
        .duration_ns = options->shared.duration_ns,
        .profile = options->profile,
        .record = options->record,
    };
    format_colour_setup((enum format_colour)options->shared.colour, stdout);
    cli_signals_setup();
    demo.report = report_open(&options->shared.report);
    demo.view = view_open(demo.report, NULL, 0);
    int code = show(&demo);
    view_close(demo.view);
    report_close(demo.report);
    return code;
}

int command_demo(int argc, char **argv)
{
    static const struct option table[] = {
        {"profile", required_argument, NULL, OPTION_PROFILE},
        {"record", required_argument, NULL, OPTION_RECORD},
        OPTIONS_DURATION,
        OPTIONS_WIDE,
        OPTIONS_COLOR,
        OPTIONS_JSON,
        OPTIONS_END,
    };
    static const struct command_line line = {table, ":h", help, take_option};
    struct demo_options options = {.shared.duration_ns = DEFAULT_DURATION_NS};
    int code = CLI_OK;
    if (!options_read(&line, argc, argv, &options, &code))
        return code;
    if (optind < argc)
        return cli_usage_error("`%s` is too much: demo brings its own interfaces", argv[optind]);
    return run_demo(&options);
}
