/* SPDX-License-Identifier: MIT */
/*
 * The time error of clocks: offsetFromMaster of each Sync, evenly sampled, and what ITU-T says about it. One stream for
 * each pair of ports at each point, by one kind of stamp and in one segment of the local clock.
 */
#ifndef PTPMON_CLI_ANALYSIS_TE_H
#define PTPMON_CLI_ANALYSIS_TE_H

#include <ptpmon_analysis.h>

#define ANALYSIS_TE_STREAMS_MAX 256
#define ANALYSIS_TE_WINDOWS_MAX 32

struct analysis_te;

struct analysis_te *analysis_te_open(void);
void analysis_te_close(struct analysis_te *te); /* NULL is allowed */

/* Takes the offset of a sync that knows one; passes over all else. 16 bytes for each are kept. */
void analysis_te_add(struct analysis_te *te, const ptpmon_exchange *exchange);

size_t analysis_te_count(const struct analysis_te *te);
/* Offsets that found no room: of more streams than are kept; or not later than the one before. */
uint64_t analysis_te_left_out(const struct analysis_te *te);

/* One limit of a mask. */
enum analysis_verdict { ANALYSIS_NO_LIMIT, ANALYSIS_WITHIN, ANALYSIS_EXCEEDED };

/* At one observation interval; NaN = too few samples; of dTE_L also where they are 5 s and more apart. */
struct analysis_te_window {
    double tau;                        /* s */
    double mtie, tdev;                 /* ns; unfiltered */
    double low_mtie, low_tdev;         /* ns; of dTE_L */
    double limits[PTPMON_LIMIT_KINDS]; /* ns; NaN = no limit */
};

struct analysis_te_result {
    uint32_t point, segment;
    ptpmon_stamp_kind stamps;
    uint8_t domainNumber;
    uint16_t sdoId;
    ptpmon_port_identity source;
    uint64_t offsets;   /* that came */
    uint64_t samples;   /* of the longest stretch without a gap; 0: nothing can be said */
    uint64_t stretches; /* in all */
    int64_t tau0_ns;    /* 0: not known */
    bool tau0_measured; /* the median distance: the messages do not say */
    int64_t base_ns;    /* what the samples are from; not 0 where they are beyond +-10 s: then of the summary only
                           the peak-to-peak values mean anything */
    ptpmon_te_summary summary;
    struct analysis_te_window windows[ANALYSIS_TE_WINDOWS_MAX];
    size_t window_count;
    double limits[PTPMON_LIMIT_KINDS]; /* those that do not depend on tau; NaN = none */
    bool unjudged;                     /* there is a limit whose value is not known */
    enum analysis_verdict verdict;     /* of all limits together; WITHIN only where the value of each is known */
};

/* mask NULL = none. tau0_ns 0 = the interval that the Sync messages state. Errors: INVALID (no such stream), NO_MEMORY.
 */
ptpmon_status analysis_te_evaluate(const struct analysis_te *te, size_t index, int64_t tau0_ns, const char *mask,
                                   struct analysis_te_result *result);

/* The value that a limit of this kind is for: `window` is not looked at where it does not depend on tau. NaN: not
 * known. */
double analysis_te_value(const struct analysis_te_result *result, const struct analysis_te_window *window,
                         ptpmon_limit_kind kind);
/* "max_te"..., as in JSON. Static storage. */
const char *analysis_te_limit_name(ptpmon_limit_kind kind);
bool analysis_te_limit_depends_on_tau(ptpmon_limit_kind kind);
enum analysis_verdict analysis_te_judge(double value, double limit);

#endif
