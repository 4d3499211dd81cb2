/* SPDX-License-Identifier: MIT */
/* The standard streams, and the terminal that one of them may be. Each system has its own: cli/posix, cli/windows. */
#ifndef PTPMON_CLI_TERMINAL_H
#define PTPMON_CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* At the start of the program: what must be set for the functions here, and for arguments and output that are UTF-8.
 * It may replace the arguments. */
void terminal_start(int *argc, char ***argv);

/* Whether somebody reads the stream on a terminal that obeys escape sequences. */
bool terminal_is(FILE *stream);
/* The same, and it shows colours. */
bool terminal_has_colours(FILE *stream);
/* 0 = no terminal, or not known. */
unsigned terminal_columns(FILE *stream);

/* Writes all of it to standard output at once; a signal does not end that. False: it failed, and set errno. */
bool terminal_write(const char *text, size_t length);

/* Whether this errno of a write to standard output says that nobody reads it any more. */
bool terminal_reader_is_gone(int error);

#endif
