/* SPDX-License-Identifier: MIT */
/* What the files of the kernel double share. Nothing here is for the driver, the NDIS double or tests. */
#ifndef PTPMON_NT_DOUBLE_H
#define PTPMON_NT_DOUBLE_H

#include <ntifs.h>

#include "nt_lab.h"

/* ---- Breaches and failures (nt_lab.c) ---- */

__attribute__((format(printf, 1, 2))) void nt_breach(const char *format, ...);

/* 1: the calls of this thread are the NDIS double's own: not counted, not failed. */
extern _Thread_local int nt_own;

/* 1: this call is the one that is to fail. */
int nt_fails(void);

extern struct nt_lab_held nt_held_now;
/*
 * `delta` more are held, unless they are the NDIS double's own. Released, and acquired by nt_lab_held() alone: a test
 * that waits for a counter is ordered by it, threads of the driver are not.
 */
static inline void nt_hold(INT64 *counter, INT64 delta, int own)
{
    if (!own)
        __atomic_fetch_add(counter, delta, __ATOMIC_RELEASE);
}

/* malloc() that does not fail: what the double needs for itself. Zeroed. */
void *nt_new(size_t bytes);

/* ---- A lock and a table of what is alive ---- */

/* All zero: free. For short holds; independent of the driver's IRQL. */
struct nt_lock {
    UINT32 word;
};
void nt_lock_take(struct nt_lock *lock);
void nt_lock_give(struct nt_lock *lock);

/* What is alive, by its address. Each shard has its lock, so that users of different things do not order one another.
 */
struct nt_node {
    struct nt_node *next;
    const void *key;
};
#define NT_SHARDS 64
struct nt_table {
    struct {
        struct nt_lock lock;
        struct nt_node *first;
    } shards[NT_SHARDS];
};
void nt_table_add(struct nt_table *table, struct nt_node *node, const void *key);
struct nt_node *nt_table_find(struct nt_table *table, const void *key); /* NULL: not alive */
struct nt_node *nt_table_take(struct nt_table *table, const void *key);

/* ---- IRQL (nt_sync.c) ---- */

extern _Thread_local KIRQL nt_irql;
void nt_irql_breach(const char *function, KIRQL max);
static inline void nt_irql_at_most(KIRQL max, const char *function)
{
    if (__builtin_expect(nt_irql > max, 0))
        nt_irql_breach(function, max);
}
#define NT_IRQL_AT_MOST(max) nt_irql_at_most((max), __func__)

/* What a routine of the driver must leave as it found it. */
struct nt_bracket {
    KIRQL irql;
    UINT32 spin_locks, mutexes;
    struct _EPROCESS *attached;
};
struct nt_bracket nt_enter(KIRQL irql);
void nt_leave(const struct nt_bracket *before, const char *routine);

/* ---- Dispatcher objects (nt_sync.c) ---- */

#define NT_NOTIFICATION_EVENT    0x45564e54u
#define NT_SYNCHRONIZATION_EVENT 0x45565359u
#define NT_MUTEX                 0x4d555458u
#define NT_THREAD                0x54485244u

void nt_signal(DISPATCHER_HEADER *header);
/* 1: signalled in time; a synchronization event is reset. timeout_ns < 0: waits for ever. Checks no IRQL. */
int nt_wait(DISPATCHER_HEADER *header, INT64 timeout_ns);
INT64 nt_now_ns(void); /* CLOCK_MONOTONIC */

/* ---- Objects (nt_object.c) ---- */

enum nt_kind {
    NT_KIND_EVENT,
    NT_KIND_SECTION,
    NT_KIND_PROCESS,
    NT_KIND_THREAD,
    NT_KIND_FILE,
    NT_KIND_DEVICE,
    NT_KINDS
};

/* Who may have more access than a handle grants. */
struct nt_security {
    int nobody;  /* the access list is empty */
    int system;  /* the owner is the system; else the owner is whoever opens it, and may change the list */
    int limited; /* the list takes that from its owner */
};

/* Before each object's body. */
struct nt_object {
    struct nt_node node;
    enum nt_kind kind;
    UINT64 references;       /* atomic: handles, the driver's references and the double's */
    INT64 driver_references; /* atomic */
    struct nt_security security;
    void (*destroy)(void *body);
} __attribute__((aligned(16)));

void *nt_object_new(enum nt_kind kind, size_t body_bytes, void (*destroy)(void *body)); /* one reference */
static inline struct nt_object *nt_object_of(void *body)
{
    return (struct nt_object *)body - 1;
}
void nt_object_reference(void *body);
void nt_object_release(void *body);
/* The same as the driver's reference: in nt_lab_held. */
void nt_object_reference_for_driver(void *body);
int nt_object_is(const void *body, enum nt_kind kind);

struct nt_handle {
    void *body;
    ACCESS_MASK access;
    ULONG attributes;
    int own;
};
struct nt_handles {
    struct nt_lock lock;
    struct nt_handle *slots; /* body NULL: free */
    UINT32 count;
    int closed; /* takes no more */
};

struct _OBJECT_TYPE {
    enum nt_kind kind;
};
struct _EPROCESS {
    UINT32 id;
    int is_system;
    struct nt_handles handles;
};
struct _ETHREAD {
    DISPATCHER_HEADER header; /* signalled: ended */
    PEPROCESS process;
};

/* A copy of the slot, with a reference to its object; 0: no such handle. */
int nt_handle_find(PEPROCESS process, HANDLE handle, struct nt_handle *found);
/*
 * The same without reference, and the handle is gone. The caller has the handle's reference. Else
 * STATUS_INVALID_HANDLE, or STATUS_HANDLE_NOT_CLOSABLE for one that is protected.
 */
NTSTATUS nt_handle_take(PEPROCESS process, HANDLE handle, struct nt_handle *taken);
int nt_handle_protect(PEPROCESS process, HANDLE handle, int on); /* from being closed. 0: no such handle */
NTSTATUS nt_handle_put(PEPROCESS process, void *body, ACCESS_MASK access, ULONG attributes, HANDLE *handle);
/* Takes back what nt_handle_take() took. */
void nt_handle_drop(PEPROCESS process, struct nt_handle *taken);
void nt_handles_close_all(PEPROCESS process);
/* 0: a process may not have this access to the object by its own wish. */
int nt_access_granted(const void *body, ACCESS_MASK granted, ACCESS_MASK wanted);

extern _Thread_local PEPROCESS nt_current_process;  /* NULL: the system's */
extern _Thread_local PEPROCESS nt_attached_process; /* whose handles the thread has; NULL: those of its own process */
/* The thread as a request names it. */
PETHREAD nt_current_thread(void);

/* ---- Sections (nt_memory.c) ---- */

struct nt_section {
    int fd;
    UINT64 bytes; /* whole pages */
    ULONG protection;
};
struct nt_section *nt_section_new(UINT64 bytes, ULONG protection); /* zeroed pages */
/* NULL: no address space. */
void *nt_section_map(const struct nt_section *section, UINT64 offset, UINT64 bytes, int writable);
void nt_unmap(void *address, UINT64 bytes);

/* MmProbeAndLockPages() with the exception as a status. */
NTSTATUS nt_probe_and_lock(PMDL mdl, LOCK_OPERATION operation);

/* ---- Requests (nt_io.c) ---- */

/* What waits for a request that the double made. It lives until `done`. */
struct nt_request {
    KEVENT done;
    NTSTATUS status;
    ULONG_PTR information;
    int marked_pending;
    void *out; /* of METHOD_BUFFERED: where the output goes */
    UINT32 out_bytes;
};

/* A request with one stack location for the device; its system buffer is freed with it. Never NULL. */
PIRP nt_irp_new(PDEVICE_OBJECT device, struct nt_request *request);
/* Calls the device's dispatch routine at PASSIVE_LEVEL, waits for the end and checks the driver's side of it. */
NTSTATUS nt_irp_run(PDEVICE_OBJECT device, PIRP irp, struct nt_request *request);
void nt_driver_dispatch_default(PDRIVER_OBJECT driver);

/* ---- The control device (nt_device.c) ---- */

/* One more open file of it, unless there is none or its driver is being unloaded: then the status says so. */
NTSTATUS nt_device_open(PDEVICE_OBJECT *device);
void nt_device_closed(PDEVICE_OBJECT device);
/* Refuses opens from now on and returns when no file is open. */
void nt_devices_await_close(void);
void nt_devices_ready(void); /* after DriverEntry */
void nt_devices_reset(void); /* after DriverUnload */

#endif
