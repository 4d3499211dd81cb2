/* SPDX-License-Identifier: MIT */
/* Timers of Ex...Timer, which Wine lacks: a thread for each, which calls back at DISPATCH_LEVEL. */
#include "ntdll.h"
#include "ntverify.h"

#define TIMER_TAG 'remT'

struct timer {
    struct lock lock;
    struct condition changed;
    PEXT_CALLBACK callback;
    PVOID context;
    INT64 due;     /* system time, 100 ns; 0: not set */
    INT64 period;  /* 100 ns; 0: once */
    UINT32 caller; /* the thread that calls back */
    int calling, ended, gone;
};

static INT64 now(void)
{
    LARGE_INTEGER time;
    NtQuerySystemTime(&time);
    return time.QuadPart;
}

static void call_back(struct timer *timer)
{
    timer->due = timer->period ? timer->due + timer->period : 0;
    timer->calling = 1;
    lock_drop(&timer->lock);
    irql_set(DISPATCH_LEVEL);
    timer->callback((PVOID)timer, timer->context);
    if (irql_set(PASSIVE_LEVEL) != DISPATCH_LEVEL)
        breach("timer callback", "returned at another IRQL");
    lock_take(&timer->lock);
    timer->calling = 0;
    condition_wake(&timer->changed);
}

static void NTAPI run(PVOID context)
{
    struct timer *timer = context;
    lock_take(&timer->lock);
    timer->caller = thread_id();
    while (!timer->ended) {
        INT64 left = timer->due ? timer->due - now() : 0;
        if (!timer->due)
            condition_wait(&timer->changed, &timer->lock, FOREVER);
        else if (left > 0)
            condition_wait(&timer->changed, &timer->lock, (UINT32)((left + 9999) / 10000));
        else
            call_back(timer);
    }
    timer->gone = 1;
    condition_wake(&timer->changed);
    lock_drop(&timer->lock);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

PEX_TIMER NTAPI verify_ExAllocateTimer(PEXT_CALLBACK callback, PVOID context, ULONG attributes)
{
    (void)attributes;
    irql_at_most("ExAllocateTimer", DISPATCH_LEVEL);
    if (nt_lab_is_to_fail())
        return NULL;
    struct timer *timer = ExAllocatePoolWithTag(NonPagedPool, sizeof *timer, TIMER_TAG);
    if (!timer)
        return NULL;
    *timer = (struct timer){.callback = callback, .context = context};
    if (!thread_start(run, timer)) {
        ExFreePoolWithTag(timer, TIMER_TAG);
        return NULL;
    }
    held_add(&held_now.timers, 1);
    return (PVOID)timer;
}

/* Sets or, with due 0, cancels; whether it was set. */
static BOOLEAN set(struct timer *timer, INT64 due, INT64 period)
{
    lock_take(&timer->lock);
    BOOLEAN was_set = timer->due != 0;
    timer->due = due;
    timer->period = period;
    condition_wake(&timer->changed);
    lock_drop(&timer->lock);
    return was_set;
}

BOOLEAN NTAPI verify_ExSetTimer(PEX_TIMER reference, LONGLONG due, LONGLONG period, EXT_SET_PARAMETERS *parameters)
{
    (void)parameters;
    irql_at_most("ExSetTimer", DISPATCH_LEVEL);
    if (period < 0)
        breach("ExSetTimer", "a negative period");
    return set((PVOID)reference, due <= 0 ? now() - due : due, period);
}

BOOLEAN NTAPI verify_ExCancelTimer(PEX_TIMER reference, PVOID parameters)
{
    (void)parameters;
    irql_at_most("ExCancelTimer", DISPATCH_LEVEL);
    return set((PVOID)reference, 0, 0);
}

BOOLEAN NTAPI verify_ExDeleteTimer(PEX_TIMER reference, BOOLEAN cancel, BOOLEAN wait, EXT_DELETE_PARAMETERS *parameters)
{
    struct timer *timer = (PVOID)reference;
    (void)parameters;
    irql_at_most("ExDeleteTimer", wait ? APC_LEVEL : DISPATCH_LEVEL);
    if (!cancel || !wait)
        breach("ExDeleteTimer", "may return while the timer still calls back");
    if (timer->caller == thread_id()) {
        breach("ExDeleteTimer", "waits for itself");
        return FALSE;
    }
    BOOLEAN was_set = set(timer, 0, 0);
    lock_take(&timer->lock);
    timer->ended = 1;
    condition_wake(&timer->changed);
    while (!timer->gone)
        condition_wait(&timer->changed, &timer->lock, FOREVER);
    lock_drop(&timer->lock);
    held_add(&held_now.timers, -1);
    ExFreePoolWithTag(timer, TIMER_TAG);
    return was_set;
}
