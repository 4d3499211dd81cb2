/* SPDX-License-Identifier: MIT */
#include "capture_window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW_BYTES ((size_t)256 * 1024)

/* Room for `length` bytes from `begin` on. */
static bool make_room(struct ptpmon_window *window, size_t length)
{
    size_t capacity = window->capacity > 0 ? window->capacity : WINDOW_BYTES;
    while (capacity < length)
        capacity *= 2;
    if (window->begin > 0)
        memmove(window->bytes, window->bytes + window->begin, window->end - window->begin);
    window->end -= window->begin;
    window->begin = 0;
    if (capacity == window->capacity)
        return true;
    uint8_t *bytes = realloc(window->bytes, capacity);
    if (bytes == NULL) {
        errno = ENOMEM;
        return false;
    }
    window->bytes = bytes;
    window->capacity = capacity;
    return true;
}

/* Of a pipe no more than is asked for: to wait for more would hold back what has come. */
static size_t bytes_to_read(const struct ptpmon_window *window, size_t length)
{
    bool is_pipe = ftell(window->file) < 0;
    return is_pipe ? length - (window->end - window->begin) : window->capacity - window->end;
}

enum ptpmon_window_status ptpmon_window_fill(struct ptpmon_window *window, size_t length)
{
    if (!make_room(window, length))
        return PTPMON_WINDOW_FAILED;
    window->end += fread(window->bytes + window->end, 1, bytes_to_read(window, length), window->file);
    if (window->end - window->begin >= length)
        return PTPMON_WINDOW_OK;
    return ferror(window->file) ? PTPMON_WINDOW_FAILED : PTPMON_WINDOW_SHORT;
}

void ptpmon_window_restart(struct ptpmon_window *window)
{
    window->begin = window->end = 0;
    window->offset = 0;
}

void ptpmon_window_free(struct ptpmon_window *window)
{
    free(window->bytes);
    window->bytes = NULL;
}
