/* SPDX-License-Identifier: MIT */
/*
 * Observes a recording: its events, and a capture of its time.
 *
 *     replay_open -> { replay_run | replay_next ... } -> replay_close
 */
#ifndef PTPMON_CLI_REPLAY_H
#define PTPMON_CLI_REPLAY_H

#include "session.h"

struct replay;

/* Whether the file holds events; one that cannot be read does not, and opening it will say why. Nor does a pipe: what
 * was read of it to see would be gone. */
bool replay_is_events_file(const char *path);

/* Opening relates the clocks. capture_path NULL: events alone. options may be NULL. */
ptpmon_status replay_open(const char *capture_path, const char *events_path, const ptpmon_observer_options *options,
                          struct replay **replay);
void replay_close(struct replay *replay); /* NULL is allowed */

/* Lives as long as the replay. */
const PTP_RECORDING_HEADER *replay_header(const struct replay *replay);
/* As far as it is known by now: complete after replay_run(). */
void replay_alignment(const struct replay *replay, ptpmon_alignment *alignment);

struct replay_counts {
    uint64_t from, to;                       /* event time, of the recording */
    uint64_t dropped_events, dropped_frames; /* as far as it was read */
};
ptpmon_status replay_counts(const struct replay *replay, struct replay_counts *counts);

/* The next observation. A failure is said on standard error, and what is left is still told; END: that was all. */
ptpmon_status replay_next(struct replay *replay, ptpmon_observation *observation);

/* Tells the sink what there is, until the end or until go_on() says no; that is asked before each. A failure is said on
 * standard error, and returned when what is left has been told. */
ptpmon_status replay_run(struct replay *replay, const struct sink *sink, bool (*go_on)(void *context), void *context);

#endif
