/* SPDX-License-Identifier: MIT */
#ifndef PTPMON_LIB_LINKTYPE_H
#define PTPMON_LIB_LINKTYPE_H

/* The name of a LINKTYPE_ number, as in files: "EN10MB"; NULL: not known. Each system has its own. */
const char *ptpmon_linktype_name(unsigned linktype);

#endif
