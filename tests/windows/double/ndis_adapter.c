/* SPDX-License-Identifier: MIT */
/* Adapters and the states of the filter module on each ("Filter module states and operations"). */
#include "ndis_double.h"

#define MAGIC      0x4C41424144415054ULL
#define REMEMBERED 256u /* detached adapters that stay in memory */
#define LINK_SPEED 1000000000ULL

static LIST_ENTRY attached = {&attached, &attached};
static LIST_ENTRY detached = {&detached, &detached};
static UINT32 detached_count;
static KSPIN_LOCK lists;

/* ---- The lists ---- */

static void attach_to_list(lab_adapter *adapter)
{
    KIRQL irql;
    KeAcquireSpinLock(&lists, &irql);
    InsertTailList(&attached, &adapter->link);
    KeReleaseSpinLock(&lists, irql);
}

static void remember(lab_adapter *adapter)
{
    KIRQL irql;
    lab_adapter *oldest = NULL;
    KeAcquireSpinLock(&lists, &irql);
    RemoveEntryList(&adapter->link);
    InsertTailList(&detached, &adapter->link);
    if (++detached_count > REMEMBERED) {
        oldest = CONTAINING_RECORD(RemoveHeadList(&detached), lab_adapter, link);
        detached_count--;
    }
    KeReleaseSpinLock(&lists, irql);
    if (oldest)
        lab_give(oldest);
}

static lab_adapter *first_of(LIST_ENTRY *list, int remove)
{
    KIRQL irql;
    KeAcquireSpinLock(&lists, &irql);
    lab_adapter *adapter = IsListEmpty(list) ? NULL : CONTAINING_RECORD(list->Flink, lab_adapter, link);
    if (adapter && remove)
        RemoveEntryList(&adapter->link);
    KeReleaseSpinLock(&lists, irql);
    return adapter;
}

void lab_detach_all(void)
{
    for (lab_adapter *adapter = first_of(&attached, 0); adapter; adapter = first_of(&attached, 0))
        lab_detach(adapter);
}

void lab_forget_detached(void)
{
    for (lab_adapter *adapter = first_of(&detached, 1); adapter; adapter = first_of(&detached, 1))
        lab_give(adapter);
    detached_count = 0;
}

int lab_each_adapter(int (*visit)(lab_adapter *adapter, void *context), void *context)
{
    KIRQL irql;
    int result = 0;
    KeAcquireSpinLock(&lists, &irql);
    for (LIST_ENTRY *entry = attached.Flink; entry != &attached && result == 0; entry = entry->Flink)
        result = visit(CONTAINING_RECORD(entry, lab_adapter, link), context);
    KeReleaseSpinLock(&lists, irql);
    return result;
}

/* ---- States, handles, calls ---- */

static enum lab_state state_of(const lab_adapter *adapter)
{
    return (enum lab_state)__atomic_load_n(&adapter->state, __ATOMIC_RELAXED);
}

/* Orders nothing: it is called by every function that a filter's handlers call. */
lab_adapter *lab_adapter_of(NDIS_HANDLE handle, const char *function)
{
    lab_adapter *adapter = handle;
    if (!adapter || adapter->magic != MAGIC) {
        lab_breach_nbl(NULL, function, "not the handle of a filter module", 0, 0);
        return NULL;
    }
    if (state_of(adapter) == LAB_DETACHED) {
        lab_breach_nbl(adapter, function, "called after FilterDetach returned", 0, 0);
        return NULL;
    }
    return adapter;
}

struct lab_call lab_call_begin(lab_adapter *adapter, const char *handler)
{
    return (struct lab_call){.adapter = adapter, .handler = handler, .irql = KeGetCurrentIrql()};
}

void lab_call_end(const struct lab_call *call)
{
    KIRQL irql = KeGetCurrentIrql();
    if (irql == call->irql)
        return;
    lab_breach_nbl(call->adapter, call->handler, "returned at another IRQL", 0, 0);
    if (irql > call->irql)
        KeLowerIrql(call->irql);
}

/* ---- Attach ---- */

static UNICODE_STRING widen(WCHAR *to, const char *prefix, const char *text)
{
    UINT32 length = 0;
    while (*prefix)
        to[length++] = (WCHAR)*prefix++;
    while (*text)
        to[length++] = (WCHAR)*text++;
    USHORT bytes = (USHORT)(length * sizeof(WCHAR));
    return (UNICODE_STRING){.Length = bytes, .MaximumLength = bytes, .Buffer = to};
}

static lab_adapter *new_adapter(const struct lab_adapter_config *config)
{
    lab_adapter *adapter = lab_take(sizeof *adapter);
    adapter->magic = MAGIC;
    adapter->config = *config;
    adapter->config.guid[sizeof adapter->config.guid - 1] = 0;
    lab_gate_init(&adapter->traffic);
    lab_gate_init(&adapter->module);
    lab_lock_init(&adapter->control);
    lab_lock_init(&adapter->oids);
    KeInitializeSpinLock(&adapter->spin);
    InitializeListHead(&adapter->clones);
    InitializeListHead(&adapter->statuses);
    adapter->device_name = widen(adapter->name, "\\DEVICE\\", adapter->config.guid);
    adapter->instance_name = widen(adapter->instance, "Adapter of the test double", "");
    return adapter;
}

/* In memory of their own, which goes when FilterAttach has returned: a filter copies what it keeps. */
struct attach_parameters {
    NDIS_FILTER_ATTACH_PARAMETERS parameters;
    UNICODE_STRING module_name, base_name, instance_name;
    WCHAR names[160];
};

static UNICODE_STRING copy_string(WCHAR **at, const UNICODE_STRING *from)
{
    UNICODE_STRING copy = {.Length = from->Length, .MaximumLength = from->Length, .Buffer = *at};
    RtlCopyMemory(*at, from->Buffer, from->Length);
    *at += from->Length / sizeof(WCHAR);
    return copy;
}

static struct attach_parameters *new_attach_parameters(const lab_adapter *adapter)
{
    struct attach_parameters *all = lab_take(sizeof *all);
    WCHAR *at = all->names;
    all->base_name = copy_string(&at, &adapter->device_name);
    all->module_name = copy_string(&at, &adapter->device_name);
    all->instance_name = copy_string(&at, &adapter->instance_name);
    NDIS_FILTER_ATTACH_PARAMETERS *to = &all->parameters;
    to->Header.Type = NDIS_OBJECT_TYPE_FILTER_ATTACH_PARAMETERS;
    to->Header.Revision = NDIS_FILTER_ATTACH_PARAMETERS_REVISION_4;
    to->Header.Size = NDIS_SIZEOF_FILTER_ATTACH_PARAMETERS_REVISION_4;
    /* The filter module is an interface of its own above the adapter's. */
    to->IfIndex = adapter->config.if_index + 1000;
    to->NetLuid.Value = adapter->config.net_luid ^ 1ULL << 40;
    to->BaseMiniportIfIndex = to->LowerIfIndex = adapter->config.if_index;
    to->BaseMiniportNetLuid.Value = to->LowerIfNetLuid.Value = adapter->config.net_luid;
    to->FilterModuleGuidName = &all->module_name;
    to->BaseMiniportName = &all->base_name;
    to->BaseMiniportInstanceName = &all->instance_name;
    to->MediaConnectState = MediaConnectStateConnected;
    to->MediaDuplexState = MediaDuplexStateFull;
    to->XmitLinkSpeed = to->RcvLinkSpeed = LINK_SPEED;
    to->MiniportMediaType = adapter->config.medium == 0 ? NdisMedium802_3 : (NDIS_MEDIUM)(adapter->config.medium - 1);
    to->MiniportPhysicalMediaType =
        adapter->config.medium == 0 ? NdisPhysicalMedium802_3 : NdisPhysicalMediumUnspecified;
    to->MiniportPhysicalDeviceObject = lab_window_device(adapter);
    to->MacAddressLength = 6;
    to->CurrentMacAddress[0] = 0x02;
    return all;
}

static void free_attach_parameters(struct attach_parameters *all)
{
    RtlFillMemory(all, sizeof *all, 0xD5);
    lab_give(all);
}

static NDIS_STATUS call_attach(lab_adapter *adapter)
{
    struct attach_parameters *all = new_attach_parameters(adapter);
    struct lab_call call = lab_call_begin(adapter, "FilterAttach");
    NDIS_STATUS status = lab_driver.handlers.AttachHandler(adapter, lab_driver.context, &all->parameters);
    lab_call_end(&call);
    free_attach_parameters(all);
    if (status == NDIS_STATUS_SUCCESS && !adapter->attributes_set) {
        lab_breach(adapter, "FilterAttach: succeeded without NdisFSetAttributes");
        status = NDIS_STATUS_FAILURE;
    }
    return status;
}

static void end_of_adapter(lab_adapter *adapter)
{
    lab_put(&adapter->state, LAB_DETACHED);
    lab_oid_check_detached(adapter);
    if (lab_get(&adapter->configurations) != 0)
        lab_breach(adapter, "a configuration was not closed");
    lab_window_check_detached(adapter);
    lab_window_close(adapter);
    remember(adapter);
}

static WCHAR upper(WCHAR c)
{
    return c >= 'a' && c <= 'z' ? (WCHAR)(c - 'a' + 'A') : c;
}

static int has_name(lab_adapter *adapter, void *context)
{
    const UNICODE_STRING *a = &adapter->device_name, *b = context;
    if (a->Length != b->Length)
        return 0;
    for (UINT32 i = 0; i < a->Length / sizeof(WCHAR); i++) {
        if (upper(a->Buffer[i]) != upper(b->Buffer[i]))
            return 0;
    }
    return 1;
}

INT32 lab_attach(const struct lab_adapter_config *config, lab_adapter **adapter)
{
    *adapter = NULL;
    if (!lab_driver_is_registered())
        return NDIS_STATUS_FAILURE;
    lab_adapter *mine = new_adapter(config);
    if (lab_each_adapter(has_name, &mine->device_name)) {
        lab_breach(mine, "the test attaches an adapter of this name twice");
        lab_give(mine);
        return NDIS_STATUS_FAILURE;
    }
    lab_put(&mine->state, LAB_ATTACHING);
    lab_window_open(mine);
    attach_to_list(mine);
    NDIS_STATUS status = call_attach(mine);
    if (status != NDIS_STATUS_SUCCESS) {
        end_of_adapter(mine);
        return status;
    }
    lab_put(&mine->state, LAB_PAUSED);
    lab_gate_open(&mine->module);
    *adapter = mine;
    return NDIS_STATUS_SUCCESS;
}

NDIS_STATUS NTAPI NdisFSetAttributes(NDIS_HANDLE NdisFilterHandle, NDIS_HANDLE FilterModuleContext,
                                     NDIS_FILTER_ATTRIBUTES *FilterAttributes)
{
    lab_adapter *adapter = lab_adapter_of(NdisFilterHandle, "NdisFSetAttributes");
    if (!adapter || !lab_irql_at_most(adapter, "NdisFSetAttributes", PASSIVE_LEVEL))
        return NDIS_STATUS_FAILURE;
    if (state_of(adapter) != LAB_ATTACHING || adapter->attributes_set) {
        lab_breach(adapter, "NdisFSetAttributes: only once, in FilterAttach");
        return NDIS_STATUS_FAILURE;
    }
    const NDIS_OBJECT_HEADER *header = &FilterAttributes->Header;
    if (header->Type != NDIS_OBJECT_TYPE_FILTER_ATTRIBUTES || header->Revision < NDIS_FILTER_ATTRIBUTES_REVISION_1 ||
        header->Size < NDIS_SIZEOF_FILTER_ATTRIBUTES_REVISION_1 || FilterAttributes->Flags != 0)
        return NDIS_STATUS_INVALID_PARAMETER;
    if (nt_lab_is_to_fail())
        return NDIS_STATUS_RESOURCES;
    adapter->context = FilterModuleContext;
    adapter->attributes_set = 1;
    return NDIS_STATUS_SUCCESS;
}

/* ---- Restart and pause ---- */

static NDIS_STATUS call_restart(lab_adapter *adapter)
{
    if (lab_driver.handlers.SetFilterModuleOptionsHandler) {
        NDIS_STATUS status = lab_driver.handlers.SetFilterModuleOptionsHandler(adapter->context);
        if (status != NDIS_STATUS_SUCCESS)
            return status;
    }
    NDIS_FILTER_RESTART_PARAMETERS *parameters = lab_take(sizeof *parameters);
    parameters->Header.Type = NDIS_OBJECT_TYPE_FILTER_RESTART_PARAMETERS;
    parameters->Header.Revision = NDIS_FILTER_RESTART_PARAMETERS_REVISION_1;
    parameters->Header.Size = NDIS_SIZEOF_FILTER_RESTART_PARAMETERS_REVISION_1;
    parameters->LowerIfIndex = adapter->config.if_index;
    parameters->LowerIfNetLuid.Value = adapter->config.net_luid;
    struct lab_call call = lab_call_begin(adapter, "FilterRestart");
    NDIS_STATUS status = lab_driver.handlers.RestartHandler(adapter->context, parameters);
    lab_call_end(&call);
    lab_give(parameters);
    return status;
}

/* With the control lock. */
static NDIS_STATUS restart(lab_adapter *adapter)
{
    if (state_of(adapter) != LAB_PAUSED)
        return NDIS_STATUS_INVALID_STATE;
    lab_put(&adapter->state, LAB_RESTARTING);
    NDIS_STATUS status = call_restart(adapter);
    if (status == NDIS_STATUS_PENDING) {
        lab_breach(adapter, "FilterRestart: pends, which this double does not know");
        status = NDIS_STATUS_FAILURE;
    }
    if (status != NDIS_STATUS_SUCCESS) {
        lab_put(&adapter->state, LAB_PAUSED);
        return status;
    }
    lab_put(&adapter->state, LAB_RUNNING);
    lab_gate_open(&adapter->traffic);
    return status;
}

/*
 * With the control lock. FilterPause comes while calls are under way and NBLs at the other end; they are waited for
 * afterwards. Nothing new is handed to the filter from before it on.
 */
static void pause(lab_adapter *adapter, ULONG reason)
{
    if (state_of(adapter) != LAB_RUNNING)
        return;
    lab_put(&adapter->state, LAB_PAUSING);
    lab_gate_close(&adapter->traffic);
    NDIS_FILTER_PAUSE_PARAMETERS parameters = {
        .Header = {.Type = NDIS_OBJECT_TYPE_FILTER_PAUSE_PARAMETERS,
                   .Revision = NDIS_FILTER_PAUSE_PARAMETERS_REVISION_1,
                   .Size = NDIS_SIZEOF_FILTER_PAUSE_PARAMETERS_REVISION_1},
        .PauseReason = reason,
    };
    struct lab_call call = lab_call_begin(adapter, "FilterPause");
    NDIS_STATUS status = lab_driver.handlers.PauseHandler(adapter->context, &parameters);
    lab_call_end(&call);
    if (status != NDIS_STATUS_SUCCESS)
        lab_breach(adapter, "FilterPause: did not succeed; it may not fail, and to pend is unknown to this double");
    lab_gate_drain(&adapter->traffic);
    lab_put(&adapter->state, LAB_PAUSED);
}

INT32 lab_restart(lab_adapter *adapter)
{
    lab_lock(&adapter->control);
    NDIS_STATUS status = restart(adapter);
    lab_unlock(&adapter->control);
    return status;
}

void lab_pause(lab_adapter *adapter)
{
    lab_lock(&adapter->control);
    pause(adapter, NDIS_PAUSE_NDIS_INTERNAL);
    lab_unlock(&adapter->control);
}

/* ---- Detach ---- */

/* With the control lock. */
static void detach(lab_adapter *adapter)
{
    pause(adapter, NDIS_PAUSE_NDIS_INTERNAL);
    lab_event_pre_detach(adapter);
    lab_gate_close(&adapter->module);
    lab_gate_drain(&adapter->module);
    lab_put(&adapter->state, LAB_DETACHING);
    struct lab_call call = lab_call_begin(adapter, "FilterDetach");
    lab_driver.handlers.DetachHandler(adapter->context);
    lab_call_end(&call);
    end_of_adapter(adapter);
}

/* The adapter's memory stays for a while, so that who comes too late finds it detached. */
void lab_detach(lab_adapter *adapter)
{
    lab_lock(&adapter->control);
    if (state_of(adapter) != LAB_DETACHED)
        detach(adapter);
    lab_unlock(&adapter->control);
}

/* ---- Power ---- */

/*
 * NDIS pauses the stack before the miniport loses its power, and restarts it afterwards: unless the miniport said that
 * this is not needed.
 */
void lab_set_power(lab_adapter *adapter, int on)
{
    lab_lock(&adapter->control);
    if (!on && !adapter->config.no_pause_on_suspend) {
        adapter->resume = state_of(adapter) == LAB_RUNNING;
        pause(adapter, NDIS_PAUSE_LOW_POWER);
    }
    NDIS_STATUS status = lab_oid_set_power(adapter, on ? NdisDeviceStateD0 : NdisDeviceStateD3);
    int awake = (status == NDIS_STATUS_SUCCESS) == (on != 0);
    if (awake && adapter->resume) {
        restart(adapter);
        adapter->resume = 0;
    }
    lab_unlock(&adapter->control);
}
