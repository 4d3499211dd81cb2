/* SPDX-License-Identifier: MIT */
/* What the library's other modules may ask of a correlator. */
#ifndef PTPMON_LIB_CORRELATOR_H
#define PTPMON_LIB_CORRELATOR_H

#include <ptpmon.h>

/* The software stamps of events are of another clock than captures have: that one equals a capture time is no proof of
 * anything. Before the first event. */
void ptpmon_correlator_ignore_stamps(ptpmon_correlator *correlator);

#endif
