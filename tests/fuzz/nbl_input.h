/* SPDX-License-Identifier: MIT */
/*
 * The bytes that fuzz_nbl takes, as nbl_seeds writes them; numbers are little-endian:
 *
 *   0      NBL_SENT...
 *   1      bits 0-1 how often the frame is repeated, less 1; bits 2-4 the clock's frequency, of nbl_frequencies
 *   2-3    what the adapter promises: bit i the i-th flag of NDIS_TIMESTAMP_CAPABILITY_FLAGS
 *   4-7    the list's 802.1Q information, as it lies there
 *   8-9    receive queue
 *   10     LAB_FAULT_...
 *   11     unused bytes before the frame
 *   12     MDLs, less 1, modulo LAB_MAX_PIECES
 *   13-27  lengths of all MDLs but the last
 *   28-35  the value in the place of the timestamp; received, or on completion
 *   36-43  what is there on the way down
 *   44     status of the send: 0 = success
 *   45-    the frame
 *
 * Shorter inputs are no test case.
 */
#ifndef PTPMON_TESTS_NBL_INPUT_H
#define PTPMON_TESTS_NBL_INPUT_H

#define NBL_SENT      0x01u /* else received */
#define NBL_DISPATCH  0x02u
#define NBL_RESOURCES 0x04u /* received */
#define NBL_LOOPBACK  0x08u
#define NBL_TAGGED    0x10u /* NDIS_NBL_FLAGS_CAPTURE_TIMESTAMP_ON_TRANSMIT */
#define NBL_SPLIT     0x20u /* comes back from another thread, one by one */
#define NBL_ONE_LIST  0x40u /* sent: repeated as NET_BUFFERs of one list */
#define NBL_NEAR_NOW  0x80u /* the value is so much before the performance counter */

#define NBL_INPUT_HEADER 45

#define NBL_FREQUENCIES \
    { \
        1000000000, 0, 125000000, 10000000, 3, 1ull << 34, (1ull << 34) + 1, 312500000 \
    }

#endif
