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

static void LowerIrql(const LOOK *look)
{
    if (look->irql != DISPATCH_LEVEL)
        KeLowerIrql(look->irql);
}

/*
 * 0: monitoring ends at this moment. A caller that is not at DISPATCH_LEVEL could be suspended, in the midst of a
 * record or with the rundown reference, for which disable and detach would wait.
 */
static int BeginLook(LOOK *look, AVB_DEVICE_CONTEXT *adapter, const NET_BUFFER_LIST *lists, UINT32 direction,
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

static void EndLook(LOOK *look)
{
    AVB_DEVICE_CONTEXT *adapter = look->adapter;
    if (look->traced)
        AvbTraceDatapath(0, adapter->net_luid, look->direction, look->traced);
    if (AvbRegistersHavePin(&adapter->registers))
        AvbRegistersPinLeave(&adapter->registers);
    ExReleaseRundownProtectionCacheAware(adapter->users);
    LowerIrql(look);
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
    for (NET_BUFFER_LIST *list = lists; list; list = NET_BUFFER_LIST_NEXT_NBL(list)) {
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

static void EmitWithRegisters(AVB_DEVICE_CONTEXT *adapter, NET_BUFFER_LIST *lists)
{
    UINT64 nanoseconds = 0;
    const NET_BUFFER_LIST *owner = OwnerOfRegister(adapter, lists, &nanoseconds);
    for (NET_BUFFER_LIST *list = lists; list; list = NET_BUFFER_LIST_NEXT_NBL(list))
        AvbPtpEmitTimestampEvent(adapter, list, list == owner ? nanoseconds : 0, AVB_DIRECTION_RX);
}

/* The registers are left to the miniport where it gives the stamps itself. */
static int UsesRegisters(const AVB_DEVICE_CONTEXT *adapter)
{
    return AvbRegistersAreOpen(&adapter->registers) &&
           !AvbStampsHardware(avb_load_relaxed(&adapter->stamps), AVB_DIRECTION_RX);
}

/* Apart, as all that follows the one branch: who does not monitor saves no registers for it. */
__attribute__((noinline)) static void LookAtReceived(AVB_DEVICE_CONTEXT *adapter, NET_BUFFER_LIST *lists,
                                                     int at_dispatch)
{
    LOOK look;
    if (!BeginLook(&look, adapter, lists, AVB_DIRECTION_RX, at_dispatch))
        return;
    if (UsesRegisters(adapter)) {
        EmitWithRegisters(adapter, lists);
    } else {
        for (NET_BUFFER_LIST *list = lists; list; list = NET_BUFFER_LIST_NEXT_NBL(list))
            AvbPtpEmitTimestampEvent(adapter, list, AVB_STAMP_OF_LIST, AVB_DIRECTION_RX);
    }
    EndLook(&look);
}

VOID NTAPI FilterReceiveNetBufferLists(NDIS_HANDLE context, NET_BUFFER_LIST *lists, NDIS_PORT_NUMBER port, ULONG count,
                                       ULONG flags)
{
    AVB_DEVICE_CONTEXT *adapter = context;
    if (avb_load_acquire(&adapter->path) & AVB_PATH_MONITORED)
        LookAtReceived(adapter, lists, NDIS_TEST_RECEIVE_AT_DISPATCH_LEVEL(flags));
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

static void LookAtSent(AVB_DEVICE_CONTEXT *adapter, NET_BUFFER_LIST *lists, int at_dispatch)
{
    LOOK look;
    if (!BeginLook(&look, adapter, lists, AVB_DIRECTION_TX, at_dispatch))
        return;
    for (NET_BUFFER_LIST *list = lists; list; list = NET_BUFFER_LIST_NEXT_NBL(list))
        AvbPtpEmitTimestampEvent(adapter, list, 0, AVB_DIRECTION_TX);
    EndLook(&look);
}

/* 1: the lists are to be handed down. */
__attribute__((noinline)) static int PrepareSend(AVB_DEVICE_CONTEXT *adapter, UINT64 path, NET_BUFFER_LIST *lists,
                                                 int at_dispatch)
{
    if (path & AVB_PATH_PAUSED) {
        RefuseLists(adapter, lists, at_dispatch);
        return 0;
    }
    LookAtSent(adapter, lists, at_dispatch);
    return 1;
}

VOID NTAPI FilterSendNetBufferLists(NDIS_HANDLE context, NET_BUFFER_LIST *lists, NDIS_PORT_NUMBER port, ULONG flags)
{
    AVB_DEVICE_CONTEXT *adapter = context;
    UINT64 path = avb_load_acquire(&adapter->path);
    if (path != 0 && !PrepareSend(adapter, path, lists, NDIS_TEST_SEND_AT_DISPATCH_LEVEL(flags)))
        return;
    NdisFSendNetBufferLists(adapter->filter, lists, port, flags);
}

__attribute__((noinline)) static void LookAtCompleted(AVB_DEVICE_CONTEXT *adapter, NET_BUFFER_LIST *lists,
                                                      int at_dispatch)
{
    LOOK look;
    if (!AvbStampsAny(avb_load_relaxed(&adapter->stamps), AVB_DIRECTION_TX) ||
        !BeginLook(&look, adapter, lists, AVB_DIRECTION_TX, at_dispatch))
        return;
    for (NET_BUFFER_LIST *list = lists; list; list = NET_BUFFER_LIST_NEXT_NBL(list))
        AvbPtpEmitLateStamp(adapter, list);
    EndLook(&look);
}

VOID NTAPI FilterSendNetBufferListsComplete(NDIS_HANDLE context, NET_BUFFER_LIST *lists, ULONG flags)
{
    AVB_DEVICE_CONTEXT *adapter = context;
    if (avb_load_acquire(&adapter->path) & AVB_PATH_MONITORED)
        LookAtCompleted(adapter, lists, (flags & NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL) != 0);
    NdisFSendNetBufferListsComplete(adapter->filter, lists, flags);
}

VOID NTAPI FilterCancelSendNetBufferLists(NDIS_HANDLE context, PVOID cancel_id)
{
    const AVB_DEVICE_CONTEXT *adapter = context;
    NdisFCancelSendNetBufferLists(adapter->filter, cancel_id);
}
