/* SPDX-License-Identifier: MIT */
#include "ndis_double.h"

/* ---- Gates ---- */

#define CLOSED 1u
#define INSIDE 2u

void lab_gate_init(struct lab_gate *gate)
{
    gate->word = CLOSED;
    gate->opened = 0;
}

void lab_gate_open(struct lab_gate *gate)
{
    __atomic_store_n(&gate->opened, gate->opened + 1, __ATOMIC_RELEASE);
    __atomic_fetch_and(&gate->word, ~(UINT64)CLOSED, __ATOMIC_RELEASE);
}

void lab_gate_close(struct lab_gate *gate)
{
    __atomic_fetch_or(&gate->word, CLOSED, __ATOMIC_ACQ_REL);
}

void lab_gate_drain(struct lab_gate *gate)
{
    while (__atomic_load_n(&gate->word, __ATOMIC_ACQUIRE) > CLOSED)
        lab_sleep(20);
}

void lab_gate_leave(struct lab_gate *gate)
{
    __atomic_fetch_sub(&gate->word, INSIDE, __ATOMIC_RELEASE);
}

/*
 * The count is relaxed, so that one who enters is not ordered after those who left: only what opened the
 * gate is seen, by its own word. A locked instruction comes between the two on x86, so the order of the loads holds.
 */
int lab_gate_enter(struct lab_gate *gate)
{
    if (__atomic_fetch_add(&gate->word, INSIDE, __ATOMIC_RELAXED) & CLOSED) {
        lab_gate_leave(gate);
        return 0;
    }
    (void)__atomic_load_n(&gate->opened, __ATOMIC_ACQUIRE);
    return 1;
}

void lab_gate_force(struct lab_gate *gate)
{
    __atomic_fetch_add(&gate->word, INSIDE, __ATOMIC_RELAXED);
    (void)__atomic_load_n(&gate->opened, __ATOMIC_ACQUIRE);
}

int lab_gate_is_open(const struct lab_gate *gate)
{
    return (__atomic_load_n(&gate->word, __ATOMIC_ACQUIRE) & CLOSED) == 0;
}

/* ---- Locks and events ---- */

void lab_lock_init(struct lab_lock *lock)
{
    KeInitializeEvent(&lock->free, SynchronizationEvent, TRUE);
}

void lab_lock(struct lab_lock *lock)
{
    KeWaitForSingleObject(&lock->free, Executive, KernelMode, FALSE, NULL);
}

void lab_unlock(struct lab_lock *lock)
{
    KeSetEvent(&lock->free, 0, FALSE);
}

static UINT32 patience_ms = 20000;

void lab_set_patience(UINT32 milliseconds)
{
    patience_ms = milliseconds;
}

/* Relative times are negative, in 100 ns. */
int lab_await(KEVENT *event)
{
    LARGE_INTEGER timeout = {.QuadPart = -(INT64)patience_ms * 10000};
    return KeWaitForSingleObject(event, Executive, KernelMode, FALSE, &timeout) == STATUS_SUCCESS;
}

void lab_sleep(UINT32 microseconds)
{
    LARGE_INTEGER interval = {.QuadPart = -(INT64)microseconds * 10};
    KeDelayExecutionThread(KernelMode, FALSE, &interval);
}

static UINT32 delay_us;

void lab_set_delay(UINT32 microseconds)
{
    delay_us = microseconds;
}

void lab_delay(void)
{
    if (delay_us > 0)
        lab_sleep(delay_us);
}

/* ---- Threads ---- */

static VOID NTAPI thread_body(PVOID context)
{
    struct lab_thread *thread = context;
    thread->body(thread->context);
    KeSetEvent(&thread->over, 0, FALSE); /* `thread` is the joiner's from here on */
    PsTerminateSystemThread(STATUS_SUCCESS);
}

void lab_thread_start(struct lab_thread *thread, void (*body)(void *context), void *context)
{
    thread->body = body;
    thread->context = context;
    KeInitializeEvent(&thread->over, NotificationEvent, FALSE);
    HANDLE handle = NULL;
    nt_lab_own(1);
    NTSTATUS status = PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, thread_body, thread);
    if (NT_SUCCESS(status))
        ZwClose(handle);
    nt_lab_own(0);
    if (!NT_SUCCESS(status)) {
        nt_lab_breach("the NDIS double has no thread for itself");
        __builtin_trap();
    }
}

void lab_thread_join(struct lab_thread *thread)
{
    KeWaitForSingleObject(&thread->over, Executive, KernelMode, FALSE, NULL);
}
