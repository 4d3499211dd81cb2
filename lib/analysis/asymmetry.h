/* SPDX-License-Identifier: MIT */
/*
 * Asymmetry of paths and links, of each pair of ports (ptpmon_analysis.h): delay floors of both directions, changes of
 * one of them, and by which method the asymmetry can be told. At most PTPMON_PAIRS_MAX pairs; further ones are not
 * looked at.
 */
#ifndef PTPMON_LIB_ANALYSIS_ASYMMETRY_H
#define PTPMON_LIB_ANALYSIS_ASYMMETRY_H

#include "analysis/statistics.h"

#define PTPMON_PAIRS_MAX 256

struct ptpmon_asymmetries;

/* options as for ptpmon_statistics_set_open(). */
ptpmon_status ptpmon_asymmetries_open(const struct ptpmon_statistics_options *options,
                                      struct ptpmon_asymmetries **asymmetries);
void ptpmon_asymmetries_close(struct ptpmon_asymmetries *asymmetries); /* NULL is allowed */

ptpmon_status ptpmon_asymmetries_exchange(struct ptpmon_asymmetries *asymmetries, const ptpmon_exchange *exchange);
/* FORWARD_CHANGE, REVERSE_CHANGE; NOTHING: none. */
ptpmon_status ptpmon_asymmetries_finding(struct ptpmon_asymmetries *asymmetries, ptpmon_finding *finding);

/* Pairs of which both directions are known, in order of their first exchange. */
size_t ptpmon_asymmetries_count(const struct ptpmon_asymmetries *asymmetries);
ptpmon_status ptpmon_asymmetries_get(const struct ptpmon_asymmetries *asymmetries, size_t index,
                                     ptpmon_asymmetry *asymmetry);

#endif
