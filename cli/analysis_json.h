/* SPDX-License-Identifier: MIT */
/* What an analysis found, for programs: the lines of docs/json.md. */
#ifndef PTPMON_CLI_ANALYSIS_JSON_H
#define PTPMON_CLI_ANALYSIS_JSON_H

#include "analysis_run.h"

/* One line for each point, series, asymmetry and time error, and at the end "analysis"; judges the time error. */
void analysis_json_report(struct analysis *analysis);

/* Single lines. `interface`: the point's name. */
void analysis_json_finding(const ptpmon_finding *finding, const char *interface);
void analysis_json_point(const struct analysis_point *point, uint32_t index, const ptpmon_analysis_counts *counts);
void analysis_json_series(const ptpmon_series *series, const char *interface);
void analysis_json_asymmetry(const ptpmon_asymmetry *asymmetry, const char *interface);
void analysis_json_time_error(const struct analysis_te_result *result, const char *mask, const char *interface);

/* The last line. */
struct analysis_totals {
    uint64_t messages, exchanges, computed;
    uint64_t counted; /* of what is not harmless */
};
void analysis_json_end(const struct analysis *analysis, const struct analysis_totals *totals);

#endif
