/* SPDX-License-Identifier: MIT */
/* The JSON side of report.h; the members are described in docs/json.md. profile: NULL = none, and no member. */
#ifndef PTPMON_CLI_REPORT_JSON_H
#define PTPMON_CLI_REPORT_JSON_H

#include "report.h"

void report_json_start(const char *profile, const struct session_info *info);
void report_json_observation(const char *profile, const struct observation *observation);
void report_json_clocks(const char *profile, const char *interface, const PTP_CLOCKS_RECORD *clocks);
void report_json_loss(const char *profile, const struct loss *loss);
void report_json_warning(const char *profile, const char *interface, const char *message);
void report_json_end(const struct report_part *total, const struct report_parts_name *name,
                     const struct report_part *parts, size_t count);

#endif
