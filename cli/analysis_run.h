/* SPDX-License-Identifier: MIT */
/*
 * An analysis that is shown: what comes from the observation points goes into an analyzer; its exchanges are written as
 * they are decided, its tables at the end. `analyze` and `watch --analyze` both speak through it.
 *
 *     analysis_open -> _add_point ... -> { _observe | _frame } ... -> _finish -> _report -> _close
 */
#ifndef PTPMON_CLI_ANALYSIS_RUN_H
#define PTPMON_CLI_ANALYSIS_RUN_H

#include "analysis_files.h"
#include "analysis_te.h"
#include "format.h"
#include "report.h"

#include <ptpmon_analysis.h>

/* How each exchange is written, if at all. */
enum analysis_form { ANALYSIS_NO_EXCHANGES, ANALYSIS_LINES, ANALYSIS_JSON, ANALYSIS_CSV };

struct analysis_options {
    ptpmon_analyzer_options analyzer;
    enum analysis_form exchanges;
    bool json;      /* the report: for programs */
    bool no_report; /* exchanges only */
    bool wide;
    enum report_time time;
    bool te;          /* time error */
    const char *mask; /* its limits, NULL = none */
    uint64_t tau0_ns; /* 0 = the interval of the Sync messages */
};

/* Where something was observed. */
struct analysis_point {
    char name[2 * PTPMON_NAME_MAX]; /* printable, and no other point has it */
    const char *capture, *events;   /* paths; NULL = none, or live */
    bool has_frames, has_events;    /* with frames alone, times are those of the capture */
    char host[256];                 /* "" = not known */
    int32_t phc_index;              /* -1 = none, or not known */
    bool has_alignment;
    ptpmon_alignment alignment;
    int64_t first_ns, last_ns; /* UTC or capture time of the first and the last that was seen; 0 = nothing */
};

#define ANALYSIS_FINDINGS_MAX 10000 /* kept for the report */

struct analysis {
    struct analysis_options options;
    ptpmon_analyzer *analyzer;
    struct analysis_point points[ANALYSIS_POINTS_MAX];
    size_t count;
    struct analysis_te *te; /* NULL: not wanted */
    ptpmon_finding *findings;
    size_t finding_count;
    uint64_t findings_left_out;
    unsigned waiting;              /* observations since exchanges were fetched */
    enum analysis_verdict verdict; /* of the masks; known after analysis_report() */
    bool has_events;               /* of any point */
    bool stopped;                  /* before the files' end: the report is of a part */
    uint64_t first_event_time;     /* of the first exchange; 0 = none yet */
};

/* On failure *analysis stays as it is. */
ptpmon_status analysis_open(const struct analysis_options *options, struct analysis **analysis);
void analysis_close(struct analysis *analysis); /* NULL is allowed */

/* `about` is copied; where its name is taken, `otherwise` is put behind it. */
ptpmon_status analysis_add_point(struct analysis *analysis, const struct analysis_point *about, const char *otherwise,
                                 uint32_t *point);

ptpmon_status analysis_observe(struct analysis *analysis, uint32_t point, const ptpmon_observation *observation);
ptpmon_status analysis_frame(struct analysis *analysis, uint32_t point, const ptpmon_frame *frame);

/* No more will come. */
ptpmon_status analysis_finish(struct analysis *analysis);

/* Tables for people, or lines for programs. */
void analysis_report(struct analysis *analysis);

/* After the report: something was computed, nothing was found or counted that should not be, and the limits of the
 * mask are kept; what could not be judged has not kept them. */
bool analysis_is_clean(const struct analysis *analysis);

/* Whether this is nothing to worry about, such as the wrap of a sequenceId. */
bool analysis_count_is_harmless(ptpmon_count count);

/* When it was, as the options say; "-" where it is not known. */
char *analysis_time_text(const struct analysis *analysis, int64_t realtime_ns, uint64_t event_time,
                         char text[static FORMAT_TIME_SIZE]);

#endif
