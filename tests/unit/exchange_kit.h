/* SPDX-License-Identifier: MIT */
/* PTP messages as frames and as observations, and what an analyzer makes of them. */
#ifndef PTPMON_TESTS_EXCHANGE_KIT_H
#define PTPMON_TESTS_EXCHANGE_KIT_H

#include <ptpmon_analysis.h>

#define KIT_SECOND      INT64_C(1000000000)
#define KIT_MILLISECOND INT64_C(1000000)
#define KIT_SCALED(ns)  ((int64_t)((ns)*INT64_C(65536))) /* as a correctionField */

struct kit_ptp {
    uint8_t messageType, direction, domainNumber, transport;
    uint8_t source, requesting; /* last byte of a clockIdentity; portNumber is 1 */
    uint16_t sdoId, sequenceId, gmTimeBaseIndicator;
    bool two_step, has_follow_up_tlv;
    int8_t logMessageInterval;
    int32_t cumulativeScaledRateOffset;
    int64_t correction;   /* 2^-16 ns */
    int64_t timestamp;    /* ns */
    uint64_t seconds;     /* added to the timestamp's */
    uint32_t nanoseconds; /* likewise */
};

#define KIT_PTP_LENGTH 128 /* at most */

/* Returns the frame's length. */
uint32_t kit_ptp_frame(const struct kit_ptp *ptp, uint8_t bytes[KIT_PTP_LENGTH]);

/* The times of an observation; 0 = there is none. */
struct kit_times {
    int64_t event, hardware, software, capture;
};

/* What is fetched of an analyzer. */
struct kit_decided {
    ptpmon_exchange *exchanges;
    size_t count, capacity;
    ptpmon_finding findings[64];
    size_t finding_count;
};

void kit_take(ptpmon_analyzer *analyzer, struct kit_decided *decided);
void kit_free_decided(struct kit_decided *decided);

/* All of it asserts OK, and fetches what was decided. */
void kit_see(ptpmon_analyzer *analyzer, uint32_t point, const struct kit_ptp *ptp, int64_t capture_time,
             struct kit_decided *decided);
void kit_see_cut(ptpmon_analyzer *analyzer, uint32_t point, const struct kit_ptp *ptp, int64_t capture_time,
                 uint32_t captured_length, struct kit_decided *decided);
/* The event and the frame of a message; without a capture time the event alone, without an event time the frame. */
ptpmon_observation kit_observation(const struct kit_ptp *ptp, const struct kit_times *times);
void kit_observe(ptpmon_analyzer *analyzer, uint32_t point, const ptpmon_observation *observation,
                 struct kit_decided *decided);
/* A reading of the clocks: event time, NIC's, UTC. */
void kit_read_clocks(ptpmon_analyzer *analyzer, uint32_t point, int64_t event, int64_t hardware, int64_t realtime,
                     struct kit_decided *decided);
void kit_finish(ptpmon_analyzer *analyzer, struct kit_decided *decided);

/* Asserts that the counts say what was fetched, and that they add up. */
void kit_assert_tallies(const ptpmon_analyzer *analyzer, uint32_t points, const struct kit_decided *decided);

#endif
