/* SPDX-License-Identifier: MIT */
/*
 * The file of recorded events, NAME.events: this header, 4096 bytes, then 64-byte records
 * (PTP_TIMESTAMP_EVENT, PTP_CLOCKS_RECORD, PTP_LOSS_RECORD) in the order in which they were read.
 *
 * Everything is in the byte order of the recording host, which byte_order tells. There is no count
 * and no trailer: a file that ends early, even in the middle of a record, is good up to its last
 * whole record. One file holds one interface and one run of the monitor. It begins with a CLOCKS
 * record, and ends with one where it ended in order: every frame between these was seen.
 *
 * docs/recordings.md describes the file byte by byte.
 */
#ifndef AVB_PTP_RECORDING_H
#define AVB_PTP_RECORDING_H

#include <avb/avb_ptp_events.h>

#define AVB_RECORDING_MAGIC          "PTPMONEV" /* 8 bytes, without the terminating 0 */
#define AVB_RECORDING_FORMAT_VERSION 1u
#define AVB_RECORDING_BYTE_ORDER     0x01020304u
#define AVB_RECORDING_HEADER_BYTES   4096u

/* Clocks. */
#define AVB_CLOCK_NONE      0u
#define AVB_CLOCK_MONOTONIC 1u /* Linux CLOCK_MONOTONIC, ns */
#define AVB_CLOCK_QPC       2u /* Windows performance counter, ticks */
#define AVB_CLOCK_REALTIME  3u /* UTC, ns since 1970 */
#define AVB_CLOCK_PHC       4u /* the NIC's own clock, ns; its timescale is not known here */

/* Strings are UTF-8, filled up with 0; "" = not known. */
typedef struct _PTP_RECORDING_HEADER {
    char magic[8];
    UINT32 byte_order;      /* AVB_RECORDING_BYTE_ORDER as the host wrote it */
    UINT32 format_version;  /* AVB_RECORDING_FORMAT_VERSION */
    UINT32 abi_version;     /* AVB_PTP_EVENT_ABI_VERSION */
    UINT32 header_bytes;    /* where the records begin */
    UINT32 record_bytes;    /* 64 */
    UINT32 stamping;        /* PTPMON_CAN_..., PTPMON_ON_... of ptpmon.h when the recording began */
    UINT64 system_clock_hz; /* ticks per second of system_timestamp */
    UINT32 hw_clock;        /* AVB_CLOCK_... of hw_timestamp_ns */
    UINT32 system_clock;    /* of system_timestamp */
    UINT32 software_clock;  /* of software_timestamp */
    INT32 phc_index;        /* /dev/ptpN; -1 = none */
    UCHAR mac[6];           /* of the interface */
    UINT8 reserved0[2];
    char tool_version[32]; /* of what wrote the file */
    char host[256];
    char boot_id[40]; /* tells one run of the host's clocks from another */
    char interface_name[256];
    char interface_guid[40]; /* Windows */
    UINT8 reserved1[AVB_RECORDING_HEADER_BYTES - 688];
} PTP_RECORDING_HEADER;

AVB_STATIC_ASSERT(sizeof(PTP_RECORDING_HEADER) == AVB_RECORDING_HEADER_BYTES, "the records begin at 4096");
AVB_ASSERT_OFFSET(PTP_RECORDING_HEADER, byte_order, 8);
AVB_ASSERT_OFFSET(PTP_RECORDING_HEADER, format_version, 12);
AVB_ASSERT_OFFSET(PTP_RECORDING_HEADER, abi_version, 16);
AVB_ASSERT_OFFSET(PTP_RECORDING_HEADER, header_bytes, 20);
AVB_ASSERT_OFFSET(PTP_RECORDING_HEADER, record_bytes, 24);
AVB_ASSERT_OFFSET(PTP_RECORDING_HEADER, stamping, 28);
AVB_ASSERT_OFFSET(PTP_RECORDING_HEADER, system_clock_hz, 32);
AVB_ASSERT_OFFSET(PTP_RECORDING_HEADER, hw_clock, 40);
AVB_ASSERT_OFFSET(PTP_RECORDING_HEADER, system_clock, 44);
AVB_ASSERT_OFFSET(PTP_RECORDING_HEADER, software_clock, 48);
AVB_ASSERT_OFFSET(PTP_RECORDING_HEADER, phc_index, 52);
AVB_ASSERT_OFFSET(PTP_RECORDING_HEADER, mac, 56);
AVB_ASSERT_OFFSET(PTP_RECORDING_HEADER, tool_version, 64);
AVB_ASSERT_OFFSET(PTP_RECORDING_HEADER, host, 96);
AVB_ASSERT_OFFSET(PTP_RECORDING_HEADER, boot_id, 352);
AVB_ASSERT_OFFSET(PTP_RECORDING_HEADER, interface_name, 392);
AVB_ASSERT_OFFSET(PTP_RECORDING_HEADER, interface_guid, 648);
AVB_ASSERT_OFFSET(PTP_RECORDING_HEADER, reserved1, 688);

#endif
