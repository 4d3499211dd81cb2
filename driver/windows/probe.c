/* SPDX-License-Identifier: MIT */
#include "probe.h"

NTSTATUS AvbLockPages(MDL *mdl, LOCK_OPERATION operation)
{
    NTSTATUS status = STATUS_SUCCESS;
    /* The code is asked for in the filter expression: in the handler's body it may be gone. */
    __try {
        MmProbeAndLockPages(mdl, KernelMode, operation);
    } __except (status = GetExceptionCode(), EXCEPTION_EXECUTE_HANDLER) {
    }
    return status;
}
