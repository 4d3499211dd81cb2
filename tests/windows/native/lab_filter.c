/* SPDX-License-Identifier: MIT */
#include "lab_filter.h"

#include <stdlib.h>

#define TAG 0x54746C46u

enum wrong wrong;
int without_data_handlers, without_oid_handlers;
struct lab_filter *newest_filter;

static NDIS_HANDLE driver_handle;
static DRIVER_OBJECT driver;

static UINT32 length_of(const NET_BUFFER_LIST *list)
{
    UINT32 count = 0;
    for (; list; list = list->Next)
        count++;
    return count;
}

/* ---- Sending ---- */

static void complete_itself(struct lab_filter *filter, NET_BUFFER_LIST *lists, ULONG flags, NDIS_STATUS status)
{
    for (NET_BUFFER_LIST *each = lists; each; each = each->Next)
        each->Status = status;
    NdisFSendNetBufferListsComplete(filter->handle, lists, flags & NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL);
}

/* Wrong changes of the first NBL, before it is passed on. */
static void change(NET_BUFFER_LIST *lists)
{
    NET_BUFFER *nb = lists->FirstNetBuffer;
    switch (wrong) {
    case SEND_CHANGES_FLAG:
        lists->NblFlags |= NDIS_NBL_FLAGS_CAPTURE_TIMESTAMP_ON_TRANSMIT;
        break;
    case SEND_CHANGES_SLOT:
        lists->NetBufferListInfo[NetBufferListHashValue] = NULL;
        break;
    case SEND_CHANGES_STATUS:
        lists->Status = NDIS_STATUS_FAILURE;
        break;
    case SEND_CHANGES_BYTE:
        ((UINT8 *)nb->CurrentMdl->MappedSystemVa)[nb->CurrentMdlOffset] ^= 1;
        break;
    case SEND_CHANGES_OFFSET:
        nb->DataOffset++;
        break;
    case SEND_CHANGES_MDL:
        nb->CurrentMdl->ByteCount--;
        break;
    default:
        break;
    }
}

/* Wrong ways of passing a chain on. 0: none of them, it is still to be passed on. */
static int send_wrongly(struct lab_filter *filter, NET_BUFFER_LIST *lists, NDIS_PORT_NUMBER port, ULONG flags)
{
    static NET_BUFFER_LIST own;
    NET_BUFFER_LIST *second = lists->Next;
    switch (wrong) {
    case SEND_DROPS_ALL:
        return 1;
    case SEND_DROPS_ONE:
        lists->Next = second->Next;
        break;
    case SEND_REORDERS:
        lists->Next = second->Next;
        second->Next = lists;
        lists = second;
        break;
    case SEND_SPLITS:
        lists->Next = NULL;
        NdisFSendNetBufferLists(filter->handle, lists, port, flags);
        lists = second;
        break;
    case SEND_TWICE:
    case SEND_TOUCHES_AFTERWARDS:
        NdisFSendNetBufferLists(filter->handle, lists, port, flags);
        if (wrong == SEND_TOUCHES_AFTERWARDS) {
            lists->Scratch = filter;
            return 1;
        }
        break;
    case SEND_OF_ITS_OWN:
        NdisFSendNetBufferLists(filter->handle, &own, port, flags);
        break;
    case SEND_COMPLETES_WHILE_RUNNING:
        complete_itself(filter, lists, flags, NDIS_STATUS_PAUSED);
        return 1;
    default:
        return 0;
    }
    NdisFSendNetBufferLists(filter->handle, lists, port, flags);
    return 1;
}

static VOID NTAPI filter_send(NDIS_HANDLE context, NET_BUFFER_LIST *lists, NDIS_PORT_NUMBER port, ULONG flags)
{
    struct lab_filter *filter = context;
    if (__atomic_load_n(&filter->paused, __ATOMIC_ACQUIRE) && wrong != SEND_PASSES_WHILE_PAUSED) {
        complete_itself(filter, lists, flags,
                        wrong == SEND_COMPLETES_WITH_SUCCESS ? NDIS_STATUS_SUCCESS : NDIS_STATUS_PAUSED);
        return;
    }
    __atomic_fetch_add(&filter->count, length_of(lists), __ATOMIC_RELAXED);
    if (wrong == SEND_COUNTS_PLAINLY)
        filter->plain_count++;
    change(lists);
    if (send_wrongly(filter, lists, port, flags))
        return;
    NdisFSendNetBufferLists(wrong == SEND_WITH_FOREIGN_HANDLE ? filter->other : filter->handle, lists,
                            port + (wrong == SEND_TO_OTHER_PORT),
                            flags ^ (wrong == SEND_WITH_OTHER_FLAGS ? NDIS_SEND_FLAGS_CHECK_FOR_LOOPBACK : 0u) ^
                                (wrong == SEND_SAYS_DISPATCH ? NDIS_SEND_FLAGS_DISPATCH_LEVEL : 0u));
    if (wrong == SEND_RAISES_IRQL)
        KeRaiseIrqlToDpcLevel();
}

static VOID NTAPI filter_send_complete(NDIS_HANDLE context, NET_BUFFER_LIST *lists, ULONG flags)
{
    struct lab_filter *filter = context;
    const NET_BUFFER_LIST_TIMESTAMP stamp = {.Timestamp = 42};
    NET_BUFFER_LIST *given = lists;
    if (wrong == COMPLETE_SENDS_AGAIN)
        NdisFSendNetBufferLists(filter->handle, lists, 0, flags);
    if (wrong == COMPLETE_CHANGES_STATUS)
        lists->Status = NDIS_STATUS_FAILURE;
    if (wrong == COMPLETE_CHANGES_STAMP)
        NdisSetNblTimestampInfo(lists, &stamp);
    if (wrong == COMPLETE_KEEPS_ONE)
        lists = lists->Next;
    NdisFSendNetBufferListsComplete(filter->handle, lists, flags);
    if (wrong == COMPLETE_TWICE)
        NdisFSendNetBufferListsComplete(filter->handle, lists, flags);
    if (wrong == COMPLETE_TOUCHES_AFTERWARDS)
        given->FirstNetBuffer = NULL;
}

static VOID NTAPI filter_cancel_send(NDIS_HANDLE context, PVOID id)
{
    struct lab_filter *filter = context;
    if (wrong != CANCEL_DROPS)
        NdisFCancelSendNetBufferLists(filter->handle, id);
    if (wrong == CANCEL_TWICE)
        NdisFCancelSendNetBufferLists(filter->handle, id);
}

/* ---- Receiving ---- */

static VOID NTAPI filter_receive(NDIS_HANDLE context, NET_BUFFER_LIST *lists, NDIS_PORT_NUMBER port, ULONG count,
                                 ULONG flags)
{
    struct lab_filter *filter = context;
    __atomic_fetch_add(&filter->count, length_of(lists), __ATOMIC_RELAXED);
    if (wrong == RECEIVE_DROPS_ONE) {
        lists = lists->Next;
        count--;
    }
    ULONG removed = wrong == RECEIVE_CLEARS_RESOURCES ? NDIS_RECEIVE_FLAGS_RESOURCES : 0u;
    NdisFIndicateReceiveNetBufferLists(filter->handle, lists, port, count + (wrong == RECEIVE_MISCOUNTS),
                                       flags & ~removed);
    if (wrong == RECEIVE_RETURNS_RESOURCES)
        NdisFReturnNetBufferLists(filter->handle, lists, 0);
    if (wrong == RECEIVE_CHANGES_RESOURCES)
        lists->NblFlags ^= NDIS_NBL_FLAGS_IS_IPV4;
}

static VOID NTAPI filter_return(NDIS_HANDLE context, NET_BUFFER_LIST *lists, ULONG flags)
{
    struct lab_filter *filter = context;
    if (wrong == RETURN_KEEPS_ALL)
        return;
    NdisFReturnNetBufferLists(filter->handle, lists, flags);
    if (wrong == RETURN_TWICE)
        NdisFReturnNetBufferLists(filter->handle, lists, flags);
}

/* ---- OID requests ---- */

/* The filter's own. */
struct query {
    NDIS_OID_REQUEST request; /* first */
    KEVENT done;
    NDIS_STATUS status;
};

static NDIS_OID_REQUEST **original_of(NDIS_OID_REQUEST *clone)
{
    return (NDIS_OID_REQUEST **)(void *)clone->SourceReserved;
}

static void end_of_clone(struct lab_filter *filter, NDIS_OID_REQUEST *clone)
{
    NDIS_OID_REQUEST *original = *original_of(clone);
    if (wrong != OID_FORGETS_RESULTS)
        memcpy(&original->DATA, &clone->DATA, sizeof original->DATA);
    if (wrong == OID_CHANGES_ORIGINAL)
        original->Timeout++;
    if (wrong != OID_KEEPS_CLONE)
        NdisFreeCloneOidRequest(filter->handle, clone);
    if (wrong == OID_FREES_CLONE_TWICE)
        NdisFreeCloneOidRequest(filter->handle, clone);
}

static VOID NTAPI filter_oid_complete(NDIS_HANDLE context, NDIS_OID_REQUEST *request, NDIS_STATUS status)
{
    struct lab_filter *filter = context;
    NDIS_OID_REQUEST *original = *original_of(request);
    if (!original) {
        struct query *query = (struct query *)(void *)request;
        query->status = status;
        KeSetEvent(&query->done, 0, FALSE);
        return;
    }
    end_of_clone(filter, request);
    if (wrong == OID_NEVER_COMPLETES)
        return;
    if (wrong == OID_COMPLETES_ANOTHER)
        NdisFOidRequestComplete(filter->handle, request, status);
    if (wrong == OID_OTHER_STATUS || wrong == OID_COMPLETES_AS_PENDING)
        status = wrong == OID_OTHER_STATUS ? NDIS_STATUS_FAILURE : NDIS_STATUS_PENDING;
    NdisFOidRequestComplete(filter->handle, original, status);
    if (wrong == OID_COMPLETES_TWICE)
        NdisFOidRequestComplete(filter->handle, original, status);
}

static NDIS_STATUS NTAPI filter_oid(NDIS_HANDLE context, NDIS_OID_REQUEST *request)
{
    struct lab_filter *filter = context;
    NDIS_OID_REQUEST *clone;
    if (wrong == OID_SENDS_ORIGINAL)
        return NdisFOidRequest(filter->handle, request);
    if (wrong == OID_PRETENDS)
        return NDIS_STATUS_SUCCESS;
    NDIS_STATUS status = NdisAllocateCloneOidRequest(filter->handle, request, TAG, &clone);
    if (status != NDIS_STATUS_SUCCESS)
        return status;
    *original_of(clone) = request;
    if (wrong != OID_FORGETS_REQUEST_ID)
        clone->RequestId = request->RequestId;
    if (wrong == OID_CHANGES_CLONE)
        clone->DATA.QUERY_INFORMATION.InformationBufferLength--;
    status = NdisFOidRequest(filter->handle, clone);
    if (wrong == OID_SENDS_CLONE_TWICE)
        NdisFOidRequest(filter->handle, clone);
    if (wrong == OID_FREES_CLONE_UNDER_WAY)
        NdisFreeCloneOidRequest(filter->handle, clone);
    if (status == NDIS_STATUS_PENDING)
        return status;
    end_of_clone(filter, clone);
    if (wrong == OID_COMPLETES_TWICE) /* and once by returning */
        NdisFOidRequestComplete(filter->handle, request, status);
    return wrong == OID_OTHER_STATUS ? NDIS_STATUS_FAILURE : status;
}

static VOID NTAPI filter_cancel_oid(NDIS_HANDLE context, PVOID id)
{
    struct lab_filter *filter = context;
    if (wrong == OID_CANCELS_ANOTHER)
        NdisFCancelOidRequest(filter->handle, &filter);
    if (wrong != OID_FORGETS_CANCEL)
        NdisFCancelOidRequest(filter->handle, id);
    if (wrong == OID_CANCELS_TWICE)
        NdisFCancelOidRequest(filter->handle, id);
}

static void fill_query(struct query *query, NDIS_OID oid, void *answer, UINT32 bytes)
{
    memset(query, 0, sizeof *query);
    KeInitializeEvent(&query->done, NotificationEvent, FALSE);
    query->request.Header.Type = NDIS_OBJECT_TYPE_OID_REQUEST;
    query->request.Header.Revision = NDIS_OID_REQUEST_REVISION_1;
    query->request.Header.Size = NDIS_SIZEOF_OID_REQUEST_REVISION_1;
    query->request.DATA.QUERY_INFORMATION.Oid = oid;
    query->request.DATA.QUERY_INFORMATION.InformationBuffer = answer;
    query->request.DATA.QUERY_INFORMATION.InformationBufferLength = bytes;
}

NDIS_STATUS filter_query(struct lab_filter *filter, NDIS_OID oid, void *answer, UINT32 bytes, UINT32 *written)
{
    struct query query;
    fill_query(&query, oid, answer, bytes);
    NDIS_STATUS status = NdisFOidRequest(filter->handle, &query.request);
    if (status == NDIS_STATUS_PENDING) {
        KeWaitForSingleObject(&query.done, Executive, KernelMode, FALSE, NULL);
        status = query.status;
    }
    *written = query.request.DATA.QUERY_INFORMATION.BytesWritten;
    return status;
}

/* ---- Indications and events ---- */

static VOID NTAPI filter_status(NDIS_HANDLE context, NDIS_STATUS_INDICATION *status)
{
    struct lab_filter *filter = context;
    NDIS_STATUS_INDICATION own = *status;
    if (wrong == STATUS_CHANGES)
        ((UINT8 *)status->StatusBuffer)[0] ^= 1;
    if (wrong == STATUS_OF_ITS_OWN)
        NdisFIndicateStatus(filter->handle, &own);
    if (wrong != STATUS_DROPS)
        NdisFIndicateStatus(filter->handle, status);
    if (wrong == STATUS_CHANGES_AFTERWARDS)
        status->StatusCode = NDIS_STATUS_LINK_STATE;
    if (wrong == STATUS_TWICE)
        NdisFIndicateStatus(filter->handle, status);
}

static VOID NTAPI filter_device_event(NDIS_HANDLE context, NET_DEVICE_PNP_EVENT *event)
{
    struct lab_filter *filter = context;
    if (wrong != PNP_DROPS)
        NdisFDevicePnPEventNotify(filter->handle, event);
}

/* Leaves a request of its own behind, which each second one is: one that pends. */
static void leave_request(struct lab_filter *filter)
{
    static struct query query;
    static NDIS_TIMESTAMP_CAPABILITIES answer;
    UINT32 pending = 0;
    while (!pending) {
        fill_query(&query, OID_TIMESTAMP_CURRENT_CONFIG, &answer, sizeof answer);
        pending = NdisFOidRequest(filter->handle, &query.request) == NDIS_STATUS_PENDING;
    }
}

static NDIS_STATUS NTAPI filter_net_event(NDIS_HANDLE context, NET_PNP_EVENT_NOTIFICATION *event)
{
    struct lab_filter *filter = context;
    if (wrong == DETACH_WITH_REQUEST)
        leave_request(filter);
    return NdisFNetPnPEvent(filter->handle, event);
}

/* ---- Life ---- */

static NDIS_STATUS set_attributes(struct lab_filter *filter)
{
    NDIS_FILTER_ATTRIBUTES attributes = {.Header = {.Type = NDIS_OBJECT_TYPE_FILTER_ATTRIBUTES,
                                                    .Revision = NDIS_FILTER_ATTRIBUTES_REVISION_1,
                                                    .Size = NDIS_SIZEOF_FILTER_ATTRIBUTES_REVISION_1}};
    return NdisFSetAttributes(filter->handle, filter, &attributes);
}

static void open_configuration(struct lab_filter *filter)
{
    NDIS_HANDLE configuration;
    NDIS_CONFIGURATION_OBJECT object = {.Header = {.Type = NDIS_OBJECT_TYPE_CONFIGURATION_OBJECT,
                                                   .Revision = NDIS_CONFIGURATION_OBJECT_REVISION_1,
                                                   .Size = NDIS_SIZEOF_CONFIGURATION_OBJECT_REVISION_1},
                                        .NdisHandle = filter->handle};
    KIRQL irql = PASSIVE_LEVEL;
    if (wrong == ATTACH_OPENS_CONFIGURATION_AT_DISPATCH)
        irql = KeRaiseIrqlToDpcLevel();
    NdisOpenConfigurationEx(&object, &configuration);
    if (wrong == ATTACH_OPENS_CONFIGURATION_AT_DISPATCH)
        KeLowerIrql(irql);
}

static void misuse(BUS_INTERFACE_STANDARD *bus)
{
    UINT16 vendor;
    if (wrong != ATTACH_KEEPS_BUS_INTERFACE)
        bus->InterfaceDereference(bus->Context);
    if (wrong == ATTACH_DROPS_BUS_INTERFACE_TWICE)
        bus->InterfaceDereference(bus->Context);
    if (wrong == ATTACH_USES_BUS_INTERFACE_AFTERWARDS)
        bus->GetBusData(bus->Context, PCI_WHICHSPACE_CONFIG, &vendor, 0, sizeof vendor);
}

static void take_bus_interface(DEVICE_OBJECT *physical_device)
{
    BUS_INTERFACE_STANDARD bus;
    DEVICE_OBJECT *device = IoGetAttachedDeviceReference(physical_device);
    KEVENT done;
    IO_STATUS_BLOCK status;
    KeInitializeEvent(&done, NotificationEvent, FALSE);
    IRP *irp = IoBuildSynchronousFsdRequest(IRP_MJ_PNP, device, NULL, 0, NULL, &done, &status);
    irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
    IO_STACK_LOCATION *stack = IoGetNextIrpStackLocation(irp);
    stack->MinorFunction = IRP_MN_QUERY_INTERFACE;
    stack->Parameters.QueryInterface.InterfaceType = &GUID_BUS_INTERFACE_STANDARD;
    stack->Parameters.QueryInterface.Size = sizeof bus;
    stack->Parameters.QueryInterface.Version = 1;
    stack->Parameters.QueryInterface.Interface = (INTERFACE *)(void *)&bus;
    if (IoCallDriver(device, irp) == STATUS_SUCCESS)
        misuse(&bus);
    ObDereferenceObject(device);
}

static NDIS_STATUS NTAPI filter_attach(NDIS_HANDLE handle, NDIS_HANDLE context,
                                       NDIS_FILTER_ATTACH_PARAMETERS *parameters)
{
    UINT32 answer, written;
    if (context != &driver)
        return NDIS_STATUS_FAILURE;
    struct lab_filter *filter = calloc(1, sizeof *filter);
    filter->handle = handle;
    filter->paused = 1;
    filter->device = parameters->MiniportPhysicalDeviceObject;
    if (wrong != ATTACH_WITHOUT_ATTRIBUTES && set_attributes(filter) != NDIS_STATUS_SUCCESS) {
        free(filter);
        return NDIS_STATUS_RESOURCES;
    }
    if (wrong == ATTACH_SETS_ATTRIBUTES_TWICE)
        set_attributes(filter);
    if (wrong == ATTACH_LEAVES_CONFIGURATION_OPEN || wrong == ATTACH_OPENS_CONFIGURATION_AT_DISPATCH)
        open_configuration(filter);
    if (wrong >= ATTACH_KEEPS_BUS_INTERFACE && wrong <= ATTACH_USES_BUS_INTERFACE_AFTERWARDS)
        take_bus_interface(parameters->MiniportPhysicalDeviceObject);
    if (wrong == OID_IN_ATTACH)
        filter_query(filter, OID_GEN_STATISTICS, &answer, sizeof answer, &written);
    if (newest_filter && newest_filter->detached)
        free(newest_filter);
    newest_filter = filter;
    return NDIS_STATUS_SUCCESS;
}

static VOID NTAPI filter_detach(NDIS_HANDLE context)
{
    struct lab_filter *filter = context;
    if (newest_filter == filter)
        filter->detached = 1; /* it stays: tests look into it */
    else
        free(filter);
}

static NDIS_STATUS NTAPI filter_restart(NDIS_HANDLE context, NDIS_FILTER_RESTART_PARAMETERS *parameters)
{
    struct lab_filter *filter = context;
    UNREFERENCED_PARAMETER(parameters);
    if (wrong == RESTART_PENDS)
        return NDIS_STATUS_PENDING;
    __atomic_store_n(&filter->paused, 0, __ATOMIC_RELEASE);
    return NDIS_STATUS_SUCCESS;
}

static NDIS_STATUS NTAPI filter_pause(NDIS_HANDLE context, NDIS_FILTER_PAUSE_PARAMETERS *parameters)
{
    static NDIS_OID_REQUEST any;
    NDIS_OID_REQUEST *clone;
    struct lab_filter *filter = context;
    UNREFERENCED_PARAMETER(parameters);
    __atomic_store_n(&filter->paused, 1, __ATOMIC_RELEASE);
    if (wrong == PAUSE_KEEPS_CLONE)
        NdisAllocateCloneOidRequest(filter->handle, &any, TAG, &clone);
    return wrong == PAUSE_FAILS ? NDIS_STATUS_FAILURE : NDIS_STATUS_SUCCESS;
}

NDIS_FILTER_DRIVER_CHARACTERISTICS filter_characteristics(void)
{
    UINT32 version = NdisGetVersion();
    NDIS_FILTER_DRIVER_CHARACTERISTICS handlers = {
        .Header = {.Type = NDIS_OBJECT_TYPE_FILTER_DRIVER_CHARACTERISTICS,
                   .Revision = NDIS_FILTER_CHARACTERISTICS_REVISION_2,
                   .Size = NDIS_SIZEOF_FILTER_DRIVER_CHARACTERISTICS_REVISION_2},
        .MajorNdisVersion = (UCHAR)(version >> 16),
        .MinorNdisVersion = (UCHAR)version,
        .AttachHandler = filter_attach,
        .DetachHandler = filter_detach,
        .RestartHandler = filter_restart,
        .PauseHandler = filter_pause,
        .DevicePnPEventNotifyHandler = filter_device_event,
        .NetPnPEventHandler = filter_net_event,
        .StatusHandler = filter_status,
    };
    RtlInitUnicodeString(&handlers.FriendlyName, L"filter of the test");
    RtlInitUnicodeString(&handlers.UniqueName, L"{5CBF81BD-5055-47CD-9055-A76B2B4E3697}");
    RtlInitUnicodeString(&handlers.ServiceName, L"labfilter");
    if (!without_oid_handlers) {
        handlers.OidRequestHandler = filter_oid;
        handlers.OidRequestCompleteHandler = filter_oid_complete;
        handlers.CancelOidRequestHandler = filter_cancel_oid;
    }
    if (!without_data_handlers) {
        handlers.SendNetBufferListsHandler = filter_send;
        handlers.SendNetBufferListsCompleteHandler = filter_send_complete;
        handlers.CancelSendNetBufferListsHandler = filter_cancel_send;
        handlers.ReceiveNetBufferListsHandler = filter_receive;
        handlers.ReturnNetBufferListsHandler = filter_return;
    }
    return handlers;
}

NDIS_STATUS filter_register(void)
{
    NDIS_FILTER_DRIVER_CHARACTERISTICS handlers = filter_characteristics();
    return NdisFRegisterFilterDriver(&driver, &driver, &handlers, &driver_handle);
}

void filter_deregister(void)
{
    NdisFDeregisterFilterDriver(driver_handle);
}
