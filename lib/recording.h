/* SPDX-License-Identifier: MIT */
/* Files of recorded events (avb_ptp_recording.h): writing one, and reading one as a source. */
#ifndef PTPMON_LIB_RECORDING_H
#define PTPMON_LIB_RECORDING_H

#include "source.h"

#include <avb/avb_ptp_recording.h>

struct ptpmon_recorder;

/*
 * Creates or empties the file; nothing is in it yet. `other`, which may be NULL, is being written at
 * the same time. Errors: IO, NO_PERMISSION, NO_MEMORY, INVALID (it is the file of `other`).
 */
ptpmon_status ptpmon_recorder_open(const char *path, const struct ptpmon_recorder *other,
                                   struct ptpmon_recorder **recorder);

/* Writes the header, after filling in magic, byte order, versions and sizes; due before the first record. */
ptpmon_status ptpmon_recorder_begin(struct ptpmon_recorder *recorder, PTP_RECORDING_HEADER *header);
bool ptpmon_recorder_has_begun(const struct ptpmon_recorder *recorder);

/*
 * Errors, of all that writes: IO, NO_PERMISSION. The first one stays: after it nothing is written any
 * more, and everything but close returns it again. What the file holds until then can be read.
 */
ptpmon_status ptpmon_recorder_write(struct ptpmon_recorder *recorder, const void *record);
/* What was written so far survives a killed process. */
ptpmon_status ptpmon_recorder_flush(struct ptpmon_recorder *recorder);
/* OK, or the first error. */
ptpmon_status ptpmon_recorder_status(const struct ptpmon_recorder *recorder);
/* Flushes and frees; returns an error that was not returned before. NULL is allowed. */
ptpmon_status ptpmon_recorder_close(struct ptpmon_recorder *recorder);
/* Frees without writing anything more; the last error's message stays. NULL is allowed. */
void ptpmon_recorder_discard(struct ptpmon_recorder *recorder);

/*
 * Opens the file as a source, whose records lie in a buffer of constant size. How far it reads is
 * settled at open and at each enable: up to the last whole record that the file has then.
 * Errors: IO, NO_PERMISSION, NO_MEMORY, BAD_FILE; of reading: IO, BAD_FILE (it has become shorter).
 */
ptpmon_status ptpmon_recorded_source_open(const char *path, struct ptpmon_source **source);

#endif
