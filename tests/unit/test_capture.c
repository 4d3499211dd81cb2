/* SPDX-License-Identifier: MIT */
/* Capture files: every byte order and precision, exact times and bytes, damage anywhere. */
#include <ptpmon.h>

#include <fcntl.h>
#include <pcap/pcap.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define LINKTYPE_ETHERNET  1u
#define LINKTYPE_RAW       101u
#define LINKTYPE_LINUX_SLL 113u

#define FRAMES 3u

static char path[] = "/tmp/ptpmon-test-capture-XXXXXX";

/* ---- Files, byte by byte ------------------------------------------------------------------- */

struct file {
    uint8_t bytes[4096];
    size_t length;
    bool big_endian;
    size_t opens_at;            /* the length from which on it is a capture, with or without frames */
    size_t borders[FRAMES + 1]; /* where the first frame begins, and where each ends */
};

static void put_number(struct file *file, uint64_t value, unsigned size)
{
    assert_true(file->length + size <= sizeof file->bytes);
    for (unsigned i = 0; i < size; i++) {
        unsigned shift = 8 * (file->big_endian ? size - 1 - i : i);
        file->bytes[file->length++] = (uint8_t)(value >> shift);
    }
}

static void put_bytes(struct file *file, const uint8_t *bytes, uint32_t length)
{
    assert_true(file->length + length <= sizeof file->bytes);
    memcpy(file->bytes + file->length, bytes, length);
    file->length += length;
}

/* Frame i of every test file: its time, and 60 + i bytes that tell it apart; the last is cut off. */
static const struct {
    uint32_t seconds, nanoseconds;
} times[FRAMES] = {{0, 0}, {1795359999, 999999000}, {2147483647, 123456000}};

static uint32_t frame_length(unsigned i)
{
    return 60 + i;
}

static uint32_t captured_length(unsigned i)
{
    return i == FRAMES - 1 ? 34 : frame_length(i);
}

static void fill_frame(unsigned i, uint8_t *bytes)
{
    for (unsigned at = 0; at < frame_length(i); at++)
        bytes[at] = (uint8_t)(at * 7 + i);
}

static void make_pcap(struct file *file, bool big_endian, bool nanoseconds, uint32_t linktype)
{
    *file = (struct file){.big_endian = big_endian};
    put_number(file, nanoseconds ? 0xA1B23C4D : 0xA1B2C3D4, 4);
    put_number(file, 2, 2);
    put_number(file, 4, 2);
    put_number(file, 0, 8);
    put_number(file, 65535, 4);
    put_number(file, linktype, 4);
    file->opens_at = file->borders[0] = file->length;
    for (unsigned i = 0; i < FRAMES; i++) {
        uint8_t bytes[128];
        fill_frame(i, bytes);
        put_number(file, times[i].seconds, 4);
        put_number(file, nanoseconds ? times[i].nanoseconds : times[i].nanoseconds / 1000, 4);
        put_number(file, captured_length(i), 4);
        put_number(file, frame_length(i), 4);
        put_bytes(file, bytes, captured_length(i));
        file->borders[i + 1] = file->length;
    }
}

static void put_block(struct file *file, uint32_t type, const struct file *body)
{
    uint32_t padding = (4 - body->length % 4) % 4;
    uint32_t total = 12 + (uint32_t)body->length + padding;
    put_number(file, type, 4);
    put_number(file, total, 4);
    put_bytes(file, body->bytes, (uint32_t)body->length);
    put_number(file, 0, padding);
    put_number(file, total, 4);
}

static void put_section(struct file *file)
{
    struct file body = {.big_endian = file->big_endian};
    put_number(&body, 0x1A2B3C4D, 4);
    put_number(&body, 1, 2);
    put_number(&body, 0, 2);
    put_number(&body, UINT64_MAX, 8); /* section length not given */
    put_block(file, 0x0A0D0D0A, &body);
}

/* resolution: if_tsresol, decimal digits; 6 is the default and left out. */
static void put_interface(struct file *file, uint32_t linktype, uint8_t resolution)
{
    struct file body = {.big_endian = file->big_endian};
    put_number(&body, linktype, 2);
    put_number(&body, 0, 2);
    put_number(&body, 65535, 4);
    if (resolution != 6) {
        put_number(&body, 9, 2);
        put_number(&body, 1, 2);
        put_number(&body, resolution, 1);
        put_number(&body, 0, 3);
        put_number(&body, 0, 4);
    }
    put_block(file, 1, &body);
}

static void put_packet(struct file *file, uint32_t interface, uint64_t time, uint32_t captured, uint32_t length,
                       const uint8_t *bytes)
{
    struct file body = {.big_endian = file->big_endian};
    put_number(&body, interface, 4);
    put_number(&body, time >> 32, 4);
    put_number(&body, time & 0xFFFFFFFFu, 4);
    put_number(&body, captured, 4);
    put_number(&body, length, 4);
    put_bytes(&body, bytes, captured);
    put_block(file, 6, &body);
}

/* The frames come from two interfaces in turn, one in us, one in ns. */
static void make_pcapng(struct file *file, bool big_endian, uint32_t linktype)
{
    *file = (struct file){.big_endian = big_endian};
    put_section(file);
    put_interface(file, linktype, 6);
    file->opens_at = file->length;
    put_interface(file, linktype, 9);
    file->borders[0] = file->length;
    for (unsigned i = 0; i < FRAMES; i++) {
        uint8_t bytes[128];
        fill_frame(i, bytes);
        uint64_t ns = times[i].seconds * UINT64_C(1000000000) + times[i].nanoseconds;
        put_packet(file, i % 2, i % 2 ? ns : ns / 1000, captured_length(i), frame_length(i), bytes);
        file->borders[i + 1] = file->length;
    }
}

static void write_file(const struct file *file, size_t length)
{
    FILE *to = fopen(path, "wb");
    assert_non_null(to);
    assert_int_equal(fwrite(file->bytes, 1, length, to), length);
    assert_int_equal(fclose(to), 0);
}

/* ---- Reading them -------------------------------------------------------------------------- */

static void assert_message_names(const char *what)
{
    if (strstr(ptpmon_error_message(), what) == NULL)
        fail_msg("the message does not name \"%s\": %s", what, ptpmon_error_message());
}

static void assert_frame(const ptpmon_frame *frame, unsigned i)
{
    uint8_t expected[128];
    fill_frame(i, expected);
    assert_true(frame->time_ns == (int64_t)times[i].seconds * 1000000000 + times[i].nanoseconds);
    assert_int_equal(frame->captured_length, captured_length(i));
    assert_int_equal(frame->length, frame_length(i));
    assert_memory_equal(frame->bytes, expected, captured_length(i));
    assert_int_equal(frame->direction, AVB_DIRECTION_UNKNOWN);
    assert_int_equal(frame->number, i + 1);
}

static void assert_reads_all(const struct file *file)
{
    ptpmon_capture *capture;
    ptpmon_frame frame;
    ptpmon_capture_statistics statistics;

    write_file(file, file->length);
    if (ptpmon_capture_open_file(path, &capture) != PTPMON_OK)
        fail_msg("%s", ptpmon_error_message());
    for (unsigned i = 0; i < FRAMES; i++) {
        assert_int_equal(ptpmon_capture_next(capture, &frame), PTPMON_OK);
        assert_frame(&frame, i);
    }
    assert_int_equal(ptpmon_capture_next(capture, &frame), PTPMON_END);
    assert_int_equal(ptpmon_capture_next(capture, &frame), PTPMON_END);
    assert_int_equal(ptpmon_capture_stop(capture), PTPMON_OK);
    assert_int_equal(ptpmon_capture_statistics_get(capture, &statistics), PTPMON_OK);
    assert_int_equal(statistics.frames, FRAMES);
    assert_int_equal(statistics.dropped, 0);
    assert_true(statistics.started_at == 0 && statistics.stopped_at == 0);
    ptpmon_capture_close(capture);
}

static void reads_pcap_of_each_kind(void **state)
{
    (void)state;
    struct file file;
    for (int kind = 0; kind < 4; kind++) {
        make_pcap(&file, kind & 1, kind & 2, LINKTYPE_ETHERNET);
        assert_reads_all(&file);
    }
}

static void reads_pcapng_of_each_kind(void **state)
{
    (void)state;
    struct file file;
    make_pcapng(&file, false, LINKTYPE_ETHERNET);
    assert_reads_all(&file);
    make_pcapng(&file, true, LINKTYPE_ETHERNET);
    assert_reads_all(&file);
}

static void keeps_single_nanoseconds(void **state)
{
    (void)state;
    struct pcap_pkthdr header = {.ts = {1795359999, 123456789}, .caplen = 60, .len = 60};
    uint8_t bytes[60] = {0};
    pcap_t *writer = pcap_open_dead_with_tstamp_precision(DLT_EN10MB, 65535, PCAP_TSTAMP_PRECISION_NANO);
    pcap_dumper_t *dumper = pcap_dump_open(writer, path);
    assert_non_null(dumper);
    pcap_dump((u_char *)dumper, &header, bytes);
    pcap_dump_close(dumper);
    pcap_close(writer);

    ptpmon_capture *capture;
    ptpmon_frame frame;
    assert_int_equal(ptpmon_capture_open_file(path, &capture), PTPMON_OK);
    assert_int_equal(ptpmon_capture_next(capture, &frame), PTPMON_OK);
    assert_true(frame.time_ns == INT64_C(1795359999123456789));
    assert_int_equal(ptpmon_capture_next(capture, &frame), PTPMON_END);
    ptpmon_capture_close(capture);
}

static void refuses_other_linktypes(void **state)
{
    (void)state;
    static const struct {
        uint32_t linktype;
        const char *name;
    } others[] = {{LINKTYPE_RAW, "RAW"}, {LINKTYPE_LINUX_SLL, "LINUX_SLL"}};
    for (unsigned i = 0; i < 4; i++) {
        struct file file;
        ptpmon_capture *capture = NULL;
        if (i < 2)
            make_pcap(&file, false, true, others[i].linktype);
        else
            make_pcapng(&file, false, others[i - 2].linktype);
        write_file(&file, file.length);
        assert_int_equal(ptpmon_capture_open_file(path, &capture), PTPMON_BAD_FILE);
        assert_null(capture);
        assert_message_names(path);
        assert_message_names(others[i % 2].name);
    }
}

static void refuses_a_later_interface_of_other_linktype(void **state)
{
    (void)state;
    struct file file = {0};
    uint8_t bytes[128];
    ptpmon_capture *capture;
    ptpmon_frame frame;

    fill_frame(0, bytes);
    put_section(&file);
    put_interface(&file, LINKTYPE_ETHERNET, 6);
    put_packet(&file, 0, 0, frame_length(0), frame_length(0), bytes);
    put_interface(&file, LINKTYPE_RAW, 6);
    put_packet(&file, 1, 0, frame_length(0), frame_length(0), bytes);
    write_file(&file, file.length);
    assert_int_equal(ptpmon_capture_open_file(path, &capture), PTPMON_OK);
    assert_int_equal(ptpmon_capture_next(capture, &frame), PTPMON_OK);
    assert_int_equal(ptpmon_capture_next(capture, &frame), PTPMON_BAD_FILE);
    assert_message_names("frame 2");
    ptpmon_capture_close(capture);
}

/* Reads what can be read; a failure comes again, in the same words. */
static ptpmon_status read_to_the_end(uint64_t *frames, ptpmon_status *open_status)
{
    ptpmon_capture *capture = NULL;
    ptpmon_frame frame;
    *frames = 0;
    *open_status = ptpmon_capture_open_file(path, &capture);
    if (*open_status != PTPMON_OK) {
        assert_null(capture);
        assert_message_names(path);
        return *open_status;
    }
    ptpmon_status status;
    volatile uint8_t sum = 0;
    while ((status = ptpmon_capture_next(capture, &frame)) == PTPMON_OK) {
        ++*frames;
        for (uint32_t i = 0; i < frame.captured_length; i++)
            sum = (uint8_t)(sum + frame.bytes[i]);
        assert_int_equal(frame.number, *frames);
    }
    if (status != PTPMON_END) {
        char first[512], number[32];
        snprintf(number, sizeof number, "frame %llu", (unsigned long long)*frames + 1);
        assert_message_names(number);
        assert_message_names(path);
        snprintf(first, sizeof first, "%s", ptpmon_error_message());
        assert_int_equal(ptpmon_capture_next(capture, &frame), status);
        assert_string_equal(ptpmon_error_message(), first);
    }
    ptpmon_capture_close(capture);
    return status;
}

static void assert_survives_every_cut(const struct file *file)
{
    for (size_t length = 0; length <= file->length; length++) {
        uint64_t frames, complete = 0;
        ptpmon_status open_status;
        bool at_border = length == file->opens_at;
        write_file(file, length);
        ptpmon_status status = read_to_the_end(&frames, &open_status);
        for (unsigned i = 0; i <= FRAMES; i++) {
            at_border |= length == file->borders[i];
            complete += i > 0 && length >= file->borders[i];
        }
        assert_int_equal(open_status, length < file->opens_at ? PTPMON_BAD_FILE : PTPMON_OK);
        assert_int_equal(frames, complete);
        assert_int_equal(status, at_border ? PTPMON_END : PTPMON_BAD_FILE);
    }
}

static void survives_every_cut(void **state)
{
    (void)state;
    struct file file;
    make_pcap(&file, false, true, LINKTYPE_ETHERNET);
    assert_survives_every_cut(&file);
    make_pcapng(&file, false, LINKTYPE_ETHERNET);
    assert_survives_every_cut(&file);
}

/* Whatever a byte says, reading ends in a status, and nothing outside the file is read. */
static void survives_every_wrong_byte(void **state)
{
    (void)state;
    static const uint8_t wrong[] = {0x00, 0x7F, 0x80, 0xFF};
    for (int kind = 0; kind < 2; kind++) {
        struct file good;
        if (kind == 0)
            make_pcap(&good, false, false, LINKTYPE_ETHERNET);
        else
            make_pcapng(&good, false, LINKTYPE_ETHERNET);
        for (size_t at = 0; at < good.length; at++) {
            for (size_t w = 0; w < sizeof wrong; w++) {
                struct file file = good;
                uint64_t frames;
                ptpmon_status open_status;
                file.bytes[at] = wrong[w];
                write_file(&file, file.length);
                ptpmon_status status = read_to_the_end(&frames, &open_status);
                assert_true(status == PTPMON_END || status == PTPMON_BAD_FILE);
            }
        }
    }
}

static void assert_second_frame_is_bad(const struct file *file, const char *why)
{
    uint64_t frames;
    ptpmon_status open_status;
    write_file(file, file->length);
    assert_int_equal(read_to_the_end(&frames, &open_status), PTPMON_BAD_FILE);
    assert_int_equal(frames, 1);
    assert_message_names("frame 2");
    assert_message_names(why);
}

static void refuses_impossible_headers(void **state)
{
    (void)state;
    struct file file;
    const size_t microseconds = 4, length = 12; /* in a frame's header */

    make_pcap(&file, false, false, LINKTYPE_ETHERNET);
    memcpy(file.bytes + file.borders[1] + microseconds, (const uint8_t[]){0x40, 0x42, 0x0F, 0x00}, 4);
    assert_second_frame_is_bad(&file, "fraction");

    make_pcap(&file, false, false, LINKTYPE_ETHERNET);
    memcpy(file.bytes + file.borders[1] + length, (const uint8_t[]){10, 0, 0, 0}, 4);
    assert_second_frame_is_bad(&file, "more bytes");

    uint8_t bytes[128];
    fill_frame(0, bytes);
    file = (struct file){0};
    put_section(&file);
    put_interface(&file, LINKTYPE_ETHERNET, 0);
    put_packet(&file, 0, 1, 60, 60, bytes);
    put_packet(&file, 0, UINT64_C(9223372037), 60, 60, bytes);
    assert_second_frame_is_bad(&file, "out of range");
}

static void says_why_a_file_cannot_be_opened(void **state)
{
    (void)state;
    ptpmon_capture *capture = NULL;
    assert_int_equal(ptpmon_capture_open_file("/nonexistent/trace.pcap", &capture), PTPMON_IO);
    assert_message_names("/nonexistent/trace.pcap");
    assert_message_names("No such file");
    assert_int_equal(ptpmon_capture_open_file("/tmp", &capture), PTPMON_IO);
    assert_message_names("Is a directory");
    struct file text = {.bytes = "not a capture at all, just some text", .length = 36};
    write_file(&text, text.length);
    assert_int_equal(ptpmon_capture_open_file(path, &capture), PTPMON_BAD_FILE);
    assert_message_names(path);
    assert_null(capture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_pcap_of_each_kind),
        cmocka_unit_test(reads_pcapng_of_each_kind),
        cmocka_unit_test(keeps_single_nanoseconds),
        cmocka_unit_test(refuses_other_linktypes),
        cmocka_unit_test(refuses_a_later_interface_of_other_linktype),
        cmocka_unit_test(survives_every_cut),
        cmocka_unit_test(survives_every_wrong_byte),
        cmocka_unit_test(refuses_impossible_headers),
        cmocka_unit_test(says_why_a_file_cannot_be_opened),
    };
    int file = mkstemp(path);
    if (file < 0) {
        perror(path);
        return 1;
    }
    close(file);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
