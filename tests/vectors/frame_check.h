/* SPDX-License-Identifier: MIT */
/* What must hold for every frame, made by hand or by a fuzzer. */
#ifndef PTPMON_TESTS_FRAME_CHECK_H
#define PTPMON_TESTS_FRAME_CHECK_H

#include "frame.h"

/*
 * Parses the frame that lies in these pieces in several ways and compares what comes out:
 *   - the oracle agrees on the kind and, for a PTP message, on every field;
 *   - the pieces give what one contiguous buffer gives, and a second run what the first gave;
 *   - what a failing load leaves behind has no influence;
 *   - what a first look calls surely foreign is foreign;
 *   - for a PTP message, the last thing read was a version 2 header inside the frame;
 *   - the fields that are not the parser's keep their values.
 * Each buffer that the parser sees is a heap block of exactly its size, so that an address
 * sanitizer sees every read outside. `length` and `tag` as for avb_frame_parse().
 *
 * Returns NULL, or what does not hold (static storage).
 */
const char *frame_check(const struct avb_fragment *pieces, UINT32 count, UINT32 length, UINT32 tag);

#endif
