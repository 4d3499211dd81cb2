/* SPDX-License-Identifier: MIT */
/* Status indications and Plug and Play events: each passes through the filter once, unchanged, within the call. */
#include "ndis_double.h"

struct lab_indication {
    LIST_ENTRY link;
    const void *what; /* the structure, and what it was */
    void *was;
    UINT32 bytes;
    const void *buffer; /* that it points to; NULL: nothing */
    void *buffer_was;
    UINT32 buffer_bytes;
    UINT64 passed; /* how often the filter passed it on; atomic */
};

/* ---- In the filter's hands ---- */

static void *copy_of(const void *from, UINT32 bytes)
{
    void *copy = lab_take(bytes > 0 ? bytes : 1);
    if (bytes > 0)
        RtlCopyMemory(copy, from, bytes);
    return copy;
}

static void begin(lab_adapter *adapter, struct lab_indication *of)
{
    KIRQL irql;
    of->was = copy_of(of->what, of->bytes);
    of->buffer_was = copy_of(of->buffer, of->buffer_bytes);
    KeAcquireSpinLock(&adapter->spin, &irql);
    InsertTailList(&adapter->statuses, &of->link);
    KeReleaseSpinLock(&adapter->spin, irql);
}

static int is_unchanged(const struct lab_indication *of)
{
    return RtlEqualMemory(of->what, of->was, of->bytes) &&
           (of->buffer_bytes == 0 || RtlEqualMemory(of->buffer, of->buffer_was, of->buffer_bytes));
}

static void end(lab_adapter *adapter, struct lab_indication *of, const char *handler)
{
    KIRQL irql;
    KeAcquireSpinLock(&adapter->spin, &irql);
    RemoveEntryList(&of->link);
    KeReleaseSpinLock(&adapter->spin, irql);
    if (lab_get(&of->passed) != 1)
        lab_breach_nbl(adapter, handler, "not passed on exactly once", 0, 0);
    if (!is_unchanged(of))
        lab_breach_nbl(adapter, handler, "changed by the filter", 0, 0);
    lab_give(of->was);
    lab_give(of->buffer_was);
}

/* The filter passes this on. */
static void pass_on(lab_adapter *adapter, const void *what, const char *function)
{
    KIRQL irql;
    struct lab_indication *found = NULL;
    KeAcquireSpinLock(&adapter->spin, &irql);
    for (LIST_ENTRY *entry = adapter->statuses.Flink; entry != &adapter->statuses; entry = entry->Flink) {
        struct lab_indication *each = CONTAINING_RECORD(entry, struct lab_indication, link);
        if (each->what == what)
            found = each;
    }
    if (found)
        lab_count(&found->passed);
    KeReleaseSpinLock(&adapter->spin, irql);
    if (!found)
        lab_breach_nbl(adapter, function, "not what the handler was given", 0, 0);
    else if (!is_unchanged(found))
        lab_breach_nbl(adapter, function, "changed by the filter", 0, 0);
}

VOID NTAPI NdisFIndicateStatus(NDIS_HANDLE NdisFilterHandle, NDIS_STATUS_INDICATION *StatusIndication)
{
    lab_adapter *adapter = lab_adapter_of(NdisFilterHandle, "NdisFIndicateStatus");
    if (adapter && lab_irql_at_most(adapter, "NdisFIndicateStatus", DISPATCH_LEVEL))
        pass_on(adapter, StatusIndication, "NdisFIndicateStatus");
}

NDIS_STATUS NTAPI NdisFNetPnPEvent(NDIS_HANDLE NdisFilterHandle, NET_PNP_EVENT_NOTIFICATION *NetPnPEventNotification)
{
    lab_adapter *adapter = lab_adapter_of(NdisFilterHandle, "NdisFNetPnPEvent");
    if (adapter && lab_irql_at_most(adapter, "NdisFNetPnPEvent", PASSIVE_LEVEL))
        pass_on(adapter, NetPnPEventNotification, "NdisFNetPnPEvent");
    return NDIS_STATUS_SUCCESS;
}

VOID NTAPI NdisFDevicePnPEventNotify(NDIS_HANDLE NdisFilterHandle, NET_DEVICE_PNP_EVENT *NetDevicePnPEvent)
{
    lab_adapter *adapter = lab_adapter_of(NdisFilterHandle, "NdisFDevicePnPEventNotify");
    if (adapter && lab_irql_at_most(adapter, "NdisFDevicePnPEventNotify", PASSIVE_LEVEL))
        pass_on(adapter, NetDevicePnPEvent, "NdisFDevicePnPEventNotify");
}

/* ---- Status indications ---- */

static void call_status(lab_adapter *adapter, NDIS_STATUS_INDICATION *status)
{
    struct lab_indication indication = {.what = status,
                                        .bytes = sizeof *status,
                                        .buffer = status->StatusBuffer,
                                        .buffer_bytes = status->StatusBufferSize};
    begin(adapter, &indication);
    struct lab_call call = lab_call_begin(adapter, "FilterStatus");
    lab_driver.handlers.StatusHandler(adapter->context, status);
    lab_call_end(&call);
    end(adapter, &indication, "FilterStatus");
}

/* Each second one at DISPATCH_LEVEL. What was indicated is gone afterwards. */
static void indicate(lab_adapter *adapter, NDIS_STATUS code, const void *buffer, UINT32 bytes)
{
    if (!lab_driver.handlers.StatusHandler || !lab_gate_enter(&adapter->module))
        return;
    NDIS_STATUS_INDICATION *status = lab_take(sizeof *status);
    status->Header.Type = NDIS_OBJECT_TYPE_STATUS_INDICATION;
    status->Header.Revision = NDIS_STATUS_INDICATION_REVISION_1;
    status->Header.Size = NDIS_SIZEOF_STATUS_INDICATION_REVISION_1;
    status->SourceHandle = &adapter->config;
    status->StatusCode = code;
    status->StatusBuffer = copy_of(buffer, bytes);
    status->StatusBufferSize = bytes;
    int dispatch = (lab_count(&adapter->turns) & 1) != 0;
    KIRQL irql = PASSIVE_LEVEL;
    if (dispatch)
        irql = KeRaiseIrqlToDpcLevel();
    call_status(adapter, status);
    if (dispatch)
        KeLowerIrql(irql);
    RtlFillMemory(status->StatusBuffer, bytes, 0xD5);
    lab_give(status->StatusBuffer);
    lab_give(status);
    lab_gate_leave(&adapter->module);
}

void lab_timestamp_capabilities(lab_adapter *adapter, NDIS_TIMESTAMP_CAPABILITIES *config)
{
    KIRQL irql;
    RtlZeroMemory(config, sizeof *config);
    config->Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
    config->Header.Revision = NDIS_TIMESTAMP_CAPABILITIES_REVISION_1;
    config->Header.Size = NDIS_SIZEOF_TIMESTAMP_CAPABILITIES_REVISION_1;
    KeAcquireSpinLock(&adapter->spin, &irql);
    config->HardwareClockFrequencyHz = adapter->config.frequency_hz;
    config->CrossTimestamp = adapter->config.cross_timestamp != 0;
    for (UINT32 i = 0; i < sizeof config->TimestampFlags; i++)
        ((UINT8 *)&config->TimestampFlags)[i] = (adapter->config.timestamp_flags >> i & 1) != 0;
    KeReleaseSpinLock(&adapter->spin, irql);
}

void lab_set_timestamp_config(lab_adapter *adapter, UINT64 frequency_hz, UINT32 timestamp_flags)
{
    KIRQL irql;
    KeAcquireSpinLock(&adapter->spin, &irql);
    adapter->config.frequency_hz = frequency_hz;
    adapter->config.timestamp_flags = timestamp_flags;
    KeReleaseSpinLock(&adapter->spin, irql);
    if (lab_ndis_version() < NDIS_RUNTIME_VERSION_682)
        return;
    NDIS_TIMESTAMP_CAPABILITIES config;
    lab_timestamp_capabilities(adapter, &config);
    indicate(adapter, NDIS_STATUS_TIMESTAMP_CURRENT_CONFIG, &config, sizeof config);
}

void lab_indicate_status(lab_adapter *adapter, UINT32 code, const void *buffer, UINT32 bytes)
{
    indicate(adapter, (NDIS_STATUS)code, buffer, bytes);
}

/* ---- Plug and Play ---- */

void lab_surprise_removal(lab_adapter *adapter)
{
    lab_put(&adapter->removed, 1);
    if (!lab_driver.handlers.DevicePnPEventNotifyHandler || !lab_gate_enter(&adapter->module))
        return;
    NET_DEVICE_PNP_EVENT event = {
        .Header = {.Type = NDIS_OBJECT_TYPE_DEFAULT,
                   .Revision = NET_DEVICE_PNP_EVENT_REVISION_1,
                   .Size = NDIS_SIZEOF_NET_DEVICE_PNP_EVENT_REVISION_1},
        .DevicePnPEvent = NdisDevicePnPEventSurpriseRemoved,
    };
    struct lab_indication indication = {.what = &event, .bytes = sizeof event};
    begin(adapter, &indication);
    struct lab_call call = lab_call_begin(adapter, "FilterDevicePnPEventNotify");
    lab_driver.handlers.DevicePnPEventNotifyHandler(adapter->context, &event);
    lab_call_end(&call);
    end(adapter, &indication, "FilterDevicePnPEventNotify");
    lab_gate_leave(&adapter->module);
}

/* NDIS sends it to filters of 6.30 and later while they can still make requests. */
void lab_event_pre_detach(lab_adapter *adapter)
{
    if (!lab_driver.handlers.NetPnPEventHandler || lab_driver.handlers.MinorNdisVersion < 30)
        return;
    NET_PNP_EVENT_NOTIFICATION event;
    RtlZeroMemory(&event, sizeof event);
    event.Header.Type = NDIS_OBJECT_TYPE_DEFAULT;
    event.Header.Revision = NET_PNP_EVENT_NOTIFICATION_REVISION_1;
    event.Header.Size = NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_1;
    event.NetPnPEvent.NetEvent = NetEventFilterPreDetach;
    struct lab_indication indication = {.what = &event, .bytes = sizeof event};
    begin(adapter, &indication);
    struct lab_call call = lab_call_begin(adapter, "FilterNetPnPEvent");
    lab_driver.handlers.NetPnPEventHandler(adapter->context, &event);
    lab_call_end(&call);
    end(adapter, &indication, "FilterNetPnPEvent");
}
