/* SPDX-License-Identifier: MIT */
/* Keeps what the demo shows: a `ptpmon record` of its own, beside the demo's monitor. */
#ifndef PTPMON_CLI_DEMO_RECORD_H
#define PTPMON_CLI_DEMO_RECORD_H

#include "process.h"

struct demo_record {
    struct process process;
    char name[PROCESS_PATH_SIZE]; /* of the files, without .pcapng and .events */
    char log[64];
};

/* Records to NAME-PROFILE.pcapng and .events, in place of older ones; when this returns, every frame is recorded.
 * False: `why` gets one sentence. */
bool demo_record_start(struct demo_record *record, const char *name, const char *profile, char *why, size_t size);

/* Ends the recording, if there is one; false: it failed, `why` gets one sentence. */
bool demo_record_stop(struct demo_record *record, char *why, size_t size);

#endif
