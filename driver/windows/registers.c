/* SPDX-License-Identifier: MIT */
#include "registers.h"

#include "stamps.h"

/*
 * Of BAR 0, so much is mapped: all registers that core/nic_clock.c knows lie below. Every part of its table
 * decodes at least 128 KiB.
 */
#define MAPPED_BYTES 0xC000u

/* The performance counter at a time that was made of it, to the nearest tick. */
static UINT64 TicksOf(UINT64 ns, UINT64 hz)
{
    UINT64 part = ns % AVB_NS_PER_SECOND * hz + AVB_NS_PER_SECOND / 2;
    return ns / AVB_NS_PER_SECOND * hz + part / AVB_NS_PER_SECOND;
}

/* ---- Access ---- */

static UINT32 ReadRegister(void *context, UINT32 offset)
{
    const AVB_REGISTERS *registers = context;
    return READ_REGISTER_ULONG((volatile ULONG *)(void *)(registers->base + offset));
}

static void WriteRegister(void *context, UINT32 offset, UINT32 value)
{
    const AVB_REGISTERS *registers = context;
    WRITE_REGISTER_ULONG((volatile ULONG *)(void *)(registers->base + offset), value);
}

static UINT64 SystemNs(void *context)
{
    const AVB_REGISTERS *registers = context;
    return AvbTicksToNanoseconds((UINT64)KeQueryPerformanceCounter(NULL).QuadPart, registers->frequency);
}

static struct avb_nic_registers Access(AVB_REGISTERS *registers)
{
    return (struct avb_nic_registers){
        .read32 = ReadRegister, .write32 = WriteRegister, .system_ns = SystemNs, .context = registers};
}

/* 0: closed, and there is no lock. */
static int Acquire(AVB_REGISTERS *registers, KIRQL *irql)
{
    if (!AvbRegistersAreOpen(registers))
        return 0;
    KeAcquireSpinLock(&registers->lock, irql);
    return 1;
}

static void Release(AVB_REGISTERS *registers, KIRQL irql)
{
    KeReleaseSpinLock(&registers->lock, irql);
}

static int IsSuspended(const AVB_REGISTERS *registers)
{
    return avb_load_acquire(&registers->suspended) != 0;
}

/* ---- Clock and pin, with the lock ---- */

static int OpenClock(AVB_REGISTERS *registers)
{
    struct avb_nic_registers access = Access(registers);
    registers->clock_result = avb_nic_clock_open(&registers->clock, registers->part, &access);
    return registers->clock_result == AVB_NIC_CLOCK_READ;
}

static int ReadClock(AVB_REGISTERS *registers, struct avb_nic_time *now)
{
    registers->clock_result = avb_nic_clock_read(&registers->clock, now);
    return registers->clock_result == AVB_NIC_CLOCK_READ;
}

static int IsToBeOpened(const AVB_REGISTERS *registers)
{
    return registers->clock_result == AVB_NIC_CLOCK_LOST || registers->clock_result == AVB_NIC_CLOCK_RECONFIGURED;
}

/* What is read of a clock that was opened anew does not continue what was read before: it is reported as a step. */
static int RefreshClock(AVB_REGISTERS *registers, struct avb_nic_time *now)
{
    if (!IsToBeOpened(registers) && ReadClock(registers, now))
        return 1;
    if (!IsToBeOpened(registers) || !OpenClock(registers) || !ReadClock(registers, now))
        return 0;
    now->stepped = 1;
    return 1;
}

static void OpenPin(AVB_REGISTERS *registers)
{
    struct avb_nic_registers access = Access(registers);
    registers->sdp_result = avb_sdp_open(&registers->pin, registers->part, &access, registers->pin_number);
}

static int PinIsOpen(const AVB_REGISTERS *registers)
{
    return registers->sdp_result == AVB_SDP_OPEN;
}

static void ClosePin(AVB_REGISTERS *registers)
{
    if (!PinIsOpen(registers))
        return;
    avb_sdp_close(&registers->pin);
    registers->sdp_result = AVB_SDP_DEVICE_GONE;
}

/* ---- Where the registers are ---- */

/* GUID_BUS_INTERFACE_STANDARD */
static const GUID bus_interface = {0x496B8280, 0x6F25, 0x11D0, {0xBE, 0xAF, 0x08, 0x00, 0x2B, 0xE2, 0x09, 0x2F}};

static NTSTATUS QueryBusInterface(DEVICE_OBJECT *device, BUS_INTERFACE_STANDARD *bus)
{
    KEVENT done;
    IO_STATUS_BLOCK io_status;
    KeInitializeEvent(&done, NotificationEvent, FALSE);
    IRP *irp = IoBuildSynchronousFsdRequest(IRP_MJ_PNP, device, NULL, 0, NULL, &done, &io_status);
    if (!irp)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlZeroMemory(bus, sizeof *bus);
    irp->IoStatus.Status = STATUS_NOT_SUPPORTED; /* as the rules of PnP want it, for drivers that pass it on */
    IO_STACK_LOCATION *stack = IoGetNextIrpStackLocation(irp);
    stack->MinorFunction = IRP_MN_QUERY_INTERFACE;
    stack->Parameters.QueryInterface.InterfaceType = &bus_interface;
    stack->Parameters.QueryInterface.Size = sizeof *bus;
    stack->Parameters.QueryInterface.Version = 1;
    stack->Parameters.QueryInterface.Interface = (INTERFACE *)(void *)bus;
    stack->Parameters.QueryInterface.InterfaceSpecificData = NULL;
    NTSTATUS status = IoCallDriver(device, irp);
    if (status == STATUS_PENDING) {
        KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
        status = io_status.Status;
    }
    return status;
}

/* The start of the configuration space. */
typedef struct _PCI_START {
    UINT16 vendor, device, command, status;
    UINT32 class_and_revision;
    UINT8 cache_line, latency, header_type, self_test;
    UINT32 bar[2];
} PCI_START;
AVB_STATIC_ASSERT(sizeof(PCI_START) == 0x18, "PCI");

#define COMMAND_MEMORY  0x0002u
#define HEADER_LAYOUT   0x7Fu
#define BAR_IS_IO       0x1u
#define BAR_TYPE        0x6u
#define BAR_TYPE_64_BIT 0x4u
#define BAR_FLAGS       0xFu

/*
 * PCI Local Bus Specification 3.0, 6.2.5.1. On x64, the one platform of this driver, what a BAR holds is the
 * address on the processor's side too.
 */
static NTSTATUS AddressOf(const PCI_START *pci, PHYSICAL_ADDRESS *address)
{
    UINT64 base = pci->bar[0] & ~BAR_FLAGS;
    if ((pci->header_type & HEADER_LAYOUT) != 0 || (pci->bar[0] & BAR_IS_IO))
        return STATUS_NOT_SUPPORTED;
    if ((pci->bar[0] & BAR_TYPE) == BAR_TYPE_64_BIT)
        base |= (UINT64)pci->bar[1] << 32;
    if (base == 0 || !(pci->command & COMMAND_MEMORY))
        return STATUS_DEVICE_NOT_READY;
    address->QuadPart = (INT64)base;
    return STATUS_SUCCESS;
}

static NTSTATUS ReadConfiguration(DEVICE_OBJECT *device, PCI_START *pci)
{
    BUS_INTERFACE_STANDARD bus;
    NTSTATUS status = QueryBusInterface(device, &bus);
    if (!NT_SUCCESS(status))
        return status;
    /* A bus that is not PCI gives less, or has no such routine. */
    ULONG read = bus.GetBusData ? bus.GetBusData(bus.Context, PCI_WHICHSPACE_CONFIG, pci, 0, sizeof *pci) : 0;
    bus.InterfaceDereference(bus.Context);
    return read == sizeof *pci ? STATUS_SUCCESS : STATUS_NOT_SUPPORTED;
}

/*
 * The interface of the bus driver, because it needs no bus and slot numbers, reaches devices inside the chipset,
 * and is the documented way. A filter is not in the device's stack, so it must let go of the interface and of the
 * device before the device's removal is asked for: it does so at once.
 */
static NTSTATUS FindDevice(AVB_REGISTERS *registers, DEVICE_OBJECT *physical_device, PHYSICAL_ADDRESS *address)
{
    PCI_START pci;
    if (!physical_device)
        return STATUS_NOT_SUPPORTED;
    DEVICE_OBJECT *top = IoGetAttachedDeviceReference(physical_device); /* PnP requests enter a stack there */
    NTSTATUS status = ReadConfiguration(top, &pci);
    ObDereferenceObject(top);
    if (!NT_SUCCESS(status))
        return status;
    registers->vendor = pci.vendor;
    registers->device = pci.device;
    registers->part = avb_nic_part_find(pci.vendor, pci.device);
    return registers->part ? AddressOf(&pci, address) : STATUS_NOT_SUPPORTED;
}

/* ---- Life ---- */

/* What can be said of a pin before the device is asked. */
static UINT32 PinOfPart(const struct avb_nic_part *part, UINT32 sdp_pin)
{
    UINT32 pins = avb_nic_family_abilities(part->family)->pins;
    if (sdp_pin == AVB_NO_PIN)
        return AVB_SDP_RESULTS;
    if (pins == 0)
        return AVB_SDP_PART_CANNOT;
    return sdp_pin < pins ? AVB_SDP_DEVICE_GONE : AVB_SDP_NO_PIN;
}

static void Begin(AVB_REGISTERS *registers, void *base, UINT32 sdp_pin)
{
    LARGE_INTEGER frequency;
    KeQueryPerformanceCounter(&frequency);
    KeInitializeSpinLock(&registers->lock);
    registers->base = base;
    registers->frequency = (UINT64)frequency.QuadPart;
    registers->pin_number = sdp_pin;
    registers->pin_depth = 0;
    registers->clock_result = AVB_NIC_CLOCK_LOST;
    registers->sdp_result = PinOfPart(registers->part, sdp_pin);
    avb_store_relaxed(&registers->has_pin, registers->sdp_result == AVB_SDP_DEVICE_GONE ? 1 : 0);
    avb_set_bits_release(&registers->suspended, AVB_SUSPENDED_PAUSED);
    avb_store_release(&registers->open, 1);
}

NTSTATUS AvbRegistersOpen(AVB_REGISTERS *registers, DEVICE_OBJECT *physical_device, UINT32 sdp_pin)
{
    PHYSICAL_ADDRESS address;
    NTSTATUS status = FindDevice(registers, physical_device, &address);
    if (!NT_SUCCESS(status))
        return status;
    void *base = MmMapIoSpace(address, MAPPED_BYTES, MmNonCached);
    if (!base)
        return STATUS_INSUFFICIENT_RESOURCES;
    Begin(registers, base, sdp_pin);
    return STATUS_SUCCESS;
}

void AvbRegistersClose(AVB_REGISTERS *registers)
{
    KIRQL irql;
    if (!Acquire(registers, &irql))
        return;
    ClosePin(registers);
    avb_store_relaxed(&registers->open, 0);
    avb_store_relaxed(&registers->has_pin, 0);
    Release(registers, irql);
    MmUnmapIoSpace(registers->base, MAPPED_BYTES);
}

/* The cause before the lock: who takes the lock after this sees it, and the pin stays closed. */
void AvbRegistersSuspend(AVB_REGISTERS *registers, UINT32 cause)
{
    KIRQL irql;
    avb_set_bits_release(&registers->suspended, cause);
    if (!Acquire(registers, &irql))
        return;
    ClosePin(registers);
    registers->clock_result = AVB_NIC_CLOCK_LOST;
    Release(registers, irql);
}

void AvbRegistersResume(AVB_REGISTERS *registers, UINT32 cause)
{
    avb_clear_bits_release(&registers->suspended, cause);
}

/* ---- Use ---- */

void AvbRegistersTick(AVB_REGISTERS *registers)
{
    struct avb_nic_time now;
    KIRQL irql;
    if (!Acquire(registers, &irql))
        return;
    if (!IsSuspended(registers)) {
        (void)RefreshClock(registers, &now);
        if (AvbRegistersHavePin(registers) && !PinIsOpen(registers))
            OpenPin(registers);
    }
    Release(registers, irql);
}

enum avb_stamp_result AvbRegistersStamp(AVB_REGISTERS *registers, const PTP_TIMESTAMP_EVENT *frames, UINT32 count,
                                        UINT32 *owner, UINT64 *timestamp_ns)
{
    enum avb_stamp_result result = AVB_STAMP_DEVICE_GONE;
    KIRQL irql;
    if (!Acquire(registers, &irql))
        return result;
    if (!IsSuspended(registers))
        result = IsToBeOpened(registers) ? AVB_STAMP_CLOCK_UNKNOWN
                                         : AvbReadTimestamp(&registers->clock, frames, count, owner, timestamp_ns);
    Release(registers, irql);
    return result;
}

int AvbRegistersClock(AVB_REGISTERS *registers, struct avb_nic_time *now, UINT64 *qpc)
{
    KIRQL irql;
    *qpc = 0;
    if (!Acquire(registers, &irql))
        return 0;
    int known = !IsSuspended(registers) && RefreshClock(registers, now);
    if (known)
        *qpc = TicksOf(now->system_ns, registers->frequency);
    Release(registers, irql);
    return known;
}

void AvbRegistersState(AVB_REGISTERS *registers, UINT32 *clock_result, UINT32 *sdp_result, UINT16 *vendor,
                       UINT16 *device)
{
    KIRQL irql;
    *clock_result = AVB_NIC_CLOCK_RESULTS;
    *sdp_result = AVB_SDP_RESULTS;
    *vendor = registers->vendor;
    *device = registers->device;
    if (!Acquire(registers, &irql))
        return;
    *clock_result = registers->clock_result;
    *sdp_result = registers->sdp_result;
    Release(registers, irql);
}

void AvbRegistersPinEnter(AVB_REGISTERS *registers)
{
    KIRQL irql;
    if (!Acquire(registers, &irql))
        return;
    if (registers->pin_depth++ == 0 && PinIsOpen(registers))
        avb_sdp_enter(&registers->pin);
    Release(registers, irql);
}

void AvbRegistersPinLeave(AVB_REGISTERS *registers)
{
    KIRQL irql;
    if (!Acquire(registers, &irql))
        return;
    if (--registers->pin_depth == 0 && PinIsOpen(registers))
        avb_sdp_leave(&registers->pin);
    Release(registers, irql);
}
