/* SPDX-License-Identifier: MIT */
/* One exchange for programs: the members of docs/json.md, as JSON or as CSV. */
#ifndef PTPMON_CLI_ANALYSIS_EXCHANGE_H
#define PTPMON_CLI_ANALYSIS_EXCHANGE_H

#include <ptpmon_analysis.h>

/* `interface`: the name of the exchange's point. */
void analysis_exchange_json(const ptpmon_exchange *exchange, const char *interface);

/* The header line, and a line of it: the same members in the same order; what is not known is empty. */
void analysis_exchange_csv_header(void);
void analysis_exchange_csv(const ptpmon_exchange *exchange, const char *interface);

#endif
