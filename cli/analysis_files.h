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
    const char *sets_of; /* the recording of which it is in a set (--rotate): as it was named; NULL = in none */
    size_t set, rest;    /* the how manieth; where in the path that goes on which is the same in all sets */
};

/* The files of one observation point. */
struct analysis_pair {
    const char *capture, *events;     /* one of them may be NULL */
    const struct analysis_pair *next; /* those of the next set of a recording that was rotated; NULL = there is none */
    bool continues;                   /* it is the next one of another */
};

/*
 * Pairs files:
 *   1. NAME.events and NAME.INTERFACE.events belong to NAME.pcapng or NAME.pcap;
 *   2. of the rest, as many captures as events: in the order in which they are named;
 *   3. not as many: events belong to the capture named right before them, or else right after them;
 *   4. what is left is alone.
 * Pairs come in the order of their first file; those of the sets of one recording are linked. Returns how many; `pairs`
 * has room for `count`.
 */
size_t analysis_pair_files(const struct analysis_file *files, size_t count, struct analysis_pair *pairs);

/*
 * The files that are named: of each argument that is no file but the NAME of a recording, its files, of all its sets;
 * of
 * "-" standard input. The arguments must outlive the list. A pipe is a capture: events are read more than once. CLI_OK,
 * or an exit code after saying what is wrong. Freed with analysis_files_free().
 */
struct analysis_files {
    struct analysis_file *files;
    size_t count, capacity;
};
int analysis_files_find(struct analysis_files *files, char **arguments, size_t count);
void analysis_files_free(struct analysis_files *files);

#endif
