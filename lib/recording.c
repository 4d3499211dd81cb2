/* SPDX-License-Identifier: MIT */
#include "recording.h"

#include "error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Writing ---- */

struct ptpmon_recorder {
    FILE *file;
    char *path;
};

static ptpmon_status write_failed(const struct ptpmon_recorder *recorder)
{
    return ptpmon_fail_errno(recorder->path, "write the recording", errno);
}

ptpmon_status ptpmon_recorder_open(const char *path, const PTP_RECORDING_HEADER *header,
                                   struct ptpmon_recorder **opened)
{
    struct ptpmon_recorder *recorder = calloc(1, sizeof *recorder);
    if (!recorder || !(recorder->path = strdup(path))) {
        free(recorder);
        return ptpmon_fail(PTPMON_NO_MEMORY, "%s: no memory for a recording", path);
    }
    recorder->file = fopen(path, "wbe");
    if (!recorder->file || fwrite(header, sizeof *header, 1, recorder->file) != 1 || fflush(recorder->file) != 0) {
        ptpmon_status status = write_failed(recorder);
        ptpmon_recorder_close(recorder);
        return status;
    }
    *opened = recorder;
    return PTPMON_OK;
}

ptpmon_status ptpmon_recorder_write(struct ptpmon_recorder *recorder, const PTP_TIMESTAMP_EVENT *record)
{
    return fwrite(record, sizeof *record, 1, recorder->file) == 1 ? PTPMON_OK : write_failed(recorder);
}

ptpmon_status ptpmon_recorder_flush(struct ptpmon_recorder *recorder)
{
    return fflush(recorder->file) == 0 ? PTPMON_OK : write_failed(recorder);
}

ptpmon_status ptpmon_recorder_close(struct ptpmon_recorder *recorder)
{
    if (!recorder)
        return PTPMON_OK;
    ptpmon_status status = PTPMON_OK;
    if (recorder->file && fclose(recorder->file) != 0)
        status = write_failed(recorder);
    free(recorder->path);
    free(recorder);
    return status;
}

/* ---- Reading ---- */

struct recorded_source {
    struct ptpmon_source base;
    const unsigned char *bytes; /* the whole file */
    size_t length;
    const PTP_TIMESTAMP_EVENT *records;
    size_t count, next;
};

static struct recorded_source *recorded_source(const struct ptpmon_source *base)
{
    return (struct recorded_source *)base;
}

static ptpmon_status enable(struct ptpmon_source *base)
{
    recorded_source(base)->next = 0;
    return PTPMON_OK;
}

static ptpmon_status disable(struct ptpmon_source *base)
{
    recorded_source(base)->next = recorded_source(base)->count;
    return PTPMON_OK;
}

static void close_source(struct ptpmon_source *base)
{
    struct recorded_source *source = recorded_source(base);
    if (source->bytes)
        munmap((void *)source->bytes, source->length);
    free(source);
}

static ptpmon_status peek(struct ptpmon_source *base, ptpmon_batch *batch)
{
    const struct recorded_source *source = recorded_source(base);
    *batch = (ptpmon_batch){source->records + source->next, sizeof *source->records, source->count - source->next};
    return PTPMON_OK;
}

static void release(struct ptpmon_source *base, size_t count)
{
    recorded_source(base)->next += count;
}

static ptpmon_status wait_for_records(struct ptpmon_source *base, int timeout_ms)
{
    (void)timeout_ms;
    return recorded_source(base)->next < recorded_source(base)->count ? PTPMON_OK : PTPMON_END;
}

/* What the recorder's reader was given, and what it was told to have lost. */
static ptpmon_status statistics(struct ptpmon_source *base, ptpmon_statistics *sum)
{
    const struct recorded_source *source = recorded_source(base);
    for (size_t i = 0; i < source->next; i++) {
        const PTP_TIMESTAMP_EVENT *record = &source->records[i];
        if (record->direction == AVB_DIRECTION_LOSS) {
            PTP_LOSS_RECORD loss;
            memcpy(&loss, record, sizeof loss);
            sum->frames_dropped += loss.frames_dropped;
            sum->stamps_dropped += loss.stamps_dropped;
        } else if (record->direction <= AVB_DIRECTION_TX) {
            if (record->stamp & AVB_STAMP_LATE)
                sum->stamps_emitted++;
            else
                sum->frames_emitted++;
        }
    }
    sum->frames_seen = sum->frames_emitted + sum->frames_dropped;
    sum->stamps_seen = sum->stamps_emitted + sum->stamps_dropped;
    return PTPMON_OK;
}

/* The monitor ran from its first record to its last: both are CLOCKS where it ended in order. */
static void info(const struct ptpmon_source *base, ptpmon_monitor_info *about)
{
    const struct recorded_source *source = recorded_source(base);
    about->rx_frames = about->tx_frames = about->tx_stamps = "recording";
    about->tx_queue_known = about->rx_software = true; /* the records themselves say what they lack */
    about->enabled_at = source->count ? source->records[0].system_timestamp : 0;
    about->disabled_at = source->count ? source->records[source->count - 1].system_timestamp : 0;
}

static const struct ptpmon_source_operations operations = {
    .enable = enable,
    .disable = disable,
    .close = close_source,
    .peek = peek,
    .release = release,
    .wait = wait_for_records,
    .statistics = statistics,
    .info = info,
};

static ptpmon_status not_a_recording(const char *path)
{
    return ptpmon_fail(PTPMON_BAD_FILE, "%s: not a recording of events; give the .events file that ptpmon wrote", path);
}

static ptpmon_status check_header(const char *path, const PTP_RECORDING_HEADER *header, size_t length)
{
    if (!header || length < sizeof *header || memcmp(header->magic, AVB_RECORDING_MAGIC, sizeof header->magic) != 0)
        return not_a_recording(path);
    if (header->byte_order != AVB_RECORDING_BYTE_ORDER)
        return ptpmon_fail(PTPMON_BAD_FILE, "%s: recorded on a host of the other byte order; read it on one like it",
                           path);
    if (header->format_version != AVB_RECORDING_FORMAT_VERSION || header->abi_version != AVB_PTP_EVENT_ABI_VERSION ||
        header->record_bytes != sizeof(PTP_TIMESTAMP_EVENT) || header->header_bytes != sizeof *header)
        return ptpmon_fail(PTPMON_BAD_FILE,
                           "%s: recording format %u, event version %u; this ptpmon reads format %u, "
                           "event version %u: use one as new as the recorder's",
                           path, header->format_version, header->abi_version, AVB_RECORDING_FORMAT_VERSION,
                           AVB_PTP_EVENT_ABI_VERSION);
    return PTPMON_OK;
}

static ptpmon_status map_file(struct recorded_source *source, const char *path)
{
    struct stat about;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return ptpmon_fail_errno(path, "open the recording", errno);
    int error = fstat(fd, &about) != 0 ? errno : 0;
    if (error == 0 && !S_ISREG(about.st_mode)) {
        close(fd);
        return not_a_recording(path);
    }
    if (error == 0 && about.st_size > 0) {
        source->length = (size_t)about.st_size;
        void *bytes = mmap(NULL, source->length, PROT_READ, MAP_PRIVATE, fd, 0);
        if (bytes == MAP_FAILED)
            error = errno;
        else
            source->bytes = bytes;
    }
    close(fd);
    return error == 0 ? PTPMON_OK : ptpmon_fail_errno(path, "read the recording", error);
}

ptpmon_status ptpmon_recorded_source_open(const char *path, struct ptpmon_source **opened)
{
    struct recorded_source *source = calloc(1, sizeof *source);
    if (!source)
        return ptpmon_fail(PTPMON_NO_MEMORY, "%s: no memory for a recording", path);
    source->base.operations = &operations;
    ptpmon_status status = map_file(source, path);
    if (status == PTPMON_OK)
        status = check_header(path, (const void *)source->bytes, source->length);
    if (status != PTPMON_OK) {
        close_source(&source->base);
        return status;
    }
    source->records = (const void *)(source->bytes + AVB_RECORDING_HEADER_BYTES);
    source->count = (source->length - AVB_RECORDING_HEADER_BYTES) / sizeof *source->records;
    *opened = &source->base;
    return PTPMON_OK;
}
