/* SPDX-License-Identifier: MIT */
#include "error.h"
#include "windows/adapters.h"
#include "windows/failure.h"
#include "windows/wide.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <winsock2.h>

#include <ws2tcpip.h>

#include <iphlpapi.h>
#include <windows.h>
#undef interface /* which those headers make another word for struct */

/* ---- What an adapter can stamp --------------------------------------------------------------- */

/* As iphlpapi.h of the newest systems has them (Windows 11, Server 2022); older ones lack the functions. */
struct timestamp_capabilities {
    ULONG64 HardwareClockFrequencyHz;
    BOOLEAN SupportsCrossTimestamp;
    struct {
        BOOLEAN PtpV2OverUdpIPv4EventMessageReceive, PtpV2OverUdpIPv4AllMessageReceive;
        BOOLEAN PtpV2OverUdpIPv4EventMessageTransmit, PtpV2OverUdpIPv4AllMessageTransmit;
        BOOLEAN PtpV2OverUdpIPv6EventMessageReceive, PtpV2OverUdpIPv6AllMessageReceive;
        BOOLEAN PtpV2OverUdpIPv6EventMessageTransmit, PtpV2OverUdpIPv6AllMessageTransmit;
        BOOLEAN AllReceive, AllTransmit, TaggedTransmit;
    } HardwareCapabilities;
    struct {
        BOOLEAN AllReceive, AllTransmit, TaggedTransmit;
    } SoftwareCapabilities;
};
_Static_assert(sizeof(struct timestamp_capabilities) == 24, "ABI");

typedef DWORD(WINAPI *query_capabilities)(const NET_LUID *luid, struct timestamp_capabilities *capabilities);

struct capability_queries {
    query_capabilities supported, active;
};

static query_capabilities find_query(HMODULE library, const char *name)
{
    query_capabilities query = NULL;
    FARPROC found = library != NULL ? GetProcAddress(library, name) : NULL;
    memcpy(&query, &found, sizeof query);
    return query;
}

static struct capability_queries find_queries(void)
{
    HMODULE library = GetModuleHandleW(L"iphlpapi.dll");
    return (struct capability_queries){
        .supported = find_query(library, "GetInterfaceSupportedTimestampCapabilities"),
        .active = find_query(library, "GetInterfaceActiveTimestampCapabilities"),
    };
}

/* Of frames with EtherType 0x88F7 no promise of PTP over UDP says anything. */
static uint32_t bits_of_supported(const struct timestamp_capabilities *can)
{
    uint32_t bits = 0;
    bool udp_rx = can->HardwareCapabilities.PtpV2OverUdpIPv4EventMessageReceive ||
                  can->HardwareCapabilities.PtpV2OverUdpIPv6EventMessageReceive ||
                  can->HardwareCapabilities.PtpV2OverUdpIPv4AllMessageReceive ||
                  can->HardwareCapabilities.PtpV2OverUdpIPv6AllMessageReceive;
    bool udp_tx = can->HardwareCapabilities.PtpV2OverUdpIPv4EventMessageTransmit ||
                  can->HardwareCapabilities.PtpV2OverUdpIPv6EventMessageTransmit ||
                  can->HardwareCapabilities.PtpV2OverUdpIPv4AllMessageTransmit ||
                  can->HardwareCapabilities.PtpV2OverUdpIPv6AllMessageTransmit;
    if (can->HardwareCapabilities.AllReceive)
        bits |= PTPMON_CAN_RX_HARDWARE | PTPMON_CAN_RX_HW_ALL;
    if (udp_rx)
        bits |= PTPMON_CAN_RX_HARDWARE | PTPMON_CAN_RX_HW_PTP_UDP;
    if (can->HardwareCapabilities.AllTransmit)
        bits |= PTPMON_CAN_TX_HARDWARE | PTPMON_CAN_TX_HW_ALL;
    if (can->HardwareCapabilities.TaggedTransmit)
        bits |= PTPMON_CAN_TX_HARDWARE | PTPMON_CAN_TX_HW_ASKED;
    if (udp_tx)
        bits |= PTPMON_CAN_TX_HARDWARE | PTPMON_CAN_TX_HW_PTP_UDP;
    if (can->SoftwareCapabilities.AllReceive)
        bits |= PTPMON_CAN_RX_SOFTWARE;
    if (can->SoftwareCapabilities.AllTransmit || can->SoftwareCapabilities.TaggedTransmit)
        bits |= PTPMON_CAN_TX_SOFTWARE;
    return bits;
}

static uint32_t stamping_of(const struct capability_queries *queries, const NET_LUID *luid)
{
    struct timestamp_capabilities capabilities;
    uint32_t bits = 0, active = 0;
    if (queries->supported != NULL && queries->supported(luid, &capabilities) == NO_ERROR)
        bits = bits_of_supported(&capabilities);
    if (queries->active != NULL && queries->active(luid, &capabilities) == NO_ERROR)
        active = bits_of_supported(&capabilities);
    if (active & PTPMON_CAN_RX_HARDWARE)
        bits |= PTPMON_ON_RX_HARDWARE;
    if (active & PTPMON_CAN_TX_HARDWARE)
        bits |= PTPMON_ON_TX_HARDWARE;
    return bits;
}

/* ---- Adapters ------------------------------------------------------------------------------ */

static ptpmon_status no_memory(void)
{
    return ptpmon_fail(PTPMON_NO_MEMORY, "no memory for the list of interfaces; close other programs");
}

/* The filters between an adapter and its protocols have rows of their own. */
static bool is_ethernet(const MIB_IF_ROW2 *row)
{
    bool framed = row->Type == IF_TYPE_ETHERNET_CSMACD || row->Type == IF_TYPE_IEEE80211;
    return framed && !row->InterfaceAndOperStatusFlags.FilterInterface && row->PhysicalAddressLength == 6;
}

static void copy_name(char to[static PTPMON_NAME_MAX], const wchar_t *from)
{
    char *name = ptpmon_utf8(from);
    snprintf(to, PTPMON_NAME_MAX, "%s", name != NULL ? name : "");
    free(name);
}

static void write_guid(char text[static 40], const GUID *guid)
{
    const unsigned char *d = guid->Data4;
    snprintf(text, 40, "{%08lX-%04X-%04X-%02X%02X-%02X%02X%02X%02X%02X%02X}", guid->Data1, guid->Data2, guid->Data3,
             d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7]);
}

static void describe(const MIB_IF_ROW2 *row, const struct capability_queries *queries, struct ptpmon_adapter *adapter)
{
    ptpmon_interface *interface = &adapter->interface;
    adapter->luid = row->InterfaceLuid.Value;
    copy_name(interface->name, row->Alias);
    copy_name(interface->description, row->Description);
    write_guid(interface->guid, &row->InterfaceGuid);
    memcpy(interface->mac, row->PhysicalAddress, sizeof interface->mac);
    interface->index = row->InterfaceIndex;
    interface->up = row->OperStatus == IfOperStatusUp;
    interface->kind = row->InterfaceAndOperStatusFlags.HardwareInterface && row->Type == IF_TYPE_ETHERNET_CSMACD
                          ? PTPMON_KIND_ETHERNET
                          : PTPMON_KIND_OTHER;
    interface->stamping = stamping_of(queries, &row->InterfaceLuid);
    interface->phc_index = -1;
}

static int by_index(const void *one, const void *other)
{
    uint32_t a = ((const struct ptpmon_adapter *)one)->interface.index;
    uint32_t b = ((const struct ptpmon_adapter *)other)->interface.index;
    return (a > b) - (a < b);
}

ptpmon_status ptpmon_adapters(struct ptpmon_adapter **list, size_t *count)
{
    const struct capability_queries queries = find_queries();
    MIB_IF_TABLE2 *table;
    DWORD error = GetIfTable2(&table);
    if (error != NO_ERROR)
        return ptpmon_fail_windows("interfaces", "list them", error);
    struct ptpmon_adapter *adapters = calloc(table->NumEntries + 1, sizeof *adapters);
    size_t found = 0;
    for (ULONG i = 0; adapters != NULL && i < table->NumEntries; i++) {
        if (is_ethernet(&table->Table[i]))
            describe(&table->Table[i], &queries, &adapters[found++]);
    }
    FreeMibTable(table);
    if (adapters == NULL)
        return no_memory();
    qsort(adapters, found, sizeof *adapters, by_index);
    *list = adapters;
    *count = found;
    return PTPMON_OK;
}

bool ptpmon_adapter_is_there(uint64_t luid)
{
    MIB_IF_ROW2 row = {.InterfaceLuid.Value = luid};
    return GetIfEntry2(&row) == NO_ERROR;
}

/* ---- Names --------------------------------------------------------------------------------- */

/* Letters of any alphabet; a name that is not UTF-8 equals none. */
static bool same_words(const char *a, const char *b)
{
    wchar_t *wide_a = ptpmon_wide(a), *wide_b = ptpmon_wide(b);
    bool same = wide_a != NULL && wide_b != NULL && CompareStringOrdinal(wide_a, -1, wide_b, -1, TRUE) == CSTR_EQUAL;
    free(wide_a);
    free(wide_b);
    return same;
}

/* "{...}", "..." without braces, "\Device\NPF_{...}". */
static bool is_guid(const char *name, const char *guid)
{
    static const char npf[] = "\\Device\\NPF_";
    const size_t prefix = sizeof npf - 1, inner = strlen(guid) - 2;
    if (_strnicmp(name, npf, prefix) == 0)
        name += prefix;
    return _stricmp(name, guid) == 0 || (strlen(name) == inner && _strnicmp(name, guid + 1, inner) == 0);
}

static bool is_index(const char *name, uint32_t index)
{
    char text[16];
    snprintf(text, sizeof text, "%lu", (unsigned long)index);
    return strcmp(name, text) == 0;
}

static bool is_called(const char *name, const ptpmon_interface *interface)
{
    return same_words(name, interface->name) || is_guid(name, interface->guid) || is_index(name, interface->index);
}

/* Where a description is that of several adapters, none is meant. */
static const struct ptpmon_adapter *find(const char *name, const struct ptpmon_adapter *list, size_t count,
                                         size_t *described)
{
    const struct ptpmon_adapter *by_description = NULL;
    *described = 0;
    for (size_t i = 0; i < count; i++) {
        if (is_called(name, &list[i].interface))
            return &list[i];
    }
    for (size_t i = 0; i < count; i++) {
        if (!same_words(name, list[i].interface.description))
            continue;
        by_description = &list[i];
        ++*described;
    }
    return *described == 1 ? by_description : NULL;
}

ptpmon_status ptpmon_adapter_find(const char *name, struct ptpmon_adapter *found)
{
    struct ptpmon_adapter *list;
    size_t count, described;
    ptpmon_status status = ptpmon_adapters(&list, &count);
    if (status != PTPMON_OK)
        return status;
    const struct ptpmon_adapter *adapter = find(name, list, count, &described);
    if (adapter != NULL)
        *found = *adapter;
    else if (described > 1)
        status = ptpmon_fail(PTPMON_NO_INTERFACE,
                             "%s: %zu adapters are described so; `ptpmon list` shows their names, which are their own",
                             name, described);
    else
        status = ptpmon_fail(PTPMON_NO_INTERFACE, "%s: no such interface; `ptpmon list` shows those there are", name);
    free(list);
    return status;
}

ptpmon_status ptpmon_interfaces(ptpmon_interface **list, size_t *count)
{
    struct ptpmon_adapter *adapters;
    size_t found;
    ptpmon_status status = ptpmon_adapters(&adapters, &found);
    if (status != PTPMON_OK)
        return status;
    ptpmon_interface *interfaces = calloc(found + 1, sizeof *interfaces);
    for (size_t i = 0; interfaces != NULL && i < found; i++)
        interfaces[i] = adapters[i].interface;
    free(adapters);
    if (interfaces == NULL)
        return no_memory();
    *list = interfaces;
    *count = found;
    return PTPMON_OK;
}

void ptpmon_interfaces_free(ptpmon_interface *list)
{
    free(list);
}

/* ---- The host ------------------------------------------------------------------------------ */

/* The page that the system shares with every process: KUSER_SHARED_DATA, whose BootId counts the starts of the
 * system. */
#define SHARED_DATA    0x7FFE0000u
#define BOOT_ID_OFFSET 0x02C4u

void ptpmon_host_describe(char *host, size_t host_size, char *boot_id, size_t boot_id_size)
{
    wchar_t name[256];
    DWORD length = sizeof name / sizeof *name;
    char *utf8 = GetComputerNameExW(ComputerNameDnsHostname, name, &length) ? ptpmon_utf8(name) : NULL;
    snprintf(host, host_size, "%s", utf8 != NULL ? utf8 : "");
    free(utf8);
    uint32_t starts = *(const volatile uint32_t *)(uintptr_t)(SHARED_DATA + BOOT_ID_OFFSET);
    snprintf(boot_id, boot_id_size, starts != 0 ? "%lu" : "", (unsigned long)starts);
}
