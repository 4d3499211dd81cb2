/* SPDX-License-Identifier: MIT */
/*
 * MTIE, TDEV and the filter of ITU-T G.8273.2 over evenly spaced samples of a time error.
 *
 * Sums are kept in two doubles, so that what is left when large values cancel is still right to the last digit: after
 * 10 million samples, and of a clock that is hours off.
 */
#include "error.h"

#include <math.h>
#include <ptpmon_analysis.h>
#include <stdlib.h>

#define TWO_PI       6.283185307179586
#define CUTOFF_HZ    0.1    /* between dTE_L and dTE_H, G.8273.2 7.1 */
#define CTE_SECONDS  1000.0 /* what cTE is averaged over, likewise */
#define NS_AT_MOST   0x1p63 /* what an int64 of ns does not reach */
#define SETTLED_TAUS 5      /* time constants after which the first sample's weight is below 1 % */

static ptpmon_status check_samples(const double *x, size_t count)
{
    if (count == 0)
        return ptpmon_fail(PTPMON_INVALID, "time error: there are no samples");
    for (size_t i = 0; i < count; i++)
        if (!(fabs(x[i]) < NS_AT_MOST))
            return ptpmon_fail(PTPMON_INVALID,
                               "time error: sample %zu is no time in ns; leave it out and compute what "
                               "is before and after it apart",
                               i);
    return PTPMON_OK;
}

static ptpmon_status check_windows(const size_t *m, size_t windows, size_t most)
{
    for (size_t i = 0; i < windows; i++)
        if (m[i] == 0 || m[i] > most)
            return ptpmon_fail(
                PTPMON_INVALID,
                "time error: a window of %zu is none of 1 to %zu; take a longer series or shorter windows", m[i], most);
    return PTPMON_OK;
}

static ptpmon_status check_spacing(double tau0)
{
    if (tau0 > 0 && tau0 < INFINITY)
        return PTPMON_OK;
    return ptpmon_fail(PTPMON_INVALID, "time error: samples %g s apart; give the time between two of them", tau0);
}

static ptpmon_status no_memory(size_t samples)
{
    return ptpmon_fail(PTPMON_NO_MEMORY, "time error: no memory for %zu samples; take fewer", samples);
}

/* ---- Even spacing ------------------------------------------------------------------------- */

static ptpmon_status check_pair(const int64_t *time_ns, const double *value, size_t i)
{
    if (i > 0 && time_ns[i] < time_ns[i - 1])
        return ptpmon_fail(PTPMON_INVALID, "time error: pair %zu is earlier than the one before it; sort them", i);
    return check_samples(value + i, 1);
}

/* The samples to come, by ns after the first pair: 0, tau0, 2 * tau0... Each is taken half a spacing later than that,
 * so that a value that came a little late is in time for its sample, and one that came early is not there twice. */
struct grid {
    uint64_t next, tau0;
    double *out;
    size_t count, capacity;
    bool ends; /* with what 64 bits hold */
};

static void hold(struct grid *grid, double value, uint64_t until)
{
    while (grid->next < until && grid->count < grid->capacity && !grid->ends) {
        grid->out[grid->count++] = value;
        grid->ends = grid->next > UINT64_MAX - grid->tau0;
        grid->next += grid->tau0;
    }
}

ptpmon_status ptpmon_te_resample(const int64_t *time_ns, const double *value, size_t pairs, int64_t tau0_ns,
                                 int64_t max_gap_ns, double *out, size_t capacity, size_t *count, size_t *used)
{
    *count = *used = 0;
    if (pairs == 0 || capacity == 0)
        return ptpmon_fail(PTPMON_INVALID, "time error: there is nothing to resample, or no room for it");
    if (tau0_ns <= 0 || max_gap_ns <= 0)
        return ptpmon_fail(PTPMON_INVALID, "time error: spacing and longest gap must be longer than 0 ns");
    ptpmon_status status = check_pair(time_ns, value, 0);
    struct grid grid = {.tau0 = (uint64_t)tau0_ns, .out = out, .capacity = capacity};
    size_t i = 0;
    const uint64_t half = grid.tau0 / 2, rest = grid.tau0 - half;
    bool goes_on = true;
    for (; status == PTPMON_OK && goes_on && grid.count < capacity; i++) {
        uint64_t since = (uint64_t)time_ns[i] - (uint64_t)time_ns[0];
        uint64_t gap = 0;
        if (i + 1 < pairs) {
            status = check_pair(time_ns, value, i + 1);
            gap = (uint64_t)time_ns[i + 1] - (uint64_t)time_ns[i];
        }
        goes_on = i + 1 < pairs && gap <= (uint64_t)max_gap_ns;
        uint64_t next = since + gap;
        /* A value holds until the next one; where none follows, for no more than its own sample. */
        if (goes_on)
            hold(&grid, value[i], next > half ? next - half : 0);
        else
            hold(&grid, value[i], since < UINT64_MAX - rest ? since + rest : UINT64_MAX);
    }
    *count = grid.count;
    *used = i;
    return status;
}

/* ---- MTIE --------------------------------------------------------------------------------- */

struct window {
    size_t m, index;
};

static int by_length(const void *a, const void *b)
{
    const struct window *one = a, *other = b;
    return (one->m > other->m) - (one->m < other->m);
}

/* The extremes of all stretches of `length` samples: highest[k], lowest[k] are those of x[k] to x[k + length - 1]. */
struct extremes {
    double *highest, *lowest;
    size_t count, length;
};

/* Two stretches that overlap, or lie side by side, are one. */
static void lengthen(struct extremes *extremes, size_t by)
{
    double *highest = extremes->highest, *lowest = extremes->lowest;
    extremes->length += by;
    for (size_t k = 0; k + extremes->length <= extremes->count; k++) {
        highest[k] = highest[k + by] > highest[k] ? highest[k + by] : highest[k];
        lowest[k] = lowest[k + by] < lowest[k] ? lowest[k + by] : lowest[k];
    }
}

static void lengthen_to(struct extremes *extremes, size_t length)
{
    while (length - extremes->length > extremes->length)
        lengthen(extremes, extremes->length);
    if (length > extremes->length)
        lengthen(extremes, length - extremes->length);
}

static double widest(const struct extremes *extremes)
{
    double most = 0;
    for (size_t k = 0; k + extremes->length <= extremes->count; k++) {
        double range = extremes->highest[k] - extremes->lowest[k];
        most = range > most ? range : most;
    }
    return most;
}

/* From the shortest window to the longest each is made of the one before it. */
static void mtie_of_windows(const double *x, struct extremes *extremes, const struct window *sorted, size_t windows,
                            double *mtie)
{
    extremes->length = 1;
    for (size_t k = 0; k < extremes->count; k++)
        extremes->highest[k] = extremes->lowest[k] = x[k];
    for (size_t i = 0; i < windows; i++) {
        lengthen_to(extremes, sorted[i].m + 1); /* m steps are between m + 1 samples */
        mtie[sorted[i].index] = widest(extremes);
    }
}

ptpmon_status ptpmon_te_mtie(const double *x, size_t count, const size_t *m, size_t windows, double *mtie)
{
    ptpmon_status status = check_samples(x, count);
    if (status == PTPMON_OK)
        status = check_windows(m, windows, count - 1);
    if (status != PTPMON_OK || windows == 0)
        return status;
    struct extremes extremes = {calloc(count, sizeof(double)), calloc(count, sizeof(double)), count, 1};
    struct window *sorted = calloc(windows, sizeof *sorted);
    if (extremes.highest && extremes.lowest && sorted) {
        for (size_t i = 0; i < windows; i++)
            sorted[i] = (struct window){m[i], i};
        qsort(sorted, windows, sizeof *sorted, by_length);
        mtie_of_windows(x, &extremes, sorted, windows, mtie);
    } else {
        status = no_memory(count);
    }
    free(sorted);
    free(extremes.lowest);
    free(extremes.highest);
    return status;
}

/* ---- Sums --------------------------------------------------------------------------------- */

/* A number of twice a double's digits: high + low. */
struct sum {
    double high, low;
};

/* a + b, and what rounding took from it (Knuth's TwoSum). */
static inline struct sum exactly(double a, double b)
{
    double high = a + b, b_in_it = high - a;
    return (struct sum){high, (a - (high - b_in_it)) + (b - b_in_it)};
}

static inline struct sum plus(struct sum sum, double value)
{
    struct sum added = exactly(sum.high, value);
    return exactly(added.high, added.low + sum.low);
}

static double mean_of(const double *x, size_t count)
{
    struct sum sum = {0, 0};
    for (size_t i = 0; i < count; i++)
        sum = plus(sum, x[i]);
    return (sum.high + sum.low) / (double)count;
}

/* ---- TDEV --------------------------------------------------------------------------------- */

/* The sum of x[i + 2m] - 2 x[i + m] + x[i] over m values of i; `before` are the sums of all samples before each. */
static inline double second_difference(const struct sum *before, size_t m)
{
    struct sum outer = exactly(before[3 * m].high, -before[0].high);
    struct sum inner = exactly(before[2 * m].high, -before[m].high);
    struct sum thrice = exactly(2 * inner.high, inner.high);
    struct sum rest = exactly(outer.high, -thrice.high);
    double low = (before[3 * m].low - before[0].low) - 3 * (before[2 * m].low - before[m].low);
    return rest.high + (rest.low + (outer.low - thrice.low - 3 * inner.low) + low);
}

static double tdev_of(const struct sum *before, size_t count, size_t m)
{
    struct sum squares = {0, 0};
    size_t terms = count - 3 * m + 1;
    for (size_t j = 0; j < terms; j++) {
        double difference = second_difference(before + j, m);
        squares = plus(squares, difference * difference);
    }
    return sqrt((squares.high + squares.low) / (double)terms / 6) / (double)m;
}

ptpmon_status ptpmon_te_tdev(const double *x, size_t count, const size_t *m, size_t windows, double *tdev)
{
    ptpmon_status status = check_samples(x, count);
    if (status == PTPMON_OK)
        status = check_windows(m, windows, count / 3);
    if (status != PTPMON_OK || windows == 0)
        return status;
    struct sum *before = calloc(count + 1, sizeof *before);
    if (!before)
        return no_memory(count);
    for (size_t i = 0; i < count; i++)
        before[i + 1] = plus(before[i], x[i]);
    for (size_t i = 0; i < windows; i++)
        tdev[i] = tdev_of(before, count, m[i]);
    free(before);
    return PTPMON_OK;
}

/* ---- Filter ------------------------------------------------------------------------------- */

/* How much of a sample's distance the filter follows, so that after a step it has come 1 - 1/e of the way when the time
 * constant, 1 / (2 pi cutoff), has passed. */
static double follows(double tau0, double cutoff_hz)
{
    return -expm1(-TWO_PI * cutoff_hz * tau0);
}

ptpmon_status ptpmon_te_low_pass(const double *x, size_t count, double tau0, double cutoff_hz, double *low)
{
    ptpmon_status status = check_samples(x, count);
    if (status == PTPMON_OK)
        status = check_spacing(tau0);
    if (status != PTPMON_OK)
        return status;
    if (!(cutoff_hz > 0 && cutoff_hz * tau0 < 0.5))
        return ptpmon_fail(PTPMON_INVALID,
                           "time error: no low-pass of %g Hz for samples %g s apart; it must be above "
                           "0 and below half of their rate",
                           cutoff_hz, tau0);
    double weight = follows(tau0, cutoff_hz), state = x[0];
    for (size_t i = 0; i < count; i++) {
        state += weight * (x[i] - state);
        low[i] = state;
    }
    return PTPMON_OK;
}

/* ---- Summary ------------------------------------------------------------------------------ */

struct range {
    double least, most;
};

static void extend(struct range *range, double value)
{
    range->least = value < range->least ? value : range->least;
    range->most = value > range->most ? value : range->most;
}

static double greatest(const struct range *range)
{
    return fmax(fabs(range->least), fabs(range->most));
}

static void summarize_filtered(const double *x, size_t count, double tau0, ptpmon_te_summary *summary)
{
    double settled = ceil(SETTLED_TAUS / (TWO_PI * CUTOFF_HZ) / tau0);
    summary->max_te_low = summary->dte_low_pp = summary->dte_high_pp = NAN;
    if (!(CUTOFF_HZ * tau0 < 0.5) || !(settled < (double)count))
        return;
    double weight = follows(tau0, CUTOFF_HZ), state = x[0];
    struct range low = {INFINITY, -INFINITY}, high = low;
    for (size_t i = 0; i < count; i++) {
        state += weight * (x[i] - state);
        if ((double)i >= settled) {
            extend(&low, state);
            extend(&high, x[i] - state);
        }
    }
    summary->max_te_low = greatest(&low);
    summary->dte_low_pp = low.most - low.least;
    summary->dte_high_pp = high.most - high.least;
}

ptpmon_status ptpmon_te_summarize(const double *x, size_t count, double tau0, ptpmon_te_summary *summary)
{
    ptpmon_status status = check_samples(x, count);
    if (status == PTPMON_OK)
        status = check_spacing(tau0);
    if (status != PTPMON_OK)
        return status;
    struct range all = {x[0], x[0]};
    for (size_t i = 1; i < count; i++)
        extend(&all, x[i]);
    double averaged = fmax(1, round(CTE_SECONDS / tau0));
    size_t last = averaged < (double)count ? (size_t)averaged : count;
    *summary = (ptpmon_te_summary){
        .max_te = greatest(&all),
        .cte = mean_of(x + (count - last), last),
        .cte_seconds = (double)last * tau0,
        .seconds = (double)count * tau0,
    };
    summarize_filtered(x, count, tau0, summary);
    return PTPMON_OK;
}
