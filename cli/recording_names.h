/* SPDX-License-Identifier: MIT */
/*
 * The names of a recording's files. A set holds what was recorded at one time: NAME.pcapng, and
 * NAME.events, or NAME.INTERFACE.events for each of several. Sets that follow one another are
 * numbered from 1: NAME-0001.pcapng ...
 */
#ifndef PTPMON_CLI_RECORDING_NAMES_H
#define PTPMON_CLI_RECORDING_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#define RECORDING_PATH_SIZE 4096

struct recording_names {
    char base[RECORDING_PATH_SIZE];
    char *const *interfaces;
    size_t interface_count;
    bool captures; /* there is a .pcapng */
    bool numbered;
};

/* Takes NAME, or NAME with the ending of one of its files; NULL = "ptpmon-YYYYmmdd-HHMMSS" of now. False: it cannot be
 * the name of a file, or is too long. */
bool recording_names_set_base(struct recording_names *names, const char *name);

/* `number` does not matter where sets are not numbered. Both return path. */
char *recording_names_capture(const struct recording_names *names, unsigned number,
                              char path[static RECORDING_PATH_SIZE]);
char *recording_names_events(const struct recording_names *names, unsigned number, size_t interface,
                             char path[static RECORDING_PATH_SIZE]);

/* What the person sees of a set: its base with the number. */
char *recording_names_set(const struct recording_names *names, unsigned number, char text[static RECORDING_PATH_SIZE]);

/* Looks for files of these names, of whatever number: true = there is one, its path is told. */
bool recording_names_in_use(const struct recording_names *names, char path[static RECORDING_PATH_SIZE]);

/* Removes a set's files, as far as they are there. False: errno, and the path of the first that stays. */
bool recording_names_remove(const struct recording_names *names, unsigned number,
                            char path[static RECORDING_PATH_SIZE]);

/* Removes all files that recording_names_in_use() would find; result likewise. */
bool recording_names_remove_all(const struct recording_names *names, char path[static RECORDING_PATH_SIZE]);

#endif
