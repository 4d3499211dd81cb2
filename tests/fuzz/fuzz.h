/* SPDX-License-Identifier: MIT */
/* What a fuzz target defines; libFuzzer calls it, or replay.c. */
#ifndef PTPMON_TESTS_FUZZ_H
#define PTPMON_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Runs one input; aborts where something does not hold. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

#endif
