/* SPDX-License-Identifier: MIT */
#include "recording.h"

#include "error.h"
#include "file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file's errno as one of the statuses that files have. */
static ptpmon_status file_failed(const char *path, const char *action, int error)
{
    ptpmon_status status = ptpmon_fail_errno(path, action, error);
    return status == PTPMON_NO_PERMISSION || status == PTPMON_NO_MEMORY ? status : PTPMON_IO;
}

/* ---- Writing ---- */

#define WRITE_BUFFER_BYTES 65536u

/* No stdio: after a failure it may drop some bytes and write later ones, and the records behind would lie askew. */
struct ptpmon_recorder {
    int fd;
    int error; /* errno of the first failure, 0 = none */
    bool begun;
    size_t used; /* bytes in the buffer that are not in the file yet */
    unsigned char buffer[WRITE_BUFFER_BYTES];
    char path[];
};

/* Empties the file only when it is known not to be the one of `other`. */
static ptpmon_status open_for_writing(struct ptpmon_recorder *recorder, const struct ptpmon_recorder *other)
{
    struct stat about;
    recorder->fd = ptpmon_file_create(recorder->path, false);
    if (recorder->fd < 0 || fstat(recorder->fd, &about) != 0)
        return file_failed(recorder->path, "create the recording", errno);
    if (other && S_ISREG(about.st_mode) && ptpmon_file_is_same(other->fd, recorder->fd))
        return ptpmon_fail(PTPMON_INVALID, "%s: this file is being written already; give the next one another name",
                           recorder->path);
    if (S_ISREG(about.st_mode) && ftruncate(recorder->fd, 0) != 0)
        return file_failed(recorder->path, "empty the file for the recording", errno);
    return PTPMON_OK;
}

ptpmon_status ptpmon_recorder_open(const char *path, const struct ptpmon_recorder *other,
                                   struct ptpmon_recorder **opened)
{
    struct ptpmon_recorder *recorder = calloc(1, sizeof *recorder + strlen(path) + 1);
    if (!recorder)
        return ptpmon_fail(PTPMON_NO_MEMORY, "%s: no memory for a recording", path);
    strcpy(recorder->path, path);
    ptpmon_status status = open_for_writing(recorder, other);
    if (status != PTPMON_OK) {
        ptpmon_recorder_discard(recorder);
        return status;
    }
    *opened = recorder;
    return PTPMON_OK;
}

ptpmon_status ptpmon_recorder_status(const struct ptpmon_recorder *recorder)
{
    return recorder->error == 0 ? PTPMON_OK : file_failed(recorder->path, "write the recording", recorder->error);
}

ptpmon_status ptpmon_recorder_flush(struct ptpmon_recorder *recorder)
{
    const unsigned char *from = recorder->buffer;
    while (recorder->used > 0 && recorder->error == 0) {
        int64_t written = ptpmon_file_write(recorder->fd, from, recorder->used);
        if (written >= 0) {
            from += written;
            recorder->used -= (size_t)written;
        } else if (errno != EINTR) {
            recorder->error = errno;
        }
    }
    return ptpmon_recorder_status(recorder);
}

static ptpmon_status append(struct ptpmon_recorder *recorder, const void *bytes, size_t length)
{
    ptpmon_status status = ptpmon_recorder_status(recorder);
    if (status == PTPMON_OK && length > sizeof recorder->buffer - recorder->used)
        status = ptpmon_recorder_flush(recorder);
    if (status != PTPMON_OK)
        return status;
    memcpy(recorder->buffer + recorder->used, bytes, length);
    recorder->used += length;
    return PTPMON_OK;
}

ptpmon_status ptpmon_recorder_begin(struct ptpmon_recorder *recorder, PTP_RECORDING_HEADER *header)
{
    memcpy(header->magic, AVB_RECORDING_MAGIC, sizeof header->magic);
    header->byte_order = AVB_RECORDING_BYTE_ORDER;
    header->format_version = AVB_RECORDING_FORMAT_VERSION;
    header->abi_version = AVB_PTP_EVENT_ABI_VERSION;
    header->header_bytes = sizeof *header;
    header->record_bytes = sizeof(PTP_TIMESTAMP_EVENT);
    recorder->begun = true;
    return append(recorder, header, sizeof *header);
}

bool ptpmon_recorder_has_begun(const struct ptpmon_recorder *recorder)
{
    return recorder->begun;
}

ptpmon_status ptpmon_recorder_write(struct ptpmon_recorder *recorder, const void *record)
{
    return append(recorder, record, sizeof(PTP_TIMESTAMP_EVENT));
}

void ptpmon_recorder_discard(struct ptpmon_recorder *recorder)
{
    if (!recorder)
        return;
    if (recorder->fd >= 0)
        close(recorder->fd);
    free(recorder);
}

ptpmon_status ptpmon_recorder_close(struct ptpmon_recorder *recorder)
{
    if (!recorder)
        return PTPMON_OK;
    ptpmon_status status = recorder->error == 0 ? ptpmon_recorder_flush(recorder) : PTPMON_OK;
    if (close(recorder->fd) != 0 && recorder->error == 0)
        status = file_failed(recorder->path, "write the recording", errno);
    recorder->fd = -1;
    ptpmon_recorder_discard(recorder);
    return status;
}

/* ---- Reading ---- */

/* 64 KiB: what is read is in the cache when it is looked at, and leaves room there for those who look. */
#define RECORDS_AT_ONCE 1024u

struct recorded_source {
    struct ptpmon_source base;
    int fd;
    bool enabled;
    PTP_RECORDING_HEADER header;
    uint64_t count;             /* records of the file, as of open or the last enable */
    uint64_t fetched;           /* so many of them have come into the buffer */
    uint64_t first_at, last_at; /* system_timestamp of the first and the last */
    ptpmon_statistics released; /* what the records that were released add up to */
    size_t next, filled;        /* buffer[next..filled - 1] are to be read */
    PTP_TIMESTAMP_EVENT buffer[RECORDS_AT_ONCE];
    char path[];
};

static struct recorded_source *recorded_source(const struct ptpmon_source *base)
{
    return (struct recorded_source *)base;
}

/* A whole read, or an error: BAD_FILE where the file ends before. */
static ptpmon_status read_at(const struct recorded_source *source, void *bytes, size_t length, uint64_t offset)
{
    for (size_t done = 0; done < length;) {
        int64_t part = ptpmon_file_read_at(source->fd, (char *)bytes + done, length - done, offset + done);
        if (part > 0)
            done += (size_t)part;
        else if (part == 0)
            return ptpmon_fail(PTPMON_BAD_FILE,
                               "%s: the recording has become shorter while it was read; read it again once nothing "
                               "writes to it",
                               source->path);
        else if (errno != EINTR)
            return file_failed(source->path, "read the recording", errno);
    }
    return PTPMON_OK;
}

static ptpmon_status read_records(const struct recorded_source *source, PTP_TIMESTAMP_EVENT *records, uint64_t from,
                                  size_t count)
{
    return read_at(source, records, count * sizeof *records, sizeof source->header + from * sizeof *records);
}

/* Settles how far the file is read, and between which times it lies. */
static ptpmon_status measure(struct recorded_source *source)
{
    struct stat about;
    PTP_TIMESTAMP_EVENT first = {0}, last = {0};
    if (fstat(source->fd, &about) != 0)
        return file_failed(source->path, "read the recording", errno);
    uint64_t bytes = (uint64_t)about.st_size, count = 0;
    if (bytes > sizeof source->header)
        count = (bytes - sizeof source->header) / sizeof first;
    ptpmon_status status = PTPMON_OK;
    if (count > 0)
        status = read_records(source, &first, 0, 1);
    if (status == PTPMON_OK && count > 0)
        status = read_records(source, &last, count - 1, 1);
    if (status != PTPMON_OK)
        return status;
    source->count = count;
    source->first_at = first.system_timestamp;
    source->last_at = last.system_timestamp;
    return PTPMON_OK;
}

static ptpmon_status enable(struct ptpmon_source *base)
{
    struct recorded_source *source = recorded_source(base);
    ptpmon_status status = measure(source);
    if (status != PTPMON_OK)
        return status;
    source->fetched = 0;
    source->next = source->filled = 0;
    source->released = (ptpmon_statistics){0};
    source->enabled = true;
    return PTPMON_OK;
}

static ptpmon_status disable(struct ptpmon_source *base)
{
    struct recorded_source *source = recorded_source(base);
    source->enabled = false;
    source->next = source->filled = 0;
    return PTPMON_OK;
}

static void close_source(struct ptpmon_source *base)
{
    struct recorded_source *source = recorded_source(base);
    if (source->fd >= 0)
        close(source->fd);
    free(source);
}

/* Sees to it that the buffer holds records, if there are any left. */
static ptpmon_status fill_buffer(struct recorded_source *source)
{
    uint64_t left = source->enabled ? source->count - source->fetched : 0;
    size_t count = left < RECORDS_AT_ONCE ? (size_t)left : RECORDS_AT_ONCE;
    if (source->next < source->filled || count == 0)
        return PTPMON_OK;
    ptpmon_status status = read_records(source, source->buffer, source->fetched, count);
    if (status != PTPMON_OK)
        return status;
    source->fetched += count;
    source->next = 0;
    source->filled = count;
    return PTPMON_OK;
}

static ptpmon_status peek(struct ptpmon_source *base, ptpmon_batch *batch)
{
    struct recorded_source *source = recorded_source(base);
    ptpmon_status status = fill_buffer(source);
    if (status == PTPMON_OK)
        *batch = (ptpmon_batch){source->buffer + source->next, sizeof *source->buffer, source->filled - source->next};
    return status;
}

/* What the recorder's reader was given, and what it was told to have lost. */
static void add_up(ptpmon_statistics *sum, const PTP_TIMESTAMP_EVENT *record)
{
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

static void release(struct ptpmon_source *base, size_t count)
{
    struct recorded_source *source = recorded_source(base);
    for (; count > 0 && source->next < source->filled; count--)
        add_up(&source->released, &source->buffer[source->next++]);
}

static ptpmon_status wait_for_records(struct ptpmon_source *base, int timeout_ms)
{
    struct recorded_source *source = recorded_source(base);
    (void)timeout_ms;
    ptpmon_status status = fill_buffer(source);
    return status == PTPMON_OK && source->next == source->filled ? PTPMON_END : status;
}

static ptpmon_status statistics(struct ptpmon_source *base, ptpmon_statistics *sum)
{
    *sum = recorded_source(base)->released;
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
    about->enabled_at = source->first_at;
    about->disabled_at = source->last_at;
}

static const PTP_RECORDING_HEADER *recording_header(const struct ptpmon_source *base)
{
    return &recorded_source(base)->header;
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
    .recording_header = recording_header,
};

static ptpmon_status not_a_recording(const char *path)
{
    return ptpmon_fail(PTPMON_BAD_FILE, "%s: not a recording of events; give the .events file that ptpmon wrote", path);
}

/* Software stamps are UTC, or of the clock that system_timestamp is of. */
static ptpmon_status check_clocks(const char *path, const PTP_RECORDING_HEADER *header)
{
    bool counts_ticks = header->system_clock == AVB_CLOCK_QPC;
    if (counts_ticks ? header->system_clock_hz == 0 || header->system_clock_hz > PTPMON_HZ_MAX
                     : header->system_clock_hz != PTPMON_NS_PER_SECOND)
        return ptpmon_fail(PTPMON_BAD_FILE, "%s: the recording's header is damaged: %llu ticks per second of clock %u",
                           path, (unsigned long long)header->system_clock_hz, header->system_clock);
    if (header->software_clock == AVB_CLOCK_QPC && !counts_ticks)
        return ptpmon_fail(PTPMON_BAD_FILE,
                           "%s: the recording's header is damaged: software stamps of the Windows performance counter, "
                           "but not the other times",
                           path);
    return PTPMON_OK;
}

static struct ptpmon_timebase timebase_of(const PTP_RECORDING_HEADER *header)
{
    bool counts_ticks = header->system_clock == AVB_CLOCK_QPC;
    return (struct ptpmon_timebase){
        .hz = counts_ticks ? header->system_clock_hz : 0,
        .software_ticks = header->software_clock == AVB_CLOCK_QPC,
    };
}

static ptpmon_status check_header(const char *path, const PTP_RECORDING_HEADER *header)
{
    if (memcmp(header->magic, AVB_RECORDING_MAGIC, sizeof header->magic) != 0)
        return not_a_recording(path);
    if (header->byte_order == __builtin_bswap32(AVB_RECORDING_BYTE_ORDER))
        return ptpmon_fail(PTPMON_BAD_FILE, "%s: recorded on a host of the other byte order; read it on one like it",
                           path);
    if (header->byte_order != AVB_RECORDING_BYTE_ORDER)
        return ptpmon_fail(PTPMON_BAD_FILE, "%s: the recording's header is damaged: its byte order is 0x%08x", path,
                           header->byte_order);
    if (header->format_version != AVB_RECORDING_FORMAT_VERSION || header->abi_version != AVB_PTP_EVENT_ABI_VERSION)
        return ptpmon_fail(PTPMON_BAD_FILE,
                           "%s: recording format %u, event version %u; this ptpmon reads format %u, "
                           "event version %u: use one as new as the recorder's",
                           path, header->format_version, header->abi_version, AVB_RECORDING_FORMAT_VERSION,
                           AVB_PTP_EVENT_ABI_VERSION);
    if (header->record_bytes != sizeof(PTP_TIMESTAMP_EVENT) || header->header_bytes != sizeof *header)
        return ptpmon_fail(
            PTPMON_BAD_FILE,
            "%s: the recording's header is damaged: %u bytes of header, %u bytes a record; both versions "
            "that it names have %u and %u",
            path, header->header_bytes, header->record_bytes, AVB_RECORDING_HEADER_BYTES,
            (unsigned int)sizeof(PTP_TIMESTAMP_EVENT));
    return check_clocks(path, header);
}

/* A string may fill its field in a damaged file; here it is one byte shorter then. */
static void terminate_strings(PTP_RECORDING_HEADER *header)
{
    header->tool_version[sizeof header->tool_version - 1] = 0;
    header->host[sizeof header->host - 1] = 0;
    header->boot_id[sizeof header->boot_id - 1] = 0;
    header->interface_name[sizeof header->interface_name - 1] = 0;
    header->interface_guid[sizeof header->interface_guid - 1] = 0;
}

static ptpmon_status open_for_reading(struct recorded_source *source)
{
    struct stat about;
    source->fd = ptpmon_file_open(source->path);
    if (source->fd < 0 || fstat(source->fd, &about) != 0)
        return file_failed(source->path, "open the recording", errno);
    if (!S_ISREG(about.st_mode) || about.st_size < (off_t)sizeof source->header)
        return not_a_recording(source->path);
    ptpmon_status status = read_at(source, &source->header, sizeof source->header, 0);
    if (status == PTPMON_OK)
        status = check_header(source->path, &source->header);
    if (status != PTPMON_OK)
        return status;
    terminate_strings(&source->header);
    source->base.timebase = timebase_of(&source->header);
    return measure(source);
}

ptpmon_status ptpmon_recorded_source_open(const char *path, struct ptpmon_source **opened)
{
    struct recorded_source *source = calloc(1, sizeof *source + strlen(path) + 1);
    if (!source)
        return ptpmon_fail(PTPMON_NO_MEMORY, "%s: no memory for a recording", path);
    strcpy(source->path, path);
    source->base.operations = &operations;
    ptpmon_status status = open_for_reading(source);
    if (status != PTPMON_OK) {
        close_source(&source->base);
        return status;
    }
    *opened = &source->base;
    return PTPMON_OK;
}
