/* SPDX-License-Identifier: MIT */
/* Numbers that look random and are the same in every run (splitmix64). */
#ifndef PTPMON_TESTS_RANDOM_H
#define PTPMON_TESTS_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

static inline uint64_t random_next(struct random *random)
{
    uint64_t value = random->state += 0x9E3779B97F4A7C15u;
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9u;
    value = (value ^ value >> 27) * 0x94D049BB133111EBu;
    return value ^ value >> 31;
}

/* 0..limit - 1 */
static inline uint64_t random_below(struct random *random, uint64_t limit)
{
    return random_next(random) % limit;
}

/* from..to */
static inline int64_t random_between(struct random *random, int64_t from, int64_t to)
{
    return from + (int64_t)random_below(random, (uint64_t)(to - from) + 1);
}

static inline bool random_chance(struct random *random, unsigned int percent)
{
    return random_below(random, 100) < percent;
}

#endif
