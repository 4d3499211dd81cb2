/* SPDX-License-Identifier: MIT */
/*
 * The verifier module: stands between a driver and Wine's ntoskrnl. It supplies what that lacks, counts what is
 * held, fails calls when asked to, and notes breaches of the kernel's rules (nt_lab.h).
 *
 * Each function of the kernel that it replaces is called verify_<name> here; ntverify.def exports it under its name.
 * Where it forwards, the name alone is Wine's.
 */
#ifndef PTPMON_NTVERIFY_H
#define PTPMON_NTVERIFY_H

#include "nt.h"
#include "nt_lab.h"

/* ---- Books ---- */

/* What is held now: nt_lab_held() copies it. Moved by held_add() alone. */
extern struct nt_lab_held held_now;

/* Adds to a counter of held_now, unless the call is the NDIS double's own (nt_lab_own()). */
void held_add(INT64 *counter, INT64 change);

/* Notes a breach: "<function>: <what>". */
void breach(const char *function, const char *what);

/* Looks for writes to memory that was freed lately: breaches. */
void pool_check(void);

/* ---- This thread ---- */

KIRQL irql_now(void);
KIRQL irql_set(KIRQL irql); /* returns the one before */

/* A breach where the thread's IRQL is above `highest`. */
void irql_at_most(const char *function, KIRQL highest);

UINT32 thread_id(void);
int thread_is_own(void); /* between the brackets of nt_lab_own() */

/* The process that the thread is attached to; NULL: none. The second returns the one before. */
PEPROCESS process_attached(void);
PEPROCESS process_attach(PEPROCESS process);

/* ---- A lock for the module's own tables; not recursive. ---- */

struct lock {
    PVOID word;
};
struct condition {
    PVOID word;
};

#define FOREVER 0xFFFFFFFFu

void lock_take(struct lock *lock);
void lock_drop(struct lock *lock);
/* 0: `milliseconds` have passed. */
int condition_wait(struct condition *condition, struct lock *lock, UINT32 milliseconds);
void condition_wake(struct condition *condition);

/* Starts a thread of the kernel; 0: there is none. */
int thread_start(void(NTAPI *body)(PVOID), PVOID context);

/* ---- Objects: ntverify_objects.c ---- */

/* The driver got a reference of an object that is not Wine's: its references are counted and that is all. */
void object_lent(const char *function, PVOID object);

/* ---- Objects that stand in for sections and events: ntverify_shims.c ---- */

/* With one reference. `type`: as it is named, L"Section". */
NTSTATUS shim_make(HANDLE handle, const WCHAR *type, PVOID *object);
HANDLE shim_handle(PVOID object); /* NULL: it is none */
int shim_retain(PVOID object);    /* 0: it is none */
int shim_release(PVOID object);   /* 0: it is none */

#endif
