/* SPDX-License-Identifier: MIT */
/*
 * The driver's handlers called by themselves: for who counts instructions, or ticks. NDIS's far end is nothing
 * here, frames are made once, and the driver's timer never runs. The program is linked with
 *     -Wl,--wrap=NdisFIndicateReceiveNetBufferLists,--wrap=NdisFSendNetBufferLists
 *     -Wl,--wrap=NdisFSendNetBufferListsComplete,--wrap=ExSetTimer
 */
#ifndef PTPMON_TESTS_DRIVER_RUN_H
#define PTPMON_TESTS_DRIVER_RUN_H

#include "nt.h"

#include <avb/avb_ring_buffer.h>

/* What passes through a handler. */
enum driver_traffic {
    DRIVER_RECEIVE,
    DRIVER_SEND,
    DRIVER_COMPLETE,
    DRIVER_EMIT /* AvbPtpEmitTimestampEvent() by itself */
};

/* A handler call: as the handlers of NDIS are, with the arguments that differ left out. */
typedef void (*driver_pass)(NET_BUFFER_LIST *lists, ULONG count);

struct driver_run {
    AVB_RING_READER reader;
    UINT64 capacity;
};

/*
 * Loads the driver and, where `capacity` is not 0, enables monitoring with a ring of so many records. The adapter
 * stamps sent frames by hardware where `stamps` is 1. Ends the program where that fails. The thread is at
 * DISPATCH_LEVEL afterwards where `dispatch` is 1, and the handlers are told so.
 */
void driver_run_begin(struct driver_run *run, UINT32 capacity, int stamps, int dispatch);
/* At PASSIVE_LEVEL again; unloads. */
void driver_run_end(void);

/* Everything out of the ring. */
void driver_run_empty(struct driver_run *run);
/* Records emitted since monitoring was enabled. */
UINT64 driver_run_emitted(const struct driver_run *run);

/* Calls the handler; and, for what is around it, NDIS's function that the handler ends with. */
driver_pass driver_handler(enum driver_traffic traffic);
driver_pass driver_nothing(enum driver_traffic traffic);

/* `count` lists in a chain, each with the frame in `pieces` MDLs, and `tag` beside it. Never freed. */
NET_BUFFER_LIST *driver_lists(const UINT8 *bytes, UINT32 length, UINT32 count, UINT32 pieces, UINT32 tag);

#endif
