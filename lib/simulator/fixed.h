/* SPDX-License-Identifier: MIT */
/*
 * Numbers of the simulator. Everything is integer, so that equal settings give equal bytes on every system: times are
 * 2^-16 ns since the start of the simulation (39 hours fit), rates are parts of 2^-48.
 */
#ifndef PTPMON_LIB_SIMULATOR_FIXED_H
#define PTPMON_LIB_SIMULATOR_FIXED_H

#include <stdbool.h>
#include <stdint.h>

typedef int64_t sim_time;

#define SIM_NS       ((sim_time)65536)
#define SIM_US       (1000 * SIM_NS)
#define SIM_MS       (1000 * SIM_US)
#define SIM_S        (1000 * SIM_MS)
#define SIM_NEVER    INT64_MAX
#define SIM_TIME_MAX (30 * 3600 * SIM_S)

/* A frequency offset of 1 is this many: +-0.5 fit with room for sums. */
#define SIM_RATE_ONE (INT64_C(1) << 48)

#define NS_PER_SECOND INT64_C(1000000000)

/* Rounded towards minus infinity; divisor > 0. */
static inline int64_t sim_floor_divide(int64_t a, int64_t divisor)
{
    int64_t quotient = a / divisor;
    return a % divisor < 0 ? quotient - 1 : quotient;
}

/* a * b / 2^48, rounded towards zero, for |b| < 2^48: the product has up to 111 bits, in two halves of a. */
static inline int64_t sim_scale(int64_t a, int64_t rate)
{
    bool negative = (a < 0) != (rate < 0);
    uint64_t x = a < 0 ? 0 - (uint64_t)a : (uint64_t)a, y = rate < 0 ? 0 - (uint64_t)rate : (uint64_t)rate;
    uint64_t x_high = x >> 32, x_low = x & UINT32_MAX, y_high = y >> 32, y_low = y & UINT32_MAX;
    uint64_t middle = x_high * y_low, other = x_low * y_high, low = x_low * y_low;
    uint64_t carried = (low >> 32) + (middle & UINT32_MAX) + (other & UINT32_MAX);
    uint64_t high = x_high * y_high + (middle >> 32) + (other >> 32) + (carried >> 32);
    low = carried << 32 | (low & UINT32_MAX);
    uint64_t product = high << 16 | low >> 48;
    return negative ? -(int64_t)product : (int64_t)product;
}

/* (a << bits) / b rounded towards zero, for b > 0, bits <= 63: bit by bit, since the dividend may not fit. What does
 * not fit is the greatest that does. */
static inline int64_t sim_shift_divide(int64_t a, unsigned int bits, int64_t b)
{
    uint64_t dividend = a < 0 ? 0 - (uint64_t)a : (uint64_t)a, divisor = (uint64_t)b;
    uint64_t quotient = dividend / divisor, rest = dividend % divisor;
    for (; bits > 0; bits--) {
        if (quotient >> 62 != 0)
            return a < 0 ? -INT64_MAX : INT64_MAX;
        bool carries = rest >> 63 != 0 || rest << 1 >= divisor;
        rest = (rest << 1) - (carries ? divisor : 0);
        quotient = quotient << 1 | carries;
    }
    return a < 0 ? -(int64_t)quotient : (int64_t)quotient;
}

/* (1 + rate) / (1 + base) - 1, as PTP writes it: 2^-41. */
static inline int64_t sim_ratio_offset(int64_t rate, int64_t base)
{
    return sim_shift_divide(rate - base, 41, SIM_RATE_ONE + base);
}

#endif
