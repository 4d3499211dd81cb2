/* SPDX-License-Identifier: MIT */
/* From a NET_BUFFER_LIST to records in the ring: avb_ptp_monitor.h. */
#include "adapter.h"
#include "atomic.h"
#include "frame_window.h"

/* A software stamp is the performance counter's at the frame: not after now, and not much before. */
#define SOFTWARE_STAMP_AGE_S 10

static void Count(AVB_DEVICE_CONTEXT *adapter, UINT32 index)
{
    avb_add_relaxed(&adapter->counts[index], 1);
}

static void CountReason(AVB_DEVICE_CONTEXT *adapter, enum avb_ptp_reason reason)
{
    Count(adapter, AVB_COUNT_REASONS + reason);
}

/* What is no event, but nearly. */
static void CountKind(AVB_DEVICE_CONTEXT *adapter, enum avb_frame_kind kind)
{
    static const UINT8 reasons[AVB_FRAME_KINDS + 1] = {
        [AVB_FRAME_PTP_V1] = AVB_REASON_PTP_V1,         [AVB_FRAME_OTHER_VERSION] = AVB_REASON_OTHER_VERSION,
        [AVB_FRAME_TRUNCATED] = AVB_REASON_TRUNCATED,   [AVB_FRAME_BAD_LENGTH] = AVB_REASON_BAD_LENGTH,
        [AVB_FRAME_UNREADABLE] = AVB_REASON_UNREADABLE,
    };
    if (kind != AVB_FRAME_FOREIGN)
        CountReason(adapter, reasons[kind]);
}

/* ---- Filling ---- */

/* Only VMQ tells queues apart, and 0 is also what is there where nobody filled it in. */
static UINT8 QueueOf(const NET_BUFFER_LIST *list, UINT8 direction)
{
    UINT32 queue = direction == AVB_DIRECTION_RX ? NET_BUFFER_LIST_RECEIVE_QUEUE_ID(list) : 0;
    return queue > 0 && queue < AVB_QUEUE_UNKNOWN ? (UINT8)queue : AVB_QUEUE_UNKNOWN;
}

/* The times that no frame has by itself, and the direction. */
static UINT64 Fill(PTP_TIMESTAMP_EVENT *event, const NET_BUFFER_LIST *list, UINT8 direction)
{
    LARGE_INTEGER frequency, now = KeQueryPerformanceCounter(&frequency);
    event->hw_timestamp_ns = 0;
    event->system_timestamp = (UINT64)now.QuadPart;
    event->direction = direction;
    event->queueId = QueueOf(list, direction);
    event->software_timestamp = 0;
    return (UINT64)frequency.QuadPart;
}

static void Write(AVB_DEVICE_CONTEXT *adapter, const PTP_TIMESTAMP_EVENT *event, enum avb_count seen)
{
    Count(adapter, seen);
    if (!RingBufferWrite(&adapter->ring, event))
        Count(adapter, seen + 1);
}

/* ---- Stamps ---- */

static void TakeHardware(AVB_DEVICE_CONTEXT *adapter, PTP_TIMESTAMP_EVENT *event, UINT64 nanoseconds, UINT8 kind)
{
    if (nanoseconds == 0) {
        CountReason(adapter, AVB_REASON_NOT_A_TIME);
        return;
    }
    event->hw_timestamp_ns = nanoseconds;
    event->stamp |= kind;
}

/*
 * A value may have been put there under another configuration than the one that is in force now. What is of a
 * NIC's clock is far from the performance counter, and the other way round.
 */
static int IsOfCounter(const PTP_TIMESTAMP_EVENT *event, UINT64 ticks, UINT64 frequency)
{
    return ticks <= event->system_timestamp && event->system_timestamp - ticks <= SOFTWARE_STAMP_AGE_S * frequency;
}

/* The list's own timestamp: one place for either kind. */
static void TakeFromList(AVB_DEVICE_CONTEXT *adapter, PTP_TIMESTAMP_EVENT *event, const NET_BUFFER_LIST *list,
                         AVB_STAMP_CONFIG config, UINT64 frequency)
{
    NET_BUFFER_LIST_TIMESTAMP stamp = {0};
    if (config == 0)
        return;
    NdisGetNblTimestampInfo(list, &stamp);
    if (stamp.Timestamp == 0)
        return;
    int of_counter = IsOfCounter(event, stamp.Timestamp, frequency);
    switch (AvbStampPromise(config, event, event->direction, list->NblFlags)) {
    case AVB_PROMISE_HARDWARE:
        if (of_counter)
            CountReason(adapter, AVB_REASON_KIND_UNKNOWN);
        else
            TakeHardware(adapter, event, AvbStampNanoseconds(config, stamp.Timestamp), AVB_STAMP_METADATA);
        break;
    case AVB_PROMISE_SOFTWARE:
        if (of_counter)
            event->software_timestamp = stamp.Timestamp;
        else
            CountReason(adapter, AVB_REASON_NOT_A_TIME);
        break;
    case AVB_PROMISE_BOTH:
        CountReason(adapter, AVB_REASON_KIND_UNKNOWN);
        break;
    case AVB_PROMISE_NONE:
        if (AvbStampsAny(config, event->direction))
            CountReason(adapter, AVB_REASON_NOT_THIS_FRAME);
        break;
    }
}

static void StampReceived(AVB_DEVICE_CONTEXT *adapter, PTP_TIMESTAMP_EVENT *event, const NET_BUFFER_LIST *list,
                          UINT64 given, UINT64 frequency)
{
    AVB_STAMP_CONFIG config = avb_load_acquire(&adapter->stamps);
    if (given != AVB_STAMP_OF_LIST && given != 0)
        TakeHardware(adapter, event, given, AVB_STAMP_REGISTERS);
    if (given == AVB_STAMP_OF_LIST || !AvbStampsHardware(config, AVB_DIRECTION_RX))
        TakeFromList(adapter, event, list, config, frequency);
}

/* Whether its stamp will come with the completion of the send. */
static void ExpectStamp(const AVB_DEVICE_CONTEXT *adapter, PTP_TIMESTAMP_EVENT *event, const NET_BUFFER_LIST *list)
{
    AVB_STAMP_CONFIG config = avb_load_acquire(&adapter->stamps);
    AVB_STAMP_PROMISE promise = AvbStampPromise(config, event, AVB_DIRECTION_TX, list->NblFlags);
    if (promise == AVB_PROMISE_SOFTWARE || (promise == AVB_PROMISE_HARDWARE && AvbStampHz(config) != 0))
        event->stamp |= AVB_STAMP_EXPECTED;
}

/* ---- Lists ---- */

void AvbPtpEmitTimestampEvent(PAVB_DEVICE_CONTEXT Ctx, PNET_BUFFER_LIST Nbl, UINT64 HwTimestampNs, UINT8 Direction)
{
    NET_BUFFER *first = NET_BUFFER_LIST_FIRST_NB(Nbl);
    UINT32 tag = AvbTagOf(Nbl);
    for (NET_BUFFER *buffer = first; buffer; buffer = NET_BUFFER_NEXT_NB(buffer)) {
        PTP_TIMESTAMP_EVENT event;
        enum avb_frame_kind kind = AvbReadFrame(buffer, tag, &event);
        if (kind != AVB_FRAME_PTP) {
            CountKind(Ctx, kind);
            continue;
        }
        if (Direction == AVB_DIRECTION_RX && Nbl->NblFlags & NDIS_NBL_FLAGS_IS_LOOPBACK_PACKET) {
            CountReason(Ctx, AVB_REASON_LOOPBACK);
            continue;
        }
        UINT64 frequency = Fill(&event, Nbl, Direction);
        if (buffer == first) {
            if (Direction == AVB_DIRECTION_RX)
                StampReceived(Ctx, &event, Nbl, HwTimestampNs, frequency);
            else
                ExpectStamp(Ctx, &event, Nbl);
        }
        Write(Ctx, &event, AVB_COUNT_FRAMES);
    }
}

void AvbPtpEmitLateStamp(PAVB_DEVICE_CONTEXT Ctx, PNET_BUFFER_LIST Nbl)
{
    AVB_STAMP_CONFIG config = avb_load_acquire(&Ctx->stamps);
    NET_BUFFER *first = NET_BUFFER_LIST_FIRST_NB(Nbl);
    NET_BUFFER_LIST_TIMESTAMP stamp = {0};
    PTP_TIMESTAMP_EVENT event;
    if (!AvbStampsAny(config, AVB_DIRECTION_TX) || !first)
        return;
    NdisGetNblTimestampInfo(Nbl, &stamp);
    /* Read anew: what was seen on the way down may have been changed below. */
    if (stamp.Timestamp == 0 || AvbReadFrame(first, AvbTagOf(Nbl), &event) != AVB_FRAME_PTP)
        return;
    if (Nbl->Status != NDIS_STATUS_SUCCESS) {
        CountReason(Ctx, AVB_REASON_NOT_SENT);
        return;
    }
    UINT64 frequency = Fill(&event, Nbl, AVB_DIRECTION_TX);
    TakeFromList(Ctx, &event, Nbl, config, frequency);
    if (event.hw_timestamp_ns == 0 && event.software_timestamp == 0)
        return;
    event.stamp |= AVB_STAMP_LATE;
    Write(Ctx, &event, AVB_COUNT_STAMPS);
}
