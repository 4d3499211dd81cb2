/* SPDX-License-Identifier: MIT */
/* The options of an analysis that `analyze` and `watch --analyze` share. */
#ifndef PTPMON_CLI_ANALYSIS_ARGUMENTS_H
#define PTPMON_CLI_ANALYSIS_ARGUMENTS_H

#include "analysis_run.h"
#include "options.h"

/* Behind every command's own. */
enum {
    OPTION_ANALYSIS_WINDOW = OPTION_OWN + 64,
    OPTION_STAMPS,
    OPTION_DELAY_FILTER,
    OPTION_SAME_CLOCK,
    OPTION_TRUE_OFFSET,
    OPTION_TE,
    OPTION_MASK,
    OPTION_TAU0,
    OPTION_ANALYSIS_END
};

/* Members of a table of `struct option`; see options.h. */
#define OPTIONS_ANALYSIS \
    {"stamps", required_argument, NULL, OPTION_STAMPS}, {"window", required_argument, NULL, OPTION_ANALYSIS_WINDOW}, \
        {"delay-filter", required_argument, NULL, OPTION_DELAY_FILTER}, \
        {"same-clock", no_argument, NULL, OPTION_SAME_CLOCK}, \
        {"true-offset", required_argument, NULL, OPTION_TRUE_OFFSET}, {"te", no_argument, NULL, OPTION_TE}, \
        {"mask", required_argument, NULL, OPTION_MASK}, \
    { \
        "tau0", required_argument, NULL, OPTION_TAU0 \
    }

#define OPTIONS_HELP_ANALYSIS \
    "How it is computed:\n" \
    "      --stamps=KIND       local times of this kind only: hardware, software or\n" \
    "                          capture; else of each exchange the best that it has\n" \
    "      --window=TIME       messages of one exchange lie at most so far apart: 30s\n" \
    "                          at most; else 1s or three intervals\n" \
    "      --delay-filter=N    the filtered delay is the median of N: 10 (default)\n" \
    "      --same-clock        all points are stamped by one clock\n" \
    "      --true-offset=NS    the local clock's offset from its master, known from\n" \
    "                          elsewhere: tells the path's asymmetry\n" \
    "\n" \
    "Time error:\n" \
    "      --te                TE, cTE, dTE, max|TE|, MTIE and TDEV of the offset\n" \
    "      --mask=NAME         and its limits: G.8273.2-A to -D, PRTC-A, PRTC-B, ePRTC\n" \
    "      --tau0=TIME         between samples; else the interval of the Sync messages\n"

/* Whether the option is one of them. */
bool analysis_takes(int option);

/* Takes such an option, its value in optarg: CLI_OK, or CLI_USAGE after saying what is wrong. */
int analysis_take_option(struct analysis_options *options, int option);

#endif
