/* SPDX-License-Identifier: MIT */
/*
 * The parts of the NDIS double, as they see each other. What its users see is lab.h.
 *
 * One filter driver, registered by NdisFRegisterFilterDriver(); adapters with one filter module each, whose
 * NDIS handle is the lab_adapter itself. A detached adapter stays in memory for a while, so
 * that a handle used too late is told from a wrong one.
 */
#ifndef PTPMON_NDIS_DOUBLE_H
#define PTPMON_NDIS_DOUBLE_H

#include <nt.h>
#include <ndis6.h>

#include "lab.h"
#include "nt_lab.h"

#define LAB_TAG 0x4E4C6162u /* baLN */

/* ---- ndis_memory.c: what the double takes for itself, and its breaches ---- */

/* Zeroed, not the driver's. There is always memory: a test without it cannot go on. IRQL <= DISPATCH_LEVEL. */
void *lab_take(UINT64 bytes);
void lab_give(void *memory);

/* An MDL over `bytes` of memory, as MmBuildMdlForNonPagedPool() makes it; or one that cannot be mapped. */
MDL *lab_mdl(void *memory, UINT32 bytes, int unmappable);
void lab_mdl_free(MDL *mdl);

/* Where the MDL's bytes are mapped; NULL: nowhere, and they cannot be. */
static inline UINT8 *lab_mdl_address(const MDL *mdl)
{
    int mapped = (mdl->MdlFlags & (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL)) != 0;
    return mapped ? (UINT8 *)mdl->MappedSystemVa : NULL;
}

/* "<adapter's GUID>: <what>", and where `of` is not 0 ", NBL <index + 1> of <of>". `adapter` may be NULL. */
void lab_breach(const lab_adapter *adapter, const char *what);
void lab_breach_nbl(const lab_adapter *adapter, const char *what, const char *detail, UINT32 index, UINT32 of);

/* 1: the IRQL is not above `highest`; else a breach. */
int lab_irql_at_most(const lab_adapter *adapter, const char *function, KIRQL highest);

/* ---- ndis_wait.c: gates, locks and threads ---- */

/*
 * A gate: many are inside at once, until it is closed. Entering orders nothing among those who enter, and only
 * after what was done before the gate was opened: the double must not hide races between a filter's handlers.
 */
struct lab_gate {
    UINT64 word;   /* 2 for each inside, 1 while closed */
    UINT64 opened; /* how often: written before the gate opens */
};

void lab_gate_init(struct lab_gate *gate); /* closed */
void lab_gate_open(struct lab_gate *gate);
void lab_gate_close(struct lab_gate *gate); /* nobody enters any more; who is inside stays */
void lab_gate_drain(struct lab_gate *gate); /* until nobody is inside. PASSIVE_LEVEL */
int lab_gate_enter(struct lab_gate *gate);  /* 0: closed */
void lab_gate_force(struct lab_gate *gate); /* in, although it is closed */
void lab_gate_leave(struct lab_gate *gate);
int lab_gate_is_open(const struct lab_gate *gate);

/* A lock that may be held over a handler call. PASSIVE_LEVEL. */
struct lab_lock {
    KEVENT free;
};
void lab_lock_init(struct lab_lock *lock);
void lab_lock(struct lab_lock *lock);
void lab_unlock(struct lab_lock *lock);

/* 1: set within the patience of lab_set_patience(). */
int lab_await(KEVENT *event);
void lab_sleep(UINT32 microseconds);
void lab_delay(void); /* for as long as lab_set_delay() says */

struct lab_thread {
    void (*body)(void *context);
    void *context;
    KEVENT over;
};
void lab_thread_start(struct lab_thread *thread, void (*body)(void *context), void *context);
void lab_thread_join(struct lab_thread *thread);

/* Words that threads share, beyond core/atomic.h. */
static inline UINT64 lab_get(const UINT64 *word)
{
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}
static inline void lab_put(UINT64 *word, UINT64 value)
{
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
}
static inline UINT64 lab_count(UINT64 *word) /* the value before; orders nothing */
{
    return __atomic_fetch_add(word, 1, __ATOMIC_RELAXED);
}
static inline UINT64 lab_uncount(UINT64 *word) /* the value after */
{
    return __atomic_sub_fetch(word, 1, __ATOMIC_ACQ_REL);
}
static inline int lab_turn(UINT64 *word, UINT64 from, UINT64 to)
{
    return __atomic_compare_exchange_n(word, &from, to, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

/* ---- ndis_driver.c: the filter driver ---- */

struct lab_driver {
    NDIS_FILTER_DRIVER_CHARACTERISTICS handlers; /* its strings are not kept */
    NDIS_HANDLE context;                         /* FilterDriverContext */
};

extern struct lab_driver lab_driver;
int lab_driver_is_registered(void);
UINT32 lab_ndis_version(void);

/* ---- ndis_adapter.c ---- */

enum lab_state {
    LAB_DETACHED, /* before FilterAttach succeeded, or after FilterDetach returned */
    LAB_ATTACHING,
    LAB_PAUSED,
    LAB_RESTARTING,
    LAB_RUNNING,
    LAB_PAUSING,
    LAB_DETACHING
};

struct lab_window; /* ndis_pci.c */

struct lab_adapter {
    UINT64 magic;
    UINT64 state;            /* enum lab_state, atomic */
    struct lab_gate traffic; /* open while it runs */
    struct lab_gate module;  /* open while it is attached: OIDs, indications, events */
    struct lab_lock control; /* attach, restart, pause, detach: one after another */
    struct lab_lock oids;    /* NDIS sends a filter one OID request at a time */
    NDIS_HANDLE context;     /* FilterModuleContext */
    int attributes_set;
    int resume;                       /* restart when power comes back */
    UINT64 removed;                   /* pulled out, atomic */
    UINT64 asleep;                    /* not in D0: from the miniport's answer to its next; atomic */
    UINT64 power_refused;             /* the miniport fails OID_PNP_SET_POWER, atomic */
    struct lab_adapter_config config; /* timestamps: under `spin` */
    WCHAR name[64];                   /* \DEVICE\{...} */
    WCHAR instance[40];
    UNICODE_STRING device_name, instance_name;
    KSPIN_LOCK spin;     /* lists and the timestamp configuration */
    LIST_ENTRY clones;   /* struct lab_clone */
    LIST_ENTRY statuses; /* struct lab_indication: status indications and events in the filter's hands */
    UINT64 own_requests; /* of the filter, not completed; atomic */
    UINT64 own_turns;    /* that were made, atomic */
    struct own_request *last_own;
    UINT64 oid_above;      /* struct lab_oid: the request from above under way; atomic */
    UINT64 configurations; /* open ones, atomic */
    UINT64 turns;          /* what changes from call to call, atomic */
    UINT64 cancelled;      /* the identifier of sends that the filter passed on, atomic */
    struct lab_window *window;
    LIST_ENTRY link; /* of all attached, or of the remembered */
};

/* The adapter that a handle from the filter names; NULL, with a breach: none, or not any more. */
lab_adapter *lab_adapter_of(NDIS_HANDLE handle, const char *function);
void lab_detach_all(void);
void lab_forget_detached(void);
/* Calls `visit` for each attached adapter, under the list's lock at DISPATCH_LEVEL, until it returns not 0. */
int lab_each_adapter(int (*visit)(lab_adapter *adapter, void *context), void *context);

/* A handler is about to be called, and has returned: it must leave the IRQL as it was. */
struct lab_call {
    lab_adapter *adapter;
    const char *handler;
    KIRQL irql;
};
struct lab_call lab_call_begin(lab_adapter *adapter, const char *handler);
void lab_call_end(const struct lab_call *call);

/* ---- ndis_nbl.c: NBLs of the double, and whether they are unchanged ---- */

/* Where an NBL is. */
enum lab_place {
    LAB_HOME,   /* not given yet */
    LAB_GOING,  /* in the filter's first handler: send, or receive */
    LAB_FAR,    /* at the other end: miniport, or protocol */
    LAB_COMING, /* in the filter's second handler: send complete, or return */
    LAB_BACK
};

struct lab_nb {
    NET_BUFFER nb; /* first */
    NET_BUFFER before;
    const struct lab_frame *frame;
    UINT32 pieces;
    MDL *mdls[LAB_MAX_PIECES];
    MDL mdls_before[LAB_MAX_PIECES];
    UINT8 *memory[LAB_MAX_PIECES];
};

struct lab_batch;
struct lab_hop;

struct lab_nbl {
    NET_BUFFER_LIST nbl; /* first */
    NET_BUFFER_LIST before;
    const struct lab_list *list;
    struct lab_batch *batch;
    struct lab_hop *hop; /* the handler call that has it, in GOING and COMING */
    UINT64 place;        /* enum lab_place, atomic */
    UINT32 index;        /* in its batch */
    UINT32 retired;
    UINT32 frame_count;
    struct lab_nb *frames[LAB_MAX_FRAMES];
};

struct lab_nbl *lab_nbl_new(struct lab_batch *batch, UINT32 index, const struct lab_list *list,
                            const struct lab_frame *frames, int received);
/* The double's NBL; NULL: it is somebody else's. */
struct lab_nbl *lab_nbl_of(NET_BUFFER_LIST *nbl);
/* Remembers the NBL and all that belongs to it. */
void lab_nbl_note(struct lab_nbl *nbl);
/* What is not as it was when it was noted; NULL: nothing. */
const char *lab_nbl_changed(const struct lab_nbl *nbl);
/* Nobody may touch it any more; it is made unusable. */
void lab_nbl_retire(struct lab_nbl *nbl);
/* Frees it. 0: somebody wrote to it after it was retired. */
int lab_nbl_free(struct lab_nbl *nbl);

/* ---- ndis_oid.c, ndis_status.c, ndis_pci.c: the adapter's parts there ---- */

/* An OID_PNP_SET_POWER from above, completed from another thread. The status that came back up. */
NDIS_STATUS lab_oid_set_power(lab_adapter *adapter, NDIS_DEVICE_POWER_STATE state);
/* What the filter still owes when it is detached. */
void lab_oid_check_detached(lab_adapter *adapter);
void lab_event_pre_detach(lab_adapter *adapter);
void lab_timestamp_capabilities(lab_adapter *adapter, NDIS_TIMESTAMP_CAPABILITIES *config);

void lab_window_open(lab_adapter *adapter);
PDEVICE_OBJECT lab_window_device(const lab_adapter *adapter); /* NULL: the adapter is a virtual one */
void lab_window_check_detached(lab_adapter *adapter);
void lab_window_close(lab_adapter *adapter);

#endif
