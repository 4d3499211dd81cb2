/* SPDX-License-Identifier: MIT */
/*
 * Captures that are not live: files of every byte order and precision, exact times and bytes, damage
 * anywhere; frames given by the caller.
 */
#include "capture.h"
#include "capture_file.h"

#include <pcap/pcap.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FRAMES 3u

static char path[] = "/tmp/ptpmon-test-capture-XXXXXX";

/* ---- Files, byte by byte ------------------------------------------------------------------- */

struct test_file {
    struct file file;
    size_t opens_at;            /* the length from which on it is a capture, with or without frames */
    size_t borders[FRAMES + 1]; /* where the first frame begins, and where each ends */
    uint32_t resolution_ns[FRAMES], interface[FRAMES];
};

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

static void make_pcap(struct test_file *made, bool big_endian, bool nanoseconds, uint32_t linktype)
{
    struct file *file = &made->file;
    *made = (struct test_file){.file.big_endian = big_endian};
    put_pcap_header(file, nanoseconds, linktype);
    made->opens_at = made->borders[0] = file->length;
    for (unsigned i = 0; i < FRAMES; i++) {
        uint8_t bytes[128];
        fill_frame(i, bytes);
        put_number(file, times[i].seconds, 4);
        put_number(file, nanoseconds ? times[i].nanoseconds : times[i].nanoseconds / 1000, 4);
        put_number(file, captured_length(i), 4);
        put_number(file, frame_length(i), 4);
        put_bytes(file, bytes, captured_length(i));
        made->borders[i + 1] = file->length;
        made->resolution_ns[i] = nanoseconds ? 1 : 1000;
    }
}

/* The frames come from two interfaces in turn, one in us, one in ns. */
static void make_pcapng(struct test_file *made, bool big_endian, uint32_t linktype)
{
    struct file *file = &made->file;
    *made = (struct test_file){.file.big_endian = big_endian};
    put_section(file);
    put_interface(file, linktype, 6);
    made->opens_at = file->length;
    put_interface(file, linktype, 9);
    made->borders[0] = file->length;
    for (unsigned i = 0; i < FRAMES; i++) {
        uint8_t bytes[128];
        fill_frame(i, bytes);
        uint64_t ns = times[i].seconds * UINT64_C(1000000000) + times[i].nanoseconds;
        put_packet(file, i % 2, i % 2 ? ns : ns / 1000, captured_length(i), frame_length(i), bytes);
        made->borders[i + 1] = file->length;
        made->resolution_ns[i] = i % 2 ? 1 : 1000;
        made->interface[i] = i % 2;
    }
}

/* ---- Reading them -------------------------------------------------------------------------- */

static void assert_message_names(const char *what)
{
    if (strstr(ptpmon_error_message(), what) == NULL)
        fail_msg("the message does not name \"%s\": %s", what, ptpmon_error_message());
}

static int64_t time_of(unsigned i)
{
    return (int64_t)times[i].seconds * 1000000000 + times[i].nanoseconds;
}

static void assert_frame(const ptpmon_frame *frame, const struct test_file *made, unsigned i)
{
    uint8_t expected[128];
    fill_frame(i, expected);
    assert_true(frame->time_ns == time_of(i));
    assert_int_equal(frame->captured_length, captured_length(i));
    assert_int_equal(frame->length, frame_length(i));
    assert_memory_equal(frame->bytes, expected, captured_length(i));
    assert_int_equal(frame->direction, AVB_DIRECTION_UNKNOWN);
    assert_int_equal(frame->number, i + 1);
    assert_int_equal(frame->resolution_ns, made->resolution_ns[i]);
    assert_int_equal(frame->interface, made->interface[i]);
}

static ptpmon_capture *open_path(void)
{
    ptpmon_capture *capture = NULL;
    if (ptpmon_capture_open_file(path, &capture) != PTPMON_OK)
        fail_msg("%s", ptpmon_error_message());
    return capture;
}

static ptpmon_capture_statistics statistics_of(ptpmon_capture *capture)
{
    ptpmon_capture_statistics statistics;
    assert_int_equal(ptpmon_capture_statistics_get(capture, &statistics), PTPMON_OK);
    return statistics;
}

/* Twice, since a file can be rewound; the first time not to the end. */
static void assert_reads_all(const struct test_file *made)
{
    ptpmon_frame frame;
    ptpmon_capture_loss loss;
    write_file(path, &made->file, made->file.length);
    ptpmon_capture *capture = open_path();
    for (unsigned frames = FRAMES - 1; frames <= FRAMES; frames++) {
        for (unsigned i = 0; i < frames; i++) {
            assert_int_equal(ptpmon_capture_next(capture, &frame), PTPMON_OK);
            assert_frame(&frame, made, i);
        }
        assert_int_equal(statistics_of(capture).frames, frames);
        assert_true(statistics_of(capture).stopped_at == 0);
        if (frames < FRAMES)
            assert_int_equal(ptpmon_capture_rewind(capture), PTPMON_OK);
    }
    assert_int_equal(ptpmon_capture_next(capture, &frame), PTPMON_END);
    assert_int_equal(ptpmon_capture_next(capture, &frame), PTPMON_END);
    assert_false(ptpmon_capture_is_cut(capture));
    assert_int_equal(ptpmon_capture_stop(capture), PTPMON_OK);
    assert_int_equal(ptpmon_capture_next_loss(capture, &loss), PTPMON_NOTHING);
    ptpmon_capture_statistics statistics = statistics_of(capture);
    assert_int_equal(statistics.frames, FRAMES);
    assert_int_equal(statistics.dropped, 0);
    assert_true(statistics.stopped_at == time_of(FRAMES - 1));
    assert_int_equal(ptpmon_capture_kind_of(capture), PTPMON_CAPTURE_FILE);
    assert_string_equal(ptpmon_capture_name(capture), path);
    ptpmon_capture_close(capture);
}

static void reads_pcap_of_each_kind(void **state)
{
    (void)state;
    struct test_file file;
    for (int kind = 0; kind < 4; kind++) {
        make_pcap(&file, kind & 1, kind & 2, LINKTYPE_ETHERNET);
        assert_reads_all(&file);
    }
}

static void reads_pcapng_of_each_kind(void **state)
{
    (void)state;
    struct test_file file;
    make_pcapng(&file, false, LINKTYPE_ETHERNET);
    assert_reads_all(&file);
    make_pcapng(&file, true, LINKTYPE_ETHERNET);
    assert_reads_all(&file);
}

static void knows_nothing_of_the_interface_of_pcap(void **state)
{
    (void)state;
    struct test_file file;
    ptpmon_capture_interface about;
    make_pcap(&file, false, false, LINKTYPE_ETHERNET);
    write_file(path, &file.file, file.file.length);
    ptpmon_capture *capture = open_path();
    assert_int_equal(ptpmon_capture_interface_count(capture), 1);
    assert_int_equal(ptpmon_capture_interface_get(capture, 0, &about), PTPMON_OK);
    assert_true(about.name[0] == 0 && about.host[0] == 0 && about.boot_id[0] == 0 && !about.has_mac);
    assert_int_equal(ptpmon_capture_select(capture, 0), PTPMON_OK);
    assert_int_equal(ptpmon_capture_select(capture, 1), PTPMON_INVALID);
    assert_message_names(path);
    assert_int_equal(ptpmon_capture_interface_get(capture, 1, &about), PTPMON_INVALID);
    ptpmon_capture_close(capture);
}

/* What a shell's <(...) gives. */
static void reads_pipes_once(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        struct test_file file;
        ptpmon_frame frame;
        int ends[2];
        char name[32];
        if (kind == 0)
            make_pcap(&file, false, true, LINKTYPE_ETHERNET);
        else
            make_pcapng(&file, false, LINKTYPE_ETHERNET);
        assert_int_equal(pipe(ends), 0);
        assert_int_equal(write(ends[1], file.file.bytes, file.file.length), file.file.length);
        close(ends[1]);
        snprintf(name, sizeof name, "/dev/fd/%d", ends[0]);
        ptpmon_capture *capture = NULL;
        assert_int_equal(ptpmon_capture_open_file(name, &capture), PTPMON_OK);
        for (unsigned i = 0; i < FRAMES; i++) {
            assert_int_equal(ptpmon_capture_next(capture, &frame), PTPMON_OK);
            assert_frame(&frame, &file, i);
        }
        assert_int_equal(ptpmon_capture_next(capture, &frame), PTPMON_END);
        assert_int_equal(ptpmon_capture_rewind(capture), PTPMON_IO);
        assert_message_names("regular file");
        ptpmon_capture_close(capture);
        close(ends[0]);
    }
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
        struct test_file file;
        ptpmon_capture *capture = NULL;
        if (i < 2)
            make_pcap(&file, false, true, others[i].linktype);
        else
            make_pcapng(&file, false, others[i - 2].linktype);
        write_file(path, &file.file, file.file.length);
        assert_int_equal(ptpmon_capture_open_file(path, &capture), PTPMON_BAD_FILE);
        assert_null(capture);
        assert_message_names(path);
        assert_message_names(others[i % 2].name);
    }
}

/* Reads what can be read; a failure comes again, in the same words. */
static ptpmon_status read_to_the_end(uint64_t *frames, ptpmon_status *open_status, bool *cut)
{
    ptpmon_capture *capture = NULL;
    ptpmon_frame frame;
    *frames = 0;
    *cut = false;
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
        assert_true(frame.number >= *frames);
    }
    *cut = ptpmon_capture_is_cut(capture);
    if (status != PTPMON_END) {
        char first[512];
        assert_message_names("frame ");
        assert_message_names(path);
        snprintf(first, sizeof first, "%s", ptpmon_error_message());
        assert_int_equal(ptpmon_capture_next(capture, &frame), status);
        assert_string_equal(ptpmon_error_message(), first);
    }
    ptpmon_capture_close(capture);
    return status;
}

/* A file that ends inside a frame is good up to there; it must show all the same. */
static void assert_survives_every_cut(const struct test_file *made)
{
    for (size_t length = 0; length <= made->file.length; length++) {
        uint64_t frames, complete = 0;
        ptpmon_status open_status;
        bool cut, at_border = length == made->opens_at;
        write_file(path, &made->file, length);
        ptpmon_status status = read_to_the_end(&frames, &open_status, &cut);
        for (unsigned i = 0; i <= FRAMES; i++) {
            at_border |= length == made->borders[i];
            complete += i > 0 && length >= made->borders[i];
        }
        assert_int_equal(frames, complete);
        assert_int_equal(open_status, length < made->opens_at ? PTPMON_BAD_FILE : PTPMON_OK);
        if (open_status == PTPMON_OK) {
            assert_int_equal(status, PTPMON_END);
            assert_int_equal(cut, !at_border);
        }
    }
}

static void survives_every_cut(void **state)
{
    (void)state;
    struct test_file file;
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
        struct test_file good;
        if (kind == 0)
            make_pcap(&good, false, false, LINKTYPE_ETHERNET);
        else
            make_pcapng(&good, false, LINKTYPE_ETHERNET);
        for (size_t at = 0; at < good.file.length; at++) {
            for (size_t w = 0; w < sizeof wrong; w++) {
                struct test_file file = good;
                uint64_t frames;
                ptpmon_status open_status;
                bool cut;
                file.file.bytes[at] = wrong[w];
                write_file(path, &file.file, file.file.length);
                ptpmon_status status = read_to_the_end(&frames, &open_status, &cut);
                assert_true(status == PTPMON_END || status == PTPMON_BAD_FILE);
            }
        }
    }
}

static void assert_second_frame_is_bad(const struct file *file, const char *why)
{
    uint64_t frames;
    ptpmon_status open_status;
    bool cut;
    write_file(path, file, file->length);
    assert_int_equal(read_to_the_end(&frames, &open_status, &cut), PTPMON_BAD_FILE);
    assert_int_equal(frames, 1);
    assert_message_names("frame 2");
    assert_message_names(why);
}

static void refuses_impossible_headers(void **state)
{
    (void)state;
    struct test_file file;
    const size_t microseconds = 4, length = 12; /* in a frame's header */

    make_pcap(&file, false, false, LINKTYPE_ETHERNET);
    memcpy(file.file.bytes + file.borders[1] + microseconds, (const uint8_t[]){0x40, 0x42, 0x0F, 0x00}, 4);
    assert_second_frame_is_bad(&file.file, "fraction");

    make_pcap(&file, false, false, LINKTYPE_ETHERNET);
    memcpy(file.file.bytes + file.borders[1] + length, (const uint8_t[]){10, 0, 0, 0}, 4);
    assert_second_frame_is_bad(&file.file, "more bytes");

    uint8_t bytes[128];
    fill_frame(0, bytes);
    file = (struct test_file){0};
    put_section(&file.file);
    put_interface(&file.file, LINKTYPE_ETHERNET, 0);
    put_packet(&file.file, 0, 1, 60, 60, bytes);
    put_packet(&file.file, 0, UINT64_C(9223372037), 60, 60, bytes);
    assert_second_frame_is_bad(&file.file, "out of range");
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
    static const struct file text = {.bytes = "not a capture at all, just some text", .length = 36};
    write_file(path, &text, text.length);
    assert_int_equal(ptpmon_capture_open_file(path, &capture), PTPMON_BAD_FILE);
    assert_message_names(path);
    assert_null(capture);
}

/* ---- Given frames -------------------------------------------------------------------------- */

static ptpmon_capture *open_given(void)
{
    ptpmon_capture *capture = NULL;
    assert_int_equal(ptpmon_capture_open_given("packets of a program", &capture), PTPMON_OK);
    return capture;
}

static ptpmon_frame given_frame(unsigned i, uint8_t *bytes)
{
    fill_frame(i, bytes);
    return (ptpmon_frame){
        .time_ns = time_of(i),
        .bytes = bytes,
        .captured_length = captured_length(i),
        .length = frame_length(i),
        .resolution_ns = 1000 * i,
        .interface = 7,
        .direction = (uint8_t)(i % 2),
        .number = 99,
    };
}

static void delivers_what_it_was_given(void **state)
{
    (void)state;
    enum { ROUNDS = 4 };
    ptpmon_capture *capture = open_given();
    ptpmon_frame frame;
    for (unsigned round = 0; round < ROUNDS; round++) {
        assert_int_equal(ptpmon_capture_next(capture, &frame), PTPMON_NOTHING);
        for (unsigned i = 0; i < FRAMES; i++) {
            uint8_t bytes[128]; /* the capture keeps a copy */
            frame = given_frame(i, bytes);
            assert_int_equal(ptpmon_capture_give(capture, &frame), PTPMON_OK);
            memset(bytes, 0xEE, sizeof bytes);
        }
        if (round == ROUNDS - 1)
            assert_int_equal(ptpmon_capture_stop(capture), PTPMON_OK);
        for (unsigned i = 0; i < FRAMES; i++) {
            uint8_t bytes[128];
            ptpmon_frame expected = given_frame(i, bytes);
            assert_int_equal(ptpmon_capture_next(capture, &frame), PTPMON_OK);
            assert_true(frame.time_ns == expected.time_ns);
            assert_int_equal(frame.length, expected.length);
            assert_int_equal(frame.captured_length, expected.captured_length);
            assert_memory_equal(frame.bytes, bytes, frame.captured_length);
            assert_int_equal(frame.direction, expected.direction);
            assert_int_equal(frame.resolution_ns, i == 0 ? 1 : 1000 * i);
            assert_int_equal(frame.interface, 0);
            assert_int_equal(frame.number, round * FRAMES + i + 1);
        }
        assert_true(statistics_of(capture).stopped_at == 0);
    }
    assert_int_equal(ptpmon_capture_next(capture, &frame), PTPMON_END);
    assert_int_equal(statistics_of(capture).frames, ROUNDS * FRAMES);
    assert_true(statistics_of(capture).stopped_at == time_of(FRAMES - 1));
    assert_int_equal(ptpmon_capture_kind_of(capture), PTPMON_CAPTURE_GIVEN);
    ptpmon_capture_close(capture);
}

static void refuses_frames_that_cannot_be(void **state)
{
    (void)state;
    uint8_t bytes[128];
    ptpmon_capture_loss loss;
    ptpmon_frame frame = given_frame(0, bytes);
    ptpmon_capture *capture = open_given();
    assert_int_equal(ptpmon_capture_next_loss(capture, &loss), PTPMON_NOTHING);
    assert_int_equal(ptpmon_capture_rewind(capture), PTPMON_INVALID);
    frame.captured_length = frame.length + 1;
    assert_int_equal(ptpmon_capture_give(capture, &frame), PTPMON_INVALID);
    frame = given_frame(0, bytes);
    assert_int_equal(ptpmon_capture_give(capture, &frame), PTPMON_OK); /* not fetched */
    assert_int_equal(ptpmon_capture_stop(capture), PTPMON_OK);
    assert_int_equal(ptpmon_capture_give(capture, &frame), PTPMON_INVALID);
    assert_message_names("packets of a program");
    ptpmon_capture_close(capture);

    struct test_file file;
    make_pcap(&file, false, false, LINKTYPE_ETHERNET);
    write_file(path, &file.file, file.file.length);
    capture = open_path();
    assert_int_equal(ptpmon_capture_give(capture, &frame), PTPMON_INVALID);
    assert_message_names(path);
    ptpmon_capture_close(capture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_pcap_of_each_kind),
        cmocka_unit_test(reads_pcapng_of_each_kind),
        cmocka_unit_test(keeps_single_nanoseconds),
        cmocka_unit_test(refuses_other_linktypes),
        cmocka_unit_test(knows_nothing_of_the_interface_of_pcap),
        cmocka_unit_test(reads_pipes_once),
        cmocka_unit_test(survives_every_cut),
        cmocka_unit_test(survives_every_wrong_byte),
        cmocka_unit_test(refuses_impossible_headers),
        cmocka_unit_test(says_why_a_file_cannot_be_opened),
        cmocka_unit_test(delivers_what_it_was_given),
        cmocka_unit_test(refuses_frames_that_cannot_be),
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
