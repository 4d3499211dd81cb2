/* SPDX-License-Identifier: MIT */
/* What the library's other modules may know of a monitor. */
#ifndef PTPMON_LIB_MONITOR_H
#define PTPMON_LIB_MONITOR_H

#include "timebase.h"

#include <ptpmon.h>

/* The interface's name or the recording's path, for messages; lives as long as the monitor. */
const char *ptpmon_monitor_name(const ptpmon_monitor *monitor);

/* Of the records, which the records door gives as they are. */
const struct ptpmon_timebase *ptpmon_monitor_timebase(const ptpmon_monitor *monitor);

#endif
