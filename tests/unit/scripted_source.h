/* SPDX-License-Identifier: MIT */
/*
 * A live source that does what the test says: its ring holds the records given to it, its clock goes
 * on only when told to. ptpmon_monitor_open() opens it where the test program is linked with
 * -Wl,--wrap=ptpmon_source_open.
 */
#ifndef PTPMON_TESTS_SCRIPTED_SOURCE_H
#define PTPMON_TESTS_SCRIPTED_SOURCE_H

#include <ptpmon.h>

#define SCRIPT_RING_RECORDS 40000u

/* What happens next; the test writes to it at any time. */
struct script {
    uint64_t hz;                             /* of its counter, as when it is opened; 0 = its times are ns */
    uint64_t now;                            /* system_timestamp */
    uint64_t frames_dropped, stamps_dropped; /* counters since enable */
    uint32_t stamping;                       /* in a recording's header */
    ptpmon_status enable_status, clocks_status;
    int sight; /* enum ptpmon_sight; PTPMON_WAS_BLIND is told once */
    bool enabled;
    size_t opened, closed;
    PTP_TIMESTAMP_EVENT ring[SCRIPT_RING_RECORDS];
    size_t first, end; /* ring[first..end - 1] can be read */
};

extern struct script script;

void script_reset(void);
/* Puts a record into the ring. */
void script_give(const PTP_TIMESTAMP_EVENT *record);

#endif
