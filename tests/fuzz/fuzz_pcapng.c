/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the pcapng reader: any file. What is read must make sense, be the same after a rewind, and
 * be the beginning of it where the file is cut.
 */
#include "capture.h"
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

static void check(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_pcapng: %s\n", what);
    abort();
}

#define WINDOW_BYTES ((size_t)64 * 1024) /* surely less than the reader takes at once */

/* What one pass gave. */
struct pass {
    uint64_t frames, sum, lost;
    ptpmon_status status;
};

static uint64_t mix(uint64_t sum, uint64_t value)
{
    return (sum ^ value) * 0x9E3779B97F4A7C15u;
}

static void take_losses(ptpmon_capture *capture, struct pass *pass)
{
    ptpmon_capture_loss loss;
    while (ptpmon_capture_next_loss(capture, &loss) == PTPMON_OK) {
        check(loss.frames > 0 && loss.from <= loss.to, "a loss of nothing, or one that ends before it begins");
        pass->lost += loss.frames;
    }
}

/* At most `limit` frames. */
static struct pass read_all(ptpmon_capture *capture, uint64_t limit)
{
    struct pass pass = {0};
    ptpmon_frame frame;
    uint64_t number = 0;
    while (pass.frames < limit && (pass.status = ptpmon_capture_next(capture, &frame)) == PTPMON_OK) {
        check(frame.number > number, "numbers do not grow");
        check(frame.captured_length <= frame.length && frame.time_ns >= 0 && frame.resolution_ns >= 1,
              "an impossible frame");
        check(frame.interface < ptpmon_capture_interface_count(capture), "an interface that there is not");
        number = frame.number;
        pass.frames++;
        pass.sum = mix(mix(pass.sum, (uint64_t)frame.time_ns), frame.direction);
        for (uint32_t i = 0; i < frame.captured_length; i++)
            pass.sum = mix(pass.sum, frame.bytes[i]);
        take_losses(capture, &pass);
    }
    take_losses(capture, &pass);
    return pass;
}

static void check_statistics(ptpmon_capture *capture, const struct pass *pass)
{
    ptpmon_capture_statistics statistics;
    check(ptpmon_capture_statistics_get(capture, &statistics) == PTPMON_OK, "no statistics");
    check(statistics.frames == pass->frames && statistics.dropped == pass->lost, "counts that differ");
}

static void check_interfaces(ptpmon_capture *capture)
{
    size_t count = ptpmon_capture_interface_count(capture);
    for (size_t i = 0; i < count; i++) {
        ptpmon_capture_interface about;
        check(ptpmon_capture_interface_get(capture, i, &about) == PTPMON_OK, "an interface that cannot be had");
        check(memchr(about.name, 0, sizeof about.name) && memchr(about.host, 0, sizeof about.host) &&
                  memchr(about.boot_id, 0, sizeof about.boot_id),
              "an endless string");
    }
}

static struct pass check_whole(ptpmon_capture *capture)
{
    struct pass first = read_all(capture, UINT64_MAX);
    check(first.status == PTPMON_END || first.status == PTPMON_BAD_FILE, "a status that a file cannot have");
    check_statistics(capture, &first);
    check_interfaces(capture);
    check(ptpmon_capture_rewind(capture) == PTPMON_OK, "what was opened cannot be rewound");
    struct pass second = read_all(capture, UINT64_MAX);
    check(first.frames == second.frames && first.sum == second.sum && first.lost == second.lost &&
              first.status == second.status,
          "another result after a rewind");
    return first;
}

/* The frames of the file that ends at `cut` are the first of the whole one. */
static void check_cut(ptpmon_capture *whole, int file, const char *path, size_t cut)
{
    ptpmon_capture *capture = NULL;
    check(ftruncate(file, (off_t)cut) == 0, "cannot cut the file");
    if (ptpmon_capture_open_file(path, &capture) != PTPMON_OK)
        return;
    struct pass part = read_all(capture, UINT64_MAX);
    ptpmon_capture_close(capture);
    struct pass same = read_all(whole, part.frames);
    check(same.frames == part.frames && same.sum == part.sum, "a cut file has other frames");
}

static void check_file(int file, const char *path, size_t size)
{
    ptpmon_capture *capture = NULL;
    if (ptpmon_capture_open_file(path, &capture) != PTPMON_OK)
        return;
    struct pass whole = check_whole(capture);
    check(ptpmon_capture_rewind(capture) == PTPMON_OK, "what was read cannot be rewound");
    /* The whole file is in the window by now, and stays there. */
    check_cut(capture, file, path, (size_t)(whole.sum % (size + 1)));
    ptpmon_capture_close(capture);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    static const uint8_t pcapng[4] = {0x0A, 0x0D, 0x0D, 0x0A};
    char path[32];
    if (size < sizeof pcapng || size > WINDOW_BYTES || memcmp(input, pcapng, sizeof pcapng) != 0)
        return 0; /* libpcap's matter, or too large to be held by the window */
    int file = memfd_create("fuzz_pcapng", MFD_CLOEXEC);
    check(file >= 0 && write(file, input, size) == (ssize_t)size, "cannot make the file");
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    check_file(file, path, size);
    close(file);
    return 0;
}
