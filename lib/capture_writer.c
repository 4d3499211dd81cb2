/* SPDX-License-Identifier: MIT */
/*
 * Writing pcapng files. What goes to the file ends with a whole block, unless that is larger than the
 * buffer; after a failed write the file is cut back to whole blocks.
 */
#include "error.h"
#include "file.h"
#include "pcapng.h"

#include <ptpmon.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER_BYTES ((size_t)256 * 1024)
/* Holds all but the bytes of a frame: the longest is an Interface Description Block. */
#define BLOCK_BYTES     1024
#define FRAME_BYTES_MAX (PCAPNG_BLOCK_BYTES_MAX - BLOCK_BYTES)

struct ptpmon_capture_writer {
    int file;
    char *path;
    size_t interfaces;
    uint8_t *buffer;
    size_t pending;   /* bytes in the buffer */
    uint64_t written; /* bytes in the file */
    uint64_t whole;   /* of these, those of whole blocks */
    ptpmon_status failed;
    char failure[512];
};

/* ---- Blocks, in the byte order of the host ------------------------------------------------- */

struct block {
    uint8_t bytes[BLOCK_BYTES];
    size_t length;
};

static void put(struct block *block, const void *bytes, size_t length)
{
    memcpy(block->bytes + block->length, bytes, length);
    block->length += length;
}

static void put16(struct block *block, uint16_t value)
{
    put(block, &value, sizeof value);
}

static void put32(struct block *block, uint32_t value)
{
    put(block, &value, sizeof value);
}

static void put64(struct block *block, uint64_t value)
{
    put(block, &value, sizeof value);
}

static size_t padding_of(size_t length)
{
    return (4 - length % 4) % 4;
}

static void put_zeros(struct block *block, size_t count)
{
    static const uint8_t zeros[4];
    put(block, zeros, count);
}

static void put_option(struct block *block, uint16_t code, const void *value, size_t length)
{
    put16(block, code);
    put16(block, (uint16_t)length);
    put(block, value, length);
    put_zeros(block, padding_of(length));
}

static void put_text(struct block *block, uint16_t code, const char *text)
{
    if (text[0] != 0)
        put_option(block, code, text, strlen(text));
}

/* Times are two words, the high one first, whatever the byte order. */
static void put_time(struct block *block, int64_t time_ns)
{
    put32(block, (uint32_t)((uint64_t)time_ns >> 32));
    put32(block, (uint32_t)time_ns);
}

static void put_time_option(struct block *block, uint16_t code, int64_t time_ns)
{
    put16(block, code);
    put16(block, 8);
    put_time(block, time_ns);
}

static void put_count_option(struct block *block, uint16_t code, uint64_t count)
{
    put_option(block, code, &count, sizeof count);
}

static void begin_block(struct block *block, uint32_t type)
{
    block->length = 0;
    put32(block, type);
    put32(block, 0); /* the length, once it is known */
}

static void set_length(struct block *block, size_t total)
{
    uint32_t length = (uint32_t)total;
    memcpy(block->bytes + 4, &length, sizeof length);
}

static void end_options(struct block *block)
{
    put16(block, PCAPNG_OPT_ENDOFOPT);
    put16(block, 0);
}

/* ---- The file ------------------------------------------------------------------------------ */

static ptpmon_status keep_failure(ptpmon_capture_writer *writer, ptpmon_status status)
{
    snprintf(writer->failure, sizeof writer->failure, "%s", ptpmon_error_message());
    return writer->failed = status;
}

static ptpmon_status check(const ptpmon_capture_writer *writer)
{
    return writer->failed == PTPMON_OK ? PTPMON_OK : ptpmon_fail(writer->failed, "%s", writer->failure);
}

/* What waits in the buffer is lost; the file is good until there. */
static ptpmon_status fail_to_write(ptpmon_capture_writer *writer)
{
    ptpmon_status status = ptpmon_fail_errno(writer->path, "write the capture", errno);
    (void)!ftruncate(writer->file, (off_t)writer->whole);
    writer->written = writer->whole;
    writer->pending = 0;
    return keep_failure(writer, status);
}

static ptpmon_status write_buffer(ptpmon_capture_writer *writer)
{
    size_t done = 0;
    while (done < writer->pending) {
        int64_t written = ptpmon_file_write(writer->file, writer->buffer + done, writer->pending - done);
        if (written >= 0)
            done += (size_t)written;
        else if (errno != EINTR)
            return fail_to_write(writer);
    }
    writer->written += done;
    writer->pending = 0;
    return PTPMON_OK;
}

/* Between two blocks. */
static ptpmon_status flush(ptpmon_capture_writer *writer)
{
    ptpmon_status status = write_buffer(writer);
    writer->whole = writer->written;
    return status;
}

/* Before a block of this length. */
static ptpmon_status make_room(ptpmon_capture_writer *writer, size_t length)
{
    return writer->pending + length <= BUFFER_BYTES ? PTPMON_OK : flush(writer);
}

static ptpmon_status append(ptpmon_capture_writer *writer, const uint8_t *bytes, size_t length)
{
    while (length > 0) {
        size_t room = BUFFER_BYTES - writer->pending, part = length < room ? length : room;
        memcpy(writer->buffer + writer->pending, bytes, part);
        writer->pending += part;
        bytes += part;
        length -= part;
        ptpmon_status status = length > 0 ? write_buffer(writer) : PTPMON_OK;
        if (status != PTPMON_OK)
            return status;
    }
    return PTPMON_OK;
}

static ptpmon_status append_block(ptpmon_capture_writer *writer, struct block *block)
{
    end_options(block);
    uint32_t total = (uint32_t)block->length + 4;
    set_length(block, total);
    put32(block, total);
    ptpmon_status status = make_room(writer, block->length);
    return status == PTPMON_OK ? append(writer, block->bytes, block->length) : status;
}

static ptpmon_status write_section(ptpmon_capture_writer *writer)
{
    struct block block;
    begin_block(&block, PCAPNG_SECTION_HEADER);
    put32(&block, PCAPNG_BYTE_ORDER);
    put16(&block, PCAPNG_MAJOR_VERSION);
    put16(&block, PCAPNG_MINOR_VERSION);
    put64(&block, UINT64_MAX); /* the section's length is not given */
    put_text(&block, PCAPNG_SHB_USERAPPL, PCAPNG_OWN_APPLICATION PTPMON_VERSION);
    return append_block(writer, &block);
}

static ptpmon_status write_interface(ptpmon_capture_writer *writer, const ptpmon_capture_interface *about)
{
    const uint8_t nanoseconds = 9;
    char comment[sizeof about->host + sizeof about->boot_id + 32] = "";
    /* The newline is for scapy, which up to 2.5 complains of a comment without one. */
    if (about->host[0] != 0 || about->boot_id[0] != 0)
        snprintf(comment, sizeof comment, "ptpmon%s%.255s%s%.39s\n", about->host[0] != 0 ? PCAPNG_OWN_HOST : "",
                 about->host, about->boot_id[0] != 0 ? PCAPNG_OWN_BOOT_ID : "", about->boot_id);

    struct block block;
    begin_block(&block, PCAPNG_INTERFACE_DESCRIPTION);
    put16(&block, 1); /* LINKTYPE_ETHERNET */
    put16(&block, 0);
    put32(&block, 0); /* no limit to the bytes of a frame */
    put_text(&block, PCAPNG_IF_NAME, about->name);
    if (about->has_mac)
        put_option(&block, PCAPNG_IF_MACADDR, about->mac, sizeof about->mac);
    put_option(&block, PCAPNG_IF_TSRESOL, &nanoseconds, sizeof nanoseconds);
    put_text(&block, PCAPNG_OPT_COMMENT, comment);
    return append_block(writer, &block);
}

static ptpmon_status write_header(ptpmon_capture_writer *writer, const ptpmon_capture_interface *interfaces)
{
    ptpmon_status status = write_section(writer);
    for (size_t i = 0; status == PTPMON_OK && i < writer->interfaces; i++)
        status = write_interface(writer, &interfaces[i]);
    return status == PTPMON_OK ? flush(writer) : status;
}

static ptpmon_status start(ptpmon_capture_writer *writer, const ptpmon_capture_interface *interfaces)
{
    writer->file = ptpmon_file_create(writer->path, true);
    if (writer->file < 0)
        return keep_failure(writer, ptpmon_fail_errno(writer->path, "write the capture", errno));
    return write_header(writer, interfaces);
}

ptpmon_status ptpmon_capture_writer_open(const char *path, const ptpmon_capture_interface *interfaces, size_t count,
                                         ptpmon_capture_writer **writer)
{
    if (count == 0)
        return ptpmon_fail(PTPMON_INVALID, "%s: a capture file needs an interface; give at least one", path);
    ptpmon_capture_writer *opened = calloc(1, sizeof *opened);
    char *copy = strdup(path);
    uint8_t *buffer = malloc(BUFFER_BYTES);
    if (opened == NULL || copy == NULL || buffer == NULL) {
        free(opened);
        free(copy);
        free(buffer);
        return ptpmon_fail(PTPMON_NO_MEMORY, "%s: no memory to write it; close other programs", path);
    }
    *opened = (ptpmon_capture_writer){.file = -1, .path = copy, .interfaces = count, .buffer = buffer};
    ptpmon_status status = start(opened, interfaces);
    if (status != PTPMON_OK) {
        (void)ptpmon_capture_writer_close(opened);
        return status;
    }
    *writer = opened;
    return PTPMON_OK;
}

static ptpmon_status check_interface(const ptpmon_capture_writer *writer, size_t interface)
{
    if (interface < writer->interfaces)
        return check(writer);
    return ptpmon_fail(PTPMON_INVALID, "%s: there is no interface %zu in this file; it has %zu, counted from 0",
                       writer->path, interface, writer->interfaces);
}

static uint32_t direction_flags(uint8_t direction)
{
    switch (direction) {
    case AVB_DIRECTION_RX:
        return PCAPNG_DIRECTION_INBOUND;
    case AVB_DIRECTION_TX:
        return PCAPNG_DIRECTION_OUTBOUND;
    default:
        return 0;
    }
}

/* What a reader would take for damage is not written. */
static ptpmon_status check_frame(const ptpmon_capture_writer *writer, const ptpmon_frame *frame)
{
    if (frame->captured_length <= frame->length && frame->captured_length <= FRAME_BYTES_MAX && frame->time_ns >= 0)
        return PTPMON_OK;
    return ptpmon_fail(PTPMON_INVALID,
                       "%s: a frame of %" PRIu32 " bytes, of which %" PRIu32 " captured, at %" PRId64
                       " ns cannot be written; leave it out",
                       writer->path, frame->length, frame->captured_length, frame->time_ns);
}

ptpmon_status ptpmon_capture_writer_frame(ptpmon_capture_writer *writer, size_t interface, const ptpmon_frame *frame)
{
    ptpmon_status status = check_interface(writer, interface);
    if (status == PTPMON_OK)
        status = check_frame(writer, frame);
    if (status != PTPMON_OK)
        return status;

    uint32_t flags = direction_flags(frame->direction);
    struct block head, tail; /* the frame's bytes come between them */
    begin_block(&head, PCAPNG_ENHANCED_PACKET);
    put32(&head, (uint32_t)interface);
    put_time(&head, frame->time_ns);
    put32(&head, frame->captured_length);
    put32(&head, frame->length);
    tail.length = 0;
    put_zeros(&tail, padding_of(frame->captured_length));
    put_option(&tail, PCAPNG_EPB_FLAGS, &flags, sizeof flags);
    end_options(&tail);
    size_t total = head.length + frame->captured_length + tail.length + 4;
    set_length(&head, total);
    put32(&tail, (uint32_t)total);

    status = make_room(writer, total);
    if (status == PTPMON_OK)
        status = append(writer, head.bytes, head.length);
    if (status == PTPMON_OK)
        status = append(writer, frame->bytes, frame->captured_length);
    return status == PTPMON_OK ? append(writer, tail.bytes, tail.length) : status;
}

ptpmon_status ptpmon_capture_writer_statistics(ptpmon_capture_writer *writer, size_t interface,
                                               const ptpmon_capture_statistics *statistics, int64_t at_ns)
{
    ptpmon_status status = check_interface(writer, interface);
    if (status != PTPMON_OK)
        return status;
    struct block block;
    begin_block(&block, PCAPNG_INTERFACE_STATISTICS);
    put32(&block, (uint32_t)interface);
    put_time(&block, at_ns);
    if (statistics->started_at != 0)
        put_time_option(&block, PCAPNG_ISB_STARTTIME, statistics->started_at);
    if (statistics->stopped_at != 0)
        put_time_option(&block, PCAPNG_ISB_ENDTIME, statistics->stopped_at);
    put_count_option(&block, PCAPNG_ISB_IFRECV, statistics->frames + statistics->dropped);
    put_count_option(&block, PCAPNG_ISB_IFDROP, statistics->dropped);
    put_count_option(&block, PCAPNG_ISB_USRDELIV, statistics->frames);
    return append_block(writer, &block);
}

ptpmon_status ptpmon_capture_writer_flush(ptpmon_capture_writer *writer)
{
    ptpmon_status status = check(writer);
    return status == PTPMON_OK ? flush(writer) : status;
}

uint64_t ptpmon_capture_writer_bytes(const ptpmon_capture_writer *writer)
{
    return writer->written + writer->pending;
}

ptpmon_status ptpmon_capture_writer_close(ptpmon_capture_writer *writer)
{
    if (writer == NULL)
        return PTPMON_OK;
    ptpmon_status status = ptpmon_capture_writer_flush(writer);
    if (writer->file >= 0 && close(writer->file) != 0 && status == PTPMON_OK)
        status = ptpmon_fail_errno(writer->path, "write the capture", errno);
    free(writer->buffer);
    free(writer->path);
    free(writer);
    return status;
}
