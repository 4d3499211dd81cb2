/* SPDX-License-Identifier: MIT */
/* What all commands share: exit codes, messages to the person, standard output, the wish to stop. */
#ifndef PTPMON_CLI_H
#define PTPMON_CLI_H

#include <ptpmon.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* A function that takes a format, by the position of it and of what is put in. mingw-w64 has two kinds of formats, and
 * says in <stdio.h> which one printf() takes. */
#ifdef __MINGW_PRINTF_FORMAT
#define CLI_PRINTF(format_at, arguments_at) __attribute__((format(__MINGW_PRINTF_FORMAT, format_at, arguments_at)))
#else
#define CLI_PRINTF(format_at, arguments_at) __attribute__((format(printf, format_at, arguments_at)))
#endif

#define NS_PER_S  1000000000
#define NS_PER_MS 1000000

/* Documented in ptpmon(1). */
enum cli_exit {
    CLI_OK = 0,
    CLI_FAILED = 1,      /* an error while running; demo: something was not matched */
    CLI_USAGE = 2,       /* the command line */
    CLI_INTERFACE = 3,   /* no such interface, or it vanished */
    CLI_RIGHTS = 4,      /* a capability or administrator right is missing */
    CLI_UNSUPPORTED = 5, /* this kernel, driver, NIC or installation lacks it */
    CLI_BUSY = 6,        /* somebody else holds it */
    CLI_FILE = 7,        /* a file is damaged or of a kind that cannot be read */
};

/* The exit code for a library status; PTPMON_OK, _END and _NOTHING are successes. */
int cli_exit_code(ptpmon_status status);

/* Of several things that are all to be done, the first that failed. */
static inline ptpmon_status cli_first_failure(ptpmon_status first, ptpmon_status then)
{
    return first != PTPMON_OK ? first : then;
}

/* "watch" for messages "ptpmon watch: ..."; NULL = "ptpmon". Static storage. */
void cli_set_command(const char *command);

/* One sentence on standard error, bytes that a terminal would obey replaced. */
void cli_message(const char *format, ...) CLI_PRINTF(1, 2);

/* A line on standard error that is written over by the next, and taken away before a message; NULL takes it away.
 * Nothing where that is no terminal. */
void cli_progress(const char *text);
/* Longer ones are cut. */
unsigned cli_progress_width(void);

/* The library's sentence about `status`; returns the exit code. */
int cli_library_error(ptpmon_status status);

/* A sentence about the command line and where help is; returns CLI_USAGE. */
int cli_usage_error(const char *format, ...) CLI_PRINTF(1, 2);

/* getopt_long() has found `option` ('?' or ':') at argv[index]: says what is wrong with it. */
int cli_option_error(int option, const char *argument);

/*
 * Ctrl-C, SIGINT and SIGTERM ask for an orderly stop; the second one ends the process at once. SIGPIPE is
 * ignored: cli_write() tells. So is SIGXFSZ: the write beyond a limit of the file size fails.
 * cli_signals_default() undoes all that in a child before exec. Each system has its own: cli/posix, cli/windows.
 */
void cli_signals_setup(void);
void cli_signals_default(void);
bool cli_stop_requested(void);

/* Standard output, a line or several at a time, each visible at once. After a failure nothing more is written. */
void cli_write(const char *text, size_t length);
/* The same, of any length that fits a screen. */
void cli_say(const char *format, ...) CLI_PRINTF(1, 2);

/* From now on standard output is written in large parts, unless it is a terminal: for what comes faster than anybody
 * reads. cli_output_result() writes the rest. */
void cli_write_at_leisure(void);

/* True when standard output cannot be written any more. */
bool cli_output_failed(void);

/* Says why output failed, unless the reader just closed the pipe; returns `code`, or CLI_FAILED in place of CLI_OK
 * where output was lost for another reason. */
int cli_output_result(int code);

/* Event time now, ns; 0 where the clocks cannot be read. */
uint64_t cli_now(void);

/* malloc that ends the process with a message where there is no memory; zeroed. */
void *cli_allocate(size_t count, size_t size);
/* An array of `count` elements with room for one more: itself, or a larger copy, zeroed behind them, in its place. */
void *cli_grow(void *array, size_t count, size_t *capacity, size_t size);

/* ---- Values of options; false = not of this form ---- */

/* A decimal number and ns, us, ms, s, m, min, h or d, as the settings of a simulation take them; without a unit it is
 * seconds. ns, rounded, at least 1, at most 10 years. */
bool cli_parse_duration(const char *text, uint64_t *ns);
/* A decimal or 0x number in [minimum, maximum]. */
bool cli_parse_number(const char *text, uint64_t minimum, uint64_t maximum, uint64_t *value);
/* "65536", "64K", "1M", "2G": bytes, at most `maximum`. */
bool cli_parse_size(const char *text, uint64_t maximum, uint64_t *bytes);

/* The index of `text` in `names` (ends with NULL), case ignored; -1 = not there. */
int cli_parse_choice(const char *text, const char *const *names);

#endif
