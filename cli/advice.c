/* SPDX-License-Identifier: MIT */
#include "advice.h"

#include "format.h"

#include <string.h>

const ptpmon_interface *advice_find(const ptpmon_interface *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i].name, name) == 0)
            return &list[i];
    }
    return NULL;
}

void advise_before(struct report *report, const char *name, const ptpmon_interface *interface,
                   const ptpmon_monitor_options *options)
{
    if (interface == NULL)
        return;
    bool can_stamp = (interface->stamping & PTPMON_CAN_RX_HARDWARE) != 0;
    bool stamps = (interface->stamping & PTPMON_ON_RX_HARDWARE) != 0;
    bool switched_on = (options->flags & PTPMON_HW_STAMPS) != 0;
    if (interface->prefer_lower)
        report_warning(report, name, "is a %s; the frames pass the card, and are stamped, in %s: name that",
                       format_interface_kind(interface->kind), interface->lower);
    if (can_stamp && !stamps && !switched_on)
        report_warning(report, name,
                       "the NIC's stamping is off; --enable-hw-stamps switches it on and restores it at the end");
}

void advise_running(struct report *report, const char *name, const ptpmon_interface *interface,
                    const ptpmon_monitor_options *options, const ptpmon_monitor_info *info)
{
    bool tracing = (options->flags & PTPMON_NO_TRACING) == 0;
    if (interface != NULL && !interface->up)
        report_warning(report, name, "is down or has no link; no frame passes until that changes");
    if (tracing && strcmp(info->tx_stamps, "none") == 0)
        report_warning(report, name,
                       "no TX stamps and no TX queue: the kernel's tracing is not to be had (CAP_PERFMON, BTF)");
}
