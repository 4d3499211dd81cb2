/* SPDX-License-Identifier: MIT */
#include "cli.h"

#include "format.h"
#include "terminal.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *command_name;
static int output_error; /* errno of the write that failed */
static bool writes_at_leisure;
static char waiting[1 << 16]; /* to be written at leisure */
static size_t waiting_length;
static bool shows_progress;

int cli_exit_code(ptpmon_status status)
{
    switch (status) {
    case PTPMON_OK:
    case PTPMON_END:
    case PTPMON_NOTHING:
        return CLI_OK;
    case PTPMON_NO_INTERFACE:
        return CLI_INTERFACE;
    case PTPMON_NO_PERMISSION:
        return CLI_RIGHTS;
    case PTPMON_NOT_SUPPORTED:
        return CLI_UNSUPPORTED;
    case PTPMON_BUSY:
        return CLI_BUSY;
    case PTPMON_INVALID:
        return CLI_USAGE;
    case PTPMON_BAD_FILE:
        return CLI_FILE;
    case PTPMON_NO_MEMORY:
    case PTPMON_IO:
        break;
    }
    return CLI_FAILED;
}

void cli_set_command(const char *command)
{
    command_name = command;
}

/* A line that wraps could not be written over. */
unsigned cli_progress_width(void)
{
    unsigned width = format_terminal_width(stderr);
    return width > 1 ? width - 1 : 79;
}

void cli_progress(const char *text)
{
    if ((text == NULL && !shows_progress) || !terminal_is(stderr))
        return;
    shows_progress = text != NULL;
    fprintf(stderr, "\r%.*s\033[K", (int)cli_progress_width(), text != NULL ? text : "");
    fflush(stderr);
}

static void message(const char *format, va_list arguments)
{
    char raw[1024], text[2048], line[2112];
    cli_progress(NULL);
    vsnprintf(raw, sizeof raw, format, arguments);
    format_printable(raw, text, sizeof text);
    snprintf(line, sizeof line, "ptpmon%s%s: %s\n", command_name ? " " : "", command_name ? command_name : "", text);
    fputs(line, stderr);
}

void cli_message(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    message(format, arguments);
    va_end(arguments);
}

int cli_library_error(ptpmon_status status)
{
    cli_message("%s", ptpmon_error_message());
    return cli_exit_code(status);
}

int cli_usage_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    message(format, arguments);
    va_end(arguments);
    fprintf(stderr, "Try `ptpmon%s%s --help`.\n", command_name ? " " : "", command_name ? command_name : "");
    return CLI_USAGE;
}

int cli_option_error(int option, const char *argument)
{
    bool is_long = strncmp(argument, "--", 2) == 0, has_value = is_long && strchr(argument, '=') != NULL;
    if (has_value && optopt != 0) /* some systems say ':' to this */
        return cli_usage_error("option %.*s takes no value", (int)strcspn(argument, "="), argument);
    if (option == ':')
        return cli_usage_error("option %s needs a value", argument);
    if (!is_long && optopt != 0)
        return cli_usage_error("unknown option -%c", optopt);
    return cli_usage_error("unknown or ambiguous option %s", argument);
}

static void send_out(const char *text, size_t length)
{
    errno = 0;
    if (output_error == 0 && !terminal_write(text, length))
        output_error = errno != 0 ? errno : EIO;
}

static void send_waiting(void)
{
    send_out(waiting, waiting_length);
    waiting_length = 0;
}

void cli_write(const char *text, size_t length)
{
    if (length > sizeof waiting - waiting_length)
        send_waiting();
    if (!writes_at_leisure || length > sizeof waiting) {
        send_out(text, length);
        return;
    }
    memcpy(waiting + waiting_length, text, length);
    waiting_length += length;
}

void cli_say(const char *format, ...)
{
    char text[4096];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length > 0)
        cli_write(text, (size_t)length < sizeof text ? (size_t)length : sizeof text - 1);
}

void cli_write_at_leisure(void)
{
    writes_at_leisure = !terminal_is(stdout);
}

bool cli_output_failed(void)
{
    return output_error != 0;
}

int cli_output_result(int code)
{
    send_waiting();
    if (output_error == 0 || terminal_reader_is_gone(output_error))
        return code;
    cli_message("standard output: cannot write: %s", strerror(output_error));
    return code == CLI_OK ? CLI_FAILED : code;
}

uint64_t cli_now(void)
{
    PTP_CLOCKS_RECORD clocks;
    return ptpmon_clocks_now(&clocks) == PTPMON_OK ? clocks.system_timestamp : 0;
}

void *cli_allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL) {
        cli_message("out of memory");
        exit(CLI_FAILED);
    }
    return memory;
}

void *cli_grow(void *array, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return array;
    *capacity = *capacity * 2 + 16;
    void *larger = cli_allocate(*capacity, size);
    if (count > 0)
        memcpy(larger, array, count * size);
    free(array);
    return larger;
}

bool cli_parse_duration(const char *text, uint64_t *ns)
{
    static const struct {
        const char *name;
        double ns;
    } units[] = {{"", 1e9},   {"ns", 1},     {"us", 1e3},   {"ms", 1e6},   {"s", 1e9},
                 {"m", 60e9}, {"min", 60e9}, {"h", 3600e9}, {"d", 86400e9}};
    static const double longest = 10 * 365.25 * 86400e9;

    char *end;
    const char *unit = text + strspn(text, "0123456789.");
    if (text[0] < '0' || text[0] > '9')
        return false;
    double value = strtod(text, &end);
    if (end != unit) /* what else a number may be: hexadecimal, an exponent */
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(unit, units[i].name) != 0)
            continue;
        double rounded = value * units[i].ns + 0.5;
        if (!(rounded >= 1 && rounded <= longest))
            return false;
        *ns = (uint64_t)rounded;
        return true;
    }
    return false;
}

bool cli_parse_number(const char *text, uint64_t minimum, uint64_t maximum, uint64_t *value)
{
    char *end;
    if (text[0] < '0' || text[0] > '9')
        return false;
    bool hexadecimal = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    errno = 0;
    uint64_t number = strtoull(text, &end, hexadecimal ? 16 : 10);
    if (errno != 0 || *end != 0 || number < minimum || number > maximum)
        return false;
    *value = number;
    return true;
}

/* The factor that a letter behind a number stands for; 0 = none. */
static uint64_t size_unit(char letter)
{
    switch (letter) {
    case 'K':
    case 'k':
        return UINT64_C(1) << 10;
    case 'M':
    case 'm':
        return UINT64_C(1) << 20;
    case 'G':
    case 'g':
        return UINT64_C(1) << 30;
    default:
        return 0;
    }
}

bool cli_parse_size(const char *text, uint64_t maximum, uint64_t *bytes)
{
    char digits[24];
    size_t length = strlen(text);
    uint64_t value;
    if (length == 0 || length >= sizeof digits)
        return false;
    memcpy(digits, text, length + 1);
    uint64_t unit = size_unit(digits[length - 1]);
    if (unit != 0)
        digits[length - 1] = 0;
    else
        unit = 1;
    if (!cli_parse_number(digits, 1, maximum / unit, &value))
        return false;
    *bytes = value * unit;
    return true;
}

int cli_parse_choice(const char *text, const char *const *names)
{
    for (int i = 0; names[i] != NULL; i++) {
        if (strcasecmp(text, names[i]) == 0)
            return i;
    }
    return -1;
}
