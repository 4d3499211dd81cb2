/* SPDX-License-Identifier: MIT */
/* The one kernel call that raises an exception, as a call that returns a status. */
#ifndef AVB_PROBE_H
#define AVB_PROBE_H

#include "nt.h"

/* MmProbeAndLockPages() for a kernel address. The MDL is locked where it succeeds. */
_IRQL_requires_max_(APC_LEVEL) NTSTATUS AvbLockPages(_Inout_ MDL *mdl, _In_ LOCK_OPERATION operation);

#endif
