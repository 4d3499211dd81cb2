/* SPDX-License-Identifier: MIT */
/* Cases: who may do what, whose the ring is, and what is left when something ends. */
#include "client.h"

#include <stdio.h>
#include <string.h>

#define RX LAB_TRAFFIC_RECEIVE

static UINT32 plain_start(void)
{
    struct lab_adapter_config config = plain_adapter(GUID_1);
    return adapter_start(&config);
}

static BOOL enable(HANDLE device)
{
    AVB_PTP_MONITORING shared;
    return device_call(device, IOCTL_AVB_ENABLE_PTP_MONITORING, &shared, sizeof shared);
}

/* A frame goes into the ring of whoever owns it. */
static void pass_one(UINT32 adapter)
{
    struct frame frame = make_frame(AVB_TRANSPORT_ETHERNET, AVB_PTP_SYNC, 1, NULL, 0);
    CHECK_SAME(pass_frame(adapter, RX, &frame), 1);
}

static void check_works(UINT32 adapter)
{
    struct monitor monitor;
    PTP_TIMESTAMP_EVENT record;
    monitor_start(&monitor, device_open(GUID_1));
    pass_one(adapter);
    CHECK_SAME(monitor_read(&monitor, &record, 1), 1);
    monitor_end(&monitor, 1);
    CHECK(CloseHandle(monitor.device));
}

/* ---- Section 1 is not to be written ---- */

void case_read_only(void)
{
    static const DWORD accesses[] = {FILE_MAP_WRITE, FILE_MAP_READ | FILE_MAP_WRITE, FILE_MAP_ALL_ACCESS,
                                     FILE_MAP_READ | FILE_MAP_EXECUTE};
    struct monitor monitor;
    plain_start();
    monitor_start(&monitor, device_open(GUID_1));
    HANDLE section = handle_of(monitor.shared.SharedMemoryHandle);
    for (UINT32 i = 0; i < sizeof accesses / sizeof accesses[0]; i++)
        CHECK_REFUSED(MapViewOfFile(section, accesses[i], 0, 0, 0), ERROR_ACCESS_DENIED);
    DWORD before;
    SetLastError(0);
    CHECK(!VirtualProtect((void *)(UINT_PTR)monitor.records, AVB_RING_PAGE, PAGE_READWRITE, &before));
    /* A copy for this process alone is not the ring. */
    UINT8 *copy = MapViewOfFile(section, FILE_MAP_COPY, 0, 0, 0);
    if (copy) {
        copy[0] = (UINT8)~copy[0];
        CHECK(copy[0] != monitor.records[0]);
        CHECK(UnmapViewOfFile(copy));
    }
    SIZE_T written = 0;
    CHECK(!WriteProcessMemory(GetCurrentProcess(), (void *)(UINT_PTR)monitor.records, "", 1, &written) || !written);
    CHECK(AvbRingReaderInit(&monitor.reader, monitor.records, monitor.shared.ring_bytes, monitor.consumer));
    monitor_end(&monitor, 1);
    CHECK(CloseHandle(monitor.device));
}

static void check_not_wider(HANDLE handle, DWORD access)
{
    HANDLE process = GetCurrentProcess(), wider;
    if (DuplicateHandle(process, handle, process, &wider, access, FALSE, 0))
        fail("a handle can be widened to access 0x%lx", access);
    CHECK_SAME(GetLastError(), ERROR_ACCESS_DENIED);
}

/* The owner's own handles cannot be made to grant more than they do. */
void case_wider_handles(void)
{
    HANDLE process = GetCurrentProcess(), same;
    struct monitor monitor;
    plain_start();
    monitor_start(&monitor, device_open(GUID_1));
    HANDLE records = handle_of(monitor.shared.SharedMemoryHandle), consumer = handle_of(monitor.shared.consumer_handle);
    check_not_wider(records, FILE_MAP_WRITE);
    check_not_wider(records, FILE_MAP_READ | FILE_MAP_WRITE);
    check_not_wider(records, SECTION_ALL_ACCESS);
    check_not_wider(records, GENERIC_WRITE);
    check_not_wider(records, WRITE_DAC);
    check_not_wider(records, WRITE_OWNER);
    check_not_wider(consumer, SECTION_ALL_ACCESS);
    check_not_wider(consumer, WRITE_DAC);
    check_not_wider(monitor.wake, EVENT_MODIFY_STATE);
    CHECK_REFUSED(SetEvent(monitor.wake), ERROR_ACCESS_DENIED);
    CHECK(DuplicateHandle(process, records, process, &same, 0, FALSE, DUPLICATE_SAME_ACCESS));
    CHECK_REFUSED(MapViewOfFile(same, FILE_MAP_WRITE, 0, 0, 0), ERROR_ACCESS_DENIED);
    CHECK(CloseHandle(same));
    monitor_end(&monitor, 1);
    CHECK(CloseHandle(monitor.device));
}

/* Nor by a new access list: who owns an object may otherwise give it one. */
void case_access_list(void)
{
    HANDLE process = GetCurrentProcess(), handle;
    SECURITY_DESCRIPTOR everybody;
    struct monitor monitor;
    plain_start();
    monitor_start(&monitor, device_open(GUID_1));
    HANDLE records = handle_of(monitor.shared.SharedMemoryHandle);
    CHECK(InitializeSecurityDescriptor(&everybody, SECURITY_DESCRIPTOR_REVISION));
    CHECK(SetSecurityDescriptorDacl(&everybody, TRUE, NULL, FALSE));
    CHECK_REFUSED(SetKernelObjectSecurity(records, DACL_SECURITY_INFORMATION, &everybody), ERROR_ACCESS_DENIED);
    if (DuplicateHandle(process, records, process, &handle, WRITE_DAC, FALSE, 0))
        SetKernelObjectSecurity(handle, DACL_SECURITY_INFORMATION, &everybody);
    if (DuplicateHandle(process, records, process, &handle, FILE_MAP_READ | FILE_MAP_WRITE, FALSE, 0) &&
        MapViewOfFile(handle, FILE_MAP_WRITE, 0, 0, 0))
        fail("with another access list, section 1 can be mapped for writing");
    monitor_end(&monitor, 1);
    CHECK(CloseHandle(monitor.device));
}

void case_write_faults(void)
{
    UINT32 adapter = plain_start();
    HANDLE observer = device_open(GUID_1);
    struct process writer = process_start("write", FALSE);
    CHECK_SAME(process_join(&writer), EXCEPTION_ACCESS_VIOLATION);
    wait_for_owner_to_go(observer);
    CHECK(CloseHandle(observer));
    check_works(adapter);
}

void case_not_inherited(void)
{
    struct monitor monitor;
    plain_start();
    monitor_start(&monitor, device_open(GUID_1));
    const UINT64 handles[] = {monitor.shared.SharedMemoryHandle, monitor.shared.consumer_handle,
                              monitor.shared.wake_event};
    for (UINT32 i = 0; i < 3; i++) {
        char arguments[40];
        DWORD flags = ~0u;
        CHECK(GetHandleInformation(handle_of(handles[i]), &flags));
        CHECK_SAME(flags & HANDLE_FLAG_INHERIT, 0);
        snprintf(arguments, sizeof arguments, "inherited %llu", (unsigned long long)handles[i]);
        struct process heir = process_start(arguments, TRUE);
        CHECK_SAME(process_join(&heir), 0);
    }
    monitor_end(&monitor, 1);
    CHECK(CloseHandle(monitor.device));
}

/* ---- One owner ---- */

void case_second_handle(void)
{
    struct monitor monitor;
    UINT32 adapter = plain_start();
    HANDLE second = device_open(GUID_1);
    monitor_start(&monitor, device_open(GUID_1));
    INT64 given = given_handles();
    CHECK_REFUSED(enable(second), ERROR_BUSY);
    CHECK_REFUSED(enable(monitor.device), ERROR_BUSY);
    CHECK_REFUSED(device_call(second, IOCTL_AVB_DISABLE_PTP_MONITORING, NULL, 0), ERROR_ACCESS_DENIED);
    CHECK_SAME(given_handles(), given);
    CHECK_SAME(statistics(second).owner_process, GetCurrentProcessId());
    CHECK(CloseHandle(second));
    pass_one(adapter);
    PTP_TIMESTAMP_EVENT record;
    CHECK_SAME(monitor_read(&monitor, &record, 1), 1);
    monitor_end(&monitor, 1);
    CHECK(CloseHandle(monitor.device));
}

void case_second_process(void)
{
    struct monitor monitor;
    char arguments[40];
    UINT32 adapter = plain_start();
    monitor_start(&monitor, device_open(GUID_1));
    pass_one(adapter);
    snprintf(arguments, sizeof arguments, "second %lu", GetCurrentProcessId());
    struct process second = process_start(arguments, FALSE);
    CHECK_SAME(process_join(&second), 0);
    PTP_TIMESTAMP_EVENT records[3];
    pass_one(adapter);
    CHECK_SAME(monitor_read(&monitor, records, 3), 2);
    monitor_end(&monitor, 1);
    CHECK(CloseHandle(monitor.device));
}

/* The file object owns it: as long as one handle is there, in whatever process, monitoring goes on. */
void case_duplicated_device(void)
{
    struct monitor monitor;
    HANDLE theirs;
    UINT32 adapter = plain_start();
    HANDLE observer = device_open(GUID_1);
    struct process other = process_start("wait", FALSE);
    monitor_start(&monitor, device_open(GUID_1));
    CHECK(DuplicateHandle(GetCurrentProcess(), monitor.device, other.information.hProcess, &theirs, 0, FALSE,
                          DUPLICATE_SAME_ACCESS));
    CHECK(CloseHandle(monitor.device));
    pass_one(adapter);
    PTP_TIMESTAMP_EVENT record;
    CHECK_SAME(monitor_read(&monitor, &record, 1), 1);
    CHECK_SAME(statistics(observer).enabled, 1);
    process_kill(&other);
    wait_for_owner_to_go(observer);
    monitor_end(&monitor, 0);
    CHECK(CloseHandle(observer));
    check_works(adapter);
}

/* ---- Ends ---- */

void case_killed_owner(void)
{
    UINT32 adapter = plain_start();
    HANDLE observer = device_open(GUID_1);
    struct nt_lab_held before = held();
    for (UINT32 turn = 0; turn < 20; turn++) {
        struct process owner = process_start("hold", FALSE);
        CHECK_SAME(statistics(observer).owner_process, owner.information.dwProcessId);
        pass_one(adapter);
        process_kill(&owner);
        wait_for_owner_to_go(observer);
        pass_one(adapter);
        check_held(&before);
        check_works(adapter);
    }
    CHECK(CloseHandle(observer));
}

/* The adapter goes under its owner and comes back: another generation, which the old handle is not for. */
void case_detached_owner(void)
{
    struct monitor monitor;
    PTP_TIMESTAMP_EVENT records[2];
    AVB_PTP_MONITOR_STATS stats;
    UINT32 adapter = plain_start();
    monitor_start(&monitor, device_open(GUID_1));
    UINT32 generation = statistics(monitor.device).generation;
    pass_one(adapter);
    CHECK_SAME(WaitForSingleObject(monitor.wake, 0), WAIT_TIMEOUT);
    lab_value(LAB_CALL_DETACH, adapter, 0);
    CHECK_SAME(WaitForSingleObject(monitor.wake, 0), WAIT_OBJECT_0);
    CHECK_SAME(monitor_read(&monitor, records, 2), 1); /* what was there can still be read */
    CHECK_SAME(device_try(GUID_1, GENERIC_READ) == INVALID_HANDLE_VALUE ? GetLastError() : 0, ERROR_FILE_NOT_FOUND);
    for (UINT32 attached = 0; attached < 2; attached++) {
        CHECK_REFUSED(enable(monitor.device), ERROR_DEV_NOT_EXIST);
        CHECK_REFUSED(device_call(monitor.device, IOCTL_AVB_DISABLE_PTP_MONITORING, NULL, 0), ERROR_DEV_NOT_EXIST);
        CHECK_REFUSED(device_call(monitor.device, IOCTL_AVB_GET_PTP_MONITOR_STATS, &stats, sizeof stats),
                      ERROR_DEV_NOT_EXIST);
        if (!attached)
            adapter = plain_start();
    }
    struct monitor again;
    monitor_start(&again, device_open(GUID_1));
    CHECK(statistics(again.device).generation > generation);
    CHECK(CloseHandle(monitor.device)); /* does not end what is not its own */
    pass_one(adapter);
    CHECK_SAME(monitor_read(&again, records, 2), 1);
    CHECK_SAME(monitor_read(&monitor, records, 2), 0);
    monitor_end(&monitor, 0);
    monitor_end(&again, 1);
    CHECK(CloseHandle(again.device));
}

/* Everything ends with the process, which lets go of nothing itself. */
void case_held_by_owner(void)
{
    UINT32 adapter = plain_start();
    struct nt_lab_held before = held();
    HANDLE device = device_open(GUID_1);
    struct monitor monitor;
    monitor_start(&monitor, device);
    struct nt_lab_held during = held();
    CHECK_SAME(during.views, before.views + 2);
    CHECK_SAME(during.locked_mdls, before.locked_mdls + 2);
    CHECK_SAME(during.mapped_mdls, before.mapped_mdls + 2);
    CHECK_SAME(during.references, before.references + 3);
    CHECK_SAME(during.handles, before.handles); /* the process has them, the driver keeps none */
    CHECK_SAME(during.timers, before.timers + 1);
    CHECK(CloseHandle(device));
    lab_value(LAB_CALL_OPENS, 0, 0); /* after the close, as all requests come one after another */
    check_held(&before);
    monitor_end(&monitor, 0);
    check_works(adapter);
}

/* ---- Requests ---- */

static BOOL call_sized(HANDLE device, UINT32 code, DWORD in_bytes, DWORD out_bytes)
{
    UINT8 in[8] = {0}, out[1024];
    DWORD returned;
    memset(out, 0x5A, sizeof out);
    return DeviceIoControl(device, code, in, in_bytes, out, out_bytes, &returned, NULL);
}

void case_controls(void)
{
    static const struct {
        UINT32 code;
        DWORD bytes;
    } controls[] = {{IOCTL_AVB_ENABLE_PTP_MONITORING, sizeof(AVB_PTP_MONITORING)},
                    {IOCTL_AVB_DISABLE_PTP_MONITORING, 0},
                    {IOCTL_AVB_GET_PTP_MONITOR_STATS, sizeof(AVB_PTP_MONITOR_STATS)},
                    {IOCTL_AVB_GET_PTP_CLOCKS, sizeof(PTP_CLOCKS_RECORD)}};
    UINT32 adapter = plain_start();
    HANDLE device = device_open(GUID_1);
    for (UINT32 i = 0; i < sizeof controls / sizeof controls[0]; i++) {
        DWORD bytes = controls[i].bytes;
        CHECK_REFUSED(call_sized(device, controls[i].code, 1, bytes), ERROR_INVALID_PARAMETER);
        CHECK_REFUSED(call_sized(device, controls[i].code, 0, bytes + 1), ERROR_INVALID_PARAMETER);
        CHECK_REFUSED(call_sized(device, controls[i].code, 0, bytes + 600), ERROR_INVALID_PARAMETER);
        if (bytes) {
            CHECK_REFUSED(call_sized(device, controls[i].code, 0, bytes - 1), ERROR_INVALID_PARAMETER);
            CHECK_REFUSED(call_sized(device, controls[i].code, 0, 0), ERROR_INVALID_PARAMETER);
        }
    }
    for (UINT32 function = 0x7F0; function < 0x810; function++)
        if (function < 0x801 || function > 0x804)
            CHECK_REFUSED(call_sized(device, AVB_IOCTL(function, AVB_IOCTL_READ), 0, 64), ERROR_INVALID_FUNCTION);
    CHECK_SAME(statistics(device).enabled, 0);
    CHECK(CloseHandle(device));
    device = device_try(GUID_1, GENERIC_READ);
    CHECK(device != INVALID_HANDLE_VALUE);
    statistics(device);
    CHECK_REFUSED(enable(device), ERROR_ACCESS_DENIED);
    CHECK_REFUSED(device_call(device, IOCTL_AVB_DISABLE_PTP_MONITORING, NULL, 0), ERROR_ACCESS_DENIED);
    CHECK(CloseHandle(device));
    check_works(adapter);
}

void case_names(void)
{
    static const char *const names[] = {"x",
                                        "{}",
                                        "{11111111-2222-3333-4444-55555555555}",
                                        "{11111111-2222-3333-4444-5555555555555}",
                                        "{11111111-2222-3333-4444-555555555556}",
                                        "11111111-2222-3333-4444-555555555555",
                                        GUID_1 GUID_1};
    plain_start();
    for (UINT32 i = 0; i < sizeof names / sizeof names[0]; i++) {
        lab_name(names[i]);
        SetLastError(0);
        if (device_try(names[i], GENERIC_READ) != INVALID_HANDLE_VALUE)
            fail("%s can be opened", names[i]);
        CHECK_SAME(GetLastError(), ERROR_FILE_NOT_FOUND);
    }
    CHECK(device_try("never heard of", GENERIC_READ) == INVALID_HANDLE_VALUE);
    HANDLE device = device_open("{11111111-2222-3333-4444-555555555555}");
    CHECK(CloseHandle(device));
}

/* ---- Failures ---- */

/* The call fails for want of something, not for another reason. */
static int is_want(DWORD error)
{
    return error == ERROR_NO_SYSTEM_RESOURCES || error == ERROR_NOT_ENOUGH_MEMORY || error == ERROR_WORKING_SET_QUOTA;
}

/* Each step of enable fails once: it says so, nothing is left here or there, and the next one works. */
void case_failing_enable(void)
{
    UINT32 adapter = plain_start();
    HANDLE device = device_open(GUID_1);
    struct nt_lab_held before = held();
    INT64 given = given_handles();
    UINT32 nth = 1;
    for (;; nth++) {
        AVB_PTP_MONITORING shared;
        lab_value(LAB_CALL_FAIL_NTH, 0, nth);
        BOOL worked = device_call(device, IOCTL_AVB_ENABLE_PTP_MONITORING, &shared, sizeof shared);
        DWORD error = GetLastError();
        INT64 calls = lab_value(LAB_CALL_FAIL_NTH, 0, 0).count;
        if (worked) {
            CHECK_SAME(calls, nth - 1); /* there was no such call any more */
            CHECK_SAME(given_handles(), given + 3);
            break;
        }
        if (!is_want(error))
            fail("call %u of enable fails: error %lu", nth, error);
        check_held(&before);
        CHECK_SAME(given_handles(), given);
        CHECK_SAME(statistics(device).enabled, 0);
        pass_one(adapter);
    }
    CHECK(nth > 15);
    CHECK(CloseHandle(device));
    check_works(adapter);
}

/* An adapter is attached whatever fails, or refused; nothing is left of one that is refused. */
void case_failing_attach(void)
{
    struct lab_adapter_config config = plain_adapter(GUID_1);
    struct nt_lab_held before = held();
    UINT32 failed = 0, adapter;
    for (INT64 nth = 1, calls = 1; nth <= calls; nth++) {
        lab_value(LAB_CALL_FAIL_NTH, 0, (UINT32)nth);
        INT32 status = adapter_attach(&config, &adapter);
        INT64 made = lab_value(LAB_CALL_FAIL_NTH, 0, 0).count;
        calls = status ? nth + 1 : made;
        failed += status != 0;
        if (status == 0) {
            CHECK_SAME(lab_value(LAB_CALL_RESTART, adapter, 0).status, 0);
            check_works(adapter);
            lab_value(LAB_CALL_DETACH, adapter, 0);
        }
        check_held(&before);
    }
    CHECK(failed >= 2);
}

/* ---- Unload ---- */

/* The stop has been asked for, and reached the driver: nobody can open the device any more. */
static void wait_until_closed(void)
{
    for (int waited = 0; waited < 1000; waited++) {
        HANDLE device = device_try(GUID_1, GENERIC_READ);
        if (device == INVALID_HANDLE_VALUE)
            return;
        CHECK(CloseHandle(device));
        Sleep(10);
    }
    fail("10 s after the driver was to stop its device can still be opened");
}

/* The driver goes when the last handle does, and not before. */
void case_unload_while_open(void)
{
    struct monitor monitor;
    PTP_TIMESTAMP_EVENT record;
    UINT32 adapter = plain_start();
    monitor_start(&monitor, device_open(GUID_1));
    struct process stopper = process_start("stop avbptpmon_t", FALSE);
    wait_until_closed();
    CHECK_SAME(WaitForSingleObject(stopper.information.hProcess, 100), WAIT_TIMEOUT);
    pass_one(adapter); /* it still works */
    CHECK_SAME(monitor_read(&monitor, &record, 1), 1);
    CHECK(CloseHandle(monitor.device));
    CHECK_SAME(process_join(&stopper), 0);
    CHECK_SAME(service_state("avbptpmon_t"), SERVICE_STOPPED);
    static const struct nt_lab_held nothing;
    check_held(&nothing);
    monitor_end(&monitor, 0);
    CHECK(device_try(GUID_1, GENERIC_READ) == INVALID_HANDLE_VALUE);
    CHECK_SAME(service_start("avbptpmon_t", NULL), 0);
}

/* ---- The verifier module itself ---- */

/* It notes each breach that the other cases say there was none of, and only that one. */
void case_verifier(void)
{
    static const char *const wanted[] = {
        "ExAllocatePoolWithTag: executable pool",
        "ExFreePoolWithTag: another tag than when it was allocated",
        "ExFreePoolWithTag: written beyond its end",
        "ExFreePoolWithTag: freed already",
        "pool: written after it was freed",
        "KeWaitForSingleObject: above APC_LEVEL",
        "ZwClose: above PASSIVE_LEVEL",
        "KeLowerIrql: to a higher IRQL",
        "KeAcquireSpinLock: the thread holds it already",
        "KeReleaseSpinLock: the thread does not hold it",
        "ZwClose: no handle of this driver",
        "ZwCreateEvent: the handle is not a kernel handle",
        "ObDereferenceObject: an object without a reference of this driver",
        "section view: touched, instead of the address of the locked MDL",
        "MDL: its address touched while its pages are not locked",
        "section: touched after its view was unmapped",
        "MmUnmapViewInSystemSpace: its pages are locked",
        "MmMapLockedPagesSpecifyCache: executable",
        "MmProbeAndLockPages: its pages are locked already",
        "IoFreeMdl: its pages are locked",
        "ExReleaseRundownProtection: it is not held",
        "ExFreeCacheAwareRundownProtection: it is held",
        "ExDeleteTimer: may return while the timer still calls back",
        "timer callback: returned at another IRQL",
        "EtwWrite: no registered provider",
        "ObCloseHandle: in another's name than the handle's",
        "KeUnstackDetachProcess: the thread is not attached",
    };
    const UINT32 count = sizeof wanted / sizeof wanted[0];
    struct nt_lab_held before = held();
    for (UINT32 number = 0; number <= count; number++) {
        struct lab_out out = lab_value(LAB_CALL_MISUSE, 0, number);
        CHECK_SAME(out.status, number < count);
        if (number < count && strcmp(out.text, wanted[number]))
            fail("noted: \"%s\", not \"%s\"", out.text, wanted[number]);
        check_held(&before);
    }
}
