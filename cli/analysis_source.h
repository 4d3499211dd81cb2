/* SPDX-License-Identifier: MIT */
/*
 * The files of one observation point, read for an analysis: a capture, events, or both. Several sources are read in
 * turn, the one that is furthest behind first.
 *
 *     analysis_source_open -> { _time, _pass } ... -> _end -> _close
 */
#ifndef PTPMON_CLI_ANALYSIS_SOURCE_H
#define PTPMON_CLI_ANALYSIS_SOURCE_H

#include "analysis_run.h"
#include "filter.h"

struct analysis_source_options {
    ptpmon_observer_options observer;
    const struct filter *filter; /* domainNumbers; NULL = all */
};

struct analysis_source;

/* Opens the files and adds their point to the analysis; a capture alone adds one for each interface that it has frames
 * of, when the first of them comes. Those that follow in further sets are read after them, as the same points. `files`
 * and `options` must outlive the source. On failure says why and returns an exit code; CLI_OK: there is a source. */
int analysis_source_open(const struct analysis_pair *files, const struct analysis_source_options *options,
                         struct analysis *analysis, struct analysis_source **source);
void analysis_source_close(struct analysis_source *source); /* NULL is allowed */

/* UTC or capture time of what comes next, never less than before; false: nothing more will come. */
bool analysis_source_time(const struct analysis_source *source, int64_t *time_ns);

/* Gives the analysis what is next, and what follows, as long as its time is not beyond `until_ns`; at most *room, which
 * becomes less by what was given. What fails of the files is said on standard error. */
ptpmon_status analysis_source_pass(struct analysis_source *source, struct analysis *analysis, int64_t until_ns,
                                   size_t *room);

/* All has been read: takes over what is known now. Returns CLI_OK, or the exit code of the first failure. */
int analysis_source_end(struct analysis_source *source, struct analysis *analysis);

/* 0..1, about: how far it has been read. */
double analysis_source_share(const struct analysis_source *source);
/* Messages, and other frames, so far. */
uint64_t analysis_source_count(const struct analysis_source *source);

#endif
