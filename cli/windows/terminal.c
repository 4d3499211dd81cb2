/* SPDX-License-Identifier: MIT */
#include "terminal.h"

#include "windows/wide.h"

#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include <shellapi.h>

#ifndef ENABLE_VIRTUAL_TERMINAL_PROCESSING
#define ENABLE_VIRTUAL_TERMINAL_PROCESSING 0x0004
#endif

#define BUFFER_BYTES 65536

static UINT code_page_before; /* of the console; 0 = it was not changed */

/* The code page belongs to the console, and stays with it when the program has ended. */
static void restore_code_page(void)
{
    if (code_page_before != 0)
        SetConsoleOutputCP(code_page_before);
}

static void speak_utf8(void)
{
    UINT before = GetConsoleOutputCP();
    if (before != 0 && before != CP_UTF8 && SetConsoleOutputCP(CP_UTF8)) {
        code_page_before = before;
        atexit(restore_code_page);
    }
}

/* What the C library gives is in the code page of the system, which lacks most characters. Without memory it must
 * do. */
static void take_arguments(int *argc, char ***argv)
{
    int count;
    wchar_t **wide = CommandLineToArgvW(GetCommandLineW(), &count);
    char **arguments = wide != NULL ? calloc((size_t)count + 1, sizeof *arguments) : NULL;
    bool taken = arguments != NULL;
    for (int i = 0; taken && i < count; i++)
        taken = (arguments[i] = ptpmon_utf8(wide[i])) != NULL;
    LocalFree(wide);
    if (!taken)
        return;
    *argc = count;
    *argv = arguments;
}

/* A C library that is asked for the impossible, such as the date of a damaged time, answers with an error and not with
 * the end of the process. */
static void ignore(const wchar_t *expression, const wchar_t *function, const wchar_t *file, unsigned line,
                   uintptr_t reserved)
{
    (void)expression;
    (void)function;
    (void)file;
    (void)line;
    (void)reserved;
}

void terminal_start(int *argc, char ***argv)
{
    _set_invalid_parameter_handler(ignore);
    _setmode(_fileno(stdout), _O_BINARY); /* lines end as on every system */
    _setmode(_fileno(stderr), _O_BINARY);
    /* To a console the C library would write each byte for itself, and a character of several would be none. What is
     * to be seen at once is flushed. */
    setvbuf(stdout, NULL, _IOFBF, BUFFER_BYTES);
    speak_utf8();
    take_arguments(argc, argv);
}

/* Consoles from before Windows 10 obey no escape sequences, and count as none. */
bool terminal_is(FILE *stream)
{
    DWORD mode;
    HANDLE console = (HANDLE)_get_osfhandle(_fileno(stream));
    return GetConsoleMode(console, &mode) && ((mode & ENABLE_VIRTUAL_TERMINAL_PROCESSING) != 0 ||
                                              SetConsoleMode(console, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING));
}

bool terminal_has_colours(FILE *stream)
{
    const char *term = getenv("TERM");
    return terminal_is(stream) && (term == NULL || strcmp(term, "dumb") != 0);
}

unsigned terminal_columns(FILE *stream)
{
    CONSOLE_SCREEN_BUFFER_INFO about;
    HANDLE console = (HANDLE)_get_osfhandle(_fileno(stream));
    if (!terminal_is(stream) || !GetConsoleScreenBufferInfo(console, &about))
        return 0;
    return (unsigned)(about.srWindow.Right - about.srWindow.Left + 1);
}

bool terminal_write(const char *text, size_t length)
{
    return fwrite(text, 1, length, stdout) == length && fflush(stdout) == 0;
}

/* For a pipe whose other end is being closed the C library has no better word than EINVAL. */
bool terminal_reader_is_gone(int error)
{
    bool is_pipe = GetFileType((HANDLE)_get_osfhandle(_fileno(stdout))) == FILE_TYPE_PIPE;
    return error == EPIPE || (error == EINVAL && is_pipe);
}
