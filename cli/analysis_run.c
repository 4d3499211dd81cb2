/* SPDX-License-Identifier: MIT */
#include "analysis_run.h"

#include "analysis_exchange.h"
#include "analysis_json.h"
#include "analysis_report.h"
#include "cli.h"
#include "format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Asking after each observation would cost more than it brings. */
#define FETCH_EVERY 64

ptpmon_status analysis_open(const struct analysis_options *options, struct analysis **analysis)
{
    ptpmon_analyzer *analyzer;
    ptpmon_status status = ptpmon_analyzer_open(&options->analyzer, &analyzer);
    if (status != PTPMON_OK)
        return status;
    struct analysis *opened = cli_allocate(1, sizeof *opened);
    opened->options = *options;
    opened->analyzer = analyzer;
    opened->te = options->te ? analysis_te_open() : NULL;
    if (options->exchanges == ANALYSIS_CSV)
        analysis_exchange_csv_header();
    *analysis = opened;
    return PTPMON_OK;
}

void analysis_close(struct analysis *analysis)
{
    if (analysis == NULL)
        return;
    ptpmon_analyzer_close(analysis->analyzer);
    analysis_te_close(analysis->te);
    free(analysis->findings);
    free(analysis);
}

/* ---- Points ---- */

static bool is_taken(const struct analysis *analysis, const char *name)
{
    for (size_t i = 0; i < analysis->count; i++) {
        if (strcmp(analysis->points[i].name, name) == 0)
            return true;
    }
    return false;
}

static void name_point(const struct analysis *analysis, struct analysis_point *point, const char *otherwise)
{
    char raw[2 * PTPMON_NAME_MAX];
    format_printable(point->name, raw, sizeof raw);
    snprintf(point->name, sizeof point->name, "%s", raw);
    if (is_taken(analysis, point->name)) {
        char longer[2 * sizeof raw];
        snprintf(longer, sizeof longer, "%s (%s)", raw, otherwise);
        format_printable(longer, point->name, sizeof point->name);
    }
    for (size_t i = 2; is_taken(analysis, point->name); i++)
        snprintf(point->name, sizeof point->name, "%.*s (%zu)", (int)(sizeof raw - 24), raw, i);
}

ptpmon_status analysis_add_point(struct analysis *analysis, const struct analysis_point *about, const char *otherwise,
                                 uint32_t *point)
{
    if (analysis->count == ANALYSIS_POINTS_MAX)
        return PTPMON_INVALID;
    struct analysis_point *added = &analysis->points[analysis->count];
    *added = *about;
    name_point(analysis, added, otherwise);
    ptpmon_status status = ptpmon_analyzer_add_point(analysis->analyzer, added->name, point);
    if (status == PTPMON_OK)
        analysis->count++;
    analysis->has_events = analysis->has_events || about->has_events;
    return status;
}

static void saw(struct analysis_point *point, int64_t ns)
{
    if (point->first_ns == 0)
        point->first_ns = ns;
    if (ns > point->last_ns)
        point->last_ns = ns;
}

/* ---- What the analyzer gives ---- */

static void take_exchange(struct analysis *analysis, const ptpmon_exchange *exchange)
{
    const char *name = analysis->points[exchange->point].name;
    if (analysis->first_event_time == 0)
        analysis->first_event_time = exchange->event_time;
    if (analysis->te != NULL)
        analysis_te_add(analysis->te, exchange);
    switch (analysis->options.exchanges) {
    case ANALYSIS_LINES:
        analysis_report_exchange(analysis, exchange);
        break;
    case ANALYSIS_JSON:
        analysis_exchange_json(exchange, name);
        break;
    case ANALYSIS_CSV:
        analysis_exchange_csv(exchange, name);
        break;
    case ANALYSIS_NO_EXCHANGES:
        break;
    }
}

static void take_finding(struct analysis *analysis, const ptpmon_finding *finding)
{
    if (analysis->options.json && !analysis->options.no_report)
        analysis_json_finding(finding, analysis->points[finding->point].name);
    if (analysis->finding_count == ANALYSIS_FINDINGS_MAX) {
        analysis->findings_left_out++;
        return;
    }
    if (analysis->findings == NULL)
        analysis->findings = cli_allocate(ANALYSIS_FINDINGS_MAX, sizeof *analysis->findings);
    analysis->findings[analysis->finding_count++] = *finding;
}

/* A mere report needs no more than the event time of the first one, if there are events. */
static bool needs_exchanges(const struct analysis *analysis)
{
    return analysis->options.exchanges != ANALYSIS_NO_EXCHANGES || analysis->te != NULL ||
           (analysis->has_events && analysis->first_event_time == 0);
}

static void fetch(struct analysis *analysis)
{
    ptpmon_exchange exchange;
    ptpmon_finding finding;
    analysis->waiting = 0;
    while (needs_exchanges(analysis) && ptpmon_analyzer_next_exchange(analysis->analyzer, &exchange) == PTPMON_OK)
        take_exchange(analysis, &exchange);
    while (!needs_exchanges(analysis) && ptpmon_analyzer_next_exchange(analysis->analyzer, NULL) == PTPMON_OK)
        ;
    while (ptpmon_analyzer_next_finding(analysis->analyzer, &finding) == PTPMON_OK)
        take_finding(analysis, &finding);
}

static ptpmon_status taken(struct analysis *analysis, ptpmon_status status)
{
    if (++analysis->waiting >= FETCH_EVERY || analysis->options.exchanges == ANALYSIS_LINES)
        fetch(analysis);
    return status;
}

ptpmon_status analysis_observe(struct analysis *analysis, uint32_t point, const ptpmon_observation *observation)
{
    if (observation->kind == PTPMON_OBSERVED_MESSAGE && observation->has_realtime)
        saw(&analysis->points[point], observation->realtime_ns);
    return taken(analysis, ptpmon_analyzer_observe(analysis->analyzer, point, observation));
}

ptpmon_status analysis_frame(struct analysis *analysis, uint32_t point, const ptpmon_frame *frame)
{
    saw(&analysis->points[point], frame->time_ns);
    return taken(analysis, ptpmon_analyzer_frame(analysis->analyzer, point, frame));
}

ptpmon_status analysis_finish(struct analysis *analysis)
{
    ptpmon_status status = ptpmon_analyzer_finish(analysis->analyzer);
    fetch(analysis);
    return status;
}

/* ---- The end ---- */

void analysis_report(struct analysis *analysis)
{
    if (analysis->options.no_report)
        return;
    if (analysis->options.json)
        analysis_json_report(analysis);
    else
        analysis_report_tables(analysis);
}

bool analysis_count_is_harmless(ptpmon_count count)
{
    return count == PTPMON_COUNT_WRAPS || count == PTPMON_COUNT_FOLLOW_UP_FIRST || count == PTPMON_COUNT_FOREIGN;
}

static bool counts_are_clean(const ptpmon_analysis_counts *counts)
{
    for (ptpmon_count i = 0; i < PTPMON_COUNTS; i++) {
        if (counts->counts[i] > 0 && !analysis_count_is_harmless(i))
            return false;
    }
    return true;
}

bool analysis_is_clean(const struct analysis *analysis)
{
    uint64_t computed = 0;
    for (uint32_t point = 0; point < analysis->count; point++) {
        ptpmon_analysis_counts counts;
        if (ptpmon_analyzer_counts(analysis->analyzer, point, &counts) != PTPMON_OK || !counts_are_clean(&counts))
            return false;
        for (int kind = 0; kind < PTPMON_EXCHANGE_KINDS; kind++)
            computed += counts.computed[kind];
    }
    if (analysis->stopped)
        return false;
    bool keeps_mask = analysis->options.mask == NULL || analysis->verdict == ANALYSIS_WITHIN;
    return computed > 0 && analysis->finding_count == 0 && keeps_mask;
}

char *analysis_time_text(const struct analysis *analysis, int64_t realtime_ns, uint64_t event_time,
                         char text[static FORMAT_TIME_SIZE])
{
    enum report_time form = analysis->options.time;
    bool has_event = event_time != 0 && event_time <= INT64_MAX;
    if (form == TIME_MONOTONIC && has_event)
        return format_seconds((int64_t)event_time, text);
    if (form == TIME_RELATIVE && has_event && analysis->first_event_time <= INT64_MAX)
        return format_seconds((int64_t)event_time - (int64_t)analysis->first_event_time, text);
    if (form == TIME_MONOTONIC || form == TIME_RELATIVE || realtime_ns == INT64_MIN)
        return strcpy(text, "-");
    return format_time_of_day(realtime_ns, form == TIME_LOCAL, text);
}
