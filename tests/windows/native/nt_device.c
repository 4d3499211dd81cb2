/* SPDX-License-Identifier: MIT */
/* Device objects, and the control device that the driver registers with NDIS. */
#include <nt.h>

#include "nt_double.h"

#include "nt_native.h"

#include <pthread.h>

struct device {
    DEVICE_OBJECT object;
    int own, deleted;
    /* Of a control device. */
    DRIVER_OBJECT dispatch; /* NDIS's part: the driver's table */
    struct lab_device told;
    UCHAR extension[] __attribute__((aligned(16)));
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of what follows, and of the devices' open files */
static pthread_cond_t closed = PTHREAD_COND_INITIALIZER;
static struct device *control;
static UINT32 open_files; /* of all control devices, deregistered ones too */
static int unloading;

/* ---- Any device ---- */

static struct device *device_new(PDRIVER_OBJECT driver, ULONG extension, ULONG characteristics)
{
    struct device *device = nt_object_new(NT_KIND_DEVICE, sizeof *device + extension, NULL);
    device->own = nt_own;
    device->object.DriverObject = driver;
    device->object.Size = sizeof device->object;
    device->object.Flags = DO_DEVICE_INITIALIZING;
    device->object.Characteristics = characteristics;
    device->object.StackSize = 1;
    device->object.DeviceExtension = extension ? device->extension : NULL;
    nt_hold(&nt_held_now.devices, 1, nt_own);
    return device;
}

NTSTATUS IoCreateDevice(PDRIVER_OBJECT DriverObject, ULONG DeviceExtensionSize, PUNICODE_STRING DeviceName,
                        DEVICE_TYPE DeviceType, ULONG DeviceCharacteristics, BOOLEAN Exclusive,
                        PDEVICE_OBJECT *DeviceObject)
{
    (void)DeviceName;
    (void)Exclusive;
    NT_IRQL_AT_MOST(APC_LEVEL);
    *DeviceObject = NULL;
    if (nt_fails())
        return STATUS_INSUFFICIENT_RESOURCES;
    struct device *device = device_new(DriverObject, DeviceExtensionSize, DeviceCharacteristics);
    device->object.DeviceType = DeviceType;
    *DeviceObject = &device->object;
    return STATUS_SUCCESS;
}

VOID IoDeleteDevice(PDEVICE_OBJECT DeviceObject)
{
    NT_IRQL_AT_MOST(APC_LEVEL);
    struct device *device = (struct device *)DeviceObject;
    if (!nt_object_is(DeviceObject, NT_KIND_DEVICE) || device->deleted) {
        nt_breach("IoDeleteDevice: %p is no device, or deleted", (void *)DeviceObject);
        return;
    }
    device->deleted = 1;
    nt_hold(&nt_held_now.devices, -1, device->own);
    nt_object_release(device); /* open files keep it */
}

/* ---- The control device ---- */

static void to_ascii(const UNICODE_STRING *string, char *text, size_t size)
{
    size_t count = string ? string->Length / sizeof(WCHAR) : 0;
    if (count >= size)
        count = size - 1;
    for (size_t i = 0; i < count; i++)
        text[i] = (char)(string->Buffer[i] < 0x80 ? string->Buffer[i] : '?');
    text[count] = 0;
}

static int is_well_formed(const NDIS_DEVICE_OBJECT_ATTRIBUTES *attributes)
{
    const NDIS_OBJECT_HEADER *header = &attributes->Header;
    return header->Type == NDIS_OBJECT_TYPE_DEVICE_OBJECT_ATTRIBUTES &&
           header->Revision == NDIS_DEVICE_OBJECT_ATTRIBUTES_REVISION_1 &&
           header->Size >= NDIS_SIZEOF_DEVICE_OBJECT_ATTRIBUTES_REVISION_1 && attributes->DeviceName &&
           attributes->MajorFunctions;
}

NDIS_STATUS NdisRegisterDeviceEx(NDIS_HANDLE NdisHandle, PNDIS_DEVICE_OBJECT_ATTRIBUTES DeviceObjectAttributes,
                                 PDEVICE_OBJECT *pDeviceObject, PNDIS_HANDLE NdisDeviceHandle)
{
    NT_IRQL_AT_MOST(PASSIVE_LEVEL);
    *pDeviceObject = NULL;
    if (!NdisHandle)
        return NDIS_STATUS_NOT_SUPPORTED;
    if (!is_well_formed(DeviceObjectAttributes))
        return NDIS_STATUS_INVALID_PARAMETER;
    if (nt_fails())
        return NDIS_STATUS_RESOURCES;
    pthread_mutex_lock(&lock);
    if (control) {
        pthread_mutex_unlock(&lock);
        return STATUS_OBJECT_NAME_COLLISION;
    }
    struct device *device = device_new(NULL, DeviceObjectAttributes->ExtensionSize, 0);
    device->object.DriverObject = &device->dispatch;
    device->object.DeviceType = FILE_DEVICE_NETWORK;
    memcpy(device->dispatch.MajorFunction, DeviceObjectAttributes->MajorFunctions,
           sizeof device->dispatch.MajorFunction);
    nt_driver_dispatch_default(&device->dispatch);
    to_ascii(DeviceObjectAttributes->DeviceName, device->told.name, sizeof device->told.name);
    to_ascii(DeviceObjectAttributes->SymbolicName, device->told.symbolic_name, sizeof device->told.symbolic_name);
    to_ascii(DeviceObjectAttributes->DefaultSDDLString, device->told.sddl, sizeof device->told.sddl);
    if (DeviceObjectAttributes->DeviceClassGuid)
        nt_breach("%s: DeviceClassGuid is reserved for NDIS", __func__);
    control = device;
    pthread_mutex_unlock(&lock);
    *pDeviceObject = &device->object;
    *NdisDeviceHandle = device;
    return NDIS_STATUS_SUCCESS;
}

VOID NdisDeregisterDeviceEx(NDIS_HANDLE NdisDeviceHandle)
{
    NT_IRQL_AT_MOST(PASSIVE_LEVEL);
    pthread_mutex_lock(&lock);
    struct device *device = control;
    int known = device && device == NdisDeviceHandle;
    if (known)
        control = NULL;
    pthread_mutex_unlock(&lock);
    if (known)
        IoDeleteDevice(&device->object);
    else
        nt_breach("NdisDeregisterDeviceEx: %p is not registered", NdisDeviceHandle);
}

int lab_control_device(struct lab_device *device)
{
    pthread_mutex_lock(&lock);
    int known = control != NULL;
    if (known) {
        *device = control->told;
        device->characteristics = control->object.Characteristics;
        device->flags = control->object.Flags;
        device->open_files = open_files;
    }
    pthread_mutex_unlock(&lock);
    return known;
}

/* ---- Its files, and the end of its driver ---- */

NTSTATUS nt_device_open(PDEVICE_OBJECT *device)
{
    NTSTATUS status = STATUS_SUCCESS;
    pthread_mutex_lock(&lock);
    if (!control) {
        status = STATUS_OBJECT_NAME_NOT_FOUND;
    } else if (unloading || control->object.Flags & DO_DEVICE_INITIALIZING) {
        status = STATUS_NO_SUCH_DEVICE;
    } else {
        *device = &control->object;
        nt_object_reference(control);
        open_files++;
    }
    pthread_mutex_unlock(&lock);
    return status;
}

void nt_device_closed(PDEVICE_OBJECT device)
{
    nt_object_release(device);
    pthread_mutex_lock(&lock);
    open_files--;
    pthread_cond_broadcast(&closed);
    pthread_mutex_unlock(&lock);
}

void nt_devices_await_close(void)
{
    pthread_mutex_lock(&lock);
    unloading = 1;
    while (open_files)
        pthread_cond_wait(&closed, &lock);
    pthread_mutex_unlock(&lock);
}

void nt_devices_ready(void)
{
    pthread_mutex_lock(&lock);
    if (control)
        control->object.Flags &= ~DO_DEVICE_INITIALIZING;
    pthread_mutex_unlock(&lock);
}

void nt_devices_reset(void)
{
    pthread_mutex_lock(&lock);
    unloading = 0;
    pthread_mutex_unlock(&lock);
}
