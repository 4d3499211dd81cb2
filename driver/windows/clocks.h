/* SPDX-License-Identifier: MIT */
/* The clocks that stand beside one another in events, read together. */
#ifndef AVB_CLOCKS_H
#define AVB_CLOCKS_H

#include "adapter.h"

/*
 * The performance counter, UTC and the clock of the adapter's stamps (0 where it gives none) at one instant.
 * `adapter`: with a reference of its `askers`, since it may be asked, and waited for; NULL: no adapter is asked.
 */
_IRQL_requires_(PASSIVE_LEVEL) void AvbReadClocks(_Inout_opt_ AVB_DEVICE_CONTEXT *adapter,
                                                  _Out_ PTP_CLOCKS_RECORD *clocks);

#endif
