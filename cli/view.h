/* SPDX-License-Identifier: MIT */
/*
 * What watch and demo show: filters observations, counts and reports those that are shown. A view
 * has parts (interfaces, profiles of the demo), each with the sink of one session or recording.
 */
#ifndef PTPMON_CLI_VIEW_H
#define PTPMON_CLI_VIEW_H

#include "filter.h"
#include "order.h"
#include "replay.h"
#include "report.h"
#include "tally.h"

#define VIEW_PARTS_MAX 64 /* as many interfaces as a command takes, at least */

/* By then an observer has decided about a frame: its window of 1 s, the clocks it waits for, and what comes late; ns.
 */
#define VIEW_HOLD_NS UINT64_C(2500000000)

struct view_part {
    const char *name;
    struct sink sink; /* for session_open(), replay_run() */
    struct tally tally;
    bool compared; /* frames were captured too */
    bool has_info; /* a session's; recordings have none */
    struct session_info info;
    uint64_t elapsed_ns;
    struct view *view;
};

struct view {
    struct report *report;
    const struct filter *filter; /* NULL = everything */
    bool only_counts;            /* shows nothing: for a summary of its own */
    uint64_t limit;              /* observations shown at most, 0 = no limit; later ones are not counted either */
    uint64_t hold_ns;            /* how long observations are held to be shown in order of time; 0 = not at all */
    struct order held;
    struct tally sum; /* of all parts, where there are several */
    struct view_part *parts[VIEW_PARTS_MAX];
    size_t count;
};

/* The report and the filter must outlive the view. */
struct view *view_open(struct report *report, const struct filter *filter, uint64_t limit);
void view_close(struct view *view); /* with its parts */

/* `name` must outlive the view; at most VIEW_PARTS_MAX. */
struct view_part *view_add_part(struct view *view, const char *name);

/* Several interfaces are shown in order of time: call before the first observation, and view_release() now and then
 * with event time, at the end with UINT64_MAX. */
void view_hold(struct view *view);
void view_release(struct view *view, uint64_t event_time);

bool view_is_full(const struct view *view);

/* After session_stop(): takes over what the session counted. */
void view_part_end(struct view_part *part, struct session *session);

/* After replay_run(): likewise of a recording. */
void view_part_end_replay(struct view_part *part, const struct replay *replay);

/* For people: the summary of a part, and of all together. Nothing in JSON. */
void view_summarize_part(const struct view_part *part);
void view_summarize_total(const struct view *view, uint64_t elapsed_ns);

/* For programs: the summary line. Nothing for people. */
void view_end(const struct view *view, const struct report_parts_name *name, uint64_t elapsed_ns);

#endif
