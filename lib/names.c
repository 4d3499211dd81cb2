/* SPDX-License-Identifier: MIT */
/* Values as words: for people, JSON and Python alike. */
#include <ptpmon.h>

#define NAME_OF(table, index) \
    ((size_t)(index) < sizeof(table) / sizeof *(table) && (table)[index] ? (table)[index] : "unknown")

const char *ptpmon_version(void)
{
    return PTPMON_VERSION;
}

const char *ptpmon_status_name(ptpmon_status status)
{
    static const char *const names[] = {
        [PTPMON_OK] = "ok",
        [PTPMON_END] = "end",
        [PTPMON_NOTHING] = "nothing",
        [PTPMON_NO_INTERFACE] = "no_interface",
        [PTPMON_NO_PERMISSION] = "no_permission",
        [PTPMON_NOT_SUPPORTED] = "not_supported",
        [PTPMON_NO_MEMORY] = "no_memory",
        [PTPMON_BUSY] = "busy",
        [PTPMON_INVALID] = "invalid",
        [PTPMON_BAD_FILE] = "bad_file",
        [PTPMON_IO] = "io",
    };
    return NAME_OF(names, status);
}

const char *ptpmon_outcome_name(ptpmon_outcome outcome)
{
    static const char *const names[] = {
        [PTPMON_MATCHED] = "matched",
        [PTPMON_EVENT_WITHOUT_FRAME] = "event_without_frame",
        [PTPMON_FRAME_WITHOUT_EVENT] = "frame_without_event",
        [PTPMON_DUPLICATE] = "duplicate",
        [PTPMON_AMBIGUOUS] = "ambiguous",
        [PTPMON_OUTSIDE] = "outside",
    };
    return NAME_OF(names, outcome);
}

const char *ptpmon_reason_name(ptpmon_reason reason)
{
    static const char *const names[] = {
        [PTPMON_BY_SOFTWARE_TIME] = "by_software_time",
        [PTPMON_BY_KEY] = "by_key",
        [PTPMON_BY_ORDER] = "by_order",
        [PTPMON_NOT_CAPTURED] = "not_captured",
        [PTPMON_CAPTURE_LOST] = "capture_lost",
        [PTPMON_NO_EVENT] = "no_event",
        [PTPMON_EVENT_LOST] = "event_lost",
        [PTPMON_SAME_KEY_MATCHED] = "same_key_matched",
        [PTPMON_COUNTS_DIFFER] = "counts_differ",
        [PTPMON_ORDER_UNPROVEN] = "order_unproven",
        [PTPMON_BEFORE_MONITOR] = "before_monitor",
        [PTPMON_AFTER_MONITOR] = "after_monitor",
        [PTPMON_BEFORE_CAPTURE] = "before_capture",
        [PTPMON_AFTER_CAPTURE] = "after_capture",
    };
    return NAME_OF(names, reason);
}

const char *ptpmon_message_type_name(uint8_t messageType)
{
    static const char *const names[] = {
        [AVB_PTP_SYNC] = "Sync",
        [AVB_PTP_DELAY_REQ] = "Delay_Req",
        [AVB_PTP_PDELAY_REQ] = "Pdelay_Req",
        [AVB_PTP_PDELAY_RESP] = "Pdelay_Resp",
        [AVB_PTP_FOLLOW_UP] = "Follow_Up",
        [AVB_PTP_DELAY_RESP] = "Delay_Resp",
        [AVB_PTP_PDELAY_RESP_FOLLOW_UP] = "Pdelay_Resp_Follow_Up",
        [AVB_PTP_ANNOUNCE] = "Announce",
        [AVB_PTP_SIGNALING] = "Signaling",
        [AVB_PTP_MANAGEMENT] = "Management",
    };
    return messageType < sizeof names / sizeof *names && names[messageType] ? names[messageType] : "reserved";
}
