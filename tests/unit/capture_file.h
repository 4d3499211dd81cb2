/* SPDX-License-Identifier: MIT */
/* Capture files made byte by byte, in either byte order, and put on disk. */
#ifndef PTPMON_TESTS_CAPTURE_FILE_H
#define PTPMON_TESTS_CAPTURE_FILE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LINKTYPE_ETHERNET  1u
#define LINKTYPE_RAW       101u
#define LINKTYPE_LINUX_SLL 113u

struct file {
    uint8_t bytes[65536];
    size_t length;
    bool big_endian;
};

static inline void set_number(struct file *file, size_t at, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        unsigned shift = 8 * (file->big_endian ? size - 1 - i : i);
        file->bytes[at + i] = (uint8_t)(value >> shift);
    }
}

static inline void put_number(struct file *file, uint64_t value, unsigned size)
{
    assert_true(file->length + size <= sizeof file->bytes);
    set_number(file, file->length, value, size);
    file->length += size;
}

static inline void put_bytes(struct file *file, const void *bytes, size_t length)
{
    assert_true(file->length + length <= sizeof file->bytes);
    if (length > 0)
        memcpy(file->bytes + file->length, bytes, length);
    file->length += length;
}

static inline void write_file(const char *path, const struct file *file, size_t length)
{
    FILE *to = fopen(path, "wb");
    assert_non_null(to);
    assert_int_equal(fwrite(file->bytes, 1, length, to), length);
    assert_int_equal(fclose(to), 0);
}

/* ---- Classic pcap -------------------------------------------------------------------------- */

static inline void put_pcap_header(struct file *file, bool nanoseconds, uint32_t linktype)
{
    put_number(file, nanoseconds ? 0xA1B23C4D : 0xA1B2C3D4, 4);
    put_number(file, 2, 2);
    put_number(file, 4, 2);
    put_number(file, 0, 8);
    put_number(file, 65535, 4);
    put_number(file, linktype, 4);
}

/* ---- pcapng -------------------------------------------------------------------------------- */

/* Returns what end_block() needs. */
static inline size_t begin_block(struct file *file, uint32_t type)
{
    size_t at = file->length;
    put_number(file, type, 4);
    put_number(file, 0, 4);
    return at;
}

static inline void put_padding(struct file *file)
{
    put_number(file, 0, (4 - file->length % 4) % 4);
}

static inline void end_block(struct file *file, size_t at)
{
    put_padding(file);
    size_t total = file->length + 4 - at;
    set_number(file, at + 4, total, 4);
    put_number(file, total, 4);
}

static inline void put_option(struct file *file, uint16_t code, const void *value, size_t length)
{
    put_number(file, code, 2);
    put_number(file, length, 2);
    put_bytes(file, value, length);
    put_padding(file);
}

static inline void put_number_option(struct file *file, uint16_t code, uint64_t value, unsigned size)
{
    put_number(file, code, 2);
    put_number(file, size, 2);
    put_number(file, value, size);
    put_padding(file);
}

static inline void put_ticks(struct file *file, uint64_t ticks)
{
    put_number(file, ticks >> 32, 4);
    put_number(file, ticks & 0xFFFFFFFFu, 4);
}

static inline void put_ticks_option(struct file *file, uint16_t code, uint64_t ticks)
{
    put_number(file, code, 2);
    put_number(file, 8, 2);
    put_ticks(file, ticks);
}

/* application: shb_userappl; NULL: none. */
static inline void put_section_of(struct file *file, const char *application)
{
    size_t block = begin_block(file, 0x0A0D0D0A);
    put_number(file, 0x1A2B3C4D, 4);
    put_number(file, 1, 2);
    put_number(file, 0, 2);
    put_number(file, UINT64_MAX, 8); /* section length not given */
    if (application != NULL) {
        put_option(file, 4, application, strlen(application));
        put_number(file, 0, 4);
    }
    end_block(file, block);
}

static inline void put_section(struct file *file)
{
    put_section_of(file, NULL);
}

/* To be ended by the caller, who may add options. */
static inline size_t begin_interface(struct file *file, uint32_t linktype)
{
    size_t block = begin_block(file, 1);
    put_number(file, linktype, 2);
    put_number(file, 0, 2);
    put_number(file, 65535, 4);
    return block;
}

/* resolution: if_tsresol; 6 is the default and left out. */
static inline void put_interface(struct file *file, uint32_t linktype, uint8_t resolution)
{
    size_t block = begin_interface(file, linktype);
    if (resolution != 6) {
        put_number_option(file, 9, resolution, 1);
        put_number(file, 0, 4);
    }
    end_block(file, block);
}

static inline size_t begin_packet(struct file *file, uint32_t interface, uint64_t ticks, uint32_t captured,
                                  uint32_t length, const uint8_t *bytes)
{
    size_t block = begin_block(file, 6);
    put_number(file, interface, 4);
    put_ticks(file, ticks);
    put_number(file, captured, 4);
    put_number(file, length, 4);
    put_bytes(file, bytes, captured);
    put_padding(file);
    return block;
}

static inline void put_packet(struct file *file, uint32_t interface, uint64_t ticks, uint32_t captured, uint32_t length,
                              const uint8_t *bytes)
{
    end_block(file, begin_packet(file, interface, ticks, captured, length, bytes));
}

static inline size_t begin_statistics(struct file *file, uint32_t interface, uint64_t ticks)
{
    size_t block = begin_block(file, 5);
    put_number(file, interface, 4);
    put_ticks(file, ticks);
    return block;
}

#endif
