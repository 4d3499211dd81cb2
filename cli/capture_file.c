/* SPDX-License-Identifier: MIT */
#include "capture_file.h"

#include "cli.h"
#include "time_heap.h"

#include <stdlib.h>
#include <string.h>

/* What a file has of an interface so far. */
struct counted {
    uint64_t frames, lost;
    int64_t began_at, ended_at; /* 0 = not yet */
};

struct capture_file {
    ptpmon_capture_writer *writer;
    struct time_heap held;
    struct counted *counted; /* by interface */
};

/* A frame, or a note that so much more was lost by then. */
struct entry {
    size_t interface;
    bool is_frame, is_end;
    uint64_t lost;
    int64_t at;
    ptpmon_frame frame;
    uint8_t bytes[]; /* of the frame */
};

ptpmon_status capture_file_open(const char *path, const ptpmon_capture_interface *interfaces, size_t count,
                                struct capture_file **file)
{
    ptpmon_capture_writer *writer;
    ptpmon_status status = ptpmon_capture_writer_open(path, interfaces, count, &writer);
    if (status != PTPMON_OK)
        return status;
    *file = cli_allocate(1, sizeof **file);
    (*file)->writer = writer;
    (*file)->counted = cli_allocate(count, sizeof *(*file)->counted);
    return PTPMON_OK;
}

static struct entry *hold(struct capture_file *file, size_t interface, int64_t at, size_t bytes)
{
    struct entry *entry = cli_allocate(1, sizeof *entry + bytes);
    entry->interface = interface;
    entry->at = at;
    time_heap_add(&file->held, at > 0 ? (uint64_t)at : 0, entry);
    return entry;
}

void capture_file_begin(struct capture_file *file, size_t interface, int64_t at)
{
    file->counted[interface].began_at = at;
    hold(file, interface, at, 0);
}

void capture_file_end(struct capture_file *file, size_t interface, int64_t at)
{
    hold(file, interface, at, 0)->is_end = true;
}

void capture_file_frame(struct capture_file *file, size_t interface, const ptpmon_frame *frame)
{
    struct entry *entry = hold(file, interface, frame->time_ns, frame->captured_length);
    entry->is_frame = true;
    entry->frame = *frame;
    entry->frame.bytes = entry->bytes;
    memcpy(entry->bytes, frame->bytes, frame->captured_length);
}

/* Two notes: until then nothing was lost, from there on this much more. */
void capture_file_loss(struct capture_file *file, size_t interface, const ptpmon_capture_loss *loss)
{
    hold(file, interface, loss->from, 0);
    hold(file, interface, loss->to, 0)->lost = loss->frames;
}

static ptpmon_status write_entry(struct capture_file *file, const struct entry *entry)
{
    struct counted *counted = &file->counted[entry->interface];
    if (entry->is_frame) {
        counted->frames++;
        return ptpmon_capture_writer_frame(file->writer, entry->interface, &entry->frame);
    }
    counted->lost += entry->lost;
    if (entry->is_end)
        counted->ended_at = entry->at;
    const ptpmon_capture_statistics statistics = {
        .frames = counted->frames,
        .dropped = counted->lost,
        .started_at = counted->began_at,
        .stopped_at = counted->ended_at,
    };
    return ptpmon_capture_writer_statistics(file->writer, entry->interface, &statistics, entry->at);
}

ptpmon_status capture_file_write(struct capture_file *file, int64_t until)
{
    ptpmon_status status = PTPMON_OK;
    struct entry *entry;
    while (status == PTPMON_OK && (entry = time_heap_take(&file->held, until > 0 ? (uint64_t)until : 0)) != NULL) {
        status = write_entry(file, entry);
        free(entry);
    }
    return status;
}

ptpmon_status capture_file_flush(struct capture_file *file)
{
    return ptpmon_capture_writer_flush(file->writer);
}

uint64_t capture_file_bytes(const struct capture_file *file)
{
    return ptpmon_capture_writer_bytes(file->writer);
}

ptpmon_status capture_file_close(struct capture_file *file)
{
    if (file == NULL)
        return PTPMON_OK;
    ptpmon_status status = capture_file_write(file, INT64_MAX);
    ptpmon_status closed = ptpmon_capture_writer_close(file->writer);
    struct entry *entry;
    while ((entry = time_heap_take(&file->held, UINT64_MAX)) != NULL) /* left by a failure */
        free(entry);
    time_heap_free(&file->held);
    free(file->counted);
    free(file);
    return status != PTPMON_OK ? status : closed;
}
