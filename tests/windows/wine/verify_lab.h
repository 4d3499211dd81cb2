/* SPDX-License-Identifier: MIT */
/* What the verifier module is told by ndislab.sys, and tells it, beyond nt_lab.h. */
#ifndef PTPMON_VERIFY_LAB_H
#define PTPMON_VERIFY_LAB_H

#include "ndis_pci.h"

struct verify_pci {
    void *(*bar)(UINT64 physical, UINT64 bytes); /* lab_bar() */
};
void verify_set_pci(const struct verify_pci *given);

/* Handles that the driver put into other processes, less those that it took back from there. */
INT64 verify_given_handles(void);

/* There was no breach. */
void verify_forget_breaches(void);

#endif
