/* SPDX-License-Identifier: MIT */
/*
 * docs/quantities.md against the library: each name that the library gives has its entry, a row of a table that begins
 * with the name, under the heading or in the table where it belongs, and no row there is of a name that is none.
 *
 *     quantities_page PAGE
 */
#include <ptpmon_analysis.h>
#include <stdio.h>
#include <string.h>

#define ROWS_MAX 512

struct row {
    char column[32], name[64]; /* what the table's first column is called */
};

static struct row rows[ROWS_MAX];
static size_t row_count;
static int failures;

/* The first cell of a table's row, without back quotes; false: this is no row. */
static int first_cell(const char *line, char *cell, size_t size)
{
    size_t length;
    if (strncmp(line, "| ", 2) != 0)
        return 0;
    line += 2;
    length = strcspn(line, "|");
    while (length > 0 && line[length - 1] == ' ')
        length--;
    if (length > 1 && line[0] == '`' && line[length - 1] == '`') {
        line++;
        length -= 2;
    }
    if (length >= size)
        length = size - 1;
    memcpy(cell, line, length);
    cell[length] = 0;
    return 1;
}

static int read_rows(const char *path)
{
    char line[4096], cell[64], column[32] = "";
    FILE *page = fopen(path, "r");
    if (!page) {
        perror(path);
        return 0;
    }
    while (fgets(line, sizeof line, page)) {
        if (line[0] != '|')
            column[0] = 0;
        if (!first_cell(line, cell, sizeof cell))
            continue;
        if (!column[0]) {
            memcpy(column, cell, sizeof column - 1);
        } else if (row_count < ROWS_MAX) {
            memcpy(rows[row_count].column, column, sizeof column);
            memcpy(rows[row_count++].name, cell, sizeof cell);
        }
    }
    fclose(page);
    return 1;
}

typedef const char *(*name_of)(int value);

static const char *quantity(int value)
{
    return ptpmon_quantity_name((ptpmon_quantity)value);
}

static const char *count(int value)
{
    return ptpmon_count_name((ptpmon_count)value);
}

static const char *reason(int value)
{
    return ptpmon_exchange_reason_name((ptpmon_exchange_reason)value);
}

static const char *finding(int value)
{
    return ptpmon_finding_kind_name((ptpmon_finding_kind)value);
}

static const char *method(int value)
{
    return ptpmon_asymmetry_method_name((ptpmon_asymmetry_method)value);
}

static void fail(const char *column, const char *name, const char *what)
{
    fprintf(stderr, "table \"%s\", %s: %s\n", column, name, what);
    failures++;
}

/* Rows and names are the same. */
static void compare(const char *column, name_of name)
{
    int names = 0;
    for (; strcmp(name(names), "unknown") != 0; names++) {
        int found = 0;
        for (size_t i = 0; i < row_count; i++)
            found += strcmp(rows[i].column, column) == 0 && strcmp(rows[i].name, name(names)) == 0;
        if (found != 1)
            fail(column, name(names), found ? "more than one row" : "no row");
    }
    if (names < 2)
        fail(column, "-", "the library gives no names");
    for (size_t i = 0; i < row_count; i++) {
        int known = 0;
        for (int value = 0; value < names; value++)
            known |= strcmp(rows[i].name, name(value)) == 0;
        if (strcmp(rows[i].column, column) == 0 && !known && strncmp(rows[i].name, "--", 2) != 0)
            fail(column, rows[i].name, "no such name");
    }
}

/* The unit is the second cell. */
static void compare_units(const char *path)
{
    char line[4096], expected[128];
    FILE *page = fopen(path, "r");
    int found[PTPMON_QUANTITIES] = {0};
    while (page && fgets(line, sizeof line, page))
        for (int i = 0; i < PTPMON_QUANTITIES; i++) {
            snprintf(expected, sizeof expected, "| `%s` | %s |", quantity(i), ptpmon_quantity_unit((ptpmon_quantity)i));
            found[i] += strncmp(line, expected, strlen(expected)) == 0;
        }
    for (int i = 0; i < PTPMON_QUANTITIES; i++)
        if (found[i] != 1)
            fail("quantity", quantity(i), "its unit is another");
    if (page)
        fclose(page);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: quantities_page PAGE\n");
        return 2;
    }
    if (!read_rows(argv[1]))
        return 1;
    compare("quantity", quantity);
    compare("count", count);
    compare("reason", reason);
    compare("finding", finding);
    compare("method", method);
    compare_units(argv[1]);
    return failures > 0;
}
