/* SPDX-License-Identifier: MIT */
/* What the verifier module takes from ntdll.dll, which every process has in Wine, also the one that runs the drivers.
 */
#ifndef PTPMON_NTDLL_H
#define PTPMON_NTDLL_H

#include "nt.h"

#define NTDLL __declspec(dllimport)

#define NTDLL_VIEW_UNMAP 2

NTDLL void NTAPI RtlAcquireSRWLockExclusive(PVOID *lock);
NTDLL void NTAPI RtlReleaseSRWLockExclusive(PVOID *lock);
NTDLL NTSTATUS NTAPI RtlSleepConditionVariableSRW(PVOID *condition, PVOID *lock, const LARGE_INTEGER *timeout,
                                                  ULONG flags);
NTDLL void NTAPI RtlWakeAllConditionVariable(PVOID *condition);
NTDLL NTSTATUS NTAPI NtYieldExecution(void);
NTDLL NTSTATUS NTAPI NtQuerySystemTime(LARGE_INTEGER *now);

NTDLL void NTAPI RtlRaiseStatus(NTSTATUS status);
NTDLL PVOID NTAPI RtlAddVectoredExceptionHandler(ULONG first, LONG(NTAPI *handler)(EXCEPTION_POINTERS *));
NTDLL NTSTATUS NTAPI NtMapViewOfSection(HANDLE section, HANDLE process, PVOID *base, ULONG_PTR zero_bits, SIZE_T commit,
                                        LARGE_INTEGER *offset, SIZE_T *size, ULONG inherit, ULONG type, ULONG protect);
NTDLL NTSTATUS NTAPI NtUnmapViewOfSection(HANDLE process, PVOID base);
NTDLL NTSTATUS NTAPI NtProtectVirtualMemory(HANDLE process, PVOID *base, SIZE_T *size, ULONG protect, ULONG *before);
NTDLL NTSTATUS NTAPI NtAllocateVirtualMemory(HANDLE process, PVOID *base, ULONG_PTR zero_bits, SIZE_T *size, ULONG type,
                                             ULONG protect);
NTDLL NTSTATUS NTAPI NtFreeVirtualMemory(HANDLE process, PVOID *base, SIZE_T *size, ULONG type);

NTDLL NTSTATUS NTAPI NtDuplicateObject(HANDLE source_process, HANDLE source, HANDLE target_process, HANDLE *target,
                                       ACCESS_MASK access, ULONG attributes, ULONG options);
NTDLL NTSTATUS NTAPI NtClose(HANDLE handle);
NTDLL NTSTATUS NTAPI NtSetEvent(HANDLE event, LONG *before);

#endif
