/* SPDX-License-Identifier: MIT */
/* Other processes: this program again, as "helper <what> ...". */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READY_EVENT "ptpmon-client-ready"

struct process process_start(const char *arguments, BOOL inherit)
{
    struct process process;
    char program[MAX_PATH], line[MAX_PATH + 200];
    STARTUPINFOA startup = {.cb = sizeof startup};
    process.ready = CreateEventA(NULL, TRUE, FALSE, READY_EVENT);
    CHECK(process.ready != NULL);
    GetModuleFileNameA(NULL, program, sizeof program);
    snprintf(line, sizeof line, "\"%s\" helper %s", program, arguments);
    if (!CreateProcessA(program, line, NULL, NULL, inherit, 0, NULL, NULL, &startup, &process.information))
        fail("no other process: error %lu", GetLastError());
    HANDLE either[2] = {process.ready, process.information.hProcess};
    CHECK(WaitForMultipleObjects(2, either, FALSE, 30000) <= WAIT_OBJECT_0 + 1);
    return process;
}

DWORD process_join(struct process *process)
{
    DWORD code = 0;
    CHECK_SAME(WaitForSingleObject(process->information.hProcess, 30000), WAIT_OBJECT_0);
    CHECK(GetExitCodeProcess(process->information.hProcess, &code));
    CloseHandle(process->information.hProcess);
    CloseHandle(process->information.hThread);
    CloseHandle(process->ready);
    return code;
}

void process_kill(struct process *process)
{
    CHECK(TerminateProcess(process->information.hProcess, 99));
    CHECK_SAME(process_join(process), 99);
}

void helper_ready(void)
{
    HANDLE ready = OpenEventA(EVENT_MODIFY_STATE, FALSE, READY_EVENT);
    if (ready)
        SetEvent(ready);
}

/* ---- Helpers. Exit code 0: as it should be ---- */

static int hold(void)
{
    struct monitor monitor;
    monitor_start(&monitor, device_open(GUID_1));
    helper_ready();
    Sleep(INFINITE);
    return 1;
}

static const UINT8 *forbidden;

static LONG WINAPI end_by_fault(EXCEPTION_POINTERS *exception)
{
    const EXCEPTION_RECORD *record = exception->ExceptionRecord;
    int as_wanted = record->NumberParameters >= 2 && record->ExceptionInformation[0] == 1 &&
                    record->ExceptionInformation[1] == (ULONG_PTR)forbidden;
    ExitProcess(as_wanted ? record->ExceptionCode : 3);
}

/* Writes where it must not: the process is to end by that. */
static int write_to_records(void)
{
    struct monitor monitor;
    monitor_start(&monitor, device_open(GUID_1));
    forbidden = monitor.records;
    SetUnhandledExceptionFilter(end_by_fault);
    *(volatile UINT8 *)(UINT_PTR)monitor.records = 1;
    return 1;
}

static int second_process(const char *owner)
{
    AVB_PTP_MONITORING shared;
    HANDLE device = device_open(GUID_1);
    CHECK_REFUSED(device_call(device, IOCTL_AVB_ENABLE_PTP_MONITORING, &shared, sizeof shared), ERROR_BUSY);
    CHECK_REFUSED(device_call(device, IOCTL_AVB_DISABLE_PTP_MONITORING, NULL, 0), ERROR_ACCESS_DENIED);
    AVB_PTP_MONITOR_STATS stats = statistics(device);
    CHECK_SAME(stats.enabled, 1);
    CHECK_SAME(stats.owner_process, strtoul(owner, NULL, 10));
    CHECK_SAME(stats.events_emitted, 1);
    return 0;
}

/* The number is a handle of the parent: it must be none here. */
static int inherited(const char *number)
{
    HANDLE handle = handle_of(strtoull(number, NULL, 10));
    DWORD flags;
    return MapViewOfFile(handle, FILE_MAP_READ, 0, 0, 0) != NULL || GetHandleInformation(handle, &flags) != FALSE;
}

/* Holds a device that the parent duplicates into it, until it is killed. */
static int wait_here(void)
{
    helper_ready();
    Sleep(INFINITE);
    return 1;
}

static int stop_service(const char *name)
{
    helper_ready();
    return (int)service_stop(name);
}

int run_helper(int argc, char **argv)
{
    const char *what = argv[0], *argument = argc > 1 ? argv[1] : "";
    if (!strcmp(what, "hold"))
        return hold();
    if (!strcmp(what, "write"))
        return write_to_records();
    if (!strcmp(what, "second"))
        return second_process(argument);
    if (!strcmp(what, "inherited"))
        return inherited(argument);
    if (!strcmp(what, "wait"))
        return wait_here();
    if (!strcmp(what, "stop"))
        return stop_service(argument);
    return 2;
}
