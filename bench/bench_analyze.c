/* SPDX-License-Identifier: MIT */
/*
 * What `ptpmon analyze` costs, against what libpcap alone takes to read the same capture.
 *
 *     bench_analyze [FRAMES [ROUNDS [SETTING=VALUE...]]]
 *
 * Simulates a recording of about that many frames at a client (settings: `ptpmon simulate --help`) in a temporary
 * directory and reads it in several ways, by turns:
 *
 *     libpcap             pcap_next_ex() until the end, nothing else
 *     capture             ptpmon analyze CAPTURE
 *     capture, events     ptpmon analyze CAPTURE EVENTS
 *     exchanges           ptpmon analyze --exchanges CAPTURE EVENTS, its output thrown away
 *     tshark              tshark with its PTP analysis, of a capture of TSHARK_FRAMES at most
 *
 * Each is a whole process, and what is given is all that the kernel accounted to it: processor time in user and kernel
 * mode per frame, medians over the rounds, and the most memory that it held. The program stands beside this one.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pcap/pcap.h>
#include <ptpmon_simulator.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define TSHARK_FRAMES 100000
#define ROUNDS_MAX    100
#define TRIAL_SECONDS 100

static char directory[] = "/tmp/bench_analyze-XXXXXX";

/* One recording of the client. */
struct recording {
    char base[PATH_MAX], capture[PATH_MAX + 16], events[PATH_MAX + 16], truth[PATH_MAX + 16];
    uint64_t frames;
};

static struct recording whole, part, trial;

static void die(const char *what)
{
    fprintf(stderr, "bench_analyze: %s\n", what);
    exit(1);
}

static void check(ptpmon_status status)
{
    if (status != PTPMON_OK)
        die(ptpmon_error_message());
}

/* ---- The files ---------------------------------------------------------------------------- */

static void name_files(struct recording *recording, const char *name)
{
    snprintf(recording->base, sizeof recording->base, "%s/%s", directory, name);
    snprintf(recording->capture, sizeof recording->capture, "%s.client.pcapng", recording->base);
    snprintf(recording->events, sizeof recording->events, "%s.client.events", recording->base);
    snprintf(recording->truth, sizeof recording->truth, "%s.truth.jsonl", recording->base);
}

static void remove_recording(const struct recording *recording)
{
    unlink(recording->capture);
    unlink(recording->events);
    unlink(recording->truth);
}

static void remove_files(void)
{
    remove_recording(&whole);
    remove_recording(&part);
    remove_recording(&trial);
    rmdir(directory);
}

static void set(ptpmon_simulation *simulation, const char *text)
{
    char name[64];
    size_t length = strcspn(text, "=");
    if (text[length] == 0 || length >= sizeof name)
        die("a setting is NAME=VALUE");
    memcpy(name, text, length);
    name[length] = 0;
    check(ptpmon_simulation_set(simulation, name, text + length + 1));
}

static void simulate(struct recording *recording, uint64_t seconds, char **settings)
{
    static const char *const usual[] = {"profile=gptp", "observe=client",     "truth=none", "sync-interval=-6",
                                        "bridges=1",    "pdelay-interval=-4", "drift=12.5", "seed=1"};
    char duration[32];
    ptpmon_simulation *simulation;
    ptpmon_simulation_result result;
    check(ptpmon_simulation_open(&simulation));
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        set(simulation, usual[i]);
    for (; *settings; settings++)
        set(simulation, *settings);
    snprintf(duration, sizeof duration, "duration=%" PRIu64 "s", seconds);
    set(simulation, duration);
    check(ptpmon_simulation_run(simulation, recording->base, NULL, NULL, &result));
    recording->frames = result.frames;
    ptpmon_simulation_close(simulation);
}

/* How long it takes until so many frames have passed is found out by trial. */
static void make_files(uint64_t frames, char **settings)
{
    name_files(&trial, "trial");
    name_files(&whole, "whole");
    name_files(&part, "part");
    simulate(&trial, TRIAL_SECONDS, settings);
    if (trial.frames == 0)
        die("these settings give no frames at the client");
    double per_second = (double)trial.frames / TRIAL_SECONDS;
    simulate(&whole, (uint64_t)((double)frames / per_second) + 1, settings);
    simulate(&part, (uint64_t)((double)(frames < TSHARK_FRAMES ? frames : TSHARK_FRAMES) / per_second) + 1, settings);
}

/* ---- The ways ----------------------------------------------------------------------------- */

static char program[PATH_MAX + 16];

static int read_with_libpcap(const char *path)
{
    char problem[PCAP_ERRBUF_SIZE];
    struct pcap_pkthdr *header;
    const u_char *bytes;
    uint64_t frames = 0;
    pcap_t *handle = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, problem);
    if (!handle)
        return 1;
    while (pcap_next_ex(handle, &header, &bytes) == 1)
        frames++;
    pcap_close(handle);
    return frames != whole.frames;
}

struct way {
    const char *name;
    const char *arguments[12]; /* none: libpcap, in this program */
    const struct recording *of;
};

static const struct way ways[] = {
    {"libpcap", {NULL}, &whole},
    {"capture", {program, "analyze", "--json", whole.capture}, &whole},
    {"capture, events", {program, "analyze", "--json", whole.capture, whole.events}, &whole},
    {"exchanges", {program, "analyze", "--exchanges", whole.capture, whole.events}, &whole},
    {"tshark",
     {"tshark", "-n", "-2", "-o", "ptp.analyze_ptp_messages:TRUE", "-r", part.capture, "-T", "fields", "-e",
      "ptp.v2.analysis.pdelay.meanpropdelay_unscaled"},
     &part},
};
enum { WAYS = sizeof ways / sizeof *ways };

/* ---- Measuring ---------------------------------------------------------------------------- */

struct measurement {
    double cpu_ns; /* per frame */
    long peak_kb;
};

static void run_here(const struct way *way)
{
    if (!way->arguments[0])
        _exit(read_with_libpcap(way->of->capture));
    int nowhere = open("/dev/null", O_RDWR);
    if (nowhere < 0 || dup2(nowhere, STDIN_FILENO) < 0 || dup2(nowhere, STDOUT_FILENO) < 0)
        _exit(1);
    if (strcmp(way->name, "tshark") == 0) /* tells whom it runs as */
        dup2(nowhere, STDERR_FILENO);
    execvp(way->arguments[0], (char *const *)way->arguments);
    _exit(127);
}

static double nanoseconds(struct timeval time)
{
    return (double)time.tv_sec * 1e9 + (double)time.tv_usec * 1e3;
}

static bool measure(const struct way *way, struct measurement *taken)
{
    struct rusage usage;
    int status;
    pid_t child = fork();
    if (child < 0)
        die("cannot fork");
    if (child == 0)
        run_here(way);
    if (wait4(child, &status, 0, &usage) != child)
        die("no child to wait for");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        return false;
    if (status != 0)
        die(way->name);
    *taken = (struct measurement){(nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime)) / (double)way->of->frames,
                                  usage.ru_maxrss};
    return true;
}

static int by_cpu_time(const void *left, const void *right)
{
    const struct measurement *a = left, *b = right;
    return (a->cpu_ns > b->cpu_ns) - (a->cpu_ns < b->cpu_ns);
}

static void compare(size_t rounds)
{
    static struct measurement taken[WAYS][ROUNDS_MAX];
    bool there[WAYS];
    for (size_t round = 0; round < rounds; round++) {
        for (size_t i = 0; i < WAYS; i++)
            there[i] = measure(&ways[i], &taken[i][round]);
    }
    printf("%-16s %10s %8s %12s\n", "", "ns/frame", "ratio", "memory KiB");
    for (size_t i = 0; i < WAYS; i++) {
        if (!there[i]) {
            printf("%-16s not installed\n", ways[i].name);
            continue;
        }
        qsort(taken[i], rounds, sizeof taken[i][0], by_cpu_time);
        struct measurement middle = taken[i][rounds / 2];
        printf("%-16s %10.1f %8.2f %12ld\n", ways[i].name, middle.cpu_ns, middle.cpu_ns / taken[0][rounds / 2].cpu_ns,
               middle.peak_kb);
    }
}

static void find_program(const char *self)
{
    const char *slash = strrchr(self, '/');
    snprintf(program, sizeof program, "%.*sptpmon", slash ? (int)(slash + 1 - self) : 0, self);
    if (access(program, X_OK) != 0)
        die("ptpmon does not stand beside this program");
}

int main(int argc, char **argv)
{
    uint64_t frames = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    size_t rounds = argc > 2 ? strtoull(argv[2], NULL, 10) : 5;
    if (frames == 0 || rounds == 0 || rounds > ROUNDS_MAX)
        die("usage: bench_analyze [FRAMES [ROUNDS [SETTING=VALUE...]]], at most 100 rounds");
    find_program(argv[0]);
    if (!mkdtemp(directory))
        die("cannot make a directory in /tmp");
    atexit(remove_files);
    make_files(frames, argc > 3 ? argv + 3 : argv + argc);
    printf("%" PRIu64 " frames, tshark %" PRIu64 "; medians of %zu rounds\n", whole.frames, part.frames, rounds);
    fflush(stdout);
    compare(rounds);
    return 0;
}
