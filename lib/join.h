/* SPDX-License-Identifier: MIT */
/*
 * Records in, events out: joins the late stamp of a TX frame with the frame's event.
 *
 * A TX record with STAMP_EXPECTED is held until a LATE_STAMP record of the same identity
 * (sdoId, domainNumber, messageType, sourcePortIdentity, sequenceId, sourceMac, transport) completes
 * it, or until event time has passed its deadline. Everything else passes at once. So events leave
 * in the order in which they became complete, not strictly in order of time.
 *
 * A stamp whose identity several events wait with could be any one's: none gets it, nor any later one
 * of theirs. A last LATE_STAMP without a time in it leaves the event with STAMP_MISSING.
 *
 * A LATE_STAMP that has STAMP_EXPECTED itself (a software stamp before a hardware one) adds its
 * stamp and leaves the event waiting for the next.
 *
 * Event time is the system_timestamp of the records; nothing here reads a clock, so that a replay
 * gives what the live run gave.
 */
#ifndef PTPMON_LIB_JOIN_H
#define PTPMON_LIB_JOIN_H

#include <ptpmon.h>

struct ptpmon_join;

struct ptpmon_join_counts {
    uint64_t joined, missing, orphaned, ambiguous; /* as stamps_... in ptpmon_statistics */
};

/* deadline_ns: of event time; 0 = one second. max_waiting: events held at most, 0 = 65536; beyond it the oldest
 * leaves with STAMP_MISSING. NULL: out of memory. */
struct ptpmon_join *ptpmon_join_open(uint64_t deadline_ns, uint32_t max_waiting);
void ptpmon_join_close(struct ptpmon_join *join);

/* Takes one record (any direction). NO_MEMORY is the only failure; then the record was not taken. */
ptpmon_status ptpmon_join_record(struct ptpmon_join *join, const PTP_TIMESTAMP_EVENT *record);

/* No record will come any more: what waits leaves with STAMP_MISSING. */
ptpmon_status ptpmon_join_finish(struct ptpmon_join *join);

/* Copies out up to `capacity` complete events; returns how many. */
size_t ptpmon_join_take(struct ptpmon_join *join, PTP_TIMESTAMP_EVENT *events, size_t capacity);

/* system_timestamp of the event that has waited longest, UINT64_MAX where none waits. */
uint64_t ptpmon_join_oldest_waiting(const struct ptpmon_join *join);

void ptpmon_join_counts_get(const struct ptpmon_join *join, struct ptpmon_join_counts *counts);

#endif
