/* SPDX-License-Identifier: MIT */
#include "analysis_arguments.h"

#include "analysis_format.h"
#include "cli.h"

#include <stdio.h>

#define WINDOW_MAX_NS ((uint64_t)30 * NS_PER_S)
#define LEAST_TAU0_NS ((uint64_t)NS_PER_MS)

bool analysis_takes(int option)
{
    return option >= OPTION_ANALYSIS_WINDOW && option < OPTION_ANALYSIS_END;
}

static int take_stamps(struct analysis_options *options)
{
    static const char *const names[] = {"hardware", "software", "capture", NULL};
    static const ptpmon_stamp_kind kinds[] = {PTPMON_STAMP_HARDWARE, PTPMON_STAMP_SOFTWARE, PTPMON_STAMP_CAPTURE};
    int choice = cli_parse_choice(optarg, names);
    if (choice >= 0)
        options->analyzer.stamps = kinds[choice];
    return options_expect(choice >= 0, "stamps", optarg, "one of hardware, software, capture");
}

static int take_mask(struct analysis_options *options)
{
    const char *names[16] = {NULL};
    for (size_t i = 0; i + 1 < sizeof names / sizeof *names && ptpmon_te_mask_name(i) != NULL; i++)
        names[i] = ptpmon_te_mask_name(i);
    int choice = cli_parse_choice(optarg, names);
    if (choice >= 0)
        options->mask = names[choice];
    options->te = true;
    return options_expect(choice >= 0, "mask", optarg,
                          "one of G.8273.2-A, G.8273.2-B, G.8273.2-C, G.8273.2-D, PRTC-A, PRTC-B, ePRTC");
}

static int take_number(struct analysis_options *options)
{
    char expected[64];
    uint64_t count = 0;
    bool fits = cli_parse_number(optarg, 1, PTPMON_DELAY_FILTER_MAX, &count);
    options->analyzer.delay_filter = (uint32_t)count;
    snprintf(expected, sizeof expected, "a number of delays, 1 to %d", PTPMON_DELAY_FILTER_MAX);
    return options_expect(fits, "delay-filter", optarg, expected);
}

int analysis_take_option(struct analysis_options *options, int option)
{
    uint64_t *window_ns = &options->analyzer.window_ns;
    switch (option) {
    case OPTION_STAMPS:
        return take_stamps(options);
    case OPTION_ANALYSIS_WINDOW:
        return options_expect(cli_parse_duration(optarg, window_ns) && *window_ns <= WINDOW_MAX_NS, "window", optarg,
                              "a time of 30s at most, such as 1s or 200ms");
    case OPTION_DELAY_FILTER:
        return take_number(options);
    case OPTION_SAME_CLOCK:
        options->analyzer.points_share_clock = true;
        return CLI_OK;
    case OPTION_TRUE_OFFSET:
        options->analyzer.has_true_offset = true;
        return options_expect(analysis_parse_ns(optarg, &options->analyzer.true_offset), "true-offset", optarg,
                              "a number of ns, such as 1000 or -12.5");
    case OPTION_MASK:
        return take_mask(options);
    case OPTION_TAU0:
        options->te = true;
        return options_expect(cli_parse_duration(optarg, &options->tau0_ns) && options->tau0_ns >= LEAST_TAU0_NS,
                              "tau0", optarg, "a time of 1ms or more, such as 125ms or 1s");
    default:
        options->te = true;
        return CLI_OK;
    }
}
