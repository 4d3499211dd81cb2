/* SPDX-License-Identifier: MIT */
#include "nt_sample.h"

#include "ndis_pci.h"

struct sample sample;

/* ---- What the NDIS double has elsewhere ---- */

void *lab_bar(UINT64 physical, UINT64 bytes)
{
    return sample.bar && physical >= 0x1000 && physical + bytes <= 0x2000 ? sample.bar + (physical - 0x1000) : NULL;
}

UINT32 lab_register_access(void *address, int write, UINT32 value)
{
    if (write)
        memcpy(address, &value, sizeof value);
    memcpy(&value, address, sizeof value);
    return value;
}

/* ---- Files ---- */

static NTSTATUS complete(PIRP irp, NTSTATUS status, ULONG_PTR information)
{
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = information;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    return status;
}

static void count(UINT32 *number)
{
    __atomic_fetch_add(number, 1, __ATOMIC_ACQ_REL);
}

static void lock_sample(void)
{
    KeWaitForSingleObject(&sample.mutex, Executive, KernelMode, FALSE, NULL);
}

static NTSTATUS create(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    const UNICODE_STRING *name = &IoGetCurrentIrpStackLocation(irp)->FileObject->FileName;
    USHORT i = 0;
    lock_sample();
    for (; i < name->Length / sizeof(WCHAR) && i < sizeof sample.name - 1; i++)
        sample.name[i] = (char)name->Buffer[i];
    sample.name[i] = 0;
    KeReleaseMutex(&sample.mutex, FALSE);
    count(&sample.created);
    return complete(irp, sample.create_status, 0);
}

static NTSTATUS cleanup(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    lock_sample();
    sample.cleanup_process = HandleToULong(PsGetProcessId(IoGetRequestorProcess(irp)));
    KeReleaseMutex(&sample.mutex, FALSE);
    count(&sample.cleaned_up);
    return complete(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS close_file(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    count(&sample.closed);
    return complete(irp, STATUS_SUCCESS, 0);
}

/* ---- Controls ---- */

static VOID complete_later(PDEVICE_OBJECT device, PVOID context)
{
    UNREFERENCED_PARAMETER(device);
    PIO_WORKITEM item = ((PIRP)context)->Tail.Overlay.DriverContext[0];
    complete(context, STATUS_SUCCESS, 0);
    IoFreeWorkItem(item);
}

static NTSTATUS pend(PIRP irp, int marked)
{
    PIO_WORKITEM item = IoAllocateWorkItem(sample.device);
    irp->Tail.Overlay.DriverContext[0] = item;
    if (marked)
        IoMarkIrpPending(irp);
    IoQueueWorkItem(item, complete_later, DelayedWorkQueue, irp);
    return STATUS_PENDING;
}

static NTSTATUS requestor(PIRP irp)
{
    PEPROCESS process = IoGetRequestorProcess(irp);
    UINT32 ids[2] = {process ? HandleToULong(PsGetProcessId(process)) : 0, HandleToULong(PsGetCurrentProcessId())};
    memcpy(irp->AssociatedIrp.SystemBuffer, ids, sizeof ids);
    return complete(irp, STATUS_SUCCESS, sizeof ids);
}

static NTSTATUS control(PDEVICE_OBJECT device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    const IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    UINT32 in = stack->Parameters.DeviceIoControl.InputBufferLength;
    UINT32 out = stack->Parameters.DeviceIoControl.OutputBufferLength;
    switch ((stack->Parameters.DeviceIoControl.IoControlCode >> 2) - (SAMPLE_CODE(0) >> 2)) {
    case SAMPLE_ECHO:
        return complete(irp, STATUS_SUCCESS, in < out ? in : out);
    case SAMPLE_FAIL:
        return complete(irp, STATUS_ACCESS_DENIED, out);
    case SAMPLE_BUSY:
        return complete(irp, STATUS_DEVICE_BUSY, out);
    case SAMPLE_TOO_MUCH:
        return complete(irp, STATUS_SUCCESS, out + 1);
    case SAMPLE_NEVER:
        return STATUS_SUCCESS;
    case SAMPLE_TWICE:
        complete(irp, STATUS_SUCCESS, 0);
        IoCompleteRequest(irp, IO_NO_INCREMENT);
        return STATUS_SUCCESS;
    case SAMPLE_OTHER_STATUS:
        complete(irp, STATUS_SUCCESS, 0);
        return STATUS_UNSUCCESSFUL;
    case SAMPLE_LEAVE_IRQL:
        KeRaiseIrqlToDpcLevel();
        return complete(irp, STATUS_SUCCESS, 0);
    case SAMPLE_LEAVE_MUTEX:
        KeWaitForSingleObject(&sample.left, Executive, KernelMode, FALSE, NULL);
        return complete(irp, STATUS_SUCCESS, 0);
    case SAMPLE_PENDING:
        return pend(irp, 1);
    case SAMPLE_UNMARKED:
        return pend(irp, 0);
    case SAMPLE_WAIT:
        KeSetEvent(&sample.in_wait, IO_NO_INCREMENT, FALSE);
        KeWaitForSingleObject(&sample.go, Executive, KernelMode, FALSE, NULL);
        return complete(irp, STATUS_SUCCESS, 0);
    case SAMPLE_REQUESTOR:
        return requestor(irp);
    case SAMPLE_OTHER_METHOD:
        return complete(irp, irp->AssociatedIrp.SystemBuffer ? STATUS_UNSUCCESSFUL : STATUS_SUCCESS, 0);
    default:
        return complete(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
}

/* ---- The driver ---- */

static NDIS_HANDLE device_handle;

static VOID unload(PDRIVER_OBJECT driver)
{
    UNREFERENCED_PARAMETER(driver);
    NdisDeregisterDeviceEx(device_handle);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path)
{
    UNREFERENCED_PARAMETER(registry_path);
    driver->DriverUnload = unload;
    sample = (struct sample){0};
    KeInitializeEvent(&sample.go, NotificationEvent, FALSE);
    KeInitializeEvent(&sample.in_wait, SynchronizationEvent, FALSE);
    KeInitializeMutex(&sample.mutex, 0);
    KeInitializeMutex(&sample.left, 0);
    PDRIVER_DISPATCH dispatch[IRP_MJ_MAXIMUM_FUNCTION + 1] = {[IRP_MJ_CREATE] = create,
                                                              [IRP_MJ_CLEANUP] = cleanup,
                                                              [IRP_MJ_CLOSE] = close_file,
                                                              [IRP_MJ_DEVICE_CONTROL] = control};
    UNICODE_STRING name, link, sddl;
    RtlInitUnicodeString(&name, L"\\Device\\Sample");
    RtlInitUnicodeString(&link, L"\\DosDevices\\Sample");
    RtlInitUnicodeString(&sddl, L"D:P(A;;GA;;;SY)");
    NDIS_DEVICE_OBJECT_ATTRIBUTES attributes = {
        .Header = {NDIS_OBJECT_TYPE_DEVICE_OBJECT_ATTRIBUTES, NDIS_DEVICE_OBJECT_ATTRIBUTES_REVISION_1,
                   NDIS_SIZEOF_DEVICE_OBJECT_ATTRIBUTES_REVISION_1},
        .DeviceName = &name,
        .SymbolicName = &link,
        .MajorFunctions = dispatch,
        .DefaultSDDLString = &sddl,
    };
    NTSTATUS status = NdisRegisterDeviceEx(&device_handle, &attributes, &sample.device, &device_handle);
    if (NT_SUCCESS(status))
        sample.device->Characteristics |= FILE_DEVICE_SECURE_OPEN;
    return status;
}

/* ---- Checks ---- */

void sample_no_breach(void)
{
    char first[256];
    if (nt_lab_breaches(first, sizeof first))
        fail_msg("breach: %s", first);
}

void sample_breach(const char *text)
{
    char first[256];
    assert_true(nt_lab_breaches(first, sizeof first) > 0);
    if (!strstr(first, text))
        fail_msg("breach: %s; expected: %s", first, text);
    nt_lab_forgive();
}

void sample_nothing_held(void)
{
    struct nt_lab_held held, nothing = {0};
    nt_lab_held(&held);
    assert_memory_equal(&held, &nothing, sizeof held);
}
