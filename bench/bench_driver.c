/* SPDX-License-Identifier: MIT */
/*
 * What the Windows driver's receive handler takes for one frame, natively against the test double, in ticks of the
 * time stamp counter:
 *
 *     bench_driver [SAMPLES]
 *
 * Each call is timed by itself, between two serialised readings of the counter; what the readings and a call of
 * nothing take is measured the same way, by turns, and subtracted. Nobody else's work is taken out: the
 * higher percentiles are the machine's.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/windows/native/driver_run.h"
#include "tests/unit/frame_builder.h"

#define BATCH        256  /* calls before the ring is emptied */
#define SPEC_CYCLES  500  /* "Event emission latency: <500 CPU cycles" */
#define SPEC_NS      1000 /* "Datapath overhead: <1 us added latency per PTP packet" */
#define MOST_SAMPLES 10000000

static uint64_t ticks(void)
{
    uint32_t low, high;
    __asm__ volatile("lfence\n\trdtsc\n\tlfence" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static double ticks_per_ns(void)
{
    uint64_t ns = now_ns(), tsc = ticks();
    while (now_ns() - ns < 50000000)
        ;
    return (double)(ticks() - tsc) / (double)(now_ns() - ns);
}

static void measure(driver_pass pass, NET_BUFFER_LIST *lists, uint32_t *samples, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint64_t before = ticks();
        pass(lists, 1);
        uint64_t took = ticks() - before;
        samples[i] = took < UINT32_MAX ? (uint32_t)took : UINT32_MAX;
    }
}

static int by_size(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

static uint32_t percentile(uint32_t *samples, uint32_t count, uint32_t of_thousand)
{
    return samples[(uint64_t)count * of_thousand / 1000];
}

static void report(const char *what, uint32_t *with, uint32_t *without, uint32_t count, double per_ns)
{
    qsort(with, count, sizeof *with, by_size);
    qsort(without, count, sizeof *without, by_size);
    double empty = percentile(without, count, 500);
    printf("%-24s", what);
    static const uint32_t shown[] = {500, 990};
    for (int i = 0; i < 2; i++) {
        double cost = percentile(with, count, shown[i]) - empty;
        printf("  p%u %6.0f ticks %6.0f ns", shown[i] / 10, cost, cost / per_ns);
    }
    printf("\n");
}

static void run(const char *what, struct driver_run *driver, NET_BUFFER_LIST *lists, uint32_t count, double per_ns)
{
    uint32_t *with = calloc(count, sizeof *with), *without = calloc(count, sizeof *without);
    if (!with || !without)
        exit(1);
    for (uint32_t done = 0; done + BATCH <= count; done += BATCH) {
        measure(driver_nothing(DRIVER_RECEIVE), lists, without + done, BATCH);
        measure(driver_handler(DRIVER_RECEIVE), lists, with + done, BATCH);
        if (driver->capacity)
            driver_run_empty(driver);
    }
    report(what, with, without, count / BATCH * BATCH, per_ns);
    free(with);
    free(without);
}

int main(int argc, char **argv)
{
    uint32_t count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 200000;
    struct test_frame sync = {.length = 0}, tcp = {.length = 0};
    struct driver_run driver;
    if (count < BATCH || count > MOST_SAMPLES) {
        fprintf(stderr, "usage: bench_driver [SAMPLES], %d to %d\n", BATCH, MOST_SAMPLES);
        return 2;
    }
    put_addresses(&sync, 1);
    put_be16(&sync, 0x88F7);
    put_sync(&sync, 1);
    put_addresses(&tcp, 1);
    put_be16(&tcp, 0x0800);
    put_ipv4(&tcp, 6, 0, 0, 1000);
    put_zeros(&tcp, 1000);
    double per_ns = ticks_per_ns();
    printf("time stamp counter: %.3f GHz; %u calls each\n", per_ns, count / BATCH * BATCH);

    driver_run_begin(&driver, 0, 0, 1);
    run("nobody monitors", &driver, driver_lists(sync.bytes, sync.length, 1, 1, 0), count, per_ns);
    driver_run_end();
    driver_run_begin(&driver, AVB_RING_DEFAULT_CAPACITY, 0, 1);
    run("foreign frame", &driver, driver_lists(tcp.bytes, tcp.length, 1, 1, 0), count, per_ns);
    run("one record", &driver, driver_lists(sync.bytes, sync.length, 1, 1, 0), count, per_ns);
    run("one record, 4 MDLs", &driver, driver_lists(sync.bytes, sync.length, 1, 4, 0), count, per_ns);
    driver_run_end();
    printf("%-24s  %d CPU cycles; %d ns\n", "the specification's", SPEC_CYCLES, SPEC_NS);
    return 0;
}
