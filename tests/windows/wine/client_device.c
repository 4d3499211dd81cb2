/* SPDX-License-Identifier: MIT */
#include "client.h"

#include <stdio.h>
#include <string.h>

HANDLE device_try(const char *suffix, DWORD access)
{
    char path[LAB_TEXT + 20];
    snprintf(path, sizeof path, "\\\\.\\AvbPtp\\%s", suffix);
    HANDLE device = CreateFileA(path, access, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
    DWORD returned, error;
    if (device == INVALID_HANDLE_VALUE || DeviceIoControl(device, LAB_IOCTL_OPENED, NULL, 0, NULL, 0, &returned, NULL))
        return device;
    error = GetLastError(); /* Wine gives a handle whatever the driver says */
    CloseHandle(device);
    SetLastError(error);
    return INVALID_HANDLE_VALUE;
}

HANDLE device_open(const char *guid)
{
    HANDLE device = device_try(guid, GENERIC_READ | GENERIC_WRITE);
    if (device == INVALID_HANDLE_VALUE)
        fail("the device of %s cannot be opened: error %lu", guid, GetLastError());
    return device;
}

BOOL device_call(HANDLE device, UINT32 code, void *out, DWORD out_bytes)
{
    DWORD returned = 0;
    BOOL worked = DeviceIoControl(device, code, NULL, 0, out, out_bytes, &returned, NULL);
    if (worked)
        CHECK_SAME(returned, out_bytes);
    return worked;
}

AVB_PTP_MONITOR_STATS statistics(HANDLE device)
{
    AVB_PTP_MONITOR_STATS stats;
    memset(&stats, 0xEE, sizeof stats);
    if (!device_call(device, IOCTL_AVB_GET_PTP_MONITOR_STATS, &stats, sizeof stats))
        fail("no statistics: error %lu", GetLastError());
    CHECK_SAME(stats.size, sizeof stats);
    CHECK_SAME(stats.version, AVB_PTP_IOCTL_VERSION);
    return stats;
}

void wait_for_owner_to_go(HANDLE device)
{
    for (int waited = 0; statistics(device).enabled; waited++) {
        if (waited == 2000)
            fail("still enabled after 10 s, by process %u", statistics(device).owner_process);
        Sleep(5);
    }
}

HANDLE handle_of(UINT64 handle)
{
    return (HANDLE)(UINT_PTR)handle;
}

static UINT64 counter(void)
{
    LARGE_INTEGER now;
    QueryPerformanceCounter(&now);
    return (UINT64)now.QuadPart;
}

static void check_shared(const AVB_PTP_MONITORING *shared)
{
    LARGE_INTEGER frequency;
    QueryPerformanceFrequency(&frequency);
    CHECK_SAME(shared->size, sizeof *shared);
    CHECK_SAME(shared->version, AVB_PTP_IOCTL_VERSION);
    CHECK_SAME(shared->system_clock_hz, frequency.QuadPart);
    CHECK_SAME(shared->ring_bytes, AvbRingBytes(shared->capacity));
    CHECK_SAME(shared->consumer_bytes, AVB_RING_PAGE);
}

void monitor_start(struct monitor *monitor, HANDLE device)
{
    memset(monitor, 0, sizeof *monitor);
    monitor->device = device;
    if (!device_call(device, IOCTL_AVB_ENABLE_PTP_MONITORING, &monitor->shared, sizeof monitor->shared))
        fail("not enabled: error %lu", GetLastError());
    check_shared(&monitor->shared);
    monitor->wake = handle_of(monitor->shared.wake_event);
    monitor->records = MapViewOfFile(handle_of(monitor->shared.SharedMemoryHandle), FILE_MAP_READ, 0, 0,
                                     (SIZE_T)monitor->shared.ring_bytes);
    if (!monitor->records)
        fail("section 1 cannot be mapped: error %lu", GetLastError());
    monitor->consumer = MapViewOfFile(handle_of(monitor->shared.consumer_handle), FILE_MAP_READ | FILE_MAP_WRITE, 0, 0,
                                      monitor->shared.consumer_bytes);
    if (!monitor->consumer)
        fail("section 2 cannot be mapped: error %lu", GetLastError());
    monitor->latest = counter() - 1;
    CHECK(AvbRingReaderInit(&monitor->reader, monitor->records, monitor->shared.ring_bytes, monitor->consumer));
}

void monitor_end(struct monitor *monitor, int disable)
{
    if (disable && !device_call(monitor->device, IOCTL_AVB_DISABLE_PTP_MONITORING, NULL, 0))
        fail("not disabled: error %lu", GetLastError());
    CHECK(UnmapViewOfFile(monitor->records));
    CHECK(UnmapViewOfFile(monitor->consumer));
    CHECK(CloseHandle(handle_of(monitor->shared.SharedMemoryHandle)));
    CHECK(CloseHandle(handle_of(monitor->shared.consumer_handle)));
    CHECK(CloseHandle(monitor->wake));
}

UINT32 monitor_read(struct monitor *monitor, PTP_TIMESTAMP_EVENT *records, UINT32 most)
{
    UINT32 taken = 0;
    while (taken < most) {
        const PTP_TIMESTAMP_EVENT *first;
        UINT64 count = AvbRingPeek(&monitor->reader, &first);
        if (count == 0)
            break;
        if (count > most - taken)
            count = most - taken;
        memcpy(records + taken, first, count * sizeof *first);
        AvbRingRelease(&monitor->reader, count);
        taken += (UINT32)count;
    }
    return taken;
}

/* ---- What records must be ---- */

void expect_nothing(struct monitor *monitor)
{
    PTP_TIMESTAMP_EVENT record;
    if (monitor_read(monitor, &record, 1))
        fail("a record that is none of what passed: direction %u, sequenceId %u", record.direction, record.sequenceId);
}

/* But for times. */
static void check_fields(const PTP_TIMESTAMP_EVENT *is, const PTP_TIMESTAMP_EVENT *wanted)
{
    CHECK_SAME(is->direction, wanted->direction);
    CHECK_SAME(is->messageType, wanted->messageType);
    CHECK_SAME(is->sequenceId, wanted->sequenceId);
    CHECK_SAME(is->domainNumber, wanted->domainNumber);
    CHECK(!memcmp(is->sourceMac, wanted->sourceMac, sizeof is->sourceMac));
    CHECK_SAME(is->stamp, wanted->stamp);
    CHECK_SAME(is->vlanId, wanted->vlanId);
    CHECK_SAME(is->pcp, wanted->pcp);
    CHECK_SAME(is->queueId, wanted->queueId);
    CHECK(!memcmp(is->clockIdentity, wanted->clockIdentity, sizeof is->clockIdentity));
    CHECK_SAME(is->portNumber, wanted->portNumber);
    CHECK_SAME(is->sdoId, wanted->sdoId);
    CHECK_SAME(is->flags, wanted->flags);
    CHECK_SAME(is->transport, wanted->transport);
    CHECK_SAME(is->version, wanted->version);
    CHECK_SAME(is->hw_timestamp_ns, wanted->hw_timestamp_ns);
    CHECK_SAME(is->software_timestamp, wanted->software_timestamp);
}

void expect_record(struct monitor *monitor, const PTP_TIMESTAMP_EVENT *wanted)
{
    PTP_TIMESTAMP_EVENT record, same = *wanted;
    UINT64 ticket = monitor->reader.next;
    if (monitor_read(monitor, &record, 1) != 1)
        fail("there is no record, but one of direction %u, sequenceId %u is due", wanted->direction,
             wanted->sequenceId);
    check_fields(&record, wanted);
    CHECK_SAME(record.sequence, ticket + 1);
    CHECK(record.system_timestamp > monitor->latest && record.system_timestamp <= counter());
    monitor->latest = record.system_timestamp - 1;
    same.system_timestamp = record.system_timestamp;
    same.sequence = record.sequence;
    CHECK(!memcmp(&record, &same, sizeof record)); /* no byte is left over */
}
