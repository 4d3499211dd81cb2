/* SPDX-License-Identifier: MIT */
/*
 * The NDIS double: it loads one filter driver, attaches it to adapters that it invents, and moves
 * NET_BUFFER_LISTs through it. One source for the native tests (linked with the driver) and for
 * ndislab.sys in Wine, where lab_ioctl.h carries the same calls from a client.
 *
 * The double owns every NBL and proves what a filter must keep: each comes out once, in order, in its
 * chain, unchanged, with the flags that belong to it. Breaches go to nt_lab_breach().
 *
 * PASSIVE_LEVEL unless said otherwise. Traffic of one adapter may be made from several threads at once,
 * and while another thread pauses, restarts or detaches it: the double then behaves as NDIS does (it
 * hands nothing to a paused filter; FilterPause comes while calls are under way, and a pause or detach waits for
 * them and for NBLs at the far end). What a handler was given it must pass on, as one chain, before it returns:
 * a filter that splits, queues or keeps NBLs is in breach here, though NDIS would allow it.
 */
#ifndef PTPMON_LAB_H
#define PTPMON_LAB_H

#include <avb/avb_ptp_events.h>

#define LAB_MAX_PIECES 16 /* MDLs of a NET_BUFFER */
#define LAB_MAX_FRAMES 64 /* NET_BUFFERs of a call */

typedef struct lab_adapter lab_adapter;

/* What an adapter is. Zeroed: Ethernet, NDIS 6.40, no stamps, no registers. */
struct lab_adapter_config {
    UINT64 net_luid; /* not 0 */
    UINT32 if_index;
    char guid[40]; /* "{...}" of the adapter, as in BaseMiniportName \DEVICE\{...} */
    UINT32 medium; /* 0: Ethernet; else an NDIS_MEDIUM value + 1 */
    /* Packet timestamping: what OID_TIMESTAMP_CURRENT_CONFIG says. frequency 0: the OID fails with NOT_SUPPORTED. */
    UINT64 frequency_hz;
    UINT32 timestamp_flags; /* bit i: the i-th BOOLEAN of NDIS_TIMESTAMP_CAPABILITY_FLAGS */
    UINT32 cross_timestamp; /* OID_TIMESTAMP_GET_CROSSTIMESTAMP works */
    /* The PCI device below: vendor 0 = the bus interface is not there. */
    UINT16 pci_vendor, pci_device;
    UINT32 is_virtual;          /* the miniport has no device */
    UINT32 no_pause_on_suspend; /* the miniport's attribute: its power comes and goes while the filter runs */
    /* Registry values of the filter on this adapter; absent where the bit of `keywords` is not set. */
    UINT32 keywords; /* LAB_KEYWORD_... */
    UINT32 ring_capacity, register_access, sdp_pin;
};
#define LAB_KEYWORD_RING_CAPACITY   1u
#define LAB_KEYWORD_REGISTER_ACCESS 2u
#define LAB_KEYWORD_SDP_PIN         4u

/*
 * NDIS's version for drivers loaded from now on (0x00060032 = 6.50); before the driver is loaded.
 * 0: the newest that ndis6.h knows.
 */
void lab_set_ndis_version(UINT32 version);

/* FilterAttach; *adapter is NULL where the filter refused (its NDIS_STATUS is returned). Attached adapters are paused.
 */
INT32 lab_attach(const struct lab_adapter_config *config, lab_adapter **adapter);
INT32 lab_restart(lab_adapter *adapter); /* FilterRestart: runs afterwards */
void lab_pause(lab_adapter *adapter);    /* FilterPause */
void lab_detach(lab_adapter *adapter);   /* pauses where it runs, FilterDetach; frees the adapter */

/* NDIS_STATUS_TIMESTAMP_CURRENT_CONFIG with another configuration, from the miniport; the OID answers the same. */
void lab_set_timestamp_config(lab_adapter *adapter, UINT64 frequency_hz, UINT32 timestamp_flags);

/* Any other status indication from the miniport, also of fewer bytes than the code promises. */
void lab_indicate_status(lab_adapter *adapter, UINT32 code, const void *buffer, UINT32 bytes);

/* The adapter leaves D0 (OID_PNP_SET_POWER, as NDIS sends it through the filter) and comes back; is pulled out. */
void lab_set_power(lab_adapter *adapter, int on);
/* The miniport fails requests to change its power from now on, and stays in the state where it is; or no more. */
void lab_refuse_power(lab_adapter *adapter, int refuse);
void lab_surprise_removal(lab_adapter *adapter);

/*
 * An OID from above, passed through the filter: a set of OID_PNP_SET_POWER, else a query. It completes from below at
 * once; with `pend` 1 from another thread; with 2 when it is cancelled by its request id. Returns the status that
 * came back up; the double checks request id, counts and that it completes once. From below come NOT_SUPPORTED for
 * 0xFF000000, INVALID_LENGTH with BytesNeeded for 0xFF000001, success for all others it does not know.
 */
INT32 lab_oid_from_above(lab_adapter *adapter, UINT32 oid, int pend);

/* After how long what a filter owes (an OID request's completion) is a breach; 20 s unless set here. Before traffic. */
void lab_set_patience(UINT32 milliseconds);
/* How long an OID request that pends stays below, and each NBL of a chain with `split` at the far end; 0 unless set. */
void lab_set_delay(UINT32 microseconds);

/* ---- Traffic ---- */

/* One NET_BUFFER. */
struct lab_frame {
    const UINT8 *bytes;
    UINT32 length;
    UINT32 pieces;                       /* MDLs; 0 = 1 */
    UINT16 piece_length[LAB_MAX_PIECES]; /* bytes of the first pieces - 1 MDLs (0 is allowed); the last has the rest */
    UINT32 offset;   /* unused bytes before the frame in its first MDL(s): DataOffset / CurrentMdlOffset */
    UINT32 nb_fault; /* LAB_FAULT_...: what is wrong with this NET_BUFFER */
};
#define LAB_FAULT_NO_MDL     1u /* FirstMdl and CurrentMdl are NULL */
#define LAB_FAULT_UNMAPPABLE 2u /* the MDL cannot be mapped: NdisGetDataBuffer returns NULL */
#define LAB_FAULT_LENGTH     4u /* DataLength says more than the MDLs hold */

/* One NET_BUFFER_LIST: `count` frames of the call, one after another. Received ones have 1. */
struct lab_list {
    UINT32 count;
    UINT32 tag;       /* Ieee8021QNetBufferListInfo: the raw Value */
    UINT32 nbl_flags; /* NDIS_NBL_FLAGS_... */
    UINT32 queue;     /* receive queue id in the NBL's filtering info */
    UINT64 timestamp; /* received: in the slot on the way up; sent: put there before completion; 0 = none */
    UINT64 stale;     /* sent: what the slot holds on the way down */
    INT32 status;     /* sent: with what the miniport completes it */
};

/* A chain of NBLs in one call. */
struct lab_chain {
    const struct lab_list *lists;
    UINT32 list_count;
    const struct lab_frame *frames;
    UINT32 dispatch;  /* at DISPATCH_LEVEL, and the flag says so; else PASSIVE_LEVEL */
    UINT32 resources; /* received: NDIS_RECEIVE_FLAGS_RESOURCES; else the protocol returns them later */
    UINT32 split;     /* not 0: the lower side completes, the upper side returns, so many NBLs in a call, from another
                         thread */
};

/*
 * Up: FilterReceiveNetBufferLists, on to the protocol, and back through FilterReturnNetBufferLists.
 * Down: FilterSendNetBufferLists, the miniport, and back through FilterSendNetBufferListsComplete.
 * Returns when all NBLs are back. How many NBLs reached the other end (sent ones may be completed by
 * a paused filter): -1 where the adapter is not running and NDIS hands the filter nothing.
 */
INT32 lab_receive(lab_adapter *adapter, const struct lab_chain *chain);
INT32 lab_send(lab_adapter *adapter, const struct lab_chain *chain);

/* Calls the filter's send handler although it is paused, as a call that was under way would. */
INT32 lab_send_while_paused(lab_adapter *adapter, const struct lab_chain *chain);

/* Cancels sends by an identifier: 1 = it reached the other end, once. (There is nothing there to be cancelled.) */
int lab_cancel_sends(lab_adapter *adapter);

/* ---- Registers of the PCI device: a window of memory behind MmMapIoSpace ---- */

/* 64 KiB, 32-bit registers; valid until lab_detach(). The test plays the device (tests/unit/nic_model). */
typedef UINT32 (*lab_register_read)(void *context, UINT32 offset);
typedef void (*lab_register_write)(void *context, UINT32 offset, UINT32 value);
void lab_set_registers(lab_adapter *adapter, lab_register_read read, lab_register_write write, void *context);

/* ---- The control device, natively (in Wine a client opens it) ---- */

typedef struct lab_process lab_process; /* a process that opens the device: owns handles and views */
typedef struct lab_file lab_file;

lab_process *lab_process_start(void);
void lab_process_kill(lab_process *process); /* closes its files (CLEANUP, CLOSE), handles and views */
UINT32 lab_process_id(const lab_process *process);

/* IRP_MJ_CREATE with the suffix as FileObject->FileName, "\\{GUID}"; the NTSTATUS. */
INT32 lab_open(lab_process *process, const char *suffix, lab_file **file);
/* The same file object for another process, as DuplicateHandle() gives it. */
void lab_duplicate(lab_file *file, lab_process *process);
/* One handle less; CLEANUP and CLOSE with the last. */
void lab_close(lab_file *file, lab_process *process);
/*
 * METHOD_BUFFERED: one system buffer of max(in, out), 0xA5 behind the input. *returned = IoStatus.Information.
 * `kernel_mode`: 0 from the process, 1 from the kernel, 2 from no thread (IoGetRequestorProcess() is NULL).
 */
INT32 lab_ioctl(lab_file *file, lab_process *process, UINT32 code, const void *in, UINT32 in_bytes, void *out,
                UINT32 out_bytes, UINT64 *returned, int kernel_mode);

/* In the process: its view of a section handle; NULL where the handle does not grant this. */
void *lab_map(lab_process *process, UINT64 handle, int writable, UINT64 *bytes);
void lab_unmap(lab_process *process, void *view);
/* DuplicateHandle within the process with other rights; 0 where refused. */
UINT64 lab_duplicate_handle(lab_process *process, UINT64 handle, UINT32 access);
/* Waits for an event handle; 1 = signalled within `milliseconds`. */
int lab_wait(lab_process *process, UINT64 handle, UINT32 milliseconds);
int lab_close_handle(lab_process *process, UINT64 handle); /* 1 = there was one that could be closed */
INT64 lab_process_handles(const lab_process *process);     /* handles it holds now, files aside */

/* ---- The driver ---- */

/* DriverEntry and DriverUnload, natively. Unload waits for open files, as the system does. NTSTATUS. */
INT32 lab_load(void);
void lab_unload(void);

#endif
