/* SPDX-License-Identifier: MIT */
/* The JSON side of report.h; the members are described in docs/json.md. profile: NULL = none, and no member. */
#ifndef PTPMON_CLI_REPORT_JSON_H
#define PTPMON_CLI_REPORT_JSON_H

#include "recorder.h"
#include "report.h"

void report_json_start(const char *profile, const struct session_info *info);
void report_json_observation(const char *profile, const ptpmon_observation *observation);
void report_json_warning(const char *profile, const char *interface, const char *message);
void report_json_end(const struct report_part *total, const struct report_parts_name *name,
                     const struct report_part *parts, size_t count);

/* record: the files of a set, and the last line. */
struct report_recorded {
    const struct session_info *info; /* of an interface */
    struct recorder_counts counts;
};
void report_json_files(const struct recording_names *names, unsigned set);
void report_json_recorded(const struct recorder_counts *total, const struct report_recorded *parts, size_t count);

/* correlate: the first line, and what became of the clocks. */
void report_json_recording(const struct report_recording *recording);
void report_json_alignment(const ptpmon_alignment *alignment);
/* "system", "other", "assumed" */
const char *report_json_clock(ptpmon_capture_clock clock);

#endif
