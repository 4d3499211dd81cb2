/* SPDX-License-Identifier: MIT */
#include "analysis_table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CELL_SIZE   96
#define COLUMNS_MAX 16
#define INDENT      2
#define GAP         2

struct cell {
    enum format_style style;
    char text[CELL_SIZE];
};

/* A row of cells, or a heading. */
struct row {
    char *heading; /* NULL = none */
    struct cell *cells;
};

struct analysis_table {
    const struct analysis_column *columns;
    size_t column_count;
    struct row *rows;
    size_t count, capacity;
    size_t filled; /* cells of the last row */
    bool has_cells;
    size_t widths[COLUMNS_MAX]; /* 0 = left out */
};

struct analysis_table *analysis_table_open(const struct analysis_column *columns, size_t count)
{
    struct analysis_table *table = cli_allocate(1, sizeof *table);
    table->columns = columns;
    table->column_count = count < COLUMNS_MAX ? count : COLUMNS_MAX;
    table->filled = table->column_count;
    for (size_t i = 0; i < table->column_count; i++)
        table->widths[i] = strlen(columns[i].title);
    return table;
}

static struct row *add_row(struct analysis_table *table)
{
    table->rows = cli_grow(table->rows, table->count, &table->capacity, sizeof *table->rows);
    return &table->rows[table->count++];
}

void analysis_table_cell(struct analysis_table *table, enum format_style style, const char *format, ...)
{
    va_list arguments;
    if (table->filled == table->column_count) {
        add_row(table)->cells = cli_allocate(table->column_count, sizeof(struct cell));
        table->filled = 0;
        table->has_cells = true;
    }
    struct cell *cell = &table->rows[table->count - 1].cells[table->filled];
    cell->style = style;
    va_start(arguments, format);
    vsnprintf(cell->text, sizeof cell->text, format, arguments);
    va_end(arguments);
    size_t width = format_width(cell->text), *widest = &table->widths[table->filled];
    *widest = width > *widest ? width : *widest;
    table->filled++;
}

void analysis_table_heading(struct analysis_table *table, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = cli_allocate(size, 1);
    memcpy(copy, text, size);
    add_row(table)->heading = copy;
    table->filled = table->column_count;
}

/* ---- Widths ---- */

static size_t total_width(const struct analysis_table *table)
{
    size_t width = INDENT;
    for (size_t i = 0; i < table->column_count; i++)
        width += table->widths[i] > 0 ? table->widths[i] + (i > 0 ? GAP : 0) : 0;
    return width;
}

/* Leaves the least important column out; false: only those that always stay are left. */
static bool drop_column(struct analysis_table *table)
{
    size_t least = 0;
    unsigned rank = 0;
    for (size_t i = 0; i < table->column_count; i++) {
        if (table->widths[i] > 0 && table->columns[i].rank > rank) {
            rank = table->columns[i].rank;
            least = i;
        }
    }
    if (rank > 0)
        table->widths[least] = 0;
    return rank > 0;
}

/* ---- Lines ---- */

struct line {
    char text[COLUMNS_MAX * (CELL_SIZE + 32)];
    size_t length, blanks; /* blanks are written when something follows them */
};

static void append(struct line *line, const char *text)
{
    size_t length = strlen(text);
    if (length > sizeof line->text - line->length)
        length = sizeof line->text - line->length;
    memcpy(line->text + line->length, text, length);
    line->length += length;
}

static void put_cell(const struct analysis_table *table, struct line *line, size_t i, const char *text,
                     enum format_style style)
{
    size_t width = format_width(text), padding = width < table->widths[i] ? table->widths[i] - width : 0;
    bool left = table->columns[i].left;
    line->blanks += left ? 0 : padding;
    if (width > 0) {
        for (; line->blanks > 0; line->blanks--)
            append(line, " ");
        append(line, style != STYLE_PLAIN ? format_style(style) : "");
        append(line, text);
        append(line, style != STYLE_PLAIN ? format_style(STYLE_PLAIN) : "");
    }
    line->blanks += (left ? padding : 0) + GAP;
}

static void write_row(const struct analysis_table *table, const struct cell *cells)
{
    struct line line = {.blanks = INDENT};
    for (size_t i = 0; i < table->column_count; i++) {
        if (table->widths[i] == 0)
            continue;
        put_cell(table, &line, i, cells != NULL ? cells[i].text : table->columns[i].title,
                 cells != NULL ? cells[i].style : STYLE_BOLD);
    }
    append(&line, "\n");
    cli_write(line.text, line.length);
}

bool analysis_table_close(struct analysis_table *table, bool wide)
{
    bool cut = false;
    unsigned limit = format_terminal_width(stdout);
    while (table->has_cells && !wide && limit > 0 && total_width(table) > limit && drop_column(table))
        cut = true;
    if (table->has_cells)
        write_row(table, NULL);
    for (size_t i = 0; i < table->count; i++) {
        struct row *row = &table->rows[i];
        if (row->heading != NULL && table->has_cells)
            cli_say("  %s%s%s\n", format_style(STYLE_BOLD), row->heading, format_style(STYLE_PLAIN));
        else if (row->cells != NULL)
            write_row(table, row->cells);
        free(row->heading);
        free(row->cells);
    }
    free(table->rows);
    free(table);
    return cut;
}
