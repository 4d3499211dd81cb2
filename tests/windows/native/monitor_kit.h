/* SPDX-License-Identifier: MIT */
/*
 * The driver on one adapter of the NDIS double, and one process that monitors it: what tests of the datapath share.
 * And the truth about a call of lab_receive() or lab_send(): which records and counts it must leave,
 * made from the frames' bytes by the test's own parser, never by the driver's.
 */
#ifndef PTPMON_TESTS_MONITOR_KIT_H
#define PTPMON_TESTS_MONITOR_KIT_H

#include "nt.h"

#include <avb/avb_ptp_ioctl.h>
#include <avb/avb_ring_buffer.h>

#include "frame_read.h"
#include "lab.h"
#include "nt_lab.h"
#include "nt_native.h"

#define KIT_COUNTER_HZ 10000000u /* of the double's performance counter */
#define KIT_RECORDS    8192      /* most that a test expects of a call, or drains at once */

/* ---- One adapter, one process ---- */

struct monitor {
    lab_adapter *adapter;
    lab_process *process;
    lab_file *file;
    AVB_PTP_MONITORING monitoring;
    const void *section1;
    void *section2;
    UINT64 section1_bytes, section2_bytes;
    AVB_RING_READER reader;
    UINT64 tickets; /* records read so far */
};

/* {...} of the kit's adapter, and a configuration that attaches it. */
extern const struct lab_adapter_config kit_adapter;

/* Loads the driver, attaches, starts the adapter and opens it. Fails the test where that fails. */
void monitor_open(struct monitor *monitor, const struct lab_adapter_config *config);
void monitor_enable(struct monitor *monitor);
void monitor_disable(struct monitor *monitor);
/* Closes all, unloads; the test fails where there was a breach, or something is still held. */
void monitor_close(struct monitor *monitor);

void monitor_stats(struct monitor *monitor, AVB_PTP_MONITOR_STATS *stats);
/* What the reader finds, at most `most` records, taken out of the ring. */
UINT32 monitor_drain(struct monitor *monitor, PTP_TIMESTAMP_EVENT *records, UINT32 most);

/* ---- A call ---- */

/* Up to LAB_MAX_FRAMES frames in as many lists. `frames` keep pointers to bytes that must outlive the call. */
struct call {
    struct lab_frame frames[LAB_MAX_FRAMES];
    struct lab_list lists[LAB_MAX_FRAMES];
    struct lab_chain chain;
    UINT32 frame_count;
};

void call_begin(struct call *call);
/* A list with one frame, whole in one MDL; both may be changed afterwards. */
struct lab_list *call_list(struct call *call, const UINT8 *bytes, UINT32 length);
/* One frame more for the last list. */
struct lab_frame *call_frame(struct call *call, const UINT8 *bytes, UINT32 length);

/* NDIS_NET_BUFFER_LIST_8021Q_INFO for a TCI. */
static inline UINT32 out_of_band(UINT32 tci)
{
    return (tci >> 13 & 7) | (tci >> 12 & 1) << 3 | (tci & 0xFFF) << 4;
}

/* ---- The truth ---- */

struct truth {
    PTP_TIMESTAMP_EVENT records[KIT_RECORDS]; /* in order */
    UINT32 count;
    UINT64 frames, stamps; /* PTP frames, and late stamps: seen */
    UINT64 reasons[AVB_PTP_REASONS];
    UINT64 first_ticket; /* of records[0] */
};

/*
 * What a frame is to the driver: an avb_frame_kind, or AVB_FRAME_KINDS = unreadable. A frame that is
 * foreign by its first bytes and unreadable beyond them may be either: *either is 1 then.
 */
UINT32 frame_truth(const struct lab_frame *frame, UINT32 raw_tag, PTP_TIMESTAMP_EVENT *event, int *either);

/* All zero, tickets from `first_ticket` on. */
void truth_begin(struct truth *truth, UINT64 first_ticket);
/* Adds the records of the frames of a call without any stamps, at this time of the performance counter. */
void truth_add(struct truth *truth, const struct call *call, UINT8 direction, UINT64 counter);
void truth_add_record(struct truth *truth, const PTP_TIMESTAMP_EVENT *record);

/* NULL, or what of these records is not true, in static storage of the thread. */
const char *truth_check_records(const struct truth *truth, const PTP_TIMESTAMP_EVENT *records, UINT32 count);
/* The same for what the statistics gained. */
const char *truth_check_stats(const struct truth *truth, const AVB_PTP_MONITOR_STATS *before,
                              const AVB_PTP_MONITOR_STATS *after);

/*
 * Makes the call, drains the ring and fails the test where records or counts are not `truth`. The
 * performance counter must stand still.
 */
void monitor_run(struct monitor *monitor, const struct call *call, UINT8 direction, const struct truth *truth);

#endif
