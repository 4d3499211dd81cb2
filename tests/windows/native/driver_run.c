/* SPDX-License-Identifier: MIT */
#include "driver_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <avb/avb_ptp_ioctl.h>
#include <avb/avb_ptp_monitor.h>

#include "ndis_double.h"

#define ALL_TRANSMIT_HW (1u << 9)
#define STAMP           1795392000000000000u

static const char guid[] = "{6F1C5E1A-93E4-4B53-8C3B-0A3C1F9D2E71}";

static lab_adapter *adapter;
static lab_process *process;
static lab_file *file;
static ULONG at_dispatch;

/* ---- In place of NDIS, below and above ---- */

VOID __wrap_NdisFIndicateReceiveNetBufferLists(NDIS_HANDLE handle, PNET_BUFFER_LIST lists, NDIS_PORT_NUMBER port,
                                               ULONG count, ULONG flags);
VOID __wrap_NdisFSendNetBufferLists(NDIS_HANDLE handle, PNET_BUFFER_LIST lists, NDIS_PORT_NUMBER port, ULONG flags);
VOID __wrap_NdisFSendNetBufferListsComplete(NDIS_HANDLE handle, PNET_BUFFER_LIST lists, ULONG flags);
BOOLEAN __wrap_ExSetTimer(PEX_TIMER timer, LONGLONG due_time, LONGLONG period, PEXT_SET_PARAMETERS parameters);

VOID __wrap_NdisFIndicateReceiveNetBufferLists(NDIS_HANDLE handle, PNET_BUFFER_LIST lists, NDIS_PORT_NUMBER port,
                                               ULONG count, ULONG flags)
{
    UNREFERENCED_PARAMETER(handle);
    UNREFERENCED_PARAMETER(lists);
    UNREFERENCED_PARAMETER(port);
    UNREFERENCED_PARAMETER(count);
    UNREFERENCED_PARAMETER(flags);
}

VOID __wrap_NdisFSendNetBufferLists(NDIS_HANDLE handle, PNET_BUFFER_LIST lists, NDIS_PORT_NUMBER port, ULONG flags)
{
    UNREFERENCED_PARAMETER(handle);
    UNREFERENCED_PARAMETER(lists);
    UNREFERENCED_PARAMETER(port);
    UNREFERENCED_PARAMETER(flags);
}

VOID __wrap_NdisFSendNetBufferListsComplete(NDIS_HANDLE handle, PNET_BUFFER_LIST lists, ULONG flags)
{
    UNREFERENCED_PARAMETER(handle);
    UNREFERENCED_PARAMETER(lists);
    UNREFERENCED_PARAMETER(flags);
}

/* What another thread does is not to be counted. */
BOOLEAN __wrap_ExSetTimer(PEX_TIMER timer, LONGLONG due_time, LONGLONG period, PEXT_SET_PARAMETERS parameters)
{
    UNREFERENCED_PARAMETER(timer);
    UNREFERENCED_PARAMETER(due_time);
    UNREFERENCED_PARAMETER(period);
    UNREFERENCED_PARAMETER(parameters);
    return FALSE;
}

/* ---- Handlers, called the same way as what they end with ---- */

/* Not known to the compiler, so that calls are neither inlined nor left out. */
static FILTER_RECEIVE_NET_BUFFER_LISTS *volatile receive_handler, *volatile receive_nothing;
static FILTER_SEND_NET_BUFFER_LISTS *volatile send_handler, *volatile send_nothing;
static FILTER_SEND_NET_BUFFER_LISTS_COMPLETE *volatile complete_handler, *volatile complete_nothing;
static VOID (*volatile emit_nothing)(PAVB_DEVICE_CONTEXT, PNET_BUFFER_LIST, UINT64, UINT8);
static VOID (*volatile emit_event)(PAVB_DEVICE_CONTEXT, PNET_BUFFER_LIST, UINT64, UINT8);
static NDIS_HANDLE context;

static void no_event(PAVB_DEVICE_CONTEXT adapter_context, PNET_BUFFER_LIST lists, UINT64 stamp, UINT8 direction)
{
    UNREFERENCED_PARAMETER(adapter_context);
    UNREFERENCED_PARAMETER(lists);
    UNREFERENCED_PARAMETER(stamp);
    UNREFERENCED_PARAMETER(direction);
}

static void receive(NET_BUFFER_LIST *lists, ULONG count)
{
    receive_handler(context, lists, NDIS_DEFAULT_PORT_NUMBER, count, at_dispatch);
}

static void receive_without(NET_BUFFER_LIST *lists, ULONG count)
{
    receive_nothing(context, lists, NDIS_DEFAULT_PORT_NUMBER, count, at_dispatch);
}

static void send_on(NET_BUFFER_LIST *lists, ULONG count)
{
    UNREFERENCED_PARAMETER(count);
    send_handler(context, lists, NDIS_DEFAULT_PORT_NUMBER, at_dispatch);
}

static void send_without(NET_BUFFER_LIST *lists, ULONG count)
{
    UNREFERENCED_PARAMETER(count);
    send_nothing(context, lists, NDIS_DEFAULT_PORT_NUMBER, at_dispatch);
}

static void complete(NET_BUFFER_LIST *lists, ULONG count)
{
    UNREFERENCED_PARAMETER(count);
    complete_handler(context, lists, at_dispatch);
}

static void complete_without(NET_BUFFER_LIST *lists, ULONG count)
{
    UNREFERENCED_PARAMETER(count);
    complete_nothing(context, lists, at_dispatch);
}

static void emit(NET_BUFFER_LIST *lists, ULONG count)
{
    UNREFERENCED_PARAMETER(count);
    emit_event(context, lists, AVB_STAMP_OF_LIST, AVB_DIRECTION_RX);
}

static void emit_without(NET_BUFFER_LIST *lists, ULONG count)
{
    UNREFERENCED_PARAMETER(count);
    emit_nothing(context, lists, AVB_STAMP_OF_LIST, AVB_DIRECTION_RX);
}

driver_pass driver_handler(enum driver_traffic traffic)
{
    static const driver_pass handlers[] = {receive, send_on, complete, emit};
    return handlers[traffic];
}

driver_pass driver_nothing(enum driver_traffic traffic)
{
    static const driver_pass nothing[] = {receive_without, send_without, complete_without, emit_without};
    return nothing[traffic];
}

/* ---- The driver ---- */

static void must(int holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "%s failed\n", what);
    exit(1);
}

static void enable(struct driver_run *run)
{
    AVB_PTP_MONITORING monitoring;
    UINT64 returned, bytes, consumer_bytes;
    must(lab_ioctl(file, process, IOCTL_AVB_ENABLE_PTP_MONITORING, NULL, 0, &monitoring, sizeof monitoring, &returned,
                   0) == STATUS_SUCCESS,
         "enable");
    const void *section1 = lab_map(process, monitoring.SharedMemoryHandle, 0, &bytes);
    void *section2 = lab_map(process, monitoring.consumer_handle, 1, &consumer_bytes);
    must(section1 && section2 && AvbRingReaderInit(&run->reader, section1, bytes, section2), "the ring");
    run->capacity = monitoring.capacity;
}

void driver_run_begin(struct driver_run *run, UINT32 capacity, int stamps, int dispatch)
{
    char suffix[sizeof guid + 1];
    struct lab_adapter_config config = {
        .net_luid = 1,
        .if_index = 1,
        .keywords = capacity ? LAB_KEYWORD_RING_CAPACITY : 0,
        .ring_capacity = capacity,
        .frequency_hz = stamps ? 1000000000 : 0,
        .timestamp_flags = stamps ? ALL_TRANSMIT_HW : 0,
    };
    memset(run, 0, sizeof *run);
    memcpy(config.guid, guid, sizeof guid);
    snprintf(suffix, sizeof suffix, "\\%s", guid);
    must(lab_load() == STATUS_SUCCESS, "DriverEntry");
    must(lab_attach(&config, &adapter) == NDIS_STATUS_SUCCESS, "attach");
    must(lab_restart(adapter) == NDIS_STATUS_SUCCESS, "restart");
    process = lab_process_start();
    must(lab_open(process, suffix, &file) == STATUS_SUCCESS, "open");
    if (capacity)
        enable(run);
    context = adapter->context;
    receive_handler = lab_driver.handlers.ReceiveNetBufferListsHandler;
    send_handler = lab_driver.handlers.SendNetBufferListsHandler;
    complete_handler = lab_driver.handlers.SendNetBufferListsCompleteHandler;
    receive_nothing = NdisFIndicateReceiveNetBufferLists;
    send_nothing = NdisFSendNetBufferLists;
    complete_nothing = NdisFSendNetBufferListsComplete;
    emit_event = AvbPtpEmitTimestampEvent;
    emit_nothing = no_event;
    at_dispatch = dispatch ? NDIS_SEND_FLAGS_DISPATCH_LEVEL : 0;
    if (dispatch)
        KeRaiseIrqlToDpcLevel();
}

void driver_run_end(void)
{
    char first[256];
    KeLowerIrql(PASSIVE_LEVEL);
    lab_process_kill(process);
    lab_detach(adapter);
    lab_unload();
    must(nt_lab_breaches(first, sizeof first) == 0, first);
}

void driver_run_empty(struct driver_run *run)
{
    const PTP_TIMESTAMP_EVENT *first;
    UINT64 count;
    while ((count = AvbRingPeek(&run->reader, &first)) > 0)
        AvbRingRelease(&run->reader, count);
}

UINT64 driver_run_emitted(const struct driver_run *run)
{
    return run->reader.header ? run->reader.header->head : 0;
}

/* ---- Frames ---- */

static void *zeroed(size_t bytes)
{
    void *memory = NULL;
    must(posix_memalign(&memory, 64, bytes) == 0, "memory");
    memset(memory, 0, bytes);
    return memory;
}

static MDL *mdl_of(const UINT8 *bytes, UINT32 length, UINT32 pieces)
{
    UINT32 here = length / pieces;
    MDL *mdl = zeroed(sizeof *mdl);
    UINT8 *memory = zeroed(here);
    memcpy(memory, bytes, here);
    mdl->MdlFlags = MDL_SOURCE_IS_NONPAGED_POOL;
    mdl->MappedSystemVa = memory;
    mdl->ByteCount = here;
    mdl->Next = pieces > 1 ? mdl_of(bytes + here, length - here, pieces - 1) : NULL;
    return mdl;
}

NET_BUFFER_LIST *driver_lists(const UINT8 *bytes, UINT32 length, UINT32 count, UINT32 pieces, UINT32 tag)
{
    NET_BUFFER_LIST_TIMESTAMP stamp = {.Timestamp = STAMP};
    NET_BUFFER_LIST *list = zeroed(sizeof *list);
    NET_BUFFER *buffer = zeroed(sizeof *buffer);
    buffer->MdlChain = buffer->CurrentMdl = mdl_of(bytes, length, pieces);
    buffer->DataLength = length;
    list->FirstNetBuffer = buffer;
    list->NetBufferListInfo[Ieee8021QNetBufferListInfo] = (PVOID)(ULONG_PTR)tag;
    NdisSetNblTimestampInfo(list, &stamp);
    list->Next = count > 1 ? driver_lists(bytes, length, count - 1, pieces, tag) : NULL;
    return list;
}
