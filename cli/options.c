/* SPDX-License-Identifier: MIT */
#include "options.h"

#include "cli.h"
#include "files.h"
#include "format.h"
#include "system.h"

#include <string.h>

int options_expect(bool fits, const char *name, const char *bad, const char *expected)
{
    return fits ? CLI_OK : cli_usage_error("--%s: `%s` is not %s", name, bad, expected);
}

int options_check_output(const char *value)
{
    const char *name = files_name_in(value);
    bool fits = name[0] != 0 && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
    return options_expect(fits, "output", value, "what the names of files can begin with, such as trace or /tmp/trace");
}

static bool parse_choice(const char *text, const char *const *names, int *choice)
{
    int parsed = cli_parse_choice(text, names);
    if (parsed >= 0)
        *choice = parsed;
    return parsed >= 0;
}

static int take_filter_option(struct filter *filter, int option)
{
    char bad[FILTER_ITEM_SIZE];
    switch (option) {
    case OPTION_DOMAIN:
        return options_expect(filter_add_domains(filter, optarg, bad), "domain", bad, "a domainNumber, 0 to 255");
    case OPTION_TYPE:
        return options_expect(filter_add_types(filter, optarg, bad), "type", bad,
                              "a messageType: a name such as Sync or Delay_Req, or 0 to 15");
    case OPTION_PORT:
        return options_expect(filter_add_ports(filter, optarg, bad), "port", bad,
                              "a port identity such as a2b3c4.fffe.d5e6f7-1 (32 at most)");
    case OPTION_VLAN:
        return options_expect(filter_add_vlans(filter, optarg, bad), "vlan", bad, "a VLAN ID, 0 to 4095, or none");
    default:
        return options_expect(filter_set_direction(filter, optarg, bad), "direction", bad, "rx or tx");
    }
}

static int take_report_option(struct shared_options *shared, int option)
{
    int choice = 0;
    bool fits;
    switch (option) {
    case OPTION_TIME:
        fits = parse_choice(optarg, report_time_names, &choice);
        shared->report.time = (enum report_time)choice;
        return options_expect(fits, "time", optarg, "one of local, utc, monotonic, relative");
    case OPTION_PHC:
        fits = parse_choice(optarg, report_phc_names, &choice);
        shared->report.phc = (enum report_phc)choice;
        return options_expect(fits, "phc", optarg, "one of raw, tai, utc");
    case OPTION_COLOR:
        return options_expect(parse_choice(optarg, format_colour_names, &shared->colour), "color", optarg,
                              "one of auto, always, never");
    case OPTION_WIDE:
        shared->report.wide = true;
        return CLI_OK;
    default:
        shared->report.json = true;
        return CLI_OK;
    }
}

/* Of options that there are on some systems only. */
static const char *refusal_of(int option)
{
    static const struct {
        int option;
        const char *refusal; /* NULL: this system has it */
    } options[] = {
        {OPTION_HW_STAMPS, SYSTEM_LACKS_HW_STAMPS},
        {OPTION_NO_TRACING, SYSTEM_LACKS_NO_TRACING},
        {OPTION_RING, SYSTEM_LACKS_RING},
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (options[i].option == option)
            return options[i].refusal;
    return NULL;
}

static int take_session_option(struct session_options *session, int option)
{
    uint64_t bytes = 0;
    bool fits;
    const char *refusal = refusal_of(option);
    if (refusal != NULL)
        return cli_usage_error("%s", refusal);
    switch (option) {
    case OPTION_HW_STAMPS:
        session->monitor.flags |= PTPMON_HW_STAMPS;
        return CLI_OK;
    case OPTION_NO_CAPTURE:
        session->no_capture = true;
        return CLI_OK;
    case OPTION_NO_TRACING:
        session->monitor.flags |= PTPMON_NO_TRACING;
        return CLI_OK;
    default:
        fits = cli_parse_size(optarg, UINT32_MAX, &bytes) && (bytes & (bytes - 1)) == 0;
        session->monitor.ring_bytes = (uint32_t)bytes;
        return options_expect(fits, "ring", optarg, "a power of two in bytes, such as 65536, 64K or 1M");
    }
}

int options_take_shared(struct shared_options *shared, int option)
{
    switch (option) {
    case OPTION_DURATION:
        return options_expect(cli_parse_duration(optarg, &shared->duration_ns), "duration", optarg,
                              "a time such as 10 (seconds), 500ms, 2m, 1h");
    case OPTION_COUNT:
        return options_expect(cli_parse_number(optarg, 1, UINT64_MAX, &shared->count), "count", optarg,
                              "a number of frames from 1 on");
    case OPTION_TIME:
    case OPTION_PHC:
    case OPTION_WIDE:
    case OPTION_COLOR:
    case OPTION_JSON:
        return take_report_option(shared, option);
    case OPTION_HW_STAMPS:
    case OPTION_NO_CAPTURE:
    case OPTION_NO_TRACING:
    case OPTION_RING:
        return take_session_option(&shared->session, option);
    default:
        return take_filter_option(&shared->filter, option);
    }
}

bool options_read(const struct command_line *line, int argc, char **argv, void *context, int *code)
{
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, line->short_options, line->options, NULL)) != -1) {
        *code = CLI_OK;
        if (option == 'h') {
            cli_write(line->help, strlen(line->help));
            return false;
        }
        *code =
            option == '?' || option == ':' ? cli_option_error(option, argv[optind - 1]) : line->take(context, option);
        if (*code != CLI_OK)
            return false;
    }
    return true;
}

int options_check_interfaces(char **names, size_t count)
{
    if (count == 0)
        return cli_usage_error("name an interface; `ptpmon list` shows those there are");
    if (count > OPTIONS_INTERFACES_MAX)
        return cli_usage_error("%zu interfaces are too many, %d at most", count, OPTIONS_INTERFACES_MAX);
    for (size_t i = 0; i < count; i++) {
        if (names[i][0] == 0 || strlen(names[i]) >= PTPMON_NAME_MAX)
            return cli_usage_error("`%s` cannot be the name of an interface", names[i]);
        for (size_t j = 0; j < i; j++) {
            if (strcmp(names[i], names[j]) == 0)
                return cli_usage_error("%s is named twice", names[i]);
        }
    }
    return CLI_OK;
}
