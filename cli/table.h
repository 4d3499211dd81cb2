/* SPDX-License-Identifier: MIT */
/* The table of frames: which columns fit, and what stands in them. */
#ifndef PTPMON_CLI_TABLE_H
#define PTPMON_CLI_TABLE_H

#include "report.h"

#define TABLE_COLUMNS 16

struct table_column;

struct table {
    struct report_options options;
    const struct table_column *columns[TABLE_COLUMNS];
    size_t count;
    unsigned gap; /* blanks between columns */
    bool is_cut;  /* columns were left out */
    bool has_first;
    uint64_t first_time; /* event time of the first row */
};

/* compared: with columns for the comparison with captured frames. width: of the terminal in columns, 0 = no limit;
 * columns that do not fit are left out, least important first. */
void table_setup(struct table *table, const struct report_options *options, bool compared, unsigned width);

/* Each writes a whole line with its newline to standard output. */
void table_header(const struct table *table);
void table_row(struct table *table, const ptpmon_observation *observation);

#endif
