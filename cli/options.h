/* SPDX-License-Identifier: MIT */
/*
 * Command lines. A command's table of options for getopt_long() is made of its own and of groups that
 * it shares with others; what those mean, and how help describes them, is said here once.
 */
#ifndef PTPMON_CLI_OPTIONS_H
#define PTPMON_CLI_OPTIONS_H

#include "filter.h"
#include "report.h"
#include "session.h"

#include <getopt.h>

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
    OPTION_OWN, /* a command's own begin here */
};

/* Members of a table of `struct option`, by group; the table ends with OPTIONS_END. */
#define OPTIONS_FILTER \
    {"domain", required_argument, NULL, OPTION_DOMAIN}, {"type", required_argument, NULL, OPTION_TYPE}, \
        {"port", required_argument, NULL, OPTION_PORT}, {"direction", required_argument, NULL, OPTION_DIRECTION}, \
    { \
        "vlan", required_argument, NULL, OPTION_VLAN \
    }
#define OPTIONS_DURATION \
    { \
        "duration", required_argument, NULL, OPTION_DURATION \
    }
#define OPTIONS_COUNT \
    { \
        "count", required_argument, NULL, OPTION_COUNT \
    }
#define OPTIONS_SCALES \
    {"time", required_argument, NULL, OPTION_TIME}, \
    { \
        "phc", required_argument, NULL, OPTION_PHC \
    }
#define OPTIONS_WIDE \
    { \
        "wide", no_argument, NULL, OPTION_WIDE \
    }
#define OPTIONS_COLOR \
    { \
        "color", required_argument, NULL, OPTION_COLOR \
    }
#define OPTIONS_JSON \
    { \
        "json", no_argument, NULL, OPTION_JSON \
    }
#define OPTIONS_SEEN \
    {"enable-hw-stamps", no_argument, NULL, OPTION_HW_STAMPS}, {"no-capture", no_argument, NULL, OPTION_NO_CAPTURE}, \
        {"no-tracing", no_argument, NULL, OPTION_NO_TRACING}, \
    { \
        "ring", required_argument, NULL, OPTION_RING \
    }
#define OPTIONS_END \
    {"help", no_argument, NULL, 'h'}, \
    { \
        NULL, 0, NULL, 0 \
    }

#define OPTIONS_HELP_FILTER \
    "Which frames (all criteria must fit; LISTs are separated by commas):\n" \
    "      --domain=LIST       domainNumber: 0,24\n" \
    "      --type=LIST         messageType: sync,follow_up or 0,8\n" \
    "      --port=LIST         sourcePortIdentity or clockIdentity:\n" \
    "                          a2b3c4.fffe.d5e6f7-1, a2b3c4fffed5e6f7\n" \
    "      --direction=rx|tx   received or sent frames only\n" \
    "      --vlan=LIST         VLAN IDs, or none for untagged frames: 100,none\n"
#define OPTIONS_HELP_SHOWN \
    "How it is shown:\n" \
    "      --time=FORM         local (default), utc, monotonic, or relative to the\n" \
    "                          first frame\n" \
    "      --phc=SCALE         numbers of the NIC's clock: raw (default, seconds), or\n" \
    "                          as a date on the scale it keeps: tai, utc\n" \
    "      --wide              all columns, even where the terminal is too narrow\n" \
    "      --color=WHEN        auto (only on a terminal), always, never\n" \
    "      --json              one JSON object per line; the last is the summary\n"
#define OPTIONS_HELP_HELP "  -h, --help              this text\n"

/* What the shared options set. Zeroed to begin with. */
struct shared_options {
    struct filter filter;
    struct report_options report;
    struct session_options session;
    uint64_t duration_ns, count; /* 0 = no limit */
    int colour;                  /* enum format_colour */
};

/* Takes an option of the shared groups, its value in optarg: CLI_OK, or CLI_USAGE after saying what is wrong. */
int options_take_shared(struct shared_options *shared, int option);

/* CLI_OK, or CLI_USAGE after saying what a value of --NAME may be. */
int options_expect(bool fits, const char *name, const char *bad, const char *expected);

/* CLI_OK, or CLI_USAGE where `value` of --output cannot be what names of files begin with: a directory. */
int options_check_output(const char *value);

struct command_line {
    const struct option *options;
    const char *short_options; /* for getopt_long(), with ":h" at their begin */
    const char *help;
    int (*take)(void *context, int option); /* CLI_OK or CLI_USAGE */
};

/* Reads all options; those that are left in argv begin at optind. False: the command ends with *code, since its help
 * was asked for or something is wrong. */
bool options_read(const struct command_line *line, int argc, char **argv, void *context, int *code);

/* Checks names of interfaces: CLI_OK or CLI_USAGE. */
#define OPTIONS_INTERFACES_MAX 64
int options_check_interfaces(char **names, size_t count);

#endif
