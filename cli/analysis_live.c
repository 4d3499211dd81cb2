/* SPDX-License-Identifier: MIT */
#include "analysis_live.h"

#include "cli.h"
#include "time_heap.h"

#include <stdio.h>
#include <stdlib.h>

struct held {
    uint32_t point;
    ptpmon_observation observation;
};

struct analysis_live {
    struct analysis *analysis;
    const struct filter *filter;
    uint64_t hold_ns;
    struct time_heap held;
    ptpmon_status failure; /* nothing is analyzed after one */
};

ptpmon_status analysis_live_open(const struct analysis_options *options, const struct filter *filter, uint64_t hold_ns,
                                 struct analysis_live **live)
{
    struct analysis *analysis;
    ptpmon_status status = analysis_open(options, &analysis);
    if (status != PTPMON_OK)
        return status;
    *live = cli_allocate(1, sizeof **live);
    (*live)->analysis = analysis;
    (*live)->filter = filter;
    (*live)->hold_ns = hold_ns;
    return PTPMON_OK;
}

void analysis_live_close(struct analysis_live *live)
{
    struct held *held;
    if (live == NULL)
        return;
    while ((held = time_heap_take(&live->held, UINT64_MAX)) != NULL)
        free(held);
    time_heap_free(&live->held);
    analysis_close(live->analysis);
    free(live);
}

ptpmon_status analysis_live_add(struct analysis_live *live, const char *interface, bool captures, int32_t phc_index,
                                uint32_t *point)
{
    struct analysis_point about = {.has_events = true, .has_frames = captures, .phc_index = phc_index};
    snprintf(about.name, sizeof about.name, "%s", interface);
    return analysis_add_point(live->analysis, &about, "again", point);
}

static void pass(struct analysis_live *live, uint32_t point, const ptpmon_observation *observation)
{
    if (live->failure != PTPMON_OK)
        return;
    live->failure = analysis_observe(live->analysis, point, observation);
    if (live->failure != PTPMON_OK)
        cli_library_error(live->failure);
}

void analysis_live_observe(struct analysis_live *live, uint32_t point, const ptpmon_observation *observation)
{
    const struct filter *filter = live->filter;
    bool is_message = observation->kind == PTPMON_OBSERVED_MESSAGE;
    if (is_message && !filter_analyzes(filter, ptpmon_observation_identity(observation)))
        return;
    if (live->hold_ns == 0) {
        pass(live, point, observation);
        return;
    }
    struct held *held = cli_allocate(1, sizeof *held);
    *held = (struct held){point, *observation};
    time_heap_add(&live->held, ptpmon_observation_event_time(observation), held);
}

void analysis_live_release(struct analysis_live *live, uint64_t event_time)
{
    struct held *held;
    if (event_time < live->hold_ns)
        return;
    uint64_t until = event_time == UINT64_MAX ? event_time : event_time - live->hold_ns;
    while ((held = time_heap_take(&live->held, until)) != NULL) {
        pass(live, held->point, &held->observation);
        free(held);
    }
}

ptpmon_status analysis_live_finish(struct analysis_live *live)
{
    analysis_live_release(live, UINT64_MAX);
    return cli_first_failure(live->failure, analysis_finish(live->analysis));
}

void analysis_live_report(struct analysis_live *live)
{
    analysis_report(live->analysis);
}
