/* SPDX-License-Identifier: MIT */
/* A driver for the kernel double's own tests: its controls keep the kernel's rules, or break one each. */
#ifndef PTPMON_NT_SAMPLE_H
#define PTPMON_NT_SAMPLE_H

#include <nt.h>

#include "nt_native.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define SAMPLE_CODE(function) CTL_CODE(FILE_DEVICE_NETWORK, 0x800u + (function), METHOD_BUFFERED, FILE_READ_ACCESS)
enum {
    SAMPLE_ECHO,         /* output: as much of the input as fits; Information = that */
    SAMPLE_FAIL,         /* STATUS_ACCESS_DENIED with output and Information */
    SAMPLE_BUSY,         /* STATUS_DEVICE_BUSY, a warning, with output */
    SAMPLE_TOO_MUCH,     /* Information = OutputBufferLength + 1 */
    SAMPLE_NEVER,        /* returns without completing */
    SAMPLE_TWICE,        /* completes twice */
    SAMPLE_OTHER_STATUS, /* returns another status than it completed with */
    SAMPLE_LEAVE_IRQL,   /* returns at DISPATCH_LEVEL */
    SAMPLE_LEAVE_MUTEX,  /* returns with a mutex held */
    SAMPLE_PENDING,      /* completed by a work item */
    SAMPLE_UNMARKED,     /* the same, not marked */
    SAMPLE_WAIT,         /* until sample.go is set */
    SAMPLE_REQUESTOR,    /* output: UINT32, pid of IoGetRequestorProcess() or 0, then of PsGetCurrentProcess() */
    SAMPLE_OTHER_METHOD  /* with METHOD_NEITHER: nothing is buffered */
};

struct sample {
    UINT32 created, cleaned_up, closed; /* atomic */
    UINT32 cleanup_process;
    char name[80]; /* of the last file */
    NTSTATUS create_status;
    KEVENT go, in_wait;
    KMUTEX mutex; /* of name and cleanup_process */
    KMUTEX left;
    PDEVICE_OBJECT device;
    UINT8 *bar; /* 4096 bytes at physical address 0x1000; the test's */
};
extern struct sample sample;

static inline UINT32 sample_count(const UINT32 *count)
{
    return __atomic_load_n(count, __ATOMIC_ACQUIRE);
}

/* Fails with its text where there was a breach. */
void sample_no_breach(void);
/* There was a breach whose text has this in it; forgets it. */
void sample_breach(const char *text);
void sample_nothing_held(void);

#endif
