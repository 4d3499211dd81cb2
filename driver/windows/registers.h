/* SPDX-License-Identifier: MIT */
/*
 * The NIC's PTP registers of one adapter, behind its miniport: the clock, the stamps of received frames
 * and a pin for the oscilloscope (core/nic_clock.h, docs/nic-clock.md). Used only where the administrator
 * set AvbRegisterAccess = 1 for the adapter.
 *
 * The registers are the miniport's, which works with them at the same time. One spin lock per adapter
 * keeps this driver's own accesses apart; nothing can keep them apart from the miniport's.
 */
#ifndef AVB_REGISTERS_H
#define AVB_REGISTERS_H

#include "nt.h"

#include <avb/avb_hardware_access.h>

#include "atomic.h"
#include "nic_clock.h"

/* No pin is named. */
#define AVB_NO_PIN 0xFFFFFFFFu

/* Why no register is accessed. Each cause comes and goes by itself; there is access while there is none. */
#define AVB_SUSPENDED_PAUSED    1u /* the filter does not run */
#define AVB_SUSPENDED_LOW_POWER 2u /* the device is not in D0, or about to leave it */
#define AVB_SUSPENDED_REMOVED   4u /* it is gone, for good */

/* Embedded in the adapter's context. All zero: closed. Private. */
typedef struct _AVB_REGISTERS {
    UINT64 open, has_pin; /* shared words, read without the lock */
    UINT64 suspended;     /* AVB_SUSPENDED_..., atomic: also kept while closed */
    KSPIN_LOCK lock;      /* where open: every register access, and what follows */
    UINT8 *base;          /* of BAR 0, mapped */
    const struct avb_nic_part *part;
    struct avb_nic_clock clock;
    struct avb_sdp_pin pin;
    UINT64 frequency;    /* of the performance counter, Hz */
    UINT32 clock_result; /* enum avb_nic_clock_result of the last reading */
    UINT32 sdp_result;   /* enum avb_sdp_result; AVB_SDP_RESULTS: no pin is named */
    UINT32 pin_number;
    UINT32 pin_depth; /* calls between PinEnter and PinLeave */
    UINT16 vendor, device;
} AVB_REGISTERS;

/*
 * Looks into the configuration space of the PCI device (MiniportPhysicalDeviceObject of the attach parameters; NULL:
 * the miniport is a virtual one) and maps its registers. sdp_pin: 0..3, or AVB_NO_PIN.
 *
 * No register is accessed: the filter may be attached while the device sleeps. They begin suspended by
 * AVB_SUSPENDED_PAUSED, and clock and pin are opened at the first tick after that is resumed: AvbRegistersState()
 * tells what came of it. `registers` must be closed. On failure it still is, and nothing is held:
 * STATUS_NOT_SUPPORTED: not a PCI device, or a part whose registers are not known (vendor and device
 *   are told by AvbRegistersState() all the same);
 * STATUS_DEVICE_NOT_READY: its memory is not switched on;
 * STATUS_INSUFFICIENT_RESOURCES; and what the bus driver returns.
 *
 * The device object and the bus interface are let go before the call returns, so that nothing of this
 * driver stands in the way of the device's removal: only the mapping stays.
 */
_IRQL_requires_max_(PASSIVE_LEVEL) NTSTATUS
    AvbRegistersOpen(_Inout_ AVB_REGISTERS *registers, _In_ DEVICE_OBJECT *physical_device, _In_ UINT32 sdp_pin);

/* Puts the pin back as it was and unmaps. Closed ones stay closed. No other call may be under way. */
_IRQL_requires_max_(PASSIVE_LEVEL) void AvbRegistersClose(_Inout_ AVB_REGISTERS *registers);

/*
 * There is a cause (AVB_SUSPENDED_...) not to access them: puts the pin back where the device still answers, and
 * returns when no access is under way. None happens until each cause is resumed.
 */
_IRQL_requires_max_(DISPATCH_LEVEL) void AvbRegistersSuspend(_Inout_ AVB_REGISTERS *registers, _In_ UINT32 cause);

/* A cause is over. After the last, clock and pin are opened anew at the next tick: what they were is unknown. */
_IRQL_requires_max_(DISPATCH_LEVEL) void AvbRegistersResume(_Inout_ AVB_REGISTERS *registers, _In_ UINT32 cause);

/* About each second: reads the clock, or opens it and the pin where they are not open. */
_IRQL_requires_max_(DISPATCH_LEVEL) void AvbRegistersTick(_Inout_ AVB_REGISTERS *registers);

/* AvbReadTimestamp() for this adapter. Suspended or closed: AVB_STAMP_DEVICE_GONE. */
_IRQL_requires_max_(DISPATCH_LEVEL) enum avb_stamp_result
    AvbRegistersStamp(_Inout_ AVB_REGISTERS *registers, _In_ const PTP_TIMESTAMP_EVENT *frames, _In_ UINT32 count,
                      _Inout_ UINT32 *owner, _Inout_ UINT64 *timestamp_ns);

/*
 * The NIC's clock and the system's, read together now. 1: `now` is filled, and *qpc is the performance counter
 * at that instant (now->system_ns is the same in ns). 0: there is no reading; *qpc is 0.
 */
_IRQL_requires_max_(DISPATCH_LEVEL) int AvbRegistersClock(_Inout_ AVB_REGISTERS *registers,
                                                          _Out_ struct avb_nic_time *now, _Out_ UINT64 *qpc);

/* As AVB_PTP_MONITOR_STATS has them: register_state, sdp_state, pci_vendor, pci_device. */
_IRQL_requires_max_(DISPATCH_LEVEL) void AvbRegistersState(_Inout_ AVB_REGISTERS *registers, _Out_ UINT32 *clock_result,
                                                           _Out_ UINT32 *sdp_result, _Out_ UINT16 *vendor,
                                                           _Out_ UINT16 *device);

/* The adapter is not in D0, or about to leave it: also known where no registers are open. */
static inline int AvbAdapterIsAsleep(_In_ const AVB_REGISTERS *registers)
{
    return (avb_load_acquire(&registers->suspended) & AVB_SUSPENDED_LOW_POWER) != 0;
}

static inline int AvbRegistersAreOpen(_In_ const AVB_REGISTERS *registers)
{
    return avb_load_relaxed(&registers->open) != 0;
}

/* A pin is named and the part has it. It does not change between open and close. */
static inline int AvbRegistersHavePin(_In_ const AVB_REGISTERS *registers)
{
    return avb_load_relaxed(&registers->has_pin) != 0;
}

/*
 * Around the datapath, in pairs. The pin is high while at least one processor is between the two:
 * calls at the same time make one pulse, as long as all of them.
 */
_IRQL_requires_max_(DISPATCH_LEVEL) void AvbRegistersPinEnter(_Inout_ AVB_REGISTERS *registers);
_IRQL_requires_max_(DISPATCH_LEVEL) void AvbRegistersPinLeave(_Inout_ AVB_REGISTERS *registers);

#endif
