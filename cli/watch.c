/* SPDX-License-Identifier: MIT */
#include "cli.h"
#include "commands.h"
#include "format.h"
#include "view.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INTERFACES_MAX VIEW_PARTS_MAX

static const char help[] =
    "Usage: ptpmon watch [OPTION...] INTERFACE...\n"
    "\n"
    "Shows a line for each PTP frame that passes: when the driver side saw it, its\n"
    "stamps and latencies, and whether the captured frame agrees. Ctrl-C ends it with\n"
    "a summary; a second Ctrl-C at once.\n"
    "\n"
    "Which frames (all criteria must fit; LISTs are separated by commas):\n"
    "      --domain=LIST       domainNumber: 0,24\n"
    "      --type=LIST         messageType: sync,follow_up or 0,8\n"
    "      --port=LIST         sourcePortIdentity or clockIdentity:\n"
    "                          a2b3c4.fffe.d5e6f7-1, a2b3c4fffed5e6f7\n"
    "      --direction=rx|tx   received or sent frames only\n"
    "      --vlan=LIST         VLAN IDs, or none for untagged frames: 100,none\n"
    "\n"
    "How long:\n"
    "      --duration=TIME     end after 10, 500ms, 2m, 1h\n"
    "      --count=N           end after N frames shown\n"
    "\n"
    "How it is shown:\n"
    "      --time=FORM         local (default), utc, monotonic, or relative to the\n"
    "                          first frame\n"
    "      --phc=SCALE         numbers of the NIC's clock: raw (default, seconds), or\n"
    "                          as a date on the scale it keeps: tai, utc\n"
    "      --wide              all columns, even where the terminal is too narrow\n"
    "      --color=WHEN        auto (only on a terminal), always, never\n"
    "      --json              one JSON object per line; the last is the summary\n"
    "\n"
    "How it is seen:\n"
    "      --enable-hw-stamps  switch the NIC's stamping on, restore it at the end\n"
    "      --no-capture        events only, nothing to compare with\n"
    "      --no-tracing        no kernel tracing: no TX queue, no TX stamps\n"
    "      --ring=SIZE         ring of the monitor: 64K, 1M (default); a power of two\n"
    "  -h, --help              this text\n"
    "\n"
    "Exit codes: 0 ended as asked, 1 failed, 2 usage, 3 no such interface,\n"
    "4 no rights, 5 not supported here; all: man ptpmon\n";

struct watch_options {
    struct filter filter;
    struct session_options session;
    struct report_options report;
    uint64_t duration_ns, count;
    int colour;
    char **interfaces;
    size_t interface_count;
};

/* One interface's share of the run. */
struct watched {
    const char *name;
    const ptpmon_interface *interface; /* NULL = not listed */
    struct session *session;
    struct view_part *part;
};

struct watch {
    const struct watch_options *options;
    struct report *report;
    struct view *view;
    struct watched watched[INTERFACES_MAX];
    size_t count;
};

/* ---- Command line ---- */

enum {
    OPTION_DOMAIN = 256,
    OPTION_TYPE,
    OPTION_PORT,
    OPTION_DIRECTION,
    OPTION_VLAN,
    OPTION_DURATION,
    OPTION_COUNT,
    OPTION_TIME,
    OPTION_PHC,
    OPTION_WIDE,
    OPTION_COLOR,
    OPTION_JSON,
    OPTION_HW_STAMPS,
    OPTION_NO_CAPTURE,
    OPTION_NO_TRACING,
    OPTION_RING,
};

static const struct option long_options[] = {
    {"domain", required_argument, NULL, OPTION_DOMAIN},
    {"type", required_argument, NULL, OPTION_TYPE},
    {"port", required_argument, NULL, OPTION_PORT},
    {"direction", required_argument, NULL, OPTION_DIRECTION},
    {"vlan", required_argument, NULL, OPTION_VLAN},
    {"duration", required_argument, NULL, OPTION_DURATION},
    {"count", required_argument, NULL, OPTION_COUNT},
    {"time", required_argument, NULL, OPTION_TIME},
    {"phc", required_argument, NULL, OPTION_PHC},
    {"wide", no_argument, NULL, OPTION_WIDE},
    {"color", required_argument, NULL, OPTION_COLOR},
    {"json", no_argument, NULL, OPTION_JSON},
    {"enable-hw-stamps", no_argument, NULL, OPTION_HW_STAMPS},
    {"no-capture", no_argument, NULL, OPTION_NO_CAPTURE},
    {"no-tracing", no_argument, NULL, OPTION_NO_TRACING},
    {"ring", required_argument, NULL, OPTION_RING},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* CLI_OK, or CLI_USAGE after saying what a value of --NAME may be. */
static int expect(bool fits, const char *name, const char *bad, const char *expected)
{
    return fits ? CLI_OK : cli_usage_error("--%s: `%s` is not %s", name, bad, expected);
}

static bool parse_choice(const char *text, const char *const *names, int *choice)
{
    *choice = cli_parse_choice(text, names);
    return *choice >= 0;
}

static int take_filter_option(struct filter *filter, int option)
{
    char bad[FILTER_ITEM_SIZE];
    switch (option) {
    case OPTION_DOMAIN:
        return expect(filter_add_domains(filter, optarg, bad), "domain", bad, "a domainNumber, 0 to 255");
    case OPTION_TYPE:
        return expect(filter_add_types(filter, optarg, bad), "type", bad,
                      "a messageType: a name such as Sync or Delay_Req, or 0 to 15");
    case OPTION_PORT:
        return expect(filter_add_ports(filter, optarg, bad), "port", bad,
                      "a port identity such as a2b3c4.fffe.d5e6f7-1 (32 at most)");
    case OPTION_VLAN:
        return expect(filter_add_vlans(filter, optarg, bad), "vlan", bad, "a VLAN ID, 0 to 4095, or none");
    default:
        return expect(filter_set_direction(filter, optarg, bad), "direction", bad, "rx or tx");
    }
}

static int take_option(struct watch_options *options, int option)
{
    int choice;
    switch (option) {
    case OPTION_DURATION:
        return expect(cli_parse_duration(optarg, &options->duration_ns), "duration", optarg,
                      "a time such as 10, 500ms, 2m, 1h");
    case OPTION_COUNT:
        return expect(cli_parse_number(optarg, 1, UINT64_MAX, &options->count), "count", optarg,
                      "a number of frames from 1 on");
    case OPTION_TIME:
        if (!parse_choice(optarg, report_time_names, &choice))
            return expect(false, "time", optarg, "one of local, utc, monotonic, relative");
        options->report.time = (enum report_time)choice;
        return CLI_OK;
    case OPTION_PHC:
        if (!parse_choice(optarg, report_phc_names, &choice))
            return expect(false, "phc", optarg, "one of raw, tai, utc");
        options->report.phc = (enum report_phc)choice;
        return CLI_OK;
    case OPTION_WIDE:
        options->report.wide = true;
        return CLI_OK;
    case OPTION_COLOR:
        return expect(parse_choice(optarg, format_colour_names, &options->colour), "color", optarg,
                      "one of auto, always, never");
    case OPTION_JSON:
        options->report.json = true;
        return CLI_OK;
    case OPTION_HW_STAMPS:
        options->session.monitor.flags |= PTPMON_HW_STAMPS;
        return CLI_OK;
    case OPTION_NO_CAPTURE:
        options->session.no_capture = true;
        return CLI_OK;
    case OPTION_NO_TRACING:
        options->session.monitor.flags |= PTPMON_NO_TRACING;
        return CLI_OK;
    case OPTION_RING: {
        uint32_t *bytes = &options->session.monitor.ring_bytes;
        bool fits = cli_parse_size(optarg, bytes) && (*bytes & (*bytes - 1)) == 0;
        return expect(fits, "ring", optarg, "a power of two in bytes, such as 65536, 64K or 1M");
    }
    default:
        return take_filter_option(&options->filter, option);
    }
}

static int take_interfaces(struct watch_options *options, char **names, size_t count)
{
    if (count == 0)
        return cli_usage_error("name an interface; `ptpmon list` shows those there are");
    if (count > INTERFACES_MAX)
        return cli_usage_error("%zu interfaces are too many, %d at most", count, INTERFACES_MAX);
    for (size_t i = 0; i < count; i++) {
        if (names[i][0] == 0 || strlen(names[i]) >= PTPMON_NAME_MAX)
            return cli_usage_error("`%s` cannot be the name of an interface", names[i]);
        for (size_t j = 0; j < i; j++) {
            if (strcmp(names[i], names[j]) == 0)
                return cli_usage_error("%s is named twice", names[i]);
        }
    }
    options->interfaces = names;
    options->interface_count = count;
    return CLI_OK;
}

/* ---- The run ---- */

static const ptpmon_interface *find_interface(const ptpmon_interface *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i].name, name) == 0)
            return &list[i];
    }
    return NULL;
}

/* What a person should know before reading the table. */
static void warn_of_interface(struct watch *watch, const struct watched *watched)
{
    const ptpmon_interface *interface = watched->interface;
    if (interface == NULL)
        return;
    bool can_stamp = (interface->stamping & PTPMON_CAN_RX_HARDWARE) != 0;
    bool stamps = (interface->stamping & PTPMON_ON_RX_HARDWARE) != 0;
    bool switched_on = (watch->options->session.monitor.flags & PTPMON_HW_STAMPS) != 0;
    if (interface->prefer_lower)
        report_warning(watch->report, watched->name,
                       "is a %s; the frames pass the card, and are stamped, in %s: name that",
                       format_interface_kind(interface->kind), interface->lower);
    if (can_stamp && !stamps && !switched_on)
        report_warning(watch->report, watched->name,
                       "the NIC's stamping is off; --enable-hw-stamps switches it on and restores it at the end");
}

static void warn_of_session(struct watch *watch, const struct watched *watched, const struct session_info *info)
{
    const char *refusal = session_capture_refusal(watched->session);
    bool tracing = (watch->options->session.monitor.flags & PTPMON_NO_TRACING) == 0;
    if (watched->interface != NULL && !watched->interface->up)
        report_warning(watch->report, watched->name, "is down or has no link; no frame passes until that changes");
    if (refusal != NULL)
        report_warning(watch->report, watched->name, "events only, nothing to compare them with (%s)", refusal);
    if (tracing && strcmp(info->monitor.tx_stamps, "none") == 0)
        report_warning(watch->report, watched->name,
                       "no TX stamps and no TX queue: the kernel's tracing is not to be had (CAP_PERFMON, BTF)");
}

static int open_sessions(struct watch *watch, const ptpmon_interface *list, size_t list_count)
{
    const struct watch_options *options = watch->options;
    for (size_t i = 0; i < options->interface_count; i++) {
        struct watched *watched = &watch->watched[i];
        watched->name = options->interfaces[i];
        watched->interface = find_interface(list, list_count, watched->name);
        watched->part = view_add_part(watch->view, watched->name);
        watch->count++;
        ptpmon_status status = session_open(watched->name, &options->session, &watched->part->sink, &watched->session);
        if (status != PTPMON_OK)
            return cli_library_error(status);
    }
    return CLI_OK;
}

static int start_sessions(struct watch *watch)
{
    bool compared = false;
    for (size_t i = 0; i < watch->count; i++)
        warn_of_interface(watch, &watch->watched[i]);
    for (size_t i = 0; i < watch->count; i++) {
        struct session_info info;
        struct watched *watched = &watch->watched[i];
        ptpmon_status status = session_start(watched->session);
        if (status == PTPMON_OK)
            status = session_info_get(watched->session, &info);
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
    view_release(watch->view, cli_now());
    return !cli_stop_requested() && !cli_output_failed() && !view_is_full(watch->view);
}

static int run_sessions(struct watch *watch)
{
    struct session *sessions[INTERFACES_MAX];
    for (size_t i = 0; i < watch->count; i++)
        sessions[i] = watch->watched[i].session;
    return cli_exit_code(sessions_run(sessions, watch->count, watch->options->duration_ns, go_on, watch));
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
    return code;
}

/* What a first look at the terminal should tell: nothing hangs, and how to end it. */
static void invite(struct watch *watch)
{
    if (watch->options->duration_ns == 0 && watch->options->count == 0)
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
    view_end(watch->view, &interfaces, longest);
}

static int run(struct watch *watch, const ptpmon_interface *list, size_t list_count)
{
    int code = open_sessions(watch, list, list_count);
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
        const ptpmon_interface *interface = find_interface(list, list_count, options->interfaces[i]);
        if (interface == NULL || interface->phc_index < 0)
            continue;
        if ((interface->stamping & (PTPMON_ON_RX_HARDWARE | PTPMON_ON_TX_HARDWARE)) != 0 ||
            (options->session.monitor.flags & PTPMON_HW_STAMPS) != 0)
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
    options->report.interface_width = widest_name(options);
    options->report.nic_stamps = any_nic_stamps(options, list, list_count);

    struct watch *watch = cli_allocate(1, sizeof *watch);
    watch->options = options;
    watch->report = report_open(&options->report);
    watch->view = view_open(watch->report, &options->filter, options->count);
    if (options->interface_count > 1)
        view_hold(watch->view);
    int code = run(watch, list, list_count);
    for (size_t i = 0; i < watch->count; i++)
        session_close(watch->watched[i].session);
    view_close(watch->view);
    report_close(watch->report);
    free(watch);
    ptpmon_interfaces_free(list);
    return code;
}

int command_watch(int argc, char **argv)
{
    struct watch_options *options = cli_allocate(1, sizeof *options);
    int code = CLI_OK, option;
    opterr = 0;
    while (code == CLI_OK && (option = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
        if (option == 'h') {
            cli_write(help, sizeof help - 1);
            free(options);
            return CLI_OK;
        }
        code =
            option == '?' || option == ':' ? cli_option_error(option, argv[optind - 1]) : take_option(options, option);
    }
    if (code == CLI_OK)
        code = take_interfaces(options, argv + optind, (size_t)(argc - optind));
    if (code == CLI_OK) {
        format_colour_setup((enum format_colour)options->colour, stdout);
        cli_signals_setup();
        code = watch_interfaces(options);
    }
    free(options);
    return code;
}
