/* SPDX-License-Identifier: MIT */
/* Classic pcap files as libpcap reads them: every change of a good file gives the same frames, or is refused by both.
 */
#include <ptpmon.h>

#include "capture_file.h"
#include "random.h"

#include <pcap/pcap.h>
#include <stdlib.h>
#include <unistd.h>

#define KINDS  3 /* of magic numbers: us, ns, us with more in each frame's header */
#define FRAMES 6

static char path[64];

static void put_header(struct file *file, int kind, unsigned minor, uint32_t snapshot)
{
    static const uint32_t magics[KINDS] = {0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34};
    put_number(file, magics[kind], 4);
    put_number(file, 2, 2);
    put_number(file, minor, 2);
    put_number(file, 0, 8);
    put_number(file, snapshot, 4);
    put_number(file, LINKTYPE_ETHERNET, 4);
}

static void put_frame(struct file *file, int kind, unsigned minor, uint32_t captured, uint32_t length, uint8_t fill)
{
    put_number(file, 1795359000u + fill, 4);
    put_number(file, 123456u + fill, 4);
    put_number(file, minor < 3 ? length : captured, 4);
    put_number(file, minor < 3 ? captured : length, 4);
    if (kind == 2)
        put_number(file, 0, 8);
    for (uint32_t i = 0; i < captured; i++)
        put_number(file, fill, 1);
}

static void make(struct file *file, bool big_endian, int kind, unsigned minor, uint32_t snapshot)
{
    *file = (struct file){.big_endian = big_endian};
    put_header(file, kind, minor, snapshot);
    for (uint8_t i = 0; i < FRAMES; i++)
        put_frame(file, kind, minor, 60u + 10u * i, 60u + 20u * i, i);
}

/* What one reader made of the file. */
struct reading {
    bool opened, ended; /* ended: without an error */
    size_t frames;
    struct {
        int64_t time_ns;
        uint32_t captured, length;
        uint8_t first, last;
    } frame[64];
};

static void note(struct reading *reading, int64_t time_ns, uint32_t captured, uint32_t length, const uint8_t *bytes)
{
    assert_true(reading->frames < 64);
    reading->frame[reading->frames].time_ns = time_ns;
    reading->frame[reading->frames].captured = captured;
    reading->frame[reading->frames].length = length;
    reading->frame[reading->frames].first = captured > 0 ? bytes[0] : 0;
    reading->frame[reading->frames++].last = captured > 0 ? bytes[captured - 1] : 0;
}

static void read_ours(struct reading *reading)
{
    ptpmon_capture *capture;
    ptpmon_frame frame;
    ptpmon_status status = ptpmon_capture_open_file(path, &capture);
    reading->opened = status == PTPMON_OK;
    if (!reading->opened) {
        assert_int_equal(status, PTPMON_BAD_FILE);
        return;
    }
    while ((status = ptpmon_capture_next(capture, &frame)) == PTPMON_OK)
        note(reading, frame.time_ns, frame.captured_length, frame.length, frame.bytes);
    assert_true(status == PTPMON_END || status == PTPMON_BAD_FILE);
    reading->ended = status == PTPMON_END;
    ptpmon_capture_close(capture);
}

/* What libpcap lets through though it cannot be, such as a fraction of a second above one, ends our reading. */
static bool is_possible(const struct pcap_pkthdr *header)
{
    return header->ts.tv_usec >= 0 && header->ts.tv_usec < 1000000000 && header->caplen <= header->len;
}

/* libpcap takes seconds after 2038 for negative ones in files of the host's own byte order. */
static int64_t time_of(const struct pcap_pkthdr *header)
{
    return (int64_t)(uint32_t)header->ts.tv_sec * 1000000000 + header->ts.tv_usec;
}

static void read_theirs(struct reading *reading)
{
    char problem[PCAP_ERRBUF_SIZE];
    struct pcap_pkthdr *header;
    const u_char *bytes;
    pcap_t *handle = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, problem);
    reading->opened = handle != NULL && pcap_datalink(handle) == DLT_EN10MB;
    int result = PCAP_ERROR;
    while (reading->opened && (result = pcap_next_ex(handle, &header, &bytes)) == 1 && is_possible(header))
        note(reading, time_of(header), header->caplen, header->len, bytes);
    /* A file that ends within a frame has ended. */
    reading->ended =
        reading->opened && (result == PCAP_ERROR_BREAK || (result == PCAP_ERROR && feof(pcap_file(handle))));
    if (handle != NULL)
        pcap_close(handle);
}

/* Returns how many frames there were. */
static size_t assert_alike(const struct file *file, size_t length)
{
    struct reading ours = {0}, theirs = {0};
    write_file(path, file, length);
    read_ours(&ours);
    read_theirs(&theirs);
    assert_memory_equal(&ours, &theirs, sizeof ours);
    return ours.frames;
}

static void good_files(void **state)
{
    (void)state;
    static const uint32_t snapshots[] = {0, 65535, 262144, 70, UINT32_MAX};
    struct file file;
    for (int kind = 0; kind < 2 * KINDS; kind++) {
        for (unsigned minor = 0; minor < 5; minor++) {
            for (size_t i = 0; i < sizeof snapshots / sizeof *snapshots; i++) {
                make(&file, kind >= KINDS, kind % KINDS, minor, snapshots[i]);
                assert_int_equal(assert_alike(&file, file.length), FRAMES);
            }
        }
    }
}

static void cut_files(void **state)
{
    (void)state;
    struct file file;
    for (int kind = 0; kind < KINDS; kind++) {
        make(&file, kind == 1, kind, 4, 65535);
        for (size_t length = 4; length < file.length; length++)
            assert_alike(&file, length);
    }
}

static void damaged_files(void **state)
{
    (void)state;
    static const uint8_t wrong[] = {0x00, 0x01, 0x7F, 0x80, 0xFF};
    for (int kind = 0; kind < 2 * KINDS; kind++) {
        struct file good;
        make(&good, kind >= KINDS, kind % KINDS, 2 + (unsigned)kind % 3, 80);
        for (size_t at = 4; at < 24 + 24 + 70 + 24; at++) {
            for (size_t w = 0; w < sizeof wrong; w++) {
                struct file file = good;
                file.bytes[at] = wrong[w];
                assert_alike(&file, file.length);
            }
        }
    }
}

static void randomly_damaged_files(void **state)
{
    (void)state;
    struct random random = {7};
    size_t frames = 0;
    for (int i = 0; i < 20000; i++) {
        struct file file;
        make(&file, random_chance(&random, 50), (int)random_below(&random, KINDS), (unsigned)random_below(&random, 5),
             random_chance(&random, 50) ? 65535 : 75);
        for (uint64_t changes = 1 + random_below(&random, 3); changes > 0; changes--)
            file.bytes[4 + random_below(&random, file.length - 4)] = (uint8_t)random_next(&random);
        frames +=
            assert_alike(&file, random_chance(&random, 20) ? 4 + random_below(&random, file.length - 4) : file.length);
    }
    assert_true(frames > 20000); /* else nothing was compared */
}

static int remove_file(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

int main(void)
{
    snprintf(path, sizeof path, "/tmp/test_capture_pcap-%d.pcap", (int)getpid());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_files),
        cmocka_unit_test(cut_files),
        cmocka_unit_test(damaged_files),
        cmocka_unit_test(randomly_damaged_files),
    };
    return cmocka_run_group_tests(tests, NULL, remove_file);
}
