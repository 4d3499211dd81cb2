/* SPDX-License-Identifier: MIT */
/* Whether what a capture file says of its interfaces fits what a recording says of its own. */
#ifndef PTPMON_LIB_ALIGNMENT_INTERFACE_H
#define PTPMON_LIB_ALIGNMENT_INTERFACE_H

#include <ptpmon.h>

/*
 * The capture's interface that was recorded. Of several it is the one of the same name (Windows: whose
 * name has the GUID) or, where none has it, of the same MAC address; a single one need not be named.
 * BAD_FILE: there is none, more than one, or it is of another host, another run of it, or another card.
 */
ptpmon_status ptpmon_align_interface(const ptpmon_monitor *recording, const ptpmon_capture *file, size_t *interface);

#endif
