/* SPDX-License-Identifier: MIT */
/*
 * The device of the filter driver, as NDIS and the I/O manager of Windows serve it.
 *
 * What Wine does otherwise is set right here. It knows no names below a device: each name that a client may
 * open, \\.\AvbPtp\<text>, is a device of its own in a directory \??\AvbPtp, and the filter is shown the text as
 * FileObject->FileName. It lets a client have a file whose IRP_MJ_CREATE fails: such a file is not shown to the
 * filter again, and every request for it fails as its creation did (LAB_IOCTL_OPENED asks for just that). It
 * sends no IRP_MJ_CLEANUP: it is made before each IRP_MJ_CLOSE. It unloads a driver whose device is
 * open: its DriverUnload is made to wait.
 */
#include "ndislab.h"

#define NAMES 32

#define FILTER_DRIVER L"\\Driver\\avbptpmon_t"

/* A name that clients can open. */
struct name {
    DEVICE_OBJECT *device;
    UNICODE_STRING suffix; /* \<text> */
    WCHAR suffix_text[LAB_TEXT + 1];
};

/* The filter's device. */
static struct {
    DEVICE_OBJECT *object; /* NULL: there is none */
    PDRIVER_DISPATCH major[IRP_MJ_MAXIMUM_FUNCTION + 1];
    DRIVER_UNLOAD *unload;
    struct lab_gate files; /* inside: open files */
} filter;

static struct name names[NAMES];

/* A pointer in the kernel, and so in Wine. mingw-w64 does not declare it. */
extern __declspec(dllimport) POBJECT_TYPE IoDriverObjectType;

UINT64 filter_opens(void)
{
    return lab_get(&filter.files.word) / 2;
}

/* ---- Unload ---- */

static VOID NTAPI wait_and_unload(DRIVER_OBJECT *driver)
{
    lab_gate_close(&filter.files);
    lab_gate_drain(&filter.files);
    filter.unload(driver);
    if (KeGetCurrentIrql() != PASSIVE_LEVEL)
        nt_lab_breach("DriverUnload: returned at another IRQL");
}

/* DriverEntry has returned when a client opens the device: what it says of unloading stands. */
static void hook_unload(void)
{
    UNICODE_STRING name;
    PVOID object;
    if (filter.unload)
        return;
    RtlInitUnicodeString(&name, FILTER_DRIVER);
    if (!NT_SUCCESS(ObReferenceObjectByName(&name, 0, NULL, 0, IoDriverObjectType, KernelMode, NULL, &object))) {
        nt_lab_breach("the filter's driver object is not found");
        return;
    }
    DRIVER_OBJECT *driver = object;
    filter.unload = driver->DriverUnload;
    driver->DriverUnload = wait_and_unload;
    nt_lab_own(1);
    ObDereferenceObject(object);
    nt_lab_own(0);
}

/* ---- Requests ---- */

static NTSTATUS complete(IRP *irp, NTSTATUS status)
{
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = 0;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    return status;
}

static NTSTATUS call_filter(UCHAR major, IRP *irp)
{
    if (!filter.major[major])
        return complete(irp, STATUS_INVALID_DEVICE_REQUEST);
    NTSTATUS status = filter.major[major](filter.object, irp);
    if (KeGetCurrentIrql() != PASSIVE_LEVEL) {
        nt_lab_breach("a dispatch routine returned at another IRQL");
        KeLowerIrql(PASSIVE_LEVEL);
    }
    if (status == STATUS_PENDING)
        nt_lab_breach("a dispatch routine left its request pending");
    return status;
}

static NTSTATUS NTAPI keep_irp(DEVICE_OBJECT *device, IRP *irp, PVOID context)
{
    (void)device;
    (void)irp;
    *(int *)context = 1;
    return STATUS_MORE_PROCESSING_REQUIRED; /* it is ours, and freed below */
}

/* The IRP that Windows sends when the last handle is closed, made by hand. */
static void send_cleanup(FILE_OBJECT *file)
{
    int completed = 0;
    nt_lab_own(1);
    IRP *irp = IoAllocateIrp(2, FALSE);
    nt_lab_own(0);
    if (!irp) {
        nt_lab_breach("no IRP for IRP_MJ_CLEANUP");
        return;
    }
    irp->RequestorMode = UserMode;
    irp->Tail.Overlay.Thread = PsGetCurrentThread();
    IoSetNextIrpStackLocation(irp);
    IO_STACK_LOCATION *stack = IoGetNextIrpStackLocation(irp);
    stack->MajorFunction = IRP_MJ_CLEANUP;
    stack->FileObject = file;
    stack->DeviceObject = filter.object;
    IoSetCompletionRoutine(irp, keep_irp, &completed, TRUE, TRUE, TRUE);
    IoSetNextIrpStackLocation(irp);
    call_filter(IRP_MJ_CLEANUP, irp);
    if (!completed)
        nt_lab_breach("IRP_MJ_CLEANUP was not completed");
    IoFreeIrp(irp);
}

/* FinalStatus says of each file what became of its creation. */
static NTSTATUS create(const struct name *name, IRP *irp)
{
    FILE_OBJECT *file = IoGetCurrentIrpStackLocation(irp)->FileObject;
    file->FinalStatus = STATUS_OBJECT_NAME_NOT_FOUND;
    if (!lab_gate_enter(&filter.files))
        return complete(irp, file->FinalStatus);
    hook_unload();
    file->FileName = name->suffix;
    NTSTATUS status = call_filter(IRP_MJ_CREATE, irp);
    file->FinalStatus = status;
    if (!NT_SUCCESS(status))
        lab_gate_leave(&filter.files);
    return status;
}

static NTSTATUS close(FILE_OBJECT *file, IRP *irp)
{
    send_cleanup(file);
    NTSTATUS status = call_filter(IRP_MJ_CLOSE, irp);
    lab_gate_leave(&filter.files);
    return status;
}

static NTSTATUS request(FILE_OBJECT *file, const IO_STACK_LOCATION *stack, IRP *irp)
{
    if (!NT_SUCCESS(file->FinalStatus))
        return complete(irp, stack->MajorFunction == IRP_MJ_CLOSE ? STATUS_SUCCESS : file->FinalStatus);
    if (stack->MajorFunction == IRP_MJ_CLOSE)
        return close(file, irp);
    if (stack->MajorFunction == IRP_MJ_DEVICE_CONTROL &&
        stack->Parameters.DeviceIoControl.IoControlCode == LAB_IOCTL_OPENED)
        return complete(irp, STATUS_SUCCESS);
    return call_filter(stack->MajorFunction, irp);
}

NTSTATUS filter_request(DEVICE_OBJECT *device, IRP *irp)
{
    const struct name *name = names;
    const IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    irp->RequestorMode = UserMode;
    while (name < names + NAMES && name->device != device)
        name++;
    if (name == names + NAMES)
        return complete(irp, STATUS_OBJECT_NAME_NOT_FOUND);
    return stack->MajorFunction == IRP_MJ_CREATE ? create(name, irp) : request(stack->FileObject, stack, irp);
}

/* ---- Names ---- */

struct text {
    WCHAR characters[LAB_TEXT + 40];
    UINT32 length;
};

static void add(struct text *text, const WCHAR *more)
{
    while (*more && text->length < sizeof text->characters / sizeof(WCHAR))
        text->characters[text->length++] = *more++;
}

static UNICODE_STRING string_of(struct text *text)
{
    UINT16 bytes = (UINT16)(text->length * sizeof(WCHAR));
    return (UNICODE_STRING){.Length = bytes, .MaximumLength = bytes, .Buffer = text->characters};
}

/* "\\Device\\AvbPtpName<letter>" and "\\??\\AvbPtp\\<text>" */
static NTSTATUS make_name(DRIVER_OBJECT *driver, struct name *name)
{
    struct text device = {.length = 0}, link = {.length = 0};
    WCHAR letter[2] = {(WCHAR)(L'A' + (name - names)), 0};
    add(&device, L"\\Device\\AvbPtpName");
    add(&device, letter);
    add(&link, L"\\??\\AvbPtp");
    add(&link, name->suffix_text);
    UNICODE_STRING device_name = string_of(&device), link_name = string_of(&link);
    NTSTATUS status = IoCreateDevice(driver, 0, &device_name, FILE_DEVICE_NETWORK, 0, FALSE, &name->device);
    if (!NT_SUCCESS(status))
        return status;
    status = IoCreateSymbolicLink(&link_name, &device_name);
    if (!NT_SUCCESS(status)) {
        IoDeleteDevice(name->device);
        name->device = NULL;
    }
    return status;
}

NTSTATUS filter_name(DRIVER_OBJECT *driver, const char *text)
{
    WCHAR suffix[LAB_TEXT + 1] = {L'\\'};
    UNICODE_STRING wanted;
    for (UINT32 i = 0; i + 1 < LAB_TEXT && text[i]; i++)
        suffix[i + 1] = (WCHAR)text[i];
    RtlInitUnicodeString(&wanted, suffix);
    for (struct name *name = names; name < names + NAMES; name++) {
        if (!name->device) {
            RtlCopyMemory(name->suffix_text, suffix, sizeof suffix);
            RtlInitUnicodeString(&name->suffix, name->suffix_text);
            return make_name(driver, name);
        }
        if (RtlEqualUnicodeString(&name->suffix, &wanted, FALSE))
            return STATUS_SUCCESS;
    }
    return STATUS_INSUFFICIENT_RESOURCES;
}

NTSTATUS filter_directory(void)
{
    OBJECT_ATTRIBUTES attributes;
    UNICODE_STRING name;
    HANDLE directory;
    lab_gate_init(&filter.files);
    RtlInitUnicodeString(&name, L"\\??\\AvbPtp");
    InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE | OBJ_PERMANENT, NULL, NULL);
    nt_lab_own(1);
    NTSTATUS status = ZwCreateDirectoryObject(&directory, DIRECTORY_ALL_ACCESS, &attributes);
    if (NT_SUCCESS(status))
        ZwClose(directory);
    nt_lab_own(0);
    return status;
}

/* ---- NDIS ---- */

static int is_described(const NDIS_DEVICE_OBJECT_ATTRIBUTES *attributes)
{
    return attributes->Header.Type == NDIS_OBJECT_TYPE_DEVICE_OBJECT_ATTRIBUTES &&
           attributes->Header.Revision == NDIS_DEVICE_OBJECT_ATTRIBUTES_REVISION_1 &&
           attributes->Header.Size >= NDIS_SIZEOF_DEVICE_OBJECT_ATTRIBUTES_REVISION_1 && attributes->DeviceName &&
           attributes->SymbolicName && attributes->MajorFunctions;
}

NDIS_STATUS NTAPI NdisRegisterDeviceEx(NDIS_HANDLE handle, NDIS_DEVICE_OBJECT_ATTRIBUTES *attributes,
                                       PDEVICE_OBJECT *device, NDIS_HANDLE *device_handle)
{
    (void)handle;
    lab_irql_at_most(NULL, "NdisRegisterDeviceEx", PASSIVE_LEVEL);
    if (!is_described(attributes) || filter.object) {
        nt_lab_breach("NdisRegisterDeviceEx: the attributes do not describe a device");
        return NDIS_STATUS_INVALID_PARAMETER;
    }
    if (!attributes->DefaultSDDLString)
        nt_lab_breach("NdisRegisterDeviceEx: anybody may open the device");
    if (attributes->DeviceClassGuid)
        nt_lab_breach("NdisRegisterDeviceEx: DeviceClassGuid is reserved for NDIS");
    if (nt_lab_is_to_fail())
        return NDIS_STATUS_RESOURCES;
    DEVICE_OBJECT *made;
    NTSTATUS status =
        IoCreateDevice(lab_driver_object, attributes->ExtensionSize, NULL, FILE_DEVICE_NETWORK, 0, FALSE, &made);
    if (!NT_SUCCESS(status))
        return NDIS_STATUS_RESOURCES;
    RtlCopyMemory(filter.major, attributes->MajorFunctions, sizeof filter.major);
    filter.unload = NULL;
    filter.object = *device = made;
    *device_handle = &filter;
    lab_gate_open(&filter.files);
    return NDIS_STATUS_SUCCESS;
}

VOID NTAPI NdisDeregisterDeviceEx(NDIS_HANDLE handle)
{
    lab_irql_at_most(NULL, "NdisDeregisterDeviceEx", PASSIVE_LEVEL);
    if (handle != &filter || !filter.object) {
        nt_lab_breach("NdisDeregisterDeviceEx: no device's handle");
        return;
    }
    lab_gate_close(&filter.files);
    if (filter_opens() > 0)
        nt_lab_breach("NdisDeregisterDeviceEx: the device is open");
    lab_gate_drain(&filter.files);
    IoDeleteDevice(filter.object);
    filter.object = NULL;
}
