/* SPDX-License-Identifier: MIT */
/*
 * driver/windows/registers.c against a PCI bus and a NIC that this file plays: it stands in the place of the
 * NDIS double's device (ndis_pci.h). Every register access passes here, so that one at the wrong time is seen.
 */
#include "registers.h"

#include "ndis_pci.h"
#include "nic_model.h"
#include "nt_lab.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

__extension__ typedef unsigned __int128 wide;

#define MILLISECOND 1000000ull
#define MINUTE      (60 * MODEL_SECOND)
#define LAP_82580   (1ull << 40)
#define BAR_BYTES   0x20000u
#define BAR_64      0x40FE000000ull
#define BAR_32      0xFE000000ull

enum { DEVICE_82576 = 0x10C9, DEVICE_I350 = 0x1521, DEVICE_I210 = 0x1533, DEVICE_I226 = 0x125B, DEVICE_I219 = 0x156F };

/* ---- The bus and the NIC ---- */

struct configuration {
    UINT16 vendor, device, command, status;
    UINT32 class_and_revision;
    UINT8 cache_line, latency, header_type, self_test;
    UINT32 bar[6];
};

static struct {
    struct nic_model model;
    struct configuration pci;
    UINT64 address; /* of the registers */
    UINT64 hz;      /* of the performance counter */

    /* What the bus does. */
    int no_interface, no_get_bus_data, pends;
    UINT32 answers; /* bytes of the configuration space that it gives */

    INT64 references; /* of the bus interface */
    UINT32 requests;
    UINT32 forbidden; /* atomic: no register may be accessed */
    UINT32 busy;      /* atomic: an access is under way */
    UINT32 wrong;     /* atomic: accesses while forbidden, or at the same time as another */

    AVB_REGISTERS registers;
} rig;

static UINT8 window[BAR_BYTES];
static DRIVER_OBJECT bus_driver;
static DEVICE_OBJECT *bus_device, *top_device; /* the stack's ends: requests enter at its top */

void *lab_bar(UINT64 physical, UINT64 bytes)
{
    return physical == rig.address && bytes <= BAR_BYTES ? window : NULL;
}

/* Threads take turns by the lock of the code under test: that they do is part of what is tested. */
static void begin_access(void)
{
    if (__atomic_exchange_n(&rig.busy, 1, __ATOMIC_RELAXED) || __atomic_load_n(&rig.forbidden, __ATOMIC_RELAXED))
        __atomic_fetch_add(&rig.wrong, 1, __ATOMIC_RELAXED);
}

static void end_access(void)
{
    __atomic_store_n(&rig.busy, 0, __ATOMIC_RELAXED);
}

UINT32 lab_register_access(void *address, int write, UINT32 value)
{
    struct avb_nic_registers model = nic_model_registers(&rig.model);
    UINT32 offset = (UINT32)((UINT8 *)address - window);
    assert_true(offset <= BAR_BYTES - 4 && offset % 4 == 0);
    begin_access();
    if (write)
        model.write32(model.context, offset, value);
    else
        value = model.read32(model.context, offset);
    end_access();
    return value;
}

static UINT64 ticks_at(UINT64 ns)
{
    return (UINT64)((wide)ns * rig.hz / MODEL_SECOND);
}

/* The driver's performance counter is the model's time. */
LARGE_INTEGER __wrap_KeQueryPerformanceCounter(LARGE_INTEGER *frequency);
LARGE_INTEGER __wrap_KeQueryPerformanceCounter(LARGE_INTEGER *frequency)
{
    struct avb_nic_registers model = nic_model_registers(&rig.model);
    if (frequency)
        frequency->QuadPart = (INT64)rig.hz;
    return (LARGE_INTEGER){.QuadPart = (INT64)ticks_at(model.system_ns(model.context))};
}

static VOID reference(PVOID context)
{
    assert_ptr_equal(context, &rig);
    rig.references++;
}

static VOID dereference(PVOID context)
{
    assert_ptr_equal(context, &rig);
    rig.references--;
}

static ULONG get_bus_data(PVOID context, ULONG type, PVOID buffer, ULONG offset, ULONG length)
{
    assert_ptr_equal(context, &rig);
    assert_true(rig.references > 0);
    assert_int_equal(type, PCI_WHICHSPACE_CONFIG);
    ULONG end = rig.answers < sizeof rig.pci ? rig.answers : (ULONG)sizeof rig.pci;
    ULONG given = offset >= end ? 0 : length < end - offset ? length : end - offset;
    memcpy(buffer, (UINT8 *)&rig.pci + offset, given);
    return given;
}

static void answer(IRP *irp, IO_STACK_LOCATION *stack)
{
    BUS_INTERFACE_STANDARD *bus = (BUS_INTERFACE_STANDARD *)(void *)stack->Parameters.QueryInterface.Interface;
    if (!rig.no_interface) {
        *bus = (BUS_INTERFACE_STANDARD){.Size = sizeof *bus,
                                        .Version = 1,
                                        .Context = &rig,
                                        .InterfaceReference = reference,
                                        .InterfaceDereference = dereference,
                                        .GetBusData = rig.no_get_bus_data ? NULL : get_bus_data};
        reference(&rig);
        irp->IoStatus.Status = STATUS_SUCCESS;
    }
    irp->IoStatus.Information = 0;
    IoCompleteRequest(irp, 0);
}

static pthread_t answering;

static void *answer_later(void *context)
{
    IRP *irp = context;
    answer(irp, IoGetCurrentIrpStackLocation(irp));
    return NULL;
}

static NTSTATUS dispatch_pnp(DEVICE_OBJECT *device, IRP *irp)
{
    IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    assert_ptr_equal(device, top_device);
    assert_int_equal(stack->MajorFunction, IRP_MJ_PNP);
    assert_int_equal(stack->MinorFunction, IRP_MN_QUERY_INTERFACE);
    assert_int_equal(irp->IoStatus.Status, STATUS_NOT_SUPPORTED);
    static const GUID expected = {0x496B8280, 0x6F25, 0x11D0, {0xBE, 0xAF, 0x08, 0x00, 0x2B, 0xE2, 0x09, 0x2F}};
    assert_memory_equal(stack->Parameters.QueryInterface.InterfaceType, &expected, sizeof expected);
    assert_int_equal(stack->Parameters.QueryInterface.Size, sizeof(BUS_INTERFACE_STANDARD));
    assert_int_equal(stack->Parameters.QueryInterface.Version, 1);
    rig.requests++;
    if (rig.pends) {
        IoMarkIrpPending(irp);
        assert_int_equal(pthread_create(&answering, NULL, answer_later, irp), 0);
        return STATUS_PENDING;
    }
    NTSTATUS status = rig.no_interface ? STATUS_NOT_SUPPORTED : STATUS_SUCCESS;
    answer(irp, stack);
    return status;
}

/* ---- Setting up ---- */

static void plug(UINT16 device_id)
{
    memset(&rig, 0, sizeof rig);
    const struct avb_nic_part *part = avb_nic_part_find(0x8086, device_id);
    nic_model_init(&rig.model, device_id, part ? part->family : AVB_NIC_I210);
    rig.pci = (struct configuration){.vendor = 0x8086,
                                     .device = device_id,
                                     .command = 0x0406,
                                     .class_and_revision = 0x02000003,
                                     .header_type = 0x80, /* one of several functions */
                                     .bar = {(UINT32)BAR_64 | 0xC, (UINT32)(BAR_64 >> 32)}};
    rig.address = BAR_64;
    rig.answers = sizeof rig.pci;
    rig.hz = 10000000;
    bus_driver.MajorFunction[IRP_MJ_PNP] = dispatch_pnp;
}

/* Attached: no register is accessed, and they wait for the filter to run. */
static NTSTATUS attach_registers(UINT32 pin)
{
    __atomic_store_n(&rig.forbidden, 1, __ATOMIC_RELAXED);
    NTSTATUS status = AvbRegistersOpen(&rig.registers, bus_device, pin);
    __atomic_store_n(&rig.forbidden, 0, __ATOMIC_RELAXED);
    return status;
}

/* And restarted; the first tick has come. */
static NTSTATUS open_registers(UINT32 pin)
{
    NTSTATUS status = attach_registers(pin);
    AvbRegistersResume(&rig.registers, AVB_SUSPENDED_PAUSED);
    AvbRegistersTick(&rig.registers);
    return status;
}

static void plug_and_open(UINT16 device_id, UINT32 pin)
{
    plug(device_id);
    assert_int_equal(open_registers(pin), STATUS_SUCCESS);
}

/* What is held, all kinds together, but for the mapping. */
static void expect_held(INT64 mappings)
{
    struct nt_lab_held held, none = {0};
    nt_lab_held(&held);
    none.io_spaces = mappings;
    assert_memory_equal(&held, &none, sizeof held);
    assert_int_equal(rig.references, 0);
}

static void expect_state(UINT32 clock, UINT32 pin)
{
    UINT32 clock_result, sdp_result;
    UINT16 vendor, device;
    AvbRegistersState(&rig.registers, &clock_result, &sdp_result, &vendor, &device);
    assert_int_equal(clock_result, clock);
    assert_int_equal(sdp_result, pin);
    assert_int_equal(vendor, rig.pci.vendor);
    assert_int_equal(device, rig.pci.device);
}

static UINT32 accesses(void)
{
    return rig.model.reads + rig.model.writes;
}

static DEVICE_OBJECT *new_device(void)
{
    DEVICE_OBJECT *device;
    assert_int_equal(IoCreateDevice(&bus_driver, 0, NULL, FILE_DEVICE_NETWORK, 0, FALSE, &device), STATUS_SUCCESS);
    device->StackSize = 3;
    return device;
}

static int make_stack(void **state)
{
    (void)state;
    nt_lab_own(1);
    bus_device = new_device();
    bus_device->AttachedDevice = new_device();
    bus_device->AttachedDevice->AttachedDevice = top_device = new_device();
    nt_lab_own(0);
    return 0;
}

static int drop_stack(void **state)
{
    (void)state;
    nt_lab_own(1);
    IoDeleteDevice(top_device);
    IoDeleteDevice(bus_device->AttachedDevice);
    IoDeleteDevice(bus_device);
    nt_lab_own(0);
    return 0;
}

static int begin(void **state)
{
    (void)state;
    nt_lab_fail_nth(0);
    return 0;
}

/* After each test: everything closed, nothing held, no rule broken, no register written that is not ours. */
static int end(void **state)
{
    char first[256] = "";
    (void)state;
    __atomic_store_n(&rig.forbidden, 0, __ATOMIC_RELAXED);
    AvbRegistersClose(&rig.registers);
    expect_held(0);
    UINT64 breaches = nt_lab_breaches(first, sizeof first);
    if (breaches)
        print_error("%s\n", first);
    return breaches || rig.model.wrong_writes || rig.wrong ? -1 : 0;
}

static PTP_TIMESTAMP_EVENT frame_of(UINT16 sequenceId)
{
    return (PTP_TIMESTAMP_EVENT){.direction = AVB_DIRECTION_RX,
                                 .messageType = AVB_PTP_SYNC,
                                 .sequenceId = sequenceId,
                                 .clockIdentity = {0x00, 0x1B, 0x21, 0xFF, 0xFE, 0x0A, 0x0B, 0x0C},
                                 .portNumber = 1,
                                 .version = 2};
}

static void expect_stamp(UINT16 sequenceId)
{
    PTP_TIMESTAMP_EVENT frame = frame_of(sequenceId);
    UINT32 owner = 77;
    UINT64 ns = 0, truth = nic_model_receive(&rig.model, &frame);
    if (rig.model.family == AVB_NIC_82580)
        truth %= LAP_82580;
    assert_int_equal(AvbRegistersStamp(&rig.registers, &frame, 1, &owner, &ns), AVB_STAMP_GIVEN);
    assert_int_equal(owner, 0);
    if (rig.model.family == AVB_NIC_82580)
        ns %= LAP_82580;
    assert_true(ns <= truth && truth - ns <= 16);
}

/* And nothing is written to the outputs. */
static void expect_no_stamp(enum avb_stamp_result reason)
{
    PTP_TIMESTAMP_EVENT frame = frame_of(9999);
    UINT32 owner = 77;
    UINT64 ns = 88;
    assert_int_equal(AvbRegistersStamp(&rig.registers, &frame, 1, &owner, &ns), reason);
    assert_int_equal(owner, 77);
    assert_int_equal(ns, 88);
}

static void expect_clock(UINT32 stepped)
{
    struct avb_nic_time now;
    UINT64 qpc;
    assert_true(AvbRegistersClock(&rig.registers, &now, &qpc));
    UINT64 truth = nic_model_clock_at(&rig.model, now.system_ns);
    UINT64 off = truth > now.nic_ns ? truth - now.nic_ns : now.nic_ns - truth;
    if (rig.model.family == AVB_NIC_82580) /* laps before it was opened are not known of */
        off %= LAP_82580;
    assert_true(off <= now.uncertainty_ns + MODEL_SECOND / rig.hz + 32);
    assert_int_equal(now.stepped, stepped);
    assert_int_equal(qpc, ((wide)now.system_ns * rig.hz + MODEL_SECOND / 2) / MODEL_SECOND);
}

static void expect_no_clock(void)
{
    struct avb_nic_time now;
    UINT64 qpc = 77;
    assert_false(AvbRegistersClock(&rig.registers, &now, &qpc));
    assert_int_equal(qpc, 0);
}

/* ---- Opening ---- */

static void test_each_family_is_found_and_its_clock_read(void **state)
{
    static const UINT16 devices[] = {DEVICE_82576, DEVICE_I350, DEVICE_I210, DEVICE_I226, DEVICE_I219};
    (void)state;
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        plug(devices[i]);
        assert_false(AvbRegistersAreOpen(&rig.registers));
        assert_int_equal(open_registers(AVB_NO_PIN), STATUS_SUCCESS);
        assert_true(AvbRegistersAreOpen(&rig.registers));
        assert_false(AvbRegistersHavePin(&rig.registers));
        expect_held(1); /* nothing that would hold the device back when it is to be removed */
        expect_state(AVB_NIC_CLOCK_READ, AVB_SDP_RESULTS);
        expect_clock(0);
        rig.model.now += MODEL_SECOND;
        AvbRegistersTick(&rig.registers);
        expect_clock(0);
        assert_int_equal(rig.model.writes, 0);
        AvbRegistersClose(&rig.registers);
        assert_false(AvbRegistersAreOpen(&rig.registers));
        expect_held(0);
    }
}

static void test_a_bar_of_32_bits_is_found(void **state)
{
    (void)state;
    plug(DEVICE_I210);
    rig.address = BAR_32;
    rig.pci.bar[0] = (UINT32)BAR_32;
    rig.pci.bar[1] = 0xE001; /* another BAR, of I/O ports */
    assert_int_equal(open_registers(AVB_NO_PIN), STATUS_SUCCESS);
    expect_clock(0);
}

static void test_a_bus_that_answers_later_is_waited_for(void **state)
{
    (void)state;
    plug(DEVICE_I210);
    rig.pends = 1;
    assert_int_equal(open_registers(AVB_NO_PIN), STATUS_SUCCESS);
    pthread_join(answering, NULL);
    expect_held(1);
    AvbRegistersClose(&rig.registers);
    rig.no_interface = 1;
    assert_int_equal(open_registers(AVB_NO_PIN), STATUS_NOT_SUPPORTED);
    pthread_join(answering, NULL);
}

static void expect_refusal(NTSTATUS status)
{
    assert_int_equal(open_registers(0), status);
    assert_false(AvbRegistersAreOpen(&rig.registers));
    assert_false(AvbRegistersHavePin(&rig.registers));
    assert_int_equal(accesses(), 0);
    expect_held(0);
    expect_no_stamp(AVB_STAMP_DEVICE_GONE);
    expect_no_clock();
    AvbRegistersTick(&rig.registers);
    assert_int_equal(accesses(), 0);
}

static void test_what_is_not_known_is_refused_but_named(void **state)
{
    (void)state;
    plug(0x1F40 + 7);
    expect_refusal(STATUS_NOT_SUPPORTED);
    expect_state(AVB_NIC_CLOCK_RESULTS, AVB_SDP_RESULTS);
    plug(DEVICE_I210);
    rig.pci.vendor = 0x15B3;
    expect_refusal(STATUS_NOT_SUPPORTED);
    expect_state(AVB_NIC_CLOCK_RESULTS, AVB_SDP_RESULTS);
    plug(DEVICE_I210);
    rig.pci.vendor = rig.pci.device = 0xFFFF; /* gone */
    expect_refusal(STATUS_NOT_SUPPORTED);
}

static void test_an_address_that_is_none_is_refused(void **state)
{
    (void)state;
    plug(DEVICE_I210);
    rig.pci.header_type = 0x01;
    expect_refusal(STATUS_NOT_SUPPORTED);
    plug(DEVICE_I210);
    rig.pci.bar[0] |= 1;
    expect_refusal(STATUS_NOT_SUPPORTED);
    plug(DEVICE_I210);
    rig.pci.bar[0] = 4;
    rig.pci.bar[1] = 0;
    expect_refusal(STATUS_DEVICE_NOT_READY);
    plug(DEVICE_I210);
    rig.pci.command = 0x0405;
    expect_refusal(STATUS_DEVICE_NOT_READY);
}

static void test_a_bus_that_is_not_pci_is_refused(void **state)
{
    (void)state;
    plug(DEVICE_I210);
    rig.no_interface = 1;
    expect_refusal(STATUS_NOT_SUPPORTED);
    plug(DEVICE_I210);
    rig.no_get_bus_data = 1;
    expect_refusal(STATUS_NOT_SUPPORTED);
    plug(DEVICE_I210);
    rig.answers = 0x14;
    expect_refusal(STATUS_NOT_SUPPORTED);
    plug(DEVICE_I210);
    assert_int_equal(AvbRegistersOpen(&rig.registers, NULL, AVB_NO_PIN), STATUS_NOT_SUPPORTED); /* a virtual one */
    assert_int_equal(rig.requests, 0);
    expect_held(0);
}

static void test_nothing_is_left_whichever_call_fails(void **state)
{
    UINT64 points = 0;
    NTSTATUS status = STATUS_UNSUCCESSFUL;
    (void)state;
    while (!NT_SUCCESS(status)) {
        plug(DEVICE_I210);
        nt_lab_fail_nth(++points);
        status = open_registers(0);
        nt_lab_fail_nth(0);
        assert_int_equal(AvbRegistersAreOpen(&rig.registers), NT_SUCCESS(status));
        expect_held(NT_SUCCESS(status));
        assert_true(points < 20);
    }
    assert_int_equal(points, 3); /* the request, the mapping, nothing */
}

/* ---- Stamps ---- */

static void test_a_stamp_is_of_its_frame(void **state)
{
    (void)state;
    plug_and_open(DEVICE_82576, AVB_NO_PIN);
    for (UINT16 i = 0; i < 50; i++) {
        rig.model.now += 100 * MILLISECOND;
        if (i % 10 == 0)
            AvbRegistersTick(&rig.registers);
        expect_stamp(i);
        expect_no_stamp(AVB_STAMP_NOT_VALID);
    }
    assert_int_equal(rig.model.writes, 0);
}

static void test_a_part_without_identity_keeps_its_latch(void **state)
{
    (void)state;
    plug_and_open(DEVICE_I226, AVB_NO_PIN);
    PTP_TIMESTAMP_EVENT frame = frame_of(1);
    nic_model_receive(&rig.model, &frame);
    expect_no_stamp(AVB_STAMP_PART_CANNOT);
    assert_int_equal(rig.model.latch_reads, 0);
    assert_true(rig.model.valid);
}

/* ---- The clock comes back ---- */

static void test_a_clock_that_was_lost_is_opened_anew(void **state)
{
    (void)state;
    plug_and_open(DEVICE_I350, AVB_NO_PIN);
    expect_clock(0);
    rig.model.now += 10 * MINUTE; /* more than half a lap of 18.3 min */
    expect_no_stamp(AVB_STAMP_CLOCK_UNKNOWN);
    AvbRegistersTick(&rig.registers);
    expect_state(AVB_NIC_CLOCK_READ, AVB_SDP_RESULTS);
    expect_stamp(3);
    rig.model.now += 10 * MINUTE;
    expect_clock(1); /* not only the tick does */
    expect_clock(0);
}

static void test_a_clock_of_another_unit_is_opened_anew(void **state)
{
    (void)state;
    plug_and_open(DEVICE_82576, AVB_NO_PIN);
    rig.model.timinca = 2u << 24 | 32u << 18;
    rig.model.now += MODEL_SECOND;
    AvbRegistersTick(&rig.registers);
    expect_state(AVB_NIC_CLOCK_READ, AVB_SDP_RESULTS);
    expect_clock(0);
    expect_stamp(4);
}

static void test_a_clock_that_cannot_be_read_now_is_read_later(void **state)
{
    (void)state;
    plug(DEVICE_82576);
    rig.model.stands_still = true;
    assert_int_equal(open_registers(AVB_NO_PIN), STATUS_SUCCESS);
    expect_state(AVB_NIC_CLOCK_STOPPED, AVB_SDP_RESULTS);
    expect_no_stamp(AVB_STAMP_CLOCK_UNKNOWN);
    expect_no_clock();
    AvbRegistersTick(&rig.registers);
    expect_state(AVB_NIC_CLOCK_STOPPED, AVB_SDP_RESULTS);
    rig.model.stands_still = false;
    AvbRegistersTick(&rig.registers);
    expect_state(AVB_NIC_CLOCK_READ, AVB_SDP_RESULTS);
    expect_stamp(5);
    rig.model.gone = true;
    AvbRegistersTick(&rig.registers);
    expect_state(AVB_NIC_CLOCK_DEVICE_GONE, AVB_SDP_RESULTS);
    expect_no_stamp(AVB_STAMP_DEVICE_GONE);
    rig.model.gone = false;
    AvbRegistersTick(&rig.registers);
    expect_state(AVB_NIC_CLOCK_READ, AVB_SDP_RESULTS);
}

static void test_the_counter_may_have_any_frequency(void **state)
{
    static const UINT64 frequencies[] = {1193182,   3579545,    10000000,   24000000,
                                         999999937, 1000000000, 2999999999, 1ull << 34};
    static const UINT64 uptimes[] = {0, 49 * MODEL_SECOND, 400ull * 24 * 3600 * MODEL_SECOND};
    (void)state;
    for (size_t i = 0; i < sizeof frequencies / sizeof *frequencies; i++) {
        for (size_t j = 0; j < sizeof uptimes / sizeof *uptimes; j++) {
            plug(DEVICE_I210);
            rig.hz = frequencies[i];
            rig.model.now += uptimes[j] + 123456789;
            assert_int_equal(open_registers(AVB_NO_PIN), STATUS_SUCCESS);
            rig.model.now += 300 * MILLISECOND;
            UINT64 before = rig.model.now;
            expect_clock(0);
            struct avb_nic_time now;
            UINT64 qpc;
            assert_true(AvbRegistersClock(&rig.registers, &now, &qpc));
            assert_true(qpc >= ticks_at(before) && qpc <= ticks_at(rig.model.now));
            assert_true(now.system_ns >= before - MODEL_SECOND / rig.hz - 1 && now.system_ns <= rig.model.now);
            AvbRegistersClose(&rig.registers);
        }
    }
}

/* ---- Where no register may be accessed ---- */

static void use_everything(enum avb_stamp_result stamp)
{
    expect_no_stamp(stamp);
    AvbRegistersPinEnter(&rig.registers);
    AvbRegistersPinLeave(&rig.registers);
    UINT32 clock_result, sdp_result;
    UINT16 vendor, device;
    AvbRegistersState(&rig.registers, &clock_result, &sdp_result, &vendor, &device);
}

static void expect_silence(void)
{
    UINT32 before = accesses();
    use_everything(AVB_STAMP_DEVICE_GONE);
    expect_no_clock();
    for (int i = 0; i < 3; i++) {
        rig.model.now += MODEL_SECOND;
        AvbRegistersTick(&rig.registers);
    }
    assert_int_equal(accesses(), before);
}

static void test_nothing_is_accessed_while_suspended(void **state)
{
    (void)state;
    plug_and_open(DEVICE_I210, 1);
    expect_stamp(1);
    AvbRegistersSuspend(&rig.registers, AVB_SUSPENDED_PAUSED);
    expect_state(AVB_NIC_CLOCK_LOST, AVB_SDP_DEVICE_GONE);
    assert_true(AvbRegistersAreOpen(&rig.registers));
    expect_silence();
    AvbRegistersSuspend(&rig.registers, AVB_SUSPENDED_PAUSED); /* once more: it is one cause */
    expect_silence();
    AvbRegistersResume(&rig.registers, AVB_SUSPENDED_PAUSED);
    AvbRegistersTick(&rig.registers);
    expect_stamp(2);
}

static void test_what_is_attached_waits_for_restart(void **state)
{
    (void)state;
    plug(DEVICE_I210);
    assert_int_equal(attach_registers(1), STATUS_SUCCESS);
    assert_true(AvbRegistersAreOpen(&rig.registers));
    assert_true(AvbRegistersHavePin(&rig.registers));
    expect_state(AVB_NIC_CLOCK_LOST, AVB_SDP_DEVICE_GONE);
    expect_silence();
    assert_int_equal(accesses(), 0);
    AvbRegistersResume(&rig.registers, AVB_SUSPENDED_PAUSED);
    use_everything(AVB_STAMP_CLOCK_UNKNOWN);
    assert_int_equal(accesses(), 0);
    AvbRegistersTick(&rig.registers);
    expect_state(AVB_NIC_CLOCK_READ, AVB_SDP_OPEN);
    expect_stamp(1);
}

/* One after another they come, and go in whatever order: nothing is accessed before the last is gone. */
static void suspend_by(const UINT32 *causes, const UINT32 *ends)
{
    for (int i = 0; i < 3; i++) {
        AvbRegistersSuspend(&rig.registers, causes[i]);
        expect_silence();
    }
    for (int i = 0; i < 3; i++) {
        expect_silence();
        AvbRegistersResume(&rig.registers, ends[i]);
    }
    expect_no_stamp(AVB_STAMP_CLOCK_UNKNOWN);
    AvbRegistersTick(&rig.registers);
    expect_state(AVB_NIC_CLOCK_READ, AVB_SDP_OPEN);
    expect_stamp(1);
}

static void test_each_cause_comes_and_goes_by_itself(void **state)
{
    enum { A = AVB_SUSPENDED_PAUSED, B = AVB_SUSPENDED_LOW_POWER, C = AVB_SUSPENDED_REMOVED };
    static const UINT32 orders[][3] = {{A, B, C}, {A, C, B}, {B, A, C}, {B, C, A}, {C, A, B}, {C, B, A}};
    (void)state;
    plug_and_open(DEVICE_I210, 1);
    for (size_t i = 0; i < 6; i++) {
        for (size_t j = 0; j < 6; j++)
            suspend_by(orders[i], orders[j]);
    }
}

static void test_causes_are_kept_while_nothing_is_open(void **state)
{
    (void)state;
    plug(DEVICE_I210);
    AvbRegistersSuspend(&rig.registers, AVB_SUSPENDED_LOW_POWER);
    assert_int_equal(open_registers(1), STATUS_SUCCESS);
    expect_silence();
    AvbRegistersClose(&rig.registers);
    assert_int_equal(open_registers(1), STATUS_SUCCESS);
    expect_silence();
    AvbRegistersResume(&rig.registers, AVB_SUSPENDED_LOW_POWER);
    AvbRegistersTick(&rig.registers);
    expect_stamp(1);
    AvbRegistersClose(&rig.registers);
    AvbRegistersSuspend(&rig.registers, AVB_SUSPENDED_REMOVED);
    AvbRegistersResume(&rig.registers, AVB_SUSPENDED_LOW_POWER);
    assert_int_equal(open_registers(1), STATUS_SUCCESS);
    expect_silence();
}

static void test_after_a_suspension_all_begins_at_the_tick(void **state)
{
    (void)state;
    plug_and_open(DEVICE_I210, 1);
    AvbRegistersSuspend(&rig.registers, AVB_SUSPENDED_PAUSED);
    rig.model.epoch += 1000 * MODEL_SECOND; /* the device lost its power */
    rig.model.ctrl = 0;
    AvbRegistersResume(&rig.registers, AVB_SUSPENDED_PAUSED);
    UINT32 before = accesses();
    use_everything(AVB_STAMP_CLOCK_UNKNOWN);
    assert_int_equal(accesses(), before);
    AvbRegistersTick(&rig.registers);
    expect_state(AVB_NIC_CLOCK_READ, AVB_SDP_OPEN);
    expect_stamp(2);
    AvbRegistersPinEnter(&rig.registers);
    assert_int_equal(rig.model.ctrl, 0x880000);
    AvbRegistersPinLeave(&rig.registers);
    assert_int_equal(rig.model.ctrl, 0x800000);
    expect_clock(0);
    AvbRegistersSuspend(&rig.registers, AVB_SUSPENDED_PAUSED);
    AvbRegistersResume(&rig.registers, AVB_SUSPENDED_PAUSED);
    expect_clock(1); /* who asks before the tick is told that it is another clock */
}

static void test_nothing_is_accessed_after_closing(void **state)
{
    (void)state;
    plug_and_open(DEVICE_I210, 1);
    AvbRegistersClose(&rig.registers);
    expect_held(0);
    expect_silence();
    AvbRegistersClose(&rig.registers);
    AvbRegistersSuspend(&rig.registers, AVB_SUSPENDED_PAUSED);
    AvbRegistersResume(&rig.registers, AVB_SUSPENDED_PAUSED);
    expect_silence();
    assert_int_equal(open_registers(1), STATUS_SUCCESS); /* and it can be opened again */
    AvbRegistersTick(&rig.registers);
    expect_stamp(3);
}

static void test_closing_what_is_suspended_accesses_nothing(void **state)
{
    (void)state;
    plug_and_open(DEVICE_I210, 2);
    AvbRegistersSuspend(&rig.registers, AVB_SUSPENDED_PAUSED);
    UINT32 before = accesses();
    AvbRegistersClose(&rig.registers);
    assert_int_equal(accesses(), before);
}

/* ---- The pin ---- */

static void test_the_pin_is_high_within_the_datapath(void **state)
{
    (void)state;
    plug(DEVICE_I350);
    rig.model.ctrl_ext = 0x01000040;
    assert_int_equal(open_registers(2), STATUS_SUCCESS);
    assert_true(AvbRegistersHavePin(&rig.registers));
    expect_state(AVB_NIC_CLOCK_READ, AVB_SDP_OPEN);
    assert_int_equal(rig.model.ctrl_ext, 0x01000400);
    AvbRegistersPinEnter(&rig.registers);
    assert_int_equal(rig.model.ctrl_ext, 0x01000440);
    AvbRegistersPinEnter(&rig.registers); /* another processor: one pulse, as long as both */
    AvbRegistersPinLeave(&rig.registers);
    assert_int_equal(rig.model.ctrl_ext, 0x01000440);
    AvbRegistersPinLeave(&rig.registers);
    assert_int_equal(rig.model.ctrl_ext, 0x01000400);
    AvbRegistersTick(&rig.registers);
    assert_int_equal(rig.model.writes, 3);
    AvbRegistersClose(&rig.registers);
    assert_int_equal(rig.model.ctrl_ext, 0x01000040);
    assert_false(AvbRegistersHavePin(&rig.registers));
}

static void test_the_pin_is_given_back_before_the_device_sleeps(void **state)
{
    (void)state;
    plug(DEVICE_I210);
    rig.model.ctrl = 0x00040100;
    assert_int_equal(open_registers(0), STATUS_SUCCESS);
    AvbRegistersPinEnter(&rig.registers);
    AvbRegistersSuspend(&rig.registers, AVB_SUSPENDED_PAUSED);
    assert_int_equal(rig.model.ctrl, 0x00040100);
    AvbRegistersResume(&rig.registers, AVB_SUSPENDED_PAUSED);
    AvbRegistersTick(&rig.registers);
    assert_int_equal(rig.model.ctrl, 0x00400100);
    AvbRegistersPinLeave(&rig.registers); /* of the call that began before: the pairs stay pairs */
    AvbRegistersPinEnter(&rig.registers);
    assert_int_equal(rig.model.ctrl, 0x00440100);
    AvbRegistersPinLeave(&rig.registers);
    assert_int_equal(rig.model.ctrl, 0x00400100);
}

static void test_pins_that_are_not_to_be_had(void **state)
{
    (void)state;
    plug_and_open(DEVICE_I226, 0);
    assert_false(AvbRegistersHavePin(&rig.registers));
    expect_state(AVB_NIC_CLOCK_READ, AVB_SDP_PART_CANNOT);
    AvbRegistersClose(&rig.registers);

    plug_and_open(DEVICE_I210, 4);
    assert_false(AvbRegistersHavePin(&rig.registers));
    expect_state(AVB_NIC_CLOCK_READ, AVB_SDP_NO_PIN);
    AvbRegistersClose(&rig.registers);
    assert_int_equal(rig.model.writes, 0);

    plug(DEVICE_I210);
    rig.model.tssdp = 0x100; /* pin 0 is an output of the clock */
    assert_int_equal(open_registers(0), STATUS_SUCCESS);
    assert_true(AvbRegistersHavePin(&rig.registers));
    expect_state(AVB_NIC_CLOCK_READ, AVB_SDP_IN_USE);
    AvbRegistersPinEnter(&rig.registers);
    AvbRegistersPinLeave(&rig.registers);
    assert_int_equal(rig.model.writes, 0);
    rig.model.tssdp = 0;
    AvbRegistersTick(&rig.registers);
    expect_state(AVB_NIC_CLOCK_READ, AVB_SDP_OPEN);
}

/* ---- IRQL and threads ---- */

static void test_all_but_life_runs_at_dispatch_level(void **state)
{
    KIRQL irql;
    (void)state;
    plug_and_open(DEVICE_I210, 0);
    irql = KeRaiseIrqlToDpcLevel();
    AvbRegistersTick(&rig.registers);
    expect_stamp(1);
    expect_clock(0);
    use_everything(AVB_STAMP_NOT_VALID);
    AvbRegistersSuspend(&rig.registers, AVB_SUSPENDED_PAUSED);
    use_everything(AVB_STAMP_DEVICE_GONE);
    AvbRegistersResume(&rig.registers, AVB_SUSPENDED_PAUSED);
    AvbRegistersTick(&rig.registers);
    assert_int_equal(KeGetCurrentIrql(), DISPATCH_LEVEL);
    KeLowerIrql(irql);
}

static UINT32 over;

static void *use_for_a_while(void *context)
{
    const PTP_TIMESTAMP_EVENT frame = frame_of(7);
    (void)context;
    while (!__atomic_load_n(&over, __ATOMIC_RELAXED)) {
        struct avb_nic_time now;
        UINT64 qpc, ns;
        UINT32 owner;
        if (AvbRegistersHavePin(&rig.registers))
            AvbRegistersPinEnter(&rig.registers);
        (void)AvbRegistersStamp(&rig.registers, &frame, 1, &owner, &ns);
        (void)AvbRegistersClock(&rig.registers, &now, &qpc);
        AvbRegistersTick(&rig.registers);
        AvbRegistersPinLeave(&rig.registers);
    }
    return NULL;
}

/* Not sched_yield(): beside a process that never rests, who yields may wait for very long. */
static void rest_us(long microseconds)
{
    nanosleep(&(struct timespec){.tv_nsec = microseconds * 1000}, NULL);
}

static void test_threads_take_turns_and_stop_when_told(void **state)
{
    pthread_t threads[3];
    (void)state;
    plug_and_open(DEVICE_82576, 3);
    __atomic_store_n(&over, 0, __ATOMIC_RELAXED);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use_for_a_while, NULL), 0);
    for (int i = 0; i < 300; i++) {
        AvbRegistersSuspend(&rig.registers, AVB_SUSPENDED_PAUSED);
        __atomic_store_n(&rig.forbidden, 1, __ATOMIC_RELAXED);
        rest_us(200);
        __atomic_store_n(&rig.forbidden, 0, __ATOMIC_RELAXED);
        AvbRegistersResume(&rig.registers, AVB_SUSPENDED_PAUSED);
        rest_us(50);
    }
    __atomic_store_n(&over, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(rig.wrong, 0);
    assert_true(accesses() > 1000);
    AvbRegistersTick(&rig.registers);
    expect_state(AVB_NIC_CLOCK_READ, AVB_SDP_OPEN);
    assert_int_equal(rig.model.ctrl_ext & 0x880, 0x800); /* low: every pulse has ended */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_each_family_is_found_and_its_clock_read),
        TEST(test_a_bar_of_32_bits_is_found),
        TEST(test_a_bus_that_answers_later_is_waited_for),
        TEST(test_what_is_not_known_is_refused_but_named),
        TEST(test_an_address_that_is_none_is_refused),
        TEST(test_a_bus_that_is_not_pci_is_refused),
        TEST(test_nothing_is_left_whichever_call_fails),
        TEST(test_a_stamp_is_of_its_frame),
        TEST(test_a_part_without_identity_keeps_its_latch),
        TEST(test_a_clock_that_was_lost_is_opened_anew),
        TEST(test_a_clock_of_another_unit_is_opened_anew),
        TEST(test_a_clock_that_cannot_be_read_now_is_read_later),
        TEST(test_the_counter_may_have_any_frequency),
        TEST(test_nothing_is_accessed_while_suspended),
        TEST(test_what_is_attached_waits_for_restart),
        TEST(test_each_cause_comes_and_goes_by_itself),
        TEST(test_causes_are_kept_while_nothing_is_open),
        TEST(test_after_a_suspension_all_begins_at_the_tick),
        TEST(test_nothing_is_accessed_after_closing),
        TEST(test_closing_what_is_suspended_accesses_nothing),
        TEST(test_the_pin_is_high_within_the_datapath),
        TEST(test_the_pin_is_given_back_before_the_device_sleeps),
        TEST(test_pins_that_are_not_to_be_had),
        TEST(test_all_but_life_runs_at_dispatch_level),
        TEST(test_threads_take_turns_and_stop_when_told),
    };
    return cmocka_run_group_tests_name("registers", tests, make_stack, drop_stack);
}
