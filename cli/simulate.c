/* SPDX-License-Identifier: MIT */
#include "cli.h"
#include "commands.h"
#include "json.h"
#include "options.h"
#include "progress.h"
#include "system.h"

#include <inttypes.h>
#include <ptpmon_simulator.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Short runs end before anybody has read how far they are. */
#define PROGRESS_AFTER_NS ((uint64_t)NS_PER_S)
#define PROGRESS_NS       ((uint64_t)NS_PER_S / 5)

static const char usage[] =
    "Usage: ptpmon simulate -o PATH [OPTION...]\n"
    "\n"
    "Simulates a grandmaster, bridges and a client, and writes what `ptpmon record`\n"
    "would have recorded at each port, PATH.PORT.pcapng and PATH.PORT.events, and\n"
    "beside it the truth, PATH.truth.jsonl: true offsets, delays, rates, and what\n"
    "went wrong. Equal settings give equal files on every system.\n"
    "\n"
    "      --json              the summary as a JSON object\n"
    "  -o, --output=PATH       where the files go; existing ones are replaced\n" OPTIONS_HELP_HELP
    "\n"
    "Settings (TIME: 1.5us, 10s; PPM: -1000 to 1000; default in brackets):\n";

static const char afterwards[] =
    "\n"
    "docs/simulator.md has the range of each, ptpmon-simulate(1) names the faults.\n"
    "\n"
    "Exit codes: 0 done, 1 failed, 2 usage, 4 a right is missing;\n"
    "all: " SYSTEM_HELP_EXIT_CODES "\n";

enum { OPTION_SETTING = OPTION_OWN };

struct simulate {
    ptpmon_simulation *simulation;
    const char *path;
    bool json;
    bool stopped; /* Ctrl-C */
    uint64_t started_at, shown_at;
};

/* ---- Help, from the table of settings ---- */

#define HELP_COLUMN 26
#define HELP_WIDTH  79

/* As much as fits; HELP_BYTES is far more than there is. */
struct help {
    char *text;
    size_t length;
};
#define HELP_BYTES 32768

static void add(struct help *help, const char *format, ...) CLI_PRINTF(2, 3);
static void add(struct help *help, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(help->text + help->length, HELP_BYTES - help->length, format, arguments);
    va_end(arguments);
    if (length > 0 && (size_t)length < HELP_BYTES - help->length)
        help->length += (size_t)length;
}

/* Wraps at blanks; further lines are indented. */
static void add_wrapped(struct help *help, const char *text)
{
    int column = HELP_COLUMN - 1;
    while (*text != 0) {
        int length = (int)strcspn(text, " ");
        if (column + 1 + length > HELP_WIDTH) {
            add(help, "\n%*s", HELP_COLUMN - 1, "");
            column = HELP_COLUMN - 1;
        }
        add(help, " %.*s", length, text);
        column += 1 + length;
        text += length + (text[length] == ' ');
    }
}

static void add_setting(struct help *help, const ptpmon_simulation_setting *setting)
{
    char meaning[256];
    size_t before = help->length;
    add(help, "      --%s=%s", setting->name, setting->value);
    int column = (int)(help->length - before);
    if (column >= HELP_COLUMN) {
        add(help, "\n");
        column = 0;
    }
    add(help, "%*s", HELP_COLUMN - 1 - column, "");
    snprintf(meaning, sizeof meaning, "%s%s%s%s", setting->meaning, setting->default_value[0] != 0 ? " [" : "",
             setting->default_value, setting->default_value[0] != 0 ? "]" : "");
    add_wrapped(help, meaning);
    add(help, "\n");
}

/* Freed by the caller. */
static char *make_help(void)
{
    struct help help = {.text = cli_allocate(1, HELP_BYTES)};
    add(&help, "%s", usage);
    for (size_t i = 0; i < ptpmon_simulation_setting_count(); i++)
        add_setting(&help, ptpmon_simulation_setting_at(i));
    add(&help, "%s", afterwards);
    return help.text;
}

/* ---- The run ---- */

static bool go_on(void *context, double done)
{
    struct simulate *simulate = context;
    uint64_t now = cli_now();
    if (now >= simulate->started_at + PROGRESS_AFTER_NS && now >= simulate->shown_at + PROGRESS_NS) {
        char text[PROGRESS_LINE_SIZE];
        simulate->shown_at = now;
        snprintf(text, sizeof text, "simulated: %.0f %%", done * 100);
        cli_progress(text);
    }
    simulate->stopped = cli_stop_requested();
    return !simulate->stopped;
}

static void summarize_as_json(const struct simulate *simulate, const ptpmon_simulation_result *result)
{
    struct json json = {0};
    json_begin(&json, "simulation");
    json_string(&json, "path", simulate->path);
    json_uint(&json, "ports", result->ports);
    json_uint(&json, "events", result->events);
    json_uint(&json, "frames", result->frames);
    json_uint(&json, "exchanges", result->exchanges);
    json_bool(&json, "stopped", simulate->stopped);
    json_end_line(&json);
}

static void summarize(const struct simulate *simulate, const ptpmon_simulation_result *result)
{
    char text[512];
    int length = snprintf(
        text, sizeof text, "%" PRIu64 " frames and %" PRIu64 " events of %" PRIu32 " ports, %" PRIu64 " exchanges%s\n",
        result->frames, result->events, result->ports, result->exchanges, simulate->stopped ? "; ended early" : "");
    cli_write(text, (size_t)length);
    cli_write(simulate->path, strlen(simulate->path));
    length = snprintf(text, sizeof text, ".*.pcapng, .*.events, .truth.jsonl\n");
    cli_write(text, (size_t)length);
}

static int run(struct simulate *simulate)
{
    ptpmon_simulation_result result;
    simulate->started_at = cli_now();
    ptpmon_status status = ptpmon_simulation_run(simulate->simulation, simulate->path, go_on, simulate, &result);
    cli_progress(NULL);
    if (status == PTPMON_INVALID)
        return cli_usage_error("%s", ptpmon_error_message());
    if (status != PTPMON_OK)
        return cli_library_error(status);
    if (simulate->json)
        summarize_as_json(simulate, &result);
    else
        summarize(simulate, &result);
    return CLI_OK;
}

/* ---- Command line ---- */

static int take_setting(struct simulate *simulate, size_t index, const char *value)
{
    ptpmon_status status =
        ptpmon_simulation_set(simulate->simulation, ptpmon_simulation_setting_at(index)->name, value);
    if (status == PTPMON_INVALID)
        return cli_usage_error("%s", ptpmon_error_message());
    return status == PTPMON_OK ? CLI_OK : cli_library_error(status);
}

/* The settings, then the command's own. */
static struct option *make_options(void)
{
    static const struct option own[] = {
        OPTIONS_JSON,
        {"output", required_argument, NULL, 'o'},
        OPTIONS_END,
    };
    size_t settings = ptpmon_simulation_setting_count();
    struct option *options = cli_allocate(settings + sizeof own / sizeof *own, sizeof *options);
    for (size_t i = 0; i < settings; i++)
        options[i] =
            (struct option){ptpmon_simulation_setting_at(i)->name, required_argument, NULL, OPTION_SETTING + (int)i};
    memcpy(options + settings, own, sizeof own);
    return options;
}

static int take_option(void *context, int option)
{
    struct simulate *simulate = context;
    if (option >= OPTION_SETTING)
        return take_setting(simulate, (size_t)(option - OPTION_SETTING), optarg);
    if (option == 'o') {
        simulate->path = optarg;
        return options_check_output(optarg);
    }
    simulate->json = true;
    return CLI_OK;
}

static int check_and_run(struct simulate *simulate, int argc, char **argv)
{
    if (optind < argc)
        return cli_usage_error("`%s` is too much: simulate takes options only", argv[optind]);
    if (simulate->path == NULL)
        return cli_usage_error("say where the files go: -o PATH");
    cli_signals_setup();
    return run(simulate);
}

int command_simulate(int argc, char **argv)
{
    struct simulate simulate = {0};
    ptpmon_status status = ptpmon_simulation_open(&simulate.simulation);
    if (status != PTPMON_OK)
        return cli_library_error(status);
    struct option *options = make_options();
    char *help = make_help();
    const struct command_line line = {options, ":ho:", help, take_option};
    int code = CLI_OK;
    if (options_read(&line, argc, argv, &simulate, &code))
        code = check_and_run(&simulate, argc, argv);
    free(help);
    free(options);
    ptpmon_simulation_close(simulate.simulation);
    return code;
}
