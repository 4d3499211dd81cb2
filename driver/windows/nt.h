/* SPDX-License-Identifier: MIT */
/*
 * The kernel's declarations, then NDIS's. Every file of the driver and of its test double includes this first.
 *
 * On Windows <ntifs.h> is mingw-w64's, with what is wrong or missing in it set right here. In the native
 * tests it is the kernel double's (tests/windows/native/include), with the names, types and prototypes of the
 * Windows Driver Kit. Nothing is declared that Windows 8.1 does not have.
 */
#ifndef AVB_NT_H
#define AVB_NT_H

#include <stddef.h>
#include <stdint.h>

#ifdef _WIN32

/*
 * mingw-w64 reads and writes CR8 in place of these. That is what the kernel does, but it is out of sight of a
 * verifier, and of the test double, where nothing but these functions knows the IRQL. The kernel exports them.
 */
#define KeGetCurrentIrql      avb_unused_KeGetCurrentIrql
#define KeLowerIrql           avb_unused_KeLowerIrql
#define KfRaiseIrql           avb_unused_KfRaiseIrql
#define KeRaiseIrqlToDpcLevel avb_unused_KeRaiseIrqlToDpcLevel
/* Declared by <intrin.h>, defined by <wdm.h>: two definitions in every object where both are seen. */
#include <intrin.h>
#define InterlockedBitTestAndSet   avb_unused_InterlockedBitTestAndSet
#define InterlockedBitTestAndReset avb_unused_InterlockedBitTestAndReset
/* These are pointers in the kernel; mingw-w64 imports them as pointers to pointers. */
#define ExEventObjectType avb_unused_ExEventObjectType
#define PsProcessType     avb_unused_PsProcessType

#include <ntifs.h>

#undef KeGetCurrentIrql
#undef KeLowerIrql
#undef KfRaiseIrql
#undef KeRaiseIrqlToDpcLevel
#undef KeRaiseIrql
#undef ExEventObjectType
#undef PsProcessType

NTKERNELAPI KIRQL NTAPI KeGetCurrentIrql(VOID);
NTKERNELAPI KIRQL NTAPI KfRaiseIrql(KIRQL NewIrql);
NTKERNELAPI KIRQL NTAPI KeRaiseIrqlToDpcLevel(VOID);
NTKERNELAPI VOID NTAPI KeLowerIrql(KIRQL NewIrql);
#define KeRaiseIrql(new_irql, old_irql) (*(old_irql) = KfRaiseIrql(new_irql))

/* As in the Windows Driver Kit, the names are those of pointers to the pointers: *ExEventObjectType is the type. */
extern __declspec(dllimport) POBJECT_TYPE ExEventObjectType;
extern __declspec(dllimport) POBJECT_TYPE PsProcessType;
extern __declspec(dllimport) POBJECT_TYPE MmSectionObjectType;
#define ExEventObjectType   (&ExEventObjectType)
#define PsProcessType       (&PsProcessType)
#define MmSectionObjectType (&MmSectionObjectType)

NTKERNELAPI VOID NTAPI KeQuerySystemTimePrecise(PLARGE_INTEGER CurrentTime);
NTKERNELAPI NTSTATUS NTAPI ObCloseHandle(HANDLE Handle, KPROCESSOR_MODE PreviousMode);

/* IRP_MN_QUERY_INTERFACE: PCI configuration space. mingw-w64 has no library that defines it. */
static const GUID GUID_BUS_INTERFACE_STANDARD
    __attribute__((unused)) = {0x496B8280, 0x6F25, 0x11D0, {0xBE, 0xAF, 0x08, 0x00, 0x2B, 0xE2, 0x09, 0x2F}};

/* Code of DriverEntry and of what it alone calls: its memory is given back once DriverEntry has returned. */
#define AVB_INIT __attribute__((section("INIT")))

#else

#include <ntifs.h>

#define AVB_INIT

#endif

/* S-1-3-4: stands for the owner in an access list, and takes away what an owner has without one. Windows Vista. */
#ifndef SECURITY_CREATOR_OWNER_RIGHTS_RID
#define SECURITY_CREATOR_OWNER_RIGHTS_RID 4
#endif

/* Or'ed to the priority of MmGetSystemAddressForMdlSafe() and MmMapLockedPagesSpecifyCache(). Windows 8. */
#ifndef MdlMappingNoExecute
#define MdlMappingNoWrite   0x80000000u
#define MdlMappingNoExecute 0x40000000u
#endif

/* Annotations for Microsoft's static analysis, where the headers have none of them. */
#ifndef _In_
#define _In_
#define _In_opt_
#define _Out_
#define _Out_opt_
#define _Inout_
#define _Inout_opt_
#endif
#ifndef _In_reads_
#define _In_reads_(count)
#define _Out_writes_(count)
#endif
#ifndef _In_reads_bytes_
#define _In_reads_bytes_(bytes)
#define _In_reads_bytes_opt_(bytes)
#define _Out_writes_bytes_(bytes)
#define _Inout_updates_bytes_(bytes)
#endif
#ifndef _Outptr_
#define _Outptr_
#endif
#ifndef _Outptr_result_maybenull_
#define _Outptr_result_maybenull_
#endif
#ifndef _Ret_maybenull_
#define _Ret_maybenull_
#endif
#ifndef _Must_inspect_result_
#define _Must_inspect_result_
#endif
#ifndef _Use_decl_annotations_
#define _Use_decl_annotations_
#endif
#ifndef _IRQL_requires_max_
#define _IRQL_requires_max_(irql)
#endif
#ifndef _IRQL_requires_
#define _IRQL_requires_(irql)
#endif
#ifndef _IRQL_requires_same_
#define _IRQL_requires_same_
#endif
#ifndef _IRQL_raises_
#define _IRQL_raises_(irql)
#endif
#ifndef _IRQL_saves_
#define _IRQL_saves_
#endif
#ifndef _IRQL_restores_
#define _IRQL_restores_
#endif
#ifndef _Function_class_
#define _Function_class_(name)
#endif
#ifndef _Dispatch_type_
#define _Dispatch_type_(major)
#endif

#include <avb/avb_ptp_events.h>
#include "ndis6.h"

#ifdef _WIN32
/*
 * mingw-w64's layouts of what the driver looks into, against those of the kernel for x64 (public symbols of
 * ntoskrnl.exe, Windows 8.1 to Windows 10 2004).
 */
AVB_ASSERT_SIZE(MDL, 0x30);
AVB_ASSERT_OFFSET(MDL, MdlFlags, 0x0A);
AVB_ASSERT_OFFSET(MDL, MappedSystemVa, 0x18);
AVB_ASSERT_OFFSET(MDL, ByteCount, 0x28);
AVB_ASSERT_OFFSET(MDL, ByteOffset, 0x2C);
AVB_ASSERT_SIZE(IRP, 0xD0);
AVB_ASSERT_OFFSET(IRP, AssociatedIrp, 0x18);
AVB_ASSERT_OFFSET(IRP, IoStatus, 0x30);
AVB_ASSERT_OFFSET(IRP, RequestorMode, 0x40);
AVB_ASSERT_OFFSET(IRP, Tail.Overlay.CurrentStackLocation, 0xB8);
AVB_ASSERT_SIZE(IO_STACK_LOCATION, 0x48);
AVB_ASSERT_OFFSET(IO_STACK_LOCATION, Parameters.DeviceIoControl.OutputBufferLength, 0x08);
AVB_ASSERT_OFFSET(IO_STACK_LOCATION, Parameters.DeviceIoControl.InputBufferLength, 0x10);
AVB_ASSERT_OFFSET(IO_STACK_LOCATION, Parameters.DeviceIoControl.IoControlCode, 0x18);
AVB_ASSERT_OFFSET(IO_STACK_LOCATION, Parameters.QueryInterface.InterfaceType, 0x08);
AVB_ASSERT_OFFSET(IO_STACK_LOCATION, Parameters.QueryInterface.Size, 0x10);
AVB_ASSERT_OFFSET(IO_STACK_LOCATION, Parameters.QueryInterface.Version, 0x12);
AVB_ASSERT_OFFSET(IO_STACK_LOCATION, Parameters.QueryInterface.Interface, 0x18);
AVB_ASSERT_OFFSET(IO_STACK_LOCATION, Parameters.QueryInterface.InterfaceSpecificData, 0x20);
AVB_ASSERT_OFFSET(IO_STACK_LOCATION, DeviceObject, 0x28);
AVB_ASSERT_OFFSET(IO_STACK_LOCATION, FileObject, 0x30);
AVB_ASSERT_OFFSET(DEVICE_OBJECT, Flags, 0x30);
AVB_ASSERT_OFFSET(DEVICE_OBJECT, Characteristics, 0x34);
AVB_ASSERT_OFFSET(DEVICE_OBJECT, DeviceExtension, 0x40);
AVB_ASSERT_OFFSET(DEVICE_OBJECT, StackSize, 0x4C);
AVB_ASSERT_OFFSET(DRIVER_OBJECT, DriverUnload, 0x68);
AVB_ASSERT_OFFSET(DRIVER_OBJECT, MajorFunction, 0x70);
AVB_ASSERT_OFFSET(FILE_OBJECT, FsContext, 0x18);
AVB_ASSERT_OFFSET(FILE_OBJECT, FsContext2, 0x20);
AVB_ASSERT_OFFSET(FILE_OBJECT, FileName, 0x58);
AVB_ASSERT_SIZE(KAPC_STATE, 0x30);
AVB_ASSERT_SIZE(KEVENT, 0x18);
AVB_ASSERT_SIZE(KMUTEX, 0x38);
AVB_ASSERT_SIZE(KSPIN_LOCK, 8);
AVB_ASSERT_SIZE(OBJECT_ATTRIBUTES, 0x30);
AVB_ASSERT_SIZE(SECURITY_DESCRIPTOR, 0x28);
AVB_ASSERT_SIZE(ACL, 8);
AVB_ASSERT_SIZE(EXT_SET_PARAMETERS, 0x10);
AVB_ASSERT_SIZE(EVENT_DESCRIPTOR, 0x10);
AVB_ASSERT_SIZE(EVENT_DATA_DESCRIPTOR, 0x10);
AVB_ASSERT_SIZE(BUS_INTERFACE_STANDARD, 0x40);
AVB_ASSERT_OFFSET(BUS_INTERFACE_STANDARD, Context, 0x08);
AVB_ASSERT_OFFSET(BUS_INTERFACE_STANDARD, SetBusData, 0x30);
AVB_ASSERT_OFFSET(BUS_INTERFACE_STANDARD, GetBusData, 0x38);
#endif

#endif
