/* SPDX-License-Identifier: MIT */
#include "oid.h"

#define CLONE_TAG 'oPvA'

/* A request of the driver itself: told from a clone by having no original. */
typedef struct _OWN_REQUEST {
    NDIS_OID_REQUEST request;
    KEVENT done;
    NDIS_STATUS status;
} OWN_REQUEST;

/* The request that a clone stands for, kept in the part of it that belongs to its originator. */
static NDIS_OID_REQUEST **OriginalOf(NDIS_OID_REQUEST *request)
{
    return (NDIS_OID_REQUEST **)(void *)&request->SourceReserved[0];
}

/* ---- Power ---- */

/*
 * NDIS need not pause the filter for it: a miniport may say so (NDIS_MINIPORT_ATTRIBUTES_NO_PAUSE_ON_SUSPEND). So
 * registers are left alone from before a request to leave D0 goes down until one to enter D0 has been carried out:
 * before that the device is not ready.
 *
 * What the request asks for; NdisDeviceStateUnspecified: it is none of these.
 */
static NDIS_DEVICE_POWER_STATE PowerOf(const NDIS_OID_REQUEST *request)
{
    if (request->RequestType != NdisRequestSetInformation || request->DATA.SET_INFORMATION.Oid != OID_PNP_SET_POWER ||
        request->DATA.SET_INFORMATION.InformationBufferLength < sizeof(NDIS_DEVICE_POWER_STATE))
        return NdisDeviceStateUnspecified;
    return *(const NDIS_DEVICE_POWER_STATE *)request->DATA.SET_INFORMATION.InformationBuffer;
}

static void BeforePower(AVB_DEVICE_CONTEXT *adapter, const NDIS_OID_REQUEST *request)
{
    if (PowerOf(request) > NdisDeviceStateD0)
        AvbRegistersSuspend(&adapter->registers, AVB_SUSPENDED_LOW_POWER);
}

/* In D0 it is once a request for it succeeded, and still where one to leave it failed. */
static void AfterPower(AVB_DEVICE_CONTEXT *adapter, const NDIS_OID_REQUEST *request, NDIS_STATUS status)
{
    NDIS_DEVICE_POWER_STATE state = PowerOf(request);
    int succeeded = status == NDIS_STATUS_SUCCESS;
    if ((state == NdisDeviceStateD0 && succeeded) || (state > NdisDeviceStateD0 && !succeeded))
        AvbRegistersResume(&adapter->registers, AVB_SUSPENDED_LOW_POWER);
}

/* ---- Passing through ---- */

static void CopyResults(NDIS_OID_REQUEST *original, const NDIS_OID_REQUEST *clone)
{
    switch (original->RequestType) {
    case NdisRequestMethod:
        original->DATA.METHOD_INFORMATION.OutputBufferLength = clone->DATA.METHOD_INFORMATION.OutputBufferLength;
        original->DATA.METHOD_INFORMATION.BytesRead = clone->DATA.METHOD_INFORMATION.BytesRead;
        original->DATA.METHOD_INFORMATION.BytesWritten = clone->DATA.METHOD_INFORMATION.BytesWritten;
        original->DATA.METHOD_INFORMATION.BytesNeeded = clone->DATA.METHOD_INFORMATION.BytesNeeded;
        break;
    case NdisRequestSetInformation:
        original->DATA.SET_INFORMATION.BytesRead = clone->DATA.SET_INFORMATION.BytesRead;
        original->DATA.SET_INFORMATION.BytesNeeded = clone->DATA.SET_INFORMATION.BytesNeeded;
        break;
    default: /* queries, of information or of statistics */
        original->DATA.QUERY_INFORMATION.BytesWritten = clone->DATA.QUERY_INFORMATION.BytesWritten;
        original->DATA.QUERY_INFORMATION.BytesNeeded = clone->DATA.QUERY_INFORMATION.BytesNeeded;
        break;
    }
}

NDIS_STATUS NTAPI AvbFilterOidRequest(NDIS_HANDLE context, NDIS_OID_REQUEST *request)
{
    AVB_DEVICE_CONTEXT *adapter = context;
    NDIS_OID_REQUEST *clone;
    NDIS_STATUS status = NdisAllocateCloneOidRequest(adapter->filter, request, CLONE_TAG, &clone);
    if (status != NDIS_STATUS_SUCCESS)
        return status;
    BeforePower(adapter, request);
    *OriginalOf(clone) = request;
    clone->RequestId = request->RequestId;
    status = NdisFOidRequest(adapter->filter, clone);
    if (status != NDIS_STATUS_PENDING)
        AvbFilterOidRequestComplete(adapter, clone, status);
    return NDIS_STATUS_PENDING; /* completed in one place, at once or later */
}

VOID NTAPI AvbFilterCancelOidRequest(NDIS_HANDLE context, PVOID request_id)
{
    AVB_DEVICE_CONTEXT *adapter = context;
    NdisFCancelOidRequest(adapter->filter, request_id);
}

VOID NTAPI AvbFilterOidRequestComplete(NDIS_HANDLE context, NDIS_OID_REQUEST *request, NDIS_STATUS status)
{
    AVB_DEVICE_CONTEXT *adapter = context;
    NDIS_OID_REQUEST *original = *OriginalOf(request);
    if (!original) {
        OWN_REQUEST *own = CONTAINING_RECORD(request, OWN_REQUEST, request);
        own->status = status;
        KeSetEvent(&own->done, IO_NO_INCREMENT, FALSE);
        return;
    }
    AfterPower(adapter, original, status);
    CopyResults(original, request);
    NdisFreeCloneOidRequest(adapter->filter, request);
    NdisFOidRequestComplete(adapter->filter, original, status);
}

/* ---- The driver's own ---- */

NDIS_STATUS AvbQueryOid(NDIS_HANDLE filter, NDIS_OID oid, void *answer, UINT32 bytes, UINT32 *written)
{
    OWN_REQUEST own;
    RtlZeroMemory(&own, sizeof own);
    KeInitializeEvent(&own.done, NotificationEvent, FALSE);
    own.request.Header.Type = NDIS_OBJECT_TYPE_OID_REQUEST;
    own.request.Header.Revision = NDIS_OID_REQUEST_REVISION_1;
    own.request.Header.Size = NDIS_SIZEOF_OID_REQUEST_REVISION_1;
    own.request.RequestType = NdisRequestQueryInformation;
    own.request.RequestId = &own;
    own.request.DATA.QUERY_INFORMATION.Oid = oid;
    own.request.DATA.QUERY_INFORMATION.InformationBuffer = answer;
    own.request.DATA.QUERY_INFORMATION.InformationBufferLength = bytes;
    NDIS_STATUS status = NdisFOidRequest(filter, &own.request);
    if (status == NDIS_STATUS_PENDING) {
        KeWaitForSingleObject(&own.done, Executive, KernelMode, FALSE, NULL);
        status = own.status;
    }
    *written = status == NDIS_STATUS_SUCCESS ? own.request.DATA.QUERY_INFORMATION.BytesWritten : 0;
    return status;
}
