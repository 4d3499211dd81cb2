/* SPDX-License-Identifier: MIT */
#include "linux/clocks.h"

#include "error.h"

#include <errno.h>
#include <linux/ptp_clock.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_SECOND INT64_C(1000000000)
#define BRACKETS      10 /* per reading; PTP_MAX_SAMPLES is 25 */
#define ATTEMPTS      5  /* readings thrown away because CLOCK_REALTIME was set meanwhile */

/* `inner` was read between two readings of `outer`, which were `width` ns apart; `outer` is their middle. */
struct bracket {
    int64_t outer, inner, width;
};

static const struct bracket no_bracket = {.width = INT64_MAX};

static void keep_narrowest(struct bracket *narrowest, int64_t before, int64_t inner, int64_t after)
{
    int64_t width = after - before;
    if (width >= 0 && width < narrowest->width)
        *narrowest = (struct bracket){before + width / 2, inner, width};
}

/* Half the width, rounded up. */
static uint32_t uncertainty(const struct bracket *bracket)
{
    int64_t half = bracket->width / 2 + bracket->width % 2;
    return half > UINT32_MAX ? UINT32_MAX : (uint32_t)half;
}

static int64_t now(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * NS_PER_SECOND + time.tv_nsec;
}

static int64_t phc_ns(const struct ptp_clock_time *time)
{
    return time->sec * NS_PER_SECOND + time->nsec;
}

/* CLOCK_REALTIME between two readings of CLOCK_MONOTONIC. */
static struct bracket read_system(void)
{
    struct bracket narrowest = no_bracket;
    for (int i = 0; i < BRACKETS; i++) {
        int64_t before = now(CLOCK_MONOTONIC);
        int64_t realtime = now(CLOCK_REALTIME);
        keep_narrowest(&narrowest, before, realtime, now(CLOCK_MONOTONIC));
    }
    return narrowest;
}

static ptpmon_status fail_phc(int phc_fd, int problem)
{
    char link[32], path[64] = "PTP hardware clock";
    snprintf(link, sizeof link, "/proc/self/fd/%d", phc_fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length > 0)
        path[length] = 0;
    return ptpmon_fail_errno(path, "read it as a PTP hardware clock", problem);
}

/* Returns 0 or an errno value. */
static int read_narrow(int phc_fd, struct bracket *narrowest)
{
    struct ptp_sys_offset_extended offsets = {.n_samples = BRACKETS};
    if (ioctl(phc_fd, PTP_SYS_OFFSET_EXTENDED, &offsets) != 0)
        return errno;
    for (int i = 0; i < BRACKETS; i++)
        keep_narrowest(narrowest, phc_ns(&offsets.ts[i][0]), phc_ns(&offsets.ts[i][1]), phc_ns(&offsets.ts[i][2]));
    return 0;
}

static int read_wide(int phc_fd, struct bracket *narrowest)
{
    struct ptp_sys_offset offsets = {.n_samples = BRACKETS};
    if (ioctl(phc_fd, PTP_SYS_OFFSET, &offsets) != 0)
        return errno;
    for (const struct ptp_clock_time *ts = offsets.ts; ts < offsets.ts + 2 * BRACKETS; ts += 2)
        keep_narrowest(narrowest, phc_ns(&ts[0]), phc_ns(&ts[1]), phc_ns(&ts[2]));
    return 0;
}

/*
 * The PHC between two readings of CLOCK_REALTIME. Kernels and drivers without the narrow bracket
 * have the wide one. PTP_SYS_OFFSET_PRECISE is not used: it does not say how precise it is.
 */
static ptpmon_status read_phc(int phc_fd, struct bracket *narrowest)
{
    *narrowest = no_bracket;
    int problem = read_narrow(phc_fd, narrowest);
    if (problem == EOPNOTSUPP || problem == ENOTTY || problem == EINVAL)
        problem = read_wide(phc_fd, narrowest);
    return problem == 0 ? PTPMON_OK : fail_phc(phc_fd, problem);
}

/* Both brackets hold the same difference of the clocks, as far as they can tell. */
static bool agree(const struct bracket *one, const struct bracket *other)
{
    int64_t change = (one->inner - one->outer) - (other->inner - other->outer);
    int64_t tolerance = (int64_t)uncertainty(one) + uncertainty(other);
    return change >= -tolerance && change <= tolerance;
}

static void fill(PTP_CLOCKS_RECORD *clocks, const struct bracket *system)
{
    *clocks = (PTP_CLOCKS_RECORD){
        .direction = AVB_DIRECTION_CLOCKS,
        .system_timestamp = (UINT64)system->outer,
        .realtime_ns = (UINT64)system->inner,
        .realtime_uncertainty_ns = uncertainty(system),
    };
}

/*
 * The PHC is read against CLOCK_REALTIME, and that against CLOCK_MONOTONIC at another instant. The
 * two system clocks run at one rate, so the second reading is moved to the instant of the first;
 * if CLOCK_REALTIME was set in between, which a reading on either side tells, all is read again.
 */
static ptpmon_status read_all(int phc_fd, PTP_CLOCKS_RECORD *clocks)
{
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        struct bracket phc;
        struct bracket before = read_system();
        ptpmon_status status = read_phc(phc_fd, &phc);
        if (status != PTPMON_OK)
            return status;
        struct bracket after = read_system();
        if (phc.width == INT64_MAX || !agree(&before, &after))
            continue;
        struct bracket system = before.width <= after.width ? before : after;
        system.outer += phc.outer - system.inner;
        system.inner = phc.outer;
        fill(clocks, &system);
        clocks->hw_timestamp_ns = (UINT64)phc.inner;
        clocks->hw_uncertainty_ns = uncertainty(&phc);
        return PTPMON_OK;
    }
    return ptpmon_fail(PTPMON_IO,
                       "CLOCK_REALTIME: it is set again and again, so the clocks cannot be related; stop "
                       "what sets it");
}

ptpmon_status ptpmon_clocks_read(int phc_fd, PTP_CLOCKS_RECORD *clocks)
{
    if (phc_fd >= 0)
        return read_all(phc_fd, clocks);
    struct bracket system = read_system();
    fill(clocks, &system);
    return PTPMON_OK;
}

ptpmon_status ptpmon_clocks_now(PTP_CLOCKS_RECORD *clocks)
{
    return ptpmon_clocks_read(-1, clocks);
}
