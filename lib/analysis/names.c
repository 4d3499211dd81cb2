/* SPDX-License-Identifier: MIT */
/* Kinds, reasons and counts as words: for people, JSON and Python alike. */
#include <ptpmon_analysis.h>

#define NAME_OF(table, index) \
    ((size_t)(index) < sizeof(table) / sizeof *(table) && (table)[index] ? (table)[index] : "unknown")

const char *ptpmon_exchange_kind_name(ptpmon_exchange_kind kind)
{
    static const char *const names[] = {
        [PTPMON_EXCHANGE_SYNC] = "sync",     [PTPMON_EXCHANGE_E2E] = "e2e",         [PTPMON_EXCHANGE_P2P] = "p2p",
        [PTPMON_EXCHANGE_P2P_AS] = "p2p-as", [PTPMON_EXCHANGE_TRANSIT] = "transit",
    };
    return NAME_OF(names, kind);
}

const char *ptpmon_stamp_kind_name(ptpmon_stamp_kind kind)
{
    static const char *const names[] = {
        [PTPMON_STAMP_NONE] = "none",         [PTPMON_STAMP_MESSAGE] = "message", [PTPMON_STAMP_HARDWARE] = "hardware",
        [PTPMON_STAMP_SOFTWARE] = "software", [PTPMON_STAMP_CAPTURE] = "capture",
    };
    return NAME_OF(names, kind);
}

const char *ptpmon_end_name(ptpmon_end end)
{
    static const char *const names[] = {
        [PTPMON_END_UNKNOWN] = "unknown",
        [PTPMON_END_REQUESTER] = "requester",
        [PTPMON_END_RESPONDER] = "responder",
        [PTPMON_END_BYSTANDER] = "bystander",
    };
    return NAME_OF(names, end);
}

const char *ptpmon_exchange_reason_name(ptpmon_exchange_reason reason)
{
    static const char *const names[] = {
        [PTPMON_COMPUTED] = "computed",
        [PTPMON_WITHOUT_FOLLOW_UP] = "without_follow_up",
        [PTPMON_WITHOUT_SYNC] = "without_sync",
        [PTPMON_WITHOUT_REQUEST] = "without_request",
        [PTPMON_WITHOUT_RESPONSE] = "without_response",
        [PTPMON_WITHOUT_RESPONSE_FOLLOW_UP] = "without_response_follow_up",
        [PTPMON_SEVERAL_RESPONDERS] = "several_responders",
        [PTPMON_WITHOUT_FRAME] = "without_frame",
        [PTPMON_WITHOUT_STAMP] = "without_stamp",
        [PTPMON_WITHOUT_DELAY] = "without_delay",
        [PTPMON_CORRECTION_OUT_OF_RANGE] = "correction_out_of_range",
        [PTPMON_TIMESTAMP_OUT_OF_RANGE] = "timestamp_out_of_range",
        [PTPMON_TIMESTAMP_NOT_GIVEN] = "timestamp_not_given",
        [PTPMON_CLOCK_STEPPED] = "clock_stepped",
        [PTPMON_TIMES_CONTRADICT] = "times_contradict",
        [PTPMON_AT_RESPONDER] = "at_responder",
        [PTPMON_OF_ANOTHER_PORT] = "of_another_port",
        [PTPMON_RULE_UNKNOWN] = "rule_unknown",
        [PTPMON_SEVERAL_ALIKE] = "several_alike",
    };
    return NAME_OF(names, reason);
}

const char *ptpmon_count_name(ptpmon_count count)
{
    static const char *const names[] = {
        [PTPMON_COUNT_GAPS] = "missing_messages",
        [PTPMON_COUNT_DUPLICATES] = "duplicates",
        [PTPMON_COUNT_REORDERED] = "reordered",
        [PTPMON_COUNT_RESTARTS] = "restarts",
        [PTPMON_COUNT_WRAPS] = "wraps",
        [PTPMON_COUNT_FOLLOW_UP_FIRST] = "follow_up_first",
        [PTPMON_COUNT_WITHOUT_FOLLOW_UP] = "sync_without_follow_up",
        [PTPMON_COUNT_WITHOUT_SYNC] = "follow_up_without_sync",
        [PTPMON_COUNT_WITHOUT_DELAY_RESP] = "delay_req_without_response",
        [PTPMON_COUNT_WITHOUT_DELAY_REQ] = "delay_resp_without_request",
        [PTPMON_COUNT_WITHOUT_PDELAY_RESP] = "pdelay_req_without_response",
        [PTPMON_COUNT_WITHOUT_PDELAY_REQ] = "pdelay_resp_without_request",
        [PTPMON_COUNT_WITHOUT_PDELAY_FOLLOW_UP] = "pdelay_resp_without_follow_up",
        [PTPMON_COUNT_PDELAY_FOLLOW_UP_ALONE] = "pdelay_follow_up_without_response",
        [PTPMON_COUNT_SEVERAL_RESPONDERS] = "several_responders",
        [PTPMON_COUNT_LATE_TURNAROUND] = "late_turnaround",
        [PTPMON_COUNT_NEGATIVE_TURNAROUND] = "negative_turnaround",
        [PTPMON_COUNT_NEGATIVE_DELAY] = "negative_delay",
        [PTPMON_COUNT_CORRECTION_OUT_OF_RANGE] = "correction_out_of_range",
        [PTPMON_COUNT_CORRECTION_DECREASED] = "correction_decreased",
        [PTPMON_COUNT_TIMESTAMP_OUT_OF_RANGE] = "timestamp_out_of_range",
        [PTPMON_COUNT_TIMESTAMP_NOT_GIVEN] = "timestamp_not_given",
        [PTPMON_COUNT_CLOCK_BACKWARDS] = "clock_backwards",
        [PTPMON_COUNT_STAMP_REPEATED] = "stamp_repeated",
        [PTPMON_COUNT_WITHOUT_FRAME] = "without_frame",
        [PTPMON_COUNT_WITHOUT_EVENT] = "without_event",
        [PTPMON_COUNT_STAMP_MISSING] = "stamp_missing",
        [PTPMON_COUNT_AMBIGUOUS] = "ambiguous",
        [PTPMON_COUNT_CUT_SHORT] = "cut_short",
        [PTPMON_COUNT_FOREIGN] = "no_ptp",
        [PTPMON_COUNT_DECIDED_EARLY] = "decided_early",
        [PTPMON_COUNT_SERIES_LEFT_OUT] = "series_left_out",
        [PTPMON_COUNT_NOT_FETCHED] = "not_fetched",
        [PTPMON_COUNT_PORTS_FORGOTTEN] = "ports_forgotten",
        [PTPMON_COUNT_SEEN_AT_ONE_POINT] = "seen_at_one_point",
    };
    return NAME_OF(names, count);
}
