/* SPDX-License-Identifier: MIT */
/* Reads PTP messages out of captured frames. */
#ifndef PTPMON_LIB_MESSAGE_H
#define PTPMON_LIB_MESSAGE_H

#include <frame_read.h>
#include <ptpmon.h>

/*
 * Classifies the frame; of a PTP message fills `event` (no times, direction as captured, queueId unknown) and, unless
 * it is NULL, `message`.
 */
enum avb_frame_kind ptpmon_message_read(const ptpmon_frame *frame, PTP_TIMESTAMP_EVENT *event, ptpmon_message *message);

#endif
