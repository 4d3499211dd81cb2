/* SPDX-License-Identifier: MIT */
#ifndef PTPMON_LIB_WINDOWS_CLOCKS_H
#define PTPMON_LIB_WINDOWS_CLOCKS_H

#include <ptpmon.h>

/* Ticks per second of the performance counter, and the count now. */
uint64_t ptpmon_counter_hz(void);
uint64_t ptpmon_counter_now(void);

/* UTC and performance counter together, as a record: the narrowest of several brackets. */
void ptpmon_counter_clocks(PTP_CLOCKS_RECORD *clocks);

#endif
