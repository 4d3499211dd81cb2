/* SPDX-License-Identifier: MIT */
/* Files of recorded events (avb_ptp_recording.h): writing one, and reading one as a source. */
#ifndef PTPMON_LIB_RECORDING_H
#define PTPMON_LIB_RECORDING_H

#include "source.h"

#include <avb/avb_ptp_recording.h>

struct ptpmon_recorder;

/* Creates the file and writes the header. Errors: IO, NO_PERMISSION, NO_MEMORY. */
ptpmon_status ptpmon_recorder_open(const char *path, const PTP_RECORDING_HEADER *header,
                                   struct ptpmon_recorder **recorder);
ptpmon_status ptpmon_recorder_write(struct ptpmon_recorder *recorder, const PTP_TIMESTAMP_EVENT *record);
/* What was written so far survives a killed process. */
ptpmon_status ptpmon_recorder_flush(struct ptpmon_recorder *recorder);
/* Flushes and frees; NULL is allowed. */
ptpmon_status ptpmon_recorder_close(struct ptpmon_recorder *recorder);

/* Opens the file as a source whose records lie in it, mapped, in place. Errors: IO, BAD_FILE. */
ptpmon_status ptpmon_recorded_source_open(const char *path, struct ptpmon_source **source);

#endif
