/* SPDX-License-Identifier: MIT */
#include "advice.h"

#include "format.h"

#include <stdio.h>
#include <string.h>

/* The names that the library takes, but letters of other alphabets, which here must be of the same case. */
static bool is_called(const ptpmon_interface *interface, const char *name)
{
    char index[16], npcap_name[64];
    snprintf(index, sizeof index, "%u", interface->index);
    snprintf(npcap_name, sizeof npcap_name, "\\Device\\NPF_%s", interface->guid);
    size_t inner = strlen(interface->guid) - 2;
    return _stricmp(name, interface->name) == 0 || _stricmp(name, interface->description) == 0 ||
           _stricmp(name, interface->guid) == 0 || _stricmp(name, npcap_name) == 0 || strcmp(name, index) == 0 ||
           (strlen(name) == inner && _strnicmp(name, interface->guid + 1, inner) == 0);
}

const ptpmon_interface *advice_find(const ptpmon_interface *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (is_called(&list[i], name))
            return &list[i];
    }
    return NULL;
}

void advise_before(struct report *report, const char *name, const ptpmon_interface *interface,
                   const ptpmon_monitor_options *options)
{
    (void)options;
    if (interface == NULL)
        return;
    bool can_stamp = (interface->stamping & PTPMON_CAN_RX_HARDWARE) != 0;
    bool stamps = (interface->stamping & PTPMON_ON_RX_HARDWARE) != 0;
    if (can_stamp && !stamps)
        report_warning(report, name,
                       "the NIC's stamping is off; the adapter's advanced properties switch it on (`PTP Hardware "
                       "Timestamp`)");
    if (stamps && (interface->stamping & PTPMON_CAN_RX_HW_ALL) == 0)
        report_warning(report, name, "the NIC stamps PTP over UDP only; PTP over Ethernet gets no NIC stamps");
}

void advise_running(struct report *report, const char *name, const ptpmon_interface *interface,
                    const ptpmon_monitor_options *options, const ptpmon_monitor_info *info)
{
    (void)options;
    (void)info;
    if (interface != NULL && !interface->up)
        report_warning(report, name, "is down or has no link; no frame passes until that changes");
}
