/* SPDX-License-Identifier: MIT */
/*
 * core/atomic.h with a pause before each access: built with this file included first, core/ring.c meets
 * interleavings that are rare otherwise. The program defines ring_pause().
 */
#include "../../core/atomic.h"

void ring_pause(void);

#define avb_load_relaxed(word)                          (ring_pause(), avb_load_relaxed(word))
#define avb_load_acquire(word)                          (ring_pause(), avb_load_acquire(word))
#define avb_store_release(word, value)                  (ring_pause(), avb_store_release(word, value))
#define avb_replace_relaxed(word, expected, to)         (ring_pause(), avb_replace_relaxed(word, expected, to))
#define avb_replace_acquire_release(word, expected, to) (ring_pause(), avb_replace_acquire_release(word, expected, to))
