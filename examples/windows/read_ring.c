/* SPDX-License-Identifier: MIT */
/*
 * Reads the Windows driver's ring without libptpmon: opens the adapter's device, enables monitoring, maps the ring,
 * reads the records where they lie, sleeps until the driver wakes it, and disables. avb_ptp_ioctl.h says what is asked
 * of the driver, avb_ring_buffer.h how the ring is read; core/ring.c, its reader's side, is compiled in. With
 * mingw-w64:
 *
 *     gcc -municode -Iinclude -Icore -o read_ring.exe examples/windows/read_ring.c core/ring.c -liphlpapi
 *     read_ring "Ethernet 2" [COUNT]
 *
 * The adapter's name, or its {GUID}; so many records, or until Ctrl-C. It needs an administrator. One process at a time
 * monitors an adapter.
 */
#include <winsock2.h> /* before windows.h */

#include <windows.h>
#include <ws2tcpip.h>

#include <iphlpapi.h>

#include <avb/avb_ptp_ioctl.h>
#include <avb/avb_ring_buffer.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

struct monitor {
    HANDLE device, wake;
    AVB_PTP_MONITORING given; /* what the driver answered */
    const void *section;      /* 1: the records; cannot be written */
    void *consumer;           /* 2: how far we have read */
    AVB_RING_READER reader;
};

static HANDLE stopped; /* an event: Ctrl-C */

static int failed(const wchar_t *name, const char *what)
{
    fprintf(stderr, "%ls: %s: error %lu\n", name, what, GetLastError());
    return 0;
}

static BOOL WINAPI on_control(DWORD control)
{
    (void)control;
    return SetEvent(stopped);
}

/* ---- The device ---- */

/* {GUID} of the adapter: what the device is called by. */
static int find_guid(const wchar_t *name, wchar_t guid[40])
{
    NET_LUID luid;
    GUID found;
    if (name[0] == L'{' && wcslen(name) < 40) {
        wcscpy(guid, name);
        return 1;
    }
    DWORD error = ConvertInterfaceAliasToLuid(name, &luid);
    if (error == NO_ERROR)
        error = ConvertInterfaceLuidToGuid(&luid, &found);
    SetLastError(error);
    if (error != NO_ERROR)
        return 0;
    const UINT8 *d = found.Data4;
    swprintf(guid, 40, L"{%08lX-%04X-%04X-%02X%02X-%02X%02X%02X%02X%02X%02X}", found.Data1, found.Data2, found.Data3,
             d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7]);
    return 1;
}

static int open_device(struct monitor *monitor, const wchar_t *name)
{
    wchar_t guid[40], path[64];
    if (!find_guid(name, guid))
        return failed(name, "no such adapter");
    swprintf(path, 64, L"\\\\.\\AvbPtp\\%ls", guid);
    monitor->device = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                                  OPEN_EXISTING, 0, NULL);
    if (monitor->device == INVALID_HANDLE_VALUE)
        return failed(name, "its device cannot be opened; is the driver bound to it, and are you an administrator?");
    return 1;
}

/* Sizes are exact, for question and answer. */
static int ask(const struct monitor *monitor, DWORD code, void *answer, DWORD size)
{
    DWORD written;
    return DeviceIoControl(monitor->device, code, NULL, 0, answer, size, &written, NULL) && written == size;
}

/* ---- The ring ---- */

static HANDLE handle_of(UINT64 value)
{
    return (HANDLE)(uintptr_t)value;
}

/* Three handles of this process; those of the sections are of no use once the views are there. */
static int map(struct monitor *monitor, const wchar_t *name)
{
    const AVB_PTP_MONITORING *given = &monitor->given;
    HANDLE section = handle_of(given->SharedMemoryHandle), consumer = handle_of(given->consumer_handle);
    monitor->wake = handle_of(given->wake_event);
    monitor->section = MapViewOfFile(section, FILE_MAP_READ, 0, 0, (SIZE_T)given->ring_bytes);
    monitor->consumer = MapViewOfFile(consumer, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, given->consumer_bytes);
    if (!monitor->section || !monitor->consumer)
        return failed(name, "the ring cannot be mapped");
    CloseHandle(section);
    CloseHandle(consumer);
    return 1;
}

static int enable(struct monitor *monitor, const wchar_t *name)
{
    if (!ask(monitor, IOCTL_AVB_ENABLE_PTP_MONITORING, &monitor->given, sizeof monitor->given))
        return failed(name, GetLastError() == ERROR_BUSY ? "another process monitors it" : "cannot be monitored");
    if (monitor->given.version != AVB_PTP_IOCTL_VERSION || monitor->given.size != sizeof monitor->given) {
        fprintf(stderr, "%ls: the driver is of another version than this program\n", name);
        return 0;
    }
    if (!map(monitor, name))
        return 0;
    if (!AvbRingReaderInit(&monitor->reader, monitor->section, monitor->given.ring_bytes, monitor->consumer)) {
        fprintf(stderr, "%ls: the ring is of another version than this program\n", name);
        return 0;
    }
    return 1;
}

/* ---- Records ---- */

/* Ticks of the performance counter. */
static UINT64 ns_of(UINT64 ticks, UINT64 hz)
{
    return ticks / hz * 1000000000u + ticks % hz * 1000000000u / hz;
}

static void print(const PTP_TIMESTAMP_EVENT *record, UINT64 hz)
{
    static const char *const names[16] = {
        "Sync",     "Delay_Req", "Pdelay_Req", "Pdelay_Resp",           "reserved", "reserved",  "reserved",
        "reserved", "Follow_Up", "Delay_Resp", "Pdelay_Resp_Follow_Up", "Announce", "Signaling", "Management",
        "reserved", "reserved"};
    const char *what = record->stamp & AVB_STAMP_LATE          ? "TX stamp"
                       : record->direction == AVB_DIRECTION_RX ? "RX"
                                                               : "TX";
    UINT64 ns = ns_of(record->system_timestamp, hz);
    printf("%-8s %6llu.%09llu  %-21s seq %5u domain %3u", what, ns / 1000000000u, ns % 1000000000u,
           names[record->messageType & 0xF], record->sequenceId, record->domainNumber);
    if (record->hw_timestamp_ns != 0)
        printf("  NIC %llu ns", record->hw_timestamp_ns);
    printf("\n");
}

/* Records in place, at most `most`, given back at once. How many there were. */
static UINT64 take(struct monitor *monitor, UINT64 most)
{
    const PTP_TIMESTAMP_EVENT *first;
    UINT64 count = AvbRingPeek(&monitor->reader, &first);
    if (count > most)
        count = most;
    for (UINT64 i = 0; i < count; i++)
        print(&first[i], monitor->given.system_clock_hz);
    AvbRingRelease(&monitor->reader, count);
    return count;
}

/* The event is set when records wait for a reader that asked, and when the monitoring ends. 0: nothing more will come.
 */
static int wait_for_records(struct monitor *monitor)
{
    const HANDLE events[] = {monitor->wake, stopped};
    DWORD which = WAIT_OBJECT_0;
    AVB_PTP_MONITOR_STATS stats;
    if (AvbRingMaySleep(&monitor->reader))
        which = WaitForMultipleObjects(2, events, FALSE, INFINITE);
    AvbRingAwake(&monitor->reader);
    if (which != WAIT_OBJECT_0)
        return 0;
    /* An adapter that has gone answers no more. */
    return ask(monitor, IOCTL_AVB_GET_PTP_MONITOR_STATS, &stats, sizeof stats) && stats.enabled;
}

static void read_records(struct monitor *monitor, UINT64 most)
{
    do {
        for (UINT64 taken; most > 0 && (taken = take(monitor, most)) > 0;)
            most -= taken;
        fflush(stdout);
    } while (most > 0 && wait_for_records(monitor));
    /* What came until the end lies there still: the views are ours. */
    for (UINT64 taken; most > 0 && (taken = take(monitor, most)) > 0;)
        most -= taken;
}

static int disable(const struct monitor *monitor, const wchar_t *name)
{
    AVB_PTP_MONITOR_STATS stats;
    if (!ask(monitor, IOCTL_AVB_DISABLE_PTP_MONITORING, NULL, 0) ||
        !ask(monitor, IOCTL_AVB_GET_PTP_MONITOR_STATS, &stats, sizeof stats)) {
        fprintf(stderr, "%ls: the adapter has gone\n", name);
        return 0;
    }
    printf("emitted %llu, dropped %llu\n", stats.events_emitted, stats.events_dropped);
    return 1;
}

int wmain(int argc, wchar_t **argv)
{
    static struct monitor monitor;
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: read_ring ADAPTER [COUNT]\n");
        return 2;
    }
    const UINT64 most = argc == 3 ? _wcstoui64(argv[2], NULL, 10) : UINT64_MAX;
    stopped = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (!stopped || !SetConsoleCtrlHandler(on_control, TRUE))
        return !failed(argv[1], "Ctrl-C cannot be caught");
    /* Whatever was opened or mapped ends with the process, and the monitoring with it. */
    if (!open_device(&monitor, argv[1]) || !enable(&monitor, argv[1]))
        return 1;
    fprintf(stderr, "reading a ring of %u records; Ctrl-C ends it\n", monitor.given.capacity);
    read_records(&monitor, most);
    return !disable(&monitor, argv[1]);
}
