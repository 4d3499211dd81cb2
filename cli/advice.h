/* SPDX-License-Identifier: MIT */
/* What a person should know about the interfaces that are watched or recorded: warnings, in time. */
#ifndef PTPMON_CLI_ADVICE_H
#define PTPMON_CLI_ADVICE_H

#include "report.h"

/* NULL = not listed. */
const ptpmon_interface *advice_find(const ptpmon_interface *list, size_t count, const char *name);

/* Before it begins. interface may be NULL: it is not listed. */
void advise_before(struct report *report, const char *name, const ptpmon_interface *interface,
                   const ptpmon_monitor_options *options);

/* Once it runs. */
void advise_running(struct report *report, const char *name, const ptpmon_interface *interface,
                    const ptpmon_monitor_options *options, const ptpmon_monitor_info *info);

#endif
