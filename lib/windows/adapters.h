/* SPDX-License-Identifier: MIT */
/* The network adapters with Ethernet framing, and the names that one of them goes by. */
#ifndef PTPMON_LIB_WINDOWS_ADAPTERS_H
#define PTPMON_LIB_WINDOWS_ADAPTERS_H

#include <ptpmon.h>

struct ptpmon_adapter {
    uint64_t luid; /* stays the adapter's, also when it is reset */
    ptpmon_interface interface;
};

/* By index; to be freed. Errors: NO_MEMORY, IO. */
ptpmon_status ptpmon_adapters(struct ptpmon_adapter **list, size_t *count);

/*
 * By any of its names: as it is shown ("Ethernet 2"), description, GUID with or without braces, index, Npcap's name
 * (\Device\NPF_{GUID}). Letters may be of either case. Errors: NO_INTERFACE (none, or several are described so).
 */
ptpmon_status ptpmon_adapter_find(const char *name, struct ptpmon_adapter *found);

/* False: no adapter has this LUID (any more). */
bool ptpmon_adapter_is_there(uint64_t luid);

/* Host and run of it, for recordings and captures: "" = not known. */
void ptpmon_host_describe(char *host, size_t host_size, char *boot_id, size_t boot_id_size);

#endif
