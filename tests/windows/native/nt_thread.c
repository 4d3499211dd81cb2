/* SPDX-License-Identifier: MIT */
/* Whose thread runs: system threads, timers and work items, each on a thread of its own. */
#include "nt_double.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define NS_PER_SECOND 1000000000LL

_Thread_local PEPROCESS nt_current_process;
PEPROCESS PsInitialSystemProcess;

static _Thread_local PETHREAD this_thread; /* of PsCreateSystemThread() */
static _Thread_local struct _ETHREAD foreign_thread;

__attribute__((constructor)) static void start_system(void)
{
    PsInitialSystemProcess = nt_object_new(NT_KIND_PROCESS, sizeof *PsInitialSystemProcess, NULL);
    PsInitialSystemProcess->id = 4;
    PsInitialSystemProcess->is_system = 1;
}

/* The system process lives as long as the program: nothing of it is a leak. */
__attribute__((destructor)) static void end_system(void)
{
    nt_handles_close_all(PsInitialSystemProcess);
    nt_object_release(PsInitialSystemProcess);
}

static PEPROCESS own_process(void)
{
    return nt_current_process ? nt_current_process : PsInitialSystemProcess;
}

PEPROCESS PsGetCurrentProcess(void)
{
    return nt_attached_process ? nt_attached_process : own_process();
}

VOID KeStackAttachProcess(PKPROCESS Process, PKAPC_STATE ApcState)
{
    NT_IRQL_AT_MOST(APC_LEVEL);
    if (!nt_object_is(Process, NT_KIND_PROCESS)) {
        nt_breach("KeStackAttachProcess: %p is no process", (void *)Process);
        Process = NULL;
    }
    ApcState->Process = nt_attached_process;
    nt_attached_process = Process;
}

VOID KeUnstackDetachProcess(PKAPC_STATE ApcState)
{
    NT_IRQL_AT_MOST(APC_LEVEL);
    if (!nt_attached_process)
        nt_breach("KeUnstackDetachProcess: the thread is not attached");
    nt_attached_process = ApcState->Process;
}

PETHREAD nt_current_thread(void)
{
    if (this_thread)
        return this_thread;
    foreign_thread.header.kind = NT_THREAD;
    foreign_thread.process = own_process();
    return &foreign_thread;
}

PETHREAD PsGetCurrentThread(void)
{
    return nt_current_thread();
}

HANDLE PsGetProcessId(PEPROCESS Process)
{
    return ULongToHandle(Process->id);
}

HANDLE PsGetCurrentProcessId(void)
{
    return PsGetProcessId(PsGetCurrentProcess());
}

/* Nobody joins them: what they work on says when they are done. */
static void start_thread(void *(*routine)(void *), void *argument)
{
    pthread_attr_t attributes;
    pthread_t thread;
    if (pthread_attr_init(&attributes) || pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) ||
        pthread_create(&thread, &attributes, routine, argument))
        abort();
    pthread_attr_destroy(&attributes);
}

/* ---- System threads ---- */

struct start {
    PETHREAD thread;
    PKSTART_ROUTINE routine;
    PVOID context;
    int own;
};

static _Thread_local struct start *this_start;

static void end_thread(struct start *start)
{
    struct nt_bracket clean = {0};
    if (nt_irql != PASSIVE_LEVEL)
        nt_breach("a system thread ends at IRQL %u", nt_irql);
    nt_leave(&clean, "a system thread");
    nt_hold(&nt_held_now.threads, -1, start->own);
    this_thread = NULL;
    nt_signal(&start->thread->header);
    nt_object_release(start->thread);
    free(start);
}

static void *run_thread(void *argument)
{
    this_start = argument;
    this_thread = this_start->thread;
    this_start->routine(this_start->context);
    end_thread(this_start);
    return NULL;
}

NTSTATUS PsCreateSystemThread(PHANDLE ThreadHandle, ULONG DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                              HANDLE ProcessHandle, PCLIENT_ID ClientId, PKSTART_ROUTINE StartRoutine,
                              PVOID StartContext)
{
    NT_IRQL_AT_MOST(PASSIVE_LEVEL);
    if (ProcessHandle || ClientId)
        return STATUS_INVALID_PARAMETER;
    if (nt_fails())
        return STATUS_INSUFFICIENT_RESOURCES;
    PETHREAD thread = nt_object_new(NT_KIND_THREAD, sizeof *thread, NULL);
    thread->header.kind = NT_THREAD;
    thread->process = PsInitialSystemProcess;
    /* The handle is the system's even where the attributes do not ask for that. */
    NTSTATUS status = nt_handle_put(PsInitialSystemProcess, thread, DesiredAccess,
                                    ObjectAttributes ? ObjectAttributes->Attributes : 0, ThreadHandle);
    if (!NT_SUCCESS(status)) {
        nt_object_release(thread);
        return status;
    }
    struct start *start = nt_new(sizeof *start);
    *start = (struct start){thread, StartRoutine, StartContext, nt_own};
    nt_hold(&nt_held_now.threads, 1, nt_own);
    start_thread(run_thread, start);
    return STATUS_SUCCESS;
}

NTSTATUS PsTerminateSystemThread(NTSTATUS ExitStatus)
{
    (void)ExitStatus;
    NT_IRQL_AT_MOST(APC_LEVEL);
    if (!this_thread) {
        nt_breach("PsTerminateSystemThread: not in a system thread");
        return STATUS_INVALID_PARAMETER;
    }
    end_thread(this_start);
    pthread_exit(NULL);
}

/* ---- Timers ---- */

struct _EX_TIMER {
    struct nt_node node;
    PEXT_CALLBACK callback;
    PVOID context;
    int own;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    INT64 due; /* monotonic ns; 0: not set */
    INT64 period;
    int deleted, running, waited_for, counted_off;
    pthread_t thread;
};

static struct nt_table timers;

/* With the lock: no callback will run any more. */
static void count_off(PEX_TIMER timer)
{
    if (!timer->counted_off)
        nt_hold(&nt_held_now.timers, -1, timer->own);
    timer->counted_off = 1;
}

/* With the lock. */
static void free_timer(PEX_TIMER timer)
{
    count_off(timer);
    pthread_mutex_unlock(&timer->lock);
    pthread_mutex_destroy(&timer->lock);
    pthread_cond_destroy(&timer->changed);
    free(timer);
}

/* With the lock: sleeps until the timer is due, set anew or deleted. */
static void await_due(PEX_TIMER timer)
{
    if (!timer->due) {
        pthread_cond_wait(&timer->changed, &timer->lock);
        return;
    }
    struct timespec until = {.tv_sec = timer->due / NS_PER_SECOND, .tv_nsec = timer->due % NS_PER_SECOND};
    pthread_cond_timedwait(&timer->changed, &timer->lock, &until);
}

/* With the lock, which is given back meanwhile. */
static void expire(PEX_TIMER timer)
{
    timer->due = timer->period ? timer->due + timer->period : 0;
    timer->running = 1;
    pthread_mutex_unlock(&timer->lock);
    struct nt_bracket before = nt_enter(DISPATCH_LEVEL);
    if (timer->callback)
        timer->callback(timer, timer->context);
    if (nt_irql != DISPATCH_LEVEL)
        nt_breach("a timer's callback returned at IRQL %u", nt_irql);
    nt_leave(&before, "a timer's callback");
    pthread_mutex_lock(&timer->lock);
    timer->running = 0;
    pthread_cond_broadcast(&timer->changed);
}

static void *run_timer(void *argument)
{
    PEX_TIMER timer = argument;
    pthread_mutex_lock(&timer->lock);
    timer->thread = pthread_self();
    while (!timer->deleted || timer->due) {
        if (timer->due && timer->due <= nt_now_ns())
            expire(timer);
        else
            await_due(timer);
    }
    while (timer->waited_for) /* who waits frees nothing, but looks at it once more */
        pthread_cond_wait(&timer->changed, &timer->lock);
    free_timer(timer);
    return NULL;
}

PEX_TIMER ExAllocateTimer(PEXT_CALLBACK Callback, PVOID CallbackContext, ULONG Attributes)
{
    NT_IRQL_AT_MOST(DISPATCH_LEVEL);
    const ULONG exclusive = EX_TIMER_HIGH_RESOLUTION | EX_TIMER_NO_WAKE;
    if (Attributes & ~(exclusive | EX_TIMER_NOTIFICATION) || (Attributes & exclusive) == exclusive)
        nt_breach("ExAllocateTimer: attributes %x", Attributes);
    if (nt_fails())
        return NULL;
    PEX_TIMER timer = nt_new(sizeof *timer);
    timer->callback = Callback;
    timer->context = CallbackContext;
    timer->own = nt_own;
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) || pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) ||
        pthread_cond_init(&timer->changed, &attributes) || pthread_mutex_init(&timer->lock, NULL))
        abort();
    pthread_condattr_destroy(&attributes);
    nt_table_add(&timers, &timer->node, timer);
    nt_hold(&nt_held_now.timers, 1, nt_own);
    start_thread(run_timer, timer);
    return timer;
}

static int is_timer(PEX_TIMER timer, const char *function)
{
    if (nt_table_find(&timers, timer))
        return 1;
    nt_breach("%s: %p is no timer, or deleted", function, (void *)timer);
    return 0;
}

/* `due` 0: cancels. Whether it was set before. */
static BOOLEAN set_timer(PEX_TIMER timer, INT64 due, INT64 period)
{
    pthread_mutex_lock(&timer->lock);
    BOOLEAN was_set = timer->due != 0;
    timer->due = due;
    timer->period = period;
    pthread_cond_broadcast(&timer->changed);
    pthread_mutex_unlock(&timer->lock);
    return was_set;
}

BOOLEAN ExSetTimer(PEX_TIMER Timer, LONGLONG DueTime, LONGLONG Period, PEXT_SET_PARAMETERS Parameters)
{
    NT_IRQL_AT_MOST(DISPATCH_LEVEL);
    if (DueTime >= 0 || Period < 0 || (Parameters && Parameters->Version != 0))
        nt_breach("ExSetTimer: a due time that is not relative, a negative period, or parameters not initialised");
    return is_timer(Timer, __func__) ? set_timer(Timer, nt_now_ns() - DueTime * 100, Period * 100) : FALSE;
}

BOOLEAN ExCancelTimer(PEX_TIMER Timer, PEXT_CANCEL_PARAMETERS Parameters)
{
    (void)Parameters;
    NT_IRQL_AT_MOST(DISPATCH_LEVEL);
    return is_timer(Timer, __func__) ? set_timer(Timer, 0, 0) : FALSE;
}

BOOLEAN ExDeleteTimer(PEX_TIMER Timer, BOOLEAN Cancel, BOOLEAN Wait, PEXT_DELETE_PARAMETERS Parameters)
{
    NT_IRQL_AT_MOST(Wait ? APC_LEVEL : DISPATCH_LEVEL);
    if (Parameters && Parameters->DeleteCallback)
        nt_breach("ExDeleteTimer: a delete callback, which the double does not call");
    if (!nt_table_take(&timers, Timer)) {
        nt_breach("ExDeleteTimer: %p is no timer, or deleted", (void *)Timer);
        return FALSE;
    }
    pthread_mutex_lock(&Timer->lock);
    if (Wait && (!Cancel || (Timer->running && pthread_equal(Timer->thread, pthread_self())))) {
        nt_breach("ExDeleteTimer: waits without cancelling, or in its own callback");
        Wait = FALSE;
    }
    BOOLEAN was_set = Cancel && Timer->due != 0;
    if (Cancel)
        Timer->due = Timer->period = 0;
    Timer->deleted = 1;
    Timer->period = 0;
    Timer->waited_for = Wait;
    pthread_cond_broadcast(&Timer->changed);
    while (Wait && Timer->running)
        pthread_cond_wait(&Timer->changed, &Timer->lock);
    if (!Timer->running && !Timer->due)
        count_off(Timer);
    Timer->waited_for = 0;
    pthread_cond_broadcast(&Timer->changed);
    pthread_mutex_unlock(&Timer->lock);
    return was_set;
}

/* ---- Work items ---- */

struct _IO_WORKITEM {
    struct nt_node node;
    PDEVICE_OBJECT device;
    PIO_WORKITEM_ROUTINE routine;
    PVOID context;
    UINT32 queued; /* atomic */
    int own;
};

static struct nt_table work_items;

PIO_WORKITEM IoAllocateWorkItem(PDEVICE_OBJECT DeviceObject)
{
    NT_IRQL_AT_MOST(DISPATCH_LEVEL);
    if (nt_fails())
        return NULL;
    PIO_WORKITEM item = nt_new(sizeof *item);
    item->device = DeviceObject;
    item->own = nt_own;
    nt_table_add(&work_items, &item->node, item);
    nt_hold(&nt_held_now.work_items, 1, nt_own);
    return item;
}

VOID IoFreeWorkItem(PIO_WORKITEM IoWorkItem)
{
    NT_IRQL_AT_MOST(DISPATCH_LEVEL);
    if (!nt_table_take(&work_items, IoWorkItem)) {
        nt_breach("IoFreeWorkItem: %p is no work item", (void *)IoWorkItem);
        return;
    }
    if (__atomic_load_n(&IoWorkItem->queued, __ATOMIC_ACQUIRE))
        nt_breach("IoFreeWorkItem: it is queued");
    nt_hold(&nt_held_now.work_items, -1, IoWorkItem->own);
    free(IoWorkItem);
}

static void *run_work(void *argument)
{
    PIO_WORKITEM item = argument;
    PDEVICE_OBJECT device = item->device;
    PVOID context = item->context;
    PIO_WORKITEM_ROUTINE routine = item->routine;
    /* The routine may free the item, or queue it again. */
    __atomic_store_n(&item->queued, 0, __ATOMIC_RELEASE);
    struct nt_bracket before = nt_enter(PASSIVE_LEVEL);
    routine(device, context);
    if (nt_irql != PASSIVE_LEVEL)
        nt_breach("a work item returned at IRQL %u", nt_irql);
    nt_leave(&before, "a work item");
    if (device) /* which keeps the driver loaded */
        nt_object_release(device);
    return NULL;
}

VOID IoQueueWorkItem(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE WorkerRoutine, WORK_QUEUE_TYPE QueueType,
                     PVOID Context)
{
    (void)QueueType;
    NT_IRQL_AT_MOST(DISPATCH_LEVEL);
    if (__atomic_exchange_n(&IoWorkItem->queued, 1, __ATOMIC_ACQ_REL)) {
        nt_breach("IoQueueWorkItem: it is queued already");
        return;
    }
    IoWorkItem->routine = WorkerRoutine;
    IoWorkItem->context = Context;
    if (IoWorkItem->device)
        nt_object_reference(IoWorkItem->device);
    start_thread(run_work, IoWorkItem);
}
