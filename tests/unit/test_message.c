/* SPDX-License-Identifier: MIT */
/* What is read of the messages in captured frames. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exchange_kit.h"
#include "message.h"

#define ETHERNET 14 /* bytes before the message */

static PTP_TIMESTAMP_EVENT event;
static ptpmon_message message;

/* Reads from a block of exactly the captured bytes, so that a sanitizer sees what is read beyond them. */
static ptpmon_status read_bytes(const uint8_t *bytes, uint32_t captured_length, uint32_t length)
{
    uint8_t *exactly = malloc(captured_length ? captured_length : 1);
    assert_non_null(exactly);
    memcpy(exactly, bytes, captured_length);
    ptpmon_frame frame = {.bytes = exactly, .captured_length = captured_length, .length = length};
    memset(&event, 0xEE, sizeof event);
    memset(&message, 0xEE, sizeof message);
    ptpmon_status status = ptpmon_frame_message(&frame, &event, &message);
    free(exactly);
    return status;
}

static void read_ptp(const struct kit_ptp *ptp)
{
    uint8_t bytes[KIT_PTP_LENGTH];
    uint32_t length = kit_ptp_frame(ptp, bytes);
    assert_int_equal(read_bytes(bytes, length, length), PTPMON_OK);
}

static void each_type_has_its_parts(void **state)
{
    static const struct {
        uint8_t messageType, has;
    } cases[] = {
        {AVB_PTP_SYNC, PTPMON_MESSAGE_TIMESTAMP},
        {AVB_PTP_DELAY_REQ, PTPMON_MESSAGE_TIMESTAMP},
        {AVB_PTP_PDELAY_REQ, PTPMON_MESSAGE_TIMESTAMP},
        {AVB_PTP_PDELAY_RESP, PTPMON_MESSAGE_TIMESTAMP | PTPMON_MESSAGE_REQUESTING},
        {AVB_PTP_FOLLOW_UP, PTPMON_MESSAGE_TIMESTAMP},
        {AVB_PTP_DELAY_RESP, PTPMON_MESSAGE_TIMESTAMP | PTPMON_MESSAGE_REQUESTING},
        {AVB_PTP_PDELAY_RESP_FOLLOW_UP, PTPMON_MESSAGE_TIMESTAMP | PTPMON_MESSAGE_REQUESTING},
        {AVB_PTP_ANNOUNCE, PTPMON_MESSAGE_TIMESTAMP | PTPMON_MESSAGE_ANNOUNCE},
        {AVB_PTP_SIGNALING, 0},
        {AVB_PTP_MANAGEMENT, 0},
        {0x4, 0},
    };
    (void)state;
    for (unsigned transport = 0; transport < 2; transport++) {
        for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
            struct kit_ptp ptp = {
                .messageType = cases[i].messageType,
                .transport = (uint8_t)transport,
                .sequenceId = 0x1234,
                .source = 7,
                .requesting = 9,
                .logMessageInterval = -3,
                .correction = -65536 - 1,
                .timestamp = 1234567890 * KIT_SECOND + 987654321,
            };
            read_ptp(&ptp);
            assert_int_equal(event.messageType, cases[i].messageType);
            assert_int_equal(event.sequenceId, 0x1234);
            assert_int_equal(event.transport, transport);
            assert_int_equal(message.has, cases[i].has);
            assert_int_equal(message.correctionField, -65537);
            assert_int_equal(message.logMessageInterval, -3);
            if (cases[i].has & PTPMON_MESSAGE_TIMESTAMP) {
                assert_int_equal(message.seconds, 1234567890);
                assert_int_equal(message.nanoseconds, 987654321);
            }
            assert_int_equal(message.requestingPortNumber, cases[i].has & PTPMON_MESSAGE_REQUESTING ? 1 : 0);
            assert_int_equal(message.requestingClockIdentity[7], cases[i].has & PTPMON_MESSAGE_REQUESTING ? 9 : 0);
        }
    }
}

static void numbers_at_their_limits(void **state)
{
    (void)state;
    uint8_t bytes[KIT_PTP_LENGTH];
    struct kit_ptp ptp = {.messageType = AVB_PTP_SYNC, .correction = PTPMON_CORRECTION_TOO_BIG};
    uint32_t length = kit_ptp_frame(&ptp, bytes);
    memset(bytes + ETHERNET + 34, 0xFF, 10);
    assert_int_equal(read_bytes(bytes, length, length), PTPMON_OK);
    assert_true(message.correctionField == PTPMON_CORRECTION_TOO_BIG);
    assert_true(message.seconds == (UINT64_C(1) << 48) - 1);
    assert_true(message.nanoseconds == UINT32_MAX);
    ptp.correction = INT64_MIN;
    read_ptp(&ptp);
    assert_true(message.correctionField == INT64_MIN);
}

static void announce_is_read_field_by_field(void **state)
{
    /* IEEE 1588-2019 table 43, from currentUtcOffset on. */
    static const uint8_t body[] = {0xFF, 0xDB, 0,    248,  6, 0x21, 0x4E, 0x5D, 100,  1,
                                   2,    3,    0xFF, 0xFE, 5, 6,    7,    0x01, 0x02, 0x20};
    (void)state;
    uint8_t bytes[KIT_PTP_LENGTH];
    struct kit_ptp ptp = {.messageType = AVB_PTP_ANNOUNCE};
    uint32_t length = kit_ptp_frame(&ptp, bytes);
    memcpy(bytes + ETHERNET + 44, body, sizeof body);
    assert_int_equal(read_bytes(bytes, length, length), PTPMON_OK);
    assert_int_equal(message.currentUtcOffset, -37);
    assert_int_equal(message.grandmasterPriority1, 248);
    assert_int_equal(message.clockClass, 6);
    assert_int_equal(message.clockAccuracy, 0x21);
    assert_int_equal(message.offsetScaledLogVariance, 0x4E5D);
    assert_int_equal(message.grandmasterPriority2, 100);
    assert_memory_equal(message.grandmasterIdentity, ((uint8_t[]){1, 2, 3, 0xFF, 0xFE, 5, 6, 7}), 8);
    assert_int_equal(message.stepsRemoved, 0x0102);
    assert_int_equal(message.timeSource, 0x20);
}

/* ---- The Follow_Up information TLV --------------------------------------------------------- */

static uint32_t follow_up_frame(uint8_t bytes[KIT_PTP_LENGTH])
{
    struct kit_ptp ptp = {
        .messageType = AVB_PTP_FOLLOW_UP,
        .has_follow_up_tlv = true,
        .cumulativeScaledRateOffset = -123456789,
        .gmTimeBaseIndicator = 0xABCD,
    };
    return kit_ptp_frame(&ptp, bytes);
}

static void the_follow_up_tlv_is_read(void **state)
{
    (void)state;
    uint8_t bytes[KIT_PTP_LENGTH];
    uint32_t length = follow_up_frame(bytes);
    /* lastGmPhaseChange -1.5 ns, scaledLastGmFreqChange */
    static const uint8_t changes[] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                      0xFF, 0xFE, 0x80, 0x00, 0x80, 0x00, 0x00, 0x00};
    memcpy(bytes + length - sizeof changes, changes, sizeof changes);
    assert_int_equal(read_bytes(bytes, length, length), PTPMON_OK);
    assert_int_equal(message.has, PTPMON_MESSAGE_TIMESTAMP | PTPMON_MESSAGE_FOLLOW_UP);
    assert_int_equal(message.cumulativeScaledRateOffset, -123456789);
    assert_int_equal(message.gmTimeBaseIndicator, 0xABCD);
    assert_int_equal(message.lastGmPhaseChange.ns, -2);
    assert_int_equal(message.lastGmPhaseChange.fraction, 0x8000);
    assert_true(message.scaledLastGmFreqChange == INT32_MIN);
}

/* 96 bits do not fit: what is nearest. */
static void phase_changes_beyond_64_bits(void **state)
{
    (void)state;
    uint8_t bytes[KIT_PTP_LENGTH];
    uint32_t length = follow_up_frame(bytes);
    bytes[length - 16] = 0x00;
    bytes[length - 15] = 0x01;
    assert_int_equal(read_bytes(bytes, length, length), PTPMON_OK);
    assert_true(message.lastGmPhaseChange.ns == INT64_MAX);
    bytes[length - 16] = 0x80;
    assert_int_equal(read_bytes(bytes, length, length), PTPMON_OK);
    assert_true(message.lastGmPhaseChange.ns == INT64_MIN);
}

/* Another TLV, of odd contents, lies before it. */
static void other_tlvs_are_passed_over(void **state)
{
    (void)state;
    uint8_t bytes[KIT_PTP_LENGTH];
    uint32_t length = follow_up_frame(bytes);
    uint8_t *tlvs = bytes + ETHERNET + 44;
    memmove(tlvs + 10, tlvs, 32);
    static const uint8_t other[] = {0x00, 0x03, 0x00, 0x06, 0x00, 0x80, 0xC2, 0x00, 0x00, 0x02};
    memcpy(tlvs, other, sizeof other);
    bytes[ETHERNET + 3] = 86;
    assert_int_equal(read_bytes(bytes, length + 10, length + 10), PTPMON_OK);
    assert_int_equal(message.cumulativeScaledRateOffset, -123456789);
    tlvs[3] = 200; /* now it says to be longer than the message */
    assert_int_equal(read_bytes(bytes, length + 10, length + 10), PTPMON_OK);
    assert_int_equal(message.has, PTPMON_MESSAGE_TIMESTAMP);
}

static void a_tlv_of_another_organization_is_none(void **state)
{
    (void)state;
    uint8_t bytes[KIT_PTP_LENGTH];
    for (uint32_t i = 0; i < 6; i++) {
        uint32_t length = follow_up_frame(bytes);
        bytes[ETHERNET + 44 + 4 + i] ^= 1;
        assert_int_equal(read_bytes(bytes, length, length), PTPMON_OK);
        assert_int_equal(message.has, PTPMON_MESSAGE_TIMESTAMP);
        assert_int_equal(message.cumulativeScaledRateOffset, 0);
    }
}

/* ---- Cut short ---------------------------------------------------------------------------- */

/* However many bytes were captured: what is told to be there lies within them, and nothing is read beyond. */
static void cut_at_every_byte(void **state)
{
    (void)state;
    uint8_t bytes[KIT_PTP_LENGTH];
    uint32_t length = follow_up_frame(bytes);
    for (uint32_t captured = 0; captured <= length; captured++) {
        ptpmon_status status = read_bytes(bytes, captured, length);
        assert_int_equal(status, captured >= ETHERNET + 34 ? PTPMON_OK : PTPMON_NOTHING);
        if (status != PTPMON_OK)
            continue;
        assert_int_equal(!!(message.has & PTPMON_MESSAGE_TIMESTAMP), captured >= ETHERNET + 44);
        assert_int_equal(!!(message.has & PTPMON_MESSAGE_FOLLOW_UP), captured == length);
    }
}

/* What messageLength does not cover is padding, whatever it looks like. */
static void padding_is_no_content(void **state)
{
    (void)state;
    uint8_t bytes[KIT_PTP_LENGTH];
    struct kit_ptp ptp = {.messageType = AVB_PTP_DELAY_RESP, .requesting = 3, .timestamp = KIT_SECOND};
    uint32_t length = kit_ptp_frame(&ptp, bytes);
    bytes[ETHERNET + 3] = 44;
    assert_int_equal(read_bytes(bytes, length, length), PTPMON_OK);
    assert_int_equal(message.has, PTPMON_MESSAGE_TIMESTAMP);
    bytes[ETHERNET + 3] = 34;
    assert_int_equal(read_bytes(bytes, length, length), PTPMON_OK);
    assert_int_equal(message.has, 0);
    assert_int_equal(message.seconds, 0);
}

static void frames_that_hold_no_message(void **state)
{
    (void)state;
    uint8_t bytes[KIT_PTP_LENGTH];
    struct kit_ptp ptp = {.messageType = AVB_PTP_SYNC};
    uint32_t length = kit_ptp_frame(&ptp, bytes);
    bytes[ETHERNET + 1] = 1; /* versionPTP */
    assert_int_equal(read_bytes(bytes, length, length), PTPMON_NOTHING);
    bytes[ETHERNET + 1] = 2;
    bytes[12] = 0x08; /* EtherType */
    assert_int_equal(read_bytes(bytes, length, length), PTPMON_NOTHING);
}

static void the_event_alone_can_be_asked_for(void **state)
{
    (void)state;
    uint8_t bytes[KIT_PTP_LENGTH];
    struct kit_ptp ptp = {.messageType = AVB_PTP_SYNC, .direction = AVB_DIRECTION_TX, .two_step = true};
    uint32_t length = kit_ptp_frame(&ptp, bytes);
    ptpmon_frame frame = {.bytes = bytes, .captured_length = length, .length = length, .direction = ptp.direction};
    assert_int_equal(ptpmon_frame_message(&frame, &event, NULL), PTPMON_OK);
    assert_int_equal(event.direction, AVB_DIRECTION_TX);
    assert_int_equal(event.flags, AVB_PTP_FLAG_TWO_STEP);
    assert_int_equal(event.queueId, AVB_QUEUE_UNKNOWN);
    assert_int_equal(event.system_timestamp, 0);
    frame.direction = 77;
    assert_int_equal(ptpmon_frame_message(&frame, &event, NULL), PTPMON_OK);
    assert_int_equal(event.direction, AVB_DIRECTION_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type_has_its_parts),
        cmocka_unit_test(numbers_at_their_limits),
        cmocka_unit_test(announce_is_read_field_by_field),
        cmocka_unit_test(the_follow_up_tlv_is_read),
        cmocka_unit_test(phase_changes_beyond_64_bits),
        cmocka_unit_test(other_tlvs_are_passed_over),
        cmocka_unit_test(a_tlv_of_another_organization_is_none),
        cmocka_unit_test(cut_at_every_byte),
        cmocka_unit_test(padding_is_no_content),
        cmocka_unit_test(frames_that_hold_no_message),
        cmocka_unit_test(the_event_alone_can_be_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
