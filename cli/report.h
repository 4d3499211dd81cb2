/* SPDX-License-Identifier: MIT */
/*
 * Shows what was observed: as a table for people or as JSON Lines, to the same calls. watch, demo
 * and the recorded demo all speak through it.
 */
#ifndef PTPMON_CLI_REPORT_H
#define PTPMON_CLI_REPORT_H

#include "cli.h"
#include "session.h"
#include "tally.h"

enum report_time { TIME_LOCAL, TIME_UTC, TIME_MONOTONIC, TIME_RELATIVE };
extern const char *const report_time_names[]; /* in this order; ends with NULL */

/* How a number of the NIC's clock is shown: as it is, or as a date on the scale that the user says the clock keeps. */
enum report_phc { PHC_RAW, PHC_TAI, PHC_UTC };
extern const char *const report_phc_names[];

struct report_options {
    bool json;
    bool wide;              /* all columns, even where the terminal is too narrow */
    bool nic_stamps;        /* columns for what only a NIC's clock gives */
    size_t interface_width; /* of the column for the interface, 0 = none */
    enum report_time time;
    enum report_phc phc;
};

struct report;

struct report *report_open(const struct report_options *options);
void report_close(struct report *report);

/* The demo's profile that what follows belongs to, NULL = none; static storage. A table begins anew. */
void report_set_profile(struct report *report, const char *profile);

/* Before the first observation: whether frames are captured too. Decides about columns; true after report_open(). */
void report_set_compared(struct report *report, bool compared);

/* A sentence: on standard error, and in JSON a "warning" line too. interface may be NULL. */
void report_warning(struct report *report, const char *interface, const char *format, ...) CLI_PRINTF(3, 4);

/* Text for people on standard output; nothing in JSON. */
void report_text(struct report *report, const char *format, ...) CLI_PRINTF(2, 3);

void report_start(struct report *report, const struct session_info *info);

/* correlate: what is read. */
struct report_recording {
    const char *capture_path, *events_path;
    const PTP_RECORDING_HEADER *header;
    uint64_t from, to;          /* event time */
    ptpmon_alignment alignment; /* as far as it is known when reading begins */
};
void report_recording(struct report *report, const struct report_recording *recording);
/* ... and what became of the clocks, once all is read. */
void report_alignment(struct report *report, const ptpmon_alignment *alignment);

void report_observation(struct report *report, const ptpmon_observation *observation);

/* One interface or one profile of the demo. */
struct report_part {
    const char *name;
    const struct session_info *info; /* NULL = none: a recording */
    const struct tally *tally;
    bool compared; /* frames were captured too */
    uint64_t elapsed_ns;
};

/* For people: the summary of one part. */
void report_part(struct report *report, const struct report_part *part);

/* What parts are: the name of their array in JSON ("interfaces") and of the member that names one ("interface"). */
struct report_parts_name {
    const char *array, *member;
};

/* For programs: the last line, with all parts together (`total`) and each. */
void report_end(struct report *report, const struct report_part *total, const struct report_parts_name *name,
                const struct report_part *parts, size_t count);

#endif
