/* SPDX-License-Identifier: MIT */
/* Requests: each is freed the moment it is completed, as on Windows: who touches it afterwards is seen by
 * AddressSanitizer. */
#include "nt_double.h"

#include <stdlib.h>

struct irp {
    IRP irp;
    struct nt_node node;
    int built_by_driver, own;
    IO_STACK_LOCATION stack[];
};

static struct nt_table irps;

static struct irp *irp_new(PDEVICE_OBJECT device)
{
    CHAR count = device->StackSize;
    struct irp *irp = nt_new(sizeof *irp + (size_t)count * sizeof irp->stack[0]);
    irp->irp.Size = (USHORT)sizeof irp->irp;
    irp->irp.StackCount = count;
    irp->irp.CurrentLocation = (CHAR)(count + 1);
    irp->irp.Tail.Overlay.CurrentStackLocation = &irp->stack[(size_t)count];
    irp->irp.Tail.Overlay.Thread = nt_current_thread();
    irp->own = nt_own;
    nt_table_add(&irps, &irp->node, &irp->irp);
    return irp;
}

static void irp_free(struct irp *irp)
{
    free(irp->irp.AssociatedIrp.SystemBuffer);
    free(irp);
}

/* ---- Completion ---- */

/* The requestor's buffer and status. An error that was returned at once is told by the return value alone. */
static void tell_driver(const IRP *irp, int marked_pending)
{
    if (NT_ERROR(irp->IoStatus.Status) && !marked_pending)
        return;
    if (irp->UserIosb)
        *irp->UserIosb = irp->IoStatus;
    if (irp->UserEvent)
        KeSetEvent(irp->UserEvent, IO_NO_INCREMENT, FALSE);
}

static void copy_output(const IRP *irp, struct nt_request *request)
{
    ULONG_PTR bytes = irp->IoStatus.Information;
    if (!request->out || NT_ERROR(irp->IoStatus.Status))
        return;
    if (bytes > request->out_bytes) {
        nt_breach("IofCompleteRequest: Information is %llu, the output buffer has %u bytes", (unsigned long long)bytes,
                  request->out_bytes);
        bytes = request->out_bytes;
    }
    if (bytes)
        memcpy(request->out, irp->AssociatedIrp.SystemBuffer, bytes);
}

static void tell_double(const IRP *irp, int marked_pending)
{
    struct nt_request *request = irp->request;
    copy_output(irp, request);
    request->status = irp->IoStatus.Status;
    request->information = irp->IoStatus.Information;
    request->marked_pending = marked_pending;
}

VOID IofCompleteRequest(PIRP Irp, CCHAR PriorityBoost)
{
    (void)PriorityBoost;
    NT_IRQL_AT_MOST(DISPATCH_LEVEL);
    struct nt_node *node = nt_table_take(&irps, Irp);
    if (!node) {
        nt_breach("IofCompleteRequest: %p is no request, or completed before", (void *)Irp);
        return;
    }
    struct irp *irp = CONTAINING_RECORD(node, struct irp, node);
    if (Irp->IoStatus.Status == STATUS_PENDING)
        nt_breach("IofCompleteRequest: with STATUS_PENDING");
    int marked_pending =
        Irp->CurrentLocation <= Irp->StackCount && IoGetCurrentIrpStackLocation(Irp)->Control & SL_PENDING_RETURNED;
    struct nt_request *request = Irp->request;
    if (request) {
        tell_double(Irp, marked_pending);
    } else {
        tell_driver(Irp, marked_pending);
        nt_hold(&nt_held_now.pool, -1, irp->own);
    }
    irp_free(irp);
    if (request)
        nt_signal(&request->done.Header); /* last: its memory is the waiter's */
}

/* ---- Sending ---- */

NTSTATUS IofCallDriver(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    NT_IRQL_AT_MOST(DISPATCH_LEVEL);
    if (Irp->CurrentLocation <= 1) {
        nt_breach("IofCallDriver: no stack location is left");
        return STATUS_INVALID_PARAMETER;
    }
    Irp->CurrentLocation--;
    PIO_STACK_LOCATION stack = --Irp->Tail.Overlay.CurrentStackLocation;
    stack->DeviceObject = DeviceObject;
    if (stack->MajorFunction == IRP_MJ_PNP) {
        NT_IRQL_AT_MOST(PASSIVE_LEVEL);
        if (Irp->IoStatus.Status != STATUS_NOT_SUPPORTED)
            nt_breach("IofCallDriver: a PnP request begins with STATUS_NOT_SUPPORTED");
    }
    return DeviceObject->DriverObject->MajorFunction[stack->MajorFunction](DeviceObject, Irp);
}

static NTSTATUS invalid_request(PDEVICE_OBJECT device, PIRP irp)
{
    (void)device;
    irp->IoStatus.Status = STATUS_INVALID_DEVICE_REQUEST;
    irp->IoStatus.Information = 0;
    IofCompleteRequest(irp, IO_NO_INCREMENT);
    return STATUS_INVALID_DEVICE_REQUEST;
}

void nt_driver_dispatch_default(PDRIVER_OBJECT driver)
{
    for (int i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++) {
        if (!driver->MajorFunction[i])
            driver->MajorFunction[i] = invalid_request;
    }
}

PIRP IoBuildSynchronousFsdRequest(ULONG MajorFunction, PDEVICE_OBJECT DeviceObject, PVOID Buffer, ULONG Length,
                                  PLARGE_INTEGER StartingOffset, PKEVENT Event, PIO_STATUS_BLOCK IoStatusBlock)
{
    NT_IRQL_AT_MOST(PASSIVE_LEVEL);
    if (MajorFunction != IRP_MJ_PNP || Buffer || Length || StartingOffset)
        nt_breach("IoBuildSynchronousFsdRequest: not a PnP request without buffer");
    if (nt_fails())
        return NULL;
    struct irp *irp = irp_new(DeviceObject);
    irp->irp.UserEvent = Event;
    irp->irp.UserIosb = IoStatusBlock;
    IoGetNextIrpStackLocation(&irp->irp)->MajorFunction = (UCHAR)MajorFunction;
    nt_hold(&nt_held_now.pool, 1, nt_own);
    return &irp->irp;
}

PIRP nt_irp_new(PDEVICE_OBJECT device, struct nt_request *request)
{
    struct irp *irp = irp_new(device);
    irp->irp.request = request;
    irp->irp.RequestorMode = UserMode;
    KeInitializeEvent(&request->done, NotificationEvent, FALSE);
    return &irp->irp;
}

NTSTATUS nt_irp_run(PDEVICE_OBJECT device, PIRP irp, struct nt_request *request)
{
    struct nt_bracket before = nt_enter(PASSIVE_LEVEL);
    NTSTATUS status = IofCallDriver(device, irp);
    if (nt_irql != PASSIVE_LEVEL)
        nt_breach("a dispatch routine returned at IRQL %u", nt_irql);
    nt_leave(&before, "a dispatch routine");
    int done = __atomic_load_n(&request->done.Header.state, __ATOMIC_ACQUIRE) != 0;
    if (!done && status != STATUS_PENDING) {
        nt_breach("a dispatch routine returned %08x and did not complete the request", (unsigned)status);
        return status;
    }
    nt_wait(&request->done.Header, -1);
    if ((status == STATUS_PENDING) != (request->marked_pending != 0))
        nt_breach("a dispatch routine returned %08x, and marked the request %s", (unsigned)status,
                  request->marked_pending ? "pending" : "not pending");
    else if (status != STATUS_PENDING && status != request->status)
        nt_breach("a dispatch routine returned %08x and completed with %08x", (unsigned)status,
                  (unsigned)request->status);
    return request->status;
}

PEPROCESS IoGetRequestorProcess(PIRP Irp)
{
    return Irp->Tail.Overlay.Thread ? Irp->Tail.Overlay.Thread->process : NULL;
}

/* ---- Other drivers' devices ---- */

PDEVICE_OBJECT IoGetAttachedDeviceReference(PDEVICE_OBJECT DeviceObject)
{
    NT_IRQL_AT_MOST(DISPATCH_LEVEL);
    while (DeviceObject->AttachedDevice)
        DeviceObject = DeviceObject->AttachedDevice;
    nt_object_reference_for_driver(DeviceObject);
    return DeviceObject;
}
