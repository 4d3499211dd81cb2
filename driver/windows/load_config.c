/* SPDX-License-Identifier: MIT */
/*
 * What the loader has to know of the image, and what a compiler's runtime would bring: the tables and the two
 * pointers of control flow guard, and the stack cookie. Windows only; the C runtime has it in other programs.
 * After the documentation "IMAGE_LOAD_CONFIG_DIRECTORY64 structure" and "PE Format, The Load Configuration
 * Structure".
 */
#include "nt.h"

/* As far as there is something to say; later fields are for what this image does not have. */
typedef struct _LOAD_CONFIG {
    UINT32 Size;
    UINT32 TimeDateStamp;
    UINT16 MajorVersion, MinorVersion;
    UINT32 GlobalFlagsClear, GlobalFlagsSet, CriticalSectionDefaultTimeout;
    UINT64 DeCommitFreeBlockThreshold, DeCommitTotalFreeThreshold;
    UINT64 LockPrefixTable, MaximumAllocationSize, VirtualMemoryThreshold, ProcessAffinityMask;
    UINT32 ProcessHeapFlags;
    UINT16 CSDVersion, DependentLoadFlags;
    UINT64 EditList;
    const void *SecurityCookie;
    UINT64 SEHandlerTable, SEHandlerCount;
    const void *GuardCFCheckFunctionPointer, *GuardCFDispatchFunctionPointer;
    const void *GuardCFFunctionTable, *GuardCFFunctionCount;
    const void *GuardFlags; /* 32 bits; what follows up to the next field is CodeIntegrity: 0 */
    UINT64 CodeIntegrity;
    const void *GuardAddressTakenIatEntryTable, *GuardAddressTakenIatEntryCount;
    const void *GuardLongJumpTargetTable, *GuardLongJumpTargetCount;
} LOAD_CONFIG;

AVB_ASSERT_OFFSET(LOAD_CONFIG, SecurityCookie, 0x58);
AVB_ASSERT_OFFSET(LOAD_CONFIG, GuardCFCheckFunctionPointer, 0x70);
AVB_ASSERT_OFFSET(LOAD_CONFIG, GuardCFFunctionTable, 0x80);
AVB_ASSERT_OFFSET(LOAD_CONFIG, GuardFlags, 0x90);
AVB_ASSERT_OFFSET(LOAD_CONFIG, GuardAddressTakenIatEntryTable, 0xA0);
AVB_ASSERT_OFFSET(LOAD_CONFIG, GuardLongJumpTargetTable, 0xB0);
AVB_ASSERT_SIZE(LOAD_CONFIG, 0xC0);

/* The linker's: tables, and counts and flags that are the addresses of these. */
extern const char __guard_fids_table[], __guard_fids_count[], __guard_flags[];
extern const char __guard_iat_table[], __guard_iat_count[], __guard_longjmp_table[], __guard_longjmp_count[];

/* Until the loader puts the kernel's own in place of them, all calls pass. */
void AvbGuardCheckNothing(void);
void AvbGuardDispatch(void);
__asm__(
    ".text\n"
    ".p2align 4\n"
    ".globl AvbGuardCheckNothing\n"
    "AvbGuardCheckNothing:\n"
    "    ret\n"
    ".p2align 4\n"
    ".globl AvbGuardDispatch\n"
    "AvbGuardDispatch:\n"
    "    jmpq *%rax\n");

/* Where the compiler calls through; the loader writes it, then it is read-only. */
#define GUARD_POINTER __attribute__((section(".00cfg"), used))
extern void (*const __guard_check_icall_fptr)(void);
extern void (*const __guard_dispatch_icall_fptr)(void);
GUARD_POINTER void (*const __guard_check_icall_fptr)(void) = AvbGuardCheckNothing;
GUARD_POINTER void (*const __guard_dispatch_icall_fptr)(void) = AvbGuardDispatch;

/* The loader replaces this value, by which it knows it, with one of its own before DriverEntry. */
extern UINT64 __stack_chk_guard;
UINT64 __stack_chk_guard = 0x00002B992DDFA232;

/* A function's frame was overwritten: the system stops, as with every driver's (FAST_FAIL_STACK_COOKIE_CHECK_FAILURE).
 */
_Noreturn void __stack_chk_fail(void);
_Noreturn void __stack_chk_fail(void)
{
    __asm__ volatile("int $0x29" : : "c"(2));
    __builtin_unreachable();
}

extern const LOAD_CONFIG _load_config_used;
const LOAD_CONFIG _load_config_used = {
    .Size = sizeof(LOAD_CONFIG),
    .SecurityCookie = &__stack_chk_guard,
    .GuardCFCheckFunctionPointer = &__guard_check_icall_fptr,
    .GuardCFDispatchFunctionPointer = &__guard_dispatch_icall_fptr,
    .GuardCFFunctionTable = __guard_fids_table,
    .GuardCFFunctionCount = __guard_fids_count,
    .GuardFlags = __guard_flags,
    .GuardAddressTakenIatEntryTable = __guard_iat_table,
    .GuardAddressTakenIatEntryCount = __guard_iat_count,
    .GuardLongJumpTargetTable = __guard_longjmp_table,
    .GuardLongJumpTargetCount = __guard_longjmp_count,
};
