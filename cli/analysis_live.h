/* SPDX-License-Identifier: MIT */
/*
 * An analysis of what is being watched. With several interfaces their observations are held for a while, so that they
 * come in order of time.
 *
 *     analysis_live_open -> { _add } ... -> { _observe, _release } ... -> _finish -> _report -> _close
 */
#ifndef PTPMON_CLI_ANALYSIS_LIVE_H
#define PTPMON_CLI_ANALYSIS_LIVE_H

#include "analysis_run.h"
#include "filter.h"
#include "session.h"

struct analysis_live;

/* `filter`: of its criteria the domainNumbers count, for the others would take messages out of their exchanges. It and
 * the options must outlive the analysis. hold_ns: 0 = one interface. */
ptpmon_status analysis_live_open(const struct analysis_options *options, const struct filter *filter, uint64_t hold_ns,
                                 struct analysis_live **live);
void analysis_live_close(struct analysis_live *live); /* NULL is allowed */

/* An interface; due before its first observation. */
ptpmon_status analysis_live_add(struct analysis_live *live, const char *interface, bool captures, int32_t phc_index,
                                uint32_t *point);

void analysis_live_observe(struct analysis_live *live, uint32_t point, const ptpmon_observation *observation);

/* Now and then with event time. */
void analysis_live_release(struct analysis_live *live, uint64_t event_time);

/* Nothing more will come. Returns the first failure of the analysis, or OK. */
ptpmon_status analysis_live_finish(struct analysis_live *live);
void analysis_live_report(struct analysis_live *live);

#endif
