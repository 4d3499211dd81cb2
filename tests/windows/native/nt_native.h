/* SPDX-License-Identifier: MIT */
/*
 * What only the native kernel double offers to tests, beside lab.h and nt_lab.h.
 *
 * Known limits: nothing is preempted by IRQL (a thread at DISPATCH_LEVEL can still be scheduled away);
 * pages never leave memory; two mappings of one section are two addresses to ThreadSanitizer, so that
 * it sees races between the driver's threads, but none between the driver and a process.
 */
#ifndef PTPMON_NT_NATIVE_H
#define PTPMON_NT_NATIVE_H

#include "lab.h"
#include "nt_lab.h"

/* Forgets the breaches so far: for a test that provokes one. */
void nt_lab_forgive(void);

/* KeQueryPerformanceCounter() says this (10 MHz) until lab_run_counter(). Any thread. */
void lab_set_counter(UINT64 ticks);
void lab_run_counter(void);

/* What NdisRegisterDeviceEx() was given and what the driver made of the device. ASCII, empty where absent. */
struct lab_device {
    char name[128], symbolic_name[128], sddl[256];
    UINT32 characteristics, flags;
    UINT32 open_files;
};
/* 1: `device` is filled; 0: there is no control device. */
int lab_control_device(struct lab_device *device);

/*
 * The process as the kernel knows it (PEPROCESS), with a reference of the caller's (ObDereferenceObject).
 * 0: it has ended.
 */
int lab_object_of(lab_process *process, void **object);

/* Ends all processes that have not ended: for a fixture after a test that failed, so that the driver can be unloaded.
 */
void lab_process_kill_all(void);

/* What a handle of the process grants (ACCESS_MASK); 0: there is no such handle. */
UINT32 lab_handle_access(lab_process *process, UINT64 handle);
/* 1: a child process would inherit it. */
int lab_handle_inheritable(lab_process *process, UINT64 handle);
/* SetHandleInformation(HANDLE_FLAG_PROTECT_FROM_CLOSE): nobody closes it, as long as the process lives. 0: none such.
 */
int lab_protect_handle(lab_process *process, UINT64 handle, int on);

/*
 * The payload of the index-th (0...) event of this id since nt_lab_etw_forget(), at most `size` bytes of
 * it. Its length, or -1 where there is none, or it was not kept (65536 bytes and 1024 events are).
 */
INT64 nt_lab_etw_data(UINT16 event_id, UINT64 index, void *data, UINT32 size);
/* Counts and payloads begin anew. Not while events are written. */
void nt_lab_etw_forget(void);

#endif
