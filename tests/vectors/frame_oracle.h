/* SPDX-License-Identifier: MIT */
/*
 * A second PTP parser, to judge the first by: written from the standards and from the contract in
 * core/frame_read.h, for one contiguous buffer, without regard to speed.
 */
#ifndef PTPMON_TESTS_FRAME_ORACLE_H
#define PTPMON_TESTS_FRAME_ORACLE_H

#include "frame.h"

#include <stdint.h>

/*
 * What avb_frame_parse() must say of `captured` bytes of a frame of `length` bytes on the wire.
 * Where that is AVB_FRAME_PTP, *event gets all fields that the frame knows, and 0 in the others.
 */
enum avb_frame_kind frame_oracle(const uint8_t *bytes, uint32_t captured, uint32_t length, uint32_t tag,
                                 PTP_TIMESTAMP_EVENT *event);

#endif
