/* SPDX-License-Identifier: MIT */
/* Messages as events and as captured frames, and what a correlator makes of them. */
#ifndef PTPMON_TESTS_CORRELATOR_KIT_H
#define PTPMON_TESTS_CORRELATOR_KIT_H

#include <ptpmon.h>

#define KIT_SECOND      1000000000
#define KIT_MILLISECOND 1000000
#define KIT_MICROSECOND 1000

/* Capture time minus event time, where a test does not say otherwise. */
#define KIT_REALTIME 1800000000000000000

struct kit_message {
    uint8_t direction, messageType, domainNumber;
    uint16_t sequenceId, portNumber, sdoId;
    uint8_t clock; /* last byte of clockIdentity */
    uint8_t mac;   /* last byte of the source address */
    bool tagged;
    uint16_t vlanId;
    uint8_t pcp;
};

#define KIT_FRAME_LENGTH 62 /* at most: Ethernet, tag, 44 bytes of PTP */

/* `number` goes to the event's `sequence`, so that results can be told apart. */
PTP_TIMESTAMP_EVENT kit_event(const struct kit_message *message, int64_t time, uint64_t software_timestamp,
                              uint64_t number);
PTP_TIMESTAMP_EVENT kit_clocks(int64_t time, int64_t realtime);
PTP_TIMESTAMP_EVENT kit_loss(int64_t since, int64_t until, uint64_t frames, uint64_t stamps);

/* The bytes of the frame go to `bytes`. */
ptpmon_frame kit_frame(const struct kit_message *message, int64_t capture_time, uint64_t number,
                       uint8_t bytes[KIT_FRAME_LENGTH]);

struct kit_results {
    ptpmon_result *items;
    size_t count, capacity;
};

/* Appends all results that are there; asserts that they come in order of event time. */
void kit_fetch(ptpmon_correlator *correlator, struct kit_results *results);

/* Asserts that `results` are all there were, that the counts say the same, and that they form exact partitions. */
void kit_assert_counts(const ptpmon_correlator *correlator, const struct kit_results *results);

void kit_free(struct kit_results *results);

/* Time of a result: of its event, else of its frame. */
uint64_t kit_time(const ptpmon_result *result);

#endif
