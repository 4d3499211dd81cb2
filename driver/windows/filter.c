/* SPDX-License-Identifier: MIT */
#include "filter.h"

#include "adapter.h"
#include "atomic.h"
#include "datapath.h"
#include "monitor.h"
#include "oid.h"
#include "trace.h"

#define ADAPTER_TAG 'aPvA'

/* The newest first; 6.30 is Windows 8. */
static const UINT32 versions[] = {NDIS_RUNTIME_VERSION_682, NDIS_RUNTIME_VERSION_660, NDIS_RUNTIME_VERSION_650,
                                  NDIS_RUNTIME_VERSION_640, NDIS_RUNTIME_VERSION_630};
static UINT32 version;

UINT32 AvbNdisVersion(void)
{
    return version;
}

/* ---- What the adapter stamps ---- */

/* Lists have a place for stamps from 6.82 on: before, what lies there is something else. */
static AVB_STAMP_CONFIG ConfigOf(const void *config, UINT32 bytes)
{
    return version >= NDIS_RUNTIME_VERSION_682 ? AvbStampConfig(config, bytes) : 0;
}

/* Counted before it is stored, as the answer below is stored before the count is looked at: one of the two sees both.
 */
static void NoteStamps(AVB_DEVICE_CONTEXT *adapter, const void *config, UINT32 bytes)
{
    avb_add_relaxed(&adapter->stamp_indications, 1);
    avb_full_fence();
    avb_store_release(&adapter->stamps, ConfigOf(config, bytes));
}

/* Indications before the filter ran have not reached it. One that comes now is newer than the answer: ask again. */
static void AskForStamps(AVB_DEVICE_CONTEXT *adapter)
{
    NDIS_TIMESTAMP_CAPABILITIES config;
    UINT64 indications;
    do {
        UINT32 written;
        indications = avb_load_acquire(&adapter->stamp_indications);
        RtlZeroMemory(&config, sizeof config);
        AvbQueryOid(adapter->filter, OID_TIMESTAMP_CURRENT_CONFIG, &config, sizeof config, &written);
        avb_store_release(&adapter->stamps, ConfigOf(&config, written));
        avb_full_fence();
    } while (avb_load_acquire(&adapter->stamp_indications) != indications);
}

/* ---- Attach and detach ---- */

/* "\DEVICE\{GUID}": the GUID is what users know the adapter by. */
static void CopyGuid(AVB_DEVICE_CONTEXT *adapter, const UNICODE_STRING *name)
{
    UINT32 characters = name->Length / sizeof(WCHAR), start = characters;
    while (start > 0 && name->Buffer[start - 1] != L'\\')
        start--;
    UINT32 length = characters - start;
    if (length > sizeof adapter->guid_text / sizeof(WCHAR))
        length = 0;
    RtlCopyMemory(adapter->guid_text, &name->Buffer[start], length * sizeof(WCHAR));
    adapter->guid.Buffer = adapter->guid_text;
    adapter->guid.Length = adapter->guid.MaximumLength = (USHORT)(length * sizeof(WCHAR));
}

static NDIS_STATUS SetAttributes(AVB_DEVICE_CONTEXT *adapter)
{
    NDIS_FILTER_ATTRIBUTES attributes;
    RtlZeroMemory(&attributes, sizeof attributes);
    attributes.Header.Type = NDIS_OBJECT_TYPE_FILTER_ATTRIBUTES;
    attributes.Header.Revision = NDIS_FILTER_ATTRIBUTES_REVISION_1;
    attributes.Header.Size = NDIS_SIZEOF_FILTER_ATTRIBUTES_REVISION_1;
    return NdisFSetAttributes(adapter->filter, adapter, &attributes);
}

static AVB_DEVICE_CONTEXT *NewAdapter(NDIS_HANDLE filter, const NDIS_FILTER_ATTACH_PARAMETERS *parameters)
{
    AVB_DEVICE_CONTEXT *adapter = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof *adapter, ADAPTER_TAG);
    if (!adapter)
        return NULL;
    RtlZeroMemory(adapter, sizeof *adapter);
    adapter->path = AVB_PATH_PAUSED;
    adapter->filter = filter;
    adapter->net_luid = parameters->BaseMiniportNetLuid.Value;
    adapter->if_index = parameters->BaseMiniportIfIndex;
    CopyGuid(adapter, parameters->BaseMiniportName);
    AvbReadSettings(filter, &adapter->settings);
    return adapter;
}

static void FreeAdapter(AVB_DEVICE_CONTEXT *adapter)
{
    if (adapter->askers)
        ExFreeCacheAwareRundownProtection(adapter->askers);
    ExFreePoolWithTag(adapter, ADAPTER_TAG);
}

static NDIS_STATUS Prepare(AVB_DEVICE_CONTEXT *adapter)
{
    adapter->askers = AvbNewClosedRundown();
    NDIS_STATUS status = adapter->askers ? AvbPtpMonitorInit(adapter) : NDIS_STATUS_RESOURCES;
    if (status != NDIS_STATUS_SUCCESS)
        return status;
    status = SetAttributes(adapter);
    if (status != NDIS_STATUS_SUCCESS)
        AvbPtpMonitorCleanup(adapter);
    return status;
}

/*
 * Media that carry no Ethernet frames are refused, so that NDIS leaves the filter out there: it is optional.
 * Registers that cannot be opened are no reason: the state says so in the statistics.
 */
static NDIS_STATUS NTAPI Attach(NDIS_HANDLE filter, NDIS_HANDLE driver_context,
                                NDIS_FILTER_ATTACH_PARAMETERS *parameters)
{
    UNREFERENCED_PARAMETER(driver_context);
    if (parameters->MiniportMediaType != NdisMedium802_3)
        return NDIS_STATUS_UNSUPPORTED_MEDIA;
    AVB_DEVICE_CONTEXT *adapter = NewAdapter(filter, parameters);
    NDIS_STATUS status = adapter ? Prepare(adapter) : NDIS_STATUS_RESOURCES;
    if (status != NDIS_STATUS_SUCCESS) {
        AvbTraceAttach(parameters->BaseMiniportNetLuid.Value, parameters->BaseMiniportIfIndex, 0, status);
        if (adapter)
            FreeAdapter(adapter);
        return status;
    }
    if (adapter->settings.register_access)
        AvbRegistersOpen(&adapter->registers, parameters->MiniportPhysicalDeviceObject, adapter->settings.sdp_pin);
    AvbLockControl();
    AvbAdapterAdd(adapter);
    AvbUnlockControl();
    AvbTraceAttach(adapter->net_luid, adapter->if_index, adapter->generation, status);
    return status;
}

static VOID NTAPI Detach(NDIS_HANDLE context)
{
    AVB_DEVICE_CONTEXT *adapter = context;
    AvbLockControl();
    AvbAdapterRemove(adapter);
    AvbMonitorStop(adapter, AVB_DISABLED_BY_DETACH);
    AvbPtpMonitorCleanup(adapter);
    AvbUnlockControl();
    AvbRegistersClose(&adapter->registers);
    AvbTraceDetach(adapter->net_luid, adapter->generation);
    FreeAdapter(adapter);
}

/* ---- Pause and restart ---- */

static NDIS_STATUS NTAPI Restart(NDIS_HANDLE context, NDIS_FILTER_RESTART_PARAMETERS *parameters)
{
    UNREFERENCED_PARAMETER(parameters);
    AVB_DEVICE_CONTEXT *adapter = context;
    AskForStamps(adapter);
    AvbRegistersResume(&adapter->registers, AVB_SUSPENDED_PAUSED);
    ExReInitializeRundownProtectionCacheAware(adapter->askers);
    avb_clear_bits_release(&adapter->path, AVB_PATH_PAUSED);
    return NDIS_STATUS_SUCCESS;
}

/*
 * No list is held here, and calls of the datapath under way are NDIS's to wait for. What this driver asks the adapter
 * is waited for: nothing is left when NDIS goes on to detach.
 */
static NDIS_STATUS NTAPI Pause(NDIS_HANDLE context, NDIS_FILTER_PAUSE_PARAMETERS *parameters)
{
    UNREFERENCED_PARAMETER(parameters);
    AVB_DEVICE_CONTEXT *adapter = context;
    avb_set_bits_release(&adapter->path, AVB_PATH_PAUSED);
    ExWaitForRundownProtectionReleaseCacheAware(adapter->askers);
    AvbRegistersSuspend(&adapter->registers, AVB_SUSPENDED_PAUSED);
    return NDIS_STATUS_SUCCESS;
}

/* ---- Indications ---- */

static VOID NTAPI Status(NDIS_HANDLE context, NDIS_STATUS_INDICATION *indication)
{
    AVB_DEVICE_CONTEXT *adapter = context;
    if (indication->StatusCode == NDIS_STATUS_TIMESTAMP_CURRENT_CONFIG)
        NoteStamps(adapter, indication->StatusBuffer, indication->StatusBufferSize);
    NdisFIndicateStatus(adapter->filter, indication);
}

static VOID NTAPI DevicePnPEvent(NDIS_HANDLE context, NET_DEVICE_PNP_EVENT *event)
{
    AVB_DEVICE_CONTEXT *adapter = context;
    if (event->DevicePnPEvent == NdisDevicePnPEventSurpriseRemoved)
        AvbRegistersSuspend(&adapter->registers, AVB_SUSPENDED_REMOVED);
    NdisFDevicePnPEventNotify(adapter->filter, event);
}

/* ---- Registration ---- */

static NDIS_FILTER_DRIVER_CHARACTERISTICS Characteristics(void)
{
    NDIS_FILTER_DRIVER_CHARACTERISTICS handlers;
    RtlZeroMemory(&handlers, sizeof handlers);
    handlers.Header.Type = NDIS_OBJECT_TYPE_FILTER_DRIVER_CHARACTERISTICS;
    handlers.Header.Revision = NDIS_FILTER_CHARACTERISTICS_REVISION_2;
    handlers.Header.Size = NDIS_SIZEOF_FILTER_DRIVER_CHARACTERISTICS_REVISION_2;
    handlers.MajorNdisVersion = (UCHAR)(version >> 16);
    handlers.MinorNdisVersion = (UCHAR)version;
    handlers.MajorDriverVersion = 1;
    RtlInitUnicodeString(&handlers.FriendlyName, L"ptpmon PTP Timestamp Event Monitor");
    RtlInitUnicodeString(&handlers.UniqueName,
                         L"{7C1C7A4E-5D0B-4E6A-9B1E-3B5E6E1C9A41}"); /* the INF's NetCfgInstanceId */
    RtlInitUnicodeString(&handlers.ServiceName, L"avbptpmon");
    handlers.AttachHandler = Attach;
    handlers.DetachHandler = Detach;
    handlers.RestartHandler = Restart;
    handlers.PauseHandler = Pause;
    handlers.SendNetBufferListsHandler = FilterSendNetBufferLists;
    handlers.SendNetBufferListsCompleteHandler = FilterSendNetBufferListsComplete;
    handlers.CancelSendNetBufferListsHandler = FilterCancelSendNetBufferLists;
    handlers.ReceiveNetBufferListsHandler = FilterReceiveNetBufferLists;
    handlers.ReturnNetBufferListsHandler = FilterReturnNetBufferLists;
    handlers.OidRequestHandler = AvbFilterOidRequest;
    handlers.OidRequestCompleteHandler = AvbFilterOidRequestComplete;
    handlers.CancelOidRequestHandler = AvbFilterCancelOidRequest;
    handlers.DevicePnPEventNotifyHandler = DevicePnPEvent;
    handlers.StatusHandler = Status;
    return handlers;
}

NDIS_STATUS AvbFilterRegister(DRIVER_OBJECT *driver, NDIS_HANDLE *handle)
{
    UINT32 given = NdisGetVersion();
    NDIS_STATUS status = NDIS_STATUS_BAD_VERSION;
    for (UINT32 i = 0; i < sizeof versions / sizeof versions[0] && status == NDIS_STATUS_BAD_VERSION; i++) {
        if (versions[i] > given)
            continue;
        version = versions[i];
        NDIS_FILTER_DRIVER_CHARACTERISTICS handlers = Characteristics();
        status = NdisFRegisterFilterDriver(driver, NULL, &handlers, handle);
    }
    return status;
}

void AvbFilterDeregister(NDIS_HANDLE handle)
{
    NdisFDeregisterFilterDriver(handle);
}
