/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the driver's control side share: adapters, processes that enable monitoring, frames, and the end of
 * a test, when nothing may be held any more. A check that fails ends the cmocka test; none of it
 * is for other threads than the test's own, but what says so.
 */
#ifndef PTPMON_CONTROL_KIT_H
#define PTPMON_CONTROL_KIT_H

#include "nt_native.h"

#include <ntifs.h>

#include <avb/avb_ptp_ioctl.h>
#include <avb/avb_ring_buffer.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/frame_builder.h"
#include "unit/random.h"

/* NDIS_STATUS values, as lab_attach() and others return them. */
#define KIT_UNSUPPORTED_MEDIA ((INT32)0xC0010019)

/* ---- The driver ---- */

/* Loads it; nothing was held before. Fixtures of a cmocka group: kit_setup, kit_teardown. */
void kit_load(void);
/* Unloads it: nothing is held, no rule was broken. */
void kit_unload(void);
/* The same, where the test has called lab_unload() itself. */
void kit_unloaded(void);
int kit_setup(void **state);
int kit_teardown(void **state);

/* A process; kit_teardown() ends it where the test did not, or unloading would wait for its files for ever. */
lab_process *kit_process(void);
void kit_end_processes(void);

/* Fails with the first breach. Any thread that may fail. */
void kit_no_breach(void);
void kit_nothing_held(void);

/* ---- Adapters: numbers are 1... ---- */

/* "\{...}", what follows the device's name. Valid until this thread has called it eight times more. Any thread. */
const char *kit_suffix(UINT32 number);
/* Ethernet, with a GUID, NetLuid and index of its own; no stamps. */
struct lab_adapter_config kit_config(UINT32 number);
/* Attached; running too. */
lab_adapter *kit_attach_paused(const struct lab_adapter_config *config);
lab_adapter *kit_attach(UINT32 number);

/* ---- Frames: PTPv2 Sync, in lists of one frame each. Any thread ---- */

#define KIT_BURST 16u
struct kit_burst {
    struct test_frame bytes[KIT_BURST];
    struct lab_frame frames[KIT_BURST];
    struct lab_list lists[KIT_BURST];
    struct lab_chain chain;
};
/* `count` frames, whose sequenceId begins with `first`. */
void kit_burst_init(struct kit_burst *burst, UINT32 count, UINT32 first);
/* One frame up; whether it reached the other end. */
int kit_receive_one(lab_adapter *adapter, UINT32 sequenceId);
int kit_send_one(lab_adapter *adapter, UINT32 sequenceId);

/* ---- The device ---- */

/* A control without input. `out` of `bytes` is what the driver gives; where it fails, it is as before. Any thread. */
INT32 kit_control(lab_file *file, lab_process *process, UINT32 code, void *out, UINT32 bytes);
INT32 kit_enable(lab_file *file, lab_process *process, AVB_PTP_MONITORING *given);
INT32 kit_disable(lab_file *file, lab_process *process);
INT32 kit_statistics(lab_file *file, lab_process *process, AVB_PTP_MONITOR_STATS *stats);
INT32 kit_clocks(lab_file *file, lab_process *process, PTP_CLOCKS_RECORD *clocks);

/* A process with a file of an adapter, and, once it has enabled it, its ring. */
struct kit_client {
    lab_process *process;
    lab_file *file;
    AVB_PTP_MONITORING given;
    const AVB_RING_HEADER *header; /* mapped */
    AVB_RING_CONSUMER *consumer;
    AVB_RING_READER reader;
};
void kit_open(struct kit_client *client, UINT32 number);
/* Enables and maps both sections. */
void kit_start(struct kit_client *client);
void kit_open_and_start(struct kit_client *client, UINT32 number);
/* Unmaps the views and closes the ring's handles; monitoring goes on. */
void kit_forget_ring(struct kit_client *client);
/* Disables, and lets go of the ring. */
void kit_stop(struct kit_client *client);
/* The process ends, with all that it has. */
void kit_kill(struct kit_client *client);
/* Takes all records that are there; each is a Sync. How many. */
UINT64 kit_drain(struct kit_client *client);
/* Of this file, which must answer. */
AVB_PTP_MONITOR_STATS kit_stats(const struct kit_client *client);

/* frames_seen and stamps_seen are emitted + dropped, and those are what the ring says. */
void kit_accounts_balance(const AVB_PTP_MONITOR_STATS *stats);

#endif
