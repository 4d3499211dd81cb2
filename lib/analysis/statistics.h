/* SPDX-License-Identifier: MIT */
/*
 * What is made of exchanges: series with their percentiles, delay floors and asymmetry, and the findings that follow
 * from them. Bounded: at most PTPMON_SERIES_MAX series; what is beyond is left out and counted.
 */
#ifndef PTPMON_LIB_ANALYSIS_STATISTICS_H
#define PTPMON_LIB_ANALYSIS_STATISTICS_H

#include <ptpmon_analysis.h>

#define PTPMON_SERIES_MAX 4096

struct ptpmon_statistics_set;

struct ptpmon_statistics_options {
    bool points_share_clock, has_true_offset;
    ptpmon_time true_offset;
};

ptpmon_status ptpmon_statistics_set_open(const struct ptpmon_statistics_options *options,
                                         struct ptpmon_statistics_set **set);
void ptpmon_statistics_set_close(struct ptpmon_statistics_set *set);

/* A decided exchange: every value that it knows goes into its series. */
ptpmon_status ptpmon_statistics_set_exchange(struct ptpmon_statistics_set *set, const ptpmon_exchange *exchange);

/* A message with an interval (Sync, Delay_Req, Pdelay_Req, Announce), seen at time_ns on one clock. */
struct ptpmon_interval_message {
    uint32_t point, segment;
    ptpmon_stamp_kind stamps;
    uint8_t messageType, domainNumber;
    int8_t logMessageInterval; /* 0x7F = not given: only its rate is counted */
    bool in_order;             /* its sequenceId follows the one before it: the time since that is one interval */
    uint16_t sdoId, sequenceId;
    ptpmon_port_identity source;
    int64_t time_ns;
};

ptpmon_status ptpmon_statistics_set_message(struct ptpmon_statistics_set *set,
                                            const struct ptpmon_interval_message *message);

/* A reading of the NIC's clock: ns ahead of UTC, ppm faster than event time. */
ptpmon_status ptpmon_statistics_set_phc(struct ptpmon_statistics_set *set, uint32_t point, uint32_t segment,
                                        int64_t offset_ns, bool has_rate, double rate_ppm);

/* FORWARD_CHANGE, REVERSE_CHANGE; NOTHING: none. */
ptpmon_status ptpmon_statistics_set_finding(struct ptpmon_statistics_set *set, ptpmon_finding *finding);

size_t ptpmon_statistics_set_series_count(const struct ptpmon_statistics_set *set);
ptpmon_status ptpmon_statistics_set_series(const struct ptpmon_statistics_set *set, size_t index,
                                           ptpmon_series *series);
uint64_t ptpmon_statistics_set_left_out(const struct ptpmon_statistics_set *set); /* series */
size_t ptpmon_statistics_set_asymmetry_count(const struct ptpmon_statistics_set *set);
ptpmon_status ptpmon_statistics_set_asymmetry(const struct ptpmon_statistics_set *set, size_t index,
                                              ptpmon_asymmetry *asymmetry);

#endif
