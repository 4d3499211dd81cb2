/* SPDX-License-Identifier: MIT */
/*
 * What an event costs on Linux: PTP frames are sent over a veth pair at a steady rate, a monitor at
 * the far end reads its records, and the kernel's own accounting says what the eBPF program
 * (BPF_STATS_RUN_TIME) and the reader (getrusage) took.
 *
 *     bench_linux [FRAMES_PER_SECOND [SECONDS [foreign]]]
 *
 * foreign: the frames are TCP over IPv4, which the program passes over.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <ptpmon.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SENDER   "pm-bench-a"
#define RECEIVER "pm-bench-b"
#define TICK_NS  1000000 /* the sender sends what is due once per tick */

static const unsigned char ptp_frame[60] = {
    0x01,        0x1B, 0x19, 0x00, 0x00,        0x00, 0x02, 0x00, 0x00, 0x00,
    0x00,        0x01, 0x88, 0xF7, [14] = 0x00, 0x02, 0x00, 0x2C, /* Sync, version 2, messageLength 44 */
    [34] = 0x02, 0x00, 0x00, 0xFF, 0xFE,        0x00, 0x00, 0x01, 0x00, 0x01,
};
static const unsigned char tcp_frame[60] = {
    0x02, 0x00, 0x00, 0x00, 0x00,        0x02, 0x02, 0x00, 0x00,      0x00,
    0x00, 0x01, 0x08, 0x00, [14] = 0x45, 0x00, 0x00, 0x2E, [22] = 64, 6,
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t thread_cpu_ns(void)
{
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return ((int64_t)usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000 +
           ((int64_t)usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
}

/* The sender's process: `total` frames at `rate` per second, each with its own sequenceId. */
static void send_frames(const unsigned char *template, uint64_t rate, uint64_t total)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int fd = socket(AF_PACKET, SOCK_RAW, 0);
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(SENDER)};
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0)
        _exit(1);
    unsigned char frame[60];
    memcpy(frame, template, sizeof frame);
    int64_t start = now_ns();
    for (uint64_t sent = 0; sent < total;) {
        uint64_t due = (uint64_t)(now_ns() - start) * rate / 1000000000u;
        for (; sent < due && sent < total; sent++) {
            frame[44] = (unsigned char)(sent >> 8);
            frame[45] = (unsigned char)sent;
            if (send(fd, frame, sizeof frame, 0) != sizeof frame)
                _exit(1);
        }
        nanosleep(&(struct timespec){0, TICK_NS}, NULL);
    }
    _exit(0);
}

struct program_cost {
    uint64_t runs, nanoseconds;
};

/* Sums up all loaded programs of this name. */
static struct program_cost cost_of(const char *name)
{
    struct program_cost cost = {0, 0};
    uint32_t id = 0;
    while (bpf_prog_get_next_id(id, &id) == 0) {
        struct bpf_prog_info info = {0};
        uint32_t size = sizeof info;
        int fd = bpf_prog_get_fd_by_id(id);
        if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &size) == 0 && strcmp(info.name, name) == 0) {
            cost.runs += info.run_cnt;
            cost.nanoseconds += info.run_time_ns;
        }
        if (fd >= 0)
            close(fd);
    }
    return cost;
}

static ptpmon_monitor *start_monitor(void)
{
    ptpmon_monitor *monitor;
    if (ptpmon_monitor_open(RECEIVER, NULL, &monitor) != PTPMON_OK || ptpmon_monitor_enable(monitor) != PTPMON_OK) {
        fprintf(stderr, "bench_linux: %s\n", ptpmon_error_message());
        exit(1);
    }
    return monitor;
}

/* Reads records in place until the sender has ended and the ring is empty; returns how many. */
static uint64_t read_records(ptpmon_monitor *monitor, pid_t sender, volatile uint64_t *checksum)
{
    uint64_t records = 0;
    bool sending = true;
    for (;;) {
        ptpmon_batch batch;
        ptpmon_status status = ptpmon_monitor_wait(monitor, 100);
        if (status == PTPMON_NOTHING && !sending)
            return records;
        if (status == PTPMON_NOTHING)
            sending = waitpid(sender, NULL, WNOHANG) == 0;
        if (status != PTPMON_OK)
            continue;
        ptpmon_records_peek(monitor, &batch);
        for (size_t i = 0; i < batch.count; i++)
            *checksum += ptpmon_batch_at(&batch, i)->system_timestamp;
        ptpmon_records_release(monitor, batch.count);
        records += batch.count;
    }
}

int main(int argc, char **argv)
{
    uint64_t rate = argc > 1 ? strtoull(argv[1], NULL, 10) : 50000;
    uint64_t seconds = argc > 2 ? strtoull(argv[2], NULL, 10) : 5;
    bool foreign = argc > 3 && strcmp(argv[3], "foreign") == 0;
    if (rate == 0 || seconds == 0) {
        fprintf(stderr, "usage: bench_linux [FRAMES_PER_SECOND [SECONDS [foreign]]]\n");
        return 2;
    }
    if (unshare(CLONE_NEWNET) != 0 || system("ip link add " SENDER " type veth peer name " RECEIVER
                                             " && ip link set " SENDER " up && ip link set " RECEIVER " up") != 0) {
        fprintf(stderr, "bench_linux: cannot make a network namespace with a veth pair; run as root\n");
        return 1;
    }
    int accounting = bpf_enable_stats(BPF_STATS_RUN_TIME);
    if (accounting < 0)
        fprintf(stderr, "bench_linux: the kernel does not account for eBPF programs; their cost will read 0\n");

    ptpmon_monitor *monitor = start_monitor();
    pid_t sender = fork();
    if (sender == 0)
        send_frames(foreign ? tcp_frame : ptp_frame, rate, rate * seconds);

    volatile uint64_t checksum = 0;
    int64_t wall = now_ns(), cpu = thread_cpu_ns();
    uint64_t records = read_records(monitor, sender, &checksum);
    cpu = thread_cpu_ns() - cpu;
    wall = now_ns() - wall;

    struct program_cost rx = cost_of("rx_frame");
    ptpmon_statistics statistics;
    ptpmon_monitor_disable(monitor);
    ptpmon_monitor_statistics(monitor, &statistics);
    ptpmon_monitor_close(monitor);

    double program_ns = rx.runs ? (double)rx.nanoseconds / (double)rx.runs : 0;
    double reader_ns = records ? (double)cpu / (double)records : 0;
    printf("sent      %llu frames at %llu/s\n", (unsigned long long)(rate * seconds), (unsigned long long)rate);
    printf("records   %llu read, %llu dropped\n", (unsigned long long)records,
           (unsigned long long)statistics.events_dropped);
    printf("program   %.1f ns per frame (%llu runs)\n", program_ns, (unsigned long long)rx.runs);
    printf("reader    %.1f ns of CPU per event, %.3f %% of one CPU\n", reader_ns, 100.0 * (double)cpu / (double)wall);
    printf("together  %.1f ns per event: %.4f %% of one CPU at 1,000 events/s\n", program_ns + reader_ns,
           (program_ns + reader_ns) * 1000 / 1e9 * 100);
    return 0;
}
