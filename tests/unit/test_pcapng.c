/* SPDX-License-Identifier: MIT */
/* pcapng files as others write them: every kind of time, sections, interfaces, directions, losses, damage. */
#include "capture.h"
#include "capture_file.h"
#include "random.h"

#include <stdlib.h>
#include <unistd.h>

#define SECOND UINT64_C(1000000000)
#define NOW    (UINT64_C(1795359999) * SECOND) /* ns */

static char path[] = "/tmp/ptpmon-test-pcapng-XXXXXX";
static struct file file;
static uint8_t bytes[64] = {1, 2, 3, 4, 5, 6, 7, 8, 9};

/* What a test that is done in both byte orders gets as its state. */
static bool little = false, big = true;

static void begin_file(bool big_endian)
{
    file.length = 0;
    file.big_endian = big_endian;
    put_section(&file);
}

static void begin_file_of(void **state)
{
    begin_file(*(const bool *)*state);
}

static ptpmon_capture *open_made(void)
{
    ptpmon_capture *capture = NULL;
    write_file(path, &file, file.length);
    if (ptpmon_capture_open_file(path, &capture) != PTPMON_OK)
        fail_msg("%s", ptpmon_error_message());
    return capture;
}

static ptpmon_frame next_of(ptpmon_capture *capture)
{
    ptpmon_frame frame = {0};
    if (ptpmon_capture_next(capture, &frame) != PTPMON_OK)
        fail_msg("no frame: %s", ptpmon_error_message());
    return frame;
}

static void assert_end(ptpmon_capture *capture)
{
    ptpmon_frame frame;
    assert_int_equal(ptpmon_capture_next(capture, &frame), PTPMON_END);
    assert_false(ptpmon_capture_is_cut(capture));
}

static void assert_message_names(const char *what)
{
    if (strstr(ptpmon_error_message(), what) == NULL)
        fail_msg("the message does not name \"%s\": %s", what, ptpmon_error_message());
}

static void assert_loss(ptpmon_capture *capture, uint64_t frames, uint64_t from, uint64_t to)
{
    ptpmon_capture_loss loss;
    assert_int_equal(ptpmon_capture_next_loss(capture, &loss), PTPMON_OK);
    assert_int_equal(loss.frames, frames);
    assert_int_equal(loss.from, from);
    assert_int_equal(loss.to, to);
}

static void assert_no_loss(ptpmon_capture *capture)
{
    ptpmon_capture_loss loss;
    assert_int_equal(ptpmon_capture_next_loss(capture, &loss), PTPMON_NOTHING);
}

static void assert_ran(ptpmon_capture *capture, uint64_t from, uint64_t to, uint64_t dropped)
{
    ptpmon_capture_statistics statistics;
    assert_int_equal(ptpmon_capture_statistics_get(capture, &statistics), PTPMON_OK);
    assert_int_equal(statistics.started_at, from);
    assert_int_equal(statistics.stopped_at, to);
    assert_int_equal(statistics.dropped, dropped);
}

static void put_frame(uint32_t interface, uint64_t ticks)
{
    put_packet(&file, interface, ticks, 60, 60, bytes);
}

/* ---- Times --------------------------------------------------------------------------------- */

/* Digit by digit, and bit by bit, which is slow and cannot be wrong; UINT64_MAX: more than an int64_t of ns. */
static uint64_t expected_ns(uint8_t tsresol, uint64_t ticks)
{
    __extension__ unsigned __int128 ns = (unsigned __int128)ticks;
    unsigned exponent = tsresol & 0x7Fu;
    if (tsresol & 0x80u) {
        ns *= SECOND;
        while (exponent-- > 0)
            ns /= 2;
    } else {
        for (; exponent < 9; exponent++)
            ns *= 10;
        for (; exponent > 9; exponent--)
            ns /= 10;
    }
    return ns > INT64_MAX ? UINT64_MAX : (uint64_t)ns;
}

static uint32_t expected_resolution(uint8_t tsresol)
{
    uint64_t base = tsresol & 0x80u ? 2 : 10, ticks_per_second = 1;
    for (unsigned i = 0; i < (tsresol & 0x7Fu) && ticks_per_second < SECOND; i++)
        ticks_per_second *= base;
    return (uint32_t)((SECOND + ticks_per_second - 1) / ticks_per_second);
}

static void reads_times_of_every_resolution(void **state)
{
    (void)state;
    enum { EACH = 20 };
    struct random random = {1};
    for (unsigned tsresol = 0; tsresol < 256; tsresol++) {
        uint64_t ticks[EACH], frames = 0;
        begin_file(tsresol % 2);
        put_interface(&file, LINKTYPE_ETHERNET, (uint8_t)tsresol);
        for (unsigned i = 0; i < EACH; i++) {
            ticks[i] = i == 0 ? 0 : i == 1 ? UINT64_MAX : random_next(&random) >> random_below(&random, 64);
            put_frame(0, ticks[i]);
        }
        ptpmon_capture *capture = open_made();
        for (; frames < EACH && expected_ns((uint8_t)tsresol, ticks[frames]) != UINT64_MAX; frames++) {
            ptpmon_frame frame = next_of(capture);
            assert_int_equal(frame.time_ns, expected_ns((uint8_t)tsresol, ticks[frames]));
            assert_int_equal(frame.resolution_ns, expected_resolution((uint8_t)tsresol));
        }
        ptpmon_frame frame;
        ptpmon_status status = ptpmon_capture_next(capture, &frame);
        assert_int_equal(status, frames == EACH ? PTPMON_END : PTPMON_BAD_FILE);
        if (frames < EACH)
            assert_message_names("its time is out of range");
        ptpmon_capture_close(capture);
    }
}

static void moves_times_by_the_offset(void **state)
{
    static const struct {
        int64_t offset; /* s */
        uint64_t ticks; /* us */
        int64_t ns;     /* < 0: out of range */
    } cases[] = {
        {0, 5, 5000},
        {1795359999, 7, (int64_t)NOW + 7000},
        {-1795359999, NOW / 1000 + 7, 7000},
        {-1, 999999, -1},
        {9223372036, 0, INT64_C(9223372036000000000)},
        {9223372036, 854775, INT64_C(9223372036854775000)},
        {9223372036, 854776, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ptpmon_frame frame;
        begin_file_of(state);
        size_t block = begin_interface(&file, LINKTYPE_ETHERNET);
        put_number_option(&file, 14, (uint64_t)cases[i].offset, 8);
        end_block(&file, block);
        put_frame(0, cases[i].ticks);
        ptpmon_capture *capture = open_made();
        if (cases[i].ns >= 0)
            assert_int_equal(next_of(capture).time_ns, cases[i].ns);
        else
            assert_int_equal(ptpmon_capture_next(capture, &frame), PTPMON_BAD_FILE);
        ptpmon_capture_close(capture);
    }
}

/* ---- Frames -------------------------------------------------------------------------------- */

static uint8_t expected_direction(uint32_t flags)
{
    static const uint8_t directions[] = {AVB_DIRECTION_UNKNOWN, AVB_DIRECTION_RX, AVB_DIRECTION_TX,
                                         AVB_DIRECTION_UNKNOWN};
    return directions[flags % 4];
}

static void reads_directions(void **state)
{
    enum { FLAGS = 64 };
    begin_file_of(state);
    put_interface(&file, LINKTYPE_ETHERNET, 9);
    for (uint32_t flags = 0; flags < FLAGS; flags++) {
        size_t block = begin_packet(&file, 0, NOW, 60, 60, bytes);
        if (flags % 3 == 1)
            put_option(&file, 1, "a comment", 9);
        put_number_option(&file, 2, 0x13570000 + flags, 4);
        if (flags % 3 == 2)
            put_number(&file, 0, 4);
        end_block(&file, block);
    }
    ptpmon_capture *capture = open_made();
    for (uint32_t flags = 0; flags < FLAGS; flags++)
        assert_int_equal(next_of(capture).direction, expected_direction(flags));
    assert_end(capture);
    ptpmon_capture_close(capture);
}

static void put_obsolete_packet(uint16_t interface, uint16_t dropped, uint64_t ticks, uint32_t flags)
{
    size_t block = begin_block(&file, 2);
    put_number(&file, interface, 2);
    put_number(&file, dropped, 2);
    put_ticks(&file, ticks);
    put_number(&file, 9, 4);
    put_number(&file, 60, 4);
    put_bytes(&file, bytes, 9);
    put_padding(&file);
    put_number_option(&file, 2, flags, 4);
    end_block(&file, block);
}

static void reads_the_obsolete_block(void **state)
{
    begin_file_of(state);
    put_interface(&file, LINKTYPE_ETHERNET, 9);
    put_interface(&file, LINKTYPE_ETHERNET, 9);
    put_obsolete_packet(1, UINT16_MAX, NOW, 1);
    put_obsolete_packet(1, 3, NOW + 50, 2);
    ptpmon_capture *capture = open_made();
    ptpmon_frame frame = next_of(capture);
    assert_int_equal(frame.interface, 1);
    assert_int_equal(frame.time_ns, NOW);
    assert_int_equal(frame.captured_length, 9);
    assert_int_equal(frame.length, 60);
    assert_memory_equal(frame.bytes, bytes, 9);
    assert_int_equal(frame.direction, AVB_DIRECTION_RX);
    assert_no_loss(capture);
    assert_int_equal(next_of(capture).direction, AVB_DIRECTION_TX);
    assert_loss(capture, 3, NOW, NOW + 50);
    ptpmon_capture_close(capture);
}

static void put_simple_packet(void)
{
    size_t block = begin_block(&file, 3);
    put_number(&file, 60, 4);
    put_bytes(&file, bytes, 60);
    end_block(&file, block);
}

static void put_unknown_block(uint32_t type, size_t length)
{
    size_t block = begin_block(&file, type);
    for (size_t i = 0; i < length; i++)
        put_number(&file, 0xA5, 1);
    end_block(&file, block);
}

/* Numbers count all frames of the file, as other programs show them. */
static void passes_over_what_it_cannot_use(void **state)
{
    begin_file_of(state);
    put_unknown_block(0x00000BAD, 40);
    put_interface(&file, LINKTYPE_RAW, 9);
    put_interface(&file, LINKTYPE_ETHERNET, 9);
    put_unknown_block(10, 0); /* decryption secrets */
    put_frame(0, NOW);
    put_frame(1, NOW + 1);
    put_simple_packet();
    put_unknown_block(0x80000BAD, 4000);
    put_frame(1, NOW + 2);
    put_interface(&file, LINKTYPE_LINUX_SLL, 6);
    put_frame(2, NOW);
    put_frame(1, NOW + 3);
    ptpmon_capture *capture = open_made();
    static const uint64_t numbers[] = {2, 4, 6};
    for (unsigned i = 0; i < 3; i++) {
        ptpmon_frame frame = next_of(capture);
        assert_int_equal(frame.number, numbers[i]);
        assert_int_equal(frame.time_ns, NOW + i + 1);
        assert_int_equal(frame.interface, 1);
    }
    assert_end(capture);
    assert_int_equal(ptpmon_capture_interface_count(capture), 3);
    ptpmon_capture_close(capture);
}

/* ---- Interfaces ---------------------------------------------------------------------------- */

static const uint8_t mac[6] = {0x02, 0, 0, 0xAB, 0xCD, 0xEF};
static const char own_comment[] = "ptpmon host=lab-7 boot_id=01234567-89ab-cdef-0123-456789abcdef";

static void put_described_interface(const char *name, const char *comment)
{
    size_t block = begin_interface(&file, LINKTYPE_ETHERNET);
    put_option(&file, 3, "a description", 13);
    put_option(&file, 2, name, strlen(name));
    put_option(&file, 6, mac, sizeof mac);
    put_option(&file, 1, comment, strlen(comment));
    put_option(&file, 9, "\x09", 1);
    put_number(&file, 0, 4);
    end_block(&file, block);
}

static ptpmon_capture_interface interface_of(ptpmon_capture *capture, size_t interface)
{
    ptpmon_capture_interface about;
    assert_int_equal(ptpmon_capture_interface_get(capture, interface, &about), PTPMON_OK);
    return about;
}

static void knows_interfaces(void **state)
{
    bool is_big = *(const bool *)*state;
    char long_name[400];
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = 0;

    file.length = 0;
    file.big_endian = is_big;
    put_section_of(&file, "ptpmon 9.9.9");
    put_described_interface("eth0", own_comment);
    put_described_interface(long_name, "ptpmon host=");
    put_section_of(&file, "Dumpcap (Wireshark)");
    put_described_interface("eth1", own_comment); /* somebody else's, who may mean anything */
    put_interface(&file, LINKTYPE_ETHERNET, 6);
    ptpmon_capture *capture = open_made();
    assert_int_equal(ptpmon_capture_interface_count(capture), 4);
    ptpmon_capture_interface about = interface_of(capture, 0);
    assert_string_equal(about.name, "eth0");
    assert_true(about.has_mac);
    assert_memory_equal(about.mac, mac, sizeof mac);
    assert_string_equal(about.host, "lab-7");
    assert_string_equal(about.boot_id, "01234567-89ab-cdef-0123-456789abcdef");
    about = interface_of(capture, 1);
    assert_int_equal(strlen(about.name), PTPMON_NAME_MAX - 1);
    assert_string_equal(about.host, "");
    assert_string_equal(about.boot_id, "");
    about = interface_of(capture, 2);
    assert_string_equal(about.name, "eth1");
    assert_string_equal(about.host, "");
    about = interface_of(capture, 3);
    assert_string_equal(about.name, "");
    assert_false(about.has_mac);
    ptpmon_capture_close(capture);
}

/* Each section counts its interfaces from 0 and has its own byte order; ours go on. */
static void goes_on_through_sections(void **state)
{
    (void)state;
    enum { SECTIONS = 4 };
    file.length = 0;
    for (uint32_t i = 0; i < SECTIONS; i++) {
        file.big_endian = i % 2;
        put_section(&file);
        put_interface(&file, LINKTYPE_ETHERNET, 9);
        put_frame(0, NOW + i);
        put_interface(&file, LINKTYPE_ETHERNET, 6);
        put_frame(1, NOW / 1000 + i);
    }
    ptpmon_capture *capture = open_made();
    assert_int_equal(ptpmon_capture_interface_count(capture), 1);
    for (uint32_t i = 0; i < SECTIONS; i++) {
        ptpmon_frame frame = next_of(capture);
        assert_int_equal(frame.interface, 2 * i);
        assert_int_equal(frame.time_ns, NOW + i);
        frame = next_of(capture);
        assert_int_equal(frame.interface, 2 * i + 1);
        assert_int_equal(frame.time_ns, NOW + 1000 * i);
        assert_int_equal(frame.number, 2 * i + 2);
    }
    assert_end(capture);
    assert_int_equal(ptpmon_capture_interface_count(capture), 2 * SECTIONS);
    ptpmon_capture_close(capture);
}

static void put_dropped(uint32_t interface, uint64_t ticks, uint64_t ifdrop, uint64_t osdrop)
{
    size_t block = begin_statistics(&file, interface, ticks);
    put_number_option(&file, 4, 1000, 8);
    put_number_option(&file, 5, ifdrop, 8);
    put_number_option(&file, 7, osdrop, 8);
    end_block(&file, block);
}

static void selects_one_interface(void **state)
{
    begin_file_of(state);
    put_interface(&file, LINKTYPE_ETHERNET, 9);
    put_interface(&file, LINKTYPE_ETHERNET, 9);
    put_frame(0, NOW + 1);
    put_frame(1, NOW + 2);
    put_dropped(0, NOW + 3, 1, 0);
    put_dropped(1, NOW + 4, 2, 5);
    put_frame(1, NOW + 5);
    put_frame(0, NOW + 6);
    ptpmon_capture *capture = open_made();
    assert_int_equal(ptpmon_capture_select(capture, 2), PTPMON_INVALID);
    assert_message_names("interface 2");
    for (int round = 0; round < 2; round++) {
        assert_int_equal(ptpmon_capture_select(capture, 1), PTPMON_OK);
        for (int rewound = 0; rewound < 2; rewound++) {
            assert_int_equal(next_of(capture).number, 2);
            assert_int_equal(next_of(capture).number, 3);
            assert_end(capture);
            assert_loss(capture, 7, NOW + 2, NOW + 4);
            assert_no_loss(capture);
            assert_ran(capture, NOW + 2, NOW + 5, 7);
            assert_int_equal(ptpmon_capture_rewind(capture), PTPMON_OK);
        }
    }
    assert_int_equal(ptpmon_capture_select(capture, 0), PTPMON_OK);
    assert_int_equal(next_of(capture).number, 1);
    assert_int_equal(next_of(capture).number, 4);
    assert_end(capture);
    assert_loss(capture, 1, NOW + 1, NOW + 3);
    assert_no_loss(capture);
    assert_ran(capture, NOW + 1, NOW + 6, 1);
    ptpmon_capture_close(capture);
}

/* ---- Losses and when it ran ---------------------------------------------------------------- */

static void locates_losses(void **state)
{
    begin_file_of(state);
    put_interface(&file, LINKTYPE_ETHERNET, 9);
    size_t block = begin_statistics(&file, 0, NOW);
    put_ticks_option(&file, 2, NOW);
    put_number_option(&file, 5, 0, 8);
    end_block(&file, block);
    put_frame(0, NOW + 10);
    put_dropped(0, NOW + 20, 3, 4);
    put_dropped(0, NOW + 30, 3, 4);
    put_frame(0, NOW + 35);
    put_dropped(0, NOW + 40, 4, 4);
    block = begin_packet(&file, 0, NOW + 50, 60, 60, bytes);
    put_number_option(&file, 4, 2, 8); /* dropped before this frame: the next statistics count them again */
    end_block(&file, block);
    put_dropped(0, NOW + 60, 6, 5);
    put_dropped(0, NOW + 70, 6, 4); /* a count that goes back is no loss */
    ptpmon_capture *capture = open_made();
    assert_ran(capture, NOW, 0, 0);
    next_of(capture);
    assert_no_loss(capture);
    next_of(capture);
    assert_loss(capture, 7, NOW, NOW + 20);
    assert_no_loss(capture);
    next_of(capture);
    assert_loss(capture, 1, NOW + 30, NOW + 40);
    assert_loss(capture, 2, NOW + 35, NOW + 50);
    assert_end(capture);
    assert_loss(capture, 1, NOW + 40, NOW + 60);
    assert_no_loss(capture);
    assert_ran(capture, NOW, NOW + 70, 11);
    ptpmon_capture_close(capture);
}

/* Nobody has to fetch them, and none may get lost. */
static void keeps_losses_within_bounds(void **state)
{
    enum { LOSSES = 200 };
    begin_file_of(state);
    put_interface(&file, LINKTYPE_ETHERNET, 9);
    put_frame(0, NOW);
    for (uint64_t i = 1; i <= LOSSES; i++)
        put_dropped(0, NOW + i, i, 0);
    ptpmon_capture *capture = open_made();
    next_of(capture);
    assert_end(capture);
    ptpmon_capture_loss loss;
    uint64_t frames = 0;
    int64_t to = (int64_t)NOW;
    while (ptpmon_capture_next_loss(capture, &loss) == PTPMON_OK) {
        frames += loss.frames;
        assert_int_equal(loss.from, to);
        assert_true(loss.to > loss.from);
        to = loss.to;
    }
    assert_int_equal(frames, LOSSES);
    assert_int_equal(to, NOW + LOSSES);
    ptpmon_capture_close(capture);
}

static void put_start_and_end(uint64_t ticks, uint64_t from, uint64_t to, uint64_t dropped)
{
    size_t block = begin_statistics(&file, 0, ticks);
    put_ticks_option(&file, 2, from);
    put_ticks_option(&file, 3, to);
    put_number_option(&file, 5, dropped, 8);
    put_number(&file, 0, 4);
    end_block(&file, block);
}

static void knows_when_it_ran(void **state)
{
    /* Nothing is noted. */
    begin_file_of(state);
    put_interface(&file, LINKTYPE_ETHERNET, 9);
    put_frame(0, NOW + 10);
    put_frame(0, NOW + 20);
    ptpmon_capture *capture = open_made();
    assert_ran(capture, 0, 0, 0);
    next_of(capture);
    assert_ran(capture, NOW + 10, 0, 0);
    next_of(capture);
    assert_end(capture);
    assert_ran(capture, NOW + 10, NOW + 20, 0);
    ptpmon_capture_close(capture);

    /* The start is noted at the end only, where it may be that of another file; the loss may be as old. */
    put_start_and_end(NOW + 40, NOW, NOW + 30, 5);
    capture = open_made();
    next_of(capture);
    next_of(capture);
    assert_end(capture);
    assert_ran(capture, NOW + 10, NOW + 30, 5);
    assert_loss(capture, 5, NOW, NOW + 30);
    ptpmon_capture_close(capture);

    /* The end is noted, and more frames come all the same. */
    put_frame(0, NOW + 50);
    put_dropped(0, NOW + 45, 5, 0);
    capture = open_made();
    while (next_of(capture).number < 3)
        continue;
    assert_end(capture);
    assert_ran(capture, NOW + 10, NOW + 50, 5);
    ptpmon_capture_close(capture);
}

/* dumpcap on an interface with ns: the times of its statistics are in us. */
static void understands_dumpcaps_statistics(void **state)
{
    begin_file_of(state);
    put_interface(&file, LINKTYPE_ETHERNET, 9);
    put_frame(0, NOW + 10 * SECOND);
    put_start_and_end(NOW / 1000 + 21000000, NOW / 1000, NOW / 1000 + 20000000, 5);
    ptpmon_capture *capture = open_made();
    next_of(capture);
    assert_end(capture);
    assert_ran(capture, NOW + 10 * SECOND, NOW + 20 * SECOND, 5);
    assert_loss(capture, 5, NOW, NOW + 20 * SECOND);
    ptpmon_capture_close(capture);
}

/* ---- Damage -------------------------------------------------------------------------------- */

#define THIRD_AT 140 /* where the third frame's block begins */

static void assert_third_is_damaged(const char *what)
{
    ptpmon_frame frame;
    ptpmon_capture *capture = open_made();
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(next_of(capture).time_ns, NOW + i);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(ptpmon_capture_next(capture, &frame), PTPMON_BAD_FILE);
        assert_message_names(path);
        assert_message_names("frame 3");
        assert_message_names("byte 140");
        assert_message_names(what);
    }
    ptpmon_capture_close(capture);
}

static void refuses_contradictions(void **state)
{
    static const struct {
        size_t at; /* in the third frame's block */
        uint32_t value;
        unsigned size;
        const char *what;
    } cases[] = {
        {4, 0, 4, "length 0 is impossible"},
        {4, 8, 4, "length 8 is impossible"},
        {4, 31, 4, "length 31 is impossible"},
        {4, 28, 4, "length 28 is impossible"},
        {4, 0x01000004, 4, "length 16777220 is impossible"},
        {4, 0x00FFFFFC, 4, "contradict"}, /* beyond the file's end, but not cut */
        {4, 96, 4, "96 before and 1 after it"},
        {8, 1, 4, "interface 1 is named, but the section has 1"},
        {8, UINT32_MAX, 4, "interface 4294967295 is named"},
        {12, UINT32_MAX, 4, "its time is out of range"},
        {20, 100, 4, "more bytes than the block"},
        {20, UINT32_MAX, 4, "more bytes than the block"},
        {24, 59, 4, "more bytes than the frame had"},
        {90, 255, 2, "option 2 is longer than the block"},
        {90, 5, 2, "option 2 has 5 bytes"},
        {88, 4, 2, "option 4 has 4 bytes"},
        {100, 0, 4, "104 before and 0 after it"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin_file_of(state);
        put_interface(&file, LINKTYPE_ETHERNET, 9);
        for (unsigned f = 0; f < 2; f++)
            put_packet(&file, 0, NOW + f, 8, 60, bytes);
        size_t block = begin_packet(&file, 0, NOW + 2, 60, 60, bytes);
        assert_int_equal(block, THIRD_AT);
        put_number_option(&file, 2, 1, 4);
        put_number(&file, 0, 4);
        end_block(&file, block);
        put_frame(0, NOW + 3);
        set_number(&file, THIRD_AT + cases[i].at, cases[i].value, cases[i].size);
        assert_third_is_damaged(cases[i].what);
    }
}

static void assert_refused(const char *what)
{
    ptpmon_capture *capture = NULL;
    write_file(path, &file, file.length);
    assert_int_equal(ptpmon_capture_open_file(path, &capture), PTPMON_BAD_FILE);
    assert_null(capture);
    assert_message_names(path);
    assert_message_names(what);
}

static void refuses_heads_that_cannot_be_read(void **state)
{
    begin_file_of(state);
    assert_refused("no interface");

    put_interface(&file, LINKTYPE_ETHERNET, 9);
    set_number(&file, 12, 2, 2);
    assert_refused("version is 2.0");

    begin_file_of(state);
    put_interface(&file, LINKTYPE_ETHERNET, 9);
    set_number(&file, 8, 0x1A2B3C4E, 4);
    assert_refused("byte order");

    static const uint8_t option_codes[] = {6, 9, 14};
    for (size_t i = 0; i < sizeof option_codes; i++) {
        begin_file_of(state);
        size_t block = begin_interface(&file, LINKTYPE_ETHERNET);
        put_number_option(&file, option_codes[i], 0, 2);
        end_block(&file, block);
        assert_refused("has 2 bytes");
    }

    begin_file_of(state);
    size_t block = begin_interface(&file, LINKTYPE_ETHERNET);
    put_number_option(&file, 14, INT64_MAX, 8);
    end_block(&file, block);
    assert_refused("offset");
}

static void refuses_endless_interfaces(void **state)
{
    static const uint8_t interface[20] = {1, 0, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0};
    (void)state;
    begin_file(false);
    write_file(path, &file, file.length);
    FILE *to = fopen(path, "ab");
    assert_non_null(to);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(fwrite(interface, sizeof interface, 1, to), 1);
    assert_int_equal(fclose(to), 0);
    ptpmon_capture *capture = NULL;
    ptpmon_frame frame;
    assert_int_equal(ptpmon_capture_open_file(path, &capture), PTPMON_OK);
    assert_int_equal(ptpmon_capture_next(capture, &frame), PTPMON_BAD_FILE);
    assert_message_names("4096");
    assert_int_equal(ptpmon_capture_interface_count(capture), 4096);
    ptpmon_capture_close(capture);
}

#define IN_BOTH_ORDERS(test) \
    {#test " little endian", test, NULL, NULL, &little}, \
    { \
#test " big endian", test, NULL, NULL, &big \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_times_of_every_resolution),
        IN_BOTH_ORDERS(moves_times_by_the_offset),
        IN_BOTH_ORDERS(reads_directions),
        IN_BOTH_ORDERS(reads_the_obsolete_block),
        IN_BOTH_ORDERS(passes_over_what_it_cannot_use),
        IN_BOTH_ORDERS(knows_interfaces),
        cmocka_unit_test(goes_on_through_sections),
        IN_BOTH_ORDERS(selects_one_interface),
        IN_BOTH_ORDERS(locates_losses),
        IN_BOTH_ORDERS(keeps_losses_within_bounds),
        IN_BOTH_ORDERS(knows_when_it_ran),
        IN_BOTH_ORDERS(understands_dumpcaps_statistics),
        IN_BOTH_ORDERS(refuses_contradictions),
        IN_BOTH_ORDERS(refuses_heads_that_cannot_be_read),
        cmocka_unit_test(refuses_endless_interfaces),
    };
    int made = mkstemp(path);
    if (made < 0) {
        perror(path);
        return 1;
    }
    close(made);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
