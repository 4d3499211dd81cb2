/* SPDX-License-Identifier: MIT */
#include "datapath.h"

#include "adapter.h"
#include "atomic.h"
#include "frame_window.h"
#include "trace.h"

/* Among so many PTP frames of one indication the owner of a register's stamp is looked for. */
#define BATCH 16

/* ---- Around a look ---- */

/* What is undone when the look is over. */
typedef struct _LOOK {
    AVB_DEVICE_CONTEXT *adapter;
    UINT32 direction, traced;
    KIRQL irql;
} LOOK;

static UINT32 CountLists(const NET_BUFFER_LIST *list)
{
    UINT32 count = 0;
    for (; list; list = NET_BUFFER_LIST_NEXT_NBL(list))
        count++;
    return count;
}

AVB_INLINE void LowerIrql(const LOOK *look)
{
    if (look->irql != DISPATCH_LEVEL)
        KeLowerIrql(look->irql);
}

/*
 * 0: monitoring ends at this moment. A caller that is not at DISPATCH_LEVEL could be suspended, in the midst of a
 * record or with the rundown reference, for which disable and detach would wait.
 */
AVB_INLINE int BeginLook(LOOK *look, AVB_DEVICE_CONTEXT *adapter, const NET_BUFFER_LIST *lists, UINT32 direction,
                         int at_dispatch)
{
    *look = (LOOK){.adapter = adapter, .direction = direction, .irql = DISPATCH_LEVEL};
    if (!at_dispatch)
        look->irql = KeRaiseIrqlToDpcLevel();
    if (!ExAcquireRundownProtectionCacheAware(adapter->users)) {
        LowerIrql(look);
        return 0;
    }
    if (AvbRegistersHavePin(&adapter->registers))
        AvbRegistersPinEnter(&adapter->registers);
    if (AvbTraceDatapathWanted()) {
        look->traced = CountLists(lists);
        AvbTraceDatapath(1, adapter->net_luid, direction, look->traced);
    }
    return 1;
}

AVB_INLINE void EndLook(const LOOK *look)
{
    AVB_DEVICE_CONTEXT *adapter = look->adapter;
    if (look->traced)
        AvbTraceDatapath(0, adapter->net_luid, look->direction, look->traced);
    if (AvbRegistersHavePin(&adapter->registers))
        AvbRegistersPinLeave(&adapter->registers);
    ExReleaseRundownProtectionCacheAware(adapter->users);
    LowerIrql(look);
}

/* The first list with a frame that may be PTP; NULL: none of them has one. */
static inline NET_BUFFER_LIST *SkipForeign(NET_BUFFER_LIST *list)
{
    while (list && AvbIsForeignAtAGlance(list))
        list = NET_BUFFER_LIST_NEXT_NBL(list);
    return list;
}

static inline NET_BUFFER_LIST *NextCandidate(const NET_BUFFER_LIST *list)
{
    return SkipForeign(NET_BUFFER_LIST_NEXT_NBL(list));
}

/* ---- Received ---- */

/*
 * The list whose frame owns the stamp in the NIC's registers, and its time: all PTP frames of the indication are
 * candidates, since the registers name a frame only in part.
 */
static NET_BUFFER_LIST *OwnerOfRegister(AVB_DEVICE_CONTEXT *adapter, NET_BUFFER_LIST *lists, UINT64 *nanoseconds)
{
    PTP_TIMESTAMP_EVENT frames[BATCH];
    NET_BUFFER_LIST *owners[BATCH];
    UINT32 count = 0, owner = 0;
    int too_many = 0;
    for (NET_BUFFER_LIST *list = lists; list; list = NextCandidate(list)) {
        NET_BUFFER *buffer = NET_BUFFER_LIST_FIRST_NB(list);
        PTP_TIMESTAMP_EVENT frame;
        if (!buffer || list->NblFlags & NDIS_NBL_FLAGS_IS_LOOPBACK_PACKET ||
            AvbReadFrame(buffer, AvbTagOf(list), &frame) != AVB_FRAME_PTP)
            continue;
        if (count == BATCH) {
            too_many = 1;
            break;
        }
        frame.direction = AVB_DIRECTION_RX;
        frames[count] = frame;
        owners[count++] = list;
    }
    if (count == 0)
        return NULL;
    if (too_many) {
        avb_add_relaxed(&adapter->counts[AVB_COUNT_REASONS + AVB_REASON_BATCH_TOO_LARGE], 1);
        count = 0; /* what is in the register may be of any */
    }
    enum avb_stamp_result result = AvbRegistersStamp(&adapter->registers, frames, count, &owner, nanoseconds);
    avb_add_relaxed(&adapter->counts[AVB_COUNT_REGISTERS + result], 1);
    return result == AVB_STAMP_GIVEN ? owners[owner] : NULL;
}

/* Apart: it needs much stack. */
__attribute__((noinline)) static void EmitWithRegisters(AVB_DEVICE_CONTEXT *adapter, NET_BUFFER_LIST *lists)
{
    UINT64 nanoseconds = 0;
    const NET_BUFFER_LIST *owner = OwnerOfRegister(adapter, lists, &nanoseconds);
    for (NET_BUFFER_LIST *list = lists; list; list = NextCandidate(list))
        AvbPtpEmitTimestampEvent(adapter, list, list == owner ? nanoseconds : 0, AVB_DIRECTION_RX);
}

/* The registers are left to the miniport where it gives the stamps itself. */
static int UsesRegisters(const AVB_DEVICE_CONTEXT *adapter)
{
    return AvbRegistersAreOpen(&adapter->registers) &&
           !AvbStampsHardware(avb_load_relaxed(&adapter->stamps), AVB_DIRECTION_RX);
}

/* `lists` begins with a candidate. Apart, as all that follows a branch that most calls do not take. */
__attribute__((noinline)) static void LookAtReceived(AVB_DEVICE_CONTEXT *adapter, NET_BUFFER_LIST *lists,
                                                     int at_dispatch)
{
    LOOK look;
    if (!BeginLook(&look, adapter, lists, AVB_DIRECTION_RX, at_dispatch))
        return;
    if (UsesRegisters(adapter)) {
        EmitWithRegisters(adapter, lists);
    } else {
        for (NET_BUFFER_LIST *list = lists; list; list = NextCandidate(list))
            AvbPtpEmitTimestampEvent(adapter, list, AVB_STAMP_OF_LIST, AVB_DIRECTION_RX);
    }
    EndLook(&look);
}

__attribute__((noinline)) static void ReceiveMonitored(AVB_DEVICE_CONTEXT *adapter, NET_BUFFER_LIST *lists,
                                                       NDIS_PORT_NUMBER port, ULONG count, ULONG flags)
{
    NET_BUFFER_LIST *first = SkipForeign(lists);
    if (first)
        LookAtReceived(adapter, first, NDIS_TEST_RECEIVE_AT_DISPATCH_LEVEL(flags));
    NdisFIndicateReceiveNetBufferLists(adapter->filter, lists, port, count, flags);
}

VOID NTAPI FilterReceiveNetBufferLists(NDIS_HANDLE context, NET_BUFFER_LIST *lists, NDIS_PORT_NUMBER port, ULONG count,
                                       ULONG flags)
{
    AVB_DEVICE_CONTEXT *adapter = context;
    if (avb_load_acquire(&adapter->path) & AVB_PATH_MONITORED)
        ReceiveMonitored(adapter, lists, port, count, flags);
    else
        NdisFIndicateReceiveNetBufferLists(adapter->filter, lists, port, count, flags);
}

VOID NTAPI FilterReturnNetBufferLists(NDIS_HANDLE context, NET_BUFFER_LIST *lists, ULONG flags)
{
    const AVB_DEVICE_CONTEXT *adapter = context;
    NdisFReturnNetBufferLists(adapter->filter, lists, flags);
}

/* ---- Sent ---- */

/* NDIS asks a paused filter for this. It hands it nothing, but a call may be on its way. */
static void RefuseLists(const AVB_DEVICE_CONTEXT *adapter, NET_BUFFER_LIST *lists, int at_dispatch)
{
    for (NET_BUFFER_LIST *list = lists; list; list = NET_BUFFER_LIST_NEXT_NBL(list))
        list->Status = NDIS_STATUS_PAUSED;
    NdisFSendNetBufferListsComplete(adapter->filter, lists, at_dispatch ? NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL : 0);
}

__attribute__((noinline)) static void LookAtSent(AVB_DEVICE_CONTEXT *adapter, NET_BUFFER_LIST *lists, int at_dispatch)
{
    LOOK look;
    if (!BeginLook(&look, adapter, lists, AVB_DIRECTION_TX, at_dispatch))
        return;
    for (NET_BUFFER_LIST *list = lists; list; list = NextCandidate(list))
        AvbPtpEmitTimestampEvent(adapter, list, 0, AVB_DIRECTION_TX);
    EndLook(&look);
}

/* Paused, or monitored. */
__attribute__((noinline)) static void SendObserved(AVB_DEVICE_CONTEXT *adapter, NET_BUFFER_LIST *lists,
                                                   NDIS_PORT_NUMBER port, ULONG flags)
{
    int at_dispatch = NDIS_TEST_SEND_AT_DISPATCH_LEVEL(flags);
    if (avb_load_acquire(&adapter->path) & AVB_PATH_PAUSED) {
        RefuseLists(adapter, lists, at_dispatch);
        return;
    }
    NET_BUFFER_LIST *first = SkipForeign(lists);
    if (first)
        LookAtSent(adapter, first, at_dispatch);
    NdisFSendNetBufferLists(adapter->filter, lists, port, flags);
}

VOID NTAPI FilterSendNetBufferLists(NDIS_HANDLE context, NET_BUFFER_LIST *lists, NDIS_PORT_NUMBER port, ULONG flags)
{
    AVB_DEVICE_CONTEXT *adapter = context;
    if (avb_load_acquire(&adapter->path) != 0)
        SendObserved(adapter, lists, port, flags);
    else
        NdisFSendNetBufferLists(adapter->filter, lists, port, flags);
}

__attribute__((noinline)) static void LookAtCompleted(AVB_DEVICE_CONTEXT *adapter, NET_BUFFER_LIST *lists,
                                                      int at_dispatch)
{
    LOOK look;
    if (!BeginLook(&look, adapter, lists, AVB_DIRECTION_TX, at_dispatch))
        return;
    for (NET_BUFFER_LIST *list = lists; list; list = NextCandidate(list))
        AvbPtpEmitLateStamp(adapter, list);
    EndLook(&look);
}

__attribute__((noinline)) static void CompleteMonitored(AVB_DEVICE_CONTEXT *adapter, NET_BUFFER_LIST *lists,
                                                        ULONG flags)
{
    if (AvbStampsAny(avb_load_relaxed(&adapter->stamps), AVB_DIRECTION_TX)) {
        NET_BUFFER_LIST *first = SkipForeign(lists);
        if (first)
            LookAtCompleted(adapter, first, (flags & NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL) != 0);
    }
    NdisFSendNetBufferListsComplete(adapter->filter, lists, flags);
}

VOID NTAPI FilterSendNetBufferListsComplete(NDIS_HANDLE context, NET_BUFFER_LIST *lists, ULONG flags)
{
    AVB_DEVICE_CONTEXT *adapter = context;
    if (avb_load_acquire(&adapter->path) & AVB_PATH_MONITORED)
        CompleteMonitored(adapter, lists, flags);
    else
        NdisFSendNetBufferListsComplete(adapter->filter, lists, flags);
}

VOID NTAPI FilterCancelSendNetBufferLists(NDIS_HANDLE context, PVOID cancel_id)
{
    const AVB_DEVICE_CONTEXT *adapter = context;
    NdisFCancelSendNetBufferLists(adapter->filter, cancel_id);
}
