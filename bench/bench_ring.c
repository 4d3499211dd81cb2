/* SPDX-License-Identifier: MIT */
/*
 * What the shared ring costs, against what it could cost at best and against others, in one run:
 *
 *     bench_ring [ROUNDS]
 *
 * All ways are measured by turns, ROUNDS times (default 41), and the medians compared. Absolute times
 * change from machine to machine and from minute to minute; the ratios say something.
 *
 * Others: ck_ring with many producers, where libck-dev was there at configuration; the kernel's BPF ring
 * buffer, where the program may load one.
 */
#include <avb/avb_ring_buffer.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef BENCH_CK
#include <ck_ring.h>
#endif

#define CAPACITY    4096u
#define MOST_ROUNDS 1001
#define BURST       4096u   /* records of a measurement with one thread */
#define STREAM      50000u  /* of each producer, with a processor for each thread: about 1 ms, mostly undisturbed */
#define CROWD       200000u /* with more threads than processors */

static unsigned int rounds = 41;

/* Of compiled-in sizes, aligned for what lies in it. */
static _Alignas(4096) unsigned char section1[4096 + sizeof(PTP_TIMESTAMP_EVENT) * CAPACITY];
static _Alignas(4096) AVB_RING_CONSUMER section2;
static AVB_RING ring;
static AVB_RING_READER reader;

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void fill(PTP_TIMESTAMP_EVENT *event, UINT64 number)
{
    event->hw_timestamp_ns = number;
    event->system_timestamp = number + 1;
    memset(&event->direction, (int)number, 32);
    event->software_timestamp = number + 2;
}

static void make_ring(void)
{
    memset(section1, 0, sizeof section1);
    memset(&section2, 0, sizeof section2);
    AvbRingInit(&ring, section1, &section2, CAPACITY, 1);
    AvbRingReaderInit(&reader, section1, sizeof section1, &section2);
}

static void give_everything_back(void)
{
    __atomic_store_n(&section2.tail, ring.header->head, __ATOMIC_RELEASE);
}

/* ---- One thread: ns per record ---- */

static double measure(void (*burst)(void))
{
    double started = now_ns();
    burst();
    return (now_ns() - started) / BURST;
}

static void burst_floor(void)
{
    static UINT64 ticket;
    for (unsigned int i = 0; i < BURST; i++, ticket++) {
        PTP_TIMESTAMP_EVENT *slot = &ring.events[ticket & (CAPACITY - 1)];
        fill(slot, i);
        __atomic_store_n(&slot->sequence, ticket + 1, __ATOMIC_RELEASE);
    }
}

static void burst_locked(void)
{
    static _Alignas(128) UINT64 word;
    UINT64 expected = word;
    for (unsigned int i = 0; i < BURST; i++)
        __atomic_compare_exchange_n(&word, &expected, expected + 1, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED),
            expected = word;
}

static void burst_push(void)
{
    for (unsigned int i = 0; i < BURST; i++) {
        UINT64 ticket;
        PTP_TIMESTAMP_EVENT *slot = AvbRingReserve(&ring, &ticket);
        if (!slot)
            abort();
        fill(slot, i);
        AvbRingPublish(slot, ticket);
    }
}

/* As it would be if producers looked at the wake word: it must not be looked at before the record is out. */
static void burst_exchange(void)
{
    for (unsigned int i = 0; i < BURST; i++) {
        UINT64 ticket;
        PTP_TIMESTAMP_EVENT *slot = AvbRingReserve(&ring, &ticket);
        if (!slot)
            abort();
        fill(slot, i);
        __atomic_exchange_n(&slot->sequence, ticket + 1, __ATOMIC_SEQ_CST);
        if (AvbRingWantsWake(&ring))
            abort();
    }
}

static void burst_copy(void)
{
    for (unsigned int i = 0; i < BURST; i++) {
        PTP_TIMESTAMP_EVENT event;
        fill(&event, i);
        if (!RingBufferWrite(&ring, &event))
            abort();
    }
}

static volatile UINT64 checksum;

static void burst_read(void)
{
    UINT64 sum = 0, count;
    const PTP_TIMESTAMP_EVENT *first;
    while ((count = AvbRingPeek(&reader, &first)) > 0) {
        for (UINT64 i = 0; i < count; i++)
            sum += first[i].hw_timestamp_ns;
        AvbRingRelease(&reader, count);
    }
    checksum = sum;
}

/* In its second lap, in which the limit moves, too. */
static double measure_push(void (*burst)(void))
{
    burst_push();
    give_everything_back();
    return measure(burst);
}

static double push_in_place(void)
{
    return measure_push(burst_push);
}

static double push_with_exchange(void)
{
    return measure_push(burst_exchange);
}

static double push_copy(void)
{
    return measure_push(burst_copy);
}

static double floor_in_place(void)
{
    return measure(burst_floor);
}

static double locked_operation(void)
{
    return measure(burst_locked);
}

static double read_record(void)
{
    burst_push();
    return measure(burst_read);
}

/* The floor writes into the ring's slots and leaves sequences that are not the ring's: it has them for itself. */
static double with_fresh_ring(double (*way)(void))
{
    make_ring();
    return way();
}

/* ---- Several threads ---- */

struct queue {
    bool (*put)(UINT64 number);
    UINT64 (*get)(void); /* how many were there */
};

struct stream {
    const struct queue *queue;
    unsigned int cpu; /* NO_CPU: any */
    UINT64 count;
    pthread_barrier_t *start;
};

#define NO_CPU 999u

static void stay_on(unsigned int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (cpu != NO_CPU)
        pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

/* Nobody gives its processor away: the scheduler takes it, at any point, as it does to a driver's thread. */
static void spin(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#else
    __asm__ volatile("" ::: "memory");
#endif
}

static void *put_all(void *argument)
{
    struct stream *stream = argument;
    stay_on(stream->cpu);
    pthread_barrier_wait(stream->start);
    for (UINT64 i = 0; i < stream->count; i++) {
        while (!stream->queue->put(i))
            spin();
    }
    return NULL;
}

static void *get_all(void *argument)
{
    struct stream *stream = argument;
    stay_on(stream->cpu);
    pthread_barrier_wait(stream->start);
    for (UINT64 taken = 0; taken < stream->count;) {
        UINT64 there = stream->queue->get();
        taken += there;
        if (!there)
            spin();
    }
    return NULL;
}

/* ns per record, from the start of all threads to the end of the last. */
static double run_streams(const struct queue *queue, unsigned int producers, UINT64 count, bool pinned)
{
    pthread_t threads[3];
    struct stream streams[3];
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, producers + 2);
    for (unsigned int i = 0; i <= producers; i++) {
        streams[i] = (struct stream){queue, pinned ? i % 2 : NO_CPU, i ? count : count * producers, &start};
        if (pthread_create(&threads[i], NULL, i ? put_all : get_all, &streams[i]) != 0)
            abort();
    }
    pthread_barrier_wait(&start);
    double started = now_ns();
    for (unsigned int i = 0; i <= producers; i++)
        pthread_join(threads[i], NULL);
    double elapsed = now_ns() - started;
    pthread_barrier_destroy(&start);
    return elapsed / (double)(count * producers);
}

static bool ring_put(UINT64 number)
{
    UINT64 ticket;
    PTP_TIMESTAMP_EVENT *slot = AvbRingReserve(&ring, &ticket);
    if (!slot)
        return false;
    fill(slot, number);
    AvbRingPublish(slot, ticket);
    return true;
}

static UINT64 ring_get(void)
{
    UINT64 sum = 0;
    const PTP_TIMESTAMP_EVENT *first;
    UINT64 count = AvbRingPeek(&reader, &first);
    count = count < 64 ? count : 64;
    for (UINT64 i = 0; i < count; i++)
        sum += first[i].hw_timestamp_ns;
    if (count)
        AvbRingRelease(&reader, count);
    checksum = sum;
    return count;
}

static const struct queue ring_queue = {ring_put, ring_get};

static double stream_ring(void)
{
    return run_streams(&ring_queue, 1, STREAM, true);
}

static double crowd_ring(void)
{
    return run_streams(&ring_queue, 2, CROWD, false);
}

#ifdef BENCH_CK
CK_RING_PROTOTYPE(event, _PTP_TIMESTAMP_EVENT)

static _Alignas(128) ck_ring_t ck;
static struct _PTP_TIMESTAMP_EVENT ck_events[CAPACITY];

static bool ck_put(UINT64 number)
{
    PTP_TIMESTAMP_EVENT event;
    fill(&event, number);
    return ck_ring_enqueue_mpsc_event(&ck, ck_events, &event);
}

static UINT64 ck_get(void)
{
    PTP_TIMESTAMP_EVENT event;
    UINT64 count = 0, sum = 0;
    while (count < 64 && ck_ring_dequeue_mpsc_event(&ck, ck_events, &event)) {
        sum += event.hw_timestamp_ns;
        count++;
    }
    checksum = sum;
    return count;
}

static const struct queue ck_queue = {ck_put, ck_get};

static double push_ck(void)
{
    ck_ring_init(&ck, CAPACITY);
    double started = now_ns();
    for (unsigned int i = 0; i < BURST - 1; i++) {
        if (!ck_put(i))
            abort();
    }
    return (now_ns() - started) / (BURST - 1);
}

static double stream_ck(void)
{
    ck_ring_init(&ck, CAPACITY);
    return run_streams(&ck_queue, 1, STREAM, true);
}

static double crowd_ck(void)
{
    ck_ring_init(&ck, CAPACITY);
    return run_streams(&ck_queue, 2, CROWD, false);
}
#endif

/* ---- The BPF ring buffer ---- */

#define BPF_RECORDS 64  /* of one run of the program: BENCH_RECORDS there */
#define BPF_RUNS    200 /* 1 MiB holds 14563 records of 72 bytes */

static struct ring_buffer *bpf_reader;
static int bpf_program = -1;

static int take_nothing(void *context, void *data, size_t size)
{
    (void)context, (void)data, (void)size;
    return 0;
}

static int be_silent(enum libbpf_print_level level, const char *format, va_list arguments)
{
    (void)level, (void)format, (void)arguments;
    return 0;
}

static bool open_bpf(void)
{
    libbpf_set_print(be_silent);
    struct bpf_object *object = bpf_object__open_file(BENCH_RING_BPF, NULL);
    if (!object || bpf_object__load(object) != 0)
        return false;
    bpf_program = bpf_program__fd(bpf_object__find_program_by_name(object, "push"));
    bpf_reader = ring_buffer__new(bpf_object__find_map_fd_by_name(object, "ring"), take_nothing, NULL, NULL);
    return bpf_program >= 0 && bpf_reader;
}

/* By the kernel's own clock around the repeated run, which therefore holds a 64th of a program's start per record. */
static double push_bpf(void)
{
    unsigned char packet[64] = {0};
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet, .data_size_in = sizeof packet, .repeat = BPF_RUNS);
    ring_buffer__consume(bpf_reader);
    if (bpf_prog_test_run_opts(bpf_program, &options) != 0 || options.retval != 0)
        abort();
    return (double)options.duration / BPF_RECORDS;
}

/* ---- Contention: two producers flat out, and how many attempts that costs ---- */

struct pusher {
    AVB_RING *ring;
    pthread_barrier_t *start;
    unsigned int cpu;
};

#define PUSHES 500000u /* of each: both fit into the largest ring */

static void *push_flat_out(void *argument)
{
    struct pusher *pusher = argument;
    stay_on(pusher->cpu);
    pthread_barrier_wait(pusher->start);
    for (unsigned int i = 0; i < PUSHES; i++) {
        UINT64 ticket;
        PTP_TIMESTAMP_EVENT *slot = AvbRingReserve(pusher->ring, &ticket);
        if (!slot)
            continue;
        fill(slot, i);
        AvbRingPublish(slot, ticket);
    }
    return NULL;
}

/* Returns the drops by contention, of 2 * PUSHES; sets the ns per push of either. */
static UINT64 contend(double *ns)
{
    static AVB_RING_CONSUMER consumer;
    AVB_RING big;
    void *section = aligned_alloc(AVB_RING_PAGE, AvbRingBytes(AVB_RING_MAX_CAPACITY));
    pthread_barrier_t start;
    pthread_t threads[2];
    struct pusher pushers[2];
    if (!section)
        abort();
    memset(section, 0, AvbRingBytes(AVB_RING_MAX_CAPACITY));
    AvbRingInit(&big, section, &consumer, AVB_RING_MAX_CAPACITY, 1);
    pthread_barrier_init(&start, NULL, 3);
    for (unsigned int i = 0; i < 2; i++) {
        pushers[i] = (struct pusher){&big, &start, i};
        if (pthread_create(&threads[i], NULL, push_flat_out, &pushers[i]) != 0)
            abort();
    }
    pthread_barrier_wait(&start);
    double started = now_ns();
    for (unsigned int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    *ns = (now_ns() - started) / PUSHES;
    UINT64 drops = big.header->dropped_contention;
    pthread_barrier_destroy(&start);
    free(section);
    return drops;
}

/* ---- Rounds and results ---- */

struct way {
    const char *name;
    double (*measure)(void);
    double samples[MOST_ROUNDS];
};

enum {
    FLOOR,
    LOCKED,
    PUSH,
    EXCHANGE,
    COPY,
    READ,
    STREAM_RING,
    CROWD_RING,
    PUSH_CK,
    STREAM_CK,
    CROWD_CK,
    PUSH_BPF,
    WAYS
};

static struct way ways[WAYS] = {
    [FLOOR] = {.name = "in-place floor: fields and a release store", .measure = floor_in_place},
    [LOCKED] = {.name = "one hot locked operation", .measure = locked_operation},
    [PUSH] = {.name = "ring: push in place", .measure = push_in_place},
    [EXCHANGE] = {.name = "ring: the same, published by an exchange", .measure = push_with_exchange},
    [COPY] = {.name = "ring: push of a copy (RingBufferWrite)", .measure = push_copy},
    [READ] = {.name = "ring: read a record, in batches", .measure = read_record},
    [STREAM_RING] = {.name = "ring: 1 producer and 1 reader, saturated", .measure = stream_ring},
    [CROWD_RING] = {.name = "ring: 2 producers and 1 reader on any processor", .measure = crowd_ring},
#ifdef BENCH_CK
    [PUSH_CK] = {.name = "ck_ring mp: push of a copy", .measure = push_ck},
    [STREAM_CK] = {.name = "ck_ring mp: 1 producer and 1 reader, saturated", .measure = stream_ck},
    [CROWD_CK] = {.name = "ck_ring mp: 2 producers and 1 reader", .measure = crowd_ck},
#endif
    [PUSH_BPF] = {.name = "BPF ring buffer: reserve, fill, submit", .measure = push_bpf},
};

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double median(unsigned int way)
{
    qsort(ways[way].samples, rounds, sizeof *ways[way].samples, compare);
    return ways[way].samples[rounds / 2];
}

static void print_ratio(const char *name, double ratio, const char *target)
{
    printf("%-62s %6.2f   %s\n", name, ratio, target);
}

int main(int argc, char **argv)
{
    rounds = argc > 1 ? (unsigned int)atoi(argv[1]) : rounds;
    if (rounds == 0 || rounds > MOST_ROUNDS) {
        fprintf(stderr, "usage: bench_ring [ROUNDS], 1 to %d\n", MOST_ROUNDS);
        return 2;
    }
    if (!open_bpf()) {
        ways[PUSH_BPF].measure = NULL;
        fprintf(stderr, "bench_ring: no BPF ring buffer: run as root\n");
    }
    for (unsigned int round = 0; round < rounds; round++) {
        for (unsigned int way = 0; way < WAYS; way++) {
            if (ways[way].measure)
                ways[way].samples[round] = with_fresh_ring(ways[way].measure);
        }
    }
    double ns[WAYS] = {0};
    printf("%-62s %9s\n", "medians", "ns");
    for (unsigned int way = 0; way < WAYS; way++) {
        if (!ways[way].measure)
            continue;
        ns[way] = median(way);
        printf("%-62s %9.2f\n", ways[way].name, ns[way]);
    }
    double contended;
    UINT64 drops = contend(&contended);
    printf("%-62s %9.2f\n", "ring: push, 2 producers flat out, each on its processor", contended);

    printf("\n%-62s %6s   %s\n", "ratios", "", "target");
    print_ratio("push in place / (floor + one locked operation)", ns[PUSH] / (ns[FLOOR] + ns[LOCKED]), "<= 1.25");
    print_ratio("published by an exchange / push in place", ns[EXCHANGE] / ns[PUSH], "-");
    if (ways[PUSH_CK].measure) {
        print_ratio("push of a copy / ck_ring mp", ns[COPY] / ns[PUSH_CK], "-");
        print_ratio("1 producer, 1 reader: ns / ck_ring mp", ns[STREAM_RING] / ns[STREAM_CK], "<= 0.75");
        print_ratio("3 threads: throughput / ck_ring mp", ns[CROWD_CK] / ns[CROWD_RING], ">= 1.5");
    }
    if (ways[PUSH_BPF].measure)
        print_ratio("push in place / BPF ring buffer", ns[PUSH] / ns[PUSH_BPF], "-");
    print_ratio("drops by contention, per million pushes", (double)drops * 1e6 / (2.0 * PUSHES), "0");
    return 0;
}
