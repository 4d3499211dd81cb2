/* SPDX-License-Identifier: MIT */
#include "cli.h"
#include "commands.h"
#include "system.h"
#include "terminal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct command {
    const char *name;
    const char *summary;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"list", "the interfaces: what each can stamp, and which to name", command_list},
    {"watch", "a line per PTP frame: when it passed, and whether the capture agrees", command_watch},
    {"record", "events and frames into files, to be looked at later", command_record},
    {"correlate", "what watch shows, from files: events and a capture of their time", command_correlate},
    {"analyze", "what the clocks do: offsets, delays, rates, and what went wrong", command_analyze},
    {"simulate", "recordings of a simulated network, and the truth about it", command_simulate},
    {"demo", command_demo_summary, command_demo},
    {"install", command_install_summary, command_install},
    {"uninstall", command_uninstall_summary, command_uninstall},
    {"status", command_status_summary, command_status},
    {"stats", command_stats_summary, command_stats},
};
#define COMMANDS (sizeof commands / sizeof *commands)

/* What is said to somebody who did not ask for it. */
static void complain(const char *format, ...) CLI_PRINTF(1, 2);
static void complain(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
}

static void print_help(void (*say)(const char *format, ...))
{
    say("%s",
        "ptpmon: when each PTP frame passed the network card, next to the captured frame\n"
        "\n"
        "Usage: ptpmon COMMAND [OPTION...]\n"
        "\n"
        "Commands:\n");
    for (size_t i = 0; i < COMMANDS; i++) {
        if (commands[i].summary[0] != 0)
            say("  %-9s %s\n", commands[i].name, commands[i].summary);
    }
    say("%s",
        "\n"
        "  ptpmon COMMAND --help   the options of a command\n"
        "  ptpmon --version        the version\n" SYSTEM_HELP_MORE);
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

static size_t smallest(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Levenshtein distance: how many letters must be put in, taken out or changed. Words of up to 31 letters. */
static size_t distance(const char *from, const char *to)
{
    size_t row[32];
    size_t columns = strlen(to);
    if (columns >= sizeof row / sizeof *row)
        return columns;
    for (size_t j = 0; j <= columns; j++)
        row[j] = j;
    for (size_t i = 1; from[i - 1] != 0; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= columns; j++) {
            size_t changed = diagonal + (from[i - 1] != to[j - 1]);
            diagonal = row[j];
            row[j] = smallest(row[j] + 1, row[j - 1] + 1, changed);
        }
    }
    return row[columns];
}

static int unknown_command(const char *name)
{
    const struct command *nearest = NULL;
    size_t least = 3; /* beyond two slips of the finger it is another word */
    for (size_t i = 0; i < COMMANDS; i++) {
        size_t slips = distance(name, commands[i].name);
        if (slips < least && commands[i].summary[0] != 0) {
            least = slips;
            nearest = &commands[i];
        }
    }
    if (nearest != NULL)
        return cli_usage_error("no command `%s`; did you mean `%s`?", name, nearest->name);
    return cli_usage_error("no command `%s`", name);
}

static int run_command(int argc, char **argv)
{
    const struct command *command = find_command(argv[0]);
    if (command == NULL)
        return unknown_command(argv[0]);
    cli_set_command(command->name);
    return cli_output_result(command->run(argc, argv));
}

/* "ptpmon help watch" is "ptpmon watch --help". */
static int run_help(int argc, char **argv)
{
    static char option[] = "--help";
    if (argc < 2) {
        print_help(cli_say);
        return cli_output_result(CLI_OK);
    }
    char *arguments[] = {argv[1], option, NULL};
    return run_command(2, arguments);
}

int main(int argc, char **argv)
{
    terminal_start(&argc, &argv);
    if (argc < 2) {
        print_help(complain);
        return CLI_USAGE;
    }
    const char *first = argv[1];
    if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0 || strcmp(first, "help") == 0)
        return run_help(argc - 1, argv + 1);
    if (strcmp(first, "--version") == 0 || strcmp(first, "-V") == 0) {
        cli_say("ptpmon %s\n", ptpmon_version());
        return cli_output_result(CLI_OK);
    }
    if (first[0] == '-')
        return cli_usage_error("unknown option %s", first);
    return run_command(argc - 1, argv + 1);
}
