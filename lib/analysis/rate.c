/* SPDX-License-Identifier: MIT */
#include "rate.h"

#include "analysis/time.h"

#include <string.h>

/* Sequences with such gaps go on; beyond, the clocks may be others. */
#define LARGEST_GAP 16

/* One ratio alone does not show how noisy it is. */
#define LEAST_FOR_RATE 3
/* Of two advances none stands out. */
#define LEAST_FOR_JUMP   4
#define JUMP_OVER_OTHERS 4
#define LEAST_JUMP_NS    100

/* A rate that is less than what its window makes of it says nothing: it is noise, beyond this. */
#define LEAST_SPREAD 1e-6

/* The differences fit: both times are of PTP's range. */
static bool goes_on(const struct ptpmon_rate *rate, int64_t remote, int64_t local, int64_t slack_ns)
{
    unsigned newest = (rate->first + rate->count - 1u) % PTPMON_RATE_WINDOW;
    int64_t remote_since = remote - rate->at[newest].remote, local_since = local - rate->at[newest].local;
    if (remote_since <= 0 || local_since <= 0)
        return false;
    return fabs((double)(remote_since - local_since)) <= (double)local_since * PTPMON_RATE_MAX + (double)slack_ns;
}

void ptpmon_rate_add(struct ptpmon_rate *rate, int64_t remote, int64_t local, uint16_t sequenceId, uint32_t segment,
                     int64_t slack_ns)
{
    uint16_t gap = (uint16_t)(sequenceId - rate->sequenceId);
    if (rate->count > 0 &&
        (gap == 0 || gap > LARGEST_GAP || segment != rate->segment || !goes_on(rate, remote, local, slack_ns)))
        rate->count = 0;
    if (rate->count == PTPMON_RATE_WINDOW) {
        rate->first = (rate->first + 1u) % PTPMON_RATE_WINDOW;
        rate->count--;
    }
    unsigned at = (unsigned)(rate->first + rate->count) % PTPMON_RATE_WINDOW;
    rate->at[at].remote = remote;
    rate->at[at].local = local;
    rate->count++;
    rate->sequenceId = sequenceId;
    rate->segment = segment;
}

/* The clocks between two pairs: how far the remote one got ahead, ns, and how long that took by ours. */
struct advance {
    double ns, local_ns;
};

static struct advance advance_between(const struct ptpmon_rate *rate, unsigned from, unsigned to)
{
    from = (rate->first + from) % PTPMON_RATE_WINDOW;
    to = (rate->first + to) % PTPMON_RATE_WINDOW;
    int64_t local = rate->at[to].local - rate->at[from].local;
    return (struct advance){(double)(rate->at[to].remote - rate->at[from].remote - local), (double)local};
}

/* The rates between pairs that lie `apart`. */
struct rates {
    double median, spread; /* spread: half of what lies between the least and the greatest */
};

/* The advance after pair `jump_after` has a jump in it. */
static struct rates rates_between(const struct ptpmon_rate *rate, unsigned apart, unsigned jump_after, double jump_ns)
{
    double sorted[PTPMON_RATE_WINDOW] = {0};
    unsigned count = 0;
    do {
        struct advance advance = advance_between(rate, count, count + apart);
        bool across = jump_after >= count && jump_after < count + apart;
        double excess = (advance.ns - (across ? jump_ns : 0)) / advance.local_ns;
        unsigned at = count++;
        for (; at > 0 && sorted[at - 1] > excess; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = excess;
    } while (count + apart < rate->count);
    return (struct rates){
        .median = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2,
        .spread = (sorted[count - 1] - sorted[0]) / 2,
    };
}

/* How far one advance lies beyond all others, by the rate between neighbours: the remote clock was set there, or the
 * path has changed. 0: none stands out. */
static double find_jump(const struct ptpmon_rate *rate, unsigned *after)
{
    double jump = 0, other = 0, usual = rates_between(rate, 1, 0, 0).median;
    for (unsigned i = 0; i + 1 < rate->count; i++) {
        struct advance advance = advance_between(rate, i, i + 1);
        double beyond = advance.ns - usual * advance.local_ns;
        if (fabs(beyond) > fabs(jump)) {
            other = fabs(jump);
            jump = beyond;
            *after = i;
        } else if (fabs(beyond) > other) {
            other = fabs(beyond);
        }
    }
    return fabs(jump) > JUMP_OVER_OTHERS * other + LEAST_JUMP_NS ? jump : 0;
}

bool ptpmon_rate_ratio(const struct ptpmon_rate *rate, double *ratio)
{
    unsigned apart = rate->count / 2u, jump_after = 0;
    if (rate->count < LEAST_FOR_RATE)
        return false;
    double jump = rate->count >= LEAST_FOR_JUMP ? find_jump(rate, &jump_after) : 0;
    struct rates rates = rates_between(rate, apart, jump_after, jump);
    if (fabs(rates.median) > PTPMON_RATE_MAX || rates.spread > fmax(fabs(rates.median), LEAST_SPREAD))
        return false;
    *ratio = 1 + rates.median;
    return true;
}

/* What does not fit wraps: times so far apart contradict one another in any case. */
static int64_t minus(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

static bool went_on_alike(struct ptpmon_clock_pair before, struct ptpmon_clock_pair now, int64_t slack_ns)
{
    double remote = (double)minus(now.remote, before.remote), local = (double)minus(now.local, before.local);
    return fabs(remote - local) <= fabs(local) * PTPMON_RATE_MAX + (double)slack_ns;
}

bool ptpmon_times_contradict(struct ptpmon_clock_pair *newest, bool *newest_known, struct ptpmon_clock_pair begin,
                             struct ptpmon_clock_pair end, double twice_delay, int64_t slack_ns)
{
    double least = -(double)slack_ns - fabs((double)minus(end.local, begin.local)) * PTPMON_RATE_MAX;
    bool contradict = twice_delay < least;
    end.way = minus(minus(begin.remote, begin.local), minus(end.remote, end.local));
    begin.remote = minus(begin.remote, newest->way);
    if (*newest_known && went_on_alike(*newest, begin, slack_ns) != went_on_alike(*newest, end, slack_ns))
        contradict = true;
    if (contradict)
        end.way = 0;
    *newest = end;
    *newest_known = true;
    return contradict;
}

static uint32_t place_of(const ptpmon_time *sorted, uint32_t count, ptpmon_time delay)
{
    uint32_t from = 0;
    while (from < count) {
        uint32_t middle = from + (count - from) / 2;
        if (ptpmon_time_compare(sorted[middle], delay) < 0)
            from = middle + 1;
        else
            count = middle;
    }
    return from;
}

ptpmon_time ptpmon_median_add(struct ptpmon_median *median, ptpmon_time *newest, ptpmon_time *sorted, uint32_t size,
                              ptpmon_time delay)
{
    uint32_t count = median->count;
    if (count == size) {
        uint32_t oldest = place_of(sorted, count, newest[median->next]);
        count--;
        memmove(sorted + oldest, sorted + oldest + 1, (count - oldest) * sizeof *sorted);
    }
    uint32_t place = place_of(sorted, count, delay);
    memmove(sorted + place + 1, sorted + place, (count - place) * sizeof *sorted);
    sorted[place] = delay;
    newest[median->next] = delay;
    median->next = (median->next + 1) % size;
    median->count = ++count;
    ptpmon_time low = sorted[(count - 1) / 2], high = sorted[count / 2];
    return ptpmon_time_add(low, ptpmon_time_half(ptpmon_time_subtract(high, low)));
}
