/* SPDX-License-Identifier: MIT */
/* A table on standard output whose columns are as wide as what stands in them. */
#ifndef PTPMON_CLI_ANALYSIS_TABLE_H
#define PTPMON_CLI_ANALYSIS_TABLE_H

#include "cli.h"
#include "format.h"

#include <stdbool.h>
#include <stddef.h>

struct analysis_column {
    const char *title;
    bool left;     /* aligned to the left */
    unsigned rank; /* where the terminal is too narrow, the highest goes first; 0 always stays */
};

struct analysis_table;

/* `columns` must outlive the table. */
struct analysis_table *analysis_table_open(const struct analysis_column *columns, size_t count);

/* The next cell, row by row; longer than 95 bytes it is cut. `style` is of the text alone. */
void analysis_table_cell(struct analysis_table *table, enum format_style style, const char *format, ...)
    CLI_PRINTF(3, 4);

/* A line of its own between two rows, in bold. */
void analysis_table_heading(struct analysis_table *table, const char *text);

/* Writes it, indented by two, where it has a row, and frees it. `wide`: all columns, even where the terminal is too
 * narrow. True: columns were left out. */
bool analysis_table_close(struct analysis_table *table, bool wide);

#endif
