/* SPDX-License-Identifier: MIT */
/* What an earlier simulation wrote by the same path. */
#ifndef PTPMON_LIB_SIMULATOR_EARLIER_H
#define PTPMON_LIB_SIMULATOR_EARLIER_H

#include "network.h"

/* Removes the files of ports that the truth there names, and that this simulation does not write: they would be taken
 * for files of this network. To be called before the truth is written anew. */
ptpmon_status ptpmon_sim_remove_earlier(struct ptpmon_simulation *simulation, const char *path);

#endif
