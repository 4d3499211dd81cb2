/* SPDX-License-Identifier: MIT */
/* What the command says otherwise on one system than on another: where more is told, and which options there are not.
 */
#ifndef PTPMON_CLI_SYSTEM_H
#define PTPMON_CLI_SYSTEM_H

#ifdef _WIN32

/* Where all exit codes are told. */
#define SYSTEM_HELP_EXIT_CODES "ptpmon --help"

/* The end of `ptpmon --help`. */
#define SYSTEM_HELP_MORE \
    "\n" \
    "Exit codes:\n" \
    "  0  ended as asked\n" \
    "  1  failed while running; a file is there already, the disk is full\n" \
    "  2  the command line\n" \
    "  3  no such interface, or it vanished\n" \
    "  4  an administrator's rights are missing\n" \
    "  5  this Windows, the driver or the network card lacks it, or it is not installed\n" \
    "  6  somebody else holds it: another process monitors\n" \
    "  7  a file is damaged, or of a kind that cannot be read\n" \
    "\n" \
    "Events need the driver (`ptpmon install`) and an administrator; captured frames to\n" \
    "compare them with need Npcap. Files need neither. `ptpmon status` says what there\n" \
    "is.\n"

/* How it is seen: lines of the help for options that other systems lack. */
#define SYSTEM_HELP_HW_STAMPS
#define SYSTEM_HELP_NO_TRACING
#define SYSTEM_HELP_RING

/* Why there is no such option here, with the remedy; NULL = there is. */
#define SYSTEM_LACKS_HW_STAMPS \
    "--enable-hw-stamps is on Linux only; on Windows the adapter's advanced properties switch the NIC's stamping on " \
    "(`PTP Hardware Timestamp`)"
#define SYSTEM_LACKS_NO_TRACING "--no-tracing is on Linux only; the driver on Windows traces nothing, so leave it out"
#define SYSTEM_LACKS_RING \
    "--ring is on Linux only; on Windows the adapter's setting AvbRingCapacity says how many records the ring holds"

#else

#define SYSTEM_HELP_EXIT_CODES "man ptpmon"
#define SYSTEM_HELP_MORE       "  man ptpmon              exit codes, rights, and how it works\n"

#define SYSTEM_HELP_HW_STAMPS  "      --enable-hw-stamps  switch the NIC's stamping on, restore it at the end\n"
#define SYSTEM_HELP_NO_TRACING "      --no-tracing        no kernel tracing: no TX queue, no TX stamps\n"
#define SYSTEM_HELP_RING       "      --ring=SIZE         ring of the monitor: 64K, 1M (default); a power of two\n"

#define SYSTEM_LACKS_HW_STAMPS  NULL
#define SYSTEM_LACKS_NO_TRACING NULL
#define SYSTEM_LACKS_RING       NULL

#endif
#endif
