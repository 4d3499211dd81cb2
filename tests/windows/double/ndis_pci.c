/* SPDX-License-Identifier: MIT */
#include "ndis_pci.h"

#include "ndis_double.h"

#define BAR_BYTES      0x20000u
#define FIRST_ADDRESS  0xF0000000ULL
#define ADDRESSES      1024u /* after so many adapters they come again */
#define CONFIG_BYTES   256u
#define COMMAND        0x0006u /* memory space and bus master */
#define CLASS_ETHERNET 0x020000u
#define ALL_ONES       0xFFFFFFFFu

struct lab_window {
    lab_adapter *adapter;
    PDEVICE_OBJECT device;
    UINT64 physical;
    UINT8 *memory; /* NULL: no PCI device */
    UINT8 config[CONFIG_BYTES];
    UINT64 references; /* of the bus interface, atomic */
    lab_register_read read;
    lab_register_write write;
    void *context;
};

static DRIVER_OBJECT bus_driver;
static UINT64 addresses; /* atomic */

/* ---- Configuration space ---- */

static void put_config(struct lab_window *window, UINT32 offset, UINT64 value, UINT32 bytes)
{
    for (UINT32 i = 0; i < bytes; i++)
        window->config[offset + i] = (UINT8)(value >> 8 * i);
}

static void fill_config(struct lab_window *window)
{
    put_config(window, 0x00, window->adapter->config.pci_vendor, 2);
    put_config(window, 0x02, window->adapter->config.pci_device, 2);
    put_config(window, 0x04, COMMAND, 2);
    put_config(window, 0x09, CLASS_ETHERNET, 3);
    put_config(window, 0x10, window->physical, 4); /* BAR 0: memory, 32 bits */
}

static UINT32 within_config(const struct lab_window *window, UINT32 type, UINT32 offset, UINT32 length)
{
    if (lab_get(&window->references) == 0)
        lab_breach(window->adapter, "the bus interface is used without a reference");
    if (type != PCI_WHICHSPACE_CONFIG || offset >= CONFIG_BYTES)
        return 0;
    return length < CONFIG_BYTES - offset ? length : CONFIG_BYTES - offset;
}

static ULONG NTAPI get_bus_data(PVOID context, ULONG type, PVOID buffer, ULONG offset, ULONG length)
{
    struct lab_window *window = context;
    UINT32 bytes = within_config(window, type, offset, length);
    RtlCopyMemory(buffer, &window->config[offset], bytes);
    return bytes;
}

static ULONG NTAPI set_bus_data(PVOID context, ULONG type, PVOID buffer, ULONG offset, ULONG length)
{
    struct lab_window *window = context;
    UINT32 bytes = within_config(window, type, offset, length);
    RtlCopyMemory(&window->config[offset], buffer, bytes);
    return bytes;
}

/* ---- The bus driver ---- */

static VOID NTAPI reference(PVOID context)
{
    struct lab_window *window = context;
    lab_count(&window->references);
}

static VOID NTAPI dereference(PVOID context)
{
    struct lab_window *window = context;
    if (lab_get(&window->references) == 0)
        lab_breach(window->adapter, "the bus interface is dereferenced more often than referenced");
    else
        lab_uncount(&window->references);
}

static NTSTATUS query_interface(struct lab_window *window, const IO_STACK_LOCATION *stack)
{
    BUS_INTERFACE_STANDARD *bus = (BUS_INTERFACE_STANDARD *)(void *)stack->Parameters.QueryInterface.Interface;
    if (!window->memory || !IsEqualGUID(stack->Parameters.QueryInterface.InterfaceType, &GUID_BUS_INTERFACE_STANDARD))
        return STATUS_NOT_SUPPORTED;
    if (stack->Parameters.QueryInterface.Size < sizeof *bus || stack->Parameters.QueryInterface.Version != 1)
        return STATUS_INVALID_PARAMETER;
    RtlZeroMemory(bus, sizeof *bus);
    bus->Size = sizeof *bus;
    bus->Version = 1;
    bus->Context = window;
    bus->InterfaceReference = reference;
    bus->InterfaceDereference = dereference;
    bus->SetBusData = set_bus_data;
    bus->GetBusData = get_bus_data;
    reference(window); /* the asker's */
    return STATUS_SUCCESS;
}

/* To be opened it must have been started, which it is only after its adapter is attached: every open is refused. */
static NTSTATUS NTAPI dispatch(PDEVICE_OBJECT device, PIRP irp)
{
    const IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    struct lab_window **window = device->DeviceExtension;
    NTSTATUS status = STATUS_INVALID_DEVICE_REQUEST;
    if (stack->MajorFunction == IRP_MJ_PNP) {
        status = irp->IoStatus.Status; /* PnP requests that a driver does not know stay as they are */
        if (stack->MinorFunction == IRP_MN_QUERY_INTERFACE)
            status = query_interface(*window, stack);
    }
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = 0;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    return status;
}

/* ---- The device ---- */

static void create_device(struct lab_window *window)
{
    for (UINT32 i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++)
        bus_driver.MajorFunction[i] = dispatch;
    nt_lab_own(1);
    NTSTATUS status =
        IoCreateDevice(&bus_driver, sizeof(struct lab_window *), NULL, FILE_DEVICE_NETWORK, 0, FALSE, &window->device);
    nt_lab_own(0);
    if (!NT_SUCCESS(status)) {
        nt_lab_breach("the NDIS double has no device for itself");
        __builtin_trap();
    }
    *(struct lab_window **)window->device->DeviceExtension = window;
    window->device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
}

void lab_window_open(lab_adapter *adapter)
{
    struct lab_window *window = lab_take(sizeof *window);
    window->adapter = adapter;
    adapter->window = window;
    if (adapter->config.pci_vendor != 0) {
        window->physical = FIRST_ADDRESS + lab_count(&addresses) % ADDRESSES * BAR_BYTES;
        window->memory = lab_take(BAR_BYTES);
        nt_lab_forbid(window->memory, BAR_BYTES, 1); /* only lab_register_access() */
        fill_config(window);
    }
    if (!adapter->config.is_virtual)
        create_device(window);
}

PDEVICE_OBJECT lab_window_device(const lab_adapter *adapter)
{
    return adapter->window->device;
}

void lab_window_check_detached(lab_adapter *adapter)
{
    if (lab_get(&adapter->window->references) != 0)
        lab_breach(adapter, "the bus interface is still referenced");
}

void lab_window_close(lab_adapter *adapter)
{
    KIRQL irql;
    KeAcquireSpinLock(&adapter->spin, &irql);
    struct lab_window *window = adapter->window;
    adapter->window = NULL;
    KeReleaseSpinLock(&adapter->spin, irql);
    nt_lab_own(1);
    if (window->device)
        IoDeleteDevice(window->device);
    nt_lab_own(0);
    if (window->memory) {
        nt_lab_forbid(window->memory, BAR_BYTES, 0);
        lab_give(window->memory);
    }
    lab_give(window);
}

/* ---- Finding it ---- */

/* What is looked for, and what was found: both under the locks of the lists and the adapter. */
struct search {
    UINT64 physical, bytes;
    const UINT8 *address;
    struct lab_window found; /* a copy */
};

static int matches(const lab_adapter *adapter, const struct search *search)
{
    const struct lab_window *window = adapter->window;
    if (!window->memory)
        return 0;
    if (search->address)
        return search->address >= window->memory && search->address < window->memory + BAR_BYTES;
    return search->physical >= window->physical && search->bytes <= BAR_BYTES &&
           search->physical - window->physical <= BAR_BYTES - search->bytes;
}

static int look(lab_adapter *adapter, void *context)
{
    struct search *search = context;
    KeAcquireSpinLockAtDpcLevel(&adapter->spin);
    int found = adapter->window && matches(adapter, search);
    if (found)
        search->found = *adapter->window;
    KeReleaseSpinLockFromDpcLevel(&adapter->spin);
    return found;
}

void *lab_bar(UINT64 physical, UINT64 bytes)
{
    struct search search = {.physical = physical, .bytes = bytes};
    return lab_each_adapter(look, &search) ? search.found.memory + (physical - search.found.physical) : NULL;
}

/* ---- Registers ---- */

void lab_set_registers(lab_adapter *adapter, lab_register_read read, lab_register_write write, void *context)
{
    KIRQL irql;
    KeAcquireSpinLock(&adapter->spin, &irql);
    adapter->window->read = read;
    adapter->window->write = write;
    adapter->window->context = context;
    KeReleaseSpinLock(&adapter->spin, irql);
}

static int is_there(const lab_adapter *adapter, const struct lab_window *window)
{
    if (lab_get(&adapter->state) == LAB_ATTACHING)
        lab_breach(adapter, "a register is accessed in FilterAttach, where the device may sleep");
    if (lab_get(&adapter->asleep))
        lab_breach(adapter, "a register is accessed while the device is not in D0");
    return !lab_get(&adapter->asleep) && !lab_get(&adapter->removed) && window->read && window->write;
}

UINT32 lab_register_access(void *address, int write, UINT32 value)
{
    struct search search = {.address = address};
    if (!lab_each_adapter(look, &search)) {
        lab_breach(NULL, "a register access outside all BARs");
        return ALL_ONES;
    }
    const struct lab_window *window = &search.found;
    UINT32 offset = (UINT32)(search.address - window->memory);
    if (offset % sizeof(UINT32) != 0)
        lab_breach(window->adapter, "a register access that is not aligned");
    if (!is_there(window->adapter, window))
        return ALL_ONES;
    if (!write)
        return window->read(window->context, offset);
    window->write(window->context, offset, value);
    return value;
}
