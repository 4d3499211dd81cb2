/* SPDX-License-Identifier: MIT */
/*
 * The bytes that fuzz_frame takes, as frame_seeds writes them:
 *
 *   0      bit 0: there is an out-of-band tag; the other bits mean nothing
 *   1-2    its TCI, high byte first
 *   3-4    length on the wire minus length captured, two's complement, high byte first
 *   5      number of pieces cut off the frame's front, modulo FRAME_INPUT_CUTS + 1
 *   6-13   their lengths, 0-255 each; what the frame does not hold any more is left out
 *   14-    the frame; what no piece took is the last piece
 *
 * Shorter inputs are no test case.
 */
#ifndef PTPMON_TESTS_FRAME_INPUT_H
#define PTPMON_TESTS_FRAME_INPUT_H

#define FRAME_INPUT_CUTS   8
#define FRAME_INPUT_HEADER 14

#endif
