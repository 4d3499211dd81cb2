/* SPDX-License-Identifier: MIT */
/* What the tests of recordings share: making records, and files as bytes. */
#ifndef PTPMON_TESTS_RECORDING_KIT_H
#define PTPMON_TESTS_RECORDING_KIT_H

#include "random.h"

#include <ptpmon.h>

/* The whole file, to be freed; fails the test where it cannot be read. */
unsigned char *read_whole(const char *path, size_t *length);
void write_whole(const char *path, const void *bytes, size_t length);

/* Reads a recording by the records door; to be freed. */
PTP_TIMESTAMP_EVENT *read_records(const char *path, size_t *count);

/* Reads the events door until it says END; what came, to be freed. */
PTP_TIMESTAMP_EVENT *read_events(ptpmon_monitor *monitor, size_t *count);

/* A frame record at this event time, every other field random: RX, or TX that expects a stamp or not. */
PTP_TIMESTAMP_EVENT random_frame(struct random *random, uint64_t at);
/* The late stamp of a TX frame. */
PTP_TIMESTAMP_EVENT late_stamp_of(const PTP_TIMESTAMP_EVENT *frame, uint64_t at, uint64_t software_timestamp);

#endif
