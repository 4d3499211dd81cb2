/* SPDX-License-Identifier: MIT */
/*
 * A window that moves forward over a file. It is read, not mapped: a file may be cut while it is
 * read, and then a mapping would end the process.
 */
#ifndef PTPMON_LIB_CAPTURE_WINDOW_H
#define PTPMON_LIB_CAPTURE_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct ptpmon_window {
    FILE *file; /* the owner's */
    uint8_t *bytes;
    size_t capacity;
    size_t begin, end; /* what is there and not consumed yet */
    uint64_t offset;   /* of `begin` in the file */
};

enum ptpmon_window_status {
    PTPMON_WINDOW_OK,
    PTPMON_WINDOW_SHORT, /* the file ends before; what is left is there, at `begin` */
    PTPMON_WINDOW_FAILED /* errno says why: the file cannot be read, or no memory */
};

/* Zeroed to begin with, `file` and `offset` (0) set. Makes sure that `length` bytes are there from `begin` on. What
 * was got before moves, so pointers into the window end here. */
enum ptpmon_window_status ptpmon_window_fill(struct ptpmon_window *window, size_t length);

static inline bool ptpmon_window_holds(const struct ptpmon_window *window, size_t length)
{
    return window->end - window->begin >= length;
}

static inline enum ptpmon_window_status ptpmon_window_need(struct ptpmon_window *window, size_t length)
{
    return ptpmon_window_holds(window, length) ? PTPMON_WINDOW_OK : ptpmon_window_fill(window, length);
}

static inline const uint8_t *ptpmon_window_bytes(const struct ptpmon_window *window)
{
    return window->bytes + window->begin;
}

/* The bytes stay where they are until the next call of fill. */
static inline void ptpmon_window_consume(struct ptpmon_window *window, size_t length)
{
    window->begin += length;
    window->offset += length;
}

/* Forgets what is there; the file was moved to its start. */
void ptpmon_window_restart(struct ptpmon_window *window);
void ptpmon_window_free(struct ptpmon_window *window);

#endif
