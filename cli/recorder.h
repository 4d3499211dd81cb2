/* SPDX-License-Identifier: MIT */
/*
 * Records interfaces: their events and their frames, into sets of files.
 *
 *     recorder_open -> [_capture] -> _start -> { _round } ... -> _stop -> { _round until PTPMON_END } -> _close
 *
 * The captures begin before the monitors and end before them; each file says when its side ran. A
 * set ends and the next begins at one instant for each interface, which the recorded events give:
 * where a reading of the clocks ends one file and begins the next. Frames are sorted by it.
 *
 * An interface that fails (it vanished) ends for itself, with a message, and the others go on. A
 * failure to write ends the whole recording.
 */
#ifndef PTPMON_CLI_RECORDER_H
#define PTPMON_CLI_RECORDER_H

#include "recording_names.h"
#include "rotation.h"
#include "session.h"

struct recorder_options {
    struct session_options session;
    struct recording_names names;
    struct rotation_limits rotation;
    unsigned keep; /* sets to leave, the oldest are removed; 0 = all */
};

struct recorder;

/* Nothing is attached or created yet. The options must outlive the recorder. */
ptpmon_status recorder_open(const struct recorder_options *options, struct recorder **recorder);

/* Begins to capture; due where there is to be a capture. */
ptpmon_status recorder_capture(struct recorder *recorder);

/* Creates the first set and begins to write it. After a failure none of its files is left. */
ptpmon_status recorder_start(struct recorder *recorder);

/*
 * Waits for at most wait_ms, takes what there is and writes it. OK; END: every interface has ended and
 * all is written; else, once, the failure that ends the recording: stop it and go on until END. The
 * message of that is the caller's; those of single interfaces are said at once.
 */
ptpmon_status recorder_round(struct recorder *recorder, int wait_ms);

ptpmon_status recorder_stop(struct recorder *recorder);

/* Frees; NULL is allowed. */
void recorder_close(struct recorder *recorder);

/* The first failure of an interface, or OK. */
ptpmon_status recorder_interface_failure(const struct recorder *recorder);

struct recorder_counts {
    uint64_t events, frames;                 /* recorded */
    uint64_t dropped_events, dropped_frames; /* records and frames that were lost */
    uint64_t bytes;                          /* in all files, also those that were removed */
    unsigned sets;                           /* begun */
    uint64_t elapsed_ns;
};

/* Of all interfaces. */
void recorder_counts(struct recorder *recorder, struct recorder_counts *counts);
/* Of one; bytes and sets are not filled. */
void recorder_interface_counts(struct recorder *recorder, size_t interface, struct recorder_counts *counts);

/* Events so far, quickly. */
uint64_t recorder_events(const struct recorder *recorder);

/* As of session_info_get(). */
ptpmon_status recorder_info(struct recorder *recorder, size_t interface, struct session_info *info);

#endif
