/* SPDX-License-Identifier: MIT */
/*
 * OID requests: those from above, which pass through the filter as clones, and the filter's own. Both are
 * answered below at once or from another thread.
 */
#include "ndis_double.h"

#define ANSWER_BYTES  64u
#define OID_REFUSED   0xFF000000u
#define OID_TOO_SHORT 0xFF000001u
#define BYTES_NEEDED  128u
#define NO_STATUS     0xFFFFFFFF00000000ULL /* no NDIS_STATUS, which has 32 bits */

enum how_to_complete { AT_ONCE, FROM_ANOTHER_THREAD, WHEN_CANCELLED };

/* A request from above. */
struct lab_oid {
    NDIS_OID_REQUEST request; /* first */
    NDIS_OID_REQUEST was;
    lab_adapter *adapter;
    enum how_to_complete how;
    KEVENT completed;
    KEVENT cancelled;
    UINT64 completions; /* atomic */
    UINT64 status;      /* it came back up with; atomic */
    UINT64 cancels;     /* how often the cancellation came below; atomic */
    UINT64 reached;     /* how often the request came below; atomic */
    NDIS_STATUS answer; /* from below, with these results */
    UINT32 bytes_done, bytes_needed;
    struct lab_thread below;
    NDIS_OID_REQUEST *clone; /* that came below */
    UINT8 buffer[ANSWER_BYTES];
};

struct lab_clone {
    NDIS_OID_REQUEST request; /* first */
    NDIS_OID_REQUEST was;
    LIST_ENTRY link; /* of the adapter's clones */
    struct lab_oid *original;
    UINT64 below; /* it is in nobody's hands but the miniport's; atomic */
    ULONG tag;
};

/* A request of the filter itself that pends. */
struct own_request {
    lab_adapter *adapter;
    NDIS_OID_REQUEST *request;
    struct lab_thread thread;
};

/* ---- What is below ---- */

/* Ticks of a clock of `hz` that began with the performance counter. */
static UINT64 hardware_clock(UINT64 counter, UINT64 counter_hz, UINT64 hz)
{
    return 1 + counter / counter_hz * hz + counter % counter_hz * hz / counter_hz;
}

static NDIS_STATUS answer(NDIS_OID_REQUEST *request, const void *from, UINT32 bytes)
{
    struct _QUERY *query = &request->DATA.QUERY_INFORMATION;
    if (query->InformationBufferLength < bytes) {
        query->BytesNeeded = bytes;
        query->BytesWritten = 0;
        return NDIS_STATUS_BUFFER_TOO_SHORT;
    }
    RtlCopyMemory(query->InformationBuffer, from, bytes);
    query->BytesWritten = bytes;
    query->BytesNeeded = 0;
    return NDIS_STATUS_SUCCESS;
}

static NDIS_STATUS answer_cross_timestamp(const NDIS_TIMESTAMP_CAPABILITIES *config, NDIS_OID_REQUEST *request)
{
    NDIS_HARDWARE_CROSSTIMESTAMP cross;
    LARGE_INTEGER frequency;
    if (!config->CrossTimestamp)
        return NDIS_STATUS_NOT_SUPPORTED;
    RtlZeroMemory(&cross, sizeof cross);
    cross.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
    cross.Header.Revision = NDIS_HARDWARE_CROSSTIMESTAMP_REVISION_1;
    cross.Header.Size = NDIS_SIZEOF_HARDWARE_CROSSTIMESTAMP_REVISION_1;
    cross.SystemTimestamp1 = (UINT64)KeQueryPerformanceCounter(&frequency).QuadPart;
    UINT64 between = (UINT64)KeQueryPerformanceCounter(NULL).QuadPart;
    cross.HardwareClockTimestamp =
        hardware_clock(between, (UINT64)frequency.QuadPart, config->HardwareClockFrequencyHz);
    cross.SystemTimestamp2 = (UINT64)KeQueryPerformanceCounter(NULL).QuadPart;
    return answer(request, &cross, sizeof cross);
}

static NDIS_STATUS answer_timestamps(lab_adapter *adapter, NDIS_OID_REQUEST *request)
{
    NDIS_TIMESTAMP_CAPABILITIES config;
    lab_timestamp_capabilities(adapter, &config);
    if (lab_ndis_version() < NDIS_RUNTIME_VERSION_682 || config.HardwareClockFrequencyHz == 0)
        return NDIS_STATUS_NOT_SUPPORTED;
    if (request->DATA.QUERY_INFORMATION.Oid == OID_TIMESTAMP_GET_CROSSTIMESTAMP)
        return answer_cross_timestamp(&config, request);
    return answer(request, &config, NDIS_SIZEOF_TIMESTAMP_CAPABILITIES_REVISION_1);
}

static NDIS_STATUS answer_query(lab_adapter *adapter, NDIS_OID_REQUEST *request)
{
    static const char else_this[] = "what the miniport says";
    switch (request->DATA.QUERY_INFORMATION.Oid) {
    case OID_TIMESTAMP_CAPABILITY:
    case OID_TIMESTAMP_CURRENT_CONFIG:
    case OID_TIMESTAMP_GET_CROSSTIMESTAMP:
        return answer_timestamps(adapter, request);
    case OID_REFUSED:
        return NDIS_STATUS_NOT_SUPPORTED;
    case OID_TOO_SHORT:
        request->DATA.QUERY_INFORMATION.BytesNeeded = BYTES_NEEDED;
        return NDIS_STATUS_INVALID_LENGTH;
    default:
        return answer(request, else_this, sizeof else_this);
    }
}

static NDIS_STATUS set_power(lab_adapter *adapter, const struct _SET *set)
{
    NDIS_DEVICE_POWER_STATE state;
    RtlCopyMemory(&state, set->InformationBuffer, sizeof state);
    if (lab_get(&adapter->power_refused))
        return NDIS_STATUS_FAILURE;
    lab_put(&adapter->asleep, state != NdisDeviceStateD0);
    return NDIS_STATUS_SUCCESS;
}

/* The miniport's answer; the results are in the request. */
static NDIS_STATUS miniport(lab_adapter *adapter, NDIS_OID_REQUEST *request)
{
    if (lab_get(&adapter->removed))
        return NDIS_STATUS_ADAPTER_REMOVED;
    if (request->RequestType == NdisRequestSetInformation) {
        NDIS_STATUS status = request->DATA.SET_INFORMATION.Oid == OID_PNP_SET_POWER
                                 ? set_power(adapter, &request->DATA.SET_INFORMATION)
                                 : NDIS_STATUS_SUCCESS;
        if (status != NDIS_STATUS_SUCCESS)
            return status;
        request->DATA.SET_INFORMATION.BytesRead = request->DATA.SET_INFORMATION.InformationBufferLength;
        return NDIS_STATUS_SUCCESS;
    }
    return answer_query(adapter, request);
}

/* ---- Clones ---- */

static struct lab_clone *clone_of(lab_adapter *adapter, const NDIS_OID_REQUEST *request, int remove)
{
    KIRQL irql;
    struct lab_clone *found = NULL;
    KeAcquireSpinLock(&adapter->spin, &irql);
    for (LIST_ENTRY *entry = adapter->clones.Flink; entry != &adapter->clones && !found; entry = entry->Flink) {
        struct lab_clone *each = CONTAINING_RECORD(entry, struct lab_clone, link);
        if (&each->request == request)
            found = each;
    }
    if (found && remove)
        RemoveEntryList(&found->link);
    KeReleaseSpinLock(&adapter->spin, irql);
    return found;
}

static UINT32 count_clones(lab_adapter *adapter, const struct lab_oid *of)
{
    KIRQL irql;
    UINT32 count = 0;
    KeAcquireSpinLock(&adapter->spin, &irql);
    for (LIST_ENTRY *entry = adapter->clones.Flink; entry != &adapter->clones; entry = entry->Flink)
        count += !of || CONTAINING_RECORD(entry, struct lab_clone, link)->original == of;
    KeReleaseSpinLock(&adapter->spin, irql);
    return count;
}

/* As the documentation has it, all of the request; but RequestId, which a filter hands on itself, starts empty. */
NDIS_STATUS NTAPI NdisAllocateCloneOidRequest(NDIS_HANDLE SourceHandle, NDIS_OID_REQUEST *OidRequest, ULONG PoolTag,
                                              NDIS_OID_REQUEST **ClonedOidRequest)
{
    static const char function[] = "NdisAllocateCloneOidRequest";
    KIRQL irql;
    *ClonedOidRequest = NULL;
    lab_adapter *adapter = lab_adapter_of(SourceHandle, function);
    if (!adapter || !lab_irql_at_most(adapter, function, DISPATCH_LEVEL))
        return NDIS_STATUS_INVALID_PARAMETER;
    if (nt_lab_is_to_fail())
        return NDIS_STATUS_RESOURCES;
    struct lab_clone *clone = lab_take(sizeof *clone);
    RtlCopyMemory(&clone->request, OidRequest, sizeof *OidRequest);
    clone->request.RequestId = NULL;
    RtlZeroMemory(clone->request.SourceReserved, sizeof clone->request.SourceReserved);
    RtlCopyMemory(&clone->was, OidRequest, sizeof *OidRequest);
    clone->original = CONTAINING_RECORD(OidRequest, struct lab_oid, request);
    clone->tag = PoolTag;
    KeAcquireSpinLock(&adapter->spin, &irql);
    InsertTailList(&adapter->clones, &clone->link);
    KeReleaseSpinLock(&adapter->spin, irql);
    *ClonedOidRequest = &clone->request;
    return NDIS_STATUS_SUCCESS;
}

VOID NTAPI NdisFreeCloneOidRequest(NDIS_HANDLE SourceHandle, NDIS_OID_REQUEST *Request)
{
    static const char function[] = "NdisFreeCloneOidRequest";
    lab_adapter *adapter = lab_adapter_of(SourceHandle, function);
    if (!adapter || !lab_irql_at_most(adapter, function, DISPATCH_LEVEL))
        return;
    struct lab_clone *clone = clone_of(adapter, Request, 0);
    if (!clone || lab_get(&clone->below)) {
        lab_breach_nbl(adapter, function, clone ? "the request is under way" : "no clone, or freed already", 0, 0);
        return;
    }
    clone_of(adapter, Request, 1);
    RtlFillMemory(clone, sizeof *clone, 0xD5);
    lab_give(clone);
}

/* ---- Requests from above: below ---- */

static void check_clone(lab_adapter *adapter, const struct lab_clone *clone)
{
    const NDIS_OID_REQUEST *now = &clone->request, *was = &clone->was;
    if (now->RequestId != was->RequestId)
        lab_breach(adapter, "NdisFOidRequest: a clone without its original's RequestId");
    if (!RtlEqualMemory(&now->Header, &was->Header, sizeof now->Header) || now->RequestType != was->RequestType ||
        now->PortNumber != was->PortNumber || now->Timeout != was->Timeout ||
        !RtlEqualMemory(&now->DATA, &was->DATA, sizeof now->DATA))
        lab_breach(adapter, "NdisFOidRequest: a clone that differs from its original");
}

static NDIS_STATUS answer_clone(struct lab_oid *oid, NDIS_OID_REQUEST *clone)
{
    oid->answer = oid->how == WHEN_CANCELLED ? NDIS_STATUS_REQUEST_ABORTED : miniport(oid->adapter, clone);
    /* BytesWritten and BytesRead, and both BytesNeeded, lie at the same place. */
    oid->bytes_done = clone->DATA.QUERY_INFORMATION.BytesWritten;
    oid->bytes_needed = clone->DATA.QUERY_INFORMATION.BytesNeeded;
    return oid->answer;
}

static void complete_below(lab_adapter *adapter, NDIS_OID_REQUEST *request, NDIS_STATUS status)
{
    KIRQL irql = PASSIVE_LEVEL;
    int dispatch = (lab_count(&adapter->turns) & 1) != 0;
    if (dispatch)
        irql = KeRaiseIrqlToDpcLevel();
    struct lab_call call = lab_call_begin(adapter, "FilterOidRequestComplete");
    lab_driver.handlers.OidRequestCompleteHandler(adapter->context, request, status);
    lab_call_end(&call);
    if (dispatch)
        KeLowerIrql(irql);
}

/* The thread of a request that pends below. */
static void below(void *context)
{
    struct lab_oid *oid = context;
    if (oid->how == WHEN_CANCELLED)
        KeWaitForSingleObject(&oid->cancelled, Executive, KernelMode, FALSE, NULL);
    lab_delay();
    struct lab_clone *clone = CONTAINING_RECORD(oid->clone, struct lab_clone, request);
    NDIS_STATUS status = answer_clone(oid, oid->clone);
    lab_put(&clone->below, 0);
    complete_below(oid->adapter, oid->clone, status);
}

static NDIS_STATUS request_through(lab_adapter *adapter, struct lab_clone *clone)
{
    struct lab_oid *oid = clone->original;
    if (lab_count(&oid->reached) != 0) {
        lab_breach(adapter, "NdisFOidRequest: the same request twice");
        return NDIS_STATUS_FAILURE;
    }
    check_clone(adapter, clone);
    oid->clone = &clone->request;
    if (oid->how == AT_ONCE)
        return answer_clone(oid, &clone->request);
    lab_put(&clone->below, 1);
    lab_thread_start(&oid->below, below, oid);
    return NDIS_STATUS_PENDING;
}

/* ---- The filter's own requests ---- */

static void own_thread(void *context)
{
    struct own_request *own = context;
    lab_adapter *adapter = own->adapter;
    lab_delay();
    NDIS_STATUS status = miniport(adapter, own->request);
    lab_uncount(&adapter->own_requests); /* before the filter knows, who may be detached then */
    complete_below(adapter, own->request, status);
}

/* The thread and what it needs is freed by the next one, or when the adapter is detached. */
static void collect(struct own_request **place)
{
    struct own_request *own = __atomic_exchange_n(place, NULL, __ATOMIC_ACQ_REL);
    if (own) {
        lab_thread_join(&own->thread);
        lab_give(own);
    }
}

static NDIS_STATUS pend(lab_adapter *adapter, NDIS_OID_REQUEST *request)
{
    struct own_request *own = lab_take(sizeof *own);
    own->adapter = adapter;
    own->request = request;
    lab_count(&adapter->own_requests);
    collect(&adapter->last_own);
    lab_thread_start(&own->thread, own_thread, own);
    own = __atomic_exchange_n(&adapter->last_own, own, __ATOMIC_ACQ_REL);
    if (own) { /* of a request made at the same time */
        lab_thread_join(&own->thread);
        lab_give(own);
    }
    return NDIS_STATUS_PENDING;
}

static int is_whole(const NDIS_OID_REQUEST *request)
{
    return request->Header.Type == NDIS_OBJECT_TYPE_OID_REQUEST &&
           request->Header.Revision >= NDIS_OID_REQUEST_REVISION_1 &&
           request->Header.Size >= NDIS_SIZEOF_OID_REQUEST_REVISION_1;
}

/* Each second one pends, where the IRQL lets the double make a thread. */
static NDIS_STATUS request_own(lab_adapter *adapter, NDIS_OID_REQUEST *request)
{
    if (!lab_driver.handlers.OidRequestCompleteHandler) {
        lab_breach(adapter, "NdisFOidRequest: without FilterOidRequestComplete");
        return NDIS_STATUS_FAILURE;
    }
    if (nt_lab_is_to_fail())
        return NDIS_STATUS_RESOURCES;
    if ((lab_count(&adapter->own_turns) & 1) && KeGetCurrentIrql() == PASSIVE_LEVEL)
        return pend(adapter, request);
    return miniport(adapter, request);
}

NDIS_STATUS NTAPI NdisFOidRequest(NDIS_HANDLE NdisFilterHandle, NDIS_OID_REQUEST *OidRequest)
{
    lab_adapter *adapter = lab_adapter_of(NdisFilterHandle, "NdisFOidRequest");
    if (!adapter || !lab_irql_at_most(adapter, "NdisFOidRequest", DISPATCH_LEVEL) || !is_whole(OidRequest))
        return NDIS_STATUS_INVALID_PARAMETER;
    struct lab_clone *clone = clone_of(adapter, OidRequest, 0);
    if (clone)
        return request_through(adapter, clone);
    if (lab_get(&adapter->oid_above) == (UINT64)(ULONG_PTR)OidRequest) {
        lab_breach(adapter, "NdisFOidRequest: the request from above itself, not a clone");
        return NDIS_STATUS_INVALID_PARAMETER;
    }
    UINT64 state = lab_get(&adapter->state);
    if (state == LAB_ATTACHING) {
        lab_breach(adapter, "NdisFOidRequest: a request of the filter's own before FilterAttach has returned");
        return NDIS_STATUS_INVALID_STATE;
    }
    return state == LAB_DETACHING ? NDIS_STATUS_CLOSING : request_own(adapter, OidRequest);
}

/* ---- Requests from above ---- */

VOID NTAPI NdisFOidRequestComplete(NDIS_HANDLE NdisFilterHandle, NDIS_OID_REQUEST *OidRequest, NDIS_STATUS Status)
{
    lab_adapter *adapter = lab_adapter_of(NdisFilterHandle, "NdisFOidRequestComplete");
    if (!adapter || !lab_irql_at_most(adapter, "NdisFOidRequestComplete", DISPATCH_LEVEL))
        return;
    struct lab_oid *oid = CONTAINING_RECORD(OidRequest, struct lab_oid, request);
    if (lab_get(&adapter->oid_above) != (UINT64)(ULONG_PTR)oid) {
        lab_breach(adapter, "NdisFOidRequestComplete: no request from above, or one that was completed already");
        return;
    }
    if (lab_count(&oid->completions) != 0) {
        lab_breach(adapter, "NdisFOidRequestComplete: completed twice");
        return;
    }
    if (Status == NDIS_STATUS_PENDING)
        lab_breach(adapter, "NdisFOidRequestComplete: completed with NDIS_STATUS_PENDING");
    lab_put(&oid->status, (UINT32)Status);
    KeSetEvent(&oid->completed, 0, FALSE);
}

VOID NTAPI NdisFCancelOidRequest(NDIS_HANDLE NdisFilterHandle, PVOID RequestId)
{
    lab_adapter *adapter = lab_adapter_of(NdisFilterHandle, "NdisFCancelOidRequest");
    if (!adapter)
        return;
    struct lab_oid *oid = (struct lab_oid *)(ULONG_PTR)lab_get(&adapter->oid_above);
    if (!oid || oid->request.RequestId != RequestId) {
        lab_breach(adapter, "NdisFCancelOidRequest: no request of this RequestId");
        return;
    }
    if (lab_count(&oid->cancels) != 0)
        lab_breach(adapter, "NdisFCancelOidRequest: passed on twice");
    KeSetEvent(&oid->cancelled, 0, FALSE);
}

static struct lab_oid *new_oid(lab_adapter *adapter, UINT32 code, enum how_to_complete how)
{
    struct lab_oid *oid = lab_take(sizeof *oid);
    oid->adapter = adapter;
    oid->how = how;
    KeInitializeEvent(&oid->completed, NotificationEvent, FALSE);
    KeInitializeEvent(&oid->cancelled, NotificationEvent, FALSE);
    NDIS_OID_REQUEST *request = &oid->request;
    request->Header.Type = NDIS_OBJECT_TYPE_OID_REQUEST;
    request->Header.Revision = NDIS_OID_REQUEST_REVISION_1;
    request->Header.Size = NDIS_SIZEOF_OID_REQUEST_REVISION_1;
    request->Timeout = 10;
    request->RequestId = &oid->buffer[1]; /* any value that names it */
    request->RequestHandle = &oid->how;
    RtlFillMemory(request->SourceReserved, sizeof request->SourceReserved, 0x5A);
    request->DATA.QUERY_INFORMATION.Oid = code;
    request->DATA.QUERY_INFORMATION.InformationBuffer = oid->buffer;
    request->DATA.QUERY_INFORMATION.InformationBufferLength = sizeof oid->buffer;
    return oid;
}

/* It came back up: with what was answered below, and otherwise as it went. */
static void check_above(const struct lab_oid *oid, NDIS_STATUS status)
{
    NDIS_OID_REQUEST expected;
    RtlCopyMemory(&expected, &oid->was, sizeof expected); /* with its padding */
    if (lab_get(&oid->reached) == 1) {
        expected.DATA.QUERY_INFORMATION.BytesWritten = oid->bytes_done;
        expected.DATA.QUERY_INFORMATION.BytesNeeded = oid->bytes_needed;
        if (status != oid->answer)
            lab_breach(oid->adapter, "an OID request came back with another status than from below");
    } else if (status == NDIS_STATUS_SUCCESS) {
        lab_breach(oid->adapter, "an OID request succeeded that never came below");
    }
    if (!RtlEqualMemory(&oid->request.DATA, &expected.DATA, sizeof expected.DATA))
        lab_breach(oid->adapter, "an OID request came back with other results than from below");
    RtlCopyMemory(&expected.DATA, &oid->request.DATA, sizeof expected.DATA);
    if (!RtlEqualMemory(&oid->request, &expected, sizeof expected))
        lab_breach(oid->adapter, "an OID request was changed beyond its results");
    if (count_clones(oid->adapter, oid) != 0)
        lab_breach(oid->adapter, "an OID request's clone was not freed");
}

static void cancel(struct lab_oid *oid)
{
    lab_adapter *adapter = oid->adapter;
    if (!lab_driver.handlers.CancelOidRequestHandler) { /* NDIS goes past the filter */
        KeSetEvent(&oid->cancelled, 0, FALSE);
        return;
    }
    struct lab_call call = lab_call_begin(adapter, "FilterCancelOidRequest");
    lab_driver.handlers.CancelOidRequestHandler(adapter->context, oid->request.RequestId);
    lab_call_end(&call);
    if (lab_get(&oid->cancels) == 0) {
        lab_breach(adapter, "FilterCancelOidRequest: not passed on");
        KeSetEvent(&oid->cancelled, 0, FALSE);
    }
}

/* The filter's final word; NO_STATUS: it owes it. */
static UINT64 call_filter(struct lab_oid *oid)
{
    lab_adapter *adapter = oid->adapter;
    struct lab_call call = lab_call_begin(adapter, "FilterOidRequest");
    NDIS_STATUS status = lab_driver.handlers.OidRequestHandler(adapter->context, &oid->request);
    lab_call_end(&call);
    if (status != NDIS_STATUS_PENDING) {
        if (lab_count(&oid->completions) != 0)
            lab_breach(adapter, "FilterOidRequest: completed the request and returned another status than PENDING");
        return (UINT32)status;
    }
    if (oid->how == WHEN_CANCELLED && lab_get(&oid->reached))
        cancel(oid);
    if (!lab_await(&oid->completed)) {
        lab_breach(adapter, "FilterOidRequest: a request that pends was never completed");
        return NO_STATUS;
    }
    return lab_get(&oid->status);
}

static NDIS_STATUS through_filter(struct lab_oid *oid)
{
    lab_adapter *adapter = oid->adapter;
    RtlCopyMemory(&oid->was, &oid->request, sizeof oid->was);
    lab_put(&adapter->oid_above, (UINT64)(ULONG_PTR)oid);
    UINT64 status = call_filter(oid);
    if (oid->how != AT_ONCE && lab_get(&oid->reached))
        lab_thread_join(&oid->below);
    lab_put(&adapter->oid_above, 0);
    if (status == NO_STATUS)
        return NDIS_STATUS_FAILURE;
    check_above(oid, (NDIS_STATUS)status);
    return (NDIS_STATUS)status;
}

/* Without a handler of the filter the request goes straight down. */
static NDIS_STATUS send_down(struct lab_oid *oid)
{
    if (!lab_gate_enter(&oid->adapter->module))
        return NDIS_STATUS_CLOSING;
    lab_lock(&oid->adapter->oids);
    NDIS_STATUS status =
        lab_driver.handlers.OidRequestHandler ? through_filter(oid) : miniport(oid->adapter, &oid->request);
    lab_unlock(&oid->adapter->oids);
    lab_gate_leave(&oid->adapter->module);
    return status;
}

static void as_set_power(struct lab_oid *oid, NDIS_DEVICE_POWER_STATE state)
{
    oid->request.RequestType = NdisRequestSetInformation;
    oid->request.DATA.SET_INFORMATION.InformationBufferLength = sizeof state;
    RtlCopyMemory(oid->buffer, &state, sizeof state);
}

INT32 lab_oid_from_above(lab_adapter *adapter, UINT32 oid, int pend_below)
{
    struct lab_oid *request = new_oid(adapter, oid, (enum how_to_complete)pend_below);
    if (oid == OID_PNP_SET_POWER)
        as_set_power(request, NdisDeviceStateD0);
    NDIS_STATUS status = send_down(request);
    lab_give(request);
    return status;
}

NDIS_STATUS lab_oid_set_power(lab_adapter *adapter, NDIS_DEVICE_POWER_STATE state)
{
    struct lab_oid *request = new_oid(adapter, OID_PNP_SET_POWER, FROM_ANOTHER_THREAD);
    as_set_power(request, state);
    NDIS_STATUS status = send_down(request);
    lab_give(request);
    return status;
}

void lab_refuse_power(lab_adapter *adapter, int refuse)
{
    lab_put(&adapter->power_refused, refuse != 0);
}

/* ---- Detached ---- */

void lab_oid_check_detached(lab_adapter *adapter)
{
    if (lab_get(&adapter->own_requests) != 0)
        lab_breach(adapter, "FilterDetach: returned with a request of the filter's own under way");
    collect(&adapter->last_own);
    if (count_clones(adapter, NULL) != 0)
        lab_breach(adapter, "FilterDetach: returned with a clone that was not freed");
}
