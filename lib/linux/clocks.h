/* SPDX-License-Identifier: MIT */
/* Reading PHC, CLOCK_MONOTONIC and CLOCK_REALTIME together. */
#ifndef PTPMON_LIB_LINUX_CLOCKS_H
#define PTPMON_LIB_LINUX_CLOCKS_H

#include <ptpmon.h>

/* phc_fd: an open /dev/ptpN, or -1: hw_timestamp_ns stays 0. The narrowest of several brackets is taken. */
ptpmon_status ptpmon_clocks_read(int phc_fd, PTP_CLOCKS_RECORD *clocks);

#endif
