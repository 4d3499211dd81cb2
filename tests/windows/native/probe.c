/* SPDX-License-Identifier: MIT */
/* The native twin of driver/windows/probe.c: no exception is raised here, so none is caught. */
#include "probe.h"

#include "nt_double.h"

NTSTATUS AvbLockPages(MDL *mdl, LOCK_OPERATION operation)
{
    return nt_probe_and_lock(mdl, operation);
}
