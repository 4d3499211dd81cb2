/* SPDX-License-Identifier: MIT */
/*
 * A pcapng file that is being written, with the frames of several interfaces in order of time.
 *
 * Captures deliver each direction of each interface in its own order. So what comes is held until
 * capture_file_write() says that nothing older is to be expected; notes about what a capture
 * counted go the same way, and stand in the file where they belong.
 *
 * Times are capture time, ns.
 */
#ifndef PTPMON_CLI_CAPTURE_FILE_H
#define PTPMON_CLI_CAPTURE_FILE_H

#include <ptpmon.h>

struct capture_file;

/* An existing file is replaced. */
ptpmon_status capture_file_open(const char *path, const ptpmon_capture_interface *interfaces, size_t count,
                                struct capture_file **file);

/* The file holds all frames of this interface from `at` on; due before its first frame. */
void capture_file_begin(struct capture_file *file, size_t interface, int64_t at);
/* ... and until `at`. */
void capture_file_end(struct capture_file *file, size_t interface, int64_t at);

/* The frame is copied. */
void capture_file_frame(struct capture_file *file, size_t interface, const ptpmon_frame *frame);
void capture_file_loss(struct capture_file *file, size_t interface, const ptpmon_capture_loss *loss);

/* Writes what is not later than `until`. */
ptpmon_status capture_file_write(struct capture_file *file, int64_t until);
/* What was written so far survives a killed process. */
ptpmon_status capture_file_flush(struct capture_file *file);

uint64_t capture_file_bytes(const struct capture_file *file);

/* Writes all that is held, flushes and frees; NULL is allowed. */
ptpmon_status capture_file_close(struct capture_file *file);

#endif
