/* SPDX-License-Identifier: MIT */
#include "device.h"

#include "clocks.h"
#include "monitor.h"
#include "trace.h"

#define OPEN_TAG 'fPvA'

#define NO_GENERATION 0u /* they count from 1 */

/* One file object: it may own the monitoring of its adapter. Under the control mutex. */
typedef struct _AVB_OPEN {
    UINT64 net_luid;
    UINT32 generation;
} AVB_OPEN;

static NDIS_HANDLE device_handle;

/* ---- Requests ---- */

static NTSTATUS Complete(IRP *irp, NTSTATUS status, UINT_PTR written)
{
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = written;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    return status;
}

/* With the control mutex: the adapter of this file, as it was when the file was opened. */
static AVB_DEVICE_CONTEXT *AdapterOf(const AVB_OPEN *open)
{
    return AvbAdapterByLuid(open->net_luid, open->generation);
}

/* ---- Files ---- */

static NTSTATUS Open(FILE_OBJECT *file)
{
    UNICODE_STRING guid = file->FileName; /* "\{GUID}" */
    if (guid.Length < sizeof(WCHAR) || guid.Buffer[0] != L'\\')
        return STATUS_OBJECT_NAME_NOT_FOUND;
    guid.Buffer++;
    guid.Length = (USHORT)(guid.Length - sizeof(WCHAR));
    AVB_OPEN *open = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof *open, OPEN_TAG);
    if (!open)
        return STATUS_INSUFFICIENT_RESOURCES;
    AvbLockControl();
    const AVB_DEVICE_CONTEXT *adapter = guid.Length ? AvbAdapterByGuid(&guid) : NULL;
    if (adapter)
        *open = (AVB_OPEN){.net_luid = adapter->net_luid, .generation = adapter->generation};
    AvbUnlockControl();
    if (!adapter) {
        ExFreePoolWithTag(open, OPEN_TAG);
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    file->FsContext = open;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI Create(DEVICE_OBJECT *device, IRP *irp)
{
    UNREFERENCED_PARAMETER(device);
    return Complete(irp, Open(IoGetCurrentIrpStackLocation(irp)->FileObject), 0);
}

/*
 * The last handle is closed, in whatever process. A request that was under way may still come, for it holds the file
 * object alone: it finds no adapter. Were monitoring enabled by it, nobody could disable it any more.
 */
static NTSTATUS NTAPI Cleanup(DEVICE_OBJECT *device, IRP *irp)
{
    UNREFERENCED_PARAMETER(device);
    AVB_OPEN *open = IoGetCurrentIrpStackLocation(irp)->FileObject->FsContext;
    AvbLockControl();
    AVB_DEVICE_CONTEXT *adapter = AdapterOf(open);
    if (adapter && adapter->owner == open)
        AvbMonitorStop(adapter, AVB_DISABLED_BY_CLEANUP);
    open->generation = NO_GENERATION;
    AvbUnlockControl();
    return Complete(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI Close(DEVICE_OBJECT *device, IRP *irp)
{
    UNREFERENCED_PARAMETER(device);
    FILE_OBJECT *file = IoGetCurrentIrpStackLocation(irp)->FileObject;
    ExFreePoolWithTag(file->FsContext, OPEN_TAG);
    file->FsContext = NULL;
    return Complete(irp, STATUS_SUCCESS, 0);
}

/* ---- Controls ---- */

/* What a control does, with the control mutex. `output` is zeroed, and as large as its control says. */
typedef NTSTATUS (*CONTROL)(AVB_DEVICE_CONTEXT *adapter, const AVB_OPEN *open, IRP *irp, void *output);

/* Handles are for the process that asks: there must be one. */
static NTSTATUS EnableMonitoring(AVB_DEVICE_CONTEXT *adapter, const AVB_OPEN *open, IRP *irp, void *output)
{
    PEPROCESS process = IoGetRequestorProcess(irp);
    if (irp->RequestorMode != UserMode || !process)
        return STATUS_INVALID_DEVICE_REQUEST;
    return AvbMonitorStart(adapter, open, process, output);
}

static NTSTATUS DisableMonitoring(AVB_DEVICE_CONTEXT *adapter, const AVB_OPEN *open, IRP *irp, void *output)
{
    UNREFERENCED_PARAMETER(irp);
    UNREFERENCED_PARAMETER(output);
    if (adapter->owner != open)
        return STATUS_ACCESS_DENIED;
    AvbMonitorStop(adapter, AVB_DISABLED_BY_OWNER);
    return STATUS_SUCCESS;
}

static NTSTATUS GetStatistics(AVB_DEVICE_CONTEXT *adapter, const AVB_OPEN *open, IRP *irp, void *output)
{
    UNREFERENCED_PARAMETER(open);
    UNREFERENCED_PARAMETER(irp);
    AvbMonitorStatistics(adapter, output);
    return STATUS_SUCCESS;
}

/* The adapter may take long to answer: nobody else waits for it meanwhile. */
static NTSTATUS GetClocks(AVB_DEVICE_CONTEXT *adapter, const AVB_OPEN *open, IRP *irp, void *output)
{
    UNREFERENCED_PARAMETER(open);
    UNREFERENCED_PARAMETER(irp);
    PEX_RUNDOWN_REF_CACHE_AWARE askers = adapter->askers;
    int may_ask = ExAcquireRundownProtectionCacheAware(askers);
    AvbUnlockControl();
    AvbReadClocks(may_ask ? adapter : NULL, output);
    if (may_ask)
        ExReleaseRundownProtectionCacheAware(askers);
    AvbLockControl();
    return STATUS_SUCCESS;
}

static const struct {
    UINT32 code, output_bytes;
    CONTROL run;
} controls[] = {
    {IOCTL_AVB_ENABLE_PTP_MONITORING, sizeof(AVB_PTP_MONITORING), EnableMonitoring},
    {IOCTL_AVB_DISABLE_PTP_MONITORING, 0, DisableMonitoring},
    {IOCTL_AVB_GET_PTP_MONITOR_STATS, sizeof(AVB_PTP_MONITOR_STATS), GetStatistics},
    {IOCTL_AVB_GET_PTP_CLOCKS, sizeof(PTP_CLOCKS_RECORD), GetClocks},
};

static NTSTATUS RunForAdapter(CONTROL run, const AVB_OPEN *open, IRP *irp, void *output)
{
    AvbLockControl();
    AVB_DEVICE_CONTEXT *adapter = AdapterOf(open);
    NTSTATUS status = adapter ? run(adapter, open, irp, output) : STATUS_DEVICE_DOES_NOT_EXIST;
    AvbUnlockControl();
    return status;
}

static NTSTATUS NTAPI Control(DEVICE_OBJECT *device, IRP *irp)
{
    UNREFERENCED_PARAMETER(device);
    const IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    if (!stack->FileObject || !stack->FileObject->FsContext) /* a request that the kernel made itself */
        return Complete(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    UINT32 code = stack->Parameters.DeviceIoControl.IoControlCode;
    UINT32 input = stack->Parameters.DeviceIoControl.InputBufferLength;
    UINT32 output = stack->Parameters.DeviceIoControl.OutputBufferLength;
    for (UINT32 i = 0; i < sizeof controls / sizeof controls[0]; i++) {
        if (controls[i].code != code)
            continue;
        if (input != 0 || output != controls[i].output_bytes)
            return Complete(irp, STATUS_INVALID_PARAMETER, 0);
        void *buffer = irp->AssociatedIrp.SystemBuffer;
        if (output)
            RtlZeroMemory(buffer, output); /* what was in it is the kernel's */
        NTSTATUS status = RunForAdapter(controls[i].run, stack->FileObject->FsContext, irp, buffer);
        return Complete(irp, status, NT_SUCCESS(status) ? output : 0);
    }
    return Complete(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
}

/* ---- The device ---- */

NDIS_STATUS AvbDeviceCreate(NDIS_HANDLE driver)
{
    PDRIVER_DISPATCH dispatch[IRP_MJ_MAXIMUM_FUNCTION + 1] = {
        [IRP_MJ_CREATE] = Create,
        [IRP_MJ_CLEANUP] = Cleanup,
        [IRP_MJ_CLOSE] = Close,
        [IRP_MJ_DEVICE_CONTROL] = Control,
    };
    NDIS_STRING name, link, sddl;
    RtlInitUnicodeString(&name, L"\\Device\\AvbPtp");
    RtlInitUnicodeString(&link, L"\\DosDevices\\AvbPtp");
    RtlInitUnicodeString(&sddl, L"D:P(A;;GA;;;SY)(A;;GA;;;BA)");
    NDIS_DEVICE_OBJECT_ATTRIBUTES attributes;
    RtlZeroMemory(&attributes, sizeof attributes);
    attributes.Header.Type = NDIS_OBJECT_TYPE_DEVICE_OBJECT_ATTRIBUTES;
    attributes.Header.Revision = NDIS_DEVICE_OBJECT_ATTRIBUTES_REVISION_1;
    attributes.Header.Size = NDIS_SIZEOF_DEVICE_OBJECT_ATTRIBUTES_REVISION_1;
    attributes.DeviceName = &name;
    attributes.SymbolicName = &link;
    attributes.MajorFunctions = dispatch;
    attributes.DefaultSDDLString = &sddl;
    DEVICE_OBJECT *device;
    NDIS_STATUS status = NdisRegisterDeviceEx(driver, &attributes, &device, &device_handle);
    if (status == NDIS_STATUS_SUCCESS)
        device->Characteristics |= FILE_DEVICE_SECURE_OPEN; /* names below the device's are checked, too */
    return status;
}

void AvbDeviceDelete(void)
{
    NdisDeregisterDeviceEx(device_handle);
}
