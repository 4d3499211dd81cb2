/* SPDX-License-Identifier: MIT */
/* ndislab.sys as a service: the device \\.\AvbPtpLab, through which a client makes the calls of lab.h and nt_lab.h. */
#include "ndislab.h"

#include "verify_lab.h"

static lab_adapter *adapters[LAB_ADAPTERS];
static DEVICE_OBJECT *lab_device;

DRIVER_OBJECT *lab_driver_object;

static int is_adapter(lab_adapter *adapter, void *wanted)
{
    return adapter == wanted;
}

/* It is detached without being asked to where the filter driver was unloaded. */
lab_adapter *lab_adapter_number(UINT32 number)
{
    if (number >= LAB_ADAPTERS || !adapters[number])
        return NULL;
    if (!lab_each_adapter(is_adapter, adapters[number]))
        adapters[number] = NULL;
    return adapters[number];
}

/* ---- Calls ---- */

static NTSTATUS attach(struct lab_in *in, struct lab_out *out)
{
    UINT32 number = 0;
    while (number < LAB_ADAPTERS && lab_adapter_number(number))
        number++;
    if (number == LAB_ADAPTERS)
        return STATUS_INSUFFICIENT_RESOURCES;
    in->config.guid[sizeof in->config.guid - 1] = 0;
    NTSTATUS status = filter_name(lab_driver_object, in->config.guid);
    if (!NT_SUCCESS(status))
        return status;
    out->status = lab_attach(&in->config, &adapters[number]);
    out->adapter = number;
    return STATUS_SUCCESS;
}

static void detach(UINT32 number)
{
    lab_adapter *adapter = adapters[number];
    adapters[number] = NULL;
    lab_detach(adapter);
}

static void reset(struct lab_out *out)
{
    traffic_end(1, out);
    nt_lab_fail_nth(0);
    out->count = 0;
    for (UINT32 number = 0; number < LAB_ADAPTERS; number++) {
        if (!lab_adapter_number(number))
            continue;
        detach(number);
        out->count++;
    }
    nt_lab_etw_enable(0, 0, 0);
}

static NTSTATUS call_adapter(UINT32 call, const struct lab_in *in, struct lab_out *out)
{
    lab_adapter *adapter = lab_adapter_number(in->adapter);
    if (!adapter)
        return STATUS_INVALID_PARAMETER;
    switch (call) {
    case LAB_CALL_RESTART:
        out->status = lab_restart(adapter);
        return STATUS_SUCCESS;
    case LAB_CALL_PAUSE:
        lab_pause(adapter);
        return STATUS_SUCCESS;
    case LAB_CALL_DETACH:
        detach(in->adapter);
        return STATUS_SUCCESS;
    case LAB_CALL_TIMESTAMP_CONFIG:
        lab_set_timestamp_config(adapter, in->config.frequency_hz, in->config.timestamp_flags);
        return STATUS_SUCCESS;
    case LAB_CALL_POWER:
        lab_set_power(adapter, (int)in->value);
        return STATUS_SUCCESS;
    case LAB_CALL_SURPRISE_REMOVAL:
        lab_surprise_removal(adapter);
        return STATUS_SUCCESS;
    case LAB_CALL_OID:
        out->status = lab_oid_from_above(adapter, in->value, (int)in->extra);
        return STATUS_SUCCESS;
    default:
        return STATUS_INVALID_DEVICE_REQUEST;
    }
}

static NTSTATUS call(UINT32 call_number, struct lab_in *in, struct lab_out *out)
{
    switch (call_number) {
    case LAB_CALL_RESET:
        reset(out);
        return STATUS_SUCCESS;
    case LAB_CALL_NDIS_VERSION:
        lab_set_ndis_version(in->value);
        return STATUS_SUCCESS;
    case LAB_CALL_ATTACH:
        return attach(in, out);
    case LAB_CALL_TRAFFIC_END:
        traffic_end((int)in->value, out);
        return STATUS_SUCCESS;
    case LAB_CALL_HELD:
        nt_lab_held(&out->held);
        return STATUS_SUCCESS;
    case LAB_CALL_BREACHES:
        out->count = (INT64)nt_lab_breaches(out->text, sizeof out->text);
        return STATUS_SUCCESS;
    case LAB_CALL_FORGET:
        verify_forget_breaches();
        return STATUS_SUCCESS;
    case LAB_CALL_FAIL_NTH:
        out->count = (INT64)nt_lab_fail_nth(in->value);
        return STATUS_SUCCESS;
    case LAB_CALL_ETW_COUNT:
        out->count = (INT64)nt_lab_etw_count((UINT16)in->value);
        return STATUS_SUCCESS;
    case LAB_CALL_ETW_ENABLE:
        nt_lab_etw_enable((int)in->value, (UINT8)in->extra, in->wide);
        return STATUS_SUCCESS;
    case LAB_CALL_NAME:
        in->text[sizeof in->text - 1] = 0;
        return filter_name(lab_driver_object, in->text);
    case LAB_CALL_OPENS:
        out->count = (INT64)filter_opens();
        return STATUS_SUCCESS;
    case LAB_CALL_MISUSE:
        out->status = misuse(in->value, out->text, sizeof out->text);
        return STATUS_SUCCESS;
    case LAB_CALL_CRASH:
        __builtin_trap();
    case LAB_CALL_HANDLES:
        out->count = verify_given_handles();
        return STATUS_SUCCESS;
    default:
        return call_adapter(call_number, in, out);
    }
}

/* ---- Requests ---- */

/* The buffer holds the request and then the answer. */
static NTSTATUS control(UINT32 code, void *buffer, UINT32 in_bytes, UINT32 out_bytes)
{
    NTSTATUS status = STATUS_INVALID_PARAMETER;
    struct lab_out out = {0};
    UINT32 call_number = (code - LAB_IOCTL(0)) >> 2;
    if (out_bytes != sizeof out)
        return status;
    if (call_number == LAB_CALL_TRAFFIC)
        status = traffic_once(buffer, in_bytes, &out);
    else if (call_number == LAB_CALL_TRAFFIC_START)
        status = traffic_start(buffer, in_bytes);
    else if (in_bytes == sizeof(struct lab_in))
        status = call(call_number, buffer, &out);
    RtlCopyMemory(buffer, &out, sizeof out);
    return status;
}

static NTSTATUS NTAPI dispatch(DEVICE_OBJECT *device, IRP *irp)
{
    if (device != lab_device)
        return filter_request(device, irp);
    const IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    NTSTATUS status = STATUS_SUCCESS;
    irp->IoStatus.Information = 0;
    if (stack->MajorFunction == IRP_MJ_DEVICE_CONTROL) {
        UINT32 out_bytes = stack->Parameters.DeviceIoControl.OutputBufferLength;
        status = control(stack->Parameters.DeviceIoControl.IoControlCode, irp->AssociatedIrp.SystemBuffer,
                         stack->Parameters.DeviceIoControl.InputBufferLength, out_bytes);
        irp->IoStatus.Information = NT_SUCCESS(status) ? out_bytes : 0;
    }
    irp->IoStatus.Status = status;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    return status;
}

/* ---- The service ---- */

static NTSTATUS make_device(DRIVER_OBJECT *driver)
{
    UNICODE_STRING name, link;
    RtlInitUnicodeString(&name, L"\\Device\\AvbPtpLab");
    RtlInitUnicodeString(&link, L"\\??\\AvbPtpLab");
    NTSTATUS status = IoCreateDevice(driver, 0, &name, FILE_DEVICE_UNKNOWN, 0, FALSE, &lab_device);
    return NT_SUCCESS(status) ? IoCreateSymbolicLink(&link, &name) : status;
}

DRIVER_INITIALIZE DriverEntry;

/* There is no way to unload: like ndis.sys, it stays. */
NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registry_path)
{
    static const struct verify_pci pci = {.bar = lab_bar};
    (void)registry_path;
    lab_driver_object = driver;
    driver->MajorFunction[IRP_MJ_CREATE] = dispatch;
    driver->MajorFunction[IRP_MJ_CLOSE] = dispatch;
    driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = dispatch;
    verify_set_pci(&pci);
    NTSTATUS status = filter_directory();
    return NT_SUCCESS(status) ? make_device(driver) : status;
}
