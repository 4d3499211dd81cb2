/* SPDX-License-Identifier: MIT */
/*
 * Live records from the Windows driver: avb_ptp_ioctl.h for what is asked of it, avb_ring_buffer.h for the ring.
 *
 * Each enable makes a new ring. The views of older ones stay until the monitor is closed, as whoever read records in
 * place may still hold them.
 *
 * An adapter that is reset goes, and with it the driver's side of the monitoring; its LUID and GUID come back. What is
 * left in the ring is read, and monitoring is enabled anew when the driver has the adapter again.
 */
#include "source.h"

#include "error.h"
#include "windows/adapters.h"
#include "windows/clocks.h"
#include "windows/failure.h"

#include <avb/avb_ptp_ioctl.h>
#include <avb/avb_ring_buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

/* A reader that sleeps looks this often whether the adapter is still there. */
#define LOOK_MS 1000

/* An adapter that is reset is looked for this often, and for this long: another setting of an adapter takes seconds. */
#define RETRY_MS    200
#define PATIENCE_MS 15000

#define DEVICE      L"\\\\.\\AvbPtp\\"
#define DEVICE_LINK L"AvbPtp"

struct ring {
    struct ring *older;
    const void *section;
    void *consumer;
    HANDLE wake;
    AVB_RING_READER reader;
};

struct windows_source {
    struct ptpmon_source base;
    struct ptpmon_adapter adapter;
    HANDLE device;
    struct ring *ring; /* the newest; NULL = never enabled */
    bool enabled;
    AVB_PTP_MONITOR_STATS counters; /* of this ring, as they were last told */
    AVB_PTP_MONITOR_STATS before;   /* the sums of those before it, since enable */
    bool is_gone, was_gone;         /* the adapter, while enabled; and this was not told yet */
    ULONGLONG gone_at, tried_at;    /* ms */
    char name[];                    /* as the caller has it, for messages */
};

static struct windows_source *windows_source(const struct ptpmon_source *base)
{
    return (struct windows_source *)base;
}

/* ---- Requests ------------------------------------------------------------------------------ */

/* 0, or the system's error; an answer of another size is one. */
static DWORD ask(const struct windows_source *source, DWORD code, void *answer, DWORD size)
{
    DWORD written = 0;
    if (!DeviceIoControl(source->device, code, NULL, 0, answer, size, &written, NULL))
        return GetLastError();
    return written == size ? 0 : ERROR_INVALID_DATA;
}

static ptpmon_status fail_version(const struct windows_source *source)
{
    return ptpmon_fail(PTPMON_NOT_SUPPORTED, "%s: the driver is of another version than this ptpmon; install both anew",
                       source->name);
}

static ptpmon_status fail_vanished(const struct windows_source *source)
{
    return ptpmon_fail(PTPMON_NO_INTERFACE, "%s: the interface has vanished; start again when `ptpmon list` shows it",
                       source->name);
}

/* ---- The device ---------------------------------------------------------------------------- */

static bool driver_is_loaded(void)
{
    wchar_t target[256];
    return QueryDosDeviceW(DEVICE_LINK, target, sizeof target / sizeof *target) != 0;
}

static ptpmon_status fail_to_open(const struct windows_source *source, DWORD error)
{
    if (error == ERROR_ACCESS_DENIED)
        return ptpmon_fail(PTPMON_NO_PERMISSION,
                           "%s: monitoring needs an administrator; start the terminal with \"Run as administrator\"",
                           source->name);
    if (error != ERROR_FILE_NOT_FOUND && error != ERROR_PATH_NOT_FOUND)
        return ptpmon_fail_windows(source->name, "open the driver", error);
    if (!driver_is_loaded())
        return ptpmon_fail(
            PTPMON_NOT_SUPPORTED,
            "%s: the driver is not there; `ptpmon install` installs it, `ptpmon status` says what is wrong",
            source->name);
    return ptpmon_fail(
        PTPMON_NOT_SUPPORTED,
        "%s: the driver is not bound to this adapter; tick \"PTP Timestamp Event Monitor\" in its properties",
        source->name);
}

/* INVALID_HANDLE_VALUE: GetLastError() says why. */
static HANDLE try_device(const struct windows_source *source)
{
    wchar_t path[64] = DEVICE;
    size_t length = wcslen(path);
    for (const char *at = source->adapter.interface.guid; *at != 0; at++)
        path[length++] = (wchar_t)*at; /* ASCII */
    return CreateFileW(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0,
                       NULL);
}

static ptpmon_status open_device(struct windows_source *source)
{
    source->device = try_device(source);
    return source->device != INVALID_HANDLE_VALUE ? PTPMON_OK : fail_to_open(source, GetLastError());
}

/* ---- The ring ------------------------------------------------------------------------------ */

static void free_ring(struct ring *ring)
{
    if (ring->section != NULL)
        UnmapViewOfFile(ring->section);
    if (ring->consumer != NULL)
        UnmapViewOfFile(ring->consumer);
    if (ring->wake != NULL)
        CloseHandle(ring->wake);
    free(ring);
}

static HANDLE handle_of(UINT64 value)
{
    return (HANDLE)(uintptr_t)value;
}

/* The handles of sections are of no use once they are mapped, and are closed in any case. */
static bool map(struct ring *ring, const AVB_PTP_MONITORING *given)
{
    HANDLE section = handle_of(given->SharedMemoryHandle), consumer = handle_of(given->consumer_handle);
    ring->section = MapViewOfFile(section, FILE_MAP_READ, 0, 0, (SIZE_T)given->ring_bytes);
    ring->consumer = MapViewOfFile(consumer, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, given->consumer_bytes);
    DWORD error = GetLastError();
    CloseHandle(section);
    CloseHandle(consumer);
    SetLastError(error);
    return ring->section != NULL && ring->consumer != NULL;
}

static void close_all(const AVB_PTP_MONITORING *given)
{
    CloseHandle(handle_of(given->SharedMemoryHandle));
    CloseHandle(handle_of(given->consumer_handle));
    CloseHandle(handle_of(given->wake_event));
}

static bool is_as_agreed(const struct windows_source *source, const AVB_PTP_MONITORING *given)
{
    return given->version == AVB_PTP_IOCTL_VERSION && given->size == sizeof *given &&
           given->system_clock_hz == source->base.timebase.hz && given->consumer_bytes == sizeof(AVB_RING_CONSUMER);
}

static ptpmon_status open_ring(struct windows_source *source, const AVB_PTP_MONITORING *given)
{
    struct ring *ring = calloc(1, sizeof *ring);
    if (ring == NULL) {
        close_all(given);
        return ptpmon_fail(PTPMON_NO_MEMORY, "%s: no memory for a monitor", source->name);
    }
    ring->wake = handle_of(given->wake_event);
    ptpmon_status status = PTPMON_OK;
    if (!map(ring, given))
        status = ptpmon_fail_windows(source->name, "map the driver's ring", GetLastError());
    else if (!is_as_agreed(source, given) ||
             !AvbRingReaderInit(&ring->reader, ring->section, given->ring_bytes, ring->consumer))
        status = fail_version(source);
    if (status != PTPMON_OK) {
        free_ring(ring);
        return status;
    }
    ring->older = source->ring;
    source->ring = ring;
    return PTPMON_OK;
}

/* ---- Counters ------------------------------------------------------------------------------ */

/*
 * What the driver emitted and dropped between its last answer and the end of the ring stands in the ring, whose records
 * stay as they are. Dropped records are not there to be told apart: they count as frames.
 */
static void settle_counters(struct windows_source *source)
{
    AVB_PTP_MONITOR_STATS *counters = &source->counters;
    const AVB_RING_READER *reader = &source->ring->reader;
    UINT64 head = __atomic_load_n(&reader->header->head, __ATOMIC_ACQUIRE);
    UINT64 dropped = __atomic_load_n(&reader->header->dropped_full, __ATOMIC_RELAXED) +
                     __atomic_load_n(&reader->header->dropped_contention, __ATOMIC_RELAXED);
    UINT64 known = counters->frames_emitted + counters->stamps_emitted;
    UINT64 known_dropped = counters->frames_dropped + counters->stamps_dropped;
    for (UINT64 i = 0; known + i < head && i <= reader->mask; i++) {
        const PTP_TIMESTAMP_EVENT *record = &reader->events[(head - 1 - i) & reader->mask];
        UINT64 *emitted = record->stamp & AVB_STAMP_LATE ? &counters->stamps_emitted : &counters->frames_emitted;
        UINT64 *seen = record->stamp & AVB_STAMP_LATE ? &counters->stamps_seen : &counters->frames_seen;
        ++*emitted;
        ++*seen;
    }
    if (dropped > known_dropped) {
        counters->frames_dropped += dropped - known_dropped;
        counters->frames_seen += dropped - known_dropped;
    }
}

static void note_gone(struct windows_source *source)
{
    source->is_gone = true;
    source->gone_at = GetTickCount64();
    source->tried_at = 0;
    settle_counters(source);
}

/* Of an adapter that has gone the last ones stand. */
static ptpmon_status read_counters(struct windows_source *source)
{
    AVB_PTP_MONITOR_STATS now;
    if (source->is_gone)
        return PTPMON_OK;
    DWORD error = ask(source, IOCTL_AVB_GET_PTP_MONITOR_STATS, &now, sizeof now);
    if (error == ERROR_DEV_NOT_EXIST || (error == 0 && source->enabled && !now.enabled)) {
        if (source->enabled)
            note_gone(source);
        return PTPMON_OK;
    }
    if (error == ERROR_INVALID_PARAMETER || error == ERROR_INVALID_DATA)
        return fail_version(source);
    if (error != 0)
        return ptpmon_fail_windows(source->name, "read the driver's counters", error);
    if (now.version != AVB_PTP_IOCTL_VERSION || now.size != sizeof now)
        return fail_version(source);
    source->counters = now;
    return PTPMON_OK;
}

/* Those of a ring that ended are added to those before it. */
static void put_counters_by(struct windows_source *source)
{
    AVB_PTP_MONITOR_STATS *sum = &source->before, *last = &source->counters;
    sum->frames_seen += last->frames_seen;
    sum->frames_emitted += last->frames_emitted;
    sum->frames_dropped += last->frames_dropped;
    sum->stamps_seen += last->stamps_seen;
    sum->stamps_emitted += last->stamps_emitted;
    sum->stamps_dropped += last->stamps_dropped;
    for (int i = 0; i < AVB_PTP_REASONS; i++)
        sum->reasons[i] += last->reasons[i];
    *last = (AVB_PTP_MONITOR_STATS){.buffer_size = last->buffer_size};
}

/* ---- Life ---------------------------------------------------------------------------------- */

static ptpmon_status fail_to_enable(struct windows_source *source, DWORD error)
{
    if (error == ERROR_DEV_NOT_EXIST)
        return fail_vanished(source);
    if (error == ERROR_INVALID_PARAMETER || error == ERROR_INVALID_DATA)
        return fail_version(source);
    if (error != ERROR_BUSY)
        return ptpmon_fail_windows(source->name, "monitor it", error);
    if (read_counters(source) == PTPMON_OK && source->counters.owner_process != 0)
        return ptpmon_fail(PTPMON_BUSY, "%s: process %lu monitors it; end that first", source->name,
                           (unsigned long)source->counters.owner_process);
    return ptpmon_fail(PTPMON_BUSY, "%s: another process monitors it; end that first", source->name);
}

static ptpmon_status disable(struct ptpmon_source *base)
{
    struct windows_source *source = windows_source(base);
    if (!source->enabled)
        return PTPMON_OK;
    source->enabled = false;
    /* Of an adapter that has gone the monitoring has ended already. */
    DWORD error = source->is_gone ? 0 : ask(source, IOCTL_AVB_DISABLE_PTP_MONITORING, NULL, 0);
    if (error != 0 && error != ERROR_DEV_NOT_EXIST)
        return ptpmon_fail_windows(source->name, "end the monitoring", error);
    (void)read_counters(source); /* where they cannot be had any more, the last ones stand */
    return PTPMON_OK;
}

/* What the driver gave when it was asked to monitor becomes the newest ring. */
static ptpmon_status take_ring(struct windows_source *source, const AVB_PTP_MONITORING *given)
{
    source->enabled = true;
    ptpmon_status status = open_ring(source, given);
    if (status == PTPMON_OK)
        status = read_counters(source);
    if (status == PTPMON_OK)
        return status;
    char failure[512];
    snprintf(failure, sizeof failure, "%s", ptpmon_error_message());
    (void)disable(&source->base);
    return ptpmon_fail(status, "%s", failure);
}

/* No such device, or nothing behind it: the adapter is gone, or not quite back. */
static bool is_absence(DWORD error)
{
    return error == ERROR_DEV_NOT_EXIST || error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND ||
           error == ERROR_NOT_READY || error == ERROR_GEN_FAILURE;
}

/* A handle stays with the adapter as it was: of one that was reset meanwhile it is of no use. */
static DWORD ask_to_monitor(struct windows_source *source, AVB_PTP_MONITORING *given)
{
    DWORD error = ask(source, IOCTL_AVB_ENABLE_PTP_MONITORING, given, sizeof *given);
    if (!is_absence(error))
        return error;
    HANDLE device = try_device(source);
    if (device == INVALID_HANDLE_VALUE)
        return error;
    CloseHandle(source->device);
    source->device = device;
    return ask(source, IOCTL_AVB_ENABLE_PTP_MONITORING, given, sizeof *given);
}

static ptpmon_status enable(struct ptpmon_source *base)
{
    struct windows_source *source = windows_source(base);
    AVB_PTP_MONITORING given;
    source->is_gone = source->was_gone = false;
    source->before = (AVB_PTP_MONITOR_STATS){0};
    DWORD error = ask_to_monitor(source, &given);
    return error == 0 ? take_ring(source, &given) : fail_to_enable(source, error);
}

static void close_source(struct ptpmon_source *base)
{
    struct windows_source *source = windows_source(base);
    (void)disable(base);
    if (source->device != INVALID_HANDLE_VALUE)
        CloseHandle(source->device);
    while (source->ring != NULL) {
        struct ring *older = source->ring->older;
        free_ring(source->ring);
        source->ring = older;
    }
    free(source);
}

/* ---- Reading ------------------------------------------------------------------------------- */

static size_t look(const struct windows_source *source, const PTP_TIMESTAMP_EVENT **first)
{
    *first = NULL;
    return source->ring != NULL ? (size_t)AvbRingPeek(&source->ring->reader, first) : 0;
}

static ptpmon_status peek(struct ptpmon_source *base, ptpmon_batch *batch)
{
    const PTP_TIMESTAMP_EVENT *first;
    size_t count = look(windows_source(base), &first);
    *batch = (ptpmon_batch){first, sizeof *first, count};
    return PTPMON_OK;
}

static void release(struct ptpmon_source *base, size_t count)
{
    struct windows_source *source = windows_source(base);
    if (source->ring != NULL && count > 0)
        AvbRingRelease(&source->ring->reader, count);
}

/* Sleeps until the driver wakes it, which it does for what has waited some ms, or when the monitoring ends. */
static void sleep_until_woken(struct ring *ring, DWORD wait_ms)
{
    if (AvbRingMaySleep(&ring->reader))
        WaitForSingleObject(ring->wake, wait_ms);
    AvbRingAwake(&ring->reader);
}

/* The one with our LUID, as the handle that was open is of no use any more. */
static ptpmon_status monitor_again(struct windows_source *source)
{
    AVB_PTP_MONITORING given;
    DWORD error = ask_to_monitor(source, &given);
    if (is_absence(error))
        return PTPMON_NOTHING;
    if (error != 0)
        return fail_to_enable(source, error);
    put_counters_by(source);
    source->is_gone = false;
    source->was_gone = true;
    ptpmon_status status = take_ring(source, &given);
    if (status != PTPMON_OK || given.net_luid == source->adapter.luid)
        return status;
    (void)disable(&source->base);
    return fail_vanished(source);
}

/* OK also where it is not back yet. What was in the ring has been read: nobody waits before. */
static ptpmon_status look_for_adapter(struct windows_source *source)
{
    ULONGLONG now = GetTickCount64();
    if (now - source->tried_at < RETRY_MS)
        return PTPMON_OK;
    source->tried_at = now;
    ptpmon_status status = monitor_again(source);
    if (status != PTPMON_NOTHING)
        return status;
    return now - source->gone_at < PATIENCE_MS ? PTPMON_OK : fail_vanished(source);
}

static ptpmon_status check_alive(struct windows_source *source)
{
    ptpmon_status status = read_counters(source);
    return status == PTPMON_OK && source->is_gone ? look_for_adapter(source) : status;
}

static void rest(struct windows_source *source, DWORD wait_ms)
{
    if (source->is_gone)
        Sleep(wait_ms < RETRY_MS ? wait_ms : RETRY_MS);
    else
        sleep_until_woken(source->ring, wait_ms);
}

static ptpmon_status wait_for_records(struct ptpmon_source *base, int timeout_ms)
{
    struct windows_source *source = windows_source(base);
    const PTP_TIMESTAMP_EVENT *first;
    ULONGLONG deadline = GetTickCount64() + (ULONGLONG)(timeout_ms < 0 ? 0 : timeout_ms);
    for (;;) {
        if (look(source, &first) > 0)
            return PTPMON_OK;
        ptpmon_status status = check_alive(source);
        if (status != PTPMON_OK)
            return status;
        ULONGLONG now = GetTickCount64(), left = timeout_ms < 0 ? LOOK_MS : deadline > now ? deadline - now : 0;
        if (left == 0)
            return PTPMON_NOTHING;
        rest(source, left < LOOK_MS ? (DWORD)left : LOOK_MS);
    }
}

static ptpmon_status statistics(struct ptpmon_source *base, ptpmon_statistics *sum)
{
    struct windows_source *source = windows_source(base);
    ptpmon_status status = read_counters(source);
    if (status != PTPMON_OK)
        return status;
    const AVB_PTP_MONITOR_STATS *now = &source->counters, *before = &source->before;
    sum->buffer_size = now->buffer_size;
    sum->frames_seen = before->frames_seen + now->frames_seen;
    sum->frames_emitted = before->frames_emitted + now->frames_emitted;
    sum->frames_dropped = before->frames_dropped + now->frames_dropped;
    sum->stamps_seen = before->stamps_seen + now->stamps_seen;
    sum->stamps_emitted = before->stamps_emitted + now->stamps_emitted;
    sum->stamps_dropped = before->stamps_dropped + now->stamps_dropped;
    const struct {
        uint64_t *sum;
        enum avb_ptp_reason reason;
    } reasons[] = {{&sum->ptp_v1, AVB_REASON_PTP_V1},
                   {&sum->other_version, AVB_REASON_OTHER_VERSION},
                   {&sum->truncated, AVB_REASON_TRUNCATED},
                   {&sum->bad_length, AVB_REASON_BAD_LENGTH},
                   {&sum->tx_unreadable, AVB_REASON_UNREADABLE},
                   {&sum->hw_stamp_not_a_time, AVB_REASON_NOT_A_TIME}};
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        *reasons[i].sum = before->reasons[reasons[i].reason] + now->reasons[reasons[i].reason];
    return PTPMON_OK;
}

static enum ptpmon_sight sight(struct ptpmon_source *base)
{
    struct windows_source *source = windows_source(base);
    if (source->is_gone)
        return PTPMON_BLIND;
    bool was_gone = source->was_gone;
    source->was_gone = false;
    return was_gone ? PTPMON_WAS_BLIND : PTPMON_SEES;
}

/* The system's own clocks can be read without the adapter, so that a recording ends in order when it has gone. */
static ptpmon_status clocks(struct ptpmon_source *base, PTP_CLOCKS_RECORD *record)
{
    struct windows_source *source = windows_source(base);
    DWORD error = source->is_gone ? ERROR_DEV_NOT_EXIST : ask(source, IOCTL_AVB_GET_PTP_CLOCKS, record, sizeof *record);
    if (error == ERROR_DEV_NOT_EXIST) {
        ptpmon_counter_clocks(record);
        return PTPMON_OK;
    }
    return error == 0 ? PTPMON_OK : ptpmon_fail_windows(source->name, "read the clocks", error);
}

static uint64_t now(struct ptpmon_source *base)
{
    (void)base;
    return ptpmon_counter_now();
}

static bool stamps_sent_frames(const struct windows_source *source)
{
    const uint32_t any = PTPMON_ON_TX_HARDWARE | PTPMON_CAN_TX_SOFTWARE;
    return (source->adapter.interface.stamping & any) != 0;
}

static void info(const struct ptpmon_source *base, ptpmon_monitor_info *about)
{
    const struct windows_source *source = windows_source(base);
    about->rx_frames = about->tx_frames = "ndis";
    about->tx_stamps = stamps_sent_frames(source) ? "ndis" : "none";
    about->rx_software = (source->adapter.interface.stamping & PTPMON_CAN_RX_SOFTWARE) != 0;
}

static void describe(struct ptpmon_source *base, PTP_RECORDING_HEADER *header)
{
    const struct windows_source *source = windows_source(base);
    const ptpmon_interface *interface = &source->adapter.interface;
    header->stamping = interface->stamping;
    header->phc_index = -1;
    header->hw_clock = source->counters.source != AVB_SOURCE_NONE ? AVB_CLOCK_PHC : AVB_CLOCK_NONE;
    header->system_clock = AVB_CLOCK_QPC;
    header->system_clock_hz = source->base.timebase.hz;
    header->software_clock = AVB_CLOCK_QPC;
    memcpy(header->mac, interface->mac, sizeof header->mac);
    snprintf(header->interface_name, sizeof header->interface_name, "%s", interface->name);
    snprintf(header->interface_guid, sizeof header->interface_guid, "%s", interface->guid);
    ptpmon_host_describe(header->host, sizeof header->host, header->boot_id, sizeof header->boot_id);
}

static const struct ptpmon_source_operations operations = {
    .enable = enable,
    .disable = disable,
    .close = close_source,
    .peek = peek,
    .release = release,
    .wait = wait_for_records,
    .statistics = statistics,
    .info = info,
    .now = now,
    .clocks = clocks,
    .sight = sight,
    .describe = describe,
};

/* ---- Opening ------------------------------------------------------------------------------- */

static ptpmon_status check_options(const char *name, const ptpmon_monitor_options *options)
{
    if (options->ring_bytes != 0)
        return ptpmon_fail(PTPMON_INVALID,
                           "%s: the ring's size is a setting of the driver on Windows, a registry value of the adapter",
                           name);
    if (options->flags & PTPMON_HW_STAMPS)
        return ptpmon_fail(PTPMON_NOT_SUPPORTED,
                           "%s: on Windows the NIC's stamping is switched on in the adapter's advanced properties",
                           name);
    return PTPMON_OK;
}

ptpmon_status ptpmon_source_open(const char *interface_name, const ptpmon_monitor_options *options,
                                 struct ptpmon_source **opened)
{
    ptpmon_status status = check_options(interface_name, options);
    if (status != PTPMON_OK)
        return status;
    struct windows_source *source = calloc(1, sizeof *source + strlen(interface_name) + 1);
    if (source == NULL)
        return ptpmon_fail(PTPMON_NO_MEMORY, "%s: no memory for a monitor", interface_name);
    strcpy(source->name, interface_name);
    source->base.operations = &operations;
    source->base.timebase = (struct ptpmon_timebase){.hz = ptpmon_counter_hz(), .software_ticks = true};
    source->device = INVALID_HANDLE_VALUE;
    status = ptpmon_adapter_find(interface_name, &source->adapter);
    if (status == PTPMON_OK)
        status = open_device(source);
    if (status != PTPMON_OK) {
        close_source(&source->base);
        return status;
    }
    *opened = &source->base;
    return PTPMON_OK;
}
