/* SPDX-License-Identifier: MIT */
/*
 * What replaying a recording costs, against what libpcap alone takes to read the same capture.
 *
 *     bench_correlate [MESSAGES [ROUNDS [WAY]]]
 *
 * Writes the messages of a node with several ports and domains, as a capture and as a recording of
 * events, into a temporary directory, and reads them in several ways, by turns:
 *
 *     libpcap      pcap_next_ex() until the end, nothing else
 *     capture      ptpmon_capture_next() until the end, nothing else
 *     events       the events door of the recording, nothing else
 *     correlator   both files through the correlator, every result fetched
 *     observer     both files through the observer, every observation fetched
 *
 * Each reading is a process of its own, so that its memory can be told. WAY: only this one, for a
 * profiler. The times are medians over the rounds, of processor time, and so free of what else the
 * machine does.
 */
#include <inttypes.h>
#include <pcap/pcap.h>
#include <ptpmon.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_SECOND UINT64_C(1000000000)
#define REALTIME      (UINT64_C(1800000000) * NS_PER_SECOND) /* capture time minus event time */
#define START         (100 * NS_PER_SECOND)
#define SPACING_NS    1000000 /* 1,000 messages a second */

#define PORTS   4
#define DOMAINS 2
#define KINDS   6

static char directory[] = "/tmp/bench_correlate-XXXXXX";
static char capture_path[sizeof directory + 16], events_path[sizeof directory + 16];
static uint64_t message_count = 1000000;

static void die(const char *what)
{
    fprintf(stderr, "bench_correlate: %s\n", what);
    exit(1);
}

static void check(ptpmon_status status)
{
    if (status != PTPMON_OK)
        die(ptpmon_error_message());
}

/* ---- The files ---------------------------------------------------------------------------- */

struct kind {
    uint8_t direction, messageType;
    uint16_t messageLength;
    bool stamped; /* sent: a late stamp follows */
};

static const struct kind kinds[KINDS] = {
    {AVB_DIRECTION_RX, AVB_PTP_SYNC, 44, false},       {AVB_DIRECTION_RX, AVB_PTP_FOLLOW_UP, 76, false},
    {AVB_DIRECTION_TX, AVB_PTP_FOLLOW_UP, 76, false},  {AVB_DIRECTION_RX, AVB_PTP_PDELAY_RESP, 54, false},
    {AVB_DIRECTION_TX, AVB_PTP_PDELAY_REQ, 54, false}, {AVB_DIRECTION_TX, AVB_PTP_SYNC, 44, true},
};

struct message {
    const struct kind *kind;
    uint64_t event_time, capture_time;
    uint8_t domainNumber, port;
    uint16_t sequenceId;
};

static struct message message_at(uint64_t number)
{
    uint64_t stream = number % (PORTS * DOMAINS * KINDS);
    uint64_t jitter = number * UINT64_C(0x9E3779B97F4A7C15) >> 47; /* below 131 us */
    const struct kind *kind = &kinds[stream % KINDS];
    uint64_t event_time = START + number * SPACING_NS + jitter;
    return (struct message){
        .kind = kind,
        .event_time = event_time,
        .capture_time = REALTIME + event_time + (kind->direction == AVB_DIRECTION_RX ? 0 : 31234) - 4321,
        .domainNumber = (uint8_t)(stream / KINDS % DOMAINS),
        .port = (uint8_t)(stream / KINDS / DOMAINS),
        .sequenceId = (uint16_t)(number / (PORTS * DOMAINS * KINDS)),
    };
}

static PTP_TIMESTAMP_EVENT event_of(const struct message *message)
{
    bool received = message->kind->direction == AVB_DIRECTION_RX;
    return (PTP_TIMESTAMP_EVENT){
        .system_timestamp = message->event_time,
        .direction = message->kind->direction,
        .messageType = message->kind->messageType,
        .sequenceId = message->sequenceId,
        .domainNumber = message->domainNumber,
        .sourceMac = {2, 0, 0, 0, received, message->port},
        .stamp = message->kind->stamped ? AVB_STAMP_EXPECTED : AVB_STAMP_NONE,
        .queueId = AVB_QUEUE_UNKNOWN,
        .clockIdentity = {2, 0, 0, 0xFF, 0xFE, 0, received, message->port},
        .portNumber = 1,
        .version = 2,
        .software_timestamp = received ? message->capture_time : 0,
    };
}

static void write_record(FILE *file, const void *record)
{
    if (fwrite(record, sizeof(PTP_TIMESTAMP_EVENT), 1, file) != 1)
        die("cannot write the recording");
}

static void write_clocks(FILE *file, uint64_t time)
{
    PTP_CLOCKS_RECORD clocks = {
        .system_timestamp = time,
        .direction = AVB_DIRECTION_CLOCKS,
        .realtime_ns = REALTIME + time,
    };
    write_record(file, &clocks);
}

static void write_late_stamp(FILE *file, const struct message *message)
{
    PTP_TIMESTAMP_EVENT late = event_of(message);
    late.system_timestamp += 60000;
    late.hw_timestamp_ns = late.system_timestamp;
    late.stamp = AVB_STAMP_LATE | AVB_STAMP_METADATA;
    write_record(file, &late);
}

static void write_events(void)
{
    PTP_RECORDING_HEADER header = {
        .byte_order = AVB_RECORDING_BYTE_ORDER,
        .format_version = AVB_RECORDING_FORMAT_VERSION,
        .abi_version = AVB_PTP_EVENT_ABI_VERSION,
        .header_bytes = sizeof header,
        .record_bytes = sizeof(PTP_TIMESTAMP_EVENT),
        .system_clock_hz = NS_PER_SECOND,
        .system_clock = AVB_CLOCK_MONOTONIC,
        .software_clock = AVB_CLOCK_REALTIME,
        .phc_index = -1,
    };
    memcpy(header.magic, AVB_RECORDING_MAGIC, sizeof header.magic);
    FILE *file = fopen(events_path, "wb");
    if (!file || fwrite(&header, sizeof header, 1, file) != 1)
        die("cannot write the recording");
    uint64_t clocks_at = START - 1000;
    for (uint64_t i = 0; i < message_count; i++) {
        struct message message = message_at(i);
        PTP_TIMESTAMP_EVENT event = event_of(&message);
        for (; clocks_at < message.event_time; clocks_at += NS_PER_SECOND)
            write_clocks(file, clocks_at);
        write_record(file, &event);
        if (message.kind->stamped)
            write_late_stamp(file, &message);
    }
    write_clocks(file, START + message_count * SPACING_NS + NS_PER_SECOND / 10);
    if (fclose(file) != 0)
        die("cannot write the recording");
}

static uint8_t *put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
    return at + 2;
}

/* UDP over IPv4 for one half of the ports, Ethernet for the other. Returns the frame's length. */
static uint32_t put_frame(const struct message *message, uint8_t bytes[128])
{
    PTP_TIMESTAMP_EVENT event = event_of(message);
    uint8_t *ptp = bytes + 14;
    memset(bytes, 0, 128);
    memcpy(bytes, (uint8_t[]){0x01, 0x1B, 0x19}, 3);
    memcpy(bytes + 6, event.sourceMac, sizeof event.sourceMac);
    put16(bytes + 12, message->port % 2 ? 0x0800 : 0x88F7);
    if (message->port % 2) {
        ptp[0] = 0x45;
        put16(ptp + 2, 28u + message->kind->messageLength);
        ptp[9] = 17;
        put16(ptp + 22, message->kind->messageType < 8 ? 319 : 320);
        put16(ptp + 24, 8u + message->kind->messageLength);
        ptp += 28;
    }
    ptp[0] = event.messageType;
    ptp[1] = event.version;
    put16(ptp + 2, message->kind->messageLength);
    ptp[4] = event.domainNumber;
    memcpy(ptp + 20, event.clockIdentity, sizeof event.clockIdentity);
    put16(ptp + 28, event.portNumber);
    put16(ptp + 30, event.sequenceId);
    return (uint32_t)(ptp - bytes) + message->kind->messageLength;
}

static void write_capture(void)
{
    ptpmon_capture_interface interface = {.name = "bench0"};
    ptpmon_capture_statistics statistics = {.started_at = (int64_t)(REALTIME + START - 1000)};
    ptpmon_capture_writer *writer;
    check(ptpmon_capture_writer_open(capture_path, &interface, 1, &writer));
    check(ptpmon_capture_writer_statistics(writer, 0, &statistics, statistics.started_at));
    for (uint64_t i = 0; i < message_count; i++) {
        struct message message = message_at(i);
        uint8_t bytes[128];
        uint32_t length = put_frame(&message, bytes);
        ptpmon_frame frame = {
            .time_ns = (int64_t)message.capture_time,
            .bytes = bytes,
            .captured_length = length,
            .length = length,
            .direction = message.kind->direction,
        };
        check(ptpmon_capture_writer_frame(writer, 0, &frame));
    }
    check(ptpmon_capture_writer_close(writer));
}

/* ---- The ways ----------------------------------------------------------------------------- */

static uint64_t anonymous_kb; /* RssAnon before a way frees what it holds */

static uint64_t memory_kb(const char *name)
{
    char line[256];
    uint64_t kb = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status)) {
        if (strncmp(line, name, strlen(name)) == 0)
            kb = strtoull(line + strlen(name) + 1, NULL, 10);
    }
    if (status)
        fclose(status);
    return kb;
}

#define EVENTS_AT_ONCE 256
#define LAG_NS         (2 * NS_PER_SECOND) /* what a replay promises, behind what it has fed */

static uint64_t read_with_libpcap(void)
{
    char problem[PCAP_ERRBUF_SIZE];
    struct pcap_pkthdr *header;
    const u_char *bytes;
    uint64_t frames = 0;
    pcap_t *handle = pcap_open_offline_with_tstamp_precision(capture_path, PCAP_TSTAMP_PRECISION_NANO, problem);
    if (!handle)
        die(problem);
    while (pcap_next_ex(handle, &header, &bytes) == 1)
        frames += bytes[0] == 0x01;
    anonymous_kb = memory_kb("RssAnon");
    pcap_close(handle);
    return frames;
}

static ptpmon_monitor *open_events(void)
{
    ptpmon_monitor *monitor;
    check(ptpmon_monitor_open_recording(events_path, &monitor));
    check(ptpmon_monitor_enable(monitor));
    return monitor;
}

/* False: that was all. */
static bool read_events(ptpmon_monitor *monitor, PTP_TIMESTAMP_EVENT events[EVENTS_AT_ONCE], size_t *count)
{
    ptpmon_status status = ptpmon_events_read(monitor, events, EVENTS_AT_ONCE, count);
    if (status != PTPMON_END)
        check(status);
    return status == PTPMON_OK;
}

static uint64_t read_events_alone(void)
{
    PTP_TIMESTAMP_EVENT events[EVENTS_AT_ONCE];
    ptpmon_monitor *monitor = open_events();
    uint64_t messages = 0;
    size_t count;
    while (read_events(monitor, events, &count)) {
        for (size_t i = 0; i < count; i++)
            messages += events[i].direction <= AVB_DIRECTION_TX;
    }
    anonymous_kb = memory_kb("RssAnon");
    ptpmon_monitor_close(monitor);
    return messages;
}

static uint64_t fetch(ptpmon_correlator *correlator)
{
    ptpmon_result result;
    uint64_t matched = 0;
    while (ptpmon_correlator_next(correlator, &result) == PTPMON_OK)
        matched += result.outcome == PTPMON_MATCHED;
    return matched;
}

/* Feeds the frames of before `until`, capture time; `frame` holds the next one, if there is one. */
static void feed_frames(ptpmon_correlator *correlator, ptpmon_capture *capture, ptpmon_frame *frame, bool *more,
                        uint64_t until)
{
    while (*more && (uint64_t)frame->time_ns < until) {
        check(ptpmon_correlator_frame(correlator, frame));
        *more = ptpmon_capture_next(capture, frame) == PTPMON_OK;
    }
}

static uint64_t read_with_correlator(void)
{
    PTP_TIMESTAMP_EVENT events[EVENTS_AT_ONCE];
    ptpmon_monitor *monitor = open_events();
    ptpmon_capture *capture;
    ptpmon_correlator *correlator;
    ptpmon_frame frame;
    uint64_t matched = 0;
    size_t count;
    check(ptpmon_capture_open_file(capture_path, &capture));
    check(ptpmon_correlator_open(NULL, &correlator));
    bool more = ptpmon_capture_next(capture, &frame) == PTPMON_OK;
    while (read_events(monitor, events, &count)) {
        for (size_t i = 0; i < count; i++)
            check(ptpmon_correlator_event(correlator, &events[i]));
        uint64_t last = count > 0 ? events[count - 1].system_timestamp : 0;
        feed_frames(correlator, capture, &frame, &more, REALTIME + last);
        if (last > LAG_NS)
            check(ptpmon_correlator_advance(correlator, last - LAG_NS));
        matched += fetch(correlator);
    }
    feed_frames(correlator, capture, &frame, &more, UINT64_MAX);
    check(ptpmon_correlator_finish(correlator));
    matched += fetch(correlator);
    anonymous_kb = memory_kb("RssAnon");
    ptpmon_correlator_close(correlator);
    ptpmon_capture_close(capture);
    ptpmon_monitor_close(monitor);
    return matched;
}

static uint64_t read_with_observer(void)
{
    ptpmon_monitor *monitor = open_events();
    ptpmon_capture *capture;
    ptpmon_observer *observer;
    ptpmon_observation observation;
    uint64_t matched = 0;
    ptpmon_status status;
    check(ptpmon_capture_open_file(capture_path, &capture));
    check(ptpmon_observer_open(monitor, capture, NULL, &observer));
    while ((status = ptpmon_observer_next(observer, 0, &observation)) != PTPMON_END) {
        check(status);
        matched += observation.kind == PTPMON_OBSERVED_MESSAGE && observation.result.outcome == PTPMON_MATCHED;
    }
    anonymous_kb = memory_kb("RssAnon");
    ptpmon_observer_close(observer);
    ptpmon_capture_close(capture);
    ptpmon_monitor_close(monitor);
    return matched;
}

static uint64_t read_capture_alone(void)
{
    ptpmon_capture *capture;
    ptpmon_frame frame;
    uint64_t frames = 0;
    check(ptpmon_capture_open_file(capture_path, &capture));
    while (ptpmon_capture_next(capture, &frame) == PTPMON_OK)
        frames += frame.bytes[0] == 0x01;
    anonymous_kb = memory_kb("RssAnon");
    ptpmon_capture_close(capture);
    return frames;
}

struct way {
    const char *name;
    uint64_t (*run)(void); /* returns how many messages it has read whole */
};

static const struct way ways[] = {
    {"libpcap", read_with_libpcap},       {"capture", read_capture_alone},  {"events", read_events_alone},
    {"correlator", read_with_correlator}, {"observer", read_with_observer},
};
enum { WAYS = sizeof ways / sizeof *ways };

/* ---- Measuring ---------------------------------------------------------------------------- */

struct measurement {
    uint64_t cpu_ns, wall_ns;
    uint64_t peak_kb, anonymous_kb; /* VmHWM; RssAnon */
};

static uint64_t now(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * NS_PER_SECOND + (uint64_t)time.tv_nsec;
}

static void measure_here(const struct way *way, int result)
{
    struct measurement taken = {.cpu_ns = now(CLOCK_PROCESS_CPUTIME_ID), .wall_ns = now(CLOCK_MONOTONIC)};
    uint64_t messages = way->run();
    taken.cpu_ns = now(CLOCK_PROCESS_CPUTIME_ID) - taken.cpu_ns;
    taken.wall_ns = now(CLOCK_MONOTONIC) - taken.wall_ns;
    taken.peak_kb = memory_kb("VmHWM");
    taken.anonymous_kb = anonymous_kb;
    if (messages != message_count)
        fprintf(stderr, "bench_correlate: %s: only %" PRIu64 " of %" PRIu64 " messages\n", way->name, messages,
                message_count);
    if (write(result, &taken, sizeof taken) != sizeof taken)
        _exit(1);
    _exit(messages != message_count);
}

static struct measurement measure(const struct way *way)
{
    struct measurement taken;
    int ends[2], status;
    if (pipe(ends) != 0)
        die("no pipe");
    pid_t child = fork();
    if (child < 0)
        die("cannot fork");
    if (child == 0)
        measure_here(way, ends[1]);
    close(ends[1]);
    ssize_t got = read(ends[0], &taken, sizeof taken);
    close(ends[0]);
    if (waitpid(child, &status, 0) != child || status != 0 || got != sizeof taken)
        die("a reading failed");
    return taken;
}

static int by_cpu_time(const void *left, const void *right)
{
    const struct measurement *a = left, *b = right;
    return (a->cpu_ns > b->cpu_ns) - (a->cpu_ns < b->cpu_ns);
}

static struct measurement median(struct measurement *taken, size_t count)
{
    qsort(taken, count, sizeof *taken, by_cpu_time);
    return taken[count / 2];
}

enum { ROUNDS_MAX = 100 };

static void compare(const char *only, size_t rounds)
{
    static struct measurement taken[WAYS][ROUNDS_MAX];
    double reference = 0;
    for (size_t round = 0; round < rounds; round++) {
        for (size_t i = 0; i < WAYS; i++) {
            if (!only || strcmp(only, ways[i].name) == 0)
                taken[i][round] = measure(&ways[i]);
        }
    }
    printf("%-12s %10s %10s %8s %12s %12s\n", "", "ns/frame", "wall", "ratio", "VmHWM KiB", "RssAnon KiB");
    for (size_t i = 0; i < WAYS; i++) {
        struct measurement middle = median(taken[i], rounds);
        double cpu = (double)middle.cpu_ns / (double)message_count;
        if (middle.cpu_ns == 0)
            continue;
        if (i == 0)
            reference = cpu;
        printf("%-12s %10.1f %10.1f %8.2f %12" PRIu64 " %12" PRIu64 "\n", ways[i].name, cpu,
               (double)middle.wall_ns / (double)message_count, reference > 0 ? cpu / reference : 0, middle.peak_kb,
               middle.anonymous_kb);
    }
}

static void remove_files(void)
{
    unlink(capture_path);
    unlink(events_path);
    rmdir(directory);
}

int main(int argc, char **argv)
{
    size_t rounds = argc > 2 ? strtoull(argv[2], NULL, 10) : 7;
    if (argc > 1)
        message_count = strtoull(argv[1], NULL, 10);
    if (message_count == 0 || rounds == 0 || rounds > ROUNDS_MAX)
        die("usage: bench_correlate [MESSAGES [ROUNDS [WAY]]], at most 100 rounds");
    if (!mkdtemp(directory))
        die("cannot make a directory in /tmp");
    snprintf(capture_path, sizeof capture_path, "%s/node.pcapng", directory);
    snprintf(events_path, sizeof events_path, "%s/node.events", directory);
    atexit(remove_files);
    write_events();
    write_capture();
    printf("%" PRIu64 " messages, medians of %zu rounds\n", message_count, rounds);
    fflush(stdout); /* before there are children that have it buffered, too */
    compare(argc > 3 ? argv[3] : NULL, rounds);
    return 0;
}
