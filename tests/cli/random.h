/* SPDX-License-Identifier: MIT */
/* Numbers for property tests: the same ones in every run. */
#ifndef PTPMON_TESTS_RANDOM_H
#define PTPMON_TESTS_RANDOM_H

#include <stdint.h>

struct random {
    uint64_t state; /* any seed */
};

/* SplitMix64 */
static inline uint64_t random_next(struct random *random)
{
    uint64_t z = random->state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

/* In [minimum, maximum]. */
static inline int64_t random_between(struct random *random, int64_t minimum, int64_t maximum)
{
    uint64_t range = (uint64_t)maximum - (uint64_t)minimum + 1;
    uint64_t number = random_next(random);
    return (int64_t)((uint64_t)minimum + (range == 0 ? number : number % range));
}

#endif
