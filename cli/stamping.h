/* SPDX-License-Identifier: MIT */
/* What an interface can stamp, in words for people. */
#ifndef PTPMON_CLI_STAMPING_H
#define PTPMON_CLI_STAMPING_H

#include <ptpmon.h>

/* "NIC (all frames; off), software", "software", "none". */
void stamping_rx_words(const ptpmon_interface *interface, char *text, size_t size);
void stamping_tx_words(const ptpmon_interface *interface, char *text, size_t size);

#endif
