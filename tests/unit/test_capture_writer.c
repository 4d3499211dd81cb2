/* SPDX-License-Identifier: MIT */
/*
 * Writing captures: what is written is read back, by ptpmon and by the tools that people use, and
 * what they write is read too; files that are cut, damaged, killed or too large for their disk.
 */
#include "capture.h"
#include "capture_file.h"
#include "random.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pcap/pcap.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)
#define NOW    (INT64_C(1795359999) * SECOND)

static char path[] = "/tmp/ptpmon-test-writer-XXXXXX";
static char other_path[64]; /* of what a tool makes of it */

static void assert_message_names(const char *what)
{
    if (strstr(ptpmon_error_message(), what) == NULL)
        fail_msg("the message does not name \"%s\": %s", what, ptpmon_error_message());
}

static void assert_ok(ptpmon_status status)
{
    if (status != PTPMON_OK)
        fail_msg("%s: %s", ptpmon_status_name(status), ptpmon_error_message());
}

/* ---- What is written ----------------------------------------------------------------------- */

#define FRAMES_MAX 3000u
#define BYTES_MAX  400000u /* more than any buffer on the way */

static const ptpmon_capture_interface interfaces[] = {
    {.name = "eth0",
     .host = "lab-7",
     .boot_id = "01234567-89ab-cdef-0123-456789abcdef",
     .mac = {2, 0, 0, 1, 2, 3},
     .has_mac = true},
    {.name = "enp3s0f1np1.100"},
    {.boot_id = "fedcba98-89ab-cdef-0123-456789abcdef"},
};

/* Frames as they were written; the bytes of frame i begin at first_byte. */
static struct made {
    size_t count;
    struct {
        ptpmon_frame frame;
        size_t interface, first_byte;
    } frames[FRAMES_MAX];
    uint8_t bytes[BYTES_MAX];
} made;

static ptpmon_capture_writer *open_writer(size_t count)
{
    ptpmon_capture_writer *writer = NULL;
    assert_ok(ptpmon_capture_writer_open(path, interfaces, count, &writer));
    return writer;
}

static uint32_t random_length(struct random *random)
{
    if (random_chance(random, 1))
        return (uint32_t)random_below(random, BYTES_MAX / 2);
    return (uint32_t)random_below(random, random_chance(random, 80) ? 128 : 1600);
}

static void make_frame(struct random *random, size_t i, size_t interface_count)
{
    static const uint8_t directions[] = {AVB_DIRECTION_RX, AVB_DIRECTION_TX, AVB_DIRECTION_UNKNOWN};
    uint32_t captured = random_length(random);
    made.frames[i].interface = random_below(random, interface_count);
    made.frames[i].first_byte = random_below(random, BYTES_MAX - captured);
    made.frames[i].frame = (ptpmon_frame){
        .time_ns = random_chance(random, 2) ? (int64_t)(random_next(random) >> 1)
                                            : NOW + random_between(random, -SECOND, SECOND),
        .bytes = made.bytes + made.frames[i].first_byte,
        .captured_length = captured,
        .length = captured + (random_chance(random, 10) ? (uint32_t)random_below(random, 100000) : 0),
        .direction = directions[random_below(random, 3)],
    };
}

static void make_frames(uint64_t seed, size_t count, size_t interface_count)
{
    struct random random = {seed};
    for (size_t i = 0; i < BYTES_MAX; i++)
        made.bytes[i] = (uint8_t)random_next(&random);
    made.count = count;
    for (size_t i = 0; i < count; i++)
        make_frame(&random, i, interface_count);
}

static void write_frames(ptpmon_capture_writer *writer)
{
    for (size_t i = 0; i < made.count; i++)
        assert_ok(ptpmon_capture_writer_frame(writer, made.frames[i].interface, &made.frames[i].frame));
}

static void write_made(size_t interface_count)
{
    ptpmon_capture_writer *writer = open_writer(interface_count);
    write_frames(writer);
    uint64_t bytes = ptpmon_capture_writer_bytes(writer);
    assert_ok(ptpmon_capture_writer_close(writer));
    struct stat about;
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_size, bytes);
}

/* ---- What is read -------------------------------------------------------------------------- */

static bool is_frame(const ptpmon_frame *frame, size_t i)
{
    const ptpmon_frame *expected = &made.frames[i].frame;
    return i < made.count && frame->time_ns == expected->time_ns && frame->length == expected->length &&
           frame->captured_length == expected->captured_length && frame->direction == expected->direction &&
           frame->interface == made.frames[i].interface && frame->resolution_ns == 1 && frame->number == i + 1 &&
           memcmp(frame->bytes, expected->bytes, expected->captured_length) == 0;
}

static ptpmon_capture *open_capture(const char *from)
{
    ptpmon_capture *capture = NULL;
    assert_ok(ptpmon_capture_open_file(from, &capture));
    return capture;
}

/* Reads to the end; what comes must be the frames that were made, from the first on. Returns how many. */
static size_t read_prefix(ptpmon_capture *capture, ptpmon_status *status)
{
    ptpmon_frame frame;
    size_t frames = 0;
    while ((*status = ptpmon_capture_next(capture, &frame)) == PTPMON_OK) {
        if (!is_frame(&frame, frames))
            fail_msg("frame %zu differs", frames + 1);
        frames++;
    }
    return frames;
}

static void assert_reads_made(void)
{
    ptpmon_status status;
    ptpmon_capture *capture = open_capture(path);
    assert_int_equal(read_prefix(capture, &status), made.count);
    assert_int_equal(status, PTPMON_END);
    assert_false(ptpmon_capture_is_cut(capture));
    ptpmon_capture_close(capture);
}

static void reads_back_what_it_wrote(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        size_t interface_count = 1 + seed % 3;
        make_frames(seed, seed * 13 % 300, interface_count);
        write_made(interface_count);
        assert_reads_made();

        ptpmon_capture *capture = open_capture(path);
        assert_int_equal(ptpmon_capture_interface_count(capture), interface_count);
        for (size_t i = 0; i < interface_count; i++) {
            ptpmon_capture_interface about;
            assert_ok(ptpmon_capture_interface_get(capture, i, &about));
            assert_memory_equal(&about, &interfaces[i], sizeof about);
        }
        ptpmon_capture_close(capture);
    }
    make_frames(99, FRAMES_MAX, 3);
    write_made(3);
    assert_reads_made();
}

static void write_statistics(ptpmon_capture_writer *writer, size_t interface, uint64_t dropped, int64_t stopped_at,
                             int64_t at)
{
    const ptpmon_capture_statistics statistics = {
        .frames = 1, .dropped = dropped, .started_at = NOW, .stopped_at = stopped_at};
    assert_ok(ptpmon_capture_writer_statistics(writer, interface, &statistics, at));
}

static void assert_loss(ptpmon_capture *capture, uint64_t frames, int64_t from, int64_t to)
{
    ptpmon_capture_loss loss;
    assert_int_equal(ptpmon_capture_next_loss(capture, &loss), PTPMON_OK);
    assert_int_equal(loss.frames, frames);
    assert_int_equal(loss.from, from);
    assert_int_equal(loss.to, to);
}

static void notes_when_it_ran_and_what_was_lost(void **state)
{
    (void)state;
    ptpmon_capture_writer *writer = open_writer(2);
    ptpmon_frame frame = {.time_ns = NOW + 50, .bytes = made.bytes, .captured_length = 60, .length = 60};
    ptpmon_capture_loss loss;
    write_statistics(writer, 0, 0, 0, NOW);
    write_statistics(writer, 1, 0, 0, NOW + 1);
    assert_ok(ptpmon_capture_writer_frame(writer, 0, &frame));
    write_statistics(writer, 0, 5, 0, NOW + 100);
    write_statistics(writer, 1, 2, 0, NOW + 101);
    assert_ok(ptpmon_capture_writer_frame(writer, 0, &frame));
    write_statistics(writer, 0, 6, NOW + 900, NOW + 1000);
    assert_ok(ptpmon_capture_writer_close(writer));

    ptpmon_capture *capture = open_capture(path);
    ptpmon_capture_statistics statistics;
    assert_ok(ptpmon_capture_select(capture, 0));
    assert_ok(ptpmon_capture_statistics_get(capture, &statistics));
    assert_true(statistics.started_at == NOW && statistics.stopped_at == 0 && statistics.dropped == 0);
    assert_ok(ptpmon_capture_next(capture, &frame));
    assert_ok(ptpmon_capture_next(capture, &frame));
    assert_loss(capture, 5, NOW, NOW + 100);
    assert_int_equal(ptpmon_capture_next_loss(capture, &loss), PTPMON_NOTHING);
    assert_int_equal(ptpmon_capture_next(capture, &frame), PTPMON_END);
    assert_loss(capture, 1, NOW + 100, NOW + 900);
    assert_int_equal(ptpmon_capture_next_loss(capture, &loss), PTPMON_NOTHING);
    assert_ok(ptpmon_capture_statistics_get(capture, &statistics));
    assert_true(statistics.started_at == NOW && statistics.stopped_at == NOW + 900 && statistics.dropped == 6);
    ptpmon_capture_close(capture);
}

/* ---- Cut and damaged files ----------------------------------------------------------------- */

static void cut_at(size_t length)
{
    assert_int_equal(truncate(path, (off_t)length), 0);
}

static void delivers_a_prefix_of_cut_files(void **state)
{
    (void)state;
    struct random random = {7};
    static uint8_t whole[BYTES_MAX];
    make_frames(3, 500, 2);
    write_made(2);
    FILE *file = fopen(path, "rb");
    size_t length = fread(whole, 1, sizeof whole, file), previous = 0;
    fclose(file);
    for (size_t cut = 0; cut < length; cut += cut < 2048 ? 1 : 1 + random_below(&random, 2000)) {
        ptpmon_capture *capture = NULL;
        ptpmon_status status;
        file = fopen(path, "wb");
        assert_int_equal(fwrite(whole, 1, cut, file), cut);
        assert_int_equal(fclose(file), 0);
        status = ptpmon_capture_open_file(path, &capture);
        if (status != PTPMON_OK) {
            assert_int_equal(status, PTPMON_BAD_FILE);
            assert_int_equal(previous, 0);
            continue;
        }
        size_t frames = read_prefix(capture, &status);
        assert_int_equal(status, PTPMON_END);
        assert_true(frames >= previous);
        previous = frames;
        ptpmon_capture_close(capture);
    }
    assert_true(previous > 400);
}

static void survives_a_file_that_is_cut_while_it_is_read(void **state)
{
    (void)state;
    ptpmon_frame frame;
    ptpmon_status status;
    make_frames(5, FRAMES_MAX, 1);
    write_made(1);
    ptpmon_capture *capture = open_capture(path);
    assert_ok(ptpmon_capture_next(capture, &frame));
    assert_true(is_frame(&frame, 0));
    cut_at(100);
    size_t frames = 1;
    while ((status = ptpmon_capture_next(capture, &frame)) == PTPMON_OK)
        assert_true(is_frame(&frame, frames++));
    assert_int_equal(status, PTPMON_END);
    assert_true(ptpmon_capture_is_cut(capture));
    assert_true(frames < made.count);
    ptpmon_capture_close(capture);
}

/* The frames before the damage are as they were; what follows ends in a status. */
static void delivers_what_is_before_damage(void **state)
{
    (void)state;
    enum { ROUNDS = 1500 };
    struct random random = {11};
    static uint8_t whole[BYTES_MAX];
    make_frames(4, 300, 2);
    write_made(2);
    FILE *file = fopen(path, "rb");
    size_t length = fread(whole, 1, sizeof whole, file);
    fclose(file);
    for (int round = 0; round < ROUNDS; round++) {
        size_t at = random_below(&random, round < ROUNDS / 2 ? 2048 : length), before = 0, begin = 0;
        uint8_t was = whole[at];
        whole[at] = (uint8_t)random_next(&random);
        file = fopen(path, "wb");
        assert_int_equal(fwrite(whole, 1, length, file), length);
        assert_int_equal(fclose(file), 0);
        whole[at] = was;
        for (uint32_t total; begin + 8 <= length; begin += total) { /* the blocks before it */
            uint32_t type;
            memcpy(&type, whole + begin, sizeof type);
            memcpy(&total, whole + begin + 4, sizeof total);
            if (begin + total > at)
                break;
            before += type == 6;
        }

        ptpmon_capture *capture = NULL;
        ptpmon_frame frame;
        ptpmon_status status = ptpmon_capture_open_file(path, &capture);
        if (status != PTPMON_OK) {
            assert_int_equal(status, PTPMON_BAD_FILE);
            assert_int_equal(before, 0);
            continue;
        }
        size_t frames = 0;
        for (; (status = ptpmon_capture_next(capture, &frame)) == PTPMON_OK; frames++)
            assert_true(frames >= before || is_frame(&frame, frames));
        assert_true(frames >= before);
        assert_true(status == PTPMON_END || status == PTPMON_BAD_FILE);
        ptpmon_capture_close(capture);
    }
}

/* ---- What goes wrong in writing ------------------------------------------------------------ */

static void can_be_read_up_to_the_last_flush(void **state)
{
    (void)state;
    ptpmon_status status;
    make_frames(6, 200, 1);
    ptpmon_capture_writer *writer = open_writer(1);
    ptpmon_capture_close(open_capture(path)); /* already at open it is a capture */
    write_frames(writer);
    assert_ok(ptpmon_capture_writer_flush(writer));
    assert_reads_made();
    write_frames(writer);
    ptpmon_capture *capture = open_capture(path);
    ptpmon_frame frame;
    for (size_t i = 0; i < made.count; i++) {
        assert_ok(ptpmon_capture_next(capture, &frame));
        assert_true(is_frame(&frame, i));
    }
    while ((status = ptpmon_capture_next(capture, &frame)) == PTPMON_OK)
        continue;
    assert_int_equal(status, PTPMON_END);
    ptpmon_capture_close(capture);
    assert_ok(ptpmon_capture_writer_close(writer));
}

static void leaves_whole_blocks_when_killed(void **state)
{
    (void)state;
    make_frames(8, FRAMES_MAX, 1);
    for (size_t i = 0; i < made.count; i++) /* none larger than the buffer */
        made.frames[i].frame.captured_length %= 2000;
    pid_t child = fork();
    if (child == 0) {
        ptpmon_capture_writer *writer = open_writer(1);
        write_frames(writer);
        raise(SIGKILL);
    }
    int result;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFSIGNALED(result));

    ptpmon_status status;
    ptpmon_capture *capture = open_capture(path);
    size_t frames = read_prefix(capture, &status);
    assert_int_equal(status, PTPMON_END);
    assert_false(ptpmon_capture_is_cut(capture));
    assert_true(frames > 0 && frames < made.count);
    ptpmon_capture_close(capture);
}

/* A limit on the size of files does to a write what a full disk does: it is short, then fails. */
static void limit_file_size(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void keeps_whole_blocks_on_a_full_disk(void **state)
{
    (void)state;
    struct random random = {12};
    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    make_frames(9, FRAMES_MAX, 1);
    for (int round = 0; round < 10; round++) {
        ptpmon_capture_writer *writer = open_writer(1);
        ptpmon_status status = PTPMON_OK;
        size_t written = 0;
        limit_file_size(1000 + random_below(&random, 1000000));
        while (written < made.count && status == PTPMON_OK)
            status = ptpmon_capture_writer_frame(writer, 0, &made.frames[written++].frame);
        assert_int_equal(status, PTPMON_IO);
        assert_message_names(path);
        limit_file_size(RLIM_INFINITY);
        uint64_t bytes = ptpmon_capture_writer_bytes(writer);
        /* There is room again, but what was lost is lost. */
        for (int again = 0; again < 2; again++) {
            assert_int_equal(ptpmon_capture_writer_frame(writer, 0, &made.frames[0].frame), PTPMON_IO);
            assert_int_equal(ptpmon_capture_writer_flush(writer), PTPMON_IO);
            assert_message_names(path);
        }
        assert_int_equal(ptpmon_capture_writer_close(writer), PTPMON_IO);

        struct stat about;
        assert_int_equal(stat(path, &about), 0);
        assert_int_equal(about.st_size, bytes);
        ptpmon_capture *capture = open_capture(path);
        for (size_t i = 0; i < made.count; i++)
            made.frames[i].interface = 0;
        assert_true(read_prefix(capture, &status) <= written);
        assert_int_equal(status, PTPMON_END);
        assert_false(ptpmon_capture_is_cut(capture));
        ptpmon_capture_close(capture);
    }
}

static void refuses_what_it_cannot_write(void **state)
{
    (void)state;
    ptpmon_capture_writer *writer = NULL;
    assert_int_equal(ptpmon_capture_writer_open("/dev/full", interfaces, 1, &writer), PTPMON_IO);
    assert_message_names("/dev/full");
    assert_message_names("No space left");
    assert_int_equal(ptpmon_capture_writer_open("/nonexistent/x.pcapng", interfaces, 1, &writer), PTPMON_IO);
    assert_message_names("/nonexistent/x.pcapng");
    assert_int_equal(ptpmon_capture_writer_open(path, interfaces, 0, &writer), PTPMON_INVALID);
    assert_null(writer);

    writer = open_writer(2);
    uint64_t bytes = ptpmon_capture_writer_bytes(writer);
    ptpmon_capture_statistics statistics = {0};
    ptpmon_frame frame = {.bytes = made.bytes, .captured_length = 60, .length = 60};
    assert_int_equal(ptpmon_capture_writer_frame(writer, 2, &frame), PTPMON_INVALID);
    assert_int_equal(ptpmon_capture_writer_statistics(writer, 2, &statistics, NOW), PTPMON_INVALID);
    frame.time_ns = -1;
    assert_int_equal(ptpmon_capture_writer_frame(writer, 0, &frame), PTPMON_INVALID);
    frame.time_ns = 0;
    frame.length = 59;
    assert_int_equal(ptpmon_capture_writer_frame(writer, 0, &frame), PTPMON_INVALID);
    frame.length = frame.captured_length = UINT32_MAX;
    assert_int_equal(ptpmon_capture_writer_frame(writer, 0, &frame), PTPMON_INVALID);
    assert_message_names(path);
    assert_int_equal(ptpmon_capture_writer_bytes(writer), bytes);
    assert_ok(ptpmon_capture_writer_close(writer));
    assert_ok(ptpmon_capture_writer_close(NULL));
}

/* ---- Other programs ------------------------------------------------------------------------ */

static bool has_tool(const char *name)
{
    char command[128];
    snprintf(command, sizeof command, "command -v %s >/dev/null", name);
    return system(command) == 0;
}

static void need_tool(const char *name)
{
    if (has_tool(name))
        return;
    print_message("%s is not installed\n", name);
    skip();
}

static void __attribute__((format(printf, 1, 2))) run(const char *format, ...)
{
    char command[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    if (system(command) != 0)
        fail_msg("failed: %s", command);
}

/* Small frames that look like frames, some ns apart, so that tools that sort or dissect do no harm. */
static void make_plain_frames(size_t count)
{
    make_frames(21, count, 2);
    for (size_t i = 0; i < count; i++) {
        made.frames[i].frame.time_ns = NOW + 1001 * (int64_t)i;
        made.frames[i].frame.captured_length = 60 + (uint32_t)i % 4;
        made.frames[i].frame.length = 64;
    }
}

static void tshark_reads_it(void **state)
{
    (void)state;
    need_tool("tshark");
    enum { COUNT = 60 };
    make_plain_frames(COUNT);
    write_made(2);
    char command[512], line[256], complaint[256] = "";
    snprintf(
        command, sizeof command,
        "tshark -n -r %s -T fields -e frame.number -e frame.time_epoch -e frame.interface_name -e frame.interface_id "
        "-e frame.packet_flags_direction -e frame.cap_len -e frame.len -e frame.encap_type 2>%s",
        path, other_path);
    FILE *output = popen(command, "r");
    assert_non_null(output);
    for (size_t i = 0; i < made.count; i++) {
        static const char *directions[] = {"0x00000001", "0x00000002"};
        const ptpmon_frame *frame = &made.frames[i].frame;
        char expected[256];
        /* What is 0 comes as a field, too. */
        snprintf(expected, sizeof expected,
                 "%zu\t%" PRId64 ".%09" PRId64 "\t%s\t%zu\t%s\t%" PRIu32 "\t%" PRIu32 "\t1\n", i + 1,
                 frame->time_ns / SECOND, frame->time_ns % SECOND, interfaces[made.frames[i].interface].name,
                 made.frames[i].interface,
                 frame->direction <= AVB_DIRECTION_TX ? directions[frame->direction] : "0x00000000",
                 frame->captured_length, frame->length);
        assert_non_null(fgets(line, sizeof line, output));
        assert_string_equal(line, expected);
    }
    assert_null(fgets(line, sizeof line, output));
    assert_int_equal(pclose(output), 0);
    FILE *errors = fopen(other_path, "r");
    assert_non_null(errors);
    while (fgets(line, sizeof line, errors) != NULL) {
        if (strstr(line, "Running as user") == NULL)
            snprintf(complaint, sizeof complaint, "%s", line);
    }
    fclose(errors);
    assert_string_equal(complaint, "");
}

static bool output_has(const char *command, const char *text)
{
    char line[512];
    bool found = false;
    FILE *output = popen(command, "r");
    assert_non_null(output);
    while (fgets(line, sizeof line, output) != NULL)
        found |= strstr(line, text) != NULL;
    assert_int_equal(pclose(output), 0);
    return found;
}

static void capinfos_reads_it(void **state)
{
    (void)state;
    need_tool("capinfos");
    make_plain_frames(10);
    ptpmon_capture_writer *writer = open_writer(2);
    write_statistics(writer, 0, 0, 0, NOW);
    write_frames(writer);
    write_statistics(writer, 0, 7, NOW + 900, NOW + 900);
    assert_ok(ptpmon_capture_writer_close(writer));
    char command[128];
    snprintf(command, sizeof command, "capinfos -M %s 2>&1", path);
    static const char *lines[] = {
        "Number of packets:   10",
        "Capture application: ptpmon ",
        "Number of interfaces in file: 2",
        "Name = enp3s0f1np1.100",
        "Encapsulation = Ethernet (1 - ether)",
        "Time precision = nanoseconds (9)",
        "Comment = ptpmon host=lab-7 boot_id=01234567-89ab-cdef-0123-456789abcdef",
        "Number of stat entries = 2",
        "Number of packets = ",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        if (!output_has(command, lines[i]))
            fail_msg("capinfos does not say: %s", lines[i]);
    }
}

static void libpcap_reads_it(void **state)
{
    (void)state;
    char problem[PCAP_ERRBUF_SIZE];
    struct pcap_pkthdr *header;
    const u_char *bytes;
    make_plain_frames(200);
    write_made(2);
    pcap_t *handle = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, problem);
    assert_non_null(handle);
    assert_int_equal(pcap_datalink(handle), DLT_EN10MB);
    for (size_t i = 0; i < made.count; i++) {
        const ptpmon_frame *frame = &made.frames[i].frame;
        assert_int_equal(pcap_next_ex(handle, &header, &bytes), 1);
        assert_true(header->ts.tv_sec * SECOND + header->ts.tv_usec == frame->time_ns);
        assert_int_equal(header->caplen, frame->captured_length);
        assert_int_equal(header->len, frame->length);
        assert_memory_equal(bytes, frame->bytes, frame->captured_length);
    }
    assert_int_equal(pcap_next_ex(handle, &header, &bytes), PCAP_ERROR_BREAK);
    pcap_close(handle);
}

/* What a tool makes of our file has the same frames, at times of its precision; all but pcapng lose the rest. */
static void assert_same_frames(uint32_t resolution_ns, bool is_pcapng)
{
    ptpmon_frame frame;
    ptpmon_capture *capture = open_capture(other_path);
    for (size_t i = 0; i < made.count; i++) {
        const ptpmon_frame *expected = &made.frames[i].frame;
        assert_ok(ptpmon_capture_next(capture, &frame));
        assert_true(frame.time_ns == expected->time_ns / resolution_ns * resolution_ns);
        assert_int_equal(frame.resolution_ns, resolution_ns);
        assert_int_equal(frame.captured_length, expected->captured_length);
        assert_int_equal(frame.length, expected->length);
        assert_memory_equal(frame.bytes, expected->bytes, frame.captured_length);
        assert_int_equal(frame.direction, is_pcapng ? expected->direction : AVB_DIRECTION_UNKNOWN);
        assert_int_equal(frame.interface, is_pcapng ? made.frames[i].interface : 0);
    }
    assert_int_equal(ptpmon_capture_next(capture, &frame), PTPMON_END);
    if (is_pcapng) {
        ptpmon_capture_interface about;
        assert_int_equal(ptpmon_capture_interface_count(capture), 2);
        assert_ok(ptpmon_capture_interface_get(capture, 0, &about));
        assert_string_equal(about.name, interfaces[0].name);
    }
    ptpmon_capture_close(capture);
}

static void reads_what_tools_make_of_it(void **state)
{
    (void)state;
    make_plain_frames(100);
    write_made(2);
    if (has_tool("tcpdump")) {
        run("tcpdump -r %s -w %s --time-stamp-precision=nano 2>/dev/null", path, other_path);
        assert_same_frames(1, false);
        run("tcpdump -r %s -w %s 2>/dev/null", path, other_path);
        assert_same_frames(1000, false);
    } else {
        print_message("tcpdump is not installed\n");
    }
    if (has_tool("tshark")) {
        run("tshark -r %s -w %s -F pcapng 2>/dev/null", path, other_path);
        assert_same_frames(1, true);
    } else {
        print_message("tshark is not installed\n");
    }
    if (has_tool("editcap")) {
        run("editcap -F nsecpcap %s %s", path, other_path);
        assert_same_frames(1, false);
        run("editcap -F pcap %s %s", path, other_path);
        assert_same_frames(1000, false);
        run("editcap -F pcapng %s %s", path, other_path);
        assert_same_frames(1, true);
    } else {
        print_message("editcap is not installed\n");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_back_what_it_wrote),
        cmocka_unit_test(notes_when_it_ran_and_what_was_lost),
        cmocka_unit_test(delivers_a_prefix_of_cut_files),
        cmocka_unit_test(survives_a_file_that_is_cut_while_it_is_read),
        cmocka_unit_test(delivers_what_is_before_damage),
        cmocka_unit_test(can_be_read_up_to_the_last_flush),
        cmocka_unit_test(leaves_whole_blocks_when_killed),
        cmocka_unit_test(keeps_whole_blocks_on_a_full_disk),
        cmocka_unit_test(refuses_what_it_cannot_write),
        cmocka_unit_test(tshark_reads_it),
        cmocka_unit_test(capinfos_reads_it),
        cmocka_unit_test(libpcap_reads_it),
        cmocka_unit_test(reads_what_tools_make_of_it),
    };
    int file = mkstemp(path);
    if (file < 0) {
        perror(path);
        return 1;
    }
    close(file);
    snprintf(other_path, sizeof other_path, "%s-other", path);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    unlink(other_path);
    return failed;
}
