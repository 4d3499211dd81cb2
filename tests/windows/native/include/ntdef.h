/* SPDX-License-Identifier: MIT */
/*
 * The kernel's basic types and macros, natively: the WDK's names, with the widths that they have on
 * Windows whatever `long` and wchar_t are here. L"" needs -fshort-wchar.
 */
#ifndef PTPMON_NATIVE_NTDEF_H
#define PTPMON_NATIVE_NTDEF_H

#include <avb/avb_ptp_events.h>

#include <stdint.h>
#include <string.h>

/* ---- Annotations: nothing ---- */
#define _In_
#define _In_opt_
#define _In_z_
#define _In_reads_(n)
#define _In_reads_opt_(n)
#define _In_reads_bytes_(n)
#define _In_reads_bytes_opt_(n)
#define _Out_
#define _Out_opt_
#define _Out_writes_(n)
#define _Out_writes_all_(n)
#define _Out_writes_opt_(n)
#define _Out_writes_to_(n, m)
#define _Out_writes_bytes_(n)
#define _Out_writes_bytes_opt_(n)
#define _Out_writes_bytes_all_(n)
#define _Out_writes_bytes_to_(n, m)
#define _Inout_
#define _Inout_opt_
#define _Inout_updates_(n)
#define _Inout_updates_bytes_(n)
#define _Outptr_
#define _Outptr_opt_
#define _Outptr_result_maybenull_
#define _Outptr_result_nullonfailure_
#define _Ret_maybenull_
#define _Ret_notnull_
#define _Ret_range_(low, high)
#define _Field_size_(n)
#define _Field_size_bytes_(n)
#define _Pre_maybenull_
#define _Post_invalid_
#define _Post_maybenull_
#define _Post_satisfies_(x)
#define _Frees_ptr_opt_
#define _Reserved_
#define _Notnull_
#define _Maybenull_
#define _Null_terminated_
#define _Printf_format_string_
#define _Must_inspect_result_
#define _Check_return_
#define _Success_(x)
#define _Return_type_success_(x)
#define _When_(condition, annotations)
#define _At_(target, annotations)
#define _Use_decl_annotations_
#define _Function_class_(name)
#define _Dispatch_type_(code)
#define _Analysis_assume_(x)
#define _Acquires_lock_(lock)
#define _Releases_lock_(lock)
#define _Requires_lock_held_(lock)
#define _Requires_lock_not_held_(lock)
#define _Guarded_by_(lock)
#define _Interlocked_operand_
#define _IRQL_always_function_max_(irql)
#define _IRQL_requires_(irql)
#define _IRQL_requires_max_(irql)
#define _IRQL_requires_min_(irql)
#define _IRQL_requires_same_
#define _IRQL_raises_(irql)
#define _IRQL_saves_
#define _IRQL_restores_
#define __drv_allocatesMem(kind)
#define __drv_freesMem(kind)
#define __drv_aliasesMem
#define __drv_maxIRQL(irql)
#define __drv_requiresIRQL(irql)
#define IN
#define OUT
#define OPTIONAL

/* ---- Declarators ---- */
#define NTAPI
#define FASTCALL
#define NTKERNELAPI
#define NTSYSAPI
#define NTSYSCALLAPI
#define DECLSPEC_IMPORT
#define DECLSPEC_NORETURN           __attribute__((noreturn))
#define DECLSPEC_ALIGN(n)           __attribute__((aligned(n)))
#define FORCEINLINE                 static inline __attribute__((always_inline))
#define CONST                       const
#define VOID                        void
#define C_ASSERT(x)                 _Static_assert(x, #x)
#define PAGED_CODE()                nt_paged_code(__func__)
#define TRUE                        1
#define FALSE                       0
#define ANYSIZE_ARRAY               1
#define MEMORY_ALLOCATION_ALIGNMENT 16
#define SYSTEM_CACHE_ALIGNMENT_SIZE 64
#define DECLSPEC_CACHEALIGN         DECLSPEC_ALIGN(SYSTEM_CACHE_ALIGNMENT_SIZE)

/* ---- Types ---- */
typedef char CHAR, *PCHAR;
typedef const char *PCSTR, *LPCSTR;
typedef UCHAR *PUCHAR;
typedef UCHAR BOOLEAN, *PBOOLEAN, BYTE, *PBYTE;
typedef int16_t SHORT, *PSHORT;
typedef uint16_t USHORT, *PUSHORT;
typedef int32_t INT, LONG, *PLONG, BOOL;
typedef uint32_t UINT, ULONG, *PULONG, DWORD, ULONG32;
typedef int64_t LONGLONG, *PLONGLONG, LONG64;
typedef uint64_t ULONGLONG, *PULONGLONG, ULONG64, *PULONG64, DWORDLONG;
typedef int8_t INT8;
typedef int16_t INT16;
typedef UINT8 *PUINT8;
typedef UINT16 *PUINT16;
typedef UINT32 *PUINT32;
typedef UINT64 *PUINT64;
typedef intptr_t INT_PTR, LONG_PTR;
typedef uintptr_t UINT_PTR, ULONG_PTR, *PULONG_PTR, KAFFINITY;
typedef size_t SIZE_T, *PSIZE_T;
typedef uint16_t WCHAR, *PWCHAR, *PWSTR, *LPWSTR, *PWCH;
typedef const uint16_t *PCWSTR, *LPCWSTR, *PCWCH;
typedef void *PVOID, *HANDLE, **PHANDLE, *LPVOID;
typedef const void *PCVOID, *LPCVOID;
typedef LONG NTSTATUS, *PNTSTATUS, HRESULT;
typedef ULONG ACCESS_MASK, *PACCESS_MASK, LOGICAL;
typedef UCHAR KIRQL, *PKIRQL;
typedef CHAR CCHAR, KPROCESSOR_MODE, MODE_CHAR;
typedef LONG KPRIORITY;

enum _MODE { KernelMode, UserMode, MaximumMode };

typedef union _LARGE_INTEGER {
    struct {
        ULONG LowPart;
        LONG HighPart;
    };
    struct {
        ULONG LowPart;
        LONG HighPart;
    } u;
    LONGLONG QuadPart;
} LARGE_INTEGER, *PLARGE_INTEGER;
typedef union _ULARGE_INTEGER {
    struct {
        ULONG LowPart;
        ULONG HighPart;
    };
    ULONGLONG QuadPart;
} ULARGE_INTEGER, *PULARGE_INTEGER;
typedef LARGE_INTEGER PHYSICAL_ADDRESS, *PPHYSICAL_ADDRESS;

typedef struct _LIST_ENTRY {
    struct _LIST_ENTRY *Flink, *Blink;
} LIST_ENTRY, *PLIST_ENTRY;
typedef struct _SINGLE_LIST_ENTRY {
    struct _SINGLE_LIST_ENTRY *Next;
} SINGLE_LIST_ENTRY, *PSINGLE_LIST_ENTRY;

typedef struct _UNICODE_STRING {
    USHORT Length, MaximumLength; /* bytes */
    PWCH Buffer;                  /* not terminated */
} UNICODE_STRING, *PUNICODE_STRING;
typedef const UNICODE_STRING *PCUNICODE_STRING;

typedef struct _GUID {
    ULONG Data1;
    USHORT Data2, Data3;
    UCHAR Data4[8];
} GUID, *PGUID, *LPGUID;
typedef const GUID *LPCGUID;
#define IsEqualGUID(a, b) (memcmp((a), (b), sizeof(GUID)) == 0)

/* As <guiddef.h>: a declaration, or after <initguid.h> a definition. */
#ifdef INITGUID
#define DEFINE_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8) \
    extern const GUID name; \
    __attribute__((weak)) const GUID name = {l, w1, w2, {b1, b2, b3, b4, b5, b6, b7, b8}}
#else
#define DEFINE_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8) extern const GUID name
#endif

/* ---- Macros ---- */
#define UNREFERENCED_PARAMETER(p)               ((void)(p))
#define DBG_UNREFERENCED_PARAMETER(p)           ((void)(p))
#define NOTHING                                 ((void)0)
#define FIELD_OFFSET(type, field)               ((LONG)offsetof(type, field))
#define RTL_SIZEOF_THROUGH_FIELD(type, field)   (offsetof(type, field) + sizeof(((type *)0)->field))
#define RTL_FIELD_SIZE(type, field)             (sizeof(((type *)0)->field))
#define CONTAINING_RECORD(address, type, field) ((type *)(void *)((char *)(address)-offsetof(type, field)))
#define RTL_NUMBER_OF(a)                        (sizeof(a) / sizeof((a)[0]))
#define ARRAYSIZE(a)                            RTL_NUMBER_OF(a)
#define PAGE_SIZE                               0x1000
#define PAGE_SHIFT                              12
#define ROUND_TO_PAGES(size)                    (((ULONG_PTR)(size) + PAGE_SIZE - 1) & ~(ULONG_PTR)(PAGE_SIZE - 1))
#define BYTE_OFFSET(va)                         ((ULONG)((ULONG_PTR)(va) & (PAGE_SIZE - 1)))
#define PAGE_ALIGN(va)                          ((PVOID)((ULONG_PTR)(va) & ~(ULONG_PTR)(PAGE_SIZE - 1)))
#define ALIGN_DOWN_BY(n, alignment)             ((ULONG_PTR)(n) & ~((ULONG_PTR)(alignment)-1))
#define ALIGN_UP_BY(n, alignment)               ALIGN_DOWN_BY((ULONG_PTR)(n) + (alignment)-1, alignment)
#define HandleToULong(h)                        ((ULONG)(ULONG_PTR)(h))
#define ULongToHandle(u)                        ((HANDLE)(ULONG_PTR)(u))
#define MAXUSHORT                               0xffff
#define MAXULONG                                0xffffffffu
#define MAXLONG                                 0x7fffffff
#define MAXLONGLONG                             0x7fffffffffffffffLL
#define MAXULONGLONG                            0xffffffffffffffffULL
#define NT_ASSERT(x)                            ((void)sizeof(x))
#define ASSERT(x)                               NT_ASSERT(x)

#define RtlZeroMemory(to, n)       memset((to), 0, (n))
#define RtlFillMemory(to, n, byte) memset((to), (byte), (n))
#define RtlCopyMemory(to, from, n) memcpy((to), (from), (n))
#define RtlMoveMemory(to, from, n) memmove((to), (from), (n))
#define RtlEqualMemory(a, b, n)    (memcmp((a), (b), (n)) == 0)

#define RTL_CONSTANT_STRING(s) \
    { \
        sizeof(s) - sizeof((s)[0]), sizeof(s), (PWCH)(ULONG_PTR)(s) \
    }
#define DECLARE_CONST_UNICODE_STRING(name, string) \
    static const WCHAR name##_buffer[] = string; \
    static const UNICODE_STRING name = {sizeof(string) - sizeof(WCHAR), sizeof(string), (PWCH)(ULONG_PTR)name##_buffer}

FORCEINLINE VOID InitializeListHead(LIST_ENTRY *head)
{
    head->Flink = head->Blink = head;
}

FORCEINLINE BOOLEAN IsListEmpty(const LIST_ENTRY *head)
{
    return head->Flink == head;
}

FORCEINLINE VOID InsertHeadList(LIST_ENTRY *head, LIST_ENTRY *entry)
{
    entry->Flink = head->Flink;
    entry->Blink = head;
    head->Flink->Blink = entry;
    head->Flink = entry;
}

FORCEINLINE VOID InsertTailList(LIST_ENTRY *head, LIST_ENTRY *entry)
{
    entry->Flink = head;
    entry->Blink = head->Blink;
    head->Blink->Flink = entry;
    head->Blink = entry;
}

/* TRUE: the list is empty now. */
FORCEINLINE BOOLEAN RemoveEntryList(LIST_ENTRY *entry)
{
    entry->Blink->Flink = entry->Flink;
    entry->Flink->Blink = entry->Blink;
    return entry->Flink == entry->Blink;
}

FORCEINLINE LIST_ENTRY *RemoveHeadList(LIST_ENTRY *head)
{
    LIST_ENTRY *entry = head->Flink;
    RemoveEntryList(entry);
    return entry;
}

FORCEINLINE LIST_ENTRY *RemoveTailList(LIST_ENTRY *head)
{
    LIST_ENTRY *entry = head->Blink;
    RemoveEntryList(entry);
    return entry;
}

/* ---- Status ---- */
#define NT_SUCCESS(status)     ((NTSTATUS)(status) >= 0)
#define NT_INFORMATION(status) ((ULONG)(status) >> 30 == 1)
#define NT_WARNING(status)     ((ULONG)(status) >> 30 == 2)
#define NT_ERROR(status)       ((ULONG)(status) >> 30 == 3)

#define STATUS_SUCCESS                  ((NTSTATUS)0x00000000)
#define STATUS_TIMEOUT                  ((NTSTATUS)0x00000102)
#define STATUS_PENDING                  ((NTSTATUS)0x00000103)
#define STATUS_BUFFER_OVERFLOW          ((NTSTATUS)0x80000005)
#define STATUS_NO_MORE_ENTRIES          ((NTSTATUS)0x8000001A)
#define STATUS_UNSUCCESSFUL             ((NTSTATUS)0xC0000001)
#define STATUS_NOT_IMPLEMENTED          ((NTSTATUS)0xC0000002)
#define STATUS_ACCESS_VIOLATION         ((NTSTATUS)0xC0000005)
#define STATUS_INVALID_HANDLE           ((NTSTATUS)0xC0000008)
#define STATUS_HANDLE_NOT_CLOSABLE      ((NTSTATUS)0xC0000235)
#define STATUS_INVALID_PARAMETER        ((NTSTATUS)0xC000000D)
#define STATUS_NO_SUCH_DEVICE           ((NTSTATUS)0xC000000E)
#define STATUS_INVALID_DEVICE_REQUEST   ((NTSTATUS)0xC0000010)
#define STATUS_MORE_PROCESSING_REQUIRED ((NTSTATUS)0xC0000016)
#define STATUS_NO_MEMORY                ((NTSTATUS)0xC0000017)
#define STATUS_ACCESS_DENIED            ((NTSTATUS)0xC0000022)
#define STATUS_BUFFER_TOO_SMALL         ((NTSTATUS)0xC0000023)
#define STATUS_OBJECT_TYPE_MISMATCH     ((NTSTATUS)0xC0000024)
#define STATUS_OBJECT_NAME_INVALID      ((NTSTATUS)0xC0000033)
#define STATUS_OBJECT_NAME_NOT_FOUND    ((NTSTATUS)0xC0000034)
#define STATUS_OBJECT_NAME_COLLISION    ((NTSTATUS)0xC0000035)
#define STATUS_OBJECT_PATH_NOT_FOUND    ((NTSTATUS)0xC000003A)
#define STATUS_SECTION_PROTECTION       ((NTSTATUS)0xC000004E)
#define STATUS_UNKNOWN_REVISION         ((NTSTATUS)0xC0000058)
#define STATUS_REVISION_MISMATCH        ((NTSTATUS)0xC0000059)
#define STATUS_INVALID_ACL              ((NTSTATUS)0xC0000077)
#define STATUS_INVALID_SID              ((NTSTATUS)0xC0000078)
#define STATUS_INVALID_SECURITY_DESCR   ((NTSTATUS)0xC0000079)
#define STATUS_ALLOTTED_SPACE_EXCEEDED  ((NTSTATUS)0xC0000099)
#define STATUS_PRIVILEGE_NOT_HELD       ((NTSTATUS)0xC0000061)
#define STATUS_DELETE_PENDING           ((NTSTATUS)0xC0000056)
#define STATUS_INSUFFICIENT_RESOURCES   ((NTSTATUS)0xC000009A)
#define STATUS_DEVICE_NOT_READY         ((NTSTATUS)0xC00000A3)
#define STATUS_INVALID_DEVICE_STATE     ((NTSTATUS)0xC0000184)
#define STATUS_NOT_SUPPORTED            ((NTSTATUS)0xC00000BB)
#define STATUS_INTERNAL_ERROR           ((NTSTATUS)0xC00000E5)
#define STATUS_INVALID_PARAMETER_1      ((NTSTATUS)0xC00000EF)
#define STATUS_PROCESS_IS_TERMINATING   ((NTSTATUS)0xC000010A)
#define STATUS_CANCELLED                ((NTSTATUS)0xC0000120)
#define STATUS_NO_SUCH_FILE             ((NTSTATUS)0xC000000F)
#define STATUS_INTEGER_OVERFLOW         ((NTSTATUS)0xC0000095)
#define STATUS_INVALID_BUFFER_SIZE      ((NTSTATUS)0xC0000206)
#define STATUS_INFO_LENGTH_MISMATCH     ((NTSTATUS)0xC0000004)
#define STATUS_NOT_FOUND                ((NTSTATUS)0xC0000225)
#define STATUS_DEVICE_BUSY              ((NTSTATUS)0x80000011)
#define STATUS_DEVICE_REMOVED           ((NTSTATUS)0xC00002B6)
#define STATUS_DEVICE_DOES_NOT_EXIST    ((NTSTATUS)0xC00000C0)
#define STATUS_WORKING_SET_QUOTA        ((NTSTATUS)0xC00000A1)
#define STATUS_TOO_LATE                 ((NTSTATUS)0xC0000189)
#define STATUS_ALREADY_REGISTERED       ((NTSTATUS)0xC0000718)
#define STATUS_SHUTDOWN_IN_PROGRESS     ((NTSTATUS)0xC00002FE)
#define STATUS_INVALID_OWNER            ((NTSTATUS)0xC000005A)

/* PAGED_CODE(): a breach at DISPATCH_LEVEL. */
void nt_paged_code(const char *function);

#endif
