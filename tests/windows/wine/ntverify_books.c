/* SPDX-License-Identifier: MIT */
#include "ntdll.h"
#include "ntverify.h"
#include "verify_lab.h"

struct nt_lab_held held_now;

void held_add(INT64 *counter, INT64 change)
{
    if (!thread_is_own())
        __atomic_fetch_add(counter, change, __ATOMIC_RELAXED);
}

void nt_lab_held(struct nt_lab_held *held)
{
    INT64 *to = (INT64 *)(void *)held;
    const INT64 *from = (const INT64 *)(const void *)&held_now;
    for (UINT32 i = 0; i < sizeof *held / sizeof *to; i++)
        to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

/* ---- Breaches ---- */

static struct lock breach_lock;
static UINT64 breach_count;
static char first_breach[200];

static UINT32 append(char *text, UINT32 length, UINT32 size, const char *more)
{
    while (*more && length + 1 < size)
        text[length++] = *more++;
    text[length] = 0;
    return length;
}

void breach(const char *function, const char *what)
{
    lock_take(&breach_lock);
    if (breach_count++ == 0) {
        UINT32 length = append(first_breach, 0, sizeof first_breach, function);
        if (*what) {
            length = append(first_breach, length, sizeof first_breach, ": ");
            append(first_breach, length, sizeof first_breach, what);
        }
    }
    lock_drop(&breach_lock);
}

void nt_lab_breach(const char *text)
{
    breach(text, "");
}

UINT64 nt_lab_breaches(char *first, UINT32 size)
{
    pool_check();
    lock_take(&breach_lock);
    UINT64 count = breach_count;
    if (size)
        append(first, 0, size, first_breach);
    lock_drop(&breach_lock);
    return count;
}

void verify_forget_breaches(void)
{
    lock_take(&breach_lock);
    breach_count = 0;
    first_breach[0] = 0;
    lock_drop(&breach_lock);
}

/* ---- Failing calls ---- */

static INT64 calls_to_failure;
static UINT64 calls_that_can_fail;

UINT64 nt_lab_fail_nth(UINT64 n)
{
    __atomic_store_n(&calls_to_failure, (INT64)n, __ATOMIC_RELAXED);
    return __atomic_exchange_n(&calls_that_can_fail, 0, __ATOMIC_RELAXED);
}

int nt_lab_is_to_fail(void)
{
    if (thread_is_own())
        return 0;
    __atomic_fetch_add(&calls_that_can_fail, 1, __ATOMIC_RELAXED);
    return __atomic_fetch_sub(&calls_to_failure, 1, __ATOMIC_RELAXED) == 1;
}

DRIVER_INITIALIZE DriverEntry;

/* Wine takes what imports from ntdll.dll for no driver and calls its entry as a DLL's: not 0 is success. */
NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registry_path)
{
    UNREFERENCED_PARAMETER(driver);
    UNREFERENCED_PARAMETER(registry_path);
    return 1;
}

/* Memory of this process cannot be taken away from single threads: nothing to do. */
void nt_lab_forbid(const void *memory, UINT64 bytes, int on)
{
    (void)memory;
    (void)bytes;
    (void)on;
}

/* ---- Locks of the module's own ---- */

void lock_take(struct lock *lock)
{
    RtlAcquireSRWLockExclusive(&lock->word);
}

void lock_drop(struct lock *lock)
{
    RtlReleaseSRWLockExclusive(&lock->word);
}

int condition_wait(struct condition *condition, struct lock *lock, UINT32 milliseconds)
{
    LARGE_INTEGER timeout = {.QuadPart = -(INT64)milliseconds * 10000};
    return RtlSleepConditionVariableSRW(&condition->word, &lock->word, milliseconds == FOREVER ? NULL : &timeout, 0) ==
           STATUS_SUCCESS;
}

void condition_wake(struct condition *condition)
{
    RtlWakeAllConditionVariable(&condition->word);
}

int thread_start(void(NTAPI *body)(PVOID), PVOID context)
{
    HANDLE handle;
    if (!NT_SUCCESS(PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, body, context)))
        return 0;
    NtClose(handle);
    return 1;
}
