/* SPDX-License-Identifier: MIT */
/*
 * Each two neighbouring readings make an interval with a mean rate. While the clock is settled, every interval fits the
 * rate so far, within what the readings leave open and what a servo in lock does. One that does not is a break: what
 * it was, a jump or another rate, shows when the clock has settled again: when an interval fits the rate before it, or
 * two neighbours fit each other. Until then the newest interval is not decided, and the ones before it were no rate
 * at all.
 *
 * What an interval may be off without being a break, T: the uncertainties of its two readings, that of the rate over
 * its length, and 1 ppm of its length. So a jump beyond 2 T is found for certain, and a change of the rate by 1 ppm
 * beyond its uncertainties; no clock that keeps to its rate within these is reported. A jump that is undone before the
 * next reading is not seen.
 */
#include "analysis/local_clock.h"

#include "analysis/clock_breaks.h"
#include "error.h"

#include <math.h>
#include <stdlib.h>

#define RATE_CHANGE_AT_LEAST 1e-6 /* a servo in lock changes the rate by less from one second to the next */
#define STEERED_AT_MOST      0.1  /* cards can be steered by some percent; what is beyond was set */
#define UNSTEERED_AT_MOST    2e-4 /* two clocks of +-100 ppm (IEEE 802.1AS-2020 B.1.1) */
#define SLEWED_AT_MOST       5e-4 /* NTP slews UTC so fast; faster is a step */
#define RECENT               16   /* readings from which the rate is known, and stamps told late are looked up */
#define FINDINGS             64
#define NOISE_TIMES          16  /* a jump that stamps can locate is so many times what they are late by */
#define NOISE_UNKNOWN        1e6 /* ns */
#define RATE_TOLD_OVER       5e8 /* ns: over less a rate is not more than the uncertainty of two readings */
#define HELD_AT_MOST         3   /* readings far less certain than those before are passed over, so many in a row */
/* Without readings stamps stand for them, taken once a second, and late by less than this. */
#define STAMP_UNCERTAINTY 1e7
#define STAMP_EVERY       UINT64_C(1000000000)
#define READING_OVERDUE   UINT64_C(2500000000)

struct reading {
    uint64_t at;        /* event time */
    int64_t difference; /* clock - event time */
    double uncertainty;
    double rate;         /* since the reading before it, where there is one */
    int64_t realtime_ns; /* INT64_MIN = not known */
};

struct interval {
    uint64_t begin, end;
    double length, change;         /* ns; of the difference */
    double rate, uncertainty;      /* of the rate, +- */
    bool broken;                   /* it lies in the newest break */
    struct ptpmon_clock_line line; /* as it should have gone on */
};

struct ptpmon_local_clock {
    ptpmon_stamp_kind kind;
    uint32_t segment;
    uint64_t started_at; /* event time of the first reading */
    /* Readings; the newest rate_readings of them are of one steady rate. */
    struct reading recent[RECENT], held;
    size_t recent_count, rate_readings, held_count;
    double rate, rate_uncertainty;
    /* While not settled. */
    struct interval last;
    double displaced; /* ns, by all intervals of the open break */
    struct ptpmon_clock_breaks breaks;
    struct ptpmon_stamp_groups stamps; /* later than the newest reading */
    double noise;                      /* ns: by so much stamps are late */
    uint64_t newest_stamp_at;
    int64_t newest_stamp; /* clock - event time */
    ptpmon_finding findings[FINDINGS];
    size_t findings_first, findings_count;
    int64_t offset_ns;
    double offset_rate;
    bool finished, by_stamps;
    bool settled, has_rate, has_last, break_open, jump_found;
    bool has_noise, has_stamp, offset_untold, offset_has_rate;
};

/* ---- Life --------------------------------------------------------------------------------- */

ptpmon_status ptpmon_local_clock_open(ptpmon_stamp_kind kind, struct ptpmon_local_clock **clock)
{
    struct ptpmon_local_clock *created = calloc(1, sizeof *created);
    if (!created)
        return ptpmon_fail(PTPMON_NO_MEMORY, "local clock: out of memory; close other programs");
    created->kind = kind;
    ptpmon_stamp_groups_clear(&created->stamps);
    *clock = created;
    return PTPMON_OK;
}

void ptpmon_local_clock_close(struct ptpmon_local_clock *clock)
{
    free(clock);
}

/* ---- Readings ----------------------------------------------------------------------------- */

static const struct reading *newest(const struct ptpmon_local_clock *clock)
{
    return &clock->recent[clock->recent_count - 1];
}

static void keep_reading(struct ptpmon_local_clock *clock, const struct reading *reading, double rate)
{
    if (clock->recent_count == RECENT) {
        for (size_t i = 1; i < RECENT; i++)
            clock->recent[i - 1] = clock->recent[i];
        clock->recent_count--;
    }
    clock->recent[clock->recent_count] = *reading;
    clock->recent[clock->recent_count++].rate = rate;
}

static double change_between(const struct reading *from, const struct reading *to)
{
    return (double)(int64_t)((uint64_t)to->difference - (uint64_t)from->difference);
}

static struct interval interval_between(const struct reading *from, const struct reading *to)
{
    struct interval interval = {.begin = from->at, .end = to->at, .length = (double)(to->at - from->at)};
    interval.change = change_between(from, to);
    interval.rate = interval.change / interval.length;
    interval.uncertainty = (from->uncertainty + to->uncertainty) / interval.length;
    interval.line = (struct ptpmon_clock_line){.at = from->at, .difference = from->difference};
    return interval;
}

/* The rate from the readings that are of one; nothing changes while there is one reading only. */
static void estimate_rate(struct ptpmon_local_clock *clock)
{
    if (clock->rate_readings < 2)
        return;
    size_t count = clock->rate_readings < clock->recent_count ? clock->rate_readings : clock->recent_count;
    struct interval whole =
        interval_between(&clock->recent[clock->recent_count - count], &clock->recent[clock->recent_count - 1]);
    clock->rate = whole.rate;
    clock->rate_uncertainty = whole.uncertainty;
    clock->has_rate = true;
}

static bool is_rate(double rate, double uncertainty)
{
    return fabs(rate) <= STEERED_AT_MOST + uncertainty;
}

/* ns by which the interval may differ from this rate. */
static double tolerance(const struct interval *interval, double rate_uncertainty)
{
    return (interval->uncertainty + rate_uncertainty + RATE_CHANGE_AT_LEAST) * interval->length;
}

static bool fits(const struct interval *interval, double rate, double rate_uncertainty)
{
    return is_rate(interval->rate, interval->uncertainty) &&
           fabs(interval->change - rate * interval->length) <= tolerance(interval, rate_uncertainty);
}

/* ---- Findings ----------------------------------------------------------------------------- */

static int64_t realtime_at(const struct ptpmon_local_clock *clock, uint64_t event_time)
{
    const struct reading *reading = newest(clock);
    for (size_t i = clock->recent_count; i-- > 0 && clock->recent[i].at >= event_time;)
        reading = &clock->recent[i];
    if (reading->realtime_ns == INT64_MIN)
        return INT64_MIN;
    return (int64_t)((uint64_t)reading->realtime_ns + (event_time - reading->at));
}

static void find(struct ptpmon_local_clock *clock, ptpmon_finding_kind kind, uint64_t at, double size, double bound)
{
    if (clock->findings_count == FINDINGS) {
        clock->findings_first = (clock->findings_first + 1) % FINDINGS;
        clock->findings_count--;
    }
    clock->findings[(clock->findings_first + clock->findings_count++) % FINDINGS] = (ptpmon_finding){
        .kind = kind,
        .event_time = at,
        .realtime_ns = realtime_at(clock, at),
        .size = size,
        .bound = bound,
    };
}

/* A jump between two readings; of UTC what slewing explains is none. */
static bool find_jump(struct ptpmon_local_clock *clock, uint64_t end, double length, double jump, double bound)
{
    bool utc = clock->kind == PTPMON_STAMP_SOFTWARE;
    if (fabs(jump) <= bound || (utc && fabs(jump) <= bound + SLEWED_AT_MOST * length))
        return false;
    const struct ptpmon_clock_break *broken = ptpmon_clock_breaks_newest(&clock->breaks);
    uint64_t at = broken->located && broken->located_end == end ? ptpmon_clock_break_to(broken) : end;
    find(clock, utc ? PTPMON_FOUND_SYSTEM_CLOCK_STEP : PTPMON_FOUND_CLOCK_STEP, at, jump, bound);
    clock->jump_found = true;
    return true;
}

/* ---- Breaks ------------------------------------------------------------------------------- */

/* ns by which the clock left its line within the interval. */
static double jump_of(const struct ptpmon_local_clock *clock, const struct interval *interval)
{
    return interval->change - clock->rate * interval->length;
}

static void take_into_break(struct ptpmon_local_clock *clock, struct interval *interval)
{
    if (!clock->break_open) {
        ptpmon_clock_breaks_add(&clock->breaks, interval->begin, interval->end, clock->segment);
        clock->break_open = true;
        clock->displaced = 0;
        clock->jump_found = false;
    } else {
        ptpmon_clock_break_extend(ptpmon_clock_breaks_newest(&clock->breaks), interval->end);
    }
    clock->displaced += jump_of(clock, interval);
    interval->broken = true;
}

/* The first interval of a break may hold a jump that stamps can show. */
static void locate(struct ptpmon_local_clock *clock, const struct interval *interval)
{
    double jump = jump_of(clock, interval), noise = clock->has_noise ? clock->noise : NOISE_UNKNOWN;
    if (fabs(jump) < NOISE_TIMES * noise || fabs(jump) < PTPMON_LOCATE_AT_ALL)
        return;
    double early = tolerance(interval, clock->rate_uncertainty + UNSTEERED_AT_MOST) + noise;
    double late = PTPMON_LOCATE_AT_ALL + NOISE_TIMES * noise;
    ptpmon_clock_break_locate(ptpmon_clock_breaks_newest(&clock->breaks), &interval->line, jump,
                              fmin(early, fabs(jump) / 4), fmin(late, fabs(jump) / 4), &clock->stamps);
}

/* From now on this interval is the one that waits for its neighbour. */
static void wait_for_next(struct ptpmon_local_clock *clock, const struct interval *interval)
{
    clock->last = *interval;
    clock->has_last = true;
}

static void open_break(struct ptpmon_local_clock *clock, struct interval *interval)
{
    clock->settled = false;
    take_into_break(clock, interval);
    locate(clock, interval);
    wait_for_next(clock, interval);
}

/* The clock is steady again, since so many readings. */
static void settle(struct ptpmon_local_clock *clock, size_t readings, bool new_segment)
{
    clock->segment += new_segment;
    if (clock->break_open)
        ptpmon_clock_breaks_newest(&clock->breaks)->segment = clock->segment;
    clock->break_open = false;
    clock->settled = true;
    clock->has_last = false;
    clock->rate_readings = readings;
    estimate_rate(clock);
}

/*
 * The break as a whole, now that the rates before and after it are known: what both leave unexplained is a jump. Where
 * they differ the clock was steered as well, and since when is not known: there it takes four times what that may make.
 * Several jumps within a break, and what a servo does in it, are one.
 */
static void judge_break(struct ptpmon_local_clock *clock, double rate, double uncertainty)
{
    const struct ptpmon_clock_break *broken = ptpmon_clock_breaks_newest(&clock->breaks);
    struct interval whole = {.begin = broken->begin, .end = broken->end};
    whole.length = (double)(whole.end - whole.begin);
    whole.uncertainty = clock->last.uncertainty * clock->last.length / whole.length;
    double spread = fabs(rate - clock->rate) * whole.length;
    double jump = clock->displaced - (rate - clock->rate) / 2 * whole.length;
    double certain = tolerance(&whole, fmax(clock->rate_uncertainty, uncertainty));
    if (fabs(jump) > certain + 4 * spread)
        find_jump(clock, whole.end, whole.length, jump, certain + spread / 2);
}

/* A break before any rate was known: what no two free clocks differ by is a jump. */
static void judge_start(struct ptpmon_local_clock *clock, const struct interval *next)
{
    const struct ptpmon_clock_break *broken = ptpmon_clock_breaks_newest(&clock->breaks);
    double length = (double)(broken->end - broken->begin);
    find_jump(clock, broken->end, length, clock->displaced - next->rate * length,
              (UNSTEERED_AT_MOST + 2 * next->uncertainty) * length);
}

/* Two neighbours agree on a rate. */
static void settle_at_new_rate(struct ptpmon_local_clock *clock, const struct interval *interval)
{
    size_t readings = clock->last.broken ? 2 : 3;
    uint64_t at = clock->last.broken ? clock->last.end : clock->last.begin;
    struct interval both = interval_between(&clock->recent[clock->recent_count - readings], newest(clock));
    double change = both.rate - clock->rate, uncertainty = both.uncertainty + clock->rate_uncertainty;
    bool changed = clock->has_rate && fabs(change) > RATE_CHANGE_AT_LEAST + uncertainty;
    if (clock->break_open && !clock->has_rate)
        judge_start(clock, interval);
    else if (clock->break_open)
        judge_break(clock, changed ? both.rate : clock->rate, both.uncertainty);
    bool found = changed && clock->kind == PTPMON_STAMP_HARDWARE;
    if (found)
        find(clock, PTPMON_FOUND_RATE_CHANGE, at, change * 1e6, uncertainty * 1e6);
    settle(clock, readings, found || (clock->break_open && clock->jump_found));
}

static bool agree(const struct interval *one, const struct interval *other)
{
    return is_rate(one->rate, one->uncertainty) && fits(other, one->rate, one->uncertainty);
}

static void take_unsettled(struct ptpmon_local_clock *clock, struct interval *interval)
{
    struct interval *last = &clock->last;
    if (!clock->has_last) {
        wait_for_next(clock, interval);
        return;
    }
    bool as_before = clock->has_rate && last->broken && fits(interval, clock->rate, clock->rate_uncertainty);
    if (as_before && agree(last, interval)) {
        wait_for_next(clock, interval); /* a step, or another rate: by one reading more it shows */
    } else if (as_before) {
        judge_break(clock, clock->rate, clock->rate_uncertainty);
        settle(clock, 2, clock->jump_found);
    } else if (agree(last, interval)) {
        settle_at_new_rate(clock, interval);
    } else {
        bool first = !clock->break_open;
        if (!last->broken)
            take_into_break(clock, last);
        if (first)
            locate(clock, last);
        wait_for_next(clock, interval);
    }
}

/* ---- Taking readings and stamps ----------------------------------------------------------- */

static void note_noise(struct ptpmon_local_clock *clock, double noise, double kept)
{
    double before = clock->has_noise ? clock->noise * kept : 0;
    clock->noise = noise > before ? noise : before;
    clock->has_noise = true;
}

static void take_interval(struct ptpmon_local_clock *clock, struct interval *interval)
{
    interval->line.rate = clock->rate;
    if (!clock->settled) {
        take_unsettled(clock, interval);
    } else if (!fits(interval, clock->rate, clock->rate_uncertainty)) {
        open_break(clock, interval);
    } else {
        clock->rate_readings += clock->rate_readings < RECENT;
        estimate_rate(clock);
        if (clock->stamps.count > 0)
            note_noise(clock, ptpmon_stamp_groups_noise(&clock->stamps), 7.0 / 8);
    }
}

static void take_reading(struct ptpmon_local_clock *clock, const struct reading *reading)
{
    struct interval interval = {0};
    bool first = clock->recent_count == 0;
    if (!first)
        interval = interval_between(newest(clock), reading);
    keep_reading(clock, reading, interval.rate);
    if (first) {
        clock->started_at = reading->at;
        clock->rate_readings = 1;
        return;
    }
    take_interval(clock, &interval);
    ptpmon_stamp_groups_clear(&clock->stamps);
    clock->offset_has_rate = clock->settled && interval.length >= RATE_TOLD_OVER;
    clock->offset_rate = interval.rate;
}

/* Far less certain than the one before it: the next may do better, and would not show what this one hides. */
static bool hold(struct ptpmon_local_clock *clock, const struct reading *reading)
{
    if (clock->recent_count == 0 || reading->uncertainty <= 8 * newest(clock)->uncertainty + 1000 ||
        clock->held_count == HELD_AT_MOST) {
        clock->held_count = 0;
        return false;
    }
    clock->held = *reading;
    clock->held_count++;
    return true;
}

/* Readings take over from stamps. */
static void leave_stamps(struct ptpmon_local_clock *clock)
{
    if (clock->by_stamps && clock->recent_count == 1) {
        clock->recent_count = 0;
        ptpmon_stamp_groups_clear(&clock->stamps);
    }
    clock->by_stamps = false;
}

ptpmon_status ptpmon_local_clock_reading(struct ptpmon_local_clock *clock, const PTP_CLOCKS_RECORD *reading)
{
    bool hardware = clock->kind == PTPMON_STAMP_HARDWARE;
    uint64_t now = hardware ? reading->hw_timestamp_ns : reading->realtime_ns;
    struct reading taken = {
        .at = reading->system_timestamp,
        .difference = (int64_t)(now - reading->system_timestamp),
        .uncertainty = (double)reading->realtime_uncertainty_ns + (hardware ? reading->hw_uncertainty_ns : 0),
        .realtime_ns = (int64_t)reading->realtime_ns,
    };
    if (clock->finished || (hardware && now == 0))
        return PTPMON_OK;
    leave_stamps(clock);
    if ((clock->recent_count > 0 && taken.at <= newest(clock)->at) || hold(clock, &taken))
        return PTPMON_OK;
    clock->offset_has_rate = false;
    take_reading(clock, &taken);
    clock->offset_untold = hardware;
    clock->offset_ns = (int64_t)(now - reading->realtime_ns);
    return PTPMON_OK;
}

/* A stamp as a reading. */
__attribute__((noinline)) static void take_stamp_as_reading(struct ptpmon_local_clock *clock, uint64_t event_time,
                                                            int64_t difference)
{
    struct reading reading = {
        .at = event_time, .difference = difference, .uncertainty = STAMP_UNCERTAINTY, .realtime_ns = INT64_MIN};
    clock->by_stamps = true;
    take_reading(clock, &reading);
    clock->offset_untold = false;
}

static bool reading_is_overdue(const struct ptpmon_local_clock *clock, uint64_t event_time)
{
    if (clock->recent_count == 0)
        return true;
    uint64_t overdue = clock->by_stamps ? STAMP_EVERY : READING_OVERDUE;
    return event_time > newest(clock)->at && event_time - newest(clock)->at >= overdue;
}

/* The line from one reading to the next, around this event time. */
static bool line_at(const struct ptpmon_local_clock *clock, uint64_t event_time, struct ptpmon_clock_line *line)
{
    for (size_t i = clock->recent_count; i-- > 1;)
        if (clock->recent[i - 1].at <= event_time) {
            const struct reading *from = &clock->recent[i - 1];
            *line = (struct ptpmon_clock_line){from->at, from->difference, clock->recent[i].rate};
            return true;
        }
    return false;
}

/* A stamp of a stretch whose readings are known. */
static void take_late_stamp(struct ptpmon_local_clock *clock, uint64_t event_time, int64_t stamp_ns, bool received)
{
    struct ptpmon_clock_line line;
    const struct ptpmon_clock_break *broken = ptpmon_clock_breaks_newest(&clock->breaks);
    if (broken)
        ptpmon_clock_breaks_stamp(&clock->breaks, event_time, stamp_ns, received);
    if (clock->settled && (!broken || broken->end < event_time) && line_at(clock, event_time, &line))
        note_noise(clock, fabs(ptpmon_clock_line_distance(&line, event_time, stamp_ns)), 255.0 / 256);
}

ptpmon_status ptpmon_local_clock_stamp(struct ptpmon_local_clock *clock, uint64_t event_time, int64_t stamp_ns,
                                       bool received)
{
    int64_t difference = (int64_t)((uint64_t)stamp_ns - event_time);
    if (clock->finished)
        return PTPMON_OK;
    if (reading_is_overdue(clock, event_time))
        take_stamp_as_reading(clock, event_time, difference);
    if (!clock->has_stamp || event_time > clock->newest_stamp_at) {
        clock->newest_stamp_at = event_time;
        clock->newest_stamp = difference;
        clock->has_stamp = true;
    }
    if (event_time <= newest(clock)->at) {
        take_late_stamp(clock, event_time, stamp_ns, received);
        return PTPMON_OK;
    }
    struct ptpmon_clock_line line = {newest(clock)->at, newest(clock)->difference, clock->rate};
    double distance = ptpmon_clock_line_distance(&line, event_time, stamp_ns);
    ptpmon_stamp_groups_add(&clock->stamps, event_time, distance, received);
    return PTPMON_OK;
}

/* ---- The end ------------------------------------------------------------------------------ */

/* What is not decided has no neighbour to decide it by. */
static void decide_last(struct ptpmon_local_clock *clock)
{
    struct interval *last = &clock->last;
    if (!clock->has_rate && !clock->break_open && fabs(last->rate) <= UNSTEERED_AT_MOST + last->uncertainty) {
        settle(clock, 2, false);
        return;
    }
    if (!last->broken)
        take_into_break(clock, last);
    else if (clock->has_rate && !clock->jump_found)
        find_jump(clock, last->end, last->length, jump_of(clock, last),
                  tolerance(last, clock->rate_uncertainty + UNSTEERED_AT_MOST));
}

void ptpmon_local_clock_finish(struct ptpmon_local_clock *clock)
{
    if (clock->finished)
        return;
    if (clock->held_count > 0)
        take_reading(clock, &clock->held);
    if (clock->by_stamps && clock->newest_stamp_at > newest(clock)->at)
        take_stamp_as_reading(clock, clock->newest_stamp_at, clock->newest_stamp);
    if (!clock->settled && clock->has_last)
        decide_last(clock);
    clock->finished = true;
}

/* ---- What is asked ------------------------------------------------------------------------ */

/* Event time up to which it is known where the clock ran through. */
static uint64_t decided_until(const struct ptpmon_local_clock *clock)
{
    if (clock->settled || !clock->has_last)
        return newest(clock)->at;
    if (!clock->break_open)
        return clock->last.begin;
    return ptpmon_clock_break_from(ptpmon_clock_breaks_before(&clock->breaks, UINT64_MAX));
}

enum ptpmon_local_clock_run ptpmon_local_clock_ran(const struct ptpmon_local_clock *clock, uint64_t from, uint64_t to,
                                                   uint32_t *segment)
{
    enum ptpmon_local_clock_run unknown = clock->finished ? PTPMON_CLOCK_STEPPED_ON : PTPMON_CLOCK_NOT_SURE_YET;
    if (clock->recent_count == 0)
        return unknown;
    if (from < clock->started_at || from < clock->breaks.forgotten_until)
        return PTPMON_CLOCK_STEPPED_ON;
    const struct ptpmon_clock_break *broken = ptpmon_clock_breaks_before(&clock->breaks, to);
    if (broken && ptpmon_clock_break_to(broken) > from)
        return PTPMON_CLOCK_STEPPED_ON;
    if (to > decided_until(clock))
        return unknown;
    *segment = broken ? broken->segment : clock->breaks.forgotten_segment;
    return PTPMON_CLOCK_RAN;
}

ptpmon_status ptpmon_local_clock_finding(struct ptpmon_local_clock *clock, ptpmon_finding *finding)
{
    if (clock->findings_count == 0)
        return PTPMON_NOTHING;
    *finding = clock->findings[clock->findings_first];
    clock->findings_first = (clock->findings_first + 1) % FINDINGS;
    clock->findings_count--;
    return PTPMON_OK;
}

bool ptpmon_local_clock_offset(struct ptpmon_local_clock *clock, int64_t *offset_ns, double *rate_ppm, bool *has_rate)
{
    if (!clock->offset_untold)
        return false;
    clock->offset_untold = false;
    *offset_ns = clock->offset_ns;
    *has_rate = clock->offset_has_rate;
    *rate_ppm = clock->offset_has_rate ? clock->offset_rate * 1e6 : 0;
    return true;
}
