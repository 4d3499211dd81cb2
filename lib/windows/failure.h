/* SPDX-License-Identifier: MIT */
#ifndef PTPMON_LIB_WINDOWS_FAILURE_H
#define PTPMON_LIB_WINDOWS_FAILURE_H

#include <ptpmon.h>

/* ptpmon_fail() for a failed call of the system: "<object>: cannot <action>: <what Windows says>", with the status that
 * fits the number, which is one of GetLastError(). */
ptpmon_status ptpmon_fail_windows(const char *object, const char *action, unsigned long error);

#endif
