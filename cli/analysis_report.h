/* SPDX-License-Identifier: MIT */
/* What an analysis found, for people. */
#ifndef PTPMON_CLI_ANALYSIS_REPORT_H
#define PTPMON_CLI_ANALYSIS_REPORT_H

#include "analysis_run.h"

/* A line for one exchange that says something about the clocks or the path; nothing for others. */
void analysis_report_exchange(const struct analysis *analysis, const ptpmon_exchange *exchange);

/* The tables; judges the time error. */
void analysis_report_tables(struct analysis *analysis);

#endif
