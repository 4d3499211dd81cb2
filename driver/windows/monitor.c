/* SPDX-License-Identifier: MIT */
#include "monitor.h"

#include "atomic.h"
#include "filter.h"
#include "trace.h"

/*
 * The timer that wakes the reader: docs/ring.md says why no producer does. The ring holds 0.4 s of 10,000
 * records per second; 4 ms cost a waiting reader little, and the processor less than a thousandth.
 */
#define PERIOD_MS        4
#define TICKS_PER_SECOND (1000 / PERIOD_MS)
#define HUNDRED_NS_OF_MS 10000

/* ---- The timer ---- */

static UINT64 Grown(AVB_DEVICE_CONTEXT *adapter, UINT32 index)
{
    UINT64 now = avb_load_relaxed(&adapter->counts[index]), grown = now - adapter->reported[index];
    adapter->reported[index] = now;
    return grown;
}

/* Losses and refused stamps, once a second: never from the path of a frame. */
static void Report(AVB_DEVICE_CONTEXT *adapter)
{
    UINT64 frames = Grown(adapter, AVB_COUNT_FRAMES_DROPPED), stamps = Grown(adapter, AVB_COUNT_STAMPS_DROPPED);
    if (frames || stamps)
        AvbTraceLoss(adapter->net_luid, frames, stamps);
    for (UINT32 reason = AVB_REASON_NOT_THIS_FRAME; reason < AVB_PTP_REASONS; reason++) {
        UINT64 refused = Grown(adapter, AVB_COUNT_REASONS + reason);
        if (refused)
            AvbTraceStampRefused(adapter->net_luid, reason, refused);
    }
    for (UINT32 result = AVB_STAMP_NOT_VALID + 1; result < AVB_STAMP_RESULTS; result++) {
        UINT64 refused = Grown(adapter, AVB_COUNT_REGISTERS + result);
        if (refused)
            AvbTraceStampRefused(adapter->net_luid, AVB_TRACE_REGISTER_RESULT + result, refused);
    }
}

static VOID NTAPI Tick(PEX_TIMER timer, PVOID context)
{
    UNREFERENCED_PARAMETER(timer);
    AVB_DEVICE_CONTEXT *adapter = context;
    if (AvbRingUnread(&adapter->ring) && AvbRingWantsWake(&adapter->ring))
        KeSetEvent(adapter->memory.wake, IO_NETWORK_INCREMENT, FALSE);
    if (++adapter->ticks % TICKS_PER_SECOND == 0) {
        AvbRegistersTick(&adapter->registers);
        Report(adapter);
    }
}

static NTSTATUS StartTimer(AVB_DEVICE_CONTEXT *adapter)
{
    /* High resolution: the others tick with the system's clock, each 15.6 ms. */
    adapter->timer = ExAllocateTimer(Tick, adapter, EX_TIMER_HIGH_RESOLUTION);
    if (!adapter->timer)
        return STATUS_INSUFFICIENT_RESOURCES;
    adapter->ticks = 0;
    ExSetTimer(adapter->timer, -(LONGLONG)PERIOD_MS * HUNDRED_NS_OF_MS, (LONGLONG)PERIOD_MS * HUNDRED_NS_OF_MS, NULL);
    return STATUS_SUCCESS;
}

static void StopTimer(AVB_DEVICE_CONTEXT *adapter)
{
    if (adapter->timer)
        ExDeleteTimer(adapter->timer, TRUE, TRUE, NULL); /* not before its callback has returned */
    adapter->timer = NULL;
}

/* ---- avb_ptp_monitor.h ---- */

NTSTATUS AvbPtpMonitorInit(PAVB_DEVICE_CONTEXT Ctx)
{
    Ctx->users = AvbNewClosedRundown();
    return Ctx->users ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static AVB_RING_COUNTS CountsOf(const AVB_RING *ring)
{
    const AVB_RING_HEADER *header = ring->header;
    return (AVB_RING_COUNTS){
        .emitted = avb_load_relaxed(&header->head),
        .dropped_full = avb_load_relaxed(&header->dropped_full),
        .dropped_contention = avb_load_relaxed(&header->dropped_contention),
        .bad_consumer_position = avb_load_relaxed(&header->bad_consumer_position),
        .high_water = avb_load_relaxed(&header->high_water),
    };
}

static UINT64 CounterFrequency(void)
{
    LARGE_INTEGER frequency;
    KeQueryPerformanceCounter(&frequency);
    return (UINT64)frequency.QuadPart;
}

static int IsEnabled(const AVB_DEVICE_CONTEXT *adapter)
{
    return adapter->memory.wake != NULL;
}

static NTSTATUS Enable(AVB_DEVICE_CONTEXT *adapter)
{
    NTSTATUS status = AvbRingMemoryCreate(&adapter->memory, adapter->settings.ring_capacity);
    if (!NT_SUCCESS(status))
        return status;
    AvbRingInit(&adapter->ring, adapter->memory.records.address, adapter->memory.consumer.address,
                adapter->settings.ring_capacity, CounterFrequency());
    for (UINT32 i = 0; i < AVB_COUNTS; i++)
        avb_store_relaxed(&adapter->counts[i], adapter->reported[i] = 0);
    AvbRegistersTick(&adapter->registers); /* a stamp of the first frame is judged by it */
    status = StartTimer(adapter);
    if (!NT_SUCCESS(status)) {
        AvbRingMemoryFree(&adapter->memory);
        return status;
    }
    ExReInitializeRundownProtectionCacheAware(adapter->users);
    avb_set_bits_release(&adapter->path, AVB_PATH_MONITORED);
    return STATUS_SUCCESS;
}

static void Disable(AVB_DEVICE_CONTEXT *adapter)
{
    avb_clear_bits_release(&adapter->path, AVB_PATH_MONITORED);
    ExWaitForRundownProtectionReleaseCacheAware(adapter->users);
    StopTimer(adapter);
    adapter->last_ring = CountsOf(&adapter->ring);
    KeSetEvent(adapter->memory.wake, IO_NO_INCREMENT, FALSE); /* the reader learns that nothing more comes */
    AvbRingMemoryFree(&adapter->memory);
}

NTSTATUS AvbPtpMonitorEnable(PAVB_DEVICE_CONTEXT Ctx, BOOLEAN Enabled)
{
    if (Enabled)
        return IsEnabled(Ctx) ? STATUS_DEVICE_BUSY : Enable(Ctx);
    if (IsEnabled(Ctx))
        Disable(Ctx);
    return STATUS_SUCCESS;
}

void AvbPtpMonitorCleanup(PAVB_DEVICE_CONTEXT Ctx)
{
    AvbPtpMonitorEnable(Ctx, FALSE);
    ExFreeCacheAwareRundownProtection(Ctx->users);
    Ctx->users = NULL;
}

/* ---- For files ---- */

NTSTATUS AvbMonitorStart(AVB_DEVICE_CONTEXT *adapter, const void *owner, PEPROCESS process,
                         AVB_PTP_MONITORING *monitoring)
{
    UINT32 id = (UINT32)(UINT_PTR)PsGetProcessId(process);
    NTSTATUS status = AvbPtpMonitorEnable(adapter, TRUE);
    if (NT_SUCCESS(status)) {
        status = AvbRingMemoryShare(&adapter->memory, process, monitoring);
        if (!NT_SUCCESS(status))
            AvbPtpMonitorEnable(adapter, FALSE);
    }
    AvbTraceEnable(adapter->net_luid, id, adapter->settings.ring_capacity, status);
    if (!NT_SUCCESS(status))
        return status;
    adapter->owner = owner;
    adapter->owner_process = id;
    monitoring->system_clock_hz = CounterFrequency();
    monitoring->net_luid = adapter->net_luid;
    monitoring->capacity = adapter->settings.ring_capacity;
    monitoring->size = sizeof *monitoring;
    monitoring->version = AVB_PTP_IOCTL_VERSION;
    return status;
}

void AvbMonitorStop(AVB_DEVICE_CONTEXT *adapter, UINT32 cause)
{
    if (!adapter->owner)
        return;
    adapter->owner = NULL;
    adapter->owner_process = 0;
    AvbPtpMonitorEnable(adapter, FALSE);
    AvbTraceDisable(adapter->net_luid, cause);
}

static UINT32 SourceOf(AVB_STAMP_CONFIG config, const AVB_DEVICE_CONTEXT *adapter)
{
    if (AvbStampsHardware(config, AVB_DIRECTION_RX) || AvbStampsHardware(config, AVB_DIRECTION_TX))
        return AVB_SOURCE_NDIS;
    return AvbRegistersAreOpen(&adapter->registers) ? AVB_SOURCE_REGISTERS : AVB_SOURCE_NONE;
}

static void DescribeAdapter(AVB_DEVICE_CONTEXT *adapter, AVB_PTP_MONITOR_STATS *stats)
{
    AVB_STAMP_CONFIG config = avb_load_acquire(&adapter->stamps);
    stats->net_luid = adapter->net_luid;
    stats->if_index = adapter->if_index;
    stats->generation = adapter->generation;
    stats->source = SourceOf(config, adapter);
    stats->hardware_clock_hz = AvbStampHz(config);
    stats->timestamp_flags = AvbStampFlags(config);
    stats->ndis_version = AvbNdisVersion();
    AvbRegistersState(&adapter->registers, &stats->register_state, &stats->sdp_state, &stats->pci_vendor,
                      &stats->pci_device);
}

void AvbMonitorStatistics(AVB_DEVICE_CONTEXT *adapter, AVB_PTP_MONITOR_STATS *stats)
{
    AVB_RING_COUNTS ring = IsEnabled(adapter) ? CountsOf(&adapter->ring) : adapter->last_ring;
    UINT64 counts[AVB_COUNTS];
    for (UINT32 i = AVB_COUNTS; i-- > 0;) /* what was dropped before what was seen: never more of it */
        counts[i] = avb_load_acquire(&adapter->counts[i]);
    RtlZeroMemory(stats, sizeof *stats);
    stats->events_emitted = ring.emitted;
    stats->events_dropped = ring.dropped_full + ring.dropped_contention;
    stats->buffer_size = adapter->settings.ring_capacity;
    stats->size = sizeof *stats;
    stats->version = AVB_PTP_IOCTL_VERSION;
    stats->enabled = (UINT32)IsEnabled(adapter);
    stats->owner_process = adapter->owner_process;
    stats->frames_seen = counts[AVB_COUNT_FRAMES];
    stats->frames_dropped = counts[AVB_COUNT_FRAMES_DROPPED];
    stats->frames_emitted = stats->frames_seen - stats->frames_dropped;
    stats->stamps_seen = counts[AVB_COUNT_STAMPS];
    stats->stamps_dropped = counts[AVB_COUNT_STAMPS_DROPPED];
    stats->stamps_emitted = stats->stamps_seen - stats->stamps_dropped;
    stats->dropped_full = ring.dropped_full;
    stats->dropped_contention = ring.dropped_contention;
    stats->bad_consumer_position = ring.bad_consumer_position;
    stats->high_water = ring.high_water;
    RtlCopyMemory(stats->reasons, &counts[AVB_COUNT_REASONS], sizeof stats->reasons);
    RtlCopyMemory(stats->register_results, &counts[AVB_COUNT_REGISTERS], sizeof stats->register_results);
    DescribeAdapter(adapter, stats);
}
