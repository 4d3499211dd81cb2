/* SPDX-License-Identifier: MIT */
/*
 * Which of several files belong together: captures and events. Each file says itself which of the two it is; what
 * observation point it is of is told by the names, as `ptpmon record` gives them, and by the order on the command line.
 */
#ifndef PTPMON_CLI_ANALYSIS_FILES_H
#define PTPMON_CLI_ANALYSIS_FILES_H

#include <stdbool.h>
#include <stddef.h>

#define ANALYSIS_POINTS_MAX 64 /* as many as an analyzer takes */

struct analysis_file {
    char *path;
    bool is_events;
};

/* The files of one observation point. */
struct analysis_pair {
    const char *capture, *events; /* one of them may be NULL */
};

/*
 * Pairs files:
 *   1. NAME.events and NAME.INTERFACE.events belong to NAME.pcapng or NAME.pcap;
 *   2. of the rest, as many captures as events: in the order in which they are named;
 *   3. not as many: events belong to the capture named right before them, or else right after them;
 *   4. what is left is alone.
 * Pairs come in the order of their first file. Returns how many; `pairs` has room for `count`.
 */
size_t analysis_pair_files(const struct analysis_file *files, size_t count, struct analysis_pair *pairs);

/*
 * The files that are named: of each argument that is no file but the NAME of a recording, its files; of "-" standard
 * input. A pipe is a capture: events are read more than once. CLI_OK, or an exit code after saying what is wrong. Freed
 * with analysis_files_free().
 */
struct analysis_files {
    struct analysis_file *files;
    size_t count, capacity;
};
int analysis_files_find(struct analysis_files *files, char **arguments, size_t count);
void analysis_files_free(struct analysis_files *files);

#endif
